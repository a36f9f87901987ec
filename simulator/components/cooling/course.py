"""How hot chips become once something between them and the sky fails: masses in series in one hall.

    C_chip dT/dt      = P(s) - (T - T_coolant) / R            chip and cold plate
    C_row dT_row/dt   = q(s) - (T_row - T_loop) / approach    coolant and metal of a row of racks
    C_loop dT_loop/dt = G (T_plant - T_loop)                  water of loop and tank

P, q and the hall's heat follow the clock s that the chips' temperature allows at every moment: a chip
slows within milliseconds. Each line is solved exactly over a short step, its neighbours held.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from simulator.kernels.rack_control import allowed_clock

Steps = tuple[tuple[float, float], ...]
"""A share over time: (from, share), times in s, rising from 0."""
ALWAYS: Steps = ((0.0, 1.0),)
NEVER: Steps = ((0.0, 0.0),)
FINE_S, FINE_UNTIL_S, COARSE_S = 0.1, 120.0, 1.0
"""Step of the course, up to a time, and beyond it."""
HALVINGS = 24
"""Of the search for the clock that agrees with the temperature at a step's end."""
SMALL_W = 1e-3
"""Power of a chip at its limit that is off but for it."""
SLICES = 400
"""Of the way to a limit without flow."""


@dataclass(frozen=True)
class Chip:
    """A chip on its cold plate or heat sink, at its work."""

    resistance_k_w: float
    heat_capacity_j_k: float
    static_w: float
    """Idle and leakage, as at `static_c`."""
    dynamic_w: float
    """At full clock."""
    exponent: float
    """Dynamic power ~ clock ** exponent."""
    throttle_c: float
    slowdown_c: float
    shutdown_c: float
    leakage_w_k: float = 0.0
    """By which the static power follows the temperature while coolant flows; for the seconds without
    any it stays, as in a step of the engine."""
    static_c: float = 0.0

    def behind(self, resistance: float) -> "Chip":
        """Return the chip behind so many times its thermal resistance."""
        return replace(self, resistance_k_w=self.resistance_k_w * resistance)

    def clock(self, chip_c: float) -> float:
        """Return the clock that the chip allows at a temperature."""
        return float(allowed_clock(chip_c, self.throttle_c, self.slowdown_c, self.shutdown_c))

    def power_w(self, clock: float, work: float = 1.0) -> float:
        """Return the power at a clock, doing a share `work` of its work."""
        return float(self.static_w + work * self.dynamic_w * clock**self.exponent)

    def after(self, chip_c: float, coolant_c: float, flows: bool, work: float, dt_s: float) -> tuple[float, float]:
        """Return temperature and clock after a step of constant coolant; they agree at its end."""
        leak_w = self.leakage_w_k * (chip_c - self.static_c) if flows else 0.0
        cold_c = self._end_c(chip_c, coolant_c, flows, leak_w + self.power_w(1.0, work), dt_s)
        if cold_c <= self.throttle_c:
            return cold_c, 1.0
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            clock = 0.5 * (low + high)
            end_c = self._end_c(chip_c, coolant_c, flows, leak_w + self.power_w(clock, work), dt_s)
            low, high = (clock, high) if self.clock(end_c) > clock else (low, clock)
        return self._end_c(chip_c, coolant_c, flows, leak_w + self.power_w(low, work), dt_s), low

    def seconds_dry(self, from_c: float, to_c: float) -> float:
        """Return how long the chip takes between two temperatures without any flow.

        dT/dt = P(s(T)) / C, so the time is the integral of C / P over the way (trapezoids).
        """
        if from_c >= to_c:
            return 0.0
        way_c = np.linspace(from_c, to_c, SLICES)
        power_w = np.array([self.power_w(self.clock(t)) for t in way_c])
        if power_w[:-1].min() <= 0.0:
            return math.inf
        power_w[-1] = max(power_w[-1], SMALL_W)
        return float(np.trapezoid(self.heat_capacity_j_k / power_w, way_c))

    def _end_c(self, chip_c: float, coolant_c: float, flows: bool, power_w: float, dt_s: float) -> float:
        if not flows:
            return chip_c + power_w * dt_s / self.heat_capacity_j_k
        end_c = coolant_c + self.resistance_k_w * power_w
        decay = math.exp(-dt_s / (self.resistance_k_w * self.heat_capacity_j_k))
        return end_c + (chip_c - end_c) * decay


@dataclass(frozen=True)
class Heat:
    """Heat in W that is there, and that follows the clock of mean chips."""

    static_w: float
    dynamic_w: float

    def at(self, clock: float, exponent: float, work: float) -> float:
        """Return the heat at a clock and a share of the work."""
        return float(self.static_w + work * self.dynamic_w * clock**exponent)


@dataclass(frozen=True)
class Hall:
    """One hall's path of heat at the moment of the failure."""

    hottest: Chip
    mean: Chip
    chip_c: float
    mean_c: float
    row: Heat
    """Of the block of the hottest chip, or of all the hall's air."""
    row_j_k: float
    approach_k_w: float
    settle_s: float
    """Time in which a row, or a hall's air, gives off what it held once its water flows again."""
    loop: Heat
    """Of the whole hall, pumps included."""
    loop_c: float
    loop_j_k: float
    flow_w_k: float
    plant_c: Callable[[float, float], float]
    """(heat in W, share of the units) -> water that the plant delivers, in degC."""
    offset_k: float = 0.0
    """Of what the chips get over the row's temperature: approach of a coil."""


