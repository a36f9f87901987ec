"""Closed-circuit towers: the loop's own coil under a spray, dry as long as air alone is enough."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

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
from simulator.units import Fraction, Positive, TemperatureDelta, Within


class FluidCooler(OpenTower):
    """Like an open tower whose exchanger is the coil in it; `exchanger_approach` is the coil's.

    With the spray off the coil is a dry cooler of few fins: no water, no spray pump, and fans hold the
    set temperature by their speed. `unit` is the heat of one unit, sprayed.
    """

    kind: Literal["fluid_cooler"] = "fluid_cooler"
    unit_is: ClassVar[str] = "closed-circuit tower"
    exchanger_approach: Annotated[TemperatureDelta, Positive()] = 3.0
    """Loop water minus spray water at full heat (2-5 K, assumed)."""
    tower_fan: Annotated[Fraction, Within(0.0, 0.1)] = 0.02
    """Fan power over heat at full speed (0.012-0.03, assumed): air passes a coil as well."""
    tower_pump: Annotated[Fraction, Within(0.0, 0.1)] = 0.004
    """Power of the spray pump over heat: its head is low (0.003-0.006, assumed)."""
    dry_gap: Annotated[TemperatureDelta, Within("10 K", "150 K")] = 40.0
    """Returning water minus air at which the dry coil takes the unit's heat, fans at full speed and air
    of 10 degC at sea level (30-60 K, assumed)."""
    dry_air_share: Annotated[Fraction, Field(ge=0.05, le=0.95)] = 0.8
    """Share of that gap which is on the air's side, and grows as the fans slow (0.7-0.9, assumed)."""

    def plant_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return supply temperature, power and water by hour and load (see `PlantSpec`)."""
        reached_c, fans = self._dry(set_c, weather)
        wet = self._rejected(LOAD_FRAC[None, :], set_c, weather)
        dry = reached_c <= set_c
        none = free(len(weather))
        return PlantMap(
            load_frac=LOAD_FRAC,
            supply_c=np.where(dry, set_c, wet.supply_c),
            power_frac=np.where(dry, fans, wet.power_frac),
            evaporation_kg_j=np.where(dry, none, wet.evaporation_kg_j),
            blowdown_kg_j=np.where(dry, none, wet.blowdown_kg_j),
            mechanical_frac=none,
            asked_frac=np.where(dry, 1.0, wet.asked_frac),
        )

    def dry_map(self, set_c: Set, weather: HourlyWeather) -> PlantMap:
        """Return the map of the coil without spray."""
        reached_c, fans = self._dry(set_c, weather)
        none = free(len(weather))
        return PlantMap(LOAD_FRAC, np.maximum(set_c, reached_c), fans, none, none, none, none + 1.0)

    def _dry(self, set_c: Set, weather: HourlyWeather) -> tuple[Array, Array]:
        """Return the coldest water of the dry coil, and the fan power that holds the set temperature.

        Heat = (return - air) / gap, and gap(y) = design x (1 - s + s y^-0.8) for air's mass flow y.
        """
        dry_c = weather.dry_bulb_c[:, None]
        design = air_density_kg_m3(10.0, SEA_LEVEL_PA)
        full = air_density_kg_m3(weather.dry_bulb_c, weather.pressure_pa)[:, None] / design
        share = self.dry_air_share
        full_k = self.dry_gap * (1.0 - share + share * full**-AIR_EXPONENT)
        reached_c = dry_c + LOAD_FRAC * (full_k - self.range)
        gap_k = (np.maximum(set_c, reached_c) + self.range * LOAD_FRAC - dry_c) / LOAD_FRAC
        slowed = (gap_k / self.dry_gap - (1.0 - share)) / share
        flow = np.maximum(slowed, full**-AIR_EXPONENT) ** (-1.0 / AIR_EXPONENT)
        return reached_c, self.tower_fan * full * (flow / full) ** 3
