"""Work of an operator in serving: time, and what the two engines of a chip do in it."""

import numpy as np
from numpy.typing import NDArray

from simulator.performance import chip as chips
from simulator.performance.serving_setting import ServingSetting

Tokens = NDArray[np.float64]
Work = NDArray[np.float64]
"""First axis: seconds, seconds at peak matrix rate, seconds at peak memory bandwidth."""


def work(
    setting: ServingSetting,
    time_s: Tokens | float,
    flops: Tokens | float,
    moved: Tokens | float,
    precision: str = "bf16",
) -> Work:
    """Return time beside the seconds that its FLOPs and bytes take at the chip's peaks."""
    chip = setting.chip
    peak = chip.peak[chips.compute_precision(chip, precision)]
    parts = (time_s, flops / peak, moved / chip.memory_bandwidth)
    return np.stack(np.broadcast_arrays(*parts)).astype(np.float64)


def start_s(setting: ServingSetting, kernels: float) -> float:
    """Return what starting and ending kernels takes."""
    return kernels * setting.engine.of(setting.engine.kernel_start, setting.chip.name)


def local_tokens(setting: ServingSetting, tokens: Tokens) -> Tokens:
    """Return the tokens of one group that takes its own sequences; no group has less than one."""
    return np.maximum(tokens / setting.plan.dp, 1.0)
