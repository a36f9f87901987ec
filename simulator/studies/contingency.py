"""What does every single failure cost? Each is tried in the engine itself, from one and the same state.

The undisturbed campus is brought to its peak hour once; every case is a forked copy of that state in
which its element fails as a scripted incident would, and which goes on for an hour.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import simpy

from simulator import __version__
from simulator.components.incident import Incident
from simulator.engine import effects
from simulator.engine.outage_log import Repair
from simulator.engine.physics import STEP_S
from simulator.engine.rates import YEAR_S
from simulator.scenario import Scenario
from simulator.simulation import build
from simulator.studies import contingency_alike as alike
from simulator.studies import contingency_cases as cases_
from simulator.studies import contingency_costs as costs_
from simulator.studies import contingency_rows as rows_
from simulator.studies import contingency_state as state
from simulator.studies import forked
from simulator.studies.contingency_cases import Case, Hit, Wanted
from simulator.studies.contingency_moment import Moment, bring
from simulator.studies.contingency_together import together
from simulator.studies.contingency_watch import Response, Watch

MOST_WORST = 20
"""Single failures of which every pair is tried."""
OUT_FROM_S = 60.0
"""When what is under maintenance goes out, after the start of the run."""

Progress = Callable[[str, int, int], None]
"""Told what is done, how many of it, and of how many."""


@dataclass(frozen=True)
class Asked:
    """What is to be tried."""

    order: int = 1
    at: str | None = None
    minutes: int = 60
    wanted: Wanted = field(default_factory=Wanted)
    maintenance: tuple[str, ...] = ()


@dataclass
class Study:
    """What was found. Row 0 of the table is the intact site."""

    table: pd.DataFrame
    shed_w: list[np.ndarray | None]
    """(minutes, classes of load) of every row; None where there is no result."""
    told: dict[str, Any]
    """The moment, what was tried, and what was not."""
    finished: bool = True


@dataclass
class Work:
    """Cases and their answers so far."""

    network_rests: bool
    """Whether no job of the intact site takes or leaves racks."""
    cases: list[Case] = field(default_factory=list)
    answers: list[forked.Answer | None] = field(default_factory=list)
    simulations: int = 0
    each_s: float = 0.0
    """Of wall time that a simulation took so far, over all workers."""


def study(
    scenario: Scenario, asked: Asked = Asked(), workers: int = 1, progress: Progress | None = None
) -> Study:
    """Return one row per case, `contingency_columns.COLUMNS`; the same for any number of workers.

    An interruption (Ctrl-C) ends the study with the rows that are done.

    Raises
    ------
    StudyError
        Where processes cannot be forked, or what is asked for is not there.
    """
    forked.check()
    tell = progress or (lambda what, done, total: None)
    if asked.wanted.patterns:
        cases_.check(build(scenario, disturbed=False), asked.wanted)
    out = _out(scenario, asked.maintenance)
    moment = bring(scenario, asked.at, asked.minutes, _incidents(out), lambda name: tell(name, 0, 0))
    watch = Watch(moment.run)
    intact, network_rests = _intact(moment, watch, asked.minutes)
    wanted = Wanted(asked.wanted.patterns, asked.wanted.kinds, asked.wanted.each, out)
    work, finished, left_out = Work(network_rests), True, 0
    try:
        singles = cases_.singles(moment.run, wanted)
        _try(moment, watch, asked.minutes, singles, work, workers, tell, "single failures")
        if asked.order > 1:
            failures = [(case, a) for case, a in _done(work) if case.planned_s is None]
            costs = [_cost(case, answer, intact) for case, answer in failures]
            felt = [i for i in range(len(costs)) if max(costs[i]) > 0.0]
            worst = sorted(felt, key=lambda i: (-costs[i][0], -costs[i][1]))
            several, left_out = together(moment.run, [c for c, _ in failures], worst, MOST_WORST)
            _try(moment, watch, asked.minutes, several, work, workers, tell, "several at once")
    except KeyboardInterrupt:
        finished = False
    done = [(case, answer) for case, answer in _done(work) if answer is not None]
    held = state.share(moment.run, out, moment.at_s)
    frame = rows_.Frame(moment.run, watch, intact, asked.minutes, rows_.evidence(scenario), held[0])
    table, responses = rows_.ranked(frame, done)
    shed_w = [None if response is None else response.shed_w for response in responses]
    return Study(table, shed_w, _told(moment, asked, work, left_out, scenario, held), finished)


def _done(work: Work) -> list[tuple[Case, forked.Answer | None]]:
    return list(zip(work.cases, work.answers, strict=True))


def _cost(case: Case, answer: forked.Answer | None, intact: Response) -> tuple[float, float]:
    """Return the accelerator-hours that a case costs a year, and each time."""
    if not answer or not answer.value:
        return 0.0, 0.0
    hours = costs_.hours_per_failure(case, answer.value, intact)
    return costs_.rate_per_year(case, answer.value) * hours, hours


def _out(scenario: Scenario, maintenance: Sequence[str]) -> tuple[Hit, ...]:
    """Return what is under maintenance."""
    if not maintenance:
        return ()
    run = build(scenario, disturbed=False)
    return tuple(cases_.named(run, name) for name in maintenance)


def _incidents(hits: Sequence[Hit]) -> list[Incident]:
    """Return the incidents that stand for elements under maintenance, for as long as the run lasts."""
    return [
        Incident.model_validate(
            {"cause": hit.cls.name, "element": hit.element, "at": OUT_FROM_S, "lasts": YEAR_S},
            context={"si": True},
        )
        for hit in hits
    ]


def _intact(moment: Moment, watch: Watch, minutes: int) -> tuple[Response, bool]:
    """Return what happens when nothing fails, and whether no job takes or leaves racks meanwhile."""
    network = moment.run.world.network
    moves = network.moves
    _, answer = next(forked.each(1, lambda _: (_respond(moment, watch, minutes), network.moves == moves), 1))
    if answer.value is None:
        raise RuntimeError(f"the intact site: {answer.error}")
    found: tuple[Response, bool] = answer.value
    return found


def _try(
    moment: Moment, watch: Watch, minutes: int, cases: list[Case], work: Work, workers: int,
    tell: Progress, what: str,
) -> None:
    """Add the answers of some cases to the work; those alike are asked once."""
    base = len(work.cases)
    work.cases += cases
    work.answers += [None] * len(cases)
    repairs = alike.repairs(moment.run, cases, moment.at_s)
    groups = alike.groups(moment.run, cases, repairs, moment.at_s + minutes * STEP_S, work.network_rests)
    work.simulations += len(groups)
    what, began_s = _announced(what, len(groups), work.each_s), time.monotonic()
    tell(what, 0, len(cases))

    def one(g: int) -> Response:
        first = groups[g][0]
        return _respond(moment, watch, minutes, cases[first].hits, repairs[first].by_hit)

    done = 0
    for g, answer in forked.each(len(groups), one, workers):
        for i in groups[g]:
            work.answers[base + i] = alike.own(answer, repairs[i], moment.at_s)
        done += len(groups[g])
        tell(what, done, len(cases))
    work.each_s = (time.monotonic() - began_s) / max(len(groups), 1)


def _announced(what: str, simulations: int, each_s: float) -> str:
    """Return a stage's name with its simulations, and how long these last where that is known."""
    lasts = f", about {max(round(simulations * each_s), 1):,} s" if each_s else ""
    return f"{what}, {simulations:,} simulations{lasts},"


