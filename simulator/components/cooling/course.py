"""How hot chips become once something between them and the sky fails: masses in series in one hall.

    C_chip dT/dt      = P(s) - (T - T_coolant) / R            chip and cold plate
    C_row dT_row/dt   = q(s) - (T_row - T_loop) / approach    coolant and metal of a row of racks
    C_loop dT_loop/dt = G (T_plant - T_loop)                  water of loop and tank

Beside it warms the air of the hall (`course_air.py`): racks switch themselves off in hot air. Chips in air have it
in place of row and loop. In an immersion tank (`Immersed`) the row is the tank's fluid, by the engine's
own law (`tank.py`). P, q and the hall's heat follow the clock s that the temperatures of chips and their memory
allow at every moment: a chip slows within milliseconds. Each line is solved exactly over a short step, its
neighbours held.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from simulator.components.cooling.course_air import INTAKE, NOTHING, Air, AirFailure, HallAir
from simulator.components.cooling.course_parts import ALWAYS, Heat, Steps, Water, share_at
from simulator.components.cooling.hot_chip import Chip
from simulator.components.cooling.rack_side import Bath
from simulator.components.cooling.tank import Tank

FINE_S, FINE_UNTIL_S, COARSE_S = 0.1, 120.0, 1.0
"""Step of the course, up to a time, and beyond it."""
DARK = "racks dark"
"""What avoids a trip where the racks themselves lose power: they make no heat."""
AT_LIMIT_K = 1e-3
"""So near its shutdown a chip whose power falls to nothing there counts as off."""


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
    """Of the block of the hottest chip."""
    row_j_k: float
    approach_k_w: float
    settle_s: float
    """Time in which a row gives off what it held once its water flows again."""
    loop: Heat
    """Of the whole hall, pumps included."""
    water: Water
    """Of the loop that takes the row's heat."""
    tank: Immersed | None = None
    """None: cold plates or air; else the row is this tank, and `row_j_k` and `settle_s` do not count."""
    air: Air | None = None
    """Of the hall; None: no air is looked at."""
    in_air: bool = False
    """Whether the chips are cooled by `air`: row, loop and water do not count then."""
    row_pump_w: float = 0.0
    """Of the row's own pumps, whose heat stays in it while its loop's water stands."""

    def row_w(self, pace: float, work: float, mean_c: float) -> float:
        """Return the heat of the row's racks at a clock and a temperature of mean chips, by which they leak."""
        leaks_w = self.mean.leakage_w_k * (mean_c - self.mean_c)
        of_racks = self.row.dynamic_w / self.mean.dynamic_w if self.mean.dynamic_w > 0.0 else 0.0
        return self.row.at(pace, self.mean.exponent, work) + of_racks * leaks_w


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
    air: AirFailure = NOTHING
    """What happens to the hall's air."""

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
    air_c: list[float] = field(default_factory=list)
    """Intake of racks; NaN: no air is looked at."""
    clock: list[float] = field(default_factory=list)
    throttle_s: float = math.inf
    trip_s: float = math.inf
    throttled_by: str = ""
    """The limit that binds first, `JUNCTION`, `MEMORY` or `INTAKE`; empty: none does. By `INTAKE` racks without
    accelerators slow, not chips."""
    tripped_by: str = ""
    hot_air_s: float = 0.0
    """When air last was too hot for racks without accelerators."""

    def rises_s(self, kelvin: float) -> float:
        """Return when coolant, or the air beside it, is so much warmer than at the start; infinite if never."""
        around_c = np.array([self.coolant_c, self.air_c])
        above = np.flatnonzero((around_c >= around_c[:, :1] + kelvin).any(axis=0))
        return self.time_s[above[0]] if above.size else math.inf

    def recovered_s(self) -> float:
        """Return from when on all work at full clock; infinite where they trip or stay slowed."""
        if math.isfinite(self.trip_s) or self.clock[-1] < 1.0 or self.hot_air_s >= self.time_s[-1] > 0.0:
            return math.inf
        slow = np.flatnonzero(np.array(self.clock) < 1.0)
        return max(self.time_s[slow[-1] + 1] if slow.size else 0.0, self.hot_air_s)


