"""Time series of a level, thinned to periods and added up over elements."""

from __future__ import annotations

from datetime import timedelta, timezone

import pandas as pd

from simulator.results import Results

STEP_S = {"site": 60.0}
"""Seconds per row by level; levels not listed are hourly."""


def step_s(level: str) -> float:
    """Return the seconds one row of the level stands for."""
    return STEP_S.get(level, 3600.0)


def aggregate(
    results: Results, level: str, by: str | None = None, every: str | None = None
) -> pd.DataFrame:
    """Return the level's quantities per period and, with `by="element"`, per element.

    Over time, largest values stay largest, running totals end on their last value, the rest are
    means. Over elements, extensive quantities add, temperatures and shares average.
    """
    frame = results.timeseries[level]
    if by is None and level != "site":
        frame = _add_up(frame)
    how = {c: over_time(c) for c in frame if c not in ("time", "element")}
    keys = [] if by is None else [frame[by].astype(str)]
    if every is not None:
        keys.append(period(results, frame["time"], every))
    if not keys:
        whole = pd.Series(0, index=frame.index)
        return frame.groupby(whole).agg(how).reset_index(drop=True)
    return frame.groupby(keys, sort=True).agg(how).reset_index()


def period(results: Results, time: pd.Series, every: str) -> pd.Series:
    """Return the first instant of each time's period on the campus's clock.

    The clock keeps the UTC offset at which the run starts (no daylight saving), so that days and
    calendar months ("MS") are those of the site and of its bills.
    """
    here = local(results, time)
    if every != "MS":
        return here.dt.floor(every)
    return here.dt.floor("D") - pd.to_timedelta(here.dt.day - 1, unit="D")


def local(results: Results, time: pd.Series) -> pd.Series:
    """Return times on the campus's clock, with the UTC offset at which the run starts."""
    offset = timezone(timedelta(hours=float(results.info.get("utc_offset_h") or 0.0)))
    return time.dt.tz_convert(offset)


def over_time(quantity: str) -> str:
    """Say how a quantity condenses over time."""
    if "max" in quantity or "peak" in quantity:
        return "max"
    return "last" if quantity == "work_s" else "mean"


def over_elements(quantity: str) -> str:
    """Say how a quantity condenses over elements."""
    if "max" in quantity:
        return "max"
    return "mean" if quantity.endswith(("_c", "_frac")) else "sum"


def _add_up(frame: pd.DataFrame) -> pd.DataFrame:
    across = {c: over_elements(c) for c in frame if c not in ("time", "element")}
    return frame.groupby("time", sort=True, as_index=False).agg(across)
