"""Which failures are one simulation: those that take the same out, and bring it back after the window.

What an element is called, how often it fails and how long its repair lasts beyond the window change
nothing inside it; they are told of every row by itself. Of several, which is back first counts. A breaker
that takes its busway with it is the busway; what leaves everything as it is, is any such
(`contingency_spare`).
"""

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.engine import maintenance
from simulator.engine.outage_log import Repair
from simulator.simulation import Run
from simulator.studies import contingency_spare as spare
from simulator.studies.contingency_cases import Case
from simulator.studies.forked import Answer

AT_ONCE_S = 1.0
"""Between repairs that end at once: above the rounding of the clock, and far below how they differ."""


@dataclass(frozen=True)
class Planned:
    """When a case is repaired if it begins now."""

    by_hit: tuple[Repair, ...]
    by_class_s: tuple[float, ...]
    """Of a single failure: how long the repair lasts, by class that strikes it so."""


def repairs(run: Run, cases: Iterable[Case], at_s: float) -> list[Planned]:
    """Return when each case is repaired if it begins at `at_s`: every case with the crews and parts
    that are free then, those of one case one after the other. Nothing is promised to any of them."""
    known: dict[Hashable, Planned] = {}
    found = []
    for case in cases:
        classes = [hit.cls for hit in case.hits], case.classes
        key = case.planned_s, *(tuple(cls.name for cls in those) for those in classes)
        if key not in known:
            known[key] = _planned(run, case, at_s)
        found.append(known[key])
    return found


def _planned(run: Run, case: Case, at_s: float) -> Planned:
    if case.planned_s is not None:
        work = maintenance.planned_work(at_s, *case.planned_s, "maintenance")
        return Planned((work,) * len(case.hits), (work.back_s - at_s,))
    by_hit = _in_turn(run, [hit.cls for hit in case.hits], at_s)
    alone = [_in_turn(run, [cls], at_s)[0] for cls in case.classes] if len(case.hits) == 1 else []
    return Planned(by_hit, tuple(repair.back_s - at_s for repair in alone))


def _in_turn(run: Run, classes: Iterable[FailureClass], at_s: float) -> tuple[Repair, ...]:
    """Return the repairs of failures that come at once, and leave the shop as it was."""
    columns = [column for column in run.world.shop if isinstance(column, np.ndarray)]
    before = [column.copy() for column in columns]
    told = tuple(run.front.shop.plan(cls, at_s, False, 0.0) for cls in classes)
    for column, was in zip(columns, before, strict=True):
        column[...] = was
    return told


def groups(
    run: Run, cases: list[Case], planned: list[Planned], until_s: float, network_rests: bool
) -> list[list[int]]:
    """Return the cases, by number, that share a simulation which ends at `until_s`; `network_rests` as in
    `contingency_spare.what`."""
    alike: dict[Hashable, list[int]] = {}
    for i, (case, told) in enumerate(zip(cases, planned, strict=True)):
        key: Hashable = ("case", i)
        if case.alike:
            repairs = (_inside(repair, until_s) for repair in told.by_hit)
            key = (spare.what(run, case, network_rests), _order(told.by_hit), *repairs)
        alike.setdefault(key, []).append(i)
    return list(alike.values())


def _inside(repair: Repair, until_s: float) -> Hashable:
    """Return what a window sees of a repair: how it shows itself, and its end where that lies in it."""
    back_s = repair.back_s if repair.back_s <= until_s else math.inf
    return back_s, repair.transient, repair.planned, repair.unnoticed_s, repair.diagnosis_s


def _order(repairs: Sequence[Repair]) -> tuple[int, ...]:
    """Return how many are back before each: whether the first of several feeds what is dark depends on which of
    them that is (`contingency_watch.Response.first_feeds`)."""
    return tuple(sum(other.back_s < mine.back_s - AT_ONCE_S for other in repairs) for mine in repairs)


def own(answer: Answer, planned: Planned, at_s: float) -> Answer:
    """Return the answer of a simulation as that of one of the cases that share it."""
    if answer.value is None:
        return answer
    repair_s = tuple(repair.back_s - at_s for repair in planned.by_hit)
    response: Any = replace(answer.value, repair_s=repair_s, class_repair_s=planned.by_class_s)
    return Answer(response)
