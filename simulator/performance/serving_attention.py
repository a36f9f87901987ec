"""Attention of serving on one chip: per cached token while a sequence decodes, per pair of query and
key over prompts, per sequence for recurrent states.

Work comes with the span it holds for: attention that sees the nearest positions only stops growing
there.
"""

import math

import numpy as np

from simulator.performance import attention
from simulator.performance import chip as chips
from simulator.performance.layers import AttentionCore, LayerKind
from simulator.performance.serving_setting import ServingSetting
from simulator.performance.serving_work import Work, work
from simulator.performance.transformer import INDEX_BYTES, STATE_BYTES

Spanned = list[tuple[float, Work]]

# Length at which the rate of attention over prompts is taken.
LONG = 8192.0

# Query heads that a kernel computes at least for each key-value head. Vendor (matrix instructions).
THINNEST_HEADS = 8.0


def context_work(setting: ServingSetting, kind: LayerKind) -> Spanned:
    """Return (span, work per cached token up to it) of one layer while one sequence decodes.

    Keys and values are read once for all heads that share them; latent attention works in the
    latent space, where all heads share one vector (DeepSeek-V2, section 2.1).
    """
    core = kind.attention
    if core is None:
        return []
    read, flops = _per_token(setting, core)
    sparse = core.sparse
    if sparse is None:
        found = [(float(core.window or math.inf), _read_work(setting, read, flops))]
    else:
        share, kept = 1.0 / sparse.merged, sparse.kept or math.inf
        found = [(kept * sparse.merged, _read_work(setting, read * share, flops * share))]
        if core.window:
            found.append((float(core.window), _read_work(setting, read, flops)))
        if sparse.index_heads:
            dots = 2.0 * sparse.index_heads * sparse.index_dimension * share
            index = INDEX_BYTES * sparse.index_dimension * share
            found.append((math.inf, _read_work(setting, index, dots)))
    return [(span, made / setting.plan.dp) for span, made in found]


def _per_token(setting: ServingSetting, core: AttentionCore) -> tuple[float, float]:
    """Return bytes and FLOPs of one cached token on one chip that shares its sequence."""
    model, tp = setting.model, setting.plan.tp
    if model.latent:
        width = model.latent.kv_rank + model.latent.rope_dimension
        return setting.kv_bytes * width, 2.0 * core.heads / tp * (width + model.latent.kv_rank)
    held = max(core.kv_heads / tp, 1.0)
    heads = max(core.heads / tp, THINNEST_HEADS * held)
    both = 1.0 if model.low_rank else 2.0
    read = setting.kv_bytes * both * held * model.head_dimension
    return read, 2.0 * heads * (core.qk_dimension + core.value_dimension)


def _read_work(setting: ServingSetting, read: float, flops: float) -> Work:
    """Return the slower of reading and computing; both take what the engine's kernel keeps."""
    rate = chips.matrix_rate_flop_s(setting.chip, "bf16") * setting.clock_frac
    rate *= setting.engine.of(setting.engine.attention_share, setting.chip.name)
    return work(setting, max(read / setting.kv_rate, flops / rate), flops, read)


def pair_work(setting: ServingSetting, kind: LayerKind) -> Spanned:
    """Return (span, work per pair of query and key) of one layer's attention over prompts."""
    core, plan, chip = kind.attention, setting.plan, setting.chip
    if core is None:
        return []
    heads, held = core.heads / plan.tp, max(core.kv_heads / plan.tp, 1.0)
    whole_s = attention.attention_s(
        chip, "bf16", 1.0, heads, held, LONG, LONG, core.qk_dimension,
        value_dim=core.value_dimension, clock_frac=setting.clock_frac,
    )  # fmt: skip
    pairs = LONG * attention.attended(LONG, LONG)
    share = setting.engine.of(setting.engine.attention_share, chip.name)
    flops = 2.0 * heads * (core.qk_dimension + core.value_dimension)
    sparse = core.sparse
    kept = sparse.kept * sparse.merged if sparse and sparse.kept else math.inf
    found = [(float(core.window or kept), work(setting, whole_s / pairs / share, flops, 0.0))]
    if sparse and sparse.index_heads:
        dots = 2.0 * sparse.index_heads * sparse.index_dimension / sparse.merged
        rate = chips.matrix_rate_flop_s(chip, "fp8") * setting.clock_frac
        found.append((math.inf, work(setting, dots / rate, dots, 0.0)))
    return [(span, made / plan.dp) for span, made in found]


def state_work(setting: ServingSetting, kind: LayerKind) -> Work:
    """Return the work of one sequence's recurrent state in one layer: read and written."""
    if kind.state is None:
        return np.zeros(4)
    moved = 2.0 * STATE_BYTES * kind.state.kept / setting.plan.stage_chips
    return work(setting, moved / setting.kv_rate, 0.0, moved)
