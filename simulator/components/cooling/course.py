"""How hot chips become once something between them and the sky fails: masses in series in one hall.

    C_chip dT/dt      = P(s) - (T - T_coolant) / R            chip and cold plate
    C_row dT_row/dt   = q(s) - (T_row - T_loop) / approach    coolant and metal of a row of racks
    C_loop dT_loop/dt = G (T_plant - T_loop)                  water of loop and tank

In an immersion tank (`Immersed`) the row is the tank's fluid, by the engine's own law (`tank.py`). P, q and
the hall's heat follow the clock s that the temperatures of chips and their memory allow at every moment: a
chip slows within milliseconds. Each line is solved exactly over a short step, its neighbours held.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from simulator.components.cooling.hot_chip import Chip
from simulator.components.cooling.rack_side import Bath
from simulator.components.cooling.tank import Tank

Steps = tuple[tuple[float, float], ...]
"""A share over time: (from, share), times in s, rising from 0."""
ALWAYS: Steps = ((0.0, 1.0),)
NEVER: Steps = ((0.0, 0.0),)
FINE_S, FINE_UNTIL_S, COARSE_S = 0.1, 120.0, 1.0
"""Step of the course, up to a time, and beyond it."""
AT_LIMIT_K = 1e-3
"""So near its shutdown a chip whose power falls to nothing there counts as off."""


@dataclass(frozen=True)
class Heat:
    """Heat in W that is there, and that follows the clock of mean chips."""

    static_w: float
    dynamic_w: float

    def at(self, clock: float, exponent: float, work: float) -> float:
        """Return the heat at a clock and a share of the work."""
        return float(self.static_w + work * self.dynamic_w * clock**exponent)


@dataclass(frozen=True)
class Immersed:
    """The tank of the hottest chip's block at the moment of the failure."""

    bath: Bath
    fluid_c: float
    vapour_j: float
    pump_w: float
    """Of its pumps, which warm it as long as they run."""
    still: float
    """Thermal resistance of its chips once the pumps stand, over that before."""


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
    """Of what the chips get over the row's temperature: of a coil whose valve is open."""
    held_c: float = -math.inf
    """Temperature that the valve of a coil holds for them, as long as its water allows."""
    tank: Immersed | None = None
    """None: cold plates or air; else the row is this tank, and `row_j_k` and `settle_s` do not count."""


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
    coil_k: float = 0.0
    """Further rise of a coil's air over its water, which flows less."""
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
    throttled_by: str = ""
    """The limit that binds first, `JUNCTION` or `MEMORY`; empty: none does."""
    tripped_by: str = ""

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
    told, row = Course(), _row_of(hall, failure)
    behind = {pumped: failure.resistance * row.resistance(pumped) for pumped in (True, False)}
    hottest, mean = ({pumped: chip.behind(times) for pumped, times in behind.items()}
                     for chip in (hall.hottest, hall.mean))
    time_s, chip_c, mean_c, loop_c, clock, pace = 0.0, hall.chip_c, hall.mean_c, hall.loop_c, 1.0, 1.0
    while True:
        work = share_at(failure.work, time_s)
        row_w = hall.row.at(pace, hall.mean.exponent, work)
        coolant_c = row.coolant_c(max(loop_c + hall.offset_k + failure.coil_k, hall.held_c), row_w)
        coolant_c += failure.warmer_k * (time_s > 0.0)
        _note(told, time_s, chip_c, coolant_c, loop_c, clock)
        if time_s >= until_s or math.isfinite(told.trip_s):
            return told
        dt_s = FINE_S if time_s < FINE_UNTIL_S else COARSE_S
        pumped, flows = share_at(failure.coolant, time_s) > 0.0, share_at(failure.water, time_s)
        before_c, wetted = chip_c, row.wets(pumped)
        chip_c, clock = hottest[pumped].after(chip_c, coolant_c, wetted, work, dt_s)
        mean_c, pace = mean[pumped].after(mean_c, coolant_c, wetted, work, dt_s)
        _cross(told, hall.hottest, coolant_c, time_s, dt_s, before_c, chip_c)
        others_w = hall.loop.at(pace, hall.mean.exponent, work)
        heat_w = row.gives_w(row_w, others_w, loop_c, pumped, flows > 0.0, dt_s)
        loop_c = _loop(hall, loop_c, heat_w, share_at(failure.plant, time_s), flows, dt_s)
        time_s += dt_s


