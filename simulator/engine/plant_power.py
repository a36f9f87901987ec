"""What drives plants, pumps and fan walls: who stops when a hall loses power, and starts again.

Machines drop out at once and start one after another once power is back; pumps behind a UPS run on
until its batteries are empty. Water, rows and halls keep the heat meanwhile (`kernels/standing_heat`).
"""

from collections.abc import Callable, Hashable
from functools import partial

import numpy as np

from simulator.components.cooling import LOAD_STEP, PlantSpec
from simulator.components.cooling.air_side import NO_AIR_C
from simulator.engine import (
    coolant,
    heat_limits,
    medium_voltage,
    outage,
    slowing,
    sources,
)
from simulator.engine.plant_state import in_part
from simulator.engine.world import World
from simulator.kernels import hall_air
from simulator.kernels.cooling_columns import CHANGES
from simulator.kernels.site_step import STEP_S

START_GROUPS = 6
"""Groups in which the units of a plant, and a hall's fans, start one after another over
`machines_ramp` (4-12, assumed: so many motors at once as their inrush allows on one substation). The
last of n groups starts after (n - 1) / n of the ramp: 75-92 % of it over that range."""


def changed(world: World, cause: str) -> None:
    """Look which halls have power for their plants after something in the power chain changed."""
    carried = _carried(world)
    for hall in range(len(world.site.hall_names)):
        live = _wired(world, hall) and bool(carried[hall])
        if live == bool(world.plants.fed[hall]):
            continue
        if live:
            regain(world, hall, cause)
        else:
            lose(world, hall, cause)
        carried = _carried(world)


def lose(world: World, hall: int, cause: str) -> None:
    """Stop what no battery carries in a hall; pumps behind a UPS run on for its batteries' time."""
    plants, site, heat = world.plants, world.site, world.state.heat
    plants.fed[hall] = False
    plants.turn[hall] += 1
    if plants.moving[hall] == 1.0:
        plants.needs_w[hall] = _drawn_w(world)[hall]
    world.log("plants_lost", site.hall_names[hall], cause)
    heat.lit[hall], plants.moving[hall] = 0.0, 0.0
    for loop in _loops(world, hall):
        plants.started[loop] = 0.0
        settle(world, loop)
    cooling = site.topology.cooling
    back_s = _wired_again_s(world, hall)
    if not cooling.pumps_on_ups and back_s is not None:
        plants.back_s[hall] = back_s + site.topology.ride_through.machines_restart
    if cooling.pumps_on_ups or cooling.loop_pumps_on_ups:
        heat.bridged[hall] = 1
        turn = int(plants.turn[hall])
        outage.after(world, bridges_s(world, hall), partial(_run_out, world, hall, turn, cause))
    pump(world, hall, cause)


def regain(world: World, hall: int, cause: str) -> None:
    """Let a hall start again: pumps behind a UPS at once, the rest after the time machines take."""
    plants, site, heat = world.plants, world.site, world.state.heat
    told = site.topology.ride_through
    plants.fed[hall] = True
    plants.turn[hall] += 1
    plants.pumps_fed[hall] = True
    plants.back_s.pop(hall, None)
    heat.lit[hall], heat.bridged[hall] = 1.0, 0
    world.log("plants_fed", site.hall_names[hall], cause, told.machines_restart)
    pump(world, hall, cause)
    turn = int(plants.turn[hall])
    for after_s, share in starts(world):
        outage.after(world, after_s, partial(_move, world, hall, turn, share, cause))
    for loop in _loops(world, hall):
        for after_s, share in starts(world, loop):
            outage.after(world, after_s, partial(_start, world, hall, loop, turn, share, cause))


def starts(world: World, loop: int | None = None) -> list[tuple[float, float]]:
    """Return when after the return of power which share of a plant's units runs, stage by stage;
    without a loop, of fans and pumps."""
    told = world.site.topology.ride_through
    first_s = told.machines_restart + (0.0 if loop is None else _plant(world, loop).restart)
    return [(first_s + told.machines_ramp * k / START_GROUPS, (k + 1) / START_GROUPS) for k in range(START_GROUPS)]


def dip(world: World, hall: int, lasts_s: float, cause: str) -> None:
    """Let the machines of a hall drop out now, and start once voltage is back after `lasts_s`."""
    if not world.plants.fed[hall]:
        return
    lose(world, hall, cause)
    turn = int(world.plants.turn[hall])

    def again() -> None:
        if world.plants.turn[hall] == turn and _wired(world, hall) and _carried(world)[hall]:
            regain(world, hall, cause)

    outage.after(world, lasts_s, again)


