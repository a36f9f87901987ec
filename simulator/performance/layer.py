"""Time of the layers of one pipeline stage in training, on one chip, for one micro-batch."""

from dataclasses import dataclass

from simulator.performance import attention, collectives, layers, products
from simulator.performance.layers import LayerKind, Product, StateCore
from simulator.performance.setting import Setting

# Bytes that a norm and a residual move per token and unit of hidden width, forward, 16-bit, for each
# half of a layer: counted from the operations where they are fused into few kernels, and where bias,
# dropout and residual stand apart. Derived.
NORM_BYTES, APART_NORM_BYTES = 12.0, 16.0

# Bytes that rotations and layout of queries, keys and values move per token and unit of width.
# Counted. Derived.
QKV_BYTES = 4.0

# Bytes that narrow formats add per token and unit of product input: read in 16 bits twice (largest
# value, then cast), write row- and column-wise copies. Counted. Derived.
NARROWING_BYTES = 6.0

# Bytes of logits per token and word, forward and backward, in 32 bits: written, read for the largest,
# for the sum, for the gradient, gradient written and cast. Counted. Derived.
LOGIT_BYTES = 20.0

# Chunk of a chunked scan, and the share of the 16-bit peak that its small products reach. Vendor
# (Mamba-2 reference kernels, chunk 256) and assumed, 0.15-0.4.
CHUNK, SCAN_SHARE = 256.0, 0.25

# Bytes of the short convolution and gates per token and channel, forward. Counted. Derived.
CONVOLUTION_BYTES = 12.0

# Products that stay in 16 bits.
WIDE = ("router", "output")

# Backward moves about twice the bytes of forward: two gradients for one result. Derived.
BACKWARD_BYTES = 2.0

KV_BYTES = 2.0  # keys and values travel in 16 bits


@dataclass(frozen=True)
class PassTime:
    """Seconds of one pass, forward or backward."""

    product_s: float
    """Matrix units at work, attention included."""
    memory_s: float
    """What waits for memory and launches."""
    exposed_s: float
    """Communication that nothing hides."""

    def __add__(self, other: "PassTime") -> "PassTime":
        return PassTime(
            self.product_s + other.product_s,
            self.memory_s + other.memory_s,
            self.exposed_s + other.exposed_s,
        )

    def __mul__(self, times: float) -> "PassTime":
        return PassTime(self.product_s * times, self.memory_s * times, self.exposed_s * times)

    @property
    def total_s(self) -> float:
        """All of it."""
        return self.product_s + self.memory_s + self.exposed_s