class _Row:
    """Coolant and metal of a row on cold plates, or a hall's air: it holds what no water takes."""

    def __init__(self, hall: Hall, approach: float) -> None:
        self.hall, self.approach_k_w, self.held_k = hall, hall.approach_k_w * approach, 0.0
        self.halls = hall.loop.at(1.0, 1.0, 1.0) / hall.row.at(1.0, 1.0, 1.0)

    def coolant_c(self, loop_c: float, row_w: float) -> float:
        """Return what reaches the chips, in degC."""
        return loop_c + self.approach_k_w * row_w + self.held_k

    def resistance(self, pumped: bool) -> float:
        """Return the chips' resistance over that before for pumps that run or stand."""
        return 1.0

    def wets(self, pumped: bool) -> bool:
        """Return whether chips give heat to what is around them."""
        return pumped

    def gives_w(
        self, row_w: float, others_w: float, loop_c: float, pumped: bool, flows: bool, dt_s: float
    ) -> float:
        """Advance by a step; return what the hall gives to its loop in W, `others_w` where nothing is held."""
        if not (pumped and flows):
            self.held_k += (row_w if pumped else 0.0) * dt_s / self.hall.row_j_k
            return 0.0
        left_k = self.held_k * math.exp(-dt_s / max(self.hall.settle_s, 1.0))
        freed_w = (self.held_k - left_k) * self.hall.row_j_k / dt_s
        self.held_k = left_k
        return others_w + freed_w * self.halls


class _TankRow(_Row):
    """A tank in their place: chips stay wet whether pumps run or not."""

    def __init__(self, hall: Hall, approach: float, immersed: Immersed) -> None:
        super().__init__(hall, approach)
        self.immersed = immersed
        self.tank = Tank.of(immersed.bath, immersed.fluid_c, immersed.vapour_j)
        self.halls = hall.loop.at(1.0, 1.0, 1.0) / (hall.row.at(1.0, 1.0, 1.0) + immersed.pump_w)

    def coolant_c(self, loop_c: float, row_w: float) -> float:
        return self.tank.fluid_c

    def resistance(self, pumped: bool) -> float:
        return 1.0 if pumped else self.immersed.still

    def wets(self, pumped: bool) -> bool:
        return True

    def gives_w(
        self, row_w: float, others_w: float, loop_c: float, pumped: bool, flows: bool, dt_s: float
    ) -> float:
        approach_k_w = self.approach_k_w if pumped and flows else math.inf
        heat_w = row_w + self.immersed.pump_w * pumped
        return self.tank.gives_w(heat_w, loop_c, approach_k_w, dt_s) * self.halls


def _row_of(hall: Hall, failure: Failure) -> _Row:
    if hall.tank is None:
        return _Row(hall, failure.approach)
    return _TankRow(hall, failure.approach, hall.tank)


def _loop(hall: Hall, loop_c: float, heat_w: float, units: float, flow: float, dt_s: float) -> float:
    """Return the loop after a step; its plant settles it, and without one it warms at Q / C."""
    if flow <= 0.0:
        return loop_c
    if units <= 0.0:
        return loop_c + heat_w * dt_s / hall.loop_j_k
    plant_c = hall.plant_c(heat_w, units)
    return plant_c + (loop_c - plant_c) * math.exp(-dt_s * hall.flow_w_k * flow / hall.loop_j_k)


def _cross(
    told: Course, chip: Chip, coolant_c: float, time_s: float, dt_s: float, before_c: float, after_c: float
) -> None:
    """Note when the chip passes its limits inside a step, on a straight line, and which it was."""
    throttle, trip = chip.throttles(coolant_c), chip.trips(coolant_c)
    if math.isinf(told.throttle_s) and after_c >= throttle[0]:
        told.throttle_s, told.throttled_by = time_s + dt_s * _part(throttle[0], before_c, after_c), throttle[1]
    if math.isinf(told.trip_s) and after_c >= trip[0] - AT_LIMIT_K:
        told.trip_s, told.tripped_by = time_s + dt_s * _part(trip[0] - AT_LIMIT_K, before_c, after_c), trip[1]


def _part(limit_c: float, before_c: float, after_c: float) -> float:
    """Return the share of a step after which a straight line meets a limit."""
    return min(max((limit_c - before_c) / (after_c - before_c), 0.0), 1.0) if after_c > before_c else 0.0


def _note(told: Course, time_s: float, chip_c: float, coolant_c: float, loop_c: float, clock: float) -> None:
    told.time_s.append(time_s)
    told.chip_c.append(chip_c)
    told.coolant_c.append(coolant_c)
    told.loop_c.append(loop_c)
    told.clock.append(clock)
