"""Is plan B better than plan A? Paired differences with intervals, and what changed in the inputs.

Replicate k of both runs meets the same draws wherever the plans share entities (common random
numbers), so differences are taken replicate by replicate.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from simulator.metrics import intervals, kpis
from simulator.results import Results
from simulator.studies import StudyError
from simulator.studies import run as runs
from simulator.studies.changes import changed
from simulator.studies.preference import excused, is_given, is_work, wanted

DAY_S = 86_400.0
HIGHER, LOWER, EQUAL, UNRESOLVED = "B higher", "B lower", "equal", "not resolved"
ROUNDING = 1e-12
"""Relative; values of a pair that are nearer than that are one."""
FIXED = "fixed by inputs"
VERDICTS = (HIGHER, LOWER, EQUAL, UNRESOLVED, FIXED)
COLUMNS = {
    "kpi": "Indicator",
    "unit": "Of the values; dates are days after the start of run A",
    "a": "Mean of run A over the pairs",
    "b": "Mean of run B over the pairs",
    "difference": "Mean of b - a",
    "low": "Lower end of Student's 95 % interval of the mean difference",
    "high": "Upper end",
    "relative": "Difference over the mean of A",
    "b_larger": "Share of pairs in which b is larger, a tie counted half",
    "b_better": "The same for better, where the indicator has a better side",
    "b_better_low": "Lower end of the 95 % interval of the probability that B beats A",
    "b_better_high": "Upper end",
    "better_side": "1 where more is better, -1 where less is, 0 where neither is: of amounts also where "
    "the plan with more of it does more work",
    "paired_gain": "Variance of the difference without common draws over that with them",
    "n": "Pairs",
    "verdict": "B higher, B lower, equal, not resolved, or fixed by inputs: a count or rating that no replicate "
    "could change",
    "needed": "Pairs that would resolve a difference as large as the one seen",
}
"""Columns of the table, in order."""


@dataclass(frozen=True)
class Comparison:
    """Two runs side by side."""

    table: pd.DataFrame
    """One row per indicator: `COLUMNS`."""
    inputs: pd.DataFrame
    """What differs in the resolved documents: path, a, b."""
    notes: tuple[str, ...]
    """What a reader must know to judge the differences."""


def of_folders(a: Path, b: Path) -> Comparison:
    """Return the comparison of two run folders; nothing else is needed."""
    left, right = runs.load(a), runs.load(b)
    inputs = changed(a, b)
    return Comparison(compare(left, right), inputs, tuple(_notes(left, right, inputs)))


def compare(a: list[Results], b: list[Results]) -> pd.DataFrame:
    """Return one row per indicator that both runs have as a number or a date.

    Columns are those of `COLUMNS`. Pairs in which either run has no value are left out of the
    means; a job that does not finish is later than any date where B is held against A.

    Raises
    ------
    StudyError
        If the runs have no replicate in common.
    """
    left, right = _paired(a, b)
    ours, units = kpis.by_replicate(left)
    theirs, _ = kpis.by_replicate(right)
    start = pd.Timestamp(left[0].info["start"])
    rows = [
        _row(name, units[name], _numbers(ours[name], units[name], start),
             _numbers(theirs[name], units[name], start))
        for name in ours if name in theirs
    ]  # fmt: skip
    return pd.DataFrame(_judged([row for row in rows if row]), columns=list(COLUMNS))


def _judged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows without a better side where a plan has more of an amount for more work."""
    signs = {HIGHER: 1, LOWER: -1}
    work = {row["kpi"]: signs.get(row["verdict"], 0) for row in rows if is_work(row["kpi"])}
    none = {"better_side": 0, **dict.fromkeys(("b_better", "b_better_low", "b_better_high"), math.nan)}
    return [row | none if excused(row["kpi"], row["difference"] > 0.0, work) else row for row in rows]


def _paired(a: list[Results], b: list[Results]) -> tuple[list[Results], list[Results]]:
    """Return the replicates that both runs have, in the same order."""
    ours = {r.info["replicate"]: r for r in a}
    theirs = {r.info["replicate"]: r for r in b}
    both = [k for k in ours if k in theirs]
    if not both:
        raise StudyError("the runs have no replicate in common: nothing to pair")
    return [ours[k] for k in both], [theirs[k] for k in both]


