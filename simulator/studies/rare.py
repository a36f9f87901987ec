"""How likely in a year are combinations that no simulated year will show?

A year of one group is cheap, but a year in which two main transformers are out at once is one in
thousands. Failures are drawn more often than they come, above all while one unit is already out, and
every year counts by its likelihood ratio (importance sampling with failure biasing: P. Heidelberger,
ACM TOMACS 5, 1995). What that cannot tell is refused, not shown.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator import rng
from simulator.kernels import rare as kernel
from simulator.studies.rare_groups import Group

YEAR_S = 31_557_600.0
BATCH, MOST = 20_000, 320_000
"""Years drawn at a time, and at most."""
WANTED_ERROR = 0.05
"""Relative standard error at which drawing stops."""
FEWEST_EFFECTIVE = 100.0
"""Effective years with the combination below which no probability is told."""
WORST_ERROR = 0.25
BIAS = 0.5
"""Chance, while one unit is out, that the next fails before it is back (balanced biasing)."""
CRUDE_HITS = 10
"""Years with the combination from which crude Monte Carlo is an oracle."""
Z = 1.96
COLUMNS = {
    "combination": "What is out at once",
    "example": "Where: the first of the equal groups",
    "cause": "Failure class",
    "groups": "Equal groups of which any will do",
    "probability": "Of at least once in the time, in any group; null where not resolved",
    "low": "Lower end of the 95 % interval",
    "high": "Upper end",
    "hours": "Expected hours of it, all groups",
    "accelerator_hours": "Expected accelerator-hours that the units left cannot carry at full load",
    "relative_error": "Standard error over the probability of one group",
    "effective": "Effective number of drawn years that show it: (sum w)^2 / sum w^2",
    "drawn": "Years drawn",
    "weight_mean": "Mean likelihood ratio of all years drawn: 1 if the sampling is sound",
    "crude": "Probability by crude Monte Carlo with as many years",
    "crude_hits": "Years that showed it there",
    "gain": "Crude years that would give the same error, over those drawn",
    "reason": "Why not resolved, or blank",
}
"""Columns of the table, in order."""


@dataclass(frozen=True)
class Sample:
    """Years of one group: arrays (years,) each."""

    reached: np.ndarray
    out_s: np.ndarray
    short_s: np.ndarray
    weight: np.ndarray

    def joined(self, other: "Sample") -> "Sample":
        """Return the years of both."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Sample(*(np.concatenate(pair) for pair in pairs))

    @property
    def probability(self) -> float:
        """Chance that the combination is reached."""
        return float((self.weight * self.reached).mean())

    @property
    def relative_error(self) -> float:
        """Standard error over the probability; infinite where no year shows it."""
        counted = self.weight * self.reached
        if not counted.any():
            return math.inf
        return float(counted.std(ddof=1) / math.sqrt(len(counted)) / counted.mean())

    @property
    def effective(self) -> float:
        """Effective number of years that show the combination."""
        counted = self.weight * self.reached
        square = float((counted**2).sum())
        return float(counted.sum()) ** 2 / square if square > 0.0 else 0.0


def study(groups: list[Group], years: float = 1.0, seed: int = 0) -> pd.DataFrame:
    """Return one row per group: `COLUMNS`, likeliest first."""
    rows = [_row(group, years * YEAR_S, seed) for group in groups]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    order = table["probability"].astype(float).sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)


def sample(
    group: Group, end_s: float, seed: int, first: int, years: int, biased: bool = True
) -> Sample:
    """Return years drawn from the replicates `first` on; unbiased ones all weigh 1."""
    tilt, common = tilts(group, end_s) if biased else (np.ones(group.together), 0.0)
    out = np.zeros(years, np.int64), np.zeros(years), np.zeros(years), np.zeros(years)
    purpose = f"rare/{group.cause}/{group.example}/{'biased' if biased else 'crude'}"
    kernel.replicates(
        *rng.key(seed, 0, purpose), first,
        (group.units, group.together, float(group.duty), group.rate_s, group.common, end_s),
        (group.transient, group.reset_s, group.repair_s, group.repair_spread),
        tilt, common, np.zeros(group.units), *out,
    )  # fmt: skip
    return Sample(out[0], out[1], out[2], np.exp(out[3]))


def tilts(group: Group, end_s: float) -> tuple[np.ndarray, float]:
    """Return how many times as often units fail by the number that is out, and the share of
    failures that are common.

    With all units up, about one failure in the time is drawn if fewer come. While some are out, the
    next comes before the repair with a chance of a half, or less where repairs are many: each leaves
    a factor on the weight, and their product must not scatter.
    """
    first = group.units * group.rate_s * end_s
    drawn = max(first, 1.0)
    tilt = np.ones(group.together)
    if first > 0.0:
        tilt[0] = drawn / first
    bias = min(BIAS, 1.0 / drawn)
    for down in range(1, group.together):
        exposed = max(group.units - down, 1) * group.rate_s * group.mean_repair_s
        tilt[down] = max(1.0, bias / (1.0 - bias) / exposed) if exposed > 0.0 else 1.0
    return tilt, bias / 2.0 if group.common > 0.0 else 0.0


def _row(group: Group, end_s: float, seed: int) -> dict[str, object]:
    found = sample(group, end_s, seed, 0, BATCH)
    while found.relative_error > WANTED_ERROR and len(found.weight) < MOST:
        found = found.joined(sample(group, end_s, seed, len(found.weight), len(found.weight)))
    crude = sample(group, end_s, seed, 0, len(found.weight), biased=False)
    reason = unsound(found, crude)
    hours = float((found.weight * found.out_s).mean()) / 3600.0 * group.groups
    short = float((found.weight * found.short_s).mean()) / 3600.0 * group.groups
    p = found.probability
    apart = Z * found.relative_error * p if p > 0.0 else 0.0
    ends = [_any(min(max(q, 0.0), 1.0), group.groups) for q in (p, p - apart, p + apart)]
    told = (*ends, hours, short * group.accelerators) if not reason else (None,) * 5
    return {
        "combination": group.name, "example": group.example, "cause": group.cause, "groups": group.groups,
        **dict(zip(("probability", "low", "high", "hours", "accelerator_hours"), told, strict=True)),
        "relative_error": found.relative_error, "effective": found.effective,
        "drawn": len(found.weight), "weight_mean": float(found.weight.mean()),
        "crude": _any(crude.probability, group.groups), "crude_hits": int(crude.reached.sum()),
        "gain": (1.0 - p) / p / len(found.weight) / found.relative_error**2 if p > 0.0 else None,
        "reason": reason,
    }  # fmt: skip


def unsound(found: Sample, crude: Sample) -> str:
    """Return why a sample does not tell the probability; blank where it does."""
    if found.effective < FEWEST_EFFECTIVE:
        return f"only {found.effective:.0f} effective years show it: its likelihood ratios scatter"
    if found.relative_error > WORST_ERROR:
        return f"its standard error is {100.0 * found.relative_error:.0f} % of it"
    if crude.reached.sum() >= CRUDE_HITS:
        deviation = math.hypot(
            found.relative_error * found.probability, crude.relative_error * crude.probability
        )
        if abs(found.probability - crude.probability) > 5.0 * deviation:
            return f"crude Monte Carlo says {crude.probability:.3g}, not {found.probability:.3g}"
    return ""


def _any(probability: float, groups: int) -> float:
    """Return the chance that any of so many independent groups shows it."""
    return -math.expm1(groups * math.log1p(-probability)) if probability < 1.0 else 1.0
