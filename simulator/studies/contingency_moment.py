"""The state from which contingencies are told: the plan engine, undisturbed, at the peak hour."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import simpy

from simulator import units
from simulator.components.failure_class import FailureClass
from simulator.components.incident import Incident
from simulator.engine import effects
from simulator.engine.elements import elements
from simulator.scenario import Scenario
from simulator.simulation import Run, build
from simulator.studies import StudyError, peak_hour

FROM_START_H = 168
"""Moments up to here are simulated from the beginning of the period, exactly as `gigawatt run` would;
later ones from `LEAD_H` before the hours in question, which costs seconds instead of minutes."""
LEAD_H = 24
"""Loops and chips settle within minutes, pools within hours, the start of a job takes less."""
SETTLED_H = 6
"""Hours after the start in which no peak is looked for, where the period is long enough."""

Stage = Callable[[str], None]


@dataclass(frozen=True)
class Moment:
    """A run that stands at the moment, and the event that will come first there."""

    run: Run
    at_s: float
    """Since the start of the run at hand."""
    clock: datetime
    """On the campus's clock."""
    told: str
    """How the moment was found."""
    gate: simpy.Event


def bring(
    scenario: Scenario, at: str | None, minutes: int, out: Sequence[Incident] = (),
    stage: Stage = lambda name: None,
) -> Moment:
    """Return the undisturbed run at the hour with the largest demand, or at `at`.

    Parameters
    ----------
    at : str, optional
        A date and time, on the campus's clock where it has no offset, or a time after the start of
        the period (`36 h`).
    minutes : int
        How long the run must be able to go on from there.
    out : incidents
        What is out of service from the start on.

    Raises
    ------
    StudyError
        If `at` is no such time or not in the period.
    """
    stage("find the peak hour" if at is None else "prepare")
    if at is None:
        shifted, first, at_s = _peak(scenario, minutes)
        told = "the hour with the largest demand"
    else:
        shifted, first, at_s = _asked(scenario, seconds_in(scenario, at), minutes)
        told = "as asked"
    rehearse(first)
    spec = shifted.spec.model_copy(update={"incidents": tuple(out)})
    run = build(replace(shifted, spec=spec), disturbed=False)
    run.world.share_entries(first.world)
    gate = run.world.env.timeout(at_s)  # now, as incidents are: first of what happens at that moment
    stage("simulate up to the moment")
    run.advance(at_s)
    return Moment(run, at_s, spec.period.start + timedelta(seconds=at_s), told, gate)


def _peak(scenario: Scenario, minutes: int) -> tuple[Scenario, Run, float]:
    """Return the scenario around the estimated peak, a run of it, and when its demand is largest."""
    whole_h = math.ceil(scenario.spec.period.duration / 3600.0)
    guess_h = int(peak_hour.estimate_w(scenario).argmax())
    first_h = max(guess_h - peak_hour.AROUND_H, min(SETTLED_H, whole_h // 2))
    last_h = max(min(guess_h + peak_hour.AROUND_H, whole_h - 1), first_h)
    shift_h = 0 if last_h <= FROM_START_H else first_h - LEAD_H
    shifted = _from(scenario, shift_h, (last_h + 1 - shift_h) * 3600.0, minutes)
    run = build(shifted, disturbed=False)
    run.advance((last_h + 1 - shift_h) * 3600.0)
    return shifted, run, peak_hour.of_run(run, first_h - shift_h, last_h - shift_h) * 3600.0


def _asked(scenario: Scenario, asked_s: float, minutes: int) -> tuple[Scenario, Run, float]:
    """Return the scenario around a moment, a run of it at the moment, and when that is."""
    shift_h = 0 if asked_s <= FROM_START_H * 3600.0 else int(asked_s // 3600.0) - LEAD_H
    at_s = asked_s - shift_h * 3600.0
    shifted = _from(scenario, shift_h, at_s, minutes)
    run = build(shifted, disturbed=False)
    run.advance(at_s)
    return shifted, run, at_s


def _from(scenario: Scenario, shift_h: int, until_s: float, minutes: int) -> Scenario:
    """Return the scenario from some hour on until so many minutes after a moment, in whole hours."""
    hours = math.ceil(until_s / 3600.0) + math.ceil(minutes / 60.0)
    return peak_hour.beginning_at(scenario, shift_h, hours * 3600.0)


def seconds_in(scenario: Scenario, at: str) -> float:
    """Return the whole minute of the period that `at` names, in s after its start."""
    period = scenario.spec.period
    try:
        when = datetime.fromisoformat(at)
    except ValueError:
        seconds = _after_start_s(at)
    else:
        when = when if when.tzinfo else when.replace(tzinfo=period.start.tzinfo)
        seconds = (when - period.start).total_seconds()
    if not 0.0 < seconds <= period.duration:
        raise StudyError(
            f"--at {at} is not within the period: {period.duration / 86_400.0:g} days from "
            f"{period.start.isoformat()} on"
        )
    return 60.0 * max(round(seconds / 60.0), 1)


def _after_start_s(text: str) -> float:
    try:
        return units.parse(text, "s")
    except ValueError:
        raise StudyError(
            f"--at {text} is neither a date and time (2027-07-15T15:00) nor a time after the start of "
            "the period (36 h)"
        ) from None


def rehearse(run: Run) -> None:
    """Let one element of every class fail in a run that is thrown away, so that the machine code of
    what follows is loaded once here, and not in each of the processes that are forked later."""
    world = run.world
    for cls in run.front.classes:
        for where in list(elements(world.site, cls).values())[:1]:
            world.env.timeout(1.0).callbacks.append(_strike(run, cls, where))  # type: ignore[union-attr]
    run.advance(world.end_s)


def _strike(run: Run, cls: FailureClass, where: tuple[int, int]) -> Callable[[simpy.Event], None]:
    def strike(_: simpy.Event) -> None:
        repair = run.front.shop.plan(cls, run.world.env.now, False, 0.0)
        effects.inflict(run.world, cls, *where, repair)

    return strike
