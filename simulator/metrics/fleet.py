"""Accelerators: how many there are, and where every one of their hours went."""

from __future__ import annotations

import pandas as pd

from simulator.metrics.kpi import SECONDS_PER_HOUR, Kpi, ratio
from simulator.metrics.series import aggregate
from simulator.results import Results

USEFUL, IDLE, DOWN = "useful", "idle", "down"


def installed(results: Results, accelerator: str | None = None) -> float:
    """Return the accelerators installed, of one chip or of all."""
    racks = results.tables["racks"]
    if accelerator is not None:
        racks = racks[racks["accelerator"].astype(object) == accelerator]
    return float(racks["accelerators"].sum())


def hours(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return accelerator-hours by category and, if asked, by load, kind or accelerator.

    The table holds integrals over the run, so `every` has no effect here; `service` has the hours.
    """
    keys = ["category"] if by is None else [by, "category"]
    table = results.tables["hours"].assign(
        **{k: results.tables["hours"][k].astype(str) for k in keys}
    )
    return table.groupby(keys, sort=False)["accelerator_hours"].sum().reset_index()


def service(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return accelerators in service per hall or in all, mean of the period."""
    table = aggregate(results, "hall", by, every)
    return table[[c for c in ("element", "time", "accelerators_up") if c in table]]


def utilization(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return useful over installed accelerator-hours, of all or by chip (`by="accelerator"`)."""
    table = hours(results, by).assign(all="all")
    key = by or "all"
    useful = table[table["category"] == USEFUL].groupby(key)["accelerator_hours"].sum()
    total = table.groupby(key)["accelerator_hours"].sum()
    share = (useful.reindex(total.index, fill_value=0.0) / total).rename("utilization_frac")
    return share.reset_index()


def kpis(results: Results) -> list[Kpi]:
    """Return the fleet's indicators."""
    total_h = installed(results) * results.info["duration_s"] / SECONDS_PER_HOUR
    by_category = hours(results).set_index("category")["accelerator_hours"]
    useful_h = float(by_category.get(USEFUL, 0.0))
    rows = [
        Kpi(
            "fleet.utilization",
            ratio(useful_h, total_h),
            "1",
            "Useful accelerator-hours divided by installed accelerator-hours (accelerators installed "
            "times the length of the run, those out of service included).",
        )
    ]
    rows += [_chip(results, chip) for chip in _chips(results)]
    categories = [USEFUL, IDLE, DOWN]
    categories += sorted(c for c in by_category.index if c not in categories)
    rows += [_hours(c, float(by_category.get(c, 0.0))) for c in categories]
    return rows


def site_kpis(results: Results) -> list[Kpi]:
    """Return the counts of accelerators."""
    table = results.tables["hours"]
    down_h = float(table.loc[table["category"].astype(str) == DOWN, "accelerator_hours"].sum())
    count = installed(results)
    mean_down = down_h * SECONDS_PER_HOUR / results.info["duration_s"]
    return [
        Kpi(
            "site.accelerators_installed",
            count,
            "1",
            "Accelerators installed in all halls, of every chip, in service or not.",
        ),
        Kpi(
            "site.accelerators_available_mean",
            count - mean_down,
            "1",
            "Accelerators installed less those out of service (failed, under repair, or cut off "
            "from power, cooling or network), averaged over the run.",
        ),
    ]


def _chips(results: Results) -> list[str]:
    racks = results.tables["racks"]
    populated = racks[racks["accelerators"] > 0]
    return list(dict.fromkeys(populated["accelerator"].astype(str)))


def _chip(results: Results, chip: str) -> Kpi:
    table = results.tables["hours"]
    own = table[table["accelerator"].astype(object) == chip]
    useful_h = own.loc[own["category"].astype(str) == USEFUL, "accelerator_hours"].sum()
    total_h = installed(results, chip) * results.info["duration_s"] / SECONDS_PER_HOUR
    return Kpi(
        f"fleet.{chip}.utilization",
        ratio(useful_h, total_h),
        "1",
        f"Useful accelerator-hours of {chip} divided by its installed accelerator-hours.",
    )


CAUSES = {
    "lost_checkpoint": "checkpoints",
    "lost_rework": "repeated work",
    "lost_restart": "restarts",
    "lost_queue": "queueing",
    "lost_throttle": "heat",
    "lost_power_cap": "power caps",
    "lost_network": "a degraded network",
    "lost_degraded": "running on with parts missing",
}
"""What categories of lost hours went to, in words."""


def cause_of(category: str) -> str:
    """Return what the hours of a category went to, in words."""
    return CAUSES.get(category, category.removeprefix("lost_").replace("_", " "))


_MEANING = {
    USEFUL: "Accelerator-hours spent on work that was kept: training progress retained, requests "
    "served, batch work done.",
    IDLE: "Accelerator-hours in service with no work to do.",
    DOWN: "Accelerator-hours out of service: failed, under repair, or cut off.",
}


def _hours(category: str, value_h: float) -> Kpi:
    lost = f"Accelerator-hours held by work but lost to {cause_of(category)}."
    part = " All fleet.hours add up to installed accelerator-hours over the run."
    return Kpi(f"fleet.hours.{category}", value_h, "h", _MEANING.get(category, lost) + part)