@dataclass(frozen=True)
class Failure:
    """What of a hall's cooling works from the failure on, and how much the racks do."""

    coolant: Steps = ALWAYS
    """Flow at the chips."""
    water: Steps = ALWAYS
    """Whether the loop's water takes the row's heat."""
    plant: Steps = ALWAYS
    """Share of the plant's units that runs."""
    work: Steps = ALWAYS
    """Share of the racks' work that goes on."""
    approach: float = 1.0
    """Approach of what stands between row and loop, over that before."""
    resistance: float = 1.0
    """Thermal resistance of the chips, whose cold plates get less flow, over that before."""
    warmer_k: float = 0.0
    """Of the intake, at once: exhaust that is mixed in."""

    def shed(self, at_s: float) -> "Failure":
        """Return the same with all work stopped from a time on."""
        return replace(self, work=((0.0, 1.0), (at_s, 0.0)))


@dataclass
class Course:
    """Temperatures over time; ends where the hottest chip switches itself off."""

    time_s: list[float] = field(default_factory=list)
    chip_c: list[float] = field(default_factory=list)
    coolant_c: list[float] = field(default_factory=list)
    loop_c: list[float] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)
    throttle_s: float = math.inf
    trip_s: float = math.inf

    def rises_s(self, kelvin: float) -> float:
        """Return when what cools the chips is so much warmer than at the start; infinite if never."""
        coolant = np.array(self.coolant_c)
        above = np.flatnonzero(coolant >= coolant[0] + kelvin)
        return self.time_s[above[0]] if above.size else math.inf

    def recovered_s(self) -> float:
        """Return from when on chips run at full clock; infinite where they trip or stay slowed."""
        if math.isfinite(self.trip_s) or self.clock[-1] < 1.0:
            return math.inf
        slow = np.flatnonzero(np.array(self.clock) < 1.0)
        return self.time_s[slow[-1] + 1] if slow.size else 0.0


def share_at(steps: Steps, time_s: float) -> float:
    """Return the share that holds at a time."""
    return next(share for at_s, share in reversed(steps) if at_s <= time_s)


def follow(hall: Hall, failure: Failure, until_s: float) -> Course:
    """Return the course of a failure, up to a time or to the first trip."""
    told = Course()
    time_s, chip_c, mean_c, loop_c, clock, pace = 0.0, hall.chip_c, hall.mean_c, hall.loop_c, 1.0, 1.0
    approach_k_w, held_k = hall.approach_k_w * failure.approach, 0.0
    hottest, mean = hall.hottest.behind(failure.resistance), hall.mean.behind(failure.resistance)
    while True:
        work = share_at(failure.work, time_s)
        row_w = hall.row.at(pace, hall.mean.exponent, work)
        coolant_c = loop_c + approach_k_w * row_w + held_k + hall.offset_k + failure.warmer_k * (time_s > 0.0)
        _note(told, time_s, chip_c, coolant_c, loop_c, clock)
        if time_s >= until_s:
            return told
        dt_s = FINE_S if time_s < FINE_UNTIL_S else COARSE_S
        flows = share_at(failure.coolant, time_s) > 0.0
        before_c, (chip_c, clock) = chip_c, hottest.after(chip_c, coolant_c, flows, work, dt_s)
        mean_c, pace = mean.after(mean_c, coolant_c, flows, work, dt_s)
        _cross(told, hall.hottest, time_s, dt_s, before_c, chip_c)
        takes = share_at(failure.water, time_s) > 0.0 and flows
        held_k, freed_w = _hold(held_k, row_w if flows else 0.0, takes, hall.row_j_k, hall.settle_s, dt_s)
        others_w = hall.loop.at(pace, hall.mean.exponent, work)
        heat_w = (others_w if takes else 0.0) + freed_w * hall.loop.at(1.0, 1.0, 1.0) / hall.row.at(1.0, 1.0, 1.0)
        loop_c = _loop(hall, loop_c, heat_w, share_at(failure.plant, time_s), share_at(failure.water, time_s), dt_s)
        time_s += dt_s
        if math.isfinite(told.trip_s):
            _note(told, time_s, chip_c, coolant_c, loop_c, clock)
            return told


def _hold(
    held_k: float, row_w: float, takes: bool, row_j_k: float, settle_s: float, dt_s: float
) -> tuple[float, float]:
    """Return how much warmer than settled the row is after a step, and what it gives off in W."""
    if not takes:
        return held_k + row_w * dt_s / row_j_k, 0.0
    left_k = held_k * math.exp(-dt_s / max(settle_s, 1.0))
    return left_k, (held_k - left_k) * row_j_k / dt_s


def _loop(hall: Hall, loop_c: float, heat_w: float, units: float, flow: float, dt_s: float) -> float:
    """Return the loop after a step; its plant settles it, and without one it warms at Q / C."""
    if flow <= 0.0:
        return loop_c
    if units <= 0.0:
        return loop_c + heat_w * dt_s / hall.loop_j_k
    plant_c = hall.plant_c(heat_w, units)
    return plant_c + (loop_c - plant_c) * math.exp(-dt_s * hall.flow_w_k * flow / hall.loop_j_k)


def _cross(told: Course, chip: Chip, time_s: float, dt_s: float, before_c: float, after_c: float) -> None:
    """Note when the chip passes its limits inside a step, on a straight line."""
    for name, limit_c in (("throttle_s", chip.throttle_c), ("trip_s", chip.shutdown_c - 1e-3)):
        if math.isinf(getattr(told, name)) and after_c >= limit_c:
            part = (limit_c - before_c) / (after_c - before_c) if after_c > before_c else 0.0
            setattr(told, name, time_s + dt_s * min(max(part, 0.0), 1.0))


def _note(told: Course, time_s: float, chip_c: float, coolant_c: float, loop_c: float, clock: float) -> None:
    told.time_s.append(time_s)
    told.chip_c.append(chip_c)
    told.coolant_c.append(coolant_c)
    told.loop_c.append(loop_c)
    told.clock.append(clock)
