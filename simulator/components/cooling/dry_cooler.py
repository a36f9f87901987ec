"""Dry cooler: water to outdoor air through finned coils, with optional adiabatic pre-cooling."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from simulator.components.cooling._base import (
    LOAD_FRAC,
    Array,
    HourlyWeather,
    PlantMap,
    PlantSpec,
    Set,
    free,
)
from simulator.components.cooling.coil import Coil, fan_frac
from simulator.components.cooling.psychrometrics import LATENT_HEAT_J_KG
from simulator.units import Fraction, Positive, Temperature, TemperatureDelta, Within


class DryCooler(PlantSpec):
    """Finned coils and variable-speed fans; takes no water unless pre-cooled adiabatically.

    Defaults are the design point of a BAC Trillium TDFS1238N: 2,931 kW, 117.68 kW of fans, air
    at 35 degC, water from 46.11 to 40.55 degC (LBNL modelica-buildings, c4117cce).
    """

    kind: Literal["dry_cooler"] = "dry_cooler"
    fans: Annotated[int, Field(ge=0, le=1000)] = 16
    """Fans of one unit, 7.4 kW each (assumed, 8-24)."""
    design_air: Annotated[Temperature, Within("-20 degC", "55 degC")] = 35.0
    """Air temperature of the design point, at sea level (vendor)."""
    approach: Annotated[TemperatureDelta, Positive()] = 5.55
    """Leaving water minus air at the design point (vendor)."""
    air_rise: Annotated[TemperatureDelta, Positive()] = 6.0
    """Warming of the air through the coil at the design point: sets the airflow (assumed)."""
    fan: Annotated[Fraction, Within(0.0, 0.2)] = 0.04015
    """Fan power at full speed, as a fraction of design heat (vendor)."""
    minimum_speed: Annotated[Fraction, Within(0.01, 1.0)] = 0.1
    """Lowest fan speed; below it fans switch on and off."""
    air_side_share: Annotated[Fraction, Within(0.05, 20.0)] = 0.5
    """Air-side over water-side conductance (hA) at design."""
    adiabatic_effectiveness: Annotated[Fraction, Within(0.0, 0.95)] = 0.0
    """Share of the wet-bulb depression taken off the air by wetted pads (0: none; 0.6-0.9)."""
    adiabatic_start: Annotated[Temperature, Within("0 degC", "50 degC")] = 28.0
    """Dry bulb above which the pads are wetted."""
    cycles_of_concentration: Annotated[Fraction, Within(1.1, 20.0)] = 4.0
    """Salt in the pads' water over salt in the make-up water."""

    @model_validator(mode="after")
    def _design_point_exists(self) -> Self:
        self._coil()
        return self

    def plant_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return supply temperature, fan power and water by hour and load (see `PlantSpec`)."""
        coil, air_c = self._coil(), self._entering_air_c(weather)
        full_flow = coil.full_airflow(air_c, weather.pressure_pa)
        airflow = coil.airflow(set_c, air_c, full_flow)
        reached = air_c[:, None] + LOAD_FRAC * coil.lift_k(full_flow)[:, None]
        water = self._water_kg_j(weather.dry_bulb_c - air_c, airflow)
        return PlantMap(
            load_frac=LOAD_FRAC,
            supply_c=np.maximum(set_c, reached),
            power_frac=fan_frac(self.fan, airflow / full_flow[:, None], self.minimum_speed),
            evaporation_kg_j=water,
            blowdown_kg_j=water / (self.cycles_of_concentration - 1.0),
            mechanical_frac=free(len(weather)),
        )

    def _coil(self) -> Coil:
        return Coil(self.range, self.approach, self.air_rise, self.air_side_share, self.design_air)

    def _entering_air_c(self, weather: HourlyWeather) -> Array:
        """Return the air temperature at the coil: dry bulb, or pre-cooled towards wet bulb."""
        depression = np.maximum(weather.dry_bulb_c - weather.wet_bulb_c, 0.0)
        wetted = weather.dry_bulb_c > self.adiabatic_start
        return weather.dry_bulb_c - self.adiabatic_effectiveness * depression * wetted

    def _water_kg_j(self, cooled_k: Array, airflow: Array) -> Array:
        """Return the water that cools the air by `cooled_k`, in kg/s per W of capacity."""
        heat = cooled_k[:, None] * airflow / self.air_rise
        return heat / LATENT_HEAT_J_KG
