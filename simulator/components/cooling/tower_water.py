"""What every plant has that ends in open towers: their design point, their water, their frost."""

from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from pydantic import Field

from simulator.components.cooling import evaporation, york_calc
from simulator.components.cooling import psychrometrics as air_of
from simulator.components.cooling._base import Array, HourlyWeather, PlantMap, PlantSpec, Set
from simulator.components.cooling.fluids import WATER_SPECIFIC_HEAT_J_KGK
from simulator.units import Fraction, Positive, Temperature, TemperatureDelta, Within

SEA_LEVEL_PA = 101_325.0
OF_ENTHALPY = 1.25
"""Exponent of what a kg of air takes per K of wet bulb in what thin air is worth. With C ~ density x c and
UA ~ density^0.6 x c, as films are of mass flow^0.6, c counts once as C, and its 0.4 in UA beyond c^0.6 as 0.4 / 1.6
of an airflow (derived; 1.15-1.35; Merkel's integral agrees to 0.4 K of approach at 82 kPa)."""


class TowerAir(NamedTuple):
    """Air at towers, (hours, 1)."""

    wet_c: Array
    density_frac: Array
    """Over air of one temperature at sea level."""
    carries_frac: Array
    """The airflow at sea level that cools as much, over that of the same fan speed."""


class TowerWater(PlantSpec):
    """Open towers by the YorkCalc correlation, scaled to their design approach; water flow is constant.

    They default to the usual design point, 35.0 to 29.44 degC at 25.55 degC wet bulb (LBNL
    modelica-buildings, c4117cce).
    """

    fan_is: ClassVar[str] = "tower cell"

    fans: Annotated[int, Field(ge=0, le=1000)] = 2
    """Tower fans of one unit, one per cell (assumed, 1-4)."""
    design_wet_bulb: Annotated[Temperature, Within("0 degC", "35 degC")] = 25.55
    """Wet bulb of the towers' design point (vendor)."""
    tower_approach: Annotated[TemperatureDelta, Positive()] = 3.89
    """Tower water minus wet bulb at the design point (vendor)."""
    tower_range: Annotated[TemperatureDelta, Within("1.1 K", "20 K")] = 5.56
    """Cooling of the water through the tower at the design point (vendor)."""
    tower_fan: Annotated[Fraction, Within(0.0, 0.1)] = 0.012
    """Fan power over rejected heat at full speed at sea level (0.008-0.018, assumed); thinner air takes less."""
    cycles_of_concentration: Annotated[Fraction, Within(1.1, 20.0)] = 4.0
    """Salt in the basin over salt in the make-up water (3-6, assumed)."""
    drift: Annotated[Fraction, Within(0.0, 0.01)] = 2e-5
    """Water blown out as droplets, over circulation (0.0005-0.005 %, assumed)."""
    frost_protection: Literal["indoor_sump", "none"] = "indoor_sump"
    """`indoor_sump`: tower water drains indoors where it stands, and a bypass keeps it warm. With
    `none` a run with air below freezing is an error."""

    def sink_c(self, weather: HourlyWeather) -> Array:
        """Return the wet bulb, in degC."""
        return weather.wet_bulb_c

    def freezes(self) -> bool:
        """Return whether water stands in an outdoor basin."""
        return self.frost_protection == "none"

    def dry_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap | None:
        """Return None: without water the towers reject nothing."""
        return None

    def tower_scale(self) -> float:
        """Return the factor on the correlation's approach that meets the design point."""
        wet, span = np.asarray(self.design_wet_bulb), np.asarray(self.tower_range)
        return self.tower_approach / float(york_calc.approach_k(wet, span))

    def tower_air(self, weather: HourlyWeather) -> TowerAir:
        """Return the air of the towers.

        Fans move volume: thin air is less of it, but takes more water, c = h(hot water) - h(wet bulb) of saturated
        air, over that at sea level. The correlation, which knows no pressure, is asked for `density x c^1.25` of
        the air.
        """
        wet, pressure = weather.wet_bulb_c[:, None], weather.pressure_pa[:, None]
        hot = wet + self.tower_approach + self.tower_range
        here, there = (_saturated_j_kg(hot, p) - _saturated_j_kg(wet, p) for p in (pressure, SEA_LEVEL_PA))
        density = pressure / SEA_LEVEL_PA
        return TowerAir(wet, density, density * (here / there) ** OF_ENTHALPY)

    def coldest_c(self, air: TowerAir, span: Array) -> Array:
        """Return the water of towers whose fans all run, by air and cooling of the water."""
        return air.wet_c + self.tower_scale() * york_calc.approach_k(air.wet_c, span, 1.0 / air.carries_frac)

    def airflow(self, air: TowerAir, span: Array, water_c: Array) -> Array:
        """Return the speed of the fans over full speed that makes tower water of `water_c`."""
        wanted_k = (water_c - air.wet_c) / self.tower_scale()
        return np.minimum(york_calc.airflow_frac(air.wet_c, span, wanted_k) / air.carries_frac, 1.0)

    def tower_water_kg_j(
        self, weather: HourlyWeather, heat_frac: Array, mean_c: Array, running: Array | float
    ) -> tuple[Array, Array]:
        """Return evaporation with drift, and blowdown, in kg/s per W of capacity.

        Parameters
        ----------
        heat_frac : (hours, n_x) rejected heat over capacity
        mean_c : mean of the water into and out of the towers
        running : heat for which water circulates over capacity
        """
        evaporated = evaporation.from_tower_kg_j(weather, heat_frac, mean_c)
        circulation = running / (WATER_SPECIFIC_HEAT_J_KGK * self.tower_range)
        drift = self.drift * circulation * (heat_frac > 0.0)
        blowdown = np.maximum(evaporated / (self.cycles_of_concentration - 1.0) - drift, 0.0)
        return evaporated + drift, blowdown


def _saturated_j_kg(temperature_c: Array, pressure_pa: Array | float) -> Array:
    """Return the enthalpy of saturated air per kg of dry air."""
    vapour_pa = air_of.saturation_pressure_pa(temperature_c)
    return air_of.enthalpy_j_kg(temperature_c, air_of.humidity_ratio(vapour_pa, pressure_pa))
