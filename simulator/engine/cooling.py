"""The plants' performance over this run's weather, as tables the kernel looks up."""

import numpy as np

from simulator.components.cooling import LOAD_FRAC, HourlyWeather
from simulator.kernels.columns import PlantMaps
from simulator.site import Site, plant_setpoint_c


def plant_maps(site: Site, weather: HourlyWeather) -> PlantMaps:
    """Return the maps of the warm and the chilled plant at their set points, in that order."""
    cooling = site.topology.cooling
    warm = cooling.warm.plant_map(plant_setpoint_c(site.topology), weather)
    chilled = cooling.chilled.plant_map(cooling.chilled_supply, weather)

    def stack(name: str) -> np.ndarray:
        return np.ascontiguousarray(np.stack([getattr(warm, name), getattr(chilled, name)]))

    return PlantMaps(
        supply_c=stack("supply_c"), power_frac=stack("power_frac"),
        evaporation_kg_j=stack("evaporation_kg_j"), blowdown_kg_j=stack("blowdown_kg_j"),
        load_step=float(LOAD_FRAC[1] - LOAD_FRAC[0]),
    )
