"""Power of a whole site from the power of its IT and the weather."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from simulator.components.cooling import HourlyWeather, PlantSpec
from simulator.engine.cooling import outdoor_air, plant_maps
from simulator.errors import StudyError
from simulator.kernels.cooling import NOTHING, ROUNDING, pump_frac
from simulator.kernels.cooling_columns import OutdoorAir, PlantMaps
from simulator.policies import setpoint
from simulator.scenario import Scenario
from simulator.site import Loop, Site, compile_site
from simulator.studies.calibrate.models import _block_coolant
from simulator.studies.calibrate.models._base import Array, Inputs, Quantity, TelemetryModel
from simulator.studies.calibrate.models._outdoors import (
    LOAD_STEP,
    WEATHER,
    at_load,
    by_groups,
    weather_of,
)
from simulator.studies.calibrate.models._sums import add_rows


class FacilityPower(TelemetryModel):
    """The site in the steady state of each interval: plants, pumps and fans by weather and heat,
    losses of every stage, house loads. IT is shared by the blocks as their limits are."""

    kind: Literal["facility_power"]

    predicts: ClassVar[str] = "power"
    reads: ClassVar[dict[str, Quantity]] = {
        "power": Quantity("W"), "it": Quantity("W"), **WEATHER,
    }

    def predict(self, scenario: Scenario, inputs: Inputs) -> Array:
        """Return the power at the point of interconnection in W."""
        site = compile_site(scenario.spec.topology)
        plants = plants_of(site, weather_of(inputs, self.kind))
        return settled(site, _spread(site, inputs.values["it"]), plants).poi_w


@dataclass(frozen=True)
class Plants:
    """What plants and outdoor air do, one interval where `PlantMaps` have an hour."""

    maps: PlantMaps
    air: OutdoorAir


def plants_of(site: Site, weather: HourlyWeather) -> Plants:
    """Return the tables of a site's plants under its own set-point policies; StudyError where days
    are short of water, which hours that stand for themselves do not know."""
    if site.topology.cooling.water.scarce:
        raise StudyError(
            "topology.cooling.water: closed forms in the steady state know no limit of water by the day and "
            "no drought; leave the key out, or take the engine's own run (`gigawatt run`)"
        )
    return Plants(plant_maps(site, weather, setpoint.chosen(site.topology)), outdoor_air(site, weather))


INDOOR_ROUNDS = 3
"""Of losses that warm the halls and of what plants draw to carry that away, from which they settle: each leaves about a
thousandth of the last change, so three leave 1e-9 of it."""


@dataclass(frozen=True)
class Settled:
    """A site in the steady state of each interval; (halls, intervals) but `poi_w`."""

    poi_w: Array
    """Import, (intervals,)."""
    cooling_w: Array
    """Plants, pumps and fans."""
    evaporation_kg_s: Array
    """With drift."""
    blowdown_kg_s: Array
    warm_c: Array
    """Facility water to the coolant units."""
    intake_c: Array
    """Air to the racks, as far as the fans move what those take."""


def settled(site: Site, blocks_w: Array, plants: Plants) -> Settled:
    """Return what a site draws and evaporates at an IT power of each block, (blocks, intervals).

    What the power chain loses in the halls is heat of their air, and what that asks of the plants is drawn
    through it: the rounds settle a thousandth of it each.
    """
    house_w = site.topology.cooling.indoors.house * site.halls.house_w[:, None]
    indoor_w = house_w + np.zeros(blocks_w.shape[1])
    for _ in range(INDOOR_ROUNDS):
        plant_w, pump_w, water, reached_c = _cooling(site, blocks_w, plants, indoor_w)
        output_w = np.zeros((len(site.nodes), blocks_w.shape[1]))
        add_rows(output_w, site.block_node, blocks_w)
        add_rows(output_w, site.halls.plant_node, plant_w + site.halls.house_w[:, None])
        add_rows(output_w, site.halls.pump_node, pump_w)
        poi_w, lost_w = _through(site, output_w)
        indoor_w = house_w + lost_w
    return Settled(poi_w, plant_w + pump_w, *water, *reached_c)


def _spread(site: Site, it_w: Array) -> Array:
    """Return the IT power of each block, (blocks, intervals): support racks draw what they draw, the
    rest goes by the blocks' limits."""
    limit_w = np.where(site.block_support_w > 0.0, 0.0, site.block_limit_w)
    rest_w = it_w - site.block_support_w.sum()
    return np.asarray(site.block_support_w[:, None] + limit_w[:, None] / limit_w.sum() * rest_w)


