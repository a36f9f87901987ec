"""Time of scores, softmax and values of one layer on one chip: fused kernels and unfused ones.

A fused kernel (FlashAttention and its kin) works through blocks of queries, each over the keys it
sees. A chip brings the share of its 16-bit peak that the best published kernel keeps in long heads
of 128; what shorter spans, other heads and narrower formats make of it is shared by all chips.
Sources: FlashAttention-2, arXiv:2307.08691 (A100); FlashAttention-3, arXiv:2407.08608 (H100);
FlashAttention-4, arXiv:2603.05451 and its pull requests 2270, 2280 and 2605 (Blackwell).
"""

from typing import Literal

from simulator.components.accelerator import Accelerator
from simulator.performance import chip as chips
from simulator.performance.products import (
    OPERAND_BANDWIDTH_SHARE,
    joined_s,
    paced_waves,
    product_s,
)

Direction = Literal["forward", "backward"]
Kernel = Literal["fused", "earlier", "unfused"]

BLOCK = 128  # queries that one core works on at a time

# Keys' worth of time that a block of queries takes to fill and drain, and that the blocks on the
# diagonal lose to the mask. H100: 150-200 and 100, B200: 130-230 and 350-420; backward 250-400.
# Measured.
FORWARD_RAMP, BACKWARD_RAMP = 150.0, 300.0
DIAGONAL = 150.0

# Share of the time of a 16-bit head of 128 that softmax takes: its exponentials cost the same for
# small heads and narrow formats. Heads of 64 run at 0.77 of those of 128 (H100; A100 0.85, B200
# 0.56-0.66), backward at 0.85. Measured, ranges 0.15-0.6 and 0.1-0.3.
FORWARD_SOFTMAX, BACKWARD_SOFTMAX = 0.30, 0.18

# What a fused kernel of the generation before keeps of this: FlashAttention-2 on H100 reaches 370
# of 648 TFLOP/s forward and 322 of 561 backward, FlashAttention-1 on A100 about half. Measured.
EARLIER_SHARE = 0.57

# Bytes per score that unfused attention moves, 16-bit, with fused mask and softmax and dropout:
# forward write scores 2, softmax 4, dropout 5, read 2; backward 2 + 5 + 2 + 6 + 4. Derived.
FORWARD_SCORE_BYTES, BACKWARD_SCORE_BYTES = 13.0, 19.0
FORWARD_STEPS, BACKWARD_STEPS = 2, 2  # kernels beside the products


def attention_s(
    chip: Accelerator,
    precision: str,
    batch: float,
    heads: float,
    kv_heads: float,
    q_len: float,
    kv_len: float,
    head_dim: float,
    causal: bool = True,
    direction: Direction = "forward",
    *,
    value_dim: float | None = None,
    window: float | None = None,
    kernel: Kernel = "fused",
    clock_frac: float = 1.0,
) -> float:
    """Return the time in s of one layer's attention over `batch` sequences.

    Queries are the last `q_len` of `kv_len` positions; with `causal` each sees those up to its
    own, with `window` the nearest ones of these. `value_dim` differs from `head_dim` in latent
    attention (192 and 128). Backward computes the scores again. `kernel`: fused by the best
    published kernel of the chip, by one of the generation before, or with scores in memory
    (Megatron-LM of 2021), which sees every pair and multiplies in `precision` all the same.
    """
    values = value_dim or head_dim
    if kernel == "unfused":
        return _unfused_s(
            chip, precision, batch * heads, q_len, kv_len, head_dim, values, direction, clock_frac
        )
    backward = direction == "backward"
    span = attended(q_len, kv_len, causal, window)
    ramp = (BACKWARD_RAMP if backward else FORWARD_RAMP) + (DIAGONAL if causal else 0.0)
    width = 3.0 * head_dim + 2.0 * values if backward else head_dim + values
    blocks = batch * kv_heads * -(-q_len * heads / kv_heads // BLOCK)
    work = paced_waves(blocks, span, chip.cores) * chip.cores * BLOCK * (span + ramp) * 2.0 * width
    rate = _rate_flop_s(chip, precision, 0.5 * (head_dim + values), backward)
    rate *= clock_frac * (EARLIER_SHARE if kernel == "earlier" else 1.0)
    rows = heads * q_len + kv_heads * kv_len
    moved = 2.0 * batch * rows * width
    return joined_s(work / rate, moved / (OPERAND_BANDWIDTH_SHARE * chip.memory_bandwidth))


def attended(
    q_len: float, kv_len: float, causal: bool = True, window: float | None = None
) -> float:
    """Return the mean number of positions that a query sees, itself included."""
    if not causal:
        return min(kv_len, window or kv_len)
    first = kv_len - q_len + 1.0  # what the first query sees; the last sees all
    if window is None or window >= kv_len:
        return 0.5 * (first + kv_len)
    growing = max(window - first, 0.0)  # queries that see fewer than the window
    return window - 0.5 * growing * (growing + 1.0) / q_len


def _rate_flop_s(chip: Accelerator, precision: str, dim: float, backward: bool) -> float:
    """Return the rate in long rows: products at the format's peak, softmax at its own pace."""
    computed = chips.compute_precision(chip, precision)
    softmax = BACKWARD_SOFTMAX if backward else FORWARD_SOFTMAX
    share = chip.attention_backward if backward else chip.attention_forward
    wide = chip.peak["bf16"]
    slowness = (1.0 - softmax) * wide / chip.peak[computed] + softmax * BLOCK / dim
    return min(share * wide / slowness, chips.matrix_rate_flop_s(chip, computed))


def _unfused_s(
    chip: Accelerator,
    precision: str,
    count: float,
    q_len: float,
    kv_len: float,
    keys: float,
    values: float,
    direction: Direction,
    clock_frac: float,
) -> float:
    """Return the time of batched products with scores written to memory between them.

    The products' own score traffic is in `product_s`; the steps between move the rest.
    """
    backward = direction == "backward"
    times = 2.0 if backward else 1.0
    products = product_s(chip, precision, q_len, kv_len, keys, count, clock_frac=clock_frac)
    products += product_s(chip, precision, q_len, values, kv_len, count, clock_frac=clock_frac)
    in_products = 4.0 * times  # each product writes or reads the scores once
    per_score = (BACKWARD_SCORE_BYTES if backward else FORWARD_SCORE_BYTES) - in_products
    moved = count * q_len * kv_len * per_score
    steps = BACKWARD_STEPS if backward else FORWARD_STEPS
    return times * products + chips.stream_s(chip, moved, steps)
