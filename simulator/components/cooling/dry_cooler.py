"""Dry cooler: water to outdoor air through finned coils, with optional adiabatic pre-cooling."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from simulator.components.cooling._base import LOAD_FRAC, Array, HourlyWeather, PlantMap, PlantSpec
from simulator.components.cooling.exchanger import crossflow, ntu_of
from simulator.components.cooling.psychrometrics import LATENT_HEAT_J_KG, air_density_kg_m3
from simulator.units import Fraction, Positive, Temperature, TemperatureDelta, Within

AIR_EXPONENT = 0.8  # hA of the air side ~ airflow^0.8 (LBNL modelica-buildings, HADryCoil)
SEA_LEVEL_PA = 101_325.0


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
        self._design_ntu()
        return self

    def plant_map(self, supply_c: float, weather: HourlyWeather) -> PlantMap:
        """Return supply temperature, fan power and water by hour and load (see `PlantSpec`)."""
        air_c = self._entering_air_c(weather)
        full_flow = self._full_airflow(air_c, weather.pressure_pa)
        airflow = self._airflow(supply_c, air_c, full_flow)
        reached = air_c[:, None] + LOAD_FRAC * self._lift_k(full_flow)[:, None]
        water = self._water_kg_j(weather.dry_bulb_c - air_c, airflow)
        return PlantMap(
            load_frac=LOAD_FRAC,
            supply_c=np.maximum(supply_c, reached),
            power_frac=self._fan_frac(airflow / full_flow[:, None]),
            evaporation_kg_j=water,
            blowdown_kg_j=water / (self.cycles_of_concentration - 1.0),
        )

    def _entering_air_c(self, weather: HourlyWeather) -> Array:
        """Return the air temperature at the coil: dry bulb, or pre-cooled towards wet bulb."""
        depression = np.maximum(weather.dry_bulb_c - weather.wet_bulb_c, 0.0)
        wetted = weather.dry_bulb_c > self.adiabatic_start
        return weather.dry_bulb_c - self.adiabatic_effectiveness * depression * wetted

    def _full_airflow(self, air_c: Array, pressure_pa: Array) -> Array:
        """Return the air mass flow at full fan speed over design: fans move volume, not mass."""
        design = air_density_kg_m3(self.design_air, SEA_LEVEL_PA)
        return air_density_kg_m3(air_c, pressure_pa) / design

    def _airflow(self, supply_c: float, air_c: Array, full_flow: Array) -> Array:
        """Return the air mass flow (over design) that holds `supply_c`, at most full speed.

        At steady state the leaving water is air + load x lift(airflow), so one table of the
        falling curve lift(airflow) answers every hour and load.
        """
        flow = np.geomspace(1e-3, 2.0, 4000)
        with np.errstate(divide="ignore"):
            allowed = (supply_c - air_c)[:, None] / LOAD_FRAC[1:]
        needed = np.interp(-allowed, -self._lift_k(flow), flow)
        airflow = np.minimum(needed, full_flow[:, None])
        return np.concatenate([np.zeros((len(air_c), 1)), airflow], axis=1)

    def _lift_k(self, flow: Array) -> Array:
        """Return leaving water minus entering air at full heat, by air mass flow over design."""
        # Per W of design heat: water C = 1/range, air C = flow/air_rise, in 1/K.
        water, air = 1.0 / self.range, flow / self.air_rise
        least, most = np.minimum(water, air), np.maximum(water, air)
        conductance = self._design_ntu() * min(1.0 / self.range, 1.0 / self.air_rise)
        share = self.air_side_share
        resistance = (share + flow**-AIR_EXPONENT) / (1.0 + share)
        return (
            1.0 / (crossflow(conductance / resistance / least, least / most) * least) - self.range
        )

    def _design_ntu(self) -> float:
        """Return UA / C_min that meets the design point."""
        least, most = sorted((1.0 / self.range, 1.0 / self.air_rise))
        effectiveness = 1.0 / (least * (self.approach + self.range))
        try:
            return ntu_of(effectiveness, least / most, crossflow)
        except ValueError:
            message = "no coil reaches this approach: raise approach, or lower air_rise or range"
            raise ValueError(message) from None

    def _fan_frac(self, speed: Array) -> Array:
        """Return fan power per W of capacity: cube of speed; on and off below minimum speed."""
        running = np.maximum(speed, self.minimum_speed)
        return self.fan * running**2 * speed

    def _water_kg_j(self, cooled_k: Array, airflow: Array) -> Array:
        """Return the water that cools the air by `cooled_k`, in kg/s per W of capacity."""
        heat = cooled_k[:, None] * airflow / self.air_rise
        return heat / LATENT_HEAT_J_KG
