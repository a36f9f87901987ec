"""Open cooling towers behind a plate heat exchanger, without chillers."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from simulator.components.cooling import evaporation, york_calc
from simulator.components.cooling._base import (
    LOAD_FRAC,
    Array,
    HourlyWeather,
    PlantMap,
    PlantSpec,
    Set,
    free,
)
from simulator.components.cooling.exchanger import counterflow, ntu_of
from simulator.components.cooling.fluids import WATER_SPECIFIC_HEAT_J_KGK
from simulator.units import Fraction, Positive, Temperature, TemperatureDelta, Within


class Tower(PlantSpec):
    """Tower water takes the loop's heat in plate exchangers, both at constant flow.

    `unit` is the heat of one tower with its exchanger and pump. Towers default to the usual design
    point, 35.0 to 29.44 degC at 25.55 degC wet bulb (LBNL modelica-buildings, c4117cce).
    """

    kind: Literal["tower"] = "tower"
    fans: Annotated[int, Field(ge=0, le=1000)] = 2
    """Tower fans of one unit, one per cell (assumed, 1-4)."""
    design_wet_bulb: Annotated[Temperature, Within("0 degC", "35 degC")] = 25.55
    """Wet bulb of the towers' design point (vendor)."""
    tower_approach: Annotated[TemperatureDelta, Positive()] = 3.89
    """Tower water minus wet bulb at the design point (vendor)."""
    tower_range: Annotated[TemperatureDelta, Within("1.1 K", "20 K")] = 5.56
    """Cooling of the water through the tower at the design point (vendor)."""
    exchanger_approach: Annotated[TemperatureDelta, Positive()] = 2.0
    """Loop water minus tower water at full heat (1.5-2.5 K, assumed)."""
    tower_fan: Annotated[Fraction, Within(0.0, 0.1)] = 0.012
    """Fan power over heat at full speed (0.008-0.018, assumed)."""
    tower_pump: Annotated[Fraction, Within(0.0, 0.1)] = 0.012
    """Power of the tower water's pump over heat: 200 kPa at 5.56 K and 70 % (derived)."""
    cycles_of_concentration: Annotated[Fraction, Within(1.1, 20.0)] = 4.0
    """Salt in the basin over salt in the make-up water (3-6, assumed)."""
    drift: Annotated[Fraction, Within(0.0, 0.01)] = 2e-5
    """Water blown out as droplets, over circulation (0.0005-0.005 %, assumed)."""
    frost_protection: Literal["indoor_sump", "none"] = "indoor_sump"
    """`indoor_sump`: tower water drains indoors where it stands, and a bypass keeps it warm. With
    `none` a run with air below freezing is an error."""

    @model_validator(mode="after")
    def _exchanger_exists(self) -> Self:
        least, most = sorted((1.0 / self.range, 1.0 / self.tower_range))
        effectiveness = 1.0 / (least * (self.exchanger_approach + self.range))
        try:
            ntu_of(effectiveness, least / most, counterflow)
        except ValueError:
            raise ValueError(
                "no exchanger reaches this approach: raise exchanger_approach, or lower tower_range"
            ) from None
        return self

    def sink_c(self, weather: HourlyWeather) -> Array:
        """Return the wet bulb, in degC."""
        return weather.wet_bulb_c

    def plant_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return supply temperature, power and water by hour and load (see `PlantSpec`).

        The exchanger's approach is proportional to heat. Where all fans would make tower water
        colder than needed they slow down; where they do not suffice, the loop gets warmer.
        """
        wet = weather.wet_bulb_c[:, None]
        span = LOAD_FRAC * self.tower_range
        coldest = wet + self._scale() * york_calc.approach_k(wet, span)
        behind = self.exchanger_approach * LOAD_FRAC
        water_c = np.maximum(coldest, set_c - behind)
        evaporated, blowdown = self._water_kg_j(weather, water_c)
        return PlantMap(
            load_frac=LOAD_FRAC,
            supply_c=water_c + behind,
            power_frac=self._power_frac(wet, span, water_c, coldest),
            evaporation_kg_j=evaporated,
            blowdown_kg_j=blowdown,
            mechanical_frac=free(len(weather)),
        )

    def reach_c(self) -> float:
        """Return the loop's water at full heat at the design wet bulb, in degC."""
        return self.design_wet_bulb + self.tower_approach + self.exchanger_approach

    def freezes(self) -> bool:
        """Return whether water stands in an outdoor basin."""
        return self.frost_protection == "none"

    def _scale(self) -> float:
        """Return the factor on the correlation's approach that meets the design point."""
        wet, span = np.asarray(self.design_wet_bulb), np.asarray(self.tower_range)
        return self.tower_approach / float(york_calc.approach_k(wet, span))

    def _power_frac(self, wet: Array, span: Array, water_c: Array, coldest: Array) -> Array:
        """Return fan power, cube of airflow, and the pump's at constant flow, per W of capacity."""
        slow = york_calc.airflow_frac(wet, span, (water_c - wet) / self._scale())
        airflow = np.where(water_c > coldest, slow, 1.0)
        return (self.tower_fan * airflow**3 + self.tower_pump) * (LOAD_FRAC > 0.0)

    def _water_kg_j(self, weather: HourlyWeather, water_c: Array) -> tuple[Array, Array]:
        """Return evaporation with drift, and blowdown, in kg/s per W of capacity."""
        mean_c = water_c + 0.5 * LOAD_FRAC * self.tower_range
        evaporated = evaporation.from_tower_kg_j(weather, LOAD_FRAC, mean_c)
        circulation = 1.0 / (WATER_SPECIFIC_HEAT_J_KGK * self.tower_range)
        drift = self.drift * circulation * (LOAD_FRAC > 0.0)
        blowdown = np.maximum(evaporated / (self.cycles_of_concentration - 1.0) - drift, 0.0)
        return evaporated + drift, blowdown
