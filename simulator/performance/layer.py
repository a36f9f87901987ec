"""Time of the layers of one pipeline stage in training, on one chip, for one micro-batch."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from simulator.performance import attention, collectives, layers, operators, products
from simulator.performance import chip as chips
from simulator.performance.attention import Direction
from simulator.performance.expert_exchange import BF16_BYTES, expert_exchange_s
from simulator.performance.layers import AttentionCore, LayerKind, Product, StateCore
from simulator.performance.setting import Setting

# Tokens in a chunk of a chunked scan. Vendor (Mamba-2 reference kernels).
CHUNK = 256.0

# Share of the 16-bit peak that the small products of a scan reach. Assumed, 0.03-0.15.
SCAN_SHARE = 0.06

# Bytes of the short convolution and gates per token and channel, forward. Counted. Derived.
CONVOLUTION_BYTES = 12.0

# Products that stay in 16 bits.
WIDE = ("router", "output")

KV_BYTES = 2.0  # keys and values travel in 16 bits

# How a precision is narrowed: by the largest value of the moment, in blocks. Vendor (Transformer
# Engine's current scaling and NVFP4 recipes).
CASTS = {"fp8": "fp8_current", "int8": "fp8_current", "fp4": "nvfp4"}


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
    top: PassTime
    """Of this, what other stages have none of, forward and backward: the output matrix and the loss, or
    the encoder of images."""

    @property
    def product_s(self) -> float:
        """Matrix units at work."""
        return self.forward.product_s + self.backward.product_s

    @property
    def exposed_s(self) -> float:
        """Communication that nothing hides."""
        return self.forward.exposed_s + self.backward.exposed_s

    @property
    def clock_bound_frac(self) -> float:
        """Share that a slower core clock lengthens: products, unless the host is what paces."""
        waits = self.host_s >= self.forward.total_s + self.backward.total_s
        return 0.0 if waits else self.product_s / self.total_s

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
    output matrix on top and the first the encoder of images: the slower end is the fullest.
    Otherwise stages were balanced around them.
    """
    model, pp = setting.model, setting.plan.pp
    forward, backward, host_s = NOTHING, NOTHING, 0.0
    extra = layers.predictions(model)
    for kind in (*layers.kinds(model), *((extra,) if extra else ())):
        share = kind.count / pp
        there, back = _kind_time(setting, kind)
        forward, backward = forward + there * share, backward + back * share
        host_s += share * _host_s(setting, kind)
    there, back = _ends_time(setting)
    return StageTime(forward + there, backward + back, host_s, there + back)


def _ends_time(setting: Setting) -> tuple[PassTime, PassTime]:
    """Return what the fullest stage does beside its layers: forward, backward."""
    output, images = _output_time(setting), encoder_time(setting)
    pp = setting.plan.pp
    if pp > 1 and setting.model.layers % pp == 0:
        return max(output, images, key=lambda end: end[0].total_s + end[1].total_s)
    return (output[0] + images[0]) * (1.0 / pp), (output[1] + images[1]) * (1.0 / pp)


def encoder_time(setting: Setting) -> tuple[PassTime, PassTime]:
    """Return the encoder's passes over the images of one micro-batch, forward and backward.

    The layers are timed as any others, in 16 bits on whole images, which context-parallel ranks
    share out; a part of an image takes its part of the time of one.
    """
    model, plan, kind = setting.model, setting.plan, layers.encoder(setting.model)
    count = plan.images * plan.micro_batch / plan.cp
    if kind is None or model.encoder is None or not count:
        return NOTHING, NOTHING
    together = max(round(count), 1)
    positions = round(model.encoder.tokens_per_image * model.encoder.patches_per_token)
    shape = {"hidden": model.encoder.hidden, "gated": model.encoder.gated}
    share = {"sequence_length": positions, "micro_batch": together, "cp": 1, "precision": "bf16"}
    there, back = _kind_time(
        replace(
            setting, model=model.model_copy(update=shape), plan=plan.model_copy(update=share)
        ),
        kind,
    )
    times = kind.count * count / together
    return there * times, back * times


def _kind_time(setting: Setting, kind: LayerKind) -> tuple[PassTime, PassTime]:
    """Return forward and backward of one layer of a kind.

    Full recomputation repeats forward before backward; selective repeats what is large and cheap: the
    attention core where it was written out, norms, activations and latent up-projections where it
    is fused.
    """
    product = products_time(setting, kind)
    core = core_time(setting, kind)
    moved = memory_time(setting, kind)
    wire_s = _tensor_s(setting, kind) + _expert_s(setting, kind)
    ring_s = _context_s(setting, kind)
    there = PassTime(product[0] + core[0], moved[0], wire_s + ring_s)
    back = PassTime(product[1] + core[1], moved[1], wire_s + 2.0 * ring_s)
    recompute = setting.plan.recompute
    if recompute == "full":
        spared_s = product[2] if setting.stack.stops_early else 0.0
        back += PassTime(product[0] + core[0] - spared_s, moved[0], wire_s)
    elif recompute == "selective" and setting.stack.attention == "unfused":
        back += PassTime(core[0], 0.0, 0.0)
    elif recompute == "selective":
        back += PassTime(_up_projections_s(setting, kind), moved[0], 0.0)
    return there, back