def lose_substation(world: World, node: int, unit: int, lasts_s: float, cause: str) -> str:
    """Take one of the unit substations of a hall's plants out; with the last one they stand still
    until the first is back. Return its name."""
    site, group = world.site, ("mechanical", node)
    outage.lose(world, group, lasts_s, unit)

    def count() -> None:
        total = site.nodes[node].count
        left = max(total - outage.absent(world, group), 0)
        world.state.tree.in_service[node] = left / total
        world.tell_power(cause)

    count()
    outage.after(world, lasts_s, count)
    return f"{site.nodes[node].name}/{unit + 1}"


def lose_unit(world: World, loop: int, unit: int, lasts_s: float) -> None:
    """Take one unit of a loop's plant out until it is repaired."""
    _lose_one(world, ("plant unit", loop), unit, lasts_s, lambda _: _count(world, loop))


def lose_fan(world: World, loop: int, unit: int, lasts_s: float) -> None:
    """Take one fan of a plant unit out, the first in service, and with it its share of the unit."""
    group = ("plant fan", loop, unit)
    fan = outage.first_up(world, group, _plant(world, loop).fans)
    _lose_one(world, group, fan, lasts_s, lambda _: _count(world, loop))


def lose_pump(world: World, loop: int, unit: int, lasts_s: float, cause: str) -> None:
    """Take a pump of a loop out; with fewer than it needs the water flows slower, or not at all."""

    def change(by: int) -> None:
        world.plants.pumps_out[loop] += by
        _flow(world, loop, cause)

    _lose_one(world, ("loop pump", loop), unit, lasts_s, change)


