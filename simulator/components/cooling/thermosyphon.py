"""Thermosyphon coolers in series before open towers: dry air first, water for the rest."""

from typing import Annotated, ClassVar, Literal

import numpy as np

from simulator.components.cooling._base import (
    LOAD_FRAC,
    Array,
    HourlyWeather,
    PlantMap,
    Set,
    free,
)
from simulator.components.cooling.coil import AIR_EXPONENT, SEA_LEVEL_PA
from simulator.components.cooling.open_tower import OpenTower
from simulator.components.cooling.psychrometrics import air_density_kg_m3
from simulator.units import Fraction, Temperature, TemperatureDelta, Within

_ROUNDS = 40  # of loop temperature -> dry heat -> loop temperature: below 1e-9 K
_FLOWS = np.geomspace(1e-4, 2.0, 4000)


class Thermosyphon(OpenTower):
    """Return water boils a refrigerant that condenses in a dry coil and runs back by its weight.

    No compressor and no pump of its own: only the coil's fans, as fast as is worth their power. What
    is left goes to towers. `unit` is the heat of one tower with its share of the dry coolers. Figures
    of the dry side are physics with assumed sizes, of no particular maker.
    """

    kind: Literal["thermosyphon"] = "thermosyphon"
    unit_is: ClassVar[str] = "tower"
    alike: ClassVar[bool] = False  # the dry coolers of all units serve those that run
    evaporator_effectiveness: Annotated[Fraction, Within(0.3, 0.98)] = 0.8
    """Of the flooded evaporator, water to boiling refrigerant (0.7-0.9, assumed)."""
    condenser_effectiveness: Annotated[Fraction, Within(0.3, 0.98)] = 0.7
    """Of the condensing coil, refrigerant to air at full fans (0.6-0.8, assumed)."""
    condenser_air_rise: Annotated[TemperatureDelta, Within("3 K", "40 K")] = 12.0
    """Warming of the coil's air when it takes the unit's heat at full fans (8-16 K, assumed)."""
    dry_fan: Annotated[Fraction, Within(0.0, 0.1)] = 0.015
    """Power of the coil's fans at full speed over the unit's heat, in air of `dry_design_air` (0.01-0.025,
    assumed)."""
    dearest: Annotated[Fraction, Within(0.001, 0.5)] = 0.03
    """Most fan power per heat taken dry that is worth the water it saves (0.02-0.06, assumed)."""
    dry_design_air: Annotated[Temperature, Within("-20 degC", "40 degC")] = 10.0
    """Air at sea level at which the coil's airflow is given: fans move volume, not mass (assumed)."""

    def plant_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return supply temperature, power and water by hour and load (see `PlantSpec`)."""
        warm_c = self._floating_c(set_c, weather)
        dry, fans = self._dry(warm_c, weather, self.dearest)
        made = self._rejected(LOAD_FRAC - dry, set_c, weather)
        return PlantMap(
            load_frac=LOAD_FRAC,
            supply_c=made.supply_c,
            power_frac=made.power_frac + fans,
            evaporation_kg_j=made.evaporation_kg_j,
            blowdown_kg_j=made.blowdown_kg_j,
            mechanical_frac=free(len(weather)),
            asked_frac=made.asked_frac,
        )

    def dry_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return the map of the dry side alone: it takes all heat, as warm as that makes the loop."""
        dry_c = weather.dry_bulb_c[:, None]
        full = self._full_flow(weather)[:, None]
        reached_c = dry_c + LOAD_FRAC * (self.resistance_k(full) - self.range)
        supply_c = np.maximum(set_c, reached_c)
        asked_k = np.maximum(supply_c + self.range * LOAD_FRAC - dry_c, 0.0) / LOAD_FRAC
        flow = np.interp(-asked_k, -self.resistance_k(_FLOWS), _FLOWS)
        speed = np.minimum(flow / full, 1.0)
        none = free(len(weather))
        return PlantMap(LOAD_FRAC, supply_c, self.dry_fan * full * speed**3, none, none, none, none)

    def _floating_c(self, set_c: Set, weather: HourlyWeather) -> Array:
        """Return the loop's water, (hours, n_x): as set, or where the towers leave it.

        Warmer water gives more heat to the dry air, which leaves the towers less: halving the step
        settles it.
        """
        found = np.array(np.broadcast_to(set_c, (len(weather), len(LOAD_FRAC))), dtype=float)
        holds = np.broadcast_to(self.holds_frac(set_c, self.tower_air(weather)), found.shape)
        over = self._left_c(found, found, holds, weather) > found
        hours = np.flatnonzero(over.any(axis=1))
        air = HourlyWeather(
            weather.dry_bulb_c[hours], weather.wet_bulb_c[hours], weather.pressure_pa[hours]
        )
        told_c, warm_c = found[hours], found[hours]
        for _ in range(_ROUNDS):
            warm_c = 0.5 * (warm_c + self._left_c(warm_c, told_c, holds[hours], air))
        found[hours] = warm_c
        return found

    def _left_c(self, warm_c: Array, told_c: Array, holds: Array, weather: HourlyWeather) -> Array:
        """Return the loop's water behind the towers, were the water that returns `warm_c` + range."""
        left = LOAD_FRAC - self._dry(warm_c, weather, self.dearest)[0]
        running = left / self.running(self.asked_frac(left, holds))
        coldest_c = self._coldest_c(running, self.tower_air(weather))
        return np.maximum(told_c, coldest_c + self._behind_k(running))

    def _dry(self, supply_c: Array, weather: HourlyWeather, dearest: float) -> tuple[Array, Array]:
        """Return the heat taken dry and the fans' power, per W of capacity.

        Fans hold the set temperature alone if they can; else they run as fast as they can or as is
        worth it: power ~ density x speed^3, heat = (return - air) / resistance(flow).
        """
        full = np.broadcast_to(self._full_flow(weather)[:, None], supply_c.shape)
        gap_k = np.maximum(supply_c + self.range * LOAD_FRAC - weather.dry_bulb_c[:, None], 0.0)
        resistance = self.resistance_k(_FLOWS)
        needed = np.interp(-gap_k / LOAD_FRAC, -resistance, _FLOWS)
        worth = np.interp(dearest * gap_k * full**2 / self.dry_fan, _FLOWS**3 * resistance, _FLOWS)
        most = np.minimum(full, worth)
        alone = (needed <= most) & (gap_k >= LOAD_FRAC * resistance[-1])
        flow = np.where(alone, needed, most)
        taken = np.where(alone, LOAD_FRAC, np.minimum(gap_k / self.resistance_k(flow), LOAD_FRAC))
        running = gap_k > 0.0
        return taken * running, self.dry_fan * full * (flow / full) ** 3 * running

    def _full_flow(self, weather: HourlyWeather) -> Array:
        """Return the air's mass flow at full fans over design."""
        design = air_density_kg_m3(self.dry_design_air, SEA_LEVEL_PA)
        return air_density_kg_m3(weather.dry_bulb_c, weather.pressure_pa) / design

    def resistance_k(self, flow: Array) -> Array:
        """Return return water minus air in K per W/W of heat, by the air's mass flow over design.

        Two exchangers with the boiling refrigerant between them, each of one constant temperature:
        range / e of the evaporator, and rise / (flow e) of the coil with UA ~ flow^0.8.
        """
        units = -np.log1p(-self.condenser_effectiveness) * flow ** (AIR_EXPONENT - 1.0)
        coil = self.condenser_air_rise / (flow * -np.expm1(-units))
        return np.asarray(self.range / self.evaporator_effectiveness + coil)
