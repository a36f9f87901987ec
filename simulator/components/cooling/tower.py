"""Open cooling towers behind a plate heat exchanger, without chillers."""

from typing import ClassVar, Literal

from simulator.components.cooling._base import LOAD_FRAC, HourlyWeather, PlantMap, Set, free
from simulator.components.cooling.open_tower import OpenTower


class Tower(OpenTower):
    """Towers alone: `unit` is the heat of one tower with its exchanger and pump."""

    kind: Literal["tower"] = "tower"
    unit_is: ClassVar[str] = "tower"

    def plant_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return supply temperature, power and water by hour and load (see `PlantSpec`)."""
        made = self._rejected(LOAD_FRAC[None, :], set_c, weather)
        return PlantMap(
            load_frac=LOAD_FRAC,
            supply_c=made.supply_c,
            power_frac=made.power_frac,
            evaporation_kg_j=made.evaporation_kg_j,
            blowdown_kg_j=made.blowdown_kg_j,
            mechanical_frac=free(len(weather)),
            asked_frac=made.asked_frac,
        )
