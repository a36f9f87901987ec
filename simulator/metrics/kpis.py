"""Every indicator of a run, whether its balances close, and the `summary.json` they make."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from simulator.metrics import (
    balance,
    cost,
    distillation,
    failures,
    fleet,
    inference,
    network,
    power,
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
    thermal.kpis,
    fleet.kpis,
    failures.kpis,
    network.kpis,
    training.kpis,
    inference.kpis,
    routing.kpis,
    distillation.kpis,
    cost.kpis,
)
"""Who defines which indicators, in the order they are told."""

ABSENT_IS_ZERO = ("failures.", "fleet.hours.")
"""Indicators that a replicate without an occurrence does not list."""

PERCENTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9}
SIGNIFICANT_DIGITS = 12


def kpis(results: Results) -> pd.DataFrame:
    """Return the indicators of one replicate: kpi, value, unit, definition."""
    rows = [kpi for definer in DEFINERS for kpi in definer(results)]
    table = pd.DataFrame(
        {
            "kpi": [r.name for r in rows],
            "value": pd.Series([r.value for r in rows], dtype=object),
            "unit": [r.unit for r in rows],
            "definition": [r.definition for r in rows],
        }
    )
    return table


def checks(results: Results) -> dict[str, float]:
    """Return the relative error of each balance; all must be within 1e-9."""
    return balance.checks(results)


def summary(results: list[Results]) -> dict[str, dict]:  # type: ignore[type-arg]
    """Return the `summary.json` document of one or several replicates.

    With several, values are means with p10, p50 and p90 beside them (for dates the median, since
    an unfinished replicate has no date to average), and checks are the worst of all.
    """
    tables = [kpis(r).set_index("kpi") for r in results]
    names = list(dict.fromkeys(name for table in tables for name in table.index))
    worst = [checks(r) for r in results]
    return {
        "kpis": {name: _entry(name, tables) for name in names},
        "checks": {name: _rounded(max(c[name] for c in worst)) for name in worst[0]},
    }


def dumps(document: dict) -> str:  # type: ignore[type-arg]
    """Return the document as JSON text whose bytes depend on its values alone."""
    return json.dumps(document, indent=1, allow_nan=False) + "\n"


def _entry(name: str, tables: list[pd.DataFrame]) -> dict[str, object]:
    rows = [table.loc[name] for table in tables if name in table.index]
    absent = 0.0 if name.startswith(ABSENT_IS_ZERO) else None
    values: list[Any] = [t.at[name, "value"] if name in t.index else absent for t in tables]
    lowest = min(rows, key=lambda r: r["value"] if isinstance(r["value"], float) else math.inf)
    unit = str(lowest["unit"])
    several = _spread_of_dates if unit == "ISO date" else _spread
    numbers = {"value": _rounded(values[0])} if len(tables) == 1 else several(values)
    return {**numbers, "unit": unit, "definition": str(lowest["definition"])}


def _spread(values: list[float | None]) -> dict[str, object]:
    known = np.array([v for v in values if v is not None], dtype=float)
    if len(known) == 0:
        return {"value": None, **dict.fromkeys(PERCENTILES)}
    quantiles = {p: _rounded(float(np.quantile(known, q))) for p, q in PERCENTILES.items()}
    return {"value": _rounded(float(known.mean())), **quantiles}


def _spread_of_dates(values: list[str | None]) -> dict[str, object]:
    """Take dates as seconds, unfinished replicates as later than any date."""
    seconds = sorted(pd.Timestamp(v).timestamp() if v else math.inf for v in values)
    dates: dict[str, object] = {p: _quantile_date(seconds, q) for p, q in PERCENTILES.items()}
    return {"value": dates["p50"], **dates}


def _quantile_date(seconds: list[float], frac: float) -> str | None:
    place = frac * (len(seconds) - 1)
    low, high = seconds[math.floor(place)], seconds[math.ceil(place)]
    if not math.isfinite(high):
        return None
    return iso_date(pd.Timestamp(low + (high - low) * (place % 1), unit="s", tz="UTC"))


def _rounded(value: object) -> object:
    if not isinstance(value, (int, float, np.number)):
        return value
    number = float(value)
    return float(f"{number:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(number) else None
