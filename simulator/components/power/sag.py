"""Voltage sags, and the power that loads draw through them as straight lines and jumps."""

import math
from typing import NamedTuple

import numpy as np

from simulator.components.power.bbu import BatteryBackup
from simulator.components.power.ride_through import RideThrough
from simulator.components.power.ups import Ups


class Sag(NamedTuple):
    """A fall of the voltage at the loads; in seconds from the first one's start, of nominal."""

    start_s: float
    lasts_s: float
    voltage: float

    @property
    def end_s(self) -> float:
        """When the voltage is back."""
        return self.start_s + self.lasts_s


def sags(voltage: float, lasts_s: float, repeat: int = 1, every_s: float = math.inf) -> list[Sag]:
    """Return equal sags that begin `every_s` after each other; ValueError if they overlap."""
    if repeat > 1 and every_s <= lasts_s:
        raise ValueError(f"sags of {lasts_s:g} s every {every_s:g} s overlap")
    return [Sag(i * every_s if i else 0.0, lasts_s, voltage) for i in range(repeat)]


class Course:
    """Power of a load, of what it drew before, as points joined by straight lines; two points at one
    time are a jump."""

    def __init__(self) -> None:
        self.time_s: list[float] = [0.0]
        self.share: list[float] = [1.0]

    def at(self, time_s: float, before: bool = False) -> float:
        """Return the share at a time; with `before`, just before a jump there."""
        times, shares = self.time_s, self.share
        if before:
            i = int(np.searchsorted(times, time_s, "left"))
            if i == len(times) or times[i] != time_s:
                return self._between(i - 1, time_s)
            return shares[i]
        return self._between(int(np.searchsorted(times, time_s, "right")) - 1, time_s)

    def _between(self, i: int, time_s: float) -> float:
        times, shares = self.time_s, self.share
        if i < 0:
            return shares[0]
        if i + 1 >= len(times):
            return shares[-1]
        span_s = times[i + 1] - times[i]
        return shares[i] + (shares[i + 1] - shares[i]) * (time_s - times[i]) / span_s

    def go(self, from_s: float, *points: tuple[float, float]) -> None:
        """Replace everything after `from_s` by points (time, share)."""
        now = self.at(from_s, before=True)
        kept = [(t, s) for t, s in zip(self.time_s, self.share, strict=True) if t < from_s]
        self.time_s, self.share = (list(x) for x in zip(*kept, (from_s, now), *points, strict=True))

    def back_s(self, share: float = 1.0) -> float:
        """Return the time from which the share is reached for good; infinite if never."""
        for i in range(len(self.time_s) - 1, -1, -1):
            if self.share[i] < share - 1e-12:
                if i + 1 == len(self.time_s):
                    return math.inf
                low, high = self.share[i], self.share[i + 1]
                part = (share - low) / (high - low)
                return self.time_s[i] + part * (self.time_s[i + 1] - self.time_s[i])
        return 0.0

    def missing_s(self, until_s: float) -> float:
        """Return the integral of what is not drawn, in seconds of the power before, to `until_s`."""
        ends = [t for t in self.time_s if t < until_s]
        shares = [1.0 - s for s in self.share[: len(ends)]]
        ends.append(until_s)
        shares.append(1.0 - self.at(until_s, before=True))
        return float(np.trapezoid(shares, ends))

    def misses_s(self, most_s: float) -> float:
        """Return when that integral exceeds a value; infinite if it never does."""
        last_s = self.time_s[-1]
        if self.missing_s(last_s) <= most_s:
            return math.inf
        from scipy.optimize import brentq  # half a second that runs without such a sag need not pay

        return float(brentq(lambda t: self.missing_s(t) - most_s, 0.0, last_s))


class Answer(NamedTuple):
    """What a load does in a row of sags."""

    course: Course
    outcome: str
    """stays, blinks, walks in, manual return, restarts, lost."""
    served: bool
    """Whether what stands behind it kept running all the time."""
    dark_s: float = math.inf
    """When racks that lost power have it again and boot."""


