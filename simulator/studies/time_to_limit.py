"""How many seconds until chips throttle and trip, for everything of the cooling that can fail?

The campus is brought to an hour by the plan engine, undisturbed; from there each failure is followed
through the masses in series of one hall per group, the one with the hottest chip
(`components/cooling/course.py`). The engine itself, in steps of a minute, is what it is checked against.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from simulator.components.cooling.course import Course, follow
from simulator.kernels import columns as c
from simulator.scenario import Scenario
from simulator.simulation import Run, build, weather_of
from simulator.studies import StudyError, peak_hour
from simulator.studies.contingency_moment import LEAD_H, SETTLED_H, seconds_in
from simulator.studies.time_to_limit_cases import Case, cases
from simulator.studies.time_to_limit_halls import Place, minute_w, places
from simulator.weather import for_period

HOTTEST, PEAK = "hottest", "peak"
"""Words for the hour with the warmest air, and for the one with the largest estimated demand."""
RISE_K = 10.0
"""Warming of what cools the chips whose time is told: what is published for lost cooling."""
HOUR_S = 3600.0
COLUMNS = {
    "hall": "Hall with the hottest chip of its group",
    "chip": "Accelerator",
    "failure": "What fails",
    "element": "Its name",
    "throttle_s": "Until the hottest chip throttles; blank: never within the time looked at",
    "trip_s": "Until it switches itself off; blank likewise",
    "rise_10k_s": "Until what cools the chips is 10 K warmer",
    "sheddable_w": "Load that control can let go of before the trip: work of all racks concerned",
    "trip_with_caps_s": "Until the trip where that stops when caps hold (telemetry + actuation)",
    "trip_with_brake_s": "Until the trip where it stops when the emergency brake holds",
    "avoided_by": "What avoids the trip: no trip, caps, brake, or nothing",
    "recovered_s": "Until chips run at full clock again, where they do so by themselves",
    "chip_max_c": "Hottest chip",
    "note": "What was taken for granted",
}  # fmt: skip
"""Columns of the table, in order."""


@dataclass(frozen=True)
class Asked:
    """When, and for how long each failure is followed."""

    at: str = HOTTEST
    minutes: int = 60


@dataclass(frozen=True)
class Found:
    """The table of the study, and the courses behind it by row."""

    table: pd.DataFrame
    courses: list[Course]
    told: dict[str, Any]
    limits_c: dict[str, tuple[float, float]]
    """Where the chips of each hall begin to throttle, and switch themselves off."""


def study(scenario: Scenario, asked: Asked = Asked(), tell: Callable[[str], None] = lambda _: None) -> Found:
    """Return one row per hall group and failure, `COLUMNS`.

    Raises
    ------
    StudyError
        If `asked.at` is no hour of the period, or racks stand in immersion tanks, whose course this
        closed form does not follow.
    """
    unit = scenario.spec.topology.cooling.coolant_unit
    if unit.bath(unit.unit) is not None:
        raise StudyError(f"tanks of kind {unit.kind} warm in the run itself: give the failure as an incident of "
                         "the scenario; this study follows cold plates and air")  # fmt: skip
    tell("simulate up to the hour")
    run, clock = bring(scenario, asked.at)
    rows, courses, limits_c = [], [], {}
    for place in places(run):
        limits_c[run.world.site.hall_names[place.hall]] = place.path.hottest.throttle_c, place.path.hottest.shutdown_c
        tell(f"follow {run.world.site.hall_names[place.hall]}")
        for case in cases(run, place):
            course = follow(place.path, case.failure, 60.0 * asked.minutes)
            rows.append(_row(run, place, case, course, 60.0 * asked.minutes))
            courses.append(course)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return Found(table, courses, _told(run, scenario, asked, clock), limits_c)


def bring(scenario: Scenario, at: str) -> tuple[Run, datetime]:
    """Return the undisturbed run at an hour, and that hour on the campus's clock."""
    at_s = _seconds(scenario, at)
    shift_h = max(int(at_s // HOUR_S) - LEAD_H, 0)
    left_s = at_s - shift_h * HOUR_S
    shifted = peak_hour.beginning_at(scenario, shift_h, HOUR_S * math.ceil(left_s / HOUR_S))
    run = build(shifted, disturbed=False)
    run.advance(left_s)
    return run, scenario.spec.period.start + timedelta(seconds=at_s)


def _seconds(scenario: Scenario, at: str) -> float:
    """Return the moment in s after the start of the period."""
    period = scenario.spec.period
    hours = math.ceil(period.duration / HOUR_S)
    first = min(SETTLED_H, hours // 2)
    if at == HOTTEST:
        air = for_period(weather_of(scenario), period.start.astimezone(UTC), hours)
        found = first + int(np.argmax(air.dry_bulb_c[first : hours + 1]))
    elif at == PEAK:
        found = first + int(np.argmax(peak_hour.estimate_w(scenario)[first:]))
    else:
        return seconds_in(scenario, at)
    return min(max(found, 1) * HOUR_S, 60.0 * (period.duration // 60.0))


def _row(run: Run, place: Place, case: Case, course: Course, until_s: float) -> dict[str, Any]:
    site, control = run.world.site, run.world.site.topology.control
    caps = follow(place.path, case.failure.shed(control.delay_s), until_s)
    brake_s = math.inf if control.brake is None else control.telemetry + control.brake
    brake = follow(place.path, case.failure.shed(brake_s), until_s)
    acts_s = min(control.delay_s, brake_s)
    working_w = place.working_w if case.whole_hall else place.block_working_w
    return {
        "hall": site.hall_names[place.hall],
        "chip": site.chips[site.rack_chip[np.flatnonzero(site.rack_hall == place.hall)[0]]].name,
        "failure": case.name, "element": case.element,
        "throttle_s": course.throttle_s, "trip_s": course.trip_s,
        "rise_10k_s": course.rises_s(RISE_K),
        "sheddable_w": working_w if course.trip_s > acts_s else 0.0,
        "trip_with_caps_s": caps.trip_s, "trip_with_brake_s": brake.trip_s,
        "avoided_by": _avoided(course, caps, brake), "recovered_s": course.recovered_s(),
        "chip_max_c": max(course.chip_c), "note": case.note,
    }  # fmt: skip


def _avoided(course: Course, caps: Course, brake: Course) -> str:
    """Return what keeps the chips from switching themselves off."""
    if math.isinf(course.trip_s):
        return "no trip"
    if math.isinf(caps.trip_s):
        return "caps"
    return "brake" if math.isinf(brake.trip_s) else "nothing"


def _told(run: Run, scenario: Scenario, asked: Asked, clock: datetime) -> dict[str, Any]:
    control = scenario.spec.topology.control
    air = run.records.site[run.physics.step - 1]
    return {
        "name": scenario.spec.name, "at": clock.isoformat(), "chosen": asked.at,
        "minutes": asked.minutes, "dry_bulb_c": float(air[c.DRY_BULB_C]),
        "wet_bulb_c": float(air[c.WET_BULB_C]), "it_w": minute_w(run),
        "caps_hold_s": control.delay_s,
        "brake_holds_s": None if control.brake is None else control.telemetry + control.brake,
    }  # fmt: skip


__all__ = ["COLUMNS", "Asked", "Found", "StudyError", "bring", "study"]
