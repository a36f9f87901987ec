"""Finned coils and their fans: between water and outdoor or indoor air, at any speed of fans."""

from dataclasses import dataclass

import numpy as np

from simulator.components.cooling._base import LOAD_FRAC, Array, Set
from simulator.components.cooling.exchanger import Rated, crossflow
from simulator.components.cooling.psychrometrics import air_density_kg_m3

AIR_EXPONENT = 0.8  # hA of the air side ~ airflow^0.8 (LBNL modelica-buildings, HADryCoil)
WATER_EXPONENT = 0.85  # and hA of the water side ~ flow^0.85 (the same)
SEA_LEVEL_PA = 101_325.0


@dataclass(frozen=True)
class Coil:
    """A coil by its design point at sea level; ValueError when no coil reaches it."""

    range_k: float
    """Cooling of the water at full heat."""
    approach_k: float
    """Leaving water minus entering air at full heat and full fans."""
    air_rise_k: float
    """Warming of the air at full heat and full fans."""
    air_side_share: float
    """Air-side over water-side conductance (hA) at design."""
    design_air_c: float

    def __post_init__(self) -> None:
        """Find the design point once, so that an impossible one is told at once."""
        try:
            self._exchanger().ntu()
        except ValueError:
            message = "no coil reaches this approach: raise approach, or lower air_rise or range"
            raise ValueError(message) from None

    def full_airflow(self, air_c: Array, pressure_pa: Array) -> Array:
        """Return the air mass flow at full fan speed over design: fans move volume, not mass."""
        design = air_density_kg_m3(self.design_air_c, SEA_LEVEL_PA)
        return air_density_kg_m3(air_c, pressure_pa) / design

    def airflow(self, set_c: Set, air_c: Array, full_flow: Array) -> Array:
        """Return the air mass flow (over design) that holds `set_c`, at most full speed.

        At steady state the leaving water is air + load x lift(airflow), so one table of the
        falling curve lift(airflow) answers every hour and load.
        """
        flow = np.geomspace(1e-3, 2.0, 4000)
        allowed = (set_c - air_c[:, None]) / LOAD_FRAC
        needed = np.interp(-allowed, -self.lift_k(flow), flow)
        return np.minimum(needed, full_flow[:, None])

    def lift_k(self, flow: Array) -> Array:
        """Return leaving water minus entering air at full heat, by air mass flow over design."""
        return self._exchanger().approach_at_k(1.0, flow)

    def _exchanger(self) -> Rated:
        return Rated(self.range_k, self.air_rise_k, self.approach_k, crossflow,
                     1.0 - air_resistance(self.air_side_share), WATER_EXPONENT, AIR_EXPONENT)  # fmt: skip


def air_resistance(air_side_share: float) -> float:
    """Return the share of a coil's resistance on the air's side, by its conductance (hA) over the water's."""
    return 1.0 / (1.0 + air_side_share)


def fan_frac(full: float | Array, speed: Array, minimum_speed: float) -> Array:
    """Return fan power per W of capacity: `full` x cube of speed; on and off below the minimum. At equal speed
    fans draw as dense as the air is: `full` is in the air at hand."""
    running = np.maximum(speed, minimum_speed)
    return full * running**2 * speed
