"""The temperatures at which a run begins: those to which the site's first load and weather settle.

At rest every exchanger is its closed form: water as its plant delivers it under the hall's heat, coolant
an approach above it, air a coil above it, T_chip = T_coolant + R P. Leakage and plants that float tie
them together; the rounds converge by a factor of ten or more each. Users of heat and water rationed in
the first hour are left out; a chip begins no hotter than where it would slow.
"""

from typing import NamedTuple

import numpy as np

from simulator.components.cooling import LOAD_FRAC, LOAD_STEP
from simulator.components.cooling.staging import running_frac
from simulator.engine import draw, heat_limits
from simulator.engine.world import World
from simulator.kernels.cooling import ROUNDING, pump_frac
from simulator.kernels.cooling_columns import Outdoors, PlantMaps
from simulator.kernels.hall_air import coil_k
from simulator.kernels.rack_side import follow_load

ROUNDS = 12
INDOOR_ROUNDS = (6, 9)
"""In which the losses of the power chain in the halls are worked out."""
FIRST_MINUTE_H = 0.5 / 60.0
"""The middle of the first minute, in hours."""
Floats = np.ndarray


class _Heat(NamedTuple):
    chip_w: Floats  # (racks,)
    liquid_w: Floats  # (blocks,)
    air_w: Floats  # (blocks,)


def settle(world: World, maps: PlantMaps, outdoors: Outdoors) -> None:
    """Set loops, coolant, air and junctions to rest, once the loads of the first minute are set."""
    state = world.state
    for k in range(ROUNDS):
        heat = _heat(world)
        state.blocks.liquid_w[:], state.blocks.air_w[:] = heat.liquid_w, heat.air_w
        if k in INDOOR_ROUNDS:  # what racks draw is known by then, and what plants draw by the second
            racks_w = heat.liquid_w + heat.air_w - state.blocks.support_w
            state.plant_w[:, :2] = [_plants_w(world, maps, h) for h in range(len(world.site.hall_names))]
            state.heat.indoor_w[:] = draw.indoor_w(world, racks_w)
        if state.blocks.by_load.shape[2] > 0:
            follow_load(state.blocks, LOAD_STEP)
        for hall in range(len(world.site.hall_names)):
            _settle_water(world, maps, hall)
            _settle_air(world, maps, outdoors, hall)
        _settle_chips(world, heat)
    state.start_c[:], state.start_indoor_w[:] = state.blocks.coolant_c, state.heat.indoor_w


def delivered_c(table: Floats, capacity_w: float, flow_w_k: float, heat_w: float) -> float:
    """Return the water in degC that a plant of so much capacity delivers under a heat, by its map at
    one time; beyond the map the rest stays in the water, as in `kernels/cooling.py`."""
    x, most = max(heat_w, 0.0) / capacity_w, float(LOAD_FRAC[-1])
    plant_c = float(np.interp(x, LOAD_FRAC, table))
    return plant_c + max(x - most, 0.0) * capacity_w / flow_w_k


def _first(table: Floats) -> Floats:
    """Return a table (hours, load grid) at the middle of the run's first minute."""
    return table[0] + (table[1] - table[0]) * FIRST_MINUTE_H


def _heat(world: World) -> _Heat:
    """Return what chips draw, and what blocks give to coolant and air, at the present junctions."""
    state, rows, of = world.state, world.site.rows, world.site.rack_row
    racks, loads = state.racks, state.loads
    on = loads.on[racks.load]
    work = loads.dynamic_frac[racks.load] * loads.cap[racks.load] * racks.power_cap
    leak_w = rows.leakage_w_k[of] * (racks.junction_c - rows.leakage_ref_c[of])
    chip_w = on * (rows.chip_idle_w[of] + leak_w) + work * rows.chip_dynamic_w[of]
    dc_w = racks.up_frac * (
        rows.accelerators[of] * chip_w + on * rows.host_idle_w[of] + work * rows.host_dynamic_w[of]
    )
    rating_w = rows.shelf_rating_w[of]
    shelf = 1.0 + rows.shelf_linear[of] + rows.shelf_load[of] / rating_w * dc_w
    input_w = np.where(dc_w > 0.0, rating_w * rows.shelf_no_load[of], 0.0) + dc_w * shelf
    blocks = state.blocks.it_w.size
    liquid_w, air_w = (
        np.bincount(rows.block[of], weights=input_w * share, minlength=blocks)
        for share in (rows.liquid_frac[of], 1.0 - rows.liquid_frac[of])
    )
    return _Heat(chip_w, liquid_w, air_w + state.blocks.support_w)


def _loop(world: World, maps: PlantMaps, loop: int, heat_w: float) -> float:
    """Set a loop to what its plant delivers under a heat, and let the groups run that it asks for; return
    what it delivers."""
    loops = world.state.loops
    capacity_w = float(loops.units_up[loop] * loops.unit_w[loop])
    table = _first(maps.supply_c[int(loops.plant[loop])])
    if capacity_w > 0.0:
        loops.supply_c[loop] = delivered_c(table, capacity_w, float(loops.flow_w_k[loop]), heat_w)
        groups = int(maps.staging.groups[int(loops.plant[loop])])
        if groups > 1:
            loops.running[loop] = running_frac(np.array(_of_load(world, loop, heat_w, maps.asked_frac)), groups)
    return float(loops.supply_c[loop])


