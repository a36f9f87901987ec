"""A chip whose cooling fails: how warm it gets, what it allows itself to do, when it meets which limit."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from simulator.kernels.rack_control import allowed_clock

HALVINGS = 24
"""Of the search for the clock that agrees with the temperature at a step's end."""
SMALL_W = 1e-3
"""Power of a chip at its limit that is off but for it."""
SLICES = 400
"""Of the way to a limit without flow."""
ROUNDING_K = 1e-6
"""So far below its first limit a chip is at full clock, however a temperature was rounded."""
JUNCTION, MEMORY = "junction", "memory"
"""Which of a chip's limits binds."""


@dataclass(frozen=True)
class Memory:
    """The hottest memory stack of a chip: `rise` times as far above the coolant as the junction is."""

    rise: float
    throttle_c: float
    slowdown_c: float
    shutdown_c: float

    def above_c(self, limit_c: float, coolant_c: float) -> float:
        """Return the junction at which the memory is at a limit of its own."""
        return coolant_c + (limit_c - coolant_c) / self.rise


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
    memory: Memory | None = None
    """None: its limits are not looked at."""

    def behind(self, resistance: float) -> "Chip":
        """Return the chip behind so many times its thermal resistance."""
        return replace(self, resistance_k_w=self.resistance_k_w * resistance)

    def clock(self, chip_c: float, coolant_c: float) -> float:
        """Return the clock that junction and memory allow at a temperature."""
        own = float(allowed_clock(chip_c, self.throttle_c, self.slowdown_c, self.shutdown_c))
        told = self.memory
        if told is None:
            return own
        memory_c = coolant_c + told.rise * (chip_c - coolant_c)
        return min(own, float(allowed_clock(memory_c, told.throttle_c, told.slowdown_c, told.shutdown_c)))

    def throttles(self, coolant_c: float) -> tuple[float, str]:
        """Return the junction in degC at which the first clock falls, and which limit that is."""
        return self._first(self.throttle_c, coolant_c, lambda m: m.throttle_c)

    def trips(self, coolant_c: float) -> tuple[float, str]:
        """Return the same for where the chip switches itself off."""
        return self._first(self.shutdown_c, coolant_c, lambda m: m.shutdown_c)

    def _first(self, own_c: float, coolant_c: float, of: Callable[[Memory], float]) -> tuple[float, str]:
        if self.memory is None:
            return own_c, JUNCTION
        by_memory_c = self.memory.above_c(of(self.memory), coolant_c)
        return (by_memory_c, MEMORY) if by_memory_c < own_c else (own_c, JUNCTION)

    def power_w(self, clock: float, work: float = 1.0) -> float:
        """Return the power at a clock, doing a share `work` of its work."""
        return float(self.static_w + work * self.dynamic_w * clock**self.exponent)

    def after(self, chip_c: float, coolant_c: float, flows: bool, work: float, dt_s: float) -> tuple[float, float]:
        """Return temperature and clock after a step of constant coolant; they agree at its end."""
        leak_w = self.leakage_w_k * (chip_c - self.static_c) if flows else 0.0
        cold_c = self._end_c(chip_c, coolant_c, flows, leak_w + self.power_w(1.0, work), dt_s)
        if cold_c <= self.throttles(coolant_c)[0]:
            return cold_c, 1.0
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            clock = 0.5 * (low + high)
            end_c = self._end_c(chip_c, coolant_c, flows, leak_w + self.power_w(clock, work), dt_s)
            low, high = (clock, high) if self.clock(end_c, coolant_c) > clock else (low, clock)
        return self._end_c(chip_c, coolant_c, flows, leak_w + self.power_w(low, work), dt_s), low

    def seconds_dry(self, from_c: float, to_c: float, coolant_c: float) -> float:
        """Return how long the chip takes between two temperatures without any flow, `coolant_c` standing
        in its cold plate.

        dT/dt = P(s(T)) / C, so the time is the integral of C / P over the way (trapezoids).
        """
        if from_c >= to_c:
            return 0.0
        way_c = np.linspace(from_c, to_c, SLICES)
        power_w = np.full(SLICES, self.power_w(1.0))
        hot = way_c > self.throttles(coolant_c)[0] - ROUNDING_K
        power_w[hot] = [self.power_w(self.clock(t, coolant_c)) for t in way_c[hot]]
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


def limit_of(throttled_by: str, tripped_by: str) -> str:
    """Return the limit that binds as a word: of throttling, and of the trip where that is another."""
    return throttled_by if tripped_by in ("", throttled_by) else f"{throttled_by}, {tripped_by}"
