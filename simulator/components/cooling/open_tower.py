"""Open cooling towers behind plate exchangers: the last stage of every plant that ends in them."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from simulator.components.cooling import evaporation, york_calc
from simulator.components.cooling._base import (
    Array,
    HourlyWeather,
    PlantMap,
    PlantSpec,
    Set,
)
from simulator.components.cooling.exchanger import counterflow, ntu_of
from simulator.components.cooling.fluids import WATER_SPECIFIC_HEAT_J_KGK
from simulator.components.cooling.staging import running_frac
from simulator.units import Fraction, Positive, Temperature, TemperatureDelta, Within


@dataclass(frozen=True)
class Rejected:
    """What towers do with some heat, (hours, n_x), per W of capacity in service."""

    supply_c: Array
    power_frac: Array
    evaporation_kg_j: Array
    blowdown_kg_j: Array


class OpenTower(PlantSpec):
    """Tower water takes the loop's heat in plate exchangers, both at constant flow.

    Towers default to the usual design point, 35.0 to 29.44 degC at 25.55 degC wet bulb (LBNL
    modelica-buildings, c4117cce).
    """

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

    stages: Annotated[int, Within(1, 100)] = 1
    """Groups of units that start one after another as heat rises, and share it; 1: all run always. Fewer
    cells and pumps running save pump power, but work at a larger approach."""

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

    def dry_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap | None:
        """Return None: without water the towers reject nothing."""
        return None

    def _rejected(self, heat_frac: Array, set_c: Set, weather: HourlyWeather) -> Rejected:
        """Return what becomes of `heat_frac` W/W, broadcastable to (hours, n_x), at the towers.

        Where all fans would make tower water colder than needed they slow down; where they do not
        suffice, the loop gets warmer.
        """
        wet = weather.wet_bulb_c[:, None]
        on = running_frac(heat_frac, self.stages)
        span = heat_frac / on * self.tower_range
        coldest, behind = self._coldest_c(heat_frac / on, wet), self._behind_k(heat_frac / on)
        water_c = np.maximum(coldest, set_c - behind)
        slow = york_calc.airflow_frac(wet, span, (water_c - wet) / self._scale())
        airflow = np.where(water_c > coldest, slow, 1.0)
        drawn = (self.tower_fan * airflow**3 + self.tower_pump) * on * (heat_frac > 0.0)
        water = self._water_kg_j(heat_frac, weather, water_c + 0.5 * span, on)
        return Rejected(water_c + behind, drawn, *water)

    def _coldest_c(self, loaded_frac: Array, wet: Array) -> Array:
        """Return the tower water with all fans, at a load of the units that run."""
        return wet + self._scale() * york_calc.approach_k(wet, loaded_frac * self.tower_range)

    def _behind_k(self, loaded_frac: Array) -> Array:
        """Return loop water minus tower water: proportional to heat, as both flows are constant."""
        return self.exchanger_approach * loaded_frac

    def _water_kg_j(
        self, heat_frac: Array, weather: HourlyWeather, mean_c: Array, on: Array
    ) -> tuple[Array, Array]:
        """Return evaporation with drift, and blowdown, in kg/s per W of capacity."""
        evaporated = evaporation.from_tower_kg_j(weather, heat_frac, mean_c)
        circulation = 1.0 / (WATER_SPECIFIC_HEAT_J_KGK * self.tower_range)
        drift = self.drift * circulation * on * (heat_frac > 0.0)
        blowdown = np.maximum(evaporated / (self.cycles_of_concentration - 1.0) - drift, 0.0)
        return evaporated + drift, blowdown