def _of_load(world: World, loop: int, heat_w: float, table: Floats) -> float:
    """Return what a table of plants, (plants, hours, load grid), says of a loop's plant under a heat."""
    loops = world.state.loops
    capacity_w = float(loops.units_up[loop] * loops.unit_w[loop])
    return float(np.interp(heat_w / capacity_w, LOAD_FRAC, _first(table[int(loops.plant[loop])])))


def _plants_w(world: World, maps: PlantMaps, hall: int) -> tuple[float, float]:
    """Return what plants, fans and pumps without a UPS of a hall draw, and the pumps behind one, in W."""
    site, state, heat = world.site, world.state, world.state.heat
    halls, loops = site.halls, world.state.loops
    both = int(halls.liquid_loop[hall]), int(halls.air_loop[hall])
    design_w = float(halls.fan_design_heat_w[hall])
    x = heat_limits.hall_air_w(world, hall) / design_w
    plants_w, moved_w = design_w * float(np.interp(x, LOAD_FRAC, halls.fan_power_frac[hall])), 0.0
    for loop, heat_w in zip(both, state.plant_w[hall, 2:4], strict=True):
        capacity_w = float(loops.units_up[loop] * loops.unit_w[loop])
        plants_w += capacity_w * _of_load(world, loop, float(heat_w), maps.power_frac)
        moved_w += _pumps_w(world, loop, float(heat_w) - _pumps_w(world, loop, float(heat_w)))
    pumps_w = float(state.blocks.pump_w[site.block_hall == hall].sum())
    behind_w = pumps_w * float(heat.on_ups[0]) + moved_w * float(heat.on_ups[1])
    return plants_w + pumps_w + moved_w - behind_w, behind_w


def _pumps_w(world: World, loop: int, heat_w: float) -> float:
    """Return what the pumps of a loop draw as a heat asks of them, in W."""
    loops = world.state.loops
    law = float(loops.least_flow[loop]), float(loops.held_head[loop])
    return float(loops.pump_w[loop] * pump_frac(float(heat_w / loops.design_w[loop]), *law))


def _settle_water(world: World, maps: PlantMaps, hall: int) -> None:
    """Set the warm loop of a hall and the coolant of its blocks, tanks included."""
    state, site = world.state, world.site
    blocks, loop = state.blocks, int(site.halls.liquid_loop[hall])
    mine = np.flatnonzero(site.block_hall == hall)
    given_w = blocks.liquid_w[mine] + blocks.pump_w[mine]
    state.plant_w[hall, 2] = given_w.sum() + _pumps_w(world, loop, float(given_w.sum()))
    water_c = _loop(world, maps, loop, float(state.plant_w[hall, 2]))
    bathed = blocks.mass_j_k[mine] > 0.0
    over_w = np.where(bathed, given_w, blocks.liquid_w[mine])
    coolant_c = water_c + blocks.approach_k_w[mine] * over_w
    state.heat.row_settled_c[mine] = coolant_c
    blocks.coolant_c[mine] = np.where(bathed, np.maximum(coolant_c, blocks.boiling_c[mine]), coolant_c)


def _settle_air(world: World, maps: PlantMaps, outdoors: Outdoors, hall: int) -> None:
    """Set the chilled loop of a hall and what its racks take in."""
    state, halls, heat = world.state, world.site.halls, world.state.heat
    loop, design_w = int(halls.air_loop[hall]), float(halls.fan_design_heat_w[hall])
    air_w = heat_limits.hall_air_w(world, hall)
    x = air_w / design_w if design_w > 0.0 else 0.0
    fan_w = design_w * float(np.interp(x, LOAD_FRAC, halls.fan_power_frac[hall]))
    let_out = float(np.interp(x, LOAD_FRAC, _first(outdoors.air.share[0])))
    chilled_w = (air_w + fan_w) * (1.0 - let_out)
    chilled_w += _pumps_w(world, loop, chilled_w) if let_out < 1.0 - ROUNDING else 0.0
    water_c = _loop(world, maps, loop, chilled_w)
    asked_c = _of_load(world, loop, chilled_w, maps.setpoint_c) + float(halls.fan_approach_k[hall])
    open_c = water_c + float(coil_k(halls.coil_k, x, 1.0, LOAD_STEP))
    over_k = max(min(open_c, float(outdoors.air.supply_c[:2].max())) - asked_c, 0.0)
    over_k += float(heat.air_range_k[hall]) * max(x / float(heat.air_full[hall]) - 1.0, 0.0)
    heat.air_set_c[hall] = asked_c + float(heat.air_mixed_k[hall])
    heat.air_j[hall] = heat.air_j_k[hall] * over_k
    state.hall_air_c[hall] = heat.air_set_c[hall] + over_k
    state.plant_w[hall, 3] = chilled_w


def _settle_chips(world: World, heat: _Heat) -> None:
    """Set junctions to coolant and power; what is out stands at its coolant."""
    racks, of = world.state.racks, world.site.rack_row
    coolant_c = heat_limits.coolant_c(world)[of]
    flowing = world.state.blocks.resistance_frac[world.site.rack_block]
    rise_k = np.where(racks.up_frac > 0.0, flowing * racks.resistance_k_w * heat.chip_w, 0.0)
    slows_c = np.maximum(heat_limits.throttle_c(world)[of], coolant_c)
    racks.junction_c[:] = np.minimum(coolant_c + rise_k, slows_c)