def _respond(
    moment: Moment, watch: Watch, minutes: int, hits: tuple[Hit, ...] = (), repairs: Sequence[Repair] = ()
) -> Response:
    """Be one future: let the elements fail, as incidents would, or be taken out for planned work, and go
    on."""
    world = moment.run.world
    assert moment.gate.callbacks is not None

    def strike(hit: Hit, repair: Repair, _: simpy.Event) -> None:
        effects.inflict(world, hit.cls, hit.target, hit.unit, repair, "contingency")

    for hit, repair in zip(hits, repairs, strict=True):
        moment.gate.callbacks.append(partial(strike, hit, repair))
    told = watch.follow(moment.at_s, minutes)
    last_s = max((repair.back_s for repair in repairs), default=moment.at_s)
    told.first_feeds = bool(moment.at_s + told.fed_s < last_s - alike.AT_ONCE_S)
    return told


def _told(
    moment: Moment, asked: Asked, work: Work, left_out: int, scenario: Scenario, held: tuple[float, str]
) -> dict[str, Any]:
    spec = scenario.spec
    return {
        "name": spec.name, "version": __version__, "config_hash": scenario.config_hash,
        "seed": spec.seed,
        "at": moment.clock.isoformat(), "chosen": moment.told,
        "simulated_before_h": moment.at_s / 3600.0, "minutes": asked.minutes,
        "order": asked.order, "maintenance": list(asked.maintenance),
        "state_share": held[0], "state_share_of": held[1],
        "filters": list(asked.wanted.patterns), "kinds": list(asked.wanted.kinds),
        "elements": sum(case.count for case in work.cases if len(case.hits) == 1),
        "simulations": work.simulations, "pairs_left_out": left_out,
    }  # fmt: skip
