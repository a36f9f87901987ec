"""What one chip sustains: matrix rate, memory bandwidth, power by activity, speed under a cap.

Every efficiency that is not a figure of a chip's own catalog entry is a constant here, once, with
its source and evidence.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.components.accelerator import Accelerator

Number = TypeVar("Number", float, NDArray[np.float64])

# Share of peak where a chip has no measurement of its own; measured shares of ten chips lie
# between 0.51 and 0.97 (ml-engineering, matrix-multiplication survey). Assumed.
UNMEASURED_MATRIX_SHARE = 0.70

# Chip power between idle and TDP: what memory draws when it works without pause, and how the draw
# of the matrix units grows with their busy share (to the power of the exponent, up to all of it).
# Decode on H100 draws 0.66 of idle-to-TDP at batch 8 and 0.98 at batch 256 of an 8B model, training
# 0.85-0.9, large products all of it (ML.ENERGY leaderboard v3; arXiv:2506.14551; H100 HPL at
# 696 W). Derived, ranges 0.75-0.95 and 0.5-1.0.
MEMORY_POWER_SHARE = 0.82
MATRIX_POWER_EXPONENT = 0.60

# Power of serving between idle and TDP, kernel by kernel, since a limit that binds in products gives
# nothing to the wait beside them: what clocks and schedulers draw while the host is late, what cores
# draw that are busy at all, and on top of it at full peak the whole tiles that matrix units work
# through, and the useful part of them. One set for all chips: 490 powers on A100, H100 and B200
# (Splitwise; ML.ENERGY leaderboard v3), each at the time that its step was measured to take, lie within
# 6.9 % of it in the median. Derived, ranges 0.05-0.2, 0.03-0.42, 0.18-0.59 and 1.52-1.92: those of fits
# without one of the chips.
WAITING_POWER, RUNNING_POWER = 0.06, 0.27
TILE_POWER, MATRIX_POWER = 0.49, 1.82

# Energy of a byte that memory gives or takes, with its way across the chip, in the same fit. Taken as a
# share of power, which grew less than bandwidth from H100 to B200, the fit without B200 misses it by 19 %
# in the median, and by 12 % as an energy. Derived, range 58e-12-127e-12.
MEMORY_J_BYTE = 74e-12

# The same as `RUNNING_POWER` while a token is drawn from the scores and its sequence looked after: half
# host, half sorts over the vocabulary. Derived, 0.59-0.88.
SAMPLING_POWER = 0.77

# Start and end of one kernel in a stream that is already full: what the smallest products of seven
# NVIDIA parts take beyond their bytes and FLOPs (AIConfigurator GEMM tables: 2.3-3 us). Measured.
LAUNCH_S = 2.4e-6

# Share of peak memory bandwidth that element-wise kernels reach; stream tests on H100 reach
# 0.90-0.93, fused norms and activations 0.75-0.9. Assumed, range 0.75-0.92.
STREAM_SHARE = 0.85

# What a chip falls back to when it has no matrix units for a precision: weights are widened.
_WIDER = {"fp4": ("fp4", "fp8", "bf16"), "fp8": ("fp8", "bf16"), "int8": ("int8", "fp8", "bf16")}


def compute_precision(chip: Accelerator, precision: str) -> str:
    """Return the precision in which the chip multiplies operands stored in `precision`."""
    for candidate in _WIDER.get(precision, (precision,)):
        if candidate in chip.peak:
            return candidate
    known = ", ".join(chip.peak)
    raise ValueError(f"{chip.name} has no matrix units for {precision}, only for {known}")


def matrix_rate_flop_s(chip: Accelerator, precision: str) -> float:
    """Return the rate of large matrix products in FLOP/s."""
    computed = compute_precision(chip, precision)
    measured = chip.sustained.get(computed)
    if measured is None:
        measured = min(chip.sustained.values(), default=UNMEASURED_MATRIX_SHARE)
    return chip.peak[computed] * measured


def stream_s(chip: Accelerator, moved_bytes: Number, kernels: float = 1.0) -> Number:
    """Return the time in s of operators that only move bytes, in `kernels` kernels."""
    time_s: Number = moved_bytes / (STREAM_SHARE * chip.memory_bandwidth) + kernels * LAUNCH_S
    return time_s


def dynamic_power_frac(matrix_busy: Number, memory_busy: Number) -> Number:
    """Return chip power between idle (0) and TDP (1) from the busy shares of its two engines.

    The engines share one limit, so their draws saturate: 1 - (1 - a m)(1 - c^b).
    """
    matrix = np.clip(matrix_busy, 0.0, 1.0) ** MATRIX_POWER_EXPONENT
    memory = np.clip(memory_busy, 0.0, 1.0) * MEMORY_POWER_SHARE
    share: Number = 1.0 - (1.0 - matrix) * (1.0 - memory)
    return share


def kernel_power_frac(matrix_share: Number, memory_frac: Number, tile_share: Number) -> Number:
    """Return chip power between idle (0) and TDP (1) while one kernel runs.

    Shares are of peak FLOP/s, `tile_share` counts whole tiles; `memory_frac` is what memory draws. Each
    engine asks for power in proportion to its work on top of cores that are busy; the chip's limit holds
    all together.
    """
    asked = RUNNING_POWER + MATRIX_POWER * matrix_share + TILE_POWER * tile_share
    power: Number = np.minimum(asked + memory_frac, 1.0)
    return power


def memory_power_frac(chip: Accelerator) -> float:
    """Return what memory draws at all of its bandwidth, as a share of idle to TDP."""
    return MEMORY_J_BYTE * chip.memory_bandwidth / (chip.tdp - chip.idle)


def energy_per_flop(chip: Accelerator, precision: str) -> float:
    """Return what a FLOP draws in a precision over what the share of peak says that it takes.

    The law above was found on products of 16 and 8 bits, whose largest rates draw all of the power
    at three quarters of their peak. Units of 4 bits have twice the peak but no more power to draw, and
    get to half of it: a chip at its largest rate is taken to be at its limit in any precision, so that
    a FLOP of 4 bits draws the more, the less of the peak can be reached. Assumed.
    """
    wide, narrow = chip.sustained.get("fp8"), chip.sustained.get("fp4")
    if compute_precision(chip, precision) != "fp4" or wide is None or narrow is None:
        return 1.0
    return wide / narrow
