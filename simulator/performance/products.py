"""Time of one matrix product on one chip, from its shape.

A product (m x k) (k x n) is cut into square tiles of its result, one core working on one tile at a
time. Time is what the arithmetic of the padded tiles takes on the cores, joined with what the
operands take from memory, plus the start of a kernel. Constants are shared by all chips and
precisions; a chip brings its peak, measured share, cores, tile and memory bandwidth. They were
chosen on 5,635 GEMM times of seven NVIDIA parts in four formats (AIConfigurator tables); see
docs/models/performance.md for the errors, and for those on parts the constants never saw.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import PRECISION_BYTES
from simulator.performance import chip as chips

Number = TypeVar("Number", float, NDArray[np.float64])

# Part of the last, unfilled wave of tiles that really is lost; smaller tiles, splits of the sum and
# persistent kernels win back the rest. Measured, 0.2-0.3.
WAVE_LOSS = 0.25

# Rows that a core works on at least, as matrix instructions of Hopper do. Vendor, 16-128.
THINNEST = 64

# Depth of the sum below which splitting it over idle cores no longer pays. Measured, 50-120.
SPLIT_DEPTH = 80.0

# Depth that filling a tile's pipeline and writing its result cost. Measured, 95-145.
RAMP_DEPTH = 115.0

# Share of peak memory bandwidth at which operands stream. Measured, 0.78-0.84.
OPERAND_BANDWIDTH_SHARE = 0.80

# How arithmetic and memory hide each other: (c^p + m^p)^(1/p), infinite p would be the pure
# roofline. Measured, 2.4-3.1.
OVERLAP_EXPONENT = 2.7

RESULT_BYTES = 2.0  # results are written in 16 bits unless the caller says otherwise


def product_s(
    chip: Accelerator,
    precision: str,
    m: Number,
    n: Number,
    k: Number,
    count: Number | float = 1.0,
    *,
    weights: str | None = None,
    result_bytes: float = RESULT_BYTES,
    clock_frac: float = 1.0,
) -> Number:
    """Return the time in s of `count` products (m x k) (k x n) in one kernel.

    Operands are stored in `precision`, the k x n one in `weights` where that differs (weight-only
    quantisation multiplies in `precision`); a precision without matrix units is widened. The
    gradients of a product are products: input m x k over n, weights k x n over m. Shapes may be
    arrays; counts of experts go into `count` with their mean tokens in `m`. `clock_frac` slows
    the cores, not the memory.
    """
    compute_s = _compute_s(chip, precision, m, n, k, count) / clock_frac
    left = PRECISION_BYTES[chips.compute_precision(chip, precision)]
    right = PRECISION_BYTES[weights or precision]
    moved = count * (left * m * k + right * k * n + result_bytes * m * n)
    return joined_s(compute_s, moved / (OPERAND_BANDWIDTH_SHARE * chip.memory_bandwidth))


def issued_flops(
    chip: Accelerator, m: Number, n: float, k: float, count: Number | float
) -> Number:
    """Return the FLOPs of the whole tiles that the matrix units work through for `count` products."""
    rows, columns = -(-m // THINNEST) * THINNEST, -(-n // chip.tile) * chip.tile
    flops: Number = 2.0 * count * rows * columns * k
    return flops


def paced_waves(tiles: Number, depth: Number, cores: int) -> Number:
    """Return how many tiles the busiest core works through, in tile times.

    Full waves are paid in full; of the last, unfilled one `WAVE_LOSS`. Fewer tiles than cores are
    split along their depth, down to about `SPLIT_DEPTH`.
    """
    waves = tiles / cores
    split = SPLIT_DEPTH / (depth + SPLIT_DEPTH)
    spread = 0.5 * (waves + split + abs(waves - split))  # the larger, of floats and of arrays
    paced: Number = WAVE_LOSS * -(-waves // 1.0) + (1.0 - WAVE_LOSS) * spread
    return paced


def joined_s(compute_s: Number, memory_s: Number) -> Number:
    """Return the time of a kernel whose arithmetic and memory traffic hide each other."""
    p = OVERLAP_EXPONENT
    time_s: Number = chips.LAUNCH_S + (compute_s**p + memory_s**p) ** (1.0 / p)
    return time_s


def _compute_s(
    chip: Accelerator, precision: str, m: Number, n: Number, k: Number, count: Number | float
) -> Number:
    """Return the time of the padded tiles on the cores, at full clock.

    A result thinner than a tile is worked on in tiles as thin, in steps of `THINNEST`.
    """
    tile = chip.tile
    tiles = count * -(-m // tile) * -(-n // tile)
    thin = -(-m // THINNEST) * THINNEST
    rows = 0.5 * (thin + tile - abs(thin - tile))  # the smaller, of floats and of arrays
    flops = paced_waves(tiles, k, chip.cores) * chip.cores * 2.0 * rows * tile * (k + RAMP_DEPTH)
    time_s: Number = flops / chips.matrix_rate_flop_s(chip, precision)
    return time_s
