"""Climates by the engine: a whole run of each case beside its closed form, kept as a sweep is."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from simulator.scenario import Scenario
from simulator.studies import sweep
from simulator.studies.climates import Case
from simulator.studies.designs import Design, Plan
from simulator.studies.sweep import DONE, Record
from simulator.studies.sweep_folder import SweepFolder

COLUMNS = {
    "engine_usable_mw_min": "cooling.usable_it_min", "engine_usable_mw_p05": "cooling.usable_it_p5",
    "engine_it_mw": "power.it_mean", "engine_poi_peak_mw": "power.poi_peak",
    "engine_pue": "power.pue_mean", "engine_wue_l_kwh": "cooling.wue",
    "engine_water_peak_day_m3": "cooling.water_peak_day",
    "engine_throttled_h": "thermal.throttled_accelerator_hours",
    "engine_coolant_max_c": "thermal.coolant_supply_max", "engine_margin_min_k": "thermal.throttle_margin_min",
}  # fmt: skip
"""Column of the table by the indicator of the run that it is."""


def plan_of(name: str, cases: Sequence[Case]) -> Plan:
    """Return one run of each case, replicate 0, as the designs of a sweep."""
    designs = [
        Design({"design": case.design, "climate": case.climate}, (partial(_scenario, case),)) for case in cases
    ]
    return Plan(name, tuple(designs), 1, "list")


def run(
    plan: Plan, folder: Path, n_jobs: int | None, told: Callable[[int], None] = lambda done: None
) -> list[Record]:
    """Return the record of each case, made here or before; the folder is that of a sweep, so
    `gigawatt report` draws it too.

    A run that fails is a record with its error. StudyError for a folder of other cases.
    """
    kept = SweepFolder(folder, plan)
    kept.open(resume=True)
    finished = kept.finished()
    left = [task for task in plan.tasks if task.identity not in finished]
    kept.restart(left)
    done = len(plan.tasks) - len(left)
    told(done)
    for identity, record in sweep.execute(plan, left, sweep.workers(n_jobs), running=kept.runs):
        kept.keep(identity, record)
        done += 1
        told(done)
    kept.assemble()
    records = kept.records()
    return [records[task.identity] for task in plan.tasks]


def _scenario(case: Case) -> Scenario:
    return case.scenario


def beside(table: pd.DataFrame, records: Sequence[Record]) -> pd.DataFrame:
    """Return the closed forms' table with the columns `COLUMNS`; NaN where a run failed or has not."""
    rows = [
        {column: record["kpis"].get(kpi, [None])[0] if record["status"] == DONE else None
         for column, kpi in COLUMNS.items()}
        for record in records
    ]  # fmt: skip
    return pd.concat([table, pd.DataFrame(rows, index=table.index).astype(float)], axis=1)
