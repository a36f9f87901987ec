"""What the courses of lost cooling are made of: shares over time, heat that follows work, a loop's water."""

import math
from collections.abc import Callable
from dataclasses import dataclass

Steps = tuple[tuple[float, float], ...]
"""A share over time: (from, share), times in s, rising from 0."""
ALWAYS: Steps = ((0.0, 1.0),)
NEVER: Steps = ((0.0, 0.0),)


def share_at(steps: Steps, time_s: float) -> float:
    """Return the share that holds at a time."""
    return next(share for at_s, share in reversed(steps) if at_s <= time_s)


@dataclass(frozen=True)
class Heat:
    """Heat in W that is there, and that follows the clock of mean chips."""

    static_w: float
    dynamic_w: float

    def at(self, clock: float, exponent: float, work: float) -> float:
        """Return the heat at a clock and a share of the work."""
        return float(self.static_w + work * self.dynamic_w * clock**exponent)


@dataclass(frozen=True)
class Water:
    """A loop with its tank, and the plant behind it, at the moment of the failure."""

    supply_c: float
    heat_j_k: float
    """Heat capacity of all of it."""
    flow_w_k: float
    """Of its flow at design."""
    plant_c: Callable[[float, float], float]
    """(heat in W, share of the units) -> water that the plant delivers, in degC."""

    def after(self, supply_c: float, heat_w: float, units: float, flow: float, dt_s: float) -> float:
        """Return the water in degC after a step: its plant settles it, and without one it warms at Q / C."""
        if flow <= 0.0:
            return supply_c
        if units <= 0.0:
            return supply_c + heat_w * dt_s / self.heat_j_k
        plant_c = self.plant_c(heat_w, units)
        return plant_c + (supply_c - plant_c) * math.exp(-dt_s * self.flow_w_k * flow / self.heat_j_k)
