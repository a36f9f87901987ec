"""Operators of one serving iteration on one chip: products, attention, exchanges, small kernels.

Every function returns work as an array whose first axis is (seconds, seconds at peak matrix rate,
seconds at peak memory bandwidth): time, and what the two engines of the chip do in it.
"""

import math

import numpy as np
from numpy.typing import NDArray

from simulator.components.language_model import PRECISION_BYTES
from simulator.performance import attention, collectives, operators
from simulator.performance import chip as chips
from simulator.performance.expert_exchange import expert_exchange_s
from simulator.performance.layer import CONVOLUTION_BYTES, SCAN_SHARE
from simulator.performance.layers import LayerKind, Product
from simulator.performance.products import product_s
from simulator.performance.serving_setting import ServingSetting

Work = NDArray[np.float64]
Tokens = NDArray[np.float64]

# Short kernels of a layer beside its products: norms, rotation and caching, attention and the sum of
# its parts; activation; routing, sorting, weighting and summing. Casts ride on the kernel before them.
# Counted in engines of 2025. Derived.
ATTENTION_KERNELS, LATENT_KERNELS, NETWORK_KERNELS, EXPERT_KERNELS, STATE_KERNELS = 4, 6, 2, 6, 5

# Length at which the rate of attention over prompts is taken.
LONG = 8192.0

# Bytes that sampling moves per score of the vocabulary: widened, scaled, normalised, drawn. Derived.
SAMPLING_BYTES, SAMPLING_KERNELS = 18.0, 8.0


def work(setting: ServingSetting, time_s: Tokens, flops: Tokens, moved: Tokens,
         precision: str = "bf16") -> Work:
    """Return time beside the seconds that its FLOPs and bytes take at the chip's peaks."""
    chip = setting.chip
    peak = chip.peak[chips.compute_precision(chip, precision)]
    parts = (time_s, flops / peak, moved / chip.memory_bandwidth)
    return np.stack(np.broadcast_arrays(*parts)).astype(float)


def start_s(setting: ServingSetting, kernels: float) -> float:
    """Return what starting and ending kernels takes."""
    return kernels * setting.engine.of(setting.engine.kernel_start, setting.chip.name)


def product_work(setting: ServingSetting, kind: LayerKind, product: Product, tokens: Tokens) -> Work:
    """Return the work of one layer's products of one shape for `tokens` of the whole replica."""
    chip, engine = setting.chip, setting.engine
    m, n, k, count = _shape(setting, product, tokens)
    multiplied, kept = setting.formats(kind, product)
    share = engine.of(engine.product_share, chip.name)
    rate = engine.by_precision(engine.product_rate, chip.name, multiplied)
    if product.split == "experts":
        share = engine.by_precision(engine.expert_share, chip.name, kept)
        rate = engine.of(engine.expert_rate, chip.name)
    clock_frac = setting.clock_frac * rate / share  # slows arithmetic alone
    time_s = product_s(chip, multiplied, m, n, k, count, weights=kept, clock_frac=clock_frac)
    time_s = (time_s - chips.LAUNCH_S) / share + start_s(setting, 1.0)
    if multiplied in ("fp8", "fp4") and multiplied == kept:
        cast = operators.CASTS["fp8"]
        moved = m * k * count * (cast.read_bytes + cast.written_bytes)
        time_s = time_s + moved / (operators.CAST_BANDWIDTH_SHARE * chip.memory_bandwidth)
    moved = count * (PRECISION_BYTES[kept] * k * n + 2.0 * m * (k + n))
    return work(setting, time_s, 2.0 * count * m * n * k, moved, multiplied)


def _shape(
    setting: ServingSetting, product: Product, tokens: Tokens
) -> tuple[Tokens, float, float, Tokens]:
    """Return rows, columns, depth and number of a product on the busiest chip."""
    plan = setting.plan
    local = np.maximum(tokens / plan.dp, 1.0)
    if product.split == "experts":
        rows, touched = _routed(setting, product, tokens)
        up = product.part == "expert_up"
        n, k = (product.n / plan.expert_tp, product.k) if up else (product.n, product.k / plan.expert_tp)
        return rows, n, k, touched
    if product.split == "columns":
        return local, product.n / plan.tp, product.k, product.times
    if product.split == "rows":
        return local, product.n, product.k / plan.tp, product.times
    return local, product.n, product.k, product.times


def _routed(setting: ServingSetting, product: Product, tokens: Tokens) -> tuple[Tokens, Tokens]:
    """Return tokens per touched expert and touched experts on the busiest of the ranks.

    Each rank gets its Poisson share; the largest of `ep` shares lies sqrt(2 ln ep) spreads above
    the mean. Copies fall on a rank's experts evenly.
    """
    ep = setting.plan.ep
    held = product.stored / ep
    copies = tokens * product.times / ep
    copies = np.minimum(copies + np.sqrt(2.0 * copies * math.log(ep)), tokens * min(product.times, held))
    touched = held * -np.expm1(copies * math.log1p(-1.0 / held)) if held > 1 else np.minimum(copies, 1.0)
    touched = np.maximum(touched, 1e-9)
    return copies / touched, touched


