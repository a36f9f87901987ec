"""The plants' performance over this run's weather, as tables the kernel looks up."""

import numpy as np

from simulator.components.cooling import LOAD_FRAC, HourlyWeather
from simulator.engine.setpoint import Deciders, set_temperatures
from simulator.kernels.columns import OutdoorAir, PlantMaps
from simulator.site import Site, plant_setpoint_c


def plant_maps(site: Site, weather: HourlyWeather, decide: Deciders) -> PlantMaps:
    """Return the maps of the warm and the chilled plant at what `decide` sets, in that order."""
    cooling = site.topology.cooling
    set_c = set_temperatures(site, weather, decide)
    maps = [
        cooling.warm.sized_for(plant_setpoint_c(site.topology)).plant_map(set_c[0], weather),
        cooling.chilled.sized_for(cooling.chilled_supply).plant_map(set_c[1], weather),
    ]

    def stack(name: str) -> np.ndarray:
        return np.ascontiguousarray(np.stack([getattr(each, name) for each in maps]))

    shape = maps[0].supply_c.shape
    return PlantMaps(
        setpoint_c=np.stack([np.broadcast_to(c, shape) for c in set_c]),
        supply_c=stack("supply_c"), power_frac=stack("power_frac"),
        evaporation_kg_j=stack("evaporation_kg_j"), blowdown_kg_j=stack("blowdown_kg_j"),
        mechanical_frac=stack("mechanical_frac"),
        load_step=float(LOAD_FRAC[1] - LOAD_FRAC[0]),
    )


def outdoor_air(site: Site, weather: HourlyWeather) -> OutdoorAir:
    """Return what outdoor air does for the halls over this run's weather."""
    cooling = site.topology.cooling
    found = cooling.fan_wall.air_map(cooling.chilled_supply, weather)
    return OutdoorAir(
        share=np.ascontiguousarray(found.outdoor_frac[None]),
        water_kg_j=np.ascontiguousarray(found.water_kg_j[None]), supply_c=found.supply_c,
    )
