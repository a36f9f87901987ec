"""What coolers made of finned coils and fans share: the coil's design point and its fans."""

from typing import Annotated, NamedTuple, Self

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


class Pads(NamedTuple):
    """Wetted pads in front of a coil; with `NO_PADS` the air comes as it is."""

    fan_frac: float
    """Fan power in the pads at full fans, per W of capacity."""
    cycles: float
    """Salt in the pads' water over salt in the make-up water."""


NO_PADS = Pads(0.0, 2.0)


class CoilCooler(PlantSpec):
    """Finned coils and variable-speed fans.

    Defaults are the design point of a BAC Trillium TDFS1238N: 2,931 kW, 117.68 kW of fans, air
    at 35 degC, water from 46.11 to 40.55 degC (LBNL modelica-buildings, c4117cce).
    """

    fans: Annotated[int, Field(ge=0, le=1000)] = 16
    """Fans of one unit, 7.4 kW each (assumed, 8-24)."""
    design_air: Annotated[Temperature, Within("-20 degC", "55 degC")] = 35.0
    """Air at the coil at its design point, at sea level; with pads also dry bulb of the design day
    (vendor)."""
    approach: Annotated[TemperatureDelta, Positive()] = 5.55
    """Leaving water minus air at the coil at the design point (vendor)."""
    air_rise: Annotated[TemperatureDelta, Positive()] = 6.0
    """Warming of the air through the coil at the design point: sets the airflow (assumed)."""
    fan: Annotated[Fraction, Within(0.0, 0.2)] = 0.04015
    """Fan power at full speed without pads in air of `design_air` at sea level, as a fraction of design heat
    (vendor); thinner air takes less."""
    minimum_speed: Annotated[Fraction, Within(0.01, 1.0)] = 0.1
    """Lowest fan speed; below it fans switch on and off."""
    air_side_share: Annotated[Fraction, Within(0.05, 20.0)] = 0.5
    """Air-side over water-side conductance (hA) at design."""

    @model_validator(mode="after")
    def _coil_exists(self) -> Self:
        self._coil()
        return self

    def _coil(self) -> Coil:
        return Coil(self.range, self.approach, self.air_rise, self.air_side_share, self.design_air)

    def _behind(self, air_c: Array, set_c: Set, weather: HourlyWeather, pads: Pads) -> PlantMap:
        """Return the map of coils in air of `air_c` (hours,), which pads cooled from dry bulb."""
        coil = self._coil()
        full_flow = coil.full_airflow(air_c, weather.pressure_pa)
        airflow = coil.airflow(set_c, air_c, full_flow)
        reached = air_c[:, None] + LOAD_FRAC * coil.lift_k(full_flow)[:, None]
        # Per W of capacity and K of cooling the air carries airflow / air_rise.
        cooled = (weather.dry_bulb_c - air_c)[:, None] * airflow / self.air_rise
        water = cooled / LATENT_HEAT_J_KG
        full_fan = (self.fan + pads.fan_frac) * full_flow[:, None]  # by density, in the pads too
        return PlantMap(
            load_frac=LOAD_FRAC,
            supply_c=np.maximum(set_c, reached),
            power_frac=fan_frac(full_fan, airflow / full_flow[:, None], self.minimum_speed),
            evaporation_kg_j=water,
            blowdown_kg_j=water / (pads.cycles - 1.0),
            mechanical_frac=free(len(weather)),
        )
