"""How many replicates are enough: batches until every named mean is known as closely as asked.

After each batch the intervals are looked at, and the next batch is as large as their widths promise,
at most as many again. What is looked at are replicates 0 to n - 1, whoever made them and in whatever
order, so that the number does not depend on the workers. Looking several times costs some of the
confidence, little as batches grow: of 2,000 samples of normal draws, 94.6 % of the 95 % intervals hold
the mean where the last look found them narrow enough.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.errors import nearest
from simulator.metrics import intervals
from simulator.scenario.replicates import ReplicateRule
from simulator.scenario.spec import ScenarioSpec
from simulator.studies import StudyError
from simulator.studies.limits import expected, in_unit

Values = Mapping[str, Sequence[Any]]
"""By indicator: one value per replicate, None where it has none."""
GROWTH = 1.25
"""Least factor from one look to the next: many looks wear out the confidence."""
OF_MEAN = "of mean"
SIGNS = ("±", "+-", "+/-")


@dataclass(frozen=True)
class Width:
    """What one indicator has reached."""

    kpi: str
    wanted: str
    half_width: float
    target: float
    unit: str

    @property
    def met(self) -> bool:
        """Whether the interval is narrow enough."""
        return self.half_width <= self.target

    def __str__(self) -> str:
        verdict = "met" if self.met else "not met"
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.kpi} ± {self.half_width:.3g}{unit} (asked ± {self.wanted}: {verdict})"


def asked(texts: Sequence[str], replicates: int | None) -> dict[str, Any]:
    """Return what `--until 'KPI ± X'` means in a document; `replicates` is the most there may be."""
    until: dict[str, str] = {}
    for text in texts:
        sign = next((sign for sign in SIGNS if sign in text), None)
        kpi, _, width = text.partition(sign) if sign else ("", "", "")
        if not kpi.strip() or not width.strip():
            raise StudyError(f"--until '{text}': write KPI ± X, e.g. 'power.poi_peak ± 0.5 MW'")
        until[kpi.strip()] = width.strip()
    most = {} if replicates is None else {"max": replicates, "min": min(replicates, _default("min"))}
    return {**most, "until": until}


def refuse(rule: ReplicateRule, spec: ScenarioSpec) -> None:
    """Raise StudyError for indicators that no run of the scenario tells, and wrong units, before there is one."""
    widths(rule, dict.fromkeys(rule.until, ()), expected(spec))


def widths(rule: ReplicateRule, values: Values, units: Mapping[str, str]) -> list[Width]:
    """Return what every indicator has reached; StudyError for unknown ones and wrong units."""
    unknown = [kpi for kpi in rule.until if kpi not in units]
    if unknown:
        told = [f"until: no KPI '{kpi}'{nearest(kpi, units)}" for kpi in unknown]
        raise StudyError("\n".join(told))
    return [_width(rule, kpi, str(text), values[kpi], units[kpi]) for kpi, text in rule.until.items()]


def following(rule: ReplicateRule, count: int, reached: Sequence[Width]) -> int:
    """Return how many replicates there are to be next; `count` itself where that is enough."""
    if count >= rule.max or all(width.met for width in reached):
        return count
    ratios = [_ratio(width) for width in reached]
    promised = math.ceil(min(count * max(ratios) ** 2, 2.0 * count))
    return int(min(max(promised, math.ceil(GROWTH * count)), rule.max))


def told(reached: Sequence[Width], confidence: float) -> list[dict[str, Any]]:
    """Return what a run remembers of its stopping."""
    return [
        {"kpi": w.kpi, "asked": w.wanted, "confidence": confidence, "unit": w.unit, "met": w.met,
         "half_width": w.half_width if math.isfinite(w.half_width) else None, "text": str(w)}
        for w in reached
    ]  # fmt: skip


def _width(
    rule: ReplicateRule, kpi: str, text: str, values: Sequence[Any], unit: str
) -> Width:
    if unit == "ISO date":
        raise StudyError(f"until: {kpi} is a date and has no mean")
    known = np.array([value for value in values if value is not None], float)
    mean = float(known.mean()) if len(known) else math.nan
    ends = intervals.of_mean(known, rule.confidence)
    half = math.inf if ends is None else 0.5 * (ends[1] - ends[0])
    return Width(kpi, text, half, _target(kpi, text, mean, unit), unit)


def _target(kpi: str, text: str, mean: float, unit: str) -> float:
    """Return the half-width asked for, in the indicator's unit."""
    share = text.removesuffix(OF_MEAN).strip() if text.endswith(OF_MEAN) else None
    difference = {"degC": "K"}.get(unit, unit)
    try:
        number = in_unit(text, difference) if share is None else in_unit(share, "1") * abs(mean)
    except ValueError as error:
        raise StudyError(f"until: {kpi}: {error}") from None
    if not number > 0.0 and share is None:
        raise StudyError(f"until: {kpi}: a half-width of {text} is never reached")
    return number


def _ratio(width: Width) -> float:
    if not width.target > 0.0 or not math.isfinite(width.half_width):
        return math.inf
    return width.half_width / width.target


def _default(name: str) -> int:
    return int(ReplicateRule.model_fields[name].default)
