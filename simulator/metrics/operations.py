"""Repairs, crews, spare parts, and what accelerators that are out of service wait for."""

from __future__ import annotations

import pandas as pd

from simulator.metrics.kpi import Kpi, ratio
from simulator.results import Results, empty

FALSE_ALARM = "false_alarm"
STAGE_WORDS = {
    "unnoticed": "nobody had noticed", "diagnosis": "what failed was looked for",
    "waiting_part": "a spare part was waited for", "waiting_crew": "a crew was waited for",
    "repair": "a crew was at work", "burn_in": "a new part was tested",
    "reset": "what a restart cures was restarted", "drain": "work was drained before planned work",
    "maintenance": "maintenance was done", "upgrade": "an upgrade was done",
    "trip": "racks that had switched themselves off were inspected",
    "boot": "racks that had lost power booted, and their work restarted",
}  # fmt: skip
"""What happened in each stage of an outage."""


def downtime(results: Results, by: str | list[str] = "stage", every: str | None = None) -> pd.DataFrame:
    """Return accelerator-hours out of service by stage, cause, reach or accelerator, most first.

    The table holds integrals over the run, so `every` has no effect here.
    """
    keys = [by] if isinstance(by, str) else list(by)
    table = results.tables.get("downtime", empty("downtime"))
    table = table.assign(**{key: table[key].astype(str) for key in keys})
    table = table.assign(accelerator_hours=table["accelerator_hours"].astype(float))
    hours = table.groupby(keys, sort=False)["accelerator_hours"].sum()
    return hours.sort_values(ascending=False, kind="stable").reset_index()


def repairs(results: Results) -> pd.DataFrame:
    """Return the repairs by class with their mean time to return and their mean wait, h; false
    alarms are none."""
    table = results.tables["repairs"]
    table = table[(table["cause"].astype(str) != FALSE_ALARM) & (table["repairs"] > 0)]
    wait_h = table["waiting_part_h"] + table["waiting_crew_h"]
    stages = ["unnoticed_h", "diagnosis_h", "work_h", "burn_in_h"]
    return table.assign(wait_h=wait_h, mttr_h=wait_h + table[stages].sum(axis=1))


def kpis(results: Results) -> list[Kpi]:
    """Return the indicators of operations; none where the scenario says nothing of them."""
    crews, spares = (results.tables.get(name, empty(name)) for name in ("crews", "spares"))
    if crews.empty:
        return []
    done = repairs(results)
    demands, stockouts = float(spares["demands"].sum()), float(spares["stockouts"].sum())
    busy = ratio(float(crews["busy_h"].sum()), float(crews["on_duty_h"].sum()))
    return [
        Kpi("operations.mttr", _mean(done, "mttr_h"), "h",
            "Mean time from a failure that no restart cures to the return of what failed, over all "
            "classes."),
        Kpi("operations.repair_wait_mean", _mean(done, "wait_h"), "h",
            "Mean time that a repair waits for a spare part and then for a crew."),
        Kpi("operations.crew_utilization", busy, "1",
            "Crew-hours at work divided by crew-hours on duty, of all trades."),
        Kpi("operations.spares_fill_rate", ratio(demands - stockouts, demands), "1",
            "Share of repairs that found their spare part on the shelf."),
        Kpi("operations.spares_stockouts", stockouts, "1",
            "Repairs that found their spare part neither on the shelf nor due at once."),
        *(_down(row.stage, row.accelerator_hours) for row in downtime(results).itertuples()),
    ]  # fmt: skip


def _mean(table: pd.DataFrame, column: str) -> float | None:
    """Return the mean over repairs."""
    return ratio(float((table[column] * table["repairs"]).sum()), float(table["repairs"].sum()))


def _down(stage: object, hours: object) -> Kpi:
    told = f"Accelerator-hours out of service while {STAGE_WORDS[str(stage)]}."
    part = " All operations.down_hours add up to fleet.hours.down."
    return Kpi(f"operations.down_hours.{stage}", float(hours), "h", told + part)  # type: ignore[arg-type]
