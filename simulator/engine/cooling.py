"""The plants' performance over this run's weather, as tables the kernel looks up."""

import numpy as np

from simulator.components.cooling import LOAD_FRAC, HourlyWeather, PlantSpec
from simulator.components.cooling.cold_plate import thin_air_frac
from simulator.components.cooling.compressors import Compressors
from simulator.components.sizing import plant_setpoint_c
from simulator.engine.setpoint import Deciders, set_temperatures
from simulator.kernels.cooling_columns import DryMaps, OutdoorAir, PlantMaps, ReuseMap, Staging
from simulator.site import Site

UNLIMITED_W = 1e15
"""Heat that users may take of a loop where nothing but its share of the heat limits them."""


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
        dry=_without_water(site, weather, set_c), reuse=_reuse(site, weather),
        staging=_staging(cooling.warm, cooling.chilled),
    )


def _staging(*plants: PlantSpec) -> Staging:
    """Return how the groups of the plants start."""
    return Staging(
        groups=np.array([float(plant.groups) for plant in plants]),
        start_s=np.array([float(plant.restart) for plant in plants]),
        chillers=np.array([int(isinstance(plant, Compressors)) for plant in plants]),
    )


def _without_water(site: Site, weather: HourlyWeather, set_c: tuple[np.ndarray, np.ndarray]) -> DryMaps:
    """Return the maps of the plants without water; of no hours where the site is never short of it."""
    cooling = site.topology.cooling
    if not cooling.water.scarce:
        none = np.zeros((2, 0, 0))
        return DryMaps(none, none.copy(), none.copy(), np.ones(2, np.int64))
    plants, shape = (cooling.warm, cooling.chilled), (len(weather), len(LOAD_FRAC))
    maps = [plant.dry_map(c, weather) for plant, c in zip(plants, set_c, strict=True)]

    def stack(name: str) -> np.ndarray:
        return np.stack([np.zeros(shape) if m is None else getattr(m, name) for m in maps])

    return DryMaps(
        supply_c=stack("supply_c"), power_frac=stack("power_frac"),
        mechanical_frac=stack("mechanical_frac"),
        rejects=np.array([int(m is not None) for m in maps]),
    )


def _reuse(site: Site, weather: HourlyWeather) -> ReuseMap:
    """Return what users may take of each loop; nothing of chilled ones, and where there are none."""
    spec = site.topology.cooling.heat_reuse
    if spec is None:
        return ReuseMap(np.zeros(len(weather)), np.zeros(len(site.loops)), 0.0, 0.0)
    design_w = np.array([loop.design_heat_w * (loop.kind == "warm") for loop in site.loops])
    most_w = np.where(design_w > 0.0, UNLIMITED_W, 0.0)
    if spec.power is not None:
        most_w = spec.power * design_w / design_w.sum()
    return ReuseMap(spec.demand_frac(weather.dry_bulb_c), most_w, spec.share, spec.leaving_c)


def thin_air(site: Site, weather: HourlyWeather) -> np.ndarray:
    """Return the thermal resistance of each rack's chips over its rated one in the air of the site, (racks,):
    1 where coolant takes their heat."""
    pressure_pa = float(weather.pressure_pa.mean())
    of_type = [1.0 if rack.liquid_cooled else thin_air_frac(rack.plate, pressure_pa) for rack in site.rack_types]
    return np.array(of_type)[site.rack_type]


def outdoor_air(site: Site, weather: HourlyWeather) -> OutdoorAir:
    """Return what outdoor air does for the halls over this run's weather."""
    cooling = site.topology.cooling
    found = cooling.fan_wall.air_map(cooling.chilled_supply, weather)
    return OutdoorAir(
        share=np.ascontiguousarray(found.outdoor_frac[None]),
        water_kg_j=np.ascontiguousarray(found.water_kg_j[None]), supply_c=found.supply_c,
    )
