"""Days on which water is short: what the kernel counts by, and the events of the hours that go dry."""

from collections.abc import Generator
from typing import Any

import numpy as np

from simulator.components.cooling import LOAD_FRAC, HourlyWeather
from simulator.engine.world import World
from simulator.kernels.cooling_columns import DryMaps, OutdoorAir, PlantMaps, WaterState
from simulator.kernels.site_step import STEP_S
from simulator.results import NO_REJECTION
from simulator.site import Site

KG_PER_M3 = 1000.0
HOUR_S = 3600.0
FULL = int(np.abs(LOAD_FRAC - 1.0).argmin())
"""Of the load grid: design heat."""
KIND, TOLD = "drought", "plants run without water"
PLANTS = ("warm", "chilled")
"""Kinds of loops in the order of the maps of their plants."""


def columns(
    site: Site, maps: PlantMaps, air: OutdoorAir, weather: HourlyWeather, start_hour: int, hours: int
) -> WaterState:
    """Return the water of a run of so many hours that starts at an hour of the site's clock."""
    spec = site.topology.cooling.water
    limits = spec.limits_m3(start_hour, hours) * KG_PER_M3 if spec.scarce else np.zeros(0)
    need_kg = _need_kg(site, maps, air)[:hours] if spec.scarce else np.zeros(hours)
    return WaterState(
        limit_kg=limits, start_hour=np.array([start_hour]), used_kg=np.zeros(2), need_kg=need_kg,
        wanted_kg=spec.wanted_kg(need_kg, weather.dry_bulb_c[:hours], start_hour), taken=np.ones(1),
        dry=np.zeros(1, np.int64), dry_hours=np.zeros(hours, np.int64),
    )  # fmt: skip


def _need_kg(site: Site, maps: PlantMaps, air: OutdoorAir) -> np.ndarray:
    """Return what all plants, all their units in service, and the air that is let in withdraw in every
    hour at design heat."""
    wetted = float(site.halls.fan_design_heat_w.sum()) * air.water_kg_j[0, :, FULL]
    found = 0.5 * (wetted[:-1] + wetted[1:]) * HOUR_S
    for loop in site.loops:
        capacity_w, plant = loop.units * loop.unit_w, 0 if loop.kind == "warm" else 1
        each = maps.evaporation_kg_j[plant] + maps.blowdown_kg_j[plant]
        at_load = np.array([np.interp(loop.design_heat_w / capacity_w, LOAD_FRAC, row) for row in each])
        found += capacity_w * 0.5 * (at_load[:-1] + at_load[1:]) * HOUR_S
    return found


def _told(site: Site, dry: DryMaps) -> str:
    """Return what an event says: which kinds of the site's loops reject nothing without water."""
    has = {loop.kind for loop in site.loops}
    idle = [kind for kind, works in zip(PLANTS, dry.rejects, strict=True) if kind in has and not works]
    return f"{TOLD}; {NO_REJECTION} {', '.join(idle)}" if idle else TOLD


class Droughts:
    """Logs every stretch of hours without water as it begins, and its length once it is over."""

    def __init__(self, world: World, water: WaterState, dry: DryMaps) -> None:
        self.world, self.water, self.told = world, water, _told(world.site, dry)
        self.event = -1
        """Of the stretch at hand in the log; -1: there is water."""
        if water.limit_kg.size:
            world.env.process(self._watch())

    def _watch(self) -> Generator[Any]:
        for hour in range(self.water.dry_hours.size):
            yield self.world.env.timeout(hour * HOUR_S + STEP_S - self.world.env.now)  # it is decided by then
            if self.water.dry[0] == 1 and self.event < 0:
                self.event = len(self.world.events)
                self.world.log(KIND, "site", "water", detail=self.told, at_s=hour * HOUR_S)
            elif self.water.dry[0] == 0:
                self._end(hour)

    def finish(self) -> None:
        """Close the account at the end of the run."""
        self._end(self.water.dry_hours.size)

    def _end(self, hour: int) -> None:
        if self.event < 0:
            return
        self.world.close(self.event, hour * HOUR_S)
        self.event = -1