def _up_projections_s(setting: Setting, kind: LayerKind) -> float:
    """Return the forward seconds of latent attention's up-projections."""
    ups = (p for p in kind.products if p.part in ("q_up", "kv_up"))
    shaped = ((p, *local_shape(setting, p)) for p in ups)
    return sum(_product_s(setting, p, m, n, k, count) for p, m, n, k, count in shaped)


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
    if kind.state:
        return _recurrence_s(setting, kind.state)
    if kind.attention is None:
        return 0.0, 0.0
    return _attention_s(setting, kind.attention, "forward"), _attention_s(
        setting, kind.attention, "backward"
    )


def _attention_s(setting: Setting, core: AttentionCore, direction: Direction) -> float:
    """Return seconds of one pass of attention.

    Context-parallel ranks take parts of the sequence from both ends, so each sees the mean span.
    """
    plan, stack, length = setting.plan, setting.stack, setting.plan.sequence_length
    kept = core.sparse.kept if core.sparse else None
    whole_s = attention.attention_s(
        setting.chip, "bf16", plan.micro_batch, core.heads / plan.tp,
        max(core.kv_heads / plan.tp, 1.0), length, length, core.qk_dimension, core.causal, direction,
        value_dim=core.value_dimension, window=core.window or kept, kernel=stack.attention,
        clock_frac=setting.clock_frac,
    )
    if stack.attention == "fused":
        whole_s /= stack.attention_rate(setting.chip.name)
    return whole_s / plan.cp


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
    forward_s = flops / rate + chips.stream_s(setting.chip, moved)
    return forward_s, 2.0 * forward_s


def memory_time(setting: Setting, kind: LayerKind) -> tuple[float, float]:
    """Return the seconds of what is bound by memory, for one layer of a kind: forward, backward."""
    forward_s, backward_s = 0.0, 0.0
    for name, elements in _moved(setting, kind):
        moved = setting.stack.unfused * elements
        forward_s += operators.operator_s(setting.chip, name, moved)
        backward_s += operators.operator_s(setting.chip, name, moved, "backward")
    for product in kind.products:
        inputs, outputs = _narrowed(setting, product)
        if inputs:
            forward_s += operators.cast_s(setting.chip, CASTS[setting.precision], inputs, 2.0)
            backward_s += operators.cast_s(setting.chip, CASTS[setting.precision], outputs, 2.0)
    return forward_s, backward_s


def _moved(setting: Setting, kind: LayerKind) -> Iterator[tuple[str, float]]:
    """Yield operators and their elements, of one layer of a kind and one micro-batch."""
    plan, stack, tokens = setting.plan, setting.stack, setting.tokens
    spread = plan.tp if plan.sequence_parallel else 1
    yield "norm", tokens / spread * setting.model.hidden
    yield "dropout_residual" if stack.dropout else "residual", tokens / spread * setting.model.hidden
    activation = "gated_activation" if setting.model.gated else "activation"
    for product in kind.products:
        rows, n, k, count = local_shape(setting, product)
        if product.part == "qkv":
            yield "rotary", rows * n
        elif product.part == "router":
            yield "router", rows * n
        elif product.part == "expert_up":
            copies = stack.captured_copies if setting.captured else stack.routing_copies
            yield "permute", copies * rows * k * count
        elif product.part.endswith("down") and product.split in ("rows", "experts"):
            yield activation, rows * k * count


def _narrowed(setting: Setting, product: Product) -> tuple[float, float]:
    """Return elements of a product's input and output that are narrowed before it is multiplied."""
    if setting.precision == "bf16" or product.part in WIDE:
        return 0.0, 0.0
    rows, n, k, count = local_shape(setting, product)
    return rows * k * count, rows * n * count


def _output_time(setting: Setting) -> tuple[PassTime, PassTime]:
    """Return forward and backward of the output matrix and the loss."""
    output = layers.output(setting.model)
    forward_s, backward_s, _ = products_time(setting, output)
    logits = setting.tokens * setting.model.vocabulary / setting.plan.tp
    loss = "fused_loss" if setting.stack.fused_loss else "loss"
    there_s = operators.operator_s(setting.chip, loss, logits)
    back_s = operators.operator_s(setting.chip, loss, logits, "backward")
    return PassTime(forward_s, there_s, 0.0), PassTime(backward_s, back_s, 0.0)


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
    once = expert_exchange_s(
        setting.fabric, plan.ep, setting.tokens / plan.tp, routed.k, routed.times, routed.stored,
        dispatch_bytes=BF16_BYTES, combine_bytes=BF16_BYTES,
    )
    shown = setting.stack.exposed.of_experts(setting.chip.name)
    return shown * (once.dispatch_s + once.combine_s)


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
    if setting.captured:
        return 0.0
    passes = 4.0 / 3.0 if setting.plan.recompute == "full" else 1.0
    return passes * len(kind.products) * setting.stack.host_product_s(setting.chip.name)
