"""Failures and repairs, from the list of events."""

from __future__ import annotations

import pandas as pd

from simulator.metrics.kpi import Kpi
from simulator.metrics.operations import FALSE_ALARM
from simulator.metrics.series import period
from simulator.results import Results


def failures(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return the number of failures and their hours of repair, by cause (or another column) and
    period; `by=None` adds all up. False alarms are none."""
    events = failure_events(results)
    keys = [] if by is None else [events[by].astype(str)]
    if every is not None:
        keys.append(period(results, events["time"], every))
    if not keys:
        hours = float(events["duration_s"].fillna(0.0).sum()) / 3600.0
        return pd.DataFrame({"count": [len(events)], "repair_h": [hours]})
    grouped = events.groupby(keys)["duration_s"]
    table = pd.DataFrame({"count": grouped.size(), "repair_h": grouped.sum() / 3600.0})
    return table.reset_index()


def failure_events(results: Results) -> pd.DataFrame:
    """Return the events of kind failure, without false alarms, in which nothing failed."""
    events = _all_events(results)
    return events[events["cause"].astype(str) != FALSE_ALARM]


def _all_events(results: Results) -> pd.DataFrame:
    events = results.events
    return events[events["kind"].astype(str) == "failure"]


def kpis(results: Results) -> list[Kpi]:
    """Return the count of failures, in all and by cause; that of false alarms beside them."""
    by_cause = failures(results, by="cause")
    alarms = len(_all_events(results)) - len(failure_events(results))
    rows = [
        Kpi(
            "failures.count",
            float(by_cause["count"].sum()),
            "1",
            "Failures of every class and cause in the run, those that a restart cured included, false "
            "alarms not.",
        )
    ]
    if alarms:
        told = "Healthy servers taken out for a false alarm in the run; not among failures.count."
        rows.append(Kpi(f"failures.{FALSE_ALARM}", float(alarms), "1", told))
    return rows + [
        Kpi(
            f"failures.{row.cause}",
            float(row.count_),
            "1",
            f"Failures caused by {str(row.cause).replace('_', ' ')} in the run.",
        )
        for row in by_cause.rename(columns={"count": "count_"}).itertuples()
    ]
