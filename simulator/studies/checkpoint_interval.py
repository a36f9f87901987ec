"""Which interval between saves keeps most work? Found by simulation, with common random numbers.

Every interval meets the same failures, so that the curve is smooth where single points are not: the
optimum is the top of a curve fitted near it, with an interval by the jackknife.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator.metrics import intervals
from simulator.policies.checkpointing import INTERVALS
from simulator.studies import StudyError, clockwork
from simulator.studies.clockwork import DAY_S, Practice
from simulator.units import parse

FACTORS = np.geomspace(0.5, 2.0, 13)
"""Intervals of a study over the guess it starts from."""
REPLICATES = 400
NEAR = 1.6
"""Intervals within this factor of the best one tried are near the top."""
FEWEST = 4
"""Intervals that a curve of three terms can be fitted through."""


@dataclass(frozen=True)
class Optimum:
    """The best interval, and how well it is known."""

    interval_s: float
    low_s: float
    high_s: float
    """Ends of the 95 % interval."""
    ettr: float
    """Share of useful time at the top of the fitted curve."""


def study(
    practice: Practice, days: float = 30.0, replicates: int = REPLICATES
) -> tuple[pd.DataFrame, Optimum]:
    """Return the curve around Daly's interval, and its top.

    Columns of the curve: interval_s, ettr (mean), low and high (95 % interval of the mean), p10,
    p90, complete (Daly's complete model), first_order.
    """
    guess_s = INTERVALS["daly"](practice.stall_s, practice.mttf_s)
    tried_s = guess_s * FACTORS
    ettr = np.column_stack([
        clockwork.follow(practice.every(s), days, replicates)[0] / (days * DAY_S) for s in tried_s
    ])
    table = curve(tried_s, ettr)
    practices = [practice.every(s) for s in tried_s]
    return table.assign(
        complete=[clockwork.complete(p) for p in practices],
        first_order=[clockwork.first_order(p) for p in practices],
    ), optimum(tried_s, ettr)


def of_runs(runs: pd.DataFrame, axis: str, kpi: str) -> tuple[np.ndarray, np.ndarray]:
    """Return intervals and ETTR by replicate from the table of a sweep.

    Parameters
    ----------
    runs : table of `gigawatt sweep`
    axis : the interval's key, for example `workloads.job.checkpoint.interval`
    kpi : for example `training.job.ettr`
    """
    done = runs[runs["status"] == "done"]
    wide = done.assign(interval_s=[parse(text, "s") for text in done[axis]]).pivot(
        index="replicate", columns="interval_s", values=kpi
    )
    whole = wide.dropna()
    if whole.empty:
        raise StudyError(f"no replicate of the sweep has {kpi} at every {axis}")
    return whole.columns.to_numpy(float), whole.to_numpy(float)


def curve(tried_s: np.ndarray, ettr: np.ndarray) -> pd.DataFrame:
    """Return mean, its 95 % interval, and P10 to P90 of ETTR (replicates, intervals)."""
    ends = [intervals.of_mean(column) or (math.nan, math.nan) for column in ettr.T]
    p10, p90 = np.quantile(ettr, [0.1, 0.9], axis=0)
    return pd.DataFrame({
        "interval_s": tried_s, "ettr": ettr.mean(axis=0), "low": [e[0] for e in ends],
        "high": [e[1] for e in ends], "p10": p10, "p90": p90,
    })  # fmt: skip


def optimum(tried_s: np.ndarray, ettr: np.ndarray) -> Optimum:
    """Return the top of a curve a - b/t - c t fitted to the means, the form of Young's loss.

    Its interval is that of the jackknife over replicates, on the logarithm of the interval.

    Raises
    ------
    StudyError
        If the fitted curve has no top among the intervals tried.
    """
    if len(tried_s) < FEWEST:
        raise StudyError(f"an optimum takes {FEWEST} intervals or more, not {len(tried_s)}")
    near = _near(tried_s, ettr.mean(axis=0))
    tried_s, ettr, n = tried_s[near], ettr[:, near], len(ettr)
    best_s, top = _top(tried_s, ettr.mean(axis=0))
    if not tried_s.min() <= best_s <= tried_s.max():
        raise StudyError(
            f"no top between {tried_s.min():.4g} and {tried_s.max():.4g} s: try other intervals, "
            f"or more than {n} replicates"
        )
    if n < 2:
        return Optimum(best_s, math.nan, math.nan, top)
    total = ettr.sum(axis=0)
    left_out = np.log([_top(tried_s, (total - one) / (n - 1))[0] for one in ettr])
    deviation = math.sqrt((n - 1) / n * np.sum((left_out - left_out.mean()) ** 2))
    factor = math.exp(intervals.t_quantile(n) * deviation)
    return Optimum(best_s, best_s / factor, best_s * factor, top)


def _near(tried_s: np.ndarray, ettr: np.ndarray) -> np.ndarray:
    """Return which intervals the curve is fitted to: those about the best, but enough of them."""
    apart = np.abs(np.log(tried_s / tried_s[np.argmax(ettr)]))
    least = np.sort(apart)[FEWEST - 1]
    return np.flatnonzero(apart <= max(math.log(NEAR), least))


def _top(tried_s: np.ndarray, ettr: np.ndarray) -> tuple[float, float]:
    """Return where the fitted curve is highest, and how high; NaN where it has no top."""
    scale_s = float(np.exp(np.log(tried_s).mean()))
    t = tried_s / scale_s
    (a, b, c), *_ = np.linalg.lstsq(np.column_stack((np.ones_like(t), -1.0 / t, -t)), ettr, rcond=None)
    if b <= 0.0 or c <= 0.0:
        return math.nan, math.nan
    return scale_s * math.sqrt(b / c), float(a - 2.0 * math.sqrt(b * c))
