"""Adiabatic dry cooler: finned coils behind pads that are wetted in stages on hot days."""

from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from simulator.components.cooling._base import Array, HourlyWeather, PlantMap, Set
from simulator.components.cooling.coil import SEA_LEVEL_PA
from simulator.components.cooling.coil_cooler import CoilCooler, Pads
from simulator.components.cooling.psychrometrics import AIR_SPECIFIC_HEAT_J_KGK, air_density_kg_m3
from simulator.units import Fraction, Pressure, Temperature, Within


class AdiabaticDryCooler(CoilCooler):
    """Coils of a dry cooler; the air passes pads, wet only above the switch temperature.

    Sections of the pads are wetted one after the other, as many as keep the air at the coil at the
    switch temperature, until all are wet. The fans push through the pads as well, wet or dry.
    """

    kind: Literal["adiabatic_dry_cooler"] = "adiabatic_dry_cooler"
    unit_is: ClassVar[str] = "adiabatic dry cooler"
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
    def _design_day_exists(self) -> Self:
        if self.design_wet_bulb > self.design_air:
            raise ValueError("design_wet_bulb is above design_air: no air is wetter than saturated")
        return self

    def plant_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return supply temperature, fan power and water by hour and load (see `PlantSpec`)."""
        air_c = self.sink_c(weather)
        return self._behind(air_c, set_c, weather, Pads(self.pad_frac(), self.cycles_of_concentration))

    def dry_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return the map with dry pads, which the air passes all the same."""
        pads = Pads(self.pad_frac(), self.cycles_of_concentration)
        return self._behind(weather.dry_bulb_c, set_c, weather, pads)

    def sink_c(self, weather: HourlyWeather) -> Array:
        """Return the air at the coil, in degC."""
        return self.entering_air_c(weather.dry_bulb_c, weather.wet_bulb_c)

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
