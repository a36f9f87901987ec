"""Finned coils and their fans: water to outdoor air at constant water flow, any speed of fans."""

from dataclasses import dataclass

import numpy as np

from simulator.components.cooling._base import LOAD_FRAC, Array, Set
from simulator.components.cooling.exchanger import crossflow, ntu_of
from simulator.components.cooling.psychrometrics import air_density_kg_m3

AIR_EXPONENT = 0.8  # hA of the air side ~ airflow^0.8 (LBNL modelica-buildings, HADryCoil)
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
        self._design_ntu()

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
        with np.errstate(divide="ignore", invalid="ignore"):
            allowed = (set_c - air_c[:, None]) / LOAD_FRAC
        needed = np.interp(-allowed[:, 1:], -self.lift_k(flow), flow)
        airflow = np.minimum(needed, full_flow[:, None])
        return np.concatenate([np.zeros((len(air_c), 1)), airflow], axis=1)

    def lift_k(self, flow: Array) -> Array:
        """Return leaving water minus entering air at full heat, by air mass flow over design."""
        # Per W of design heat: water C = 1/range, air C = flow/air_rise, in 1/K.
        water, air = 1.0 / self.range_k, flow / self.air_rise_k
        least, most = np.minimum(water, air), np.maximum(water, air)
        conductance = self._design_ntu() * min(1.0 / self.range_k, 1.0 / self.air_rise_k)
        share = self.air_side_share
        resistance = (share + flow**-AIR_EXPONENT) / (1.0 + share)
        return (
            1.0 / (crossflow(conductance / resistance / least, least / most) * least) - self.range_k
        )

    def _design_ntu(self) -> float:
        """Return UA / C_min that meets the design point."""
        least, most = sorted((1.0 / self.range_k, 1.0 / self.air_rise_k))
        effectiveness = 1.0 / (least * (self.approach_k + self.range_k))
        try:
            return ntu_of(effectiveness, least / most, crossflow)
        except ValueError:
            message = "no coil reaches this approach: raise approach, or lower air_rise or range"
            raise ValueError(message) from None


def fan_frac(full: float, speed: Array, minimum_speed: float) -> Array:
    """Return fan power per W of capacity: `full` x cube of speed; on and off below the minimum."""
    running = np.maximum(speed, minimum_speed)
    return full * running**2 * speed
