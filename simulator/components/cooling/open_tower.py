"""Open cooling towers behind plate exchangers: the last stage of every plant that ends in them."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import model_validator

from simulator.components.cooling._base import (
    LOAD_FRAC,
    Array,
    HourlyWeather,
    Set,
)
from simulator.components.cooling.exchanger import counterflow, ntu_of
from simulator.components.cooling.staging import Staged
from simulator.components.cooling.tower_water import TowerAir, TowerWater
from simulator.units import Fraction, Positive, TemperatureDelta, Within

_HALVINGS = 24


@dataclass(frozen=True)
class Rejected:
    """What towers do with some heat, (hours, n_x), per W of capacity in service."""

    asked_frac: Array
    """Of all groups of units: see `OpenTower.asked_frac`."""
    supply_c: Array
    power_frac: Array
    evaporation_kg_j: Array
    blowdown_kg_j: Array


class OpenTower(TowerWater, Staged):
    """Tower water takes the loop's heat in plate exchangers, both at constant flow."""

    alike: ClassVar[bool] = True
    exchanger_approach: Annotated[TemperatureDelta, Positive()] = 2.0
    """Loop water minus tower water at full heat (1.5-2.5 K, assumed)."""
    tower_pump: Annotated[Fraction, Within(0.0, 0.1)] = 0.012
    """Power of the tower water's pump over heat: 200 kPa at 5.56 K and 70 % (derived)."""
    stages: Annotated[int, Within(1, 20)] = 1
    """Groups of units that start one after another as heat or its water's warmth asks for them, and share the
    heat; 1: all run always. Fewer cells and pumps running save pump power, but work at a larger approach."""

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

    def reach_c(self) -> float:
        """Return the loop's water at full heat at the design wet bulb, in degC."""
        return self.design_wet_bulb + self.tower_approach + self.exchanger_approach

    def holds_frac(self, set_c: Set, air: TowerAir) -> Array | float:
        """Return the largest load of units that run, over their capacity, at which their fans hold the set
        temperature in this air, at most 1: (hours, 1), or n_x where the set temperature is by load.

        Water at full fans and the exchanger's approach rise with the load, so halving finds it.
        """
        if self.groups == 1 or self.held:
            return 1.0
        shape = np.broadcast_shapes(np.shape(set_c), air.wet_c.shape)
        low, high = np.zeros(shape), np.full(shape, 2.0)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            held = self._coldest_c(middle, air) + self._behind_k(middle) <= set_c
            low, high = np.where(held, middle, low), np.where(held, high, middle)
        return np.clip(low, LOAD_FRAC[0], 1.0)

    def asked_frac(self, heat_frac: Array, holds_frac: Array | float) -> Array:
        """Return the share of all units that a heat asks for: as many as carry it, and hold the set temperature
        or, where even all do not, all."""
        return np.asarray(np.minimum(heat_frac / holds_frac, np.maximum(heat_frac, 1.0)))

    def _rejected(self, heat_frac: Array, set_c: Set, weather: HourlyWeather) -> Rejected:
        """Return what becomes of `heat_frac` W/W, broadcastable to (hours, n_x), at the towers.

        Where all fans would make tower water colder than needed they slow down; where they do not
        suffice, the loop gets warmer.
        """
        air = self.tower_air(weather)
        asked = self.asked_frac(heat_frac, self.holds_frac(set_c, air))
        on = self.running(asked)
        span = heat_frac / on * self.tower_range
        coldest, behind = self._coldest_c(heat_frac / on, air), self._behind_k(heat_frac / on)
        water_c = np.maximum(coldest, set_c - behind)
        airflow = np.where(water_c > coldest, self.airflow(air, span, water_c), 1.0)
        drawn = (self.tower_fan * air.density_frac * airflow**3 + self.tower_pump) * on * (heat_frac > 0.0)
        water = self.tower_water_kg_j(weather, heat_frac, water_c + 0.5 * span, on)
        return Rejected(np.broadcast_to(asked, water_c.shape), water_c + behind, drawn, *water)

    def _coldest_c(self, loaded_frac: Array, air: TowerAir) -> Array:
        """Return the tower water with all fans, at a load of the units that run."""
        return self.coldest_c(air, loaded_frac * self.tower_range)

    def _behind_k(self, loaded_frac: Array) -> Array:
        """Return loop water minus tower water: proportional to heat, as both flows are constant."""
        return self.exchanger_approach * loaded_frac