def small_work(setting: ServingSetting, kind: LayerKind, tokens: Tokens) -> Work:
    """Return the work of a layer's norms, activations, routing: bytes and starts."""
    model, plan, chip = setting.model, setting.plan, setting.chip
    local = np.maximum(tokens / plan.dp, 1.0)
    moved = 10.0 * local * model.hidden  # residual added and normalised in one kernel
    kernels = 0.0
    if kind.attention:
        kernels += LATENT_KERNELS if model.latent else ATTENTION_KERNELS
        kernels += 3.0 if kind.attention.sparse else 0.0
        moved = moved + 8.0 * local * kind.attention.heads * kind.attention.qk_dimension / plan.tp
    elif kind.state:
        kernels += STATE_KERNELS
        moved = moved + local * CONVOLUTION_BYTES * kind.state.channels / plan.tp
    for product in kind.products:
        if product.part == "expert_down":
            kernels += EXPERT_KERNELS
            copies = tokens * product.times / plan.ep
            moved = moved + copies * (6.0 * product.k / plan.expert_tp + 8.0 * product.n)
        elif product.part in ("down", "shared_down"):
            kernels += NETWORK_KERNELS
            moved = moved + 6.0 * local * product.k / plan.tp
    time_s = chips.stream_s(chip, moved, 0.0) + start_s(setting, kernels)
    if kind.state:
        flops = local * kind.state.flops / plan.tp
        time_s = time_s + flops / (SCAN_SHARE * chip.peak["bf16"] * setting.clock_frac)
    return work(setting, time_s, 0.0 * tokens, moved)


def kernels(setting: ServingSetting, kind: LayerKind) -> float:
    """Return the kernels that a host launches for one layer."""
    count = float(len(kind.products)) + 1.0
    count += (LATENT_KERNELS if setting.model.latent else ATTENTION_KERNELS) if kind.attention else 0.0
    count += STATE_KERNELS if kind.state else 0.0
    for product in kind.products:
        count += EXPERT_KERNELS if product.part == "expert_down" else 0.0
        count += NETWORK_KERNELS if product.part in ("down", "shared_down") else 0.0
    return count


def exchange_work(setting: ServingSetting, kind: LayerKind, tokens: Tokens) -> Work:
    """Return the time of a layer's exchanges between chips: sums, or tokens to experts and back."""
    plan, model = setting.plan, setting.model
    nothing = 0.0 * tokens
    local = np.maximum(tokens / plan.dp, 1.0)
    time_s = nothing
    routed = next((p for p in kind.products if p.part == "expert_up"), None)
    if plan.dp > 1 and routed:
        time_s = time_s + _tokens_to_experts_s(setting, routed, tokens)
    elif plan.tp > 1:
        time_s = time_s + all_reduce_s(setting, plan.tp, 2.0 * local * model.hidden)
    return work(setting, time_s, nothing, nothing)


def all_reduce_s(setting: ServingSetting, ranks: int, message: Tokens) -> Tokens:
    """Return the time of sums over ranks: one kernel that reads all peers, or the library's."""
    engine, fabric = setting.engine, setting.fabric
    library = np.array([collectives.all_reduce_s(fabric, ranks, float(m)) for m in message])
    if ranks > fabric.domain:
        return library
    if ranks > 2 and engine.reduce_beyond:
        slow = message / engine.of(engine.reduce_beyond, setting.chip.name)
        return np.where(message > engine.reduce_limit, np.maximum(library, slow), library)
    start_s = engine.of(engine.reduce_start, setting.chip.name)
    one = start_s + (ranks - 1) * message / fabric.scaleup_rate
    two = 1.5 * start_s + 2.0 * (ranks - 1) / ranks * message / fabric.scaleup_rate
    return np.minimum(np.minimum(one, two), library)


def _tokens_to_experts_s(setting: ServingSetting, product: Product, tokens: Tokens) -> Tokens:
    plan, fabric, engine = setting.plan, setting.fabric, setting.engine
    width = product.k
    if engine.exchange == "all_gather":
        whole = 2.0 * tokens * width
        return np.array([
            collectives.all_gather_s(fabric, plan.chips, float(m))
            + collectives.reduce_scatter_s(fabric, plan.chips, float(m)) for m in whole
        ])  # fmt: skip
    found = []
    for each in tokens / plan.chips:
        once = expert_exchange_s(fabric, plan.ep, float(each), width, product.times, product.stored,
                                 kernel=engine.exchange)
        found.append(once.dispatch_s + once.combine_s)
    return np.array(found)