def _numbers(values: list[Any], unit: str, start: pd.Timestamp) -> np.ndarray:
    """Return values as numbers, NaN for none; dates as days after the start, never as infinity."""
    if unit == "ISO date":
        ends = [(pd.Timestamp(v) - start).total_seconds() / DAY_S if v else math.inf for v in values]
        return np.array(ends)
    return np.array([math.nan if v is None else float(v) for v in values])


def _row(name: str, unit: str, x: np.ndarray, y: np.ndarray) -> dict[str, Any] | None:
    """Return one row; None where no pair has a value in both runs."""
    known = ~np.isnan(x) & ~np.isnan(y)
    if not known.any():
        return None
    x, y = x[known], y[known]
    y = np.where(np.isclose(y, x, rtol=ROUNDING, atol=0.0), x, y)
    n = len(x)
    larger = float(np.sum((y > x) + 0.5 * (y == x)))
    finite = bool(np.isfinite(x).all() and np.isfinite(y).all())
    told = _difference(x, y) if finite else _unmeasured(EQUAL if np.array_equal(x, y) else UNRESOLVED)
    side = wanted(name)
    better = larger if side > 0 else n - larger
    chances = (better / n, *intervals.of_share(better, n)) if side else (math.nan,) * 3
    if is_given(name) and told["verdict"] != EQUAL and np.ptp(y - x) == 0.0:
        told |= {"verdict": FIXED, "needed": math.nan}
    return {
        "kpi": name, "unit": "d" if unit == "ISO date" else unit, **told,
        "b_larger": larger / n,
        **dict(zip(("b_better", "b_better_low", "b_better_high"), chances, strict=True)),
        "better_side": side, "n": n,
    }  # fmt: skip


def _difference(x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """Return means, the difference with its interval, and what they say."""
    difference, n = y - x, len(x)
    low, high = intervals.of_mean(difference) or (math.nan, math.nan)
    mean = float(difference.mean())
    spread = difference.var(ddof=1) if n > 1 else math.nan
    apart = x.var(ddof=1) + y.var(ddof=1) if n > 1 else math.nan
    return {
        "a": float(x.mean()), "b": float(y.mean()), "difference": mean, "low": low, "high": high,
        "relative": mean / float(x.mean()) if x.mean() else math.nan,
        "paired_gain": float(apart / spread) if spread > 0.0 else math.nan,
        "verdict": _verdict(difference, low, high),
        "needed": intervals.resolving(mean, math.sqrt(spread)) if n > 1 else math.nan,
    }  # fmt: skip


def _unmeasured(verdict: str) -> dict[str, Any]:
    """Return the entries of a date that one of the runs does not reach in every replicate."""
    blank = ("a", "b", "difference", "low", "high", "relative", "paired_gain", "needed")
    return {**dict.fromkeys(blank, math.nan), "verdict": verdict}


def _verdict(difference: np.ndarray, low: float, high: float) -> str:
    if not difference.any():
        return EQUAL
    return HIGHER if low > 0.0 else LOWER if high < 0.0 else UNRESOLVED


def _notes(a: list[Results], b: list[Results], inputs: pd.DataFrame) -> list[str]:
    """Return what weakens the pairing, or the resolution, of two runs."""
    left, right = _paired(a, b)
    n, notes = len(left), []
    if len(a) != len(b):
        notes.append(f"A has {len(a)} replicates and B {len(b)}: the {n} of both are paired")
    if left[0].info["seed"] != right[0].info["seed"]:
        notes.append("the seeds differ: the pairs share no draws, and intervals are as wide as that")
    if left[0].info["version"] != right[0].info["version"]:
        notes.append(f"A is of version {left[0].info['version']}, B of {right[0].info['version']}")
    if inputs.empty:
        notes.append("the resolved inputs do not differ")
    if n == 1:
        notes.append("one pair: no interval, no difference can be told from luck")
    else:
        notes += [f"not resolvable with {n} replicates: {told}" for told in kpis.unresolved(n)]
    return notes
