"""Operators of one serving iteration on one chip that depend on its tokens: products, small kernels,
scores over the vocabulary.
"""

import math
from functools import cache

import numpy as np

from simulator.components.language_model import PRECISION_BYTES
from simulator.performance import chip as chips
from simulator.performance import operators
from simulator.performance.layer import CONVOLUTION_BYTES, SCAN_SHARE
from simulator.performance.layers import LayerKind, Product
from simulator.performance.products import issued_flops, product_s
from simulator.performance.serving_setting import ServingSetting
from simulator.performance.serving_work import Tokens, Work, local_tokens, start_s, work

# Short kernels of a layer beside its products: norms, rotation and caching, attention and the sum of
# its parts, the choice of sparse positions; activation; routing, sorting, weighting and summing. Casts
# ride on the kernel before them. Counted in engines of 2025. Derived.
ATTENTION_KERNELS, LATENT_KERNELS, SPARSE_KERNELS = 4.0, 6.0, 3.0
NETWORK_KERNELS, EXPERT_KERNELS, STATE_KERNELS = 2.0, 6.0, 5.0

# Bytes per element that short kernels move: residual and norm in one kernel, rotation and caching of
# queries and keys, activation, permuted copies out and back. Counted. Derived.
NORM_BYTES, ROTARY_BYTES, ACTIVATION_BYTES, COPY_BYTES = 10.0, 8.0, 6.0, 8.0

# Exponent of the power law of experts' popularity.
SKEW = 0.5

# Bytes that sampling moves per score of the vocabulary (widened, scaled, normalised, drawn), and its
# kernels. Derived.
SAMPLING_BYTES, SAMPLING_KERNELS = 18.0, 8.0


def product_work(
    setting: ServingSetting, kind: LayerKind, product: Product, tokens: Tokens
) -> Work:
    """Return the work of one layer's products of one shape for `tokens` of the whole replica.

    Memory-bound time is stretched by the engine's share; arithmetic by its rate, as a slower clock
    of the cores. Operands are narrowed on their way to units of 8 or 4 bits.
    """
    chip, engine = setting.chip, setting.engine
    m, n, k, count = _shape(setting, product, tokens)
    multiplied, kept = setting.formats(product)
    share = engine.of(engine.product_share, chip.name)
    rate = engine.by_precision(engine.product_rate, chip.name, multiplied)
    if product.split == "experts":
        share = engine.by_precision(engine.expert_share, chip.name, kept)
        rate = engine.of(engine.expert_rate, chip.name)
    clock_frac = setting.clock_frac * rate / share
    alone_s = product_s(
        chip, multiplied, m, *_like(m, n, k), count, weights=kept, clock_frac=clock_frac
    )
    time_s: Tokens = (alone_s - chips.LAUNCH_S) / share + start_s(setting, 1.0)
    if multiplied == kept and multiplied != "bf16":
        cast = operators.CASTS["fp8"]
        narrowed = m * k * count * (cast.read_bytes + cast.written_bytes)
        time_s = time_s + narrowed / (operators.CAST_BANDWIDTH_SHARE * chip.memory_bandwidth)
    moved = count * (PRECISION_BYTES[kept] * k * n + 2.0 * m * (k + n))
    tiles = issued_flops(chip, m, n, k, count)
    return work(setting, time_s, 2.0 * count * m * n * k, moved, multiplied, tiles)


def _like(m: Tokens, n: float, k: float) -> tuple[Tokens, Tokens]:
    """Return columns and depth, one each per number of rows."""
    return np.full_like(m, n), np.full_like(m, k)


def _shape(
    setting: ServingSetting, product: Product, tokens: Tokens
) -> tuple[Tokens, float, float, Tokens]:
    """Return rows, columns, depth and number of a product on the busiest chip."""
    plan = setting.plan
    if product.split == "experts":
        rows, touched = _routed(setting, product, tokens)
        if product.part == "expert_up":
            return rows, product.n / plan.expert_tp, product.k, touched
        return rows, product.n, product.k / plan.expert_tp, touched
    local, times = local_tokens(setting, tokens), np.full_like(tokens, product.times)
    if product.split == "columns":
        return local, product.n / plan.tp, product.k, times
    if product.split == "rows":
        return local, product.n, product.k / plan.tp, times
    return local, product.n, product.k, times


