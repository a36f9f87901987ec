"""Air-cooled chillers behind a free-cooling coil: free, partial or mechanical by weather."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from simulator.components.cooling import york_ycal
from simulator.components.cooling._base import (
    LOAD_FRAC,
    Array,
    HourlyWeather,
    PlantMap,
    Set,
)
from simulator.components.cooling.coil import Coil, fan_frac
from simulator.components.cooling.compressors import Compressors
from simulator.units import Fraction, Positive, Temperature, TemperatureDelta, Within

FAN_SPEEDS = np.linspace(0.0, 1.0, 11)
"""Speeds of the free-cooling fans tried in partial mode; the cheapest is taken."""


@dataclass(frozen=True)
class _Hours:
    """What an hour's weather allows, as columns (hours, 1)."""

    air_c: Array
    cop: Array
    limit_frac: Array
    """Most heat of the chillers at the set temperature, per W of capacity."""


class AirChiller(Compressors):
    """Loop water passes a coil in outdoor air; air-cooled chillers in series take what is left.

    No water is used. Chillers follow York's YCAL0033EE, the only air-cooled public curve set, and
    Carnot's form beyond its range (see `york_ycal`). Its COP includes the condenser fans; the
    free-cooling coil has fans of its own.
    """

    kind: Literal["air_chiller"] = "air_chiller"
    unit_is: ClassVar[str] = "chiller"
    fan_is: ClassVar[str] = "condenser fan"
    fans: Annotated[int, Field(ge=0, le=1000)] = 12
    """Condenser fans of one unit (assumed, 8-16)."""
    design_air: Annotated[Temperature, Within("25 degC", "51.67 degC")] = 35.0
    """Air at which a chiller carries its unit's heat (vendor)."""
    rated_cop: Annotated[Fraction, Within(1.5, 8.0)] = 3.1
    """COP at 6.67 degC chilled water and 35 degC air, fans included (vendor)."""
    free_approach: Annotated[TemperatureDelta, Positive()] = 10.0
    """Water behind the free-cooling coil minus air at full heat and full fans (6-12 K, assumed)."""
    air_rise: Annotated[TemperatureDelta, Positive()] = 8.0
    """Warming of the air through the free-cooling coil there (5-10 K, assumed)."""
    free_fan: Annotated[Fraction, Within(0.0, 0.2)] = 0.03
    """Free-cooling fan power at full speed over design heat, in air of `design_air` at sea level (0.02-0.04,
    assumed)."""
    minimum_speed: Annotated[Fraction, Within(0.01, 1.0)] = 0.1
    """Lowest speed of free-cooling fans; below it they switch on and off."""
    air_side_share: Annotated[Fraction, Within(0.05, 20.0)] = 0.5
    """Air-side over water-side conductance (hA) of the free-cooling coil at design."""

    @model_validator(mode="after")
    def _coil_exists(self) -> Self:
        self._coil()
        return self

    def plant_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return supply temperature and power by hour and load; no water (see `PlantSpec`).

        An overloaded plant runs its compressors and every fan at full power; compressors at the
        most they draw in any air, though in extreme heat the curves unload them by some percent.
        """
        coil, air = self._coil(), weather.dry_bulb_c
        full_flow = coil.full_airflow(air, weather.pressure_pa)
        column = air[:, None]
        hours = _Hours(column, self.cop(set_c, column), self._limit_frac(set_c, column))
        none = np.zeros((len(air), len(LOAD_FRAC)))
        settled_c = self._supply_c(set_c, hours, coil.lift_k(full_flow)[:, None])
        alone = self._free_frac(set_c, hours, coil, full_flow)
        mixed, chilled = self._mixed_frac(set_c, hours, coil, full_flow)
        power, over = np.minimum(alone, mixed), np.isinf(np.minimum(alone, mixed))
        most = hours.limit_frac * (1.0 + york_ycal.CAPACITY_PER_K * (settled_c - set_c))
        moved = np.where(over, np.minimum(most, LOAD_FRAC), chilled * (mixed < alone))
        return PlantMap(
            load_frac=LOAD_FRAC,
            supply_c=settled_c,
            power_frac=np.where(over, self._full_frac(set_c) + self.free_fan * full_flow[:, None], power),
            evaporation_kg_j=none,
            blowdown_kg_j=none,
            mechanical_frac=moved / LOAD_FRAC,
            asked_frac=moved / hours.limit_frac,
        )

    def reach_c(self) -> float:
        """Return the coldest water the chillers' published curves make, in degC."""
        return york_ycal.WATER_BOUNDS_C[0]

    def cop(self, set_c: Set, air_c: Array) -> Array:
        """Return heat over work of the chillers, condenser fans included."""
        return self.rated_cop * york_ycal.efficiency(set_c, air_c)

    def chilled_frac(self, set_c: Set, air_c: Array, lift_k: Array) -> Array:
        """Return the heat left to the chillers per W of capacity: 0 free, the load mechanical.

        The coil takes (T_return - air) / (lift + range) of design heat, lift at its airflow.
        """
        missing = air_c + lift_k * LOAD_FRAC - set_c
        return np.clip(missing / (lift_k + self.range), 0.0, LOAD_FRAC)

    def _coil(self) -> Coil:
        return Coil(
            self.range, self.free_approach, self.air_rise, self.air_side_share, self.design_air
        )

    def _limit_frac(self, set_c: Set, air_c: Array) -> Array:
        """Return the chillers' capacity over that at `design_air`, at most 1."""
        here, design = (
            york_ycal.capacity(set_c, np.maximum(a, york_ycal.MOST_CAPACITY_AIR_C))
            for a in (air_c, np.asarray(self.design_air))
        )
        return np.minimum(1.0, here / design)

    def _full_frac(self, set_c: Set) -> Array:
        """Return the most power of compressors in any air, per W of capacity."""
        most = np.zeros(np.shape(set_c))
        for air_c in np.linspace(*york_ycal.AIR_BOUNDS_C, 100):
            full = self._limit_frac(set_c, air_c) / self.cop(set_c, air_c)
            most = np.maximum(most, full)
        return most

    def _free_frac(self, set_c: Set, hours: _Hours, coil: Coil, full_flow: Array) -> Array:
        """Return fan power where the coil alone holds the set temperature, else infinity."""
        airflow = coil.airflow(set_c, hours.air_c[:, 0], full_flow)
        left = self.chilled_frac(set_c, hours.air_c, coil.lift_k(full_flow)[:, None])
        full = full_flow[:, None]
        power = fan_frac(self.free_fan * full, airflow / full, self.minimum_speed)
        return np.where(left > 0.0, np.inf, power)

    def _mixed_frac(
        self, set_c: Set, hours: _Hours, coil: Coil, full_flow: Array
    ) -> tuple[Array, Array]:
        """Return power with chillers at the cheapest speed of the free-cooling fans, and their heat.

        Infinite where no speed leaves the chillers as little as they can carry.
        """
        best = np.full((len(full_flow), len(LOAD_FRAC)), np.inf)
        moved = np.zeros_like(best)
        for speed in FAN_SPEEDS:
            left = np.broadcast_to(LOAD_FRAC, best.shape)
            if speed > 0.0:
                lift = coil.lift_k(speed * full_flow)[:, None]
                left = self.chilled_frac(set_c, hours.air_c, lift)
            loaded = self.loaded_frac(left, hours.limit_frac)
            work = np.where(left > hours.limit_frac, np.inf, loaded) / hours.cop
            fans = self.free_fan * full_flow[:, None] * speed**3
            moved = np.where(work + fans < best, left, moved)
            best = np.minimum(best, work + fans)
        return best, moved

    def _supply_c(self, set_c: Set, hours: _Hours, lift_k: Array) -> Array:
        """Return the loop temperature: the set one, or where an overloaded plant settles.

        A chiller at its limit carries more as its water warms; the coil helps once the return is
        warmer than the air. Both are linear in the supply temperature.
        """
        limit, growth = hours.limit_frac, york_ycal.CAPACITY_PER_K
        alone = set_c + (LOAD_FRAC / limit - 1.0) / growth
        coil = 1.0 / (lift_k + self.range)
        taken = coil * (self.range * LOAD_FRAC - hours.air_c)
        helped = (LOAD_FRAC - limit + limit * growth * set_c - taken) / (coil + limit * growth)
        return np.maximum(set_c, np.minimum(alone, helped))