def output_work(setting: ServingSetting, sequences: Tokens) -> Work:
    """Return the work of scores over the vocabulary and of drawing from them."""
    model, plan, chip = setting.model, setting.plan, setting.chip
    local = np.maximum(sequences / plan.dp, 1.0)
    n = model.vocabulary / plan.tp
    time_s = product_s(chip, "bf16", local, n, float(model.hidden), clock_frac=setting.clock_frac)
    drawn = local * SAMPLING_BYTES * model.vocabulary
    time_s = time_s + chips.stream_s(chip, drawn, SAMPLING_KERNELS)
    flops = 2.0 * local * n * model.hidden
    return work(setting, time_s, flops, drawn + 2.0 * n * model.hidden)


def context_work(setting: ServingSetting, kind: LayerKind) -> list[tuple[float, Work]]:
    """Return (span, work per cached token up to it) of one layer while one sequence decodes.

    Keys and values are read once for all heads that share them; latent attention works in the
    latent space, where all heads share one vector (DeepSeek-V2, section 2.1).
    """
    core, model, plan = kind.attention, setting.model, setting.plan
    if core is None:
        return []
    found = []
    if model.latent:
        width = model.latent.kv_rank + model.latent.rope_dimension
        read = setting.kv_bytes * width
        flops = 2.0 * core.heads / plan.tp * (width + model.latent.kv_rank)
    else:
        both = 1.0 if model.low_rank else 2.0
        held = max(core.kv_heads / plan.tp, 1.0)
        read = setting.kv_bytes * both * held * model.head_dimension
        flops = 2.0 * max(core.heads / plan.tp, 8.0 * held) * (core.qk_dimension + core.value_dimension)
    sparse = core.sparse
    if sparse is None:
        found.append((float(core.window or math.inf), _read_work(setting, read, flops)))
    else:
        share = 1.0 / sparse.merged
        limit = float(sparse.merged * sparse.kept) if sparse.kept else math.inf
        found.append((limit, _read_work(setting, read * share, flops * share)))
        if core.window:
            found.append((float(core.window), _read_work(setting, read, flops)))
        if sparse.index_heads:
            dots = 2.0 * sparse.index_heads * sparse.index_dimension * share
            found.append((math.inf, _read_work(setting, sparse.index_dimension * share, dots)))
    return [(limit, made / plan.dp) for limit, made in found]


def _read_work(setting: ServingSetting, read: float, flops: float) -> Work:
    rate = chips.matrix_rate_flop_s(setting.chip, "bf16") * setting.clock_frac
    rate *= setting.engine.of(setting.engine.attention_share, setting.chip.name)
    time_s = max(read / setting.kv_rate, flops / rate)
    return work(setting, np.float64(time_s), np.float64(flops), np.float64(read))


def pair_work(setting: ServingSetting, kind: LayerKind) -> list[tuple[float, Work]]:
    """Return (span, work per pair of query and key) of one layer's attention over prompts."""
    core, plan, chip = kind.attention, setting.plan, setting.chip
    if core is None:
        return []
    heads, held = core.heads / plan.tp, max(core.kv_heads / plan.tp, 1.0)
    whole_s = attention.attention_s(chip, "bf16", 1.0, heads, held, LONG, LONG, core.qk_dimension,
                                    value_dim=core.value_dimension, clock_frac=setting.clock_frac)
    pairs = LONG * attention.attended(LONG, LONG)
    share = setting.engine.of(setting.engine.attention_share, chip.name)
    flops = 2.0 * heads * (core.qk_dimension + core.value_dimension)
    made = work(setting, np.float64(whole_s / pairs / share), np.float64(flops), np.float64(0.0))
    kept = core.sparse.kept * core.sparse.merged if core.sparse and core.sparse.kept else None
    found = [(float(core.window or kept or math.inf), made / plan.dp)]
    if core.sparse and core.sparse.index_heads:
        dots = 2.0 * core.sparse.index_heads * core.sparse.index_dimension / core.sparse.merged
        rate = chips.matrix_rate_flop_s(chip, "fp8" if "fp8" in chip.peak else "bf16")
        found.append((math.inf, work(setting, np.float64(dots / rate), np.float64(dots), np.float64(0.0)) / plan.dp))
    return found


def state_work(setting: ServingSetting, kind: LayerKind) -> Work:
    """Return the work of one sequence's recurrent state in one layer: read and written."""
    if kind.state is None:
        return np.zeros(3)
    moved = 2.0 * 4.0 * kind.state.kept / setting.plan.chips
    return work(setting, np.float64(moved / setting.kv_rate), np.float64(0.0), np.float64(moved))
