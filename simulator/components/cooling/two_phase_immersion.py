"""Two-phase immersion: chips boil a dielectric at one temperature, a water-cooled coil condenses it."""

from typing import Annotated, Literal

from simulator.components.cooling.immersion import Immersion
from simulator.components.cooling.rack_side import Bath
from simulator.units import Duration, Fraction, Positive, Temperature, TemperatureDelta, Within
from simulator.units import ThermalResistance as Resistance

CONDENSING_RANGE_K = 1e-3
"""Vapour condenses at one temperature; its side of the exchanger has all but infinite capacity."""


class TwoPhaseImmersion(Immersion):
    """Sealed tanks: fluid boils at a fixed point while the condenser carries the heat."""

    kind: Literal["two_phase_immersion"] = "two_phase_immersion"
    boiling: Annotated[Temperature, Within("30 degC", "80 degC")] = 49.0
    """Boiling point of the fluid at the tank's pressure (49 degC: 3M Novec 649, vendor)."""
    approach: Annotated[TemperatureDelta, Within("0.1 K", "30 K")] = 8.0
    """Boiling point minus facility supply at which the condenser just carries design heat (5-15 K,
    assumed)."""
    facility_range: Annotated[TemperatureDelta, Within("1 K", "40 K")] = 6.0
    """Facility water return minus supply at design heat (assumed)."""
    pump: Annotated[Fraction, Within("0 %", "20 %")] = 0.003
    """Condenser water pumps over design heat; nothing pumps the fluid (0.2-0.6 %, assumed)."""
    chip_resistance: Annotated[Resistance, Positive()] = 0.04
    """Junction to boiling fluid with a boiling-enhancement coating (0.03-0.06 K/W, assumed)."""
    vapour: Annotated[Duration, Within("0 s", "1 h")] = 60.0
    """Design heat that vapour space and bellows hold before the pressure rises, in seconds
    (30-120 s, assumed)."""
    mass: Annotated[Duration, Within("10 s", "2 h")] = 100.0
    """Thermal mass of fluid, tank and servers: the time in which design heat warms it by 10 K
    (60-200 s, assumed)."""

    @property
    def coolant_range_k(self) -> float:
        """Warming of the condensing vapour: none."""
        return CONDENSING_RANGE_K

    def bath(self, capacity_w: float) -> Bath:
        """Return the boiling fluid of units that move `capacity_w`."""
        return Bath(self.mass * capacity_w / 10.0, self.vapour * capacity_w, self.boiling)

    def coolant_c(self, supply_c: float) -> float:
        """Return the boiling point: chips sit in fluid at that, however cold the water is."""
        return max(self.boiling, supply_c)
