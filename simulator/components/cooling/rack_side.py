"""What every kind that stands between the racks and the facility's water promises."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, model_validator

from simulator.components.cooling.exchanger import Rated, counterflow
from simulator.components.kinds import Spec
from simulator.units import Fraction, Power, TemperatureDelta, Within

if TYPE_CHECKING:
    from simulator.components.cooling.cold_plate import ColdPlate
    from simulator.components.rack import Rack

FILM_EXPONENT = 0.7  # film coefficient ~ flow^0.7 in plate exchangers


@dataclass(frozen=True)
class Bath:
    """A tank of fluid in which the racks of a block stand."""

    mass_j_k: float
    """Heat capacity of fluid and what is in it."""
    latent_j: float = 0.0
    """Heat that vapour holds before the pressure, and the boiling point with it, must rise."""
    boiling_c: float = -273.15
    """The fluid is never colder: it boils there, and the condenser takes what boils. Oil: no limit."""


class RackSide(Spec):
    """Units of a group of racks: exchanger and pumps, in parallel; facility water flows constantly."""

    unit: Annotated[Power, Within("1 kW", "100 MW")]
    """Heat one unit moves at its design point."""
    spare_units: Annotated[int, Field(ge=0, le=1000)] = 0
    """Units of a group beyond those its design heat needs."""
    margin: Annotated[Fraction, Within("0 %", "200 %")] = 0.0
    """Capacity over design heat."""
    approach: Annotated[TemperatureDelta, Within("0.1 K", "20 K")] = 3.0
    """Coolant supply minus facility supply at design heat (Stulz after ASHRAE TC9.9, vendor)."""
    facility_range: Annotated[TemperatureDelta, Within("1 K", "40 K")] = 10.0
    """Facility water return minus supply at design heat."""
    pump: Annotated[Fraction, Within("0 %", "20 %")] = 0.0125
    """Pump power over design heat (276 kPa, 1.5 L/min per kW, 55 %, derived)."""
    pumps: Annotated[int, Within(1, 100)] = 2
    """Pumps in each unit."""
    spare_pumps: Annotated[int, Within(0, 100)] = 1
    """Pumps of a unit that may stand without loss of flow."""

    @model_validator(mode="after")
    def _design_point_exists(self) -> Self:
        if self.spare_pumps >= self.pumps:
            raise ValueError(f"spare_pumps {self.spare_pumps} leaves no pump of {self.pumps}")
        try:
            self._exchanger().ntu()
        except ValueError:
            message = "no exchanger reaches this approach: raise it, or lower facility_range"
            raise ValueError(message) from None
        return self

    @property
    @abstractmethod
    def coolant_range_k(self) -> float:
        """Warming of the coolant in the exchanger's hot side at design heat."""

    def approach_k_per_w(
        self, capacity_w: float, flow_frac: float = 1.0, facility_frac: float = 1.0
    ) -> float:
        """Return coolant supply minus facility supply, in K per W of heat.

        At one flow this is a constant (`exchanger.Rated`).

        Parameters
        ----------
        capacity_w : design heat of the units in service, in W
        flow_frac, facility_frac : flows over design; the exchanger's conductance follows both films,
            1 / UA ~ 0.5 flow^-0.7 + 0.5 facility^-0.7
        """
        return float(self._exchanger().approach_at_k(flow_frac, facility_frac)) / capacity_w

    def flow_frac(self, running_pumps: int) -> float:
        """Return the flow over design with this many pumps of a unit running."""
        return min(1.0, running_pumps / (self.pumps - self.spare_pumps))

    def pump_w(self, capacity_w: float, flow_frac: float = 1.0) -> float:
        """Return pump power in W; it follows the cube of flow (affinity laws)."""
        return self.pump * capacity_w * flow_frac**3

    def resistance_frac(self, plate: ColdPlate, flow_frac: float = 1.0) -> float:
        """Return the chips' thermal resistance over that of their rack type, at a share of the
        units' design flow."""
        return 1.0

    def bath(self, capacity_w: float) -> Bath | None:
        """Return the tank that units which move `capacity_w` stand for; None where there is none."""
        return None

    def thermal_mass_j_k(self, capacity_w: float) -> float:
        """Return the heat capacity of coolant that circulates, of units that move `capacity_w`."""
        return 0.0

    def coolant_c(self, supply_c: float) -> float:
        """Return what the chips sit in when the topology asks for `supply_c`."""
        return supply_c

    def rack_changes(self, rack: Rack) -> dict[str, Any]:
        """Return what of a rack type is other than in its datasheet behind this kind."""
        return {}

    def _exchanger(self) -> Rated:
        """Return the exchanger between coolant and facility water, half its resistance on either side."""
        return Rated(self.coolant_range_k, self.facility_range, self.approach, counterflow, 0.5,
                     FILM_EXPONENT, FILM_EXPONENT)  # fmt: skip
