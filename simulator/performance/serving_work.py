"""Work of an operator in serving: time, what the two engines of a chip do in it, what it draws."""

import numpy as np
from numpy.typing import NDArray

from simulator.performance import chip as chips
from simulator.performance.serving_setting import ServingSetting

Tokens = NDArray[np.float64]
Work = NDArray[np.float64]
"""First axis: seconds, seconds at peak matrix rate, seconds at peak memory bandwidth, seconds at all
of the power between idle and TDP."""

TIME, MATRIX, MEMORY, DRAWN = range(4)


def work(
    setting: ServingSetting,
    time_s: Tokens | float,
    flops: Tokens | float,
    moved: Tokens | float,
    precision: str = "bf16",
    padded: Tokens | float | None = None,
) -> Work:
    """Return time, the seconds that FLOPs and bytes take at the chip's peaks, and what is drawn.

    `padded` are the FLOPs of whole tiles, which the matrix units work through, where they are more.
    """
    chip = setting.chip
    peak = chip.peak[chips.compute_precision(chip, precision)]
    issued = flops if padded is None else padded
    parts = (time_s, flops / peak, moved / chip.memory_bandwidth, issued / peak)
    time, matrix, memory, tiles = np.stack(np.broadcast_arrays(*parts)).astype(np.float64)
    busy = np.maximum(time, 1e-30)
    dear = chips.energy_per_flop(chip, precision) / busy
    streamed = chips.memory_power_frac(chip) * memory / busy
    drawn = time * chips.kernel_power_frac(matrix * dear, streamed, tiles * dear)
    return np.stack([time, matrix, memory, drawn])


def waited(time_s: Tokens | float, power: float = chips.WAITING_POWER) -> Work:
    """Return the work of a chip that waits for its host: none, but for what it draws all the same."""
    time, nothing = np.asarray(time_s, np.float64), 0.0 * np.asarray(time_s)
    return np.stack([time, nothing, nothing, power * time])


def start_s(setting: ServingSetting, kernels: float) -> float:
    """Return what starting and ending kernels takes."""
    return kernels * setting.engine.of(setting.engine.kernel_start, setting.chip.name)


def local_tokens(setting: ServingSetting, tokens: Tokens) -> Tokens:
    """Return the tokens of one group that takes its own sequences; no group has less than one."""
    return np.maximum(tokens / setting.plan.dp, 1.0)
