"""What every air side is: fans and coils that bring the heat of a hall's air to chilled water."""

import math
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from simulator.components.cooling._base import LOAD_FRAC, Array, HourlyWeather
from simulator.components.cooling.coil import AIR_EXPONENT, WATER_EXPONENT, air_resistance
from simulator.components.cooling.exchanger import Rated, crossflow
from simulator.components.kinds import Spec
from simulator.units import ConductancePerPower, Duration, Fraction, Power, TemperatureDelta, Within

NO_AIR_C = 1000.0
"""What outdoor air alone holds where it is not let in: more than any coil."""


@dataclass(frozen=True)
class AirMap:
    """What outdoor air does for halls at every hour (rows) and load (columns), as `PlantMap`.

    `outdoor_frac` (hours, n_x) is the share of the air's heat that leaves with outdoor air,
    `water_kg_j` (hours, n_x) the water that keeps the room's dew point, in kg/s per W of the fans'
    design heat, `supply_c` (hours,) the supply air that outdoor air alone holds (`NO_AIR_C`: none).
    """

    outdoor_frac: Array
    water_kg_j: Array
    supply_c: Array


class AirSide(Spec):
    """Variable-speed fans behind coils; the airflow follows the heat at constant air range.

    A valve lets as much water through the coil as holds the supply air `approach` above the chilled water
    that is asked for. Where the water is warmer than that, or flows less, the valve is open and the coil is
    what it is (`coil_k`).
    """

    approach: Annotated[TemperatureDelta, Within("0.1 K", "20 K")] = 4.0
    """Supply air minus chilled water supply at design heat, the coil's valve open (assumed)."""
    range: Annotated[TemperatureDelta, Within("1 K", "40 K")] = 12.0
    """Return air minus supply air (10-14 K)."""
    fan: Annotated[Fraction, Within(0.0, 0.2)] = 0.03
    """Fan power over air heat at design (0.020-0.035 fan wall, 0.03-0.06 CRAH)."""
    minimum_airflow: Annotated[Fraction, Within(0.05, 1.0)] = 0.4
    """Lowest airflow over design."""
    margin: Annotated[Fraction, Within("0 %", "200 %")] = 0.1
    """Airflow that all units together reach beyond what design heat needs."""
    unit: Annotated[Power, Within("1 kW", "10 MW")] = 300e3
    """Air heat of one unit at design (assumed, 100-500 kW)."""
    spare_units: Annotated[int, Field(ge=0, le=1000)] = 0
    """Units of a hall beyond those its design heat needs; they stand by."""
    bypass: Annotated[Fraction, Within(0.0, 0.8)] = 0.0
    """Share of the supply air that returns without passing a rack (0 contained, 0.2-0.5 open)."""
    recirculation: Annotated[Fraction, Within(0.0, 0.8)] = 0.0
    """Share of what racks take in that is their own exhaust (0 contained, 0.05-0.2 open)."""
    air_side_share: Annotated[Fraction, Within(0.05, 20.0)] = 0.5
    """Air-side over water-side conductance (hA) of the coils at design, as of a dry cooler's."""
    mass: Annotated[Duration, Within("1 s", "1 h")] = 240.0
    """Thermal mass of the hall's air and of what it touches, in seconds of design airflow: the air
    warms at `range` over `mass` without cooling, 3 K/min at full heat (assumed, 1-5 K/min)."""
    envelope: Annotated[ConductancePerPower, Within("0.05 W/K/kW", "5 W/K/kW")] = 0.2e-3
    """Conductance of a hall's walls and roof over the design heat of its two loops: what leaves air that is
    warmer than outdoors and than it is meant to be. A hall of 1-10 kW/m2 has 0.25-2.5 m2 of them per kW at
    0.2-0.5 W/m2K (0.05-1 W/K/kW, assumed)."""

    @model_validator(mode="after")
    def _airflow_suffices(self) -> Self:
        if self.needed(1.0) > 1.0 + self.margin + 1e-9:
            raise ValueError(
                f"margin of {100 * self.margin:g} % does not cover bypass: racks at design heat take "
                f"{100 * self.needed(1.0):.3g} % of the airflow; raise margin"
            )
        return self

    @property
    def passive(self) -> bool:
        """Return whether the racks' own fans move the air, with or without power for the hall."""
        return False

    def supply_air_c(self, chilled_c: float) -> float:
        """Return the temperature of the air that racks take in: coil, and their own exhaust mixed in."""
        return chilled_c + self.approach + self.mixed_k()

    def mixed_k(self) -> float:
        """Return how much recirculation warms what racks take in: a share r of exhaust that is
        `range` warmer than the intake, T_in = (1 - r) T_supply + r (T_in + range)."""
        return self.range * self.recirculation / (1.0 - self.recirculation)

    def needed(self, heat_frac: float) -> float:
        """Return the airflow over design that racks at a share of design heat take from the units."""
        return heat_frac * (1.0 - self.recirculation) / (1.0 - self.bypass)

    def power_frac(self, load_frac: Array = LOAD_FRAC) -> Array:
        """Return fan power per W of design heat at each load: cube of airflow, within its limits.

        At the most airflow the fans hold their speed, and racks take in some of their own exhaust.
        """
        airflow = load_frac * self.needed(1.0)
        return np.asarray(self.fan * np.clip(airflow, self.minimum_airflow, 1.0 + self.margin) ** 3)

    def design_frac(self) -> float:
        """Return fan power over air heat at design."""
        return float(self.power_frac(np.ones(1))[0])

    def coil(self, water_range_k: float) -> Rated:
        """Return the coils by their design point, on water that warms by `water_range_k` there.

        Raises
        ------
        ValueError
            No coil brings air so near to such water.
        """
        of_air = air_resistance(self.air_side_share)
        made = Rated(self.range / self.needed(1.0), water_range_k, self.approach, crossflow, of_air,
                     AIR_EXPONENT, WATER_EXPONENT)  # fmt: skip
        made.ntu()
        return made

    def coil_k(self, water_range_k: float, water_flow: Array) -> Array:
        """Return how far above its water a coil with an open valve leaves the air, in K.

        Rows are flows of the water over design, columns the heat of `LOAD_FRAC`. Airflow follows the heat
        within the fans' limits; without any flow the air is what it was before.
        """
        made = self.coil(water_range_k)
        airflow = np.clip(LOAD_FRAC * self.needed(1.0), self.minimum_airflow, 1.0 + self.margin) / self.needed(1.0)
        flows = np.where(water_flow > 0.0, water_flow, 1.0)
        return LOAD_FRAC * made.approach_at_k(airflow, flows[:, None])

    def duty(self, design_w: float) -> int:
        """Return the units that design heat needs."""
        return max(1, math.ceil(design_w / self.unit - 1e-9))

    def built(self, design_w: float) -> int:
        """Return the units of a hall, spares included."""
        return self.duty(design_w) + self.spare_units

    def moves(self, design_w: float, units: int) -> float:
        """Return the share of the hall's fans that turns with so many units in service."""
        return min(max(units, 0) / self.duty(design_w), 1.0)

    def thermal_mass_j_k(self, design_w: float | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the heat capacity of a hall's air and what it touches."""
        return np.asarray(self.mass * design_w / self.range)

    def air_map(self, chilled_c: float, weather: HourlyWeather) -> AirMap:
        """Return what outdoor air does (see `AirMap`): nothing, unless a kind lets it in."""
        shape = (len(weather), len(LOAD_FRAC))
        return AirMap(np.zeros(shape), np.zeros(shape), np.full(len(weather), NO_AIR_C))
