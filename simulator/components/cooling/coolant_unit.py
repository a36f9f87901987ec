"""Coolant distribution unit (CDU): facility water on one side, rack coolant on the other."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from simulator.components.cooling.exchanger import counterflow, ntu_of
from simulator.components.kinds import Spec
from simulator.units import Duration, Fraction, Power, TemperatureDelta, Within

FILM_EXPONENT = 0.7  # film coefficient ~ flow^0.7 in plate exchangers


class CoolantUnit(Spec):
    """Plate exchanger and pumps of a group of racks; both flows are constant in service."""

    unit: Annotated[Power, Within("1 kW", "100 MW")]
    """Heat one unit moves at its design point."""
    spare_units: Annotated[int, Field(ge=0, le=1000)] = 0
    """Units of a group beyond those its design heat needs."""
    margin: Annotated[Fraction, Within("0 %", "200 %")] = 0.0
    """Capacity over design heat."""
    approach: Annotated[TemperatureDelta, Within("0.1 K", "20 K")] = 3.0
    """Coolant supply minus facility supply at design heat (Stulz after ASHRAE TC9.9, vendor)."""
    range: Annotated[TemperatureDelta, Within("1 K", "40 K")] = 10.0
    """Coolant return minus supply at design heat (OCP: 1.5 L/min per kW, vendor)."""
    facility_range: Annotated[TemperatureDelta, Within("1 K", "40 K")] = 10.0
    """Facility water return minus supply at design heat."""
    pump: Annotated[Fraction, Within("0 %", "20 %")] = 0.0125
    """Pump power over design heat (276 kPa, 1.5 L/min per kW, 55 %, derived)."""
    pumps: Annotated[int, Within(1, 100)] = 2
    """Pumps in each unit."""
    spare_pumps: Annotated[int, Within(0, 100)] = 1
    """Pumps of a unit that may stand without loss of flow."""
    loop: Annotated[Duration, Within("0 s", "1 h")] = 20.0
    """Thermal mass of coolant and metal, in seconds of design flow (60 L and 40 kg of copper in a
    130 kW rack; row loops reach 120 s)."""

    @model_validator(mode="after")
    def _design_point_exists(self) -> Self:
        if self.spare_pumps >= self.pumps:
            raise ValueError(f"spare_pumps {self.spare_pumps} leaves no pump of {self.pumps}")
        self._design_ntu()
        return self

    def approach_k_per_w(self, capacity_w: float, flow_frac: float = 1.0) -> float:
        """Return coolant supply minus facility supply, in K per W of heat.

        At constant flow this is a constant: q = eff C_min (T_return - T_facility) and
        T_supply = T_return - q / C, so T_supply - T_facility = q (1 / (eff C_min) - 1 / C).

        Parameters
        ----------
        capacity_w : design heat of the units in service, in W
        flow_frac : coolant flow over design; exchanger conductance follows both films' flow^0.7
        """
        coolant, facility = flow_frac / self.range, 1.0 / self.facility_range
        least, most = min(coolant, facility), max(coolant, facility)
        films = 2.0 / (flow_frac**-FILM_EXPONENT + 1.0)
        conductance = films * self._design_ntu() * min(1.0 / self.range, 1.0 / self.facility_range)
        effectiveness = float(counterflow(conductance / least, least / most))
        return (1.0 / (effectiveness * least) - 1.0 / coolant) / capacity_w

    def flow_frac(self, running_pumps: int) -> float:
        """Return the flow over design with this many pumps of a unit running."""
        return min(1.0, running_pumps / (self.pumps - self.spare_pumps))

    def pump_w(self, capacity_w: float, flow_frac: float = 1.0) -> float:
        """Return pump power in W; it follows the cube of flow (affinity laws)."""
        return self.pump * capacity_w * flow_frac**3

    def thermal_mass_j_k(self, capacity_w: float) -> float:
        """Return the heat capacity of the coolant loops of units that move `capacity_w`."""
        return self.loop * capacity_w / self.range

    def _design_ntu(self) -> float:
        """Return UA / C_min that meets the design approach."""
        least, most = sorted((1.0 / self.range, 1.0 / self.facility_range))
        try:
            return ntu_of(1.0 / (least * (self.approach + self.range)), least / most, counterflow)
        except ValueError:
            message = "no exchanger reaches this approach: raise it, or lower facility_range"
            raise ValueError(message) from None
