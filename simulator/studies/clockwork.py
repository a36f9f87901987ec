"""One synchronous job under failures: followed event by event, and by the closed forms.

The clockwork is the plan engine's job without its plant: `tests/studies/test_clockwork.py` holds the
two against each other on the same draws, failure by failure. It costs microseconds, so studies that
need thousands of runs use it.
"""

from dataclasses import dataclass, replace

import numpy as np

from simulator import rng
from simulator.kernels import goodput as kernel
from simulator.metrics import control
from simulator.policies.checkpointing import optimal

SEED = 0
REPLICATES = 400
PURPOSE = "validate goodput"
"""Name of the draws where a study needs none of its own."""
DAY_S = 86_400.0


@dataclass(frozen=True)
class Practice:
    """How often a job is hit, and what it does about it. All in seconds."""

    mttf_s: float
    """Mean time between failures that stop the job; they strike whatever it does."""
    interval_s: float
    """Useful time between saves."""
    stall_s: float
    """Pause for a save."""
    restart_s: float
    """From the failure to the first step after it."""

    def __post_init__(self) -> None:
        if self.mttf_s <= 0.0:
            raise ValueError("a job needs a time between failures above zero")
        if self.interval_s <= 0.0:
            raise ValueError("an interval of zero between saves: a job that only saves does no work")

    def every(self, interval_s: float) -> "Practice":
        """Return the same with another interval between saves."""
        return replace(self, interval_s=interval_s)


def mttf_s(accelerators: float, per_node: float, per_1000_node_days: float) -> float:
    """Return the mean time between failures of a job from a fleet's rate."""
    return DAY_S * 1000.0 / (per_1000_node_days * accelerators / per_node)


def follow(
    practice: Practice,
    days: float,
    replicates: int = REPLICATES,
    purpose: str = PURPOSE,
    start_s: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return useful seconds and interruptions of every replicate, (replicates,) each.

    The draws depend on the purpose and the replicate alone: practices meet the same luck.
    """
    useful_s, interruptions = np.zeros(replicates), np.zeros(replicates, np.int64)
    kernel.replicates(
        *rng.key(SEED, 0, purpose), 1.0 / practice.mttf_s, practice.interval_s, practice.stall_s,
        practice.restart_s, days * DAY_S, start_s, useful_s, interruptions,
    )  # fmt: skip
    return useful_s, interruptions


def first_order(practice: Practice) -> float:
    """Return the share of useful time by the formula in common use,
    1 / (1 + d/t + t/2M + R/M): one failure at a time, none while saving or restarting."""
    p = practice
    overhead = p.stall_s / p.interval_s + (0.5 * p.interval_s + p.restart_s) / p.mttf_s
    return 1.0 / (1.0 + overhead)


def linear(practice: Practice) -> float:
    """Return (1 - (R + t/2)/M) / (1 + d/t), the form of Kokolis et al. (arXiv:2410.21680)."""
    p = practice
    lost = (p.restart_s + 0.5 * p.interval_s) / p.mttf_s
    return max(0.0, 1.0 - lost) / (1.0 + p.stall_s / p.interval_s)


def complete(practice: Practice) -> float:
    """Return the share of useful time by Daly's complete model: failures strike at any moment."""
    p = practice
    return optimal.ettr(p.interval_s, p.stall_s, p.mttf_s, p.restart_s)


def controlled(
    practice: Practice, useful_s: np.ndarray, interruptions: np.ndarray, days: float
) -> tuple[float, float, float]:
    """Return the mean share of useful time with the number of failures as control variate.

    Their number is Poisson with a known mean, and every failure costs about the same: what luck in
    the number did to the mean is taken out by regression (`metrics.control`).

    Returns
    -------
    mean, deviation of the mean, variance ratio
        Ratio of the variance without the control to that with it: how many times more replicates
        the same precision would take.
    """
    share = useful_s / (days * DAY_S)
    excess = interruptions - days * DAY_S / practice.mttf_s
    found = control.regressed(share, excess)
    return found.mean, found.deviation, found.gain if found.deviation > 0.0 else 1.0