def _cooling(
    site: Site, blocks_w: Array, plants: Plants, indoor_w: Array
) -> tuple[Array, Array, Array, Array]:
    """Return the power of plants and fans, and of pumps, (halls, intervals) each; evaporation and
    blowdown in kg/s, and the water of the warm loop and the racks' intake, (2, halls, intervals) each."""
    halls, maps = len(site.hall_names), plants.maps
    warmed_w = _block_coolant.liquid_w(site, blocks_w)
    liquid_w, air_w, pump_w = np.zeros((3, halls, blocks_w.shape[1]))
    add_rows(liquid_w, site.block_hall, warmed_w)
    add_rows(air_w, site.block_hall, blocks_w - warmed_w)
    air_w += indoor_w
    add_rows(pump_w, site.block_hall, _block_coolant.at_heat(site, warmed_w).pump_w)
    plant_w, moved_w = np.zeros((2, *liquid_w.shape))
    water, reached_c = np.zeros((2, 2, *liquid_w.shape))
    for h in range(halls):
        warm, chilled = (site.loops[int(loops[h])] for loops in (site.halls.liquid_loop, site.halls.air_loop))
        fan_w = _fan_w(site, h, air_w[h])
        let_out = at_load(plants.air.share[0], air_w[h] / site.halls.fan_design_heat_w[h])
        humidified = at_load(plants.air.water_kg_j[0], air_w[h] / site.halls.fan_design_heat_w[h])
        water[0, h] += humidified * site.halls.fan_design_heat_w[h]
        to_water_w = (air_w[h] + fan_w) * (1.0 - let_out)
        warm_pump_w = _pumps_w(site.topology.cooling.warm, warm, liquid_w[h] + pump_w[h])
        chilled_pump_w = _pumps_w(site.topology.cooling.chilled, chilled, to_water_w)
        chilled_pump_w = np.where(let_out >= 1.0 - ROUNDING, 0.0, chilled_pump_w)
        for plant, loop, heat_w in (
            (0, warm, liquid_w[h] + pump_w[h] + warm_pump_w), (1, chilled, to_water_w + chilled_pump_w),
        ):
            capacity_w = loop.units * loop.unit_w
            if plant == 0:
                heat_w = heat_w - _reused_w(maps, int(site.halls.liquid_loop[h]), loop, heat_w)
            load = heat_w / capacity_w
            drawn_w = np.where(load >= NOTHING, capacity_w, 0.0)
            takes = by_groups(maps, plant, load, maps.power_frac, maps.evaporation_kg_j, maps.blowdown_kg_j)
            for total, each in zip((plant_w[h], water[0, h], water[1, h]), takes, strict=True):
                total += drawn_w * each
            reached_c[plant, h] = at_load(maps.supply_c[plant], load)
        told_c = at_load(maps.setpoint_c[1], load)
        reached_c[1, h] = _intake_c(site, h, air_w[h], told_c, reached_c[1, h], plants.air.supply_c)
        plant_w[h] += fan_w
        moved_w[h] += pump_w[h] + warm_pump_w + chilled_pump_w
    return plant_w, moved_w, water, reached_c


def _pumps_w(plant: PlantSpec, loop: Loop, heat_w: Array) -> Array:
    """Return what the pumps of a loop draw under a heat, (intervals,)."""
    design_w = loop.design_heat_w - loop.pump_w
    law = plant.slowest, plant.held_head
    return loop.pump_w * np.array([pump_frac(float(x), *law) for x in heat_w / design_w])


def _intake_c(
    site: Site, hall: int, air_w: Array, told_c: Array, water_c: Array, outdoors_c: Array
) -> Array:
    """Return the air that racks take in: what coils are told to hold, or what their water allows, or outdoor
    air (`kernels.hall_air`)."""
    x = air_w / float(site.halls.fan_design_heat_w[hall]) / LOAD_STEP
    table = site.halls.coil_k[-1]
    last = len(table) - 1
    open_k = np.interp(x, np.arange(last + 1), table) * np.maximum(x / last, 1.0)
    held_c = np.maximum(told_c + site.halls.fan_approach_k[hall], water_c + open_k)
    return np.asarray(np.minimum(held_c, outdoors_c) + site.topology.cooling.fan_wall.mixed_k())


def _reused_w(maps: PlantMaps, index: int, loop: Loop, heat_w: Array) -> Array:
    """Return what users take of a warm loop's heat (`kernels.cooling.deliver`), its water as the plant
    would leave it with all of the heat."""
    reuse, supply_c = maps.reuse, at_load(maps.supply_c[0], heat_w / (loop.units * loop.unit_w))
    asked_w = np.minimum(reuse.frac * reuse.most_w[index], reuse.share * heat_w)
    room_w = loop.flow_w_k * (supply_c - reuse.leaving_c) + heat_w
    return np.clip(np.minimum(asked_w, room_w), 0.0, heat_w)


def _fan_w(site: Site, hall: int, air_w: Array) -> Array:
    """Return the power of a hall's fan walls."""
    design_w, table = float(site.halls.fan_design_heat_w[hall]), site.halls.fan_power_frac[hall]
    return np.asarray(design_w * np.interp(air_w / design_w / LOAD_STEP, np.arange(len(table)), table))


def _through(site: Site, output_w: Array) -> tuple[Array, Array]:
    """Return the input of the root, loads summed upward through the losses of each node
    (`kernels.power_tree`), and what of the losses the air of each hall takes, (halls, intervals)."""
    indoor_w, shares = np.zeros((len(site.hall_names), output_w.shape[1])), site.node_indoors
    for i in range(len(site.nodes) - 1, -1, -1):
        node = site.nodes[i]
        x = output_w[i] / node.rating_w
        loss = node.loss
        loss_w = node.rating_w * (loss.no_load + loss.linear * x + loss.load * x * x)
        if shares[i]:
            indoor_w[site.node_hall[i]] += shares[i] * loss_w
        if i == 0:
            return np.asarray(output_w[i] + loss_w), indoor_w
        output_w[node.parent] += output_w[i] + loss_w
    raise StudyError("the site has no power tree")
