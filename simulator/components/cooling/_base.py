"""What every heat-rejection plant is: a specification that turns weather into a plant map."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simulator.components.cooling.fluids import WATER_DENSITY_KG_M3, WATER_SPECIFIC_HEAT_J_KGK
from simulator.components.kinds import Spec
from simulator.units import (
    Duration,
    Fraction,
    Power,
    TemperatureDelta,
    VolumePerPower,
    Within,
)

Array = NDArray[np.float64]
Set = float | Array
"""A set temperature in degC, or an array of them broadcastable to (hours, n_x)."""

LOAD_STEP = 0.02
LOAD_FRAC: Array = np.linspace(0.0, 1.4, 71)
LOAD_FRAC[0] = 1e-6
"""Heat / capacity of the units in service, equally spaced so that a kernel can index directly; the first is next to
nothing, so that what jumps with the first heat, as pumps do, stands in the first column."""
LOAD_FRAC.setflags(write=False)


@dataclass(frozen=True)
class HourlyWeather:
    """Outdoor air on hour boundaries; the three arrays have one length."""

    dry_bulb_c: Array
    wet_bulb_c: Array
    pressure_pa: Array

    def __len__(self) -> int:
        """Return the number of hour boundaries."""
        return len(self.dry_bulb_c)


@dataclass(frozen=True)
class PlantMap:
    """What a plant does at every hour (rows) and load (columns), per W of capacity in service.

    `load_frac` (n_x,) is heat / capacity of the units in service, equally spaced from next to nothing
    to 1.4; without any heat a plant draws nothing.
    The other arrays are (hours, n_x): `supply_c` the temperature of the water leaving the plant,
    `power_frac` the electrical power of fans, compressors and condenser pumps (not of the loop's
    own pumps) in W/W, `evaporation_kg_j` evaporation and drift in kg/s per W, `blowdown_kg_j` the
    water drained to keep the basin's salts in bounds, `mechanical_frac` the share of the heat that
    compressors move (0 free, 1 mechanical, partial between). All are finite for every hour.
    `asked_frac` is the heat of units that start in groups over what all of them carry; None where
    all units run always.
    """

    load_frac: Array
    supply_c: Array
    power_frac: Array
    evaporation_kg_j: Array
    blowdown_kg_j: Array
    mechanical_frac: Array
    asked_frac: Array | None = None


def free(hours: int) -> Array:
    """Return the `mechanical_frac` of a plant without compressors over so many hours: zeros."""
    return np.zeros((hours, len(LOAD_FRAC)))


class PlantSpec(Spec):
    """A plant of equal units on one water loop: what they reject, how many, and the loop itself."""

    unit_is: ClassVar[str]
    """What one unit is called."""
    fan_is: ClassVar[str] = "fan"
    """And what goes with one of its fans."""
    unit: Annotated[Power, Within("1 kW", "100 MW")]
    """Heat one unit rejects at its design point."""
    spare_units: Annotated[int, Field(ge=0, le=10_000)] = 1
    """Units beyond those the design heat needs (1 is N+1)."""
    margin: Annotated[Fraction, Within("0 %", "200 %")] = 0.0
    """Capacity over design heat before the spare units."""
    fans: Annotated[int, Field(ge=0, le=1000)] = 0
    """Fans of one unit; losing one takes its share of the unit."""
    range: Annotated[TemperatureDelta, Within("1 K", "40 K")]
    """Return minus supply temperature of the loop at full capacity; exchangers count at its design flow."""
    tank: Annotated[Duration, Within("1 s", "24 h")]
    """Thermal mass of the loop, a buffer tank included or not (`buffer`), in seconds of design flow."""
    pump: Annotated[Fraction, Within("0 %", "20 %")]
    """Power of the loop's own pumps at design, as a fraction of design heat."""
    pump_speed: Literal["variable", "constant"] = "variable"
    """Whether drives slow the loop's pumps as valves close with falling heat (codes ask for them from 1.5 kW of pump
    on: Washington's C403.4.4 after ASHRAE 90.1), or they run at design flow at any heat."""
    least_flow: Annotated[Fraction, Within("10 %", "100 %")] = 0.3
    """Lowest flow over design of drives: below it a bypass opens (20-50 %, assumed; 25 % in ASHRAE 90.1, G3.1.3)."""
    held_head: Annotated[Fraction, Within("0 %", "100 %")] = 0.47
    """Share of the head at design that drives hold at any flow, so that the farthest valve has its pressure; the rest
    falls with the square of flow: 30 % of design power at half the flow, the most that codes allow and the curve
    without reset of OpenStudio Standards (derived); 16 % follows its curve with reset by valves (18 % at half)."""
    pumps: Annotated[int, Within(1, 100)] = 3
    """Pumps of the loop, all alike (assumed, 2-6)."""
    spare_pumps: Annotated[int, Within(0, 99)] = 1
    """Pumps of the loop that may stand without loss of flow."""

    restart: Annotated[Duration, Within("0 s", "1 h")] = 0.0
    """From the return of power at a unit until it cools again, beyond the start of its motors; and from
    when heat asks for a group of units that stood (`stages`) until it cools."""
    buffer: Annotated[VolumePerPower, Within("0 m3/MW", "500 m3/MW")] = 0.0
    """Tank beside the loop's own water, per heat of the units on duty (7.2 m3/MW is 5 min at 10 K)."""

    @model_validator(mode="after")
    def _some_pump_works(self) -> Self:
        if self.spare_pumps >= self.pumps:
            raise ValueError(f"spare_pumps {self.spare_pumps} leaves no pump of {self.pumps}")
        return self

    @property
    def groups(self) -> int:
        """Groups of units that start and stop one after another."""
        return 1

    @property
    def tank_s(self) -> float:
        """Thermal mass of loop and buffer tank in seconds of design flow: V rho c range."""
        per_k_m3 = WATER_DENSITY_KG_M3 * WATER_SPECIFIC_HEAT_J_KGK
        return self.tank + self.buffer * per_k_m3 * self.range

    def duty_units(self, design_heat_w: float) -> int:
        """Return the units that carry `design_heat_w` with the margin, without spares."""
        return max(1, math.ceil(design_heat_w * (1.0 + self.margin) / self.unit - 1e-9))

    def heat_capacity_rate_w_k(self, capacity_w: float) -> float:
        """Return flow times specific heat of a loop that carries `capacity_w` at full load."""
        return capacity_w / self.range

    @property
    def slowest(self) -> float:
        """Lowest flow of the loop over design as heat falls: 1 at constant speed."""
        return self.least_flow if self.pump_speed == "variable" else 1.0

    def flow_steps(self) -> Array:
        """Return every flow over design that the loop's pumps can give, from none to all that is needed."""
        needed = self.pumps - self.spare_pumps
        return np.arange(needed + 1) / needed

    def flow_frac(self, running_pumps: int) -> float:
        """Return the loop's flow over design with so many of its pumps running."""
        return min(1.0, max(running_pumps, 0) / max(self.pumps - self.spare_pumps, 1))

    def thermal_mass_j_k(self, capacity_w: float) -> float:
        """Return the heat capacity of loop and tank for `capacity_w` of plant."""
        return self.tank_s * self.heat_capacity_rate_w_k(capacity_w)

    def reach_c(self) -> float | None:
        """Return the coldest water, in degC, at full heat on the kind's own design day.

        A lower set temperature is an error of the document. None: any may be set, and floats.
        """
        return None

    def sink_c(self, weather: HourlyWeather) -> Array:
        """Return the coldest that the plant's water could become in this weather: dry bulb, degC."""
        return weather.dry_bulb_c

    def freezes(self) -> bool:
        """Return whether frost damages the plant as it is specified."""
        return False

    def sized_for(self, supply_c: float) -> Self:
        """Return the plant with its equipment sized for water of `supply_c`, where that is left open."""
        return self

    def dry_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap | None:
        """Return the same without any water, None where the plant then rejects nothing.

        For a kind that takes no water this is `plant_map`; one that does says what is left of it.
        """
        return self.plant_map(set_c, weather)

    @abstractmethod
    def plant_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return what the plant does at every hour and load when told to deliver `set_c`.

        `set_c` is a temperature in degC, or an array of them broadcastable to (hours, n_x).

        Where the weather allows, `PlantMap.supply_c` is the set temperature; where full capacity
        is not enough, it floats above it: that is how a heat wave reaches the chips.
        """
