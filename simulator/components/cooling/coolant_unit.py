"""Coolant distribution unit (CDU): facility water on one side, rack coolant on the other."""

from typing import Annotated, Literal

from simulator.components.cooling.cold_plate import RATED_RANGE_K, ColdPlate
from simulator.components.cooling.fluids import FILM_OVER_PG25, Fluid, flow_m3_j
from simulator.components.cooling.rack_side import RackSide
from simulator.units import Duration, Fraction, Positive, Pressure, TemperatureDelta, Within


class CoolantUnit(RackSide):
    """Plate exchanger and pumps; rack coolant flows constantly, or follows the heat."""

    kind: Literal["coolant_unit"] = "coolant_unit"
    range: Annotated[TemperatureDelta, Within("1 K", "40 K")] = 10.0
    """Coolant return minus supply at design heat (OCP: 1.5 L/min per kW, vendor); chips are rated at
    10 K, more is less flow and a higher thermal resistance."""
    fluid: Fluid = "pg25"
    """Coolant of the racks: pg25 (25 % propylene glycol) or water."""
    head: Annotated[Pressure, Positive()] = 276e3
    """Pressure the pumps give at design flow (40 psi, OCP rack pump unit, vendor)."""
    own_drop: Annotated[Pressure, Positive()] = 100e3
    """Pressure drop of exchanger, filters and row pipes at design flow (50-150 kPa, assumed)."""
    flow: Literal["constant", "by_load"] = "constant"
    """Whether pumps slow down as the heat falls."""
    least_flow: Annotated[Fraction, Within("20 %", "100 %")] = 0.5
    """Lowest flow over design with `flow: by_load`; valves and plates want no less (assumed)."""
    loop: Annotated[Duration, Within("0 s", "1 h")] = 20.0
    """Thermal mass of coolant and metal, in seconds of design flow (60 L and 40 kg of copper in a
    130 kW rack; row loops reach 120 s)."""

    @property
    def coolant_range_k(self) -> float:
        """Warming of the coolant at design heat."""
        return self.range

    def resistance_frac(self, plate: ColdPlate, flow_frac: float = 1.0) -> float:
        """Return the chips' thermal resistance over that at rated flow of PG25."""
        flow = flow_frac * RATED_RANGE_K / self.range
        return plate.resistance_frac(flow, FILM_OVER_PG25[self.fluid])

    def flow_at(self, load_frac: float, most: float = 1.0) -> float:
        """Return the flow over design at a share of design heat, `most` being what pumps can do."""
        if self.flow == "constant":
            return most
        return min(max(load_frac, self.least_flow), most)

    def hydraulic_share(self) -> float:
        """Return hydraulic power over design heat: head times volume flow."""
        return self.head * flow_m3_j(self.fluid, self.range)

    def thermal_mass_j_k(self, capacity_w: float) -> float:
        """Return the heat capacity of the coolant loops of units that move `capacity_w`."""
        return self.loop * capacity_w / self.range
