"""The plants' performance over this run's weather, as tables the kernel looks up."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from simulator.components.cooling import (
    LOAD_FRAC,
    LOAD_STEP,
    HourlyWeather,
    PlantMap,
    PlantSpec,
    Staged,
)
from simulator.components.cooling.cold_plate import thin_air_frac
from simulator.components.sizing import plant_setpoint_c
from simulator.engine.setpoint import Deciders, set_temperature
from simulator.kernels.cooling_columns import DryMaps, OutdoorAir, PlantMaps, ReuseMap, Staging
from simulator.site import Site

UNLIMITED_W = 1e15
"""Heat that users may take of a loop where nothing but its share of the heat limits them."""
KINDS = ("warm", "chilled")
"""Of loops, in the order of their plants."""


class _Row(NamedTuple):
    """A row of the maps: a plant, or one of which so many groups run, and what it is told."""

    plant: PlantSpec
    set_c: np.ndarray


def plant_maps(site: Site, weather: HourlyWeather, decide: Deciders) -> PlantMaps:
    """Return the maps of the warm and the chilled plant at what `decide` sets, in that order, and those of
    their groups of units."""
    rows = _whole(site, weather, decide)
    of_groups = [_by_groups(site, weather, decide, kind, row) for kind, row in zip(KINDS, rows, strict=True)]
    staging = _staging([row.plant for row in rows], [len(more) for more in of_groups])
    rows += [row for more in of_groups for row in more]
    maps = [row.plant.plant_map(row.set_c, weather) for row in rows]

    def stack(name: str) -> np.ndarray:
        return np.ascontiguousarray(np.stack([getattr(each, name) for each in maps]))

    shape = maps[0].supply_c.shape
    return PlantMaps(
        setpoint_c=np.stack([np.broadcast_to(row.set_c, shape) for row in rows]),
        supply_c=stack("supply_c"), power_frac=stack("power_frac"),
        evaporation_kg_j=stack("evaporation_kg_j"), blowdown_kg_j=stack("blowdown_kg_j"),
        mechanical_frac=stack("mechanical_frac"), asked_frac=_asked(maps[:2], staging, shape),
        load_step=LOAD_STEP, dry=_without_water(site, weather, rows, staging), reuse=_reuse(site, weather),
        staging=staging,
    )


def power_frac(site: Site, weather: HourlyWeather, decide: Deciders) -> np.ndarray:
    """Return the power of the warm and the chilled plant alone, all groups of them: the first rows of
    `plant_maps`, (2, hours, loads)."""
    return np.stack([row.plant.plant_map(row.set_c, weather).power_frac for row in _whole(site, weather, decide)])


def _whole(site: Site, weather: HourlyWeather, decide: Deciders) -> list[_Row]:
    """Return the warm and the chilled plant."""
    cooling = site.topology.cooling
    sized_c = plant_setpoint_c(site.topology), cooling.chilled_supply
    return [
        _Row(plant.sized_for(supply_c), set_temperature(site, weather, decide, kind))
        for plant, kind, supply_c in zip((cooling.warm, cooling.chilled), KINDS, sized_c, strict=True)
    ]


def _by_groups(
    site: Site, weather: HourlyWeather, decide: Deciders, kind: str, row: _Row
) -> list[_Row]:
    """Return what a plant is while each number of its groups runs; nothing of one whose units all run always.

    Where units that run are a plant of their own, one row by their own load tells it for any number, unless
    what they are told depends on the load of all.
    """
    plant, groups = row.plant, row.plant.groups
    if groups == 1 or not isinstance(plant, Staged):
        return []
    if not plant.alike:
        return [_Row(plant.holding(k + 1), row.set_c) for k in range(groups)]
    alone = plant.model_copy(update={"stages": 1})
    if row.set_c.shape[-1:] in ((), (1,)):
        return [_Row(alone, row.set_c)]
    told = [set_temperature(site, weather, decide, kind, (k + 1) / groups) for k in range(groups)]
    return [_Row(alone, set_c) for set_c in told]


def _staging(plants: list[PlantSpec], rows: list[int]) -> Staging:
    """Return how the groups of the plants start, and where they stand in the maps, by the rows of each."""
    first = np.array([len(plants), len(plants) + rows[0]])
    return Staging(
        groups=np.array([float(plant.groups) for plant in plants]),
        start_s=np.array([float(plant.restart) for plant in plants]),
        first=first, each=np.array([int(count > 1) for count in rows]),
        alike=np.array([int(isinstance(plant, Staged) and plant.alike) for plant in plants]),
    )


def _asked(maps: Sequence[PlantMap | None], staging: Staging, shape: tuple[int, ...]) -> np.ndarray:
    """Return what each plant asks of its groups; of no hours where no plant has any."""
    if (staging.groups == 1.0).all():
        return np.zeros((len(maps), 0, 0))
    none = np.zeros(shape)
    return np.stack([none if m is None or m.asked_frac is None else m.asked_frac for m in maps])


def _without_water(site: Site, weather: HourlyWeather, rows: list[_Row], staging: Staging) -> DryMaps:
    """Return the maps of the plants without water; of no hours where the site is never short of it."""
    if not site.topology.cooling.water.scarce:
        none = np.zeros((len(rows), 0, 0))
        return DryMaps(none, none.copy(), none.copy(), none[:2].copy(), np.ones(2, np.int64))
    shape, maps = (len(weather), len(LOAD_FRAC)), [row.plant.dry_map(row.set_c, weather) for row in rows]

    def stack(name: str) -> np.ndarray:
        return np.stack([np.zeros(shape) if m is None else getattr(m, name) for m in maps])

    return DryMaps(
        supply_c=stack("supply_c"), power_frac=stack("power_frac"),
        mechanical_frac=stack("mechanical_frac"), asked_frac=_asked(maps[:2], staging, shape),
        rejects=np.array([int(m is not None) for m in maps[:2]]),
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
