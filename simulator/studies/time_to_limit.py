"""How many seconds until chips throttle and trip, for everything of the cooling that can fail?

The campus is brought to an hour by the plan engine, undisturbed; from there each failure is followed
through the masses in series of one hall per group, the one with the hottest chip
(`components/cooling/course.py`). The engine itself, in steps of a minute, is what it is checked against.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from simulator import __version__
from simulator.components.cooling.course import DARK, Course, follow
from simulator.kernels import columns as c
from simulator.scenario import Scenario
from simulator.simulation import Run, build, weather_of
from simulator.studies import StudyError, peak_hour
from simulator.studies.contingency_moment import LEAD_H, SETTLED_H, seconds_in
from simulator.studies.time_to_limit_cases import Case, cases, whole_supply
from simulator.studies.time_to_limit_halls import Place, minute_w, places
from simulator.studies.time_to_limit_supply import without_import
from simulator.weather import for_period

HOTTEST, PEAK = "hottest", "peak"
"""Words for the hour with the warmest air, and for the one with the largest estimated demand."""
RISE_K = 10.0
"""Warming of what cools the chips whose time is told: what is published for lost cooling."""
HOUR_S = 3600.0
NO_TRIP = "no trip"
Tell = Callable[[str, int, int, str], None]
"""Told the stage, how much of how much is done, and of what."""
COLUMNS = {
    "hall": "Hall with the hottest chip of its group",
    "chip": "Accelerator",
    "failure": "What fails",
    "element": "Its name",
    "throttle_s": "Until the hottest chip throttles, or racks without accelerators do in hot air; "
                  "blank: never within the time looked at",
    "throttled_by": "Which limit that is: junction or memory of the chip, or the intake of those racks",
    "trip_s": "Until the chip, or its rack in hot air, switches itself off; blank likewise",
    "tripped_by": "By which limit: junction, memory or intake",
    "rise_10k_s": "Until the chips' coolant, or the air beside it, is 10 K warmer",
    "sheddable_w": "Load that control can let go of before the trip: work of all racks concerned",
    "trip_with_caps_s": "Until the trip where that stops when caps hold (telemetry + actuation)",
    "trip_with_brake_s": "Until the trip where it stops when the emergency brake holds",
    "avoided_by": "What avoids the trip: no trip within the time looked at, caps, brake, nothing, or racks dark: "
                  "they make no heat",
    "recovered_s": "Until all run at full clock again, where they do so by themselves",
    "chip_max_c": "Hottest chip",
    "note": "What was taken for granted",
}  # fmt: skip
"""Columns of the table, in order."""


def _silent(stage: str, done: int, total: int, of: str) -> None:
    """Tell nobody."""


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
    intakes_c: dict[str, tuple[float, float]]
    """Intakes at which racks without accelerators slow, and those of chips switch themselves off."""


def study(scenario: Scenario, asked: Asked = Asked(), tell: Tell = _silent) -> Found:
    """Return one row per hall group and failure, `COLUMNS`.

    Raises
    ------
    StudyError
        If `asked.at` is no hour of the period, or where processes cannot be forked.
    """
    run, clock = bring(scenario, asked.at, tell, asked.minutes)
    tell("follow the whole supply", 0, 1, "outages")
    lost = without_import(run, asked.minutes)
    rows, courses, limits_c, intakes_c = [], [], {}, {}
    found = [(place, case) for place in places(run) for case in [*cases(run, place), whole_supply(run, place, lost)]]
    for k, (place, case) in enumerate(found):
        hall = run.world.site.hall_names[place.hall]
        tell("follow each failure", k, len(found), "failures")
        limits_c[hall] = _limits_c(place)
        if place.path.air:
            intakes_c[hall] = place.path.air.support_c[0], place.path.air.off_c
        failure = case.failure if case.dark_s is None else case.failure.shed(case.dark_from_s)
        course = follow(place.path, failure, 60.0 * asked.minutes)
        rows.append(_row(run, place, case, course, asked.minutes))
        courses.append(course)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return Found(table, courses, _told(run, scenario, asked, clock), limits_c, intakes_c)


def bring(scenario: Scenario, at: str, tell: Tell = _silent, minutes: int = 0) -> tuple[Run, datetime]:
    """Return the undisturbed run at an hour, able to go on for so many minutes, and that hour on the campus's
    clock."""
    at_s = _seconds(scenario, at)
    shift_h = max(int(at_s // HOUR_S) - LEAD_H, 0)
    left_s = at_s - shift_h * HOUR_S
    hours = math.ceil(left_s / HOUR_S)
    whole_s = HOUR_S * (hours + math.ceil(60.0 * minutes / HOUR_S))
    run = build(peak_hour.beginning_at(scenario, shift_h, whole_s), disturbed=False)
    for hour in range(1, hours + 1):
        tell("simulate up to the hour", hour - 1, hours, "hours")
        run.advance(min(hour * HOUR_S, left_s))
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


def _limits_c(place: Place) -> tuple[float, float]:
    """Return the junctions at which a hall's hottest chip meets its limits or its memory's, as it is
    cooled at the moment."""
    path = place.path
    coolant_c = path.water.supply_c + path.approach_k_w * path.row.at(1.0, 1.0, 1.0)
    if path.tank:
        coolant_c = path.tank.fluid_c
    if path.in_air and path.air:
        coolant_c = path.air.intake_c
    return path.hottest.throttles(coolant_c)[0], path.hottest.trips(coolant_c)[0]


def _row(run: Run, place: Place, case: Case, course: Course, minutes: int) -> dict[str, Any]:
    site, control, until_s = run.world.site, run.world.site.topology.control, 60.0 * minutes
    brake_s = math.inf if control.brake is None else control.telemetry + control.brake
    caps, brake = (
        follow(place.path, case.failure.shed(at_s), until_s) if math.isfinite(course.trip_s) else course
        for at_s in (control.delay_s, brake_s)
    )  # without a trip there is none with less work
    acts_s = min(control.delay_s, brake_s)
    working_w = place.working_w if case.whole_hall else place.block_working_w
    told = {
        "hall": site.hall_names[place.hall],
        "chip": site.chips[site.rack_chip[np.flatnonzero(site.rack_hall == place.hall)[0]]].name,
        "failure": case.name, "element": case.element,
        "throttle_s": course.throttle_s, "throttled_by": course.throttled_by,
        "trip_s": course.trip_s, "tripped_by": course.tripped_by,
        "rise_10k_s": course.rises_s(RISE_K),
        "sheddable_w": working_w if course.trip_s > acts_s else 0.0,
        "trip_with_caps_s": caps.trip_s, "trip_with_brake_s": brake.trip_s,
        "avoided_by": _avoided(course, caps, brake, minutes), "recovered_s": course.recovered_s(),
        "chip_max_c": max(course.chip_c), "note": case.note,
    }  # fmt: skip
    if case.dark_s is None or course.trip_s < case.dark_from_s:
        return told
    return told | _without_power(course, case, working_w if case.dark_from_s > acts_s else 0.0)


def _without_power(course: Course, case: Case, sheddable_w: float) -> dict[str, Any]:
    """Return what is told of racks that are dark from a time on: no limit is met after it."""
    until = sum(t <= case.dark_from_s for t in course.time_s)
    throttles = course.throttle_s < case.dark_from_s
    never = dict.fromkeys(("trip_s", "trip_with_caps_s", "trip_with_brake_s"), math.inf)
    rise_s = course.rises_s(RISE_K)
    return never | {"throttle_s": course.throttle_s if throttles else math.inf,
                    "throttled_by": course.throttled_by if throttles else "", "tripped_by": "",
                    "rise_10k_s": rise_s if rise_s < case.dark_from_s else math.inf,
                    "sheddable_w": sheddable_w, "avoided_by": DARK,
                    "recovered_s": case.dark_s, "chip_max_c": max(course.chip_c[: max(until, 1)])}  # fmt: skip


def _avoided(course: Course, caps: Course, brake: Course, minutes: int) -> str:
    """Return what keeps the chips from switching themselves off, as far as was looked."""
    if math.isinf(course.trip_s):
        return f"{NO_TRIP} in {minutes} min"
    if math.isinf(caps.trip_s):
        return "caps"
    return "brake" if math.isinf(brake.trip_s) else "nothing"


def _told(run: Run, scenario: Scenario, asked: Asked, clock: datetime) -> dict[str, Any]:
    control = scenario.spec.topology.control
    air = run.records.site[run.physics.step - 1]
    return {
        "name": scenario.spec.name, "version": __version__, "at": clock.isoformat(), "chosen": asked.at,
        "minutes": asked.minutes, "dry_bulb_c": float(air[c.DRY_BULB_C]),
        "wet_bulb_c": float(air[c.WET_BULB_C]), "it_w": minute_w(run),
        "caps_hold_s": control.delay_s,
        "brake_holds_s": None if control.brake is None else control.telemetry + control.brake,
    }  # fmt: skip


__all__ = ["COLUMNS", "NO_TRIP", "Asked", "Found", "StudyError", "Tell", "bring", "study"]