def _routed(setting: ServingSetting, product: Product, tokens: Tokens) -> tuple[Tokens, Tokens]:
    """Return tokens per touched expert and touched experts on the busiest of the ranks.

    Each rank gets its Poisson share of the copies; the largest of `ep` shares lies about
    sqrt(2 ln ep) spreads above the mean. Copies fall on a rank's experts evenly.
    """
    ep = setting.plan.ep
    held = product.stored / ep
    mean = tokens * product.times / ep
    most = tokens * min(product.times, held)
    copies = np.minimum(mean + np.sqrt(2.0 * mean * math.log(ep)), most)
    if held <= 1.0:
        return np.maximum(copies, 1.0), np.minimum(copies, 1.0)
    chances = popularity(product.stored)
    untouched = np.exp(np.outer(copies * ep, np.log1p(-chances))).mean(axis=1)
    touched = held * (1.0 - untouched)
    return copies / touched, touched


@cache
def popularity(experts: float) -> Tokens:
    """Return the chance of each expert to get a copy: a power law of its rank, `SKEW` its exponent."""
    shares = np.arange(1.0, round(experts) + 1.0) ** -SKEW
    return np.asarray(shares / shares.sum())


def small_work(setting: ServingSetting, kind: LayerKind, tokens: Tokens) -> Work:
    """Return the work of a layer's norms, activations, routing and recurrence."""
    plan, chip = setting.plan, setting.chip
    local = local_tokens(setting, tokens)
    moved = NORM_BYTES * local * setting.model.hidden
    if kind.attention:
        width = float(kind.attention.heads * kind.attention.qk_dimension)
        moved = moved + ROTARY_BYTES * local * width / plan.tp
    for product in kind.products:
        if product.part == "expert_down":
            width = ACTIVATION_BYTES * product.k / plan.expert_tp + COPY_BYTES * product.n
            moved = moved + tokens * product.times / plan.ep * width
        elif product.part in ("down", "shared_down"):
            moved = moved + ACTIVATION_BYTES * local * product.k / plan.tp
    scan_s = 0.0 * local
    if kind.state:
        moved = moved + local * CONVOLUTION_BYTES * kind.state.channels / plan.tp
        rate = SCAN_SHARE * chip.peak["bf16"] * setting.clock_frac
        scan_s = local * kind.state.flops / plan.tp / rate
    time_s = chips.stream_s(chip, moved, 0.0) + start_s(setting, _small_kernels(setting, kind))
    return work(setting, time_s + scan_s, 0.0, moved)


def kernels(setting: ServingSetting, kind: LayerKind) -> float:
    """Return the kernels that a host launches for one layer, its exchange included."""
    return len(kind.products) + 1.0 + _small_kernels(setting, kind)


def _small_kernels(setting: ServingSetting, kind: LayerKind) -> float:
    count = 0.0
    if kind.attention:
        count += LATENT_KERNELS if setting.model.latent else ATTENTION_KERNELS
        count += SPARSE_KERNELS if kind.attention.sparse else 0.0
    if kind.state:
        count += STATE_KERNELS
    parts = {product.part for product in kind.products}
    count += EXPERT_KERNELS if "expert_down" in parts else 0.0
    return count + NETWORK_KERNELS * len(parts & {"down", "shared_down"})


def output_work(setting: ServingSetting, sequences: Tokens) -> Work:
    """Return the work of scores over the vocabulary and of drawing from them."""
    model, chip = setting.model, setting.chip
    local = local_tokens(setting, sequences)
    n, k = model.vocabulary / setting.plan.tp, float(model.hidden)
    product = product_s(chip, "bf16", local, *_like(local, n, k), clock_frac=setting.clock_frac)
    drawn = local * SAMPLING_BYTES * model.vocabulary
    time_s = product + chips.stream_s(chip, drawn, SAMPLING_KERNELS)
    return work(setting, time_s, 2.0 * local * n * k, drawn + 2.0 * n * k)