def spares_pump(world: World, loop: int) -> bool:
    """Return whether a loop, and what its water cools, stay exactly what they are without one more of its
    pumps."""
    running = _running(world, loop)
    world.plants.pumps_out[loop] += 1
    same = running[1] > 0.0 and _runs(world, loop) == running
    world.plants.pumps_out[loop] -= 1
    if not same or world.site.loops[loop].kind != "warm":
        return same
    return all(coolant.at_rest(world, int(block)) for block in coolant.cooled(world.site, loop // 2))


def lose_wall(world: World, hall: int, unit: int, lasts_s: float) -> None:
    """Take one of a hall's fan walls out; the others speed up as far as they can."""

    def change(by: int) -> None:
        world.plants.walls_out[hall] += by
        settle(world, int(world.site.halls.air_loop[hall]))

    _lose_one(world, ("fan wall", hall), unit, lasts_s, change)


def _count(world: World, loop: int) -> None:
    """Count the units of a plant in service anew, those that lack fans by the share they have."""
    fans, built = _plant(world, loop).fans, world.site.loops[loop].units
    lacks = [1.0 if outage.is_out(world, ("plant unit", loop), unit)
             else outage.absent(world, ("plant fan", loop, unit)) / max(fans, 1) for unit in range(built)]  # fmt: skip
    world.plants.intact[loop] = built - sum(lacks)
    settle(world, loop)


def settle(world: World, loop: int) -> None:
    """Set which units of a loop run, whether its water flows and which share of its fans turns."""
    _set(world, loop, *_runs(world, loop))


def _runs(world: World, loop: int) -> tuple[float, float, float]:
    """Return the units of a loop that run, its flow over design and the share of its fans that turns."""
    plants, site = world.plants, world.site
    hall, air = loop // 2, site.topology.cooling.fan_wall
    fans, flow = 1.0, flows(world, loop)
    if site.loops[loop].kind == "chilled":
        left = site.hall_walls[hall] - int(plants.walls_out[hall])
        fans = air.moves(float(site.halls.fan_design_heat_w[hall]), left)
        fans *= 1.0 if air.passive else float(plants.moving[hall])
        if plants.stilled[hall]:
            fans, flow = 0.0, 0.0
    return float(plants.intact[loop] * plants.started[loop]), flow, fans


def _lose_one(
    world: World, group: Hashable, unit: int, lasts_s: float, change: Callable[[int], None]
) -> None:
    """Take one unit of a group out, unless it is out already, and bring it back; `change` is told how many
    more are out."""
    if outage.lose(world, group, lasts_s, unit):
        change(1)
        outage.when_back(world, group, unit, lasts_s, lambda: change(-1))


def _loops(world: World, hall: int) -> tuple[int, int]:
    return int(world.site.halls.liquid_loop[hall]), int(world.site.halls.air_loop[hall])


def _plant(world: World, loop: int) -> PlantSpec:
    cooling = world.site.topology.cooling
    return cooling.warm if world.site.loops[loop].kind == "warm" else cooling.chilled


def flows(world: World, loop: int) -> float:
    """Return the flow of a loop over design with the pumps that work and have power, if they are switched on."""
    plants, cooling = world.plants, world.site.topology.cooling
    hall, plant = loop // 2, _plant(world, loop)
    driven = plants.pumps_fed[hall] if cooling.loop_pumps_on_ups else plants.moving[hall] > 0.0
    if cooling.loop_pumps_on_ups and not coolant.ups_carries(world, hall):
        return 0.0
    return plant.flow_frac(plant.pumps - int(plants.pumps_out[loop])) if driven else 0.0


def _flow(world: World, loop: int, cause: str) -> None:
    settle(world, loop)
    if world.site.loops[loop].kind == "warm":
        coolant.of_hall(world, loop // 2, cause)


def pump(world: World, hall: int, cause: str) -> None:
    """Set the water of a hall's loops and the coolant of its blocks to what drives their pumps."""
    for loop in _loops(world, hall):
        settle(world, loop)
    coolant.of_hall(world, hall, cause)


def _running(world: World, loop: int) -> tuple[float, float, float]:
    """Return what `_runs` was when the loop was last set."""
    loops, heat = world.state.loops, world.state.heat
    return float(loops.units_up[loop]), float(heat.flow[loop]), float(heat.fans[loop])


def _set(world: World, loop: int, units: float, flow: float, fans: float) -> None:
    """Change a loop from now on; what held before in this step is kept beside (`HeatState`)."""
    loops, heat, before = world.state.loops, world.state.heat, _running(world, loop)
    if before == (units, flow, fans):
        return
    into_s, k = world.env.now % STEP_S, int(heat.changes[loop])
    if into_s > 0.0 and k < CHANGES:
        heat.change_s[loop, k] = into_s
        heat.units_then[loop, k], heat.flow_then[loop, k], heat.fans_then[loop, k] = before
        heat.changes[loop] = k + 1
    loops.units_up[loop], heat.flow[loop], heat.fans[loop] = units, flow, fans
    _foresee(world, loop, before, STEP_S - into_s)


def _foresee(world: World, loop: int, before: tuple[float, float, float], left_s: float) -> None:
    """Tell rows that their water stands from now on, or flows again, and raise what chips get in the rest of the step
    by what warms the water of a loop without a plant (the kernel does so for the steps that follow)."""
    site, state = world.site, world.state
    hall, heat, rows = loop // 2, state.heat, site.rows
    units, flow = float(state.loops.units_up[loop]), float(heat.flow[loop])
    if site.loops[loop].kind == "chilled":
        if before[1:] != (flow, float(heat.fans[loop])):
            _foresee_air(world, hall, loop)
        return
    _stand(world, hall, before[1] > 0.0 >= flow, before[1] <= 0.0 < flow)
    if not before[0] > 0.0 >= units or flow <= 0.0:
        return
    loop_j_k = float(state.loops.flow_w_k[loop] * state.loops.tank_s[loop])
    rise_k = float(state.plant_w[hall, 2]) * STEP_S / loop_j_k
    for row in np.flatnonzero((rows.hall == hall) & (rows.liquid_cooled == 1)):
        b = int(rows.block[row])
        if state.blocks.mass_j_k[b] > 0.0:
            continue  # a tank warms with its own heat
        part = in_part(float(rows.decay[row]), left_s)
        state.blocks.coolant_c[b] += heat.row_lead[b] * rise_k * part
    slowing.at_once(world)


def _stand(world: World, hall: int, stops: bool, flows: bool) -> None:
    """Note when in the step at hand the water of a hall's rows came to stand, or flowed again."""
    into_s, stands_s = world.env.now % STEP_S, world.state.heat.row_stands_s
    for block in np.flatnonzero(world.site.block_hall == hall):
        if stops:
            known = stands_s[block, 1] > stands_s[block, 0]
            stands_s[block] = stands_s[block, 0] if known else into_s, STEP_S
        elif flows:
            stands_s[block, 1] = into_s


def _foresee_air(world: World, hall: int, loop: int) -> None:
    """Set what racks take in over the step at hand to what its stretches so far, and the rest as it begins, make of
    the air (`hall_air.intake_c` does so ahead of a step); outdoor air is not counted on."""
    site, state, heat = world.site, world.state, world.state.heat
    air_w, water_c = heat_limits.hall_air_w(world, hall), float(state.loops.supply_c[loop])
    around = (water_c, NO_AIR_C, float(world.outdoor_c()))
    arguments = (hall, site.halls, heat, loop, (air_w, air_w), 0.0, around, LOAD_STEP, STEP_S)
    then_k, _ = world.entry(hall_air.follow, *arguments)(*arguments)
    over_k, before_c = float(heat.air_j[hall] / heat.air_j_k[hall]), float(state.hall_air_c[hall])
    state.hall_air_c[hall] = heat.air_set_c[hall] + over_k + heat.air_lead[hall] * (then_k - over_k)
    if state.hall_air_c[hall] > before_c:
        slowing.at_once(world)


def _start(world: World, hall: int, loop: int, turn: int, share: float, cause: str) -> None:
    """Let a further part of a plant run, if its hall did not lose power again meanwhile."""
    plants = world.plants
    if plants.turn[hall] != turn:
        return
    plants.started[loop] = share
    settle(world, loop)
    if share == 1.0:
        world.log("plants_back", world.site.loops[loop].name, cause)


def _move(world: World, hall: int, turn: int, share: float, cause: str) -> None:
    """Let a further part of a hall's fans run, and with the first its pumps without a UPS."""
    plants = world.plants
    if plants.turn[hall] != turn:
        return
    first = plants.moving[hall] == 0.0
    plants.moving[hall] = share
    if first:
        pump(world, hall, cause)
    settle(world, int(world.site.halls.air_loop[hall]))


def bridges_s(world: World, hall: int) -> float:
    """Return how long the batteries of the pumps' UPS carry what they draw."""
    node = world.site.nodes[world.site.halls.pump_node[hall]]
    drawn_w = float(world.state.plant_w[hall, 1])
    return node.ride_through_s * node.rating_w / drawn_w if drawn_w > 0.0 else node.ride_through_s


def _run_out(world: World, hall: int, turn: int, cause: str) -> None:
    """Stop the pumps of a hall whose batteries are empty."""
    plants = world.plants
    if plants.turn[hall] != turn:
        return
    plants.pumps_fed[hall] = False
    world.state.heat.bridged[hall] = 0
    back_s = _wired_again_s(world, hall)
    if back_s is not None and world.site.topology.cooling.pumps_on_ups:
        plants.back_s[hall] = back_s
    world.log("pumps_lost", world.site.hall_names[hall], cause, detail="batteries empty")
    pump(world, hall, cause)


def _wired_again_s(world: World, hall: int) -> float | None:
    """Return when a hall hangs on something again, as far as repairs are known; None: that is not
    what it waits for."""
    return None if _wired(world, hall) else next(
        (t for t in outage.known_back_s(world) if _wired(world, hall, t)), None
    )


def _wired(world: World, hall: int, at_s: float | None = None) -> bool:
    """Return whether a hall's plants hang on something, up to the utility or the generators."""
    site = world.site
    plant = int(site.halls.plant_node[hall])
    if outage.absent(world, ("mechanical", plant), at_s) >= site.nodes[plant].count:
        return False
    return medium_voltage.reached(world, hall, at_s)


def _carried(world: World) -> np.ndarray:
    """Return which halls' plants sources carry now: boolean (halls,). Without import, and while its return is held by
    a ramp, the plants of one hall after the other start, as far as sources carry what they and all support racks
    drew."""
    onsite_w = sources.carry_w(world) - float(world.support.needs_w[world.support.blocks].sum())
    needs_w = np.where(world.plants.fed, _drawn_w(world), 0.0) + _waits_w(world)
    return np.asarray((onsite_w > 0.0) & (np.cumsum(needs_w) <= onsite_w))


def promised_w(world: World) -> float:
    """Return what plants, fans and lights that have power again, but do not all run, will draw besides."""
    return float(_waits_w(world)[world.plants.fed].sum())


def _waits_w(world: World) -> np.ndarray:
    """Return what plants, fans and lights that do not all run drew when they did, less what they draw: (halls,)."""
    plants, loops = world.plants, np.arange(len(world.site.hall_names)) * 2
    runs = plants.fed & (plants.moving == 1.0) & (plants.started[loops] == 1.0) & (plants.started[loops + 1] == 1.0)
    drawn_w = np.where(plants.fed, _drawn_w(world), 0.0)
    return np.where(runs, 0.0, np.maximum(plants.needs_w - drawn_w, 0.0))


def _drawn_w(world: World) -> np.ndarray:
    drawn_w: np.ndarray = world.state.plant_w[:, :2].sum(axis=1) + world.site.halls.house_w
    return drawn_w
