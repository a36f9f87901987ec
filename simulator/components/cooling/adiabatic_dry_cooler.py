"""Adiabatic dry cooler: finned coils behind pads that are wetted in stages on hot days."""

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
from simulator.components.cooling.coil import SEA_LEVEL_PA, Coil, fan_frac
from simulator.components.cooling.psychrometrics import LATENT_HEAT_J_KG, air_density_kg_m3
from simulator.units import Fraction, Positive, Pressure, Temperature, TemperatureDelta, Within

AIR_SPECIFIC_HEAT_J_KGK = 1006.0  # dry air (ASHRAE Fundamentals 2017, ch. 1, eq. 28)


class AdiabaticDryCooler(PlantSpec):
    """Coils of a dry cooler; the air passes pads, wet only above the switch temperature.

    Sections of the pads are wetted one after the other, as many as keep the air at the coil at the
    switch temperature, until all are wet. Coils default to the BAC Trillium TDFS1238N (2,931 kW,
    LBNL modelica-buildings, c4117cce), whose fans then push through the pads as well.
    """

    kind: Literal["adiabatic_dry_cooler"] = "adiabatic_dry_cooler"
    fans: Annotated[int, Field(ge=0, le=1000)] = 16
    """Fans of one unit (assumed, 8-24)."""
    design_air: Annotated[Temperature, Within("-20 degC", "55 degC")] = 35.0
    """Air at the coil at its design point, at sea level; also dry bulb of the design day (vendor)."""
    approach: Annotated[TemperatureDelta, Positive()] = 5.55
    """Leaving water minus air at the coil at the design point (vendor)."""
    air_rise: Annotated[TemperatureDelta, Positive()] = 6.0
    """Warming of the air through the coil at the design point: sets the airflow (assumed)."""
    fan: Annotated[Fraction, Within(0.0, 0.2)] = 0.04015
    """Fan power at full speed without pads, as a fraction of design heat (vendor)."""
    minimum_speed: Annotated[Fraction, Within(0.01, 1.0)] = 0.1
    """Lowest fan speed; below it fans switch on and off."""
    air_side_share: Annotated[Fraction, Within(0.05, 20.0)] = 0.5
    """Air-side over water-side conductance (hA) at design."""
    saturation_effectiveness: Annotated[Fraction, Within(0.05, 0.95)] = 0.75
    """Share of the wet-bulb depression that fully wet pads take off the air (0.6-0.9, assumed)."""
    switch: Annotated[Temperature, Within("5 degC", "50 degC")] = 28.0
    """Dry bulb above which pads are wetted (assumed); never near frost."""
    design_wet_bulb: Annotated[Temperature, Within("0 degC", "35 degC")] = 24.0
    """Wet bulb of the design day (assumed)."""
    pad_drop: Annotated[Pressure, Within("0 Pa", "300 Pa")] = 40.0
    """Pressure the air loses in the pads at full fans, wet or dry (20-80 Pa, assumed)."""
    fan_efficiency: Annotated[Fraction, Within(0.1, 0.9)] = 0.5
    """Air power over electrical power of the fans (0.4-0.65, assumed)."""
    cycles_of_concentration: Annotated[Fraction, Within(1.1, 20.0)] = 4.0
    """Salt in the pads' water over salt in the make-up water (3-6, assumed)."""

    @model_validator(mode="after")
    def _design_point_exists(self) -> Self:
        self._coil()
        if self.design_wet_bulb > self.design_air:
            raise ValueError("design_wet_bulb is above design_air: no air is wetter than saturated")
        return self

    def plant_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return supply temperature, fan power and water by hour and load (see `PlantSpec`)."""
        coil = self._coil()
        air_c = self.entering_air_c(weather.dry_bulb_c, weather.wet_bulb_c)
        full_flow = coil.full_airflow(air_c, weather.pressure_pa)
        airflow = coil.airflow(set_c, air_c, full_flow)
        speed = airflow / full_flow[:, None]
        # Per W of capacity and K of cooling the air carries airflow / air_rise.
        cooled = (weather.dry_bulb_c - air_c)[:, None] * airflow / self.air_rise
        water = cooled / LATENT_HEAT_J_KG
        return PlantMap(
            load_frac=LOAD_FRAC,
            supply_c=np.maximum(
                set_c, air_c[:, None] + LOAD_FRAC * coil.lift_k(full_flow)[:, None]
            ),
            power_frac=fan_frac(self.fan + self.pad_frac(), speed, self.minimum_speed),
            evaporation_kg_j=water,
            blowdown_kg_j=water / (self.cycles_of_concentration - 1.0),
            mechanical_frac=free(len(weather)),
        )

    def reach_c(self) -> float:
        """Return the water at full heat on the design day, in degC."""
        day = np.asarray(self.design_air), np.asarray(self.design_wet_bulb)
        return float(self.entering_air_c(*day)) + self.approach

    def entering_air_c(self, dry_c: Array, wet_c: Array) -> Array:
        """Return the air at the coil: all pads wet, or held at the switch temperature, or dry."""
        depression = np.maximum(dry_c - wet_c, 0.0)
        coldest = dry_c - self.saturation_effectiveness * depression
        return np.maximum(coldest, np.minimum(dry_c, self.switch))

    def pad_frac(self) -> float:
        """Return fan power spent in the pads at full fans per W of capacity: dp V / efficiency."""
        density = float(air_density_kg_m3(self.design_air, SEA_LEVEL_PA))
        volume_m3_j = 1.0 / (AIR_SPECIFIC_HEAT_J_KGK * self.air_rise * density)
        return self.pad_drop * volume_m3_j / self.fan_efficiency

    def _coil(self) -> Coil:
        return Coil(self.range, self.approach, self.air_rise, self.air_side_share, self.design_air)
