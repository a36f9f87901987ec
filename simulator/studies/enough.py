"""Which runs of a sweep are needed: all of them, or of each design as many as its rule asks for."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from simulator.studies import sequential
from simulator.studies.designs import Plan, Task

Record = Mapping[str, Any]
UNFINISHED = ("pending", "running")


def needed(plan: Plan, records: Mapping[str, Record]) -> tuple[Task, ...]:
    """Return the runs that what is known so far asks for, in design order."""
    if plan.rule is None:
        return plan.tasks
    return tuple(t for tasks in _by_design(plan) for t in tasks[: _count(plan, tasks, records)])


def table(plan: Plan, records: Mapping[str, Record]) -> pd.DataFrame:
    """Return what each design has reached: design, replicates, kpi, asked, half_width, unit, met."""
    assert plan.rule is not None
    rows = []
    for tasks in _by_design(plan):
        count = _count(plan, tasks, records)
        for width in _reached(plan, tasks[:count], records):
            half = width.half_width if math.isfinite(width.half_width) else math.nan
            rows.append((tasks[0].design, count, width.kpi, width.wanted, half, width.unit, width.met))
    columns = ["design", "replicates", "kpi", "asked", "half_width", "unit", "met"]
    return pd.DataFrame(rows, columns=columns)


def _by_design(plan: Plan) -> list[tuple[Task, ...]]:
    each = plan.replicates
    return [plan.tasks[k : k + each] for k in range(0, len(plan.tasks), each)]


def _count(plan: Plan, tasks: tuple[Task, ...], records: Mapping[str, Record]) -> int:
    """Return how many replicates of a design are to be made, as far as can be told."""
    assert plan.rule is not None
    count = plan.rule.min
    while all(_finished(records.get(task.identity)) for task in tasks[:count]):
        wanted = sequential.following(plan.rule, count, _reached(plan, tasks[:count], records))
        if wanted == count:
            break
        count = wanted
    return count


def _finished(record: Record | None) -> bool:
    return record is not None and record["status"] not in UNFINISHED


def _reached(
    plan: Plan, tasks: tuple[Task, ...], records: Mapping[str, Record]
) -> list[sequential.Width]:
    """Return the half-widths of a design's runs; failed ones have no value."""
    assert plan.rule is not None
    known = [records.get(task.identity, {}).get("kpis", {}) for task in tasks]
    units = {name: unit for kpis in known for name, (_, unit) in kpis.items()}
    if not units:
        return [sequential.Width(kpi, str(text), math.inf, 0.0, "1") for kpi, text in plan.rule.until.items()]
    values = {kpi: [kpis.get(kpi, [None])[0] for kpis in known] for kpi in plan.rule.until}
    return sequential.widths(plan.rule, values, units)