NOTHING = PassTime(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class StageTime:
    """Seconds of the fullest pipeline stage for one micro-batch."""

    forward: PassTime
    backward: PassTime
    """Recomputation included."""
    host_s: float
    """What the host needs to issue it."""

    @property
    def product_s(self) -> float:
        """Matrix units at work."""
        return self.forward.product_s + self.backward.product_s

    @property
    def exposed_s(self) -> float:
        """Communication that nothing hides."""
        return self.forward.exposed_s + self.backward.exposed_s

    @property
    def compute_s(self) -> float:
        """Time without communication; the chip waits for its host where that is slower."""
        return self.total_s - self.exposed_s

    @property
    def total_s(self) -> float:
        """All of it."""
        return max(self.forward.total_s + self.backward.total_s, self.host_s)


def stage_time(setting: Setting) -> StageTime:
    """Return the fullest stage for one micro-batch.

    Stages hold equal shares of the layers. With layers that divide evenly the last stage has the
    output matrix on top; otherwise stages were balanced around it.
    """
    model, pp = setting.model, setting.plan.pp
    forward, backward, host_s = NOTHING, NOTHING, 0.0
    for kind in layers.kinds(model):
        share = kind.count / pp
        there, back = _kind_time(setting, kind)
        forward, backward = forward + there * share, backward + back * share
        host_s += share * _host_s(setting, kind)
    top = 1.0 if model.layers % pp == 0 else 1.0 / pp
    there, back = _output_time(setting)
    return StageTime(forward + there * top, backward + back * top, host_s)


def _kind_time(setting: Setting, kind: LayerKind) -> tuple[PassTime, PassTime]:
    """Return forward and backward of one layer of a kind.

    Full recomputation repeats forward before backward; selective repeats the attention core.
    """
    product = products_time(setting, kind)
    core = core_time(setting, kind)
    memory_s = memory_time(setting, kind)
    wire_s = _tensor_s(setting, kind) + _expert_s(setting, kind)
    ring_s = _context_s(setting, kind)
    there = PassTime(product[0] + core[0], memory_s, wire_s + ring_s)
    back = PassTime(product[1] + core[1], BACKWARD_BYTES * memory_s, wire_s + 2.0 * ring_s)
    recompute = setting.plan.recompute
    if recompute == "full":
        spared_s = product[2] if setting.stack.stops_early else 0.0
        back += PassTime(product[0] + core[0] - spared_s, memory_s, wire_s)
    elif recompute == "selective" and setting.stack.attention == "unfused":
        back += PassTime(core[0], 0.0, 0.0)
    return there, back


def products_time(setting: Setting, kind: LayerKind) -> tuple[float, float, float]:
    """Return seconds of a layer's weight products: forward, backward, and of the last one forward."""
    forward_s, backward_s, last_s = 0.0, 0.0, 0.0
    for product in kind.products:
        m, n, k, count = local_shape(setting, product)
        last_s = _product_s(setting, product, m, n, k, count)
        forward_s += last_s
        backward_s += _product_s(setting, product, m, k, n, count)
        backward_s += _product_s(setting, product, k, n, m, count)
    return forward_s, backward_s, last_s


def local_shape(setting: Setting, product: Product) -> tuple[float, float, float, float]:
    """Return rows m, columns n, depth k and number of a product on one chip.

    Tensor-parallel ranks share columns or rows. Experts are dealt out: each chip's tokens spread
    evenly, so an expert sees the tokens that its group of `ep` chips sends it.
    """
    plan, tokens = setting.plan, setting.tokens
    if product.split == "experts":
        held = product.stored / plan.ep
        return tokens / plan.tp * product.times / held, product.n, product.k, held
    if product.split == "columns":
        return tokens, product.n / plan.tp, product.k, product.times
    if product.split == "rows":
        return tokens, product.n, product.k / plan.tp, product.times
    rows = tokens / plan.tp if plan.sequence_parallel else tokens
    return rows, product.n, product.k, product.times


def _product_s(
    setting: Setting, product: Product, m: float, n: float, k: float, count: float
) -> float:
    precision = "bf16" if product.part in WIDE else setting.precision
    time_s = products.product_s(
        setting.chip, precision, m, n, k, count, clock_frac=setting.clock_frac
    )
    return time_s / setting.stack.share(setting.chip.name, precision)


def core_time(setting: Setting, kind: LayerKind) -> tuple[float, float]:
    """Return seconds of scores and values, or of the recurrence: forward, backward."""
    plan, core = setting.plan, kind.attention
    if kind.state:
        return _recurrence_s(setting, kind.state)
    if core is None:
        return 0.0, 0.0
    return attention.attention_s(
        setting.chip, setting.stack.attention, plan.micro_batch, core.heads / plan.tp,
        plan.sequence_length / plan.cp, plan.sequence_length,
        core.mean_span(plan.sequence_length), core.qk_dimension, core.value_dimension,
        clock_frac=setting.clock_frac,
    )


def _recurrence_s(setting: Setting, core: StateCore) -> tuple[float, float]:
    """Return seconds of a chunked scan: forward, backward.

    Within a chunk the recurrence is a product of queries and keys like attention over half the
    chunk, between chunks the state is written and read once (Dao and Gu, arXiv:2405.21060,
    section 6).
    """
    width = core.heads * (core.state + core.head_dimension) / setting.plan.tp
    flops = setting.tokens * (core.flops / setting.plan.tp + CHUNK * width)
    rate = SCAN_SHARE * setting.chip.peak["bf16"] * setting.clock_frac
    moved = setting.tokens * CONVOLUTION_BYTES * core.channels / setting.plan.tp
    forward_s = flops / rate + products.stream_s(setting.chip, moved)
    return forward_s, 2.0 * forward_s


def memory_time(setting: Setting, kind: LayerKind) -> float:
    """Return the forward seconds of what is bound by memory, for one layer of a kind."""
    plan, stack = setting.plan, setting.stack
    spread = plan.tp if plan.sequence_parallel else 1
    norm = NORM_BYTES if stack.fused else APART_NORM_BYTES
    moved = norm * setting.model.hidden / spread
    for product in kind.products:
        moved += _between_bytes(setting, product)
    return products.stream_s(setting.chip, setting.tokens * moved)


def _between_bytes(setting: Setting, product: Product) -> float:
    """Return bytes per token that go with one product beside its own operands and result."""
    stack, tp = setting.stack, setting.plan.tp
    width = product.times * (product.k if product.split == "rows" else product.n) / tp
    moved = 0.0
    if setting.precision != "bf16" and product.part not in WIDE:
        local = product.k / tp if product.split in ("rows", "experts") else product.k
        moved += NARROWING_BYTES * product.times * local
    if product.part == "qkv":
        moved += QKV_BYTES * width
    elif product.part.endswith("down") and product.split in ("rows", "experts"):
        moved += stack.activation_bytes * product.times * product.k / tp
    if product.part == "expert_up":
        moved += stack.routing_bytes * product.times * product.k / tp
    return moved


def _output_time(setting: Setting) -> tuple[PassTime, PassTime]:
    """Return forward and backward of the output matrix and the loss."""
    output = layers.output(setting.model)
    forward_s, backward_s, _ = products_time(setting, output)
    width = setting.model.vocabulary / setting.plan.tp
    loss_s = products.stream_s(setting.chip, setting.tokens * width * LOGIT_BYTES)
    return PassTime(forward_s, 0.5 * loss_s, 0.0), PassTime(backward_s, 0.5 * loss_s, 0.0)


def _tensor_s(setting: Setting, kind: LayerKind) -> float:
    """Return the exposed time of one pass of gathers and scatters: one of each for each half."""
    plan = setting.plan
    if plan.tp == 1:
        return 0.0
    if all(product.split in ("experts", "whole") for product in kind.products):
        return 0.0
    message = 2.0 * setting.tokens * setting.model.hidden
    once_s = collectives.all_gather_s(setting.fabric, plan.tp, message)
    return setting.stack.exposed.tensor * 2.0 * once_s


def _expert_s(setting: Setting, kind: LayerKind) -> float:
    """Return the exposed time of one pass of the token exchange: out and back."""
    plan = setting.plan
    routed = next((p for p in kind.products if p.part == "expert_up"), None)
    if routed is None or plan.ep == 1:
        return 0.0
    sent = 2.0 * setting.tokens / plan.tp * routed.times * routed.k
    once_s = collectives.all_to_all_s(setting.fabric, plan.ep, sent)
    return setting.stack.exposed.expert * 2.0 * once_s


def _context_s(setting: Setting, kind: LayerKind) -> float:
    """Return the exposed time of passing keys and values around once."""
    plan, core = setting.plan, kind.attention
    if plan.cp == 1 or core is None:
        return 0.0
    width = core.kv_heads * (core.qk_dimension + core.value_dimension) / plan.tp
    whole = KV_BYTES * setting.tokens * plan.cp * width
    ring_s = collectives.all_gather_s(setting.fabric, plan.cp, whole, stride=plan.tp)
    return setting.stack.exposed.context * ring_s


def _host_s(setting: Setting, kind: LayerKind) -> float:
    """Return what the host needs to issue one layer of a kind, both ways."""
    stack = setting.stack
    return stack.host_expert_layer if kind.name == "experts" else stack.host_layer
