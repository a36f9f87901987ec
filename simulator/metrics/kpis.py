"""Every indicator of a run, whether its balances close, and the `summary.json` they make."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from simulator.metrics import (
    balance,
    control,
    cost,
    derating,
    distillation,
    equipment,
    failures,
    fleet,
    inference,
    intervals,
    limits,
    modes,
    network,
    operations,
    power,
    reuse,
    routing,
    thermal,
    training,
)
from simulator.metrics.kpi import Kpi
from simulator.metrics.training import iso_date
from simulator.results import Results

Definer = Callable[[Results], list[Kpi]]

DEFINERS: tuple[Definer, ...] = (
    fleet.site_kpis,
    power.kpis,
    limits.kpis,
    equipment.kpis,
    thermal.kpis,
    derating.kpis,
    modes.kpis,
    reuse.kpis,
    fleet.kpis,
    failures.kpis,
    operations.kpis,
    network.kpis,
    training.kpis,
    inference.kpis,
    routing.kpis,
    distillation.kpis,
    cost.kpis,
)
"""Who defines which indicators, in the order they are told."""

ABSENT_IS_ZERO = ("failures.", "fleet.hours.", "operations.down_hours.")
"""Indicators that a replicate without an occurrence does not list."""

PERCENTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
SIGNIFICANT_DIGITS = 12


def kpis(results: Results) -> pd.DataFrame:
    """Return the indicators of one replicate: kpi, value, unit, definition."""
    rows = list(_rows(results).values())
    table = pd.DataFrame(
        {
            "kpi": [r.name for r in rows],
            "value": pd.Series([r.value for r in rows], dtype=object),
            "unit": [r.unit for r in rows],
            "definition": [r.definition for r in rows],
        }
    )
    return table


def _rows(results: Results) -> dict[str, Kpi]:
    """Return the indicators of one replicate by name."""
    return {kpi.name: kpi for definer in DEFINERS for kpi in definer(results)}


def checks(results: Results) -> dict[str, float]:
    """Return the relative error of each balance; all must be within 1e-9."""
    return balance.checks(results)


def summary(results: list[Results]) -> dict[str, dict]:  # type: ignore[type-arg]
    """Return the `summary.json` document of one or several replicates.

    With several, values are means with p10, p50 and p90 beside them (for dates the median, since
    an unfinished replicate has no date to average), and checks are the worst of all. `ci95` holds
    the 95 % interval of each of these numbers, null where so many replicates cannot tell it, and
    `replicates` says how many each would need, and where a rule decided on their number what it
    reached (`stopping`). `controlled` is the mean with the luck in the number
    of failures taken out, where that pays (`metrics.control`).
    """
    tables = [_rows(r) for r in results]
    names = list(dict.fromkeys(name for table in tables for name in table))
    worst, luck = [checks(r) for r in results], control.excess(results)
    document: dict[str, Any] = {
        "kpis": {name: _entry(name, tables, luck) for name in names},
        "checks": {name: _rounded(max(c[name] for c in worst)) for name in worst[0]},
    }
    if len(results) == 1:
        return document
    stopping = results[0].info.get("stopping")
    more = {"stopping": stopping} if stopping else {}
    return document | {"replicates": resolution(len(results)) | more}


def resolution(n: int) -> dict[str, Any]:
    """Return what n replicates can tell: how many each percentile needs, and which do not."""
    need = {p: intervals.needed(share) for p, share in PERCENTILES.items()}
    return {
        "n": n,
        "confidence": intervals.CONFIDENCE,
        "needed": need,
        "unresolved": [p for p, least in need.items() if n < least],
    }


def unresolved(n: int) -> list[str]:
    """Return the percentiles that n replicates cannot tell, in words, with what they would take."""
    told = resolution(n)
    least: dict[int, list[str]] = {}
    for name in told["unresolved"]:
        least.setdefault(told["needed"][name], []).append(name.upper())
    level = f"{100.0 * told['confidence']:g} %"
    return [
        f"{' and '.join(names)} (a {level} interval takes at least {enough} replicates)"
        for enough, names in least.items()
    ]


def by_replicate(results: list[Results]) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """Return the values of every indicator, one per replicate (None where it has none), and units."""
    tables = [_rows(r) for r in results]
    names = list(dict.fromkeys(name for table in tables for name in table))
    units = {name: next(t[name].unit for t in tables if name in t) for name in names}
    return {name: _values(name, tables) for name in names}, units


def dumps(document: dict) -> str:  # type: ignore[type-arg]
    """Return the document as JSON text whose bytes depend on its values alone."""
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _entry(
    name: str, tables: list[dict[str, Kpi]], luck: np.ndarray | None = None
) -> dict[str, object]:
    rows = [table[name] for table in tables if name in table]
    values = _values(name, tables)
    lowest = min(rows, key=lambda r: r.value if isinstance(r.value, float) else math.inf)
    unit = lowest.unit
    if len(tables) == 1:
        numbers: dict[str, object] = {"value": _rounded(values[0])}
    else:
        numbers = _spread_of_dates(values) if unit == "ISO date" else _spread(values, luck)
    return {**numbers, "unit": unit, "definition": lowest.definition}


def _values(name: str, tables: list[dict[str, Kpi]]) -> list[Any]:
    absent = 0.0 if name.startswith(ABSENT_IS_ZERO) else None
    return [t[name].value if name in t else absent for t in tables]


def _spread(values: list[float | None], luck: np.ndarray | None) -> dict[str, object]:
    known = np.array([v for v in values if v is not None], dtype=float)
    if len(known) == 0:
        return {"value": None, **dict.fromkeys(PERCENTILES), "ci95": None}
    quantiles = {p: _rounded(float(np.quantile(known, q))) for p, q in PERCENTILES.items()}
    between: dict[str, object] = {"value": _both(intervals.of_mean(known))}
    for name, share in PERCENTILES.items():
        between[name] = _both(intervals.of_quantile(known, share))
    told: dict[str, object] = {"value": _rounded(float(known.mean())), **quantiles, "ci95": between}
    better = control.controlled(known, luck)
    if better is not None:
        told["controlled"] = {name: _rounded(number) for name, number in better.items()}
    return told


def _both(interval: intervals.Interval | None) -> list[object] | None:
    return None if interval is None else [_rounded(end) for end in interval]


def _spread_of_dates(values: list[str | None]) -> dict[str, object]:
    """Take dates as seconds, unfinished replicates as later than any date."""
    seconds = sorted(pd.Timestamp(v).timestamp() if v else math.inf for v in values)
    dates: dict[str, object] = {p: _quantile_date(seconds, q) for p, q in PERCENTILES.items()}
    between: dict[str, object] = {}
    for name, share in PERCENTILES.items():
        ends = intervals.of_quantile(seconds, share)
        between[name] = None if ends is None else [_date(end) for end in ends]
    between = {"value": between["p50"], **between}
    return {"value": dates["p50"], **dates, "ci95": between}


def _quantile_date(seconds: list[float], frac: float) -> str | None:
    place = frac * (len(seconds) - 1)
    low, high = seconds[math.floor(place)], seconds[math.ceil(place)]
    return _date(low + (high - low) * (place % 1)) if math.isfinite(high) else None


def _date(second: float) -> str | None:
    """Return the date of a second since 1970, None for one that never comes."""
    return iso_date(pd.Timestamp(second, unit="s", tz="UTC")) if math.isfinite(second) else None


def _rounded(value: object) -> object:
    if not isinstance(value, (int, float, np.number)):
        return value
    number = float(value)
    return float(f"{number:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(number) else None