def follow(hall: Hall, failure: Failure, until_s: float) -> Course:
    """Return the course of a failure, up to a time or to the first trip."""
    told, row = Course(), _row_of(hall, failure)
    behind = {pumped: failure.resistance * row.resistance(pumped) for pumped in (True, False)}
    hottest, mean = ({pumped: chip.behind(times) for pumped, times in behind.items()}
                     for chip in (hall.hottest, hall.mean))
    air = HallAir(hall.air, failure.air) if hall.air else None
    time_s, chip_c, mean_c, loop_c, clock, pace = 0.0, hall.chip_c, hall.mean_c, hall.water.supply_c, 1.0, 1.0
    while True:
        work = share_at(failure.work, time_s)
        row_w = hall.row_w(pace, work, mean_c)
        coolant_c = row.coolant_c(loop_c, row_w)
        if air and hall.in_air:
            coolant_c, loop_c = air.intake_c, air.water_c
        _note(told, time_s, (chip_c, coolant_c, loop_c, air.intake_c if air else math.nan), clock)
        if time_s >= until_s or math.isfinite(told.trip_s):
            return told
        dt_s = FINE_S if time_s < FINE_UNTIL_S else COARSE_S
        pumped, flows = share_at(failure.coolant, time_s) > 0.0, share_at(failure.water, time_s)
        before_c, wetted = chip_c, row.wets(pumped)
        chip_c, clock = hottest[pumped].after(chip_c, coolant_c, wetted, work, dt_s)
        mean_c, pace = mean[pumped].after(mean_c, coolant_c, wetted, work, dt_s)
        limits = hall.hottest.throttles(coolant_c), hall.hottest.trips(coolant_c)
        _cross(told, limits, time_s, dt_s, before_c, chip_c)
        if air:
            _warm_air(told, air, time_s, dt_s, air.air.racks.at(pace, hall.mean.exponent, work))
        others_w = hall.loop.at(pace, hall.mean.exponent, work)
        heat_w = row.gives_w(row_w, others_w, loop_c, pumped, flows > 0.0, dt_s)
        loop_c = hall.water.after(loop_c, heat_w, share_at(failure.plant, time_s), flows, dt_s)
        time_s += dt_s


def _warm_air(told: Course, air: HallAir, time_s: float, dt_s: float, racks_w: float) -> None:
    """Let the air move on by a step; note when racks in it meet their limits."""
    before_c = air.intake_c
    air.advance(time_s, dt_s, racks_w)
    slows_c = air.air.support_c[0] if air.air.support_w > 0.0 else math.inf
    if air.intake_c >= slows_c:
        told.hot_air_s = time_s + dt_s
    _cross(told, ((slows_c, INTAKE), (air.air.off_c, INTAKE)), time_s, dt_s, before_c, air.intake_c)


class _Row:
    """Coolant and metal of a row on cold plates: it holds what no water takes."""

    def __init__(self, hall: Hall, approach: float) -> None:
        self.hall, self.approach_k_w, self.held_k = hall, hall.approach_k_w * approach, 0.0
        self.settled_w = hall.row.at(1.0, 1.0, 1.0)
        """By which row and loop differ: what flowed last, for where water stands the row keeps its heat."""
        self.halls = hall.loop.at(1.0, 1.0, 1.0) / hall.row.at(1.0, 1.0, 1.0)

    def coolant_c(self, loop_c: float, row_w: float) -> float:
        """Return what reaches the chips, in degC."""
        return loop_c + self.approach_k_w * self.settled_w + self.held_k

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
            self.held_k += (row_w + self.hall.row_pump_w if pumped else 0.0) * dt_s / self.hall.row_j_k
            return 0.0
        self.settled_w = row_w
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


def _cross(
    told: Course, limits: tuple[tuple[float, str], tuple[float, str]], time_s: float, dt_s: float, before_c: float,
    after_c: float,
) -> None:  # fmt: skip
    """Note when a temperature first passes the limits of throttling and of a trip, each with its name, inside a
    step, on a straight line; of several in one step the first."""
    (throttle_c, slowed_by), (trip_c, tripped_by) = limits
    throttle_s = time_s + dt_s * _part(throttle_c, before_c, after_c)
    if after_c >= throttle_c and throttle_s < told.throttle_s:
        told.throttle_s, told.throttled_by = throttle_s, slowed_by
    trip_s = time_s + dt_s * _part(trip_c - AT_LIMIT_K, before_c, after_c)
    if after_c >= trip_c - AT_LIMIT_K and trip_s < told.trip_s:
        told.trip_s, told.tripped_by = trip_s, tripped_by


def _part(limit_c: float, before_c: float, after_c: float) -> float:
    """Return the share of a step after which a straight line meets a limit."""
    return min(max((limit_c - before_c) / (after_c - before_c), 0.0), 1.0) if after_c > before_c else 0.0


def _note(told: Course, time_s: float, temperatures_c: tuple[float, float, float, float], clock: float) -> None:
    told.time_s.append(time_s)
    columns = told.chip_c, told.coolant_c, told.loop_c, told.air_c
    for column, value_c in zip(columns, temperatures_c, strict=True):
        column.append(value_c)
    told.clock.append(clock)