def through_ups(
    row: list[Sag], ups: Ups, generators_s: float = 0.0, held_up_s: float = math.inf
) -> Answer:
    """Return what a UPS draws: nothing in a sag below its window, then a ramp; with a counter of sags
    and enough of them nothing until staff transfer it back, for which its load needs generators.

    Batteries give whatever is not drawn, on the ramps too, and are not filled again within the row.
    Once sags are counted generators carry the load after `generators_s` (infinite: none do). In eco
    mode the load must hold up, `held_up_s`, until the inverter has taken over.
    """
    course, seen, outcome = Course(), [], "stays"
    gap = ups.mode == "eco" and ups.eco_transfer > held_up_s
    counter = ups.sag_counter
    for sag in row:
        if sag.voltage >= ups.input_window:
            continue
        seen.append(sag.start_s)
        recent = [s for s in seen if sag.start_s - s < (counter.within if counter else 0.0)]
        if counter and len(recent) >= counter.count:
            back_s = sag.end_s + counter.manual
            course.go(sag.start_s, (sag.start_s, 0.0), (back_s, 0.0), (back_s + ups.walk_in, 1.0))
            alone_s = sag.start_s + generators_s
            given_s = course.missing_s(alone_s if alone_s < back_s else back_s + ups.walk_in)
            return Answer(course, "manual return", given_s <= ups.ride_through and not gap)
        course.go(sag.start_s, (sag.start_s, 0.0), (sag.end_s, 0.0), (sag.end_s + ups.walk_in, 1.0))
        outcome = "walks in"
    lasts = course.missing_s(course.time_s[-1]) <= ups.ride_through
    return Answer(course, outcome, lasts and not (gap and seen))


def through_supplies(
    row: list[Sag], loads: RideThrough, idle_share: float, backup: BatteryBackup | None = None,
    load_w: float = 0.0, restart_s: float | None = None,
) -> Answer:  # fmt: skip
    """Return what racks without a UPS draw: full current in a sag that their supplies bear, then
    their batteries, then nothing until they have booted and their work runs again.

    Batteries give whatever is not drawn from when supplies let go to the end of the ramp, and are not
    filled again within the row; racks go dark when they are empty. `restart_s` tells the restart of their
    work, where that is not `loads.restart`.
    """
    course, outcome, served, own_s, dark_s = Course(), "stays", True, 0.0, math.inf
    restart_s = loads.restart if restart_s is None else restart_s
    lasts_s = 0.0 if backup is None else backup.holds_s(load_w)
    for sag in row:
        holds_s = loads.supplies.holds_s(sag.voltage)
        if holds_s == math.inf:
            continue
        before = course.at(sag.start_s, before=True)
        limit = min(1.0, sag.voltage / loads.full_power)
        if before == 1.0:  # no battery carries yet: the supplies do without what they cannot draw
            own_s += (1.0 - limit) * min(sag.lasts_s, holds_s)
        gone_s = math.inf
        if sag.lasts_s <= holds_s:
            if served and before > limit:
                _blink(course, sag, limit)
            outcome = "blinks" if outcome == "stays" and limit < 1.0 else outcome
        else:
            drawn, off_s = min(limit, before), sag.start_s + holds_s
            course.go(sag.start_s, (sag.start_s, drawn), (off_s, drawn), (off_s, 0.0), (sag.end_s, 0.0))
            if served and backup is not None and lasts_s > 0.0:
                course.go(sag.end_s, (sag.end_s + backup.walk_in, 1.0))
                outcome = "walks in"
            else:
                gone_s = sag.end_s
        if served and lasts_s > 0.0:
            gone_s = max(course.misses_s(own_s + lasts_s), sag.end_s)
        if gone_s < math.inf:
            boots = loads.boots(idle_share)
            start(course, gone_s, [*boots, (restart_s, 1.0)])
            outcome, served, dark_s = "restarts", False, gone_s
    return Answer(course, outcome, served, dark_s)


def _blink(course: Course, sag: Sag, limit: float) -> None:
    """Let a load draw no more than a limit in a sag, and after it what it drew without."""
    after = [(t, s) for t, s in zip(course.time_s, course.share, strict=True) if t > sag.end_s]
    again = course.at(sag.end_s)
    course.go(sag.start_s, (sag.start_s, limit), (sag.end_s, limit), (sag.end_s, again), *after)


def start(course: Course, dark_s: float, steps: list[tuple[float, float]]) -> None:
    """Let racks lose power at a time at which there is voltage, and draw shares of what they drew from then
    on: each some seconds after the one before."""
    at_s, share, points = dark_s, 0.0, [(dark_s, 0.0)]
    for after_s, then in steps:
        at_s += after_s
        points += [(at_s, share), (at_s, then)]
        share = then
    course.go(dark_s, *points)


def through_machines(row: list[Sag], loads: RideThrough) -> Answer:
    """Return what pumps, fans and chillers draw: they drop out and start again one by one."""
    course, outcome = Course(), "stays"
    for sag in row:
        holds_s = loads.machines.holds_s(sag.voltage)
        if sag.lasts_s <= holds_s:
            continue
        start_s = sag.end_s + loads.machines_restart
        off_s = sag.start_s + holds_s
        course.go(off_s, (off_s, 0.0), (start_s, 0.0), (start_s + loads.machines_ramp, 1.0))
        outcome = "restarts"
    return Answer(course, outcome, outcome == "stays")
