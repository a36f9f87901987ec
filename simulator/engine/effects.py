"""What a failure takes out of service, and how it comes back.

Each effect is called with the class, the index of what failed (rack, block, hall or loop), the unit
inside it and how long it lasts; it returns the element's name.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from simulator.components.cooling.limits import seconds_without_flow
from simulator.components.failure_class import FailureClass
from simulator.engine import membership, network_parts, power, rewiring
from simulator.engine.alarm import Alarm
from simulator.engine.outages import OWN, SHARED, Repair, of_one_stage
from simulator.engine.world import World
from simulator.kernels.site_step import STEP_S

Effect = Callable[[World, FailureClass, int, int, float], str]


def inflict(world: World, cls: FailureClass, target: int, unit: int, repair: Repair) -> str:
    """Apply the effect of a failure or of planned work until it is repaired; return the element's
    name. Every alarm that it raises says how it shows itself, every outage what it waits for."""
    world.inflicted = repair
    element = EFFECTS[cls.effect](world, cls, target, unit, repair.back_s - world.env.now)
    world.inflicted = None
    return element


def _after(world: World, lasts_s: float, restore: Callable[[], None]) -> None:
    """Call `restore` when the repair is done."""
    world.env.timeout(lasts_s).callbacks.append(lambda _: restore())


def _interrupt(world: World, cls: FailureClass, rack: int, unit: int, lasts_s: float) -> str:
    world.alarm(int(world.state.racks.load[rack]), Alarm(cls.name, np.array([rack])))
    return world.rack_name(rack)


def _server(world: World, cls: FailureClass, rack: int, unit: int, lasts_s: float) -> str:
    one = np.array([rack])
    take_servers(world, one, np.ones(1), cls.name, lasts_s, transient=lasts_s <= cls.reset)
    return world.rack_name(rack)


def _rack(world: World, cls: FailureClass, rack: int, unit: int, lasts_s: float) -> str:
    take_out(world, np.array([rack]), cls.name, lasts_s, OWN)
    return world.rack_name(rack)


def _block(world: World, cls: FailureClass, block: int, unit: int, lasts_s: float) -> str:
    take_out(world, np.flatnonzero(world.site.rack_block == block), cls.name, lasts_s)
    return world.site.block_names[block]


def _flow(world: World, cls: FailureClass, block: int, unit: int, lasts_s: float) -> str:
    """Stop a block's coolant: its chips heat at P/C until they trip, then its racks are out."""
    state, site, repair = world.state, world.site, world.inflicted
    racks = np.flatnonzero(site.rack_block == block)
    row = site.rack_row[racks[0]]
    state.blocks.flow[block] = min(state.blocks.flow[block], world.env.now % STEP_S / STEP_S)
    load = state.racks.load[racks]
    chip_w = site.rows.chip_idle_w[row] + site.rows.chip_dynamic_w[row] * state.loads.dynamic_frac[load]
    capacity_j_k, limit_c = site.rows.heat_capacity_j_k[row], site.rows.shutdown_c[row]
    trip_s = min(
        seconds_without_flow(float(t), float(limit_c), float(w), float(capacity_j_k))
        for t, w in zip(state.racks.junction_c[racks], chip_w, strict=True)
    )

    def restore() -> None:
        state.blocks.flow[block] = 1.0

    def trip() -> None:
        if state.blocks.flow[block] < 1.0:
            world.log("trip", site.block_names[block], cls.name, lasts_s - trip_s, "no coolant flow")
            take_out(world, racks, cls.name, lasts_s - trip_s, repair=repair)

    _after(world, lasts_s, restore)
    if trip_s < lasts_s:
        _after(world, trip_s, trip)
    return site.block_names[block]


def _switch(world: World, cls: FailureClass, index: int, unit: int, lasts_s: float) -> str:
    """Take a switch out of its fabric; racks that hang on it alone are out with it."""
    network, tier = world.network, network_parts.TIER_OF[cls.per]
    live, graph = network.live[index], network.live[index].laid.graph
    name = network_parts.switch_name(world.site, index, cls.per, unit)
    node = live.lose_switch(tier, unit)
    what = f"{graph.tiers[tier]} {unit + 1} of {graph.switches_of(tier)}"

    def restore() -> None:
        live.return_switch(tier, unit)
        rewiring.changed(world, index, name, cls.name, 0.0, f"{what} back")
        world.wake_waiting()

    _after(world, lasts_s, restore)
    if graph.ports[node]:
        alone = not graph.spread or live.own[node] == 0.0
        if alone:
            take_out(world, network.racks_behind(index, node, unit), cls.name, lasts_s)
    rewiring.changed(world, index, name, cls.name, lasts_s, f"{what} lost")
    return name


def _uplink(world: World, cls: FailureClass, index: int, unit: int, lasts_s: float) -> str:
    """Take one link out of a trunk; traffic spreads over the others."""
    live = world.network.live[index]
    node = int(live.laid.graph.trunks[unit])
    name = network_parts.uplink_name(world.site, index, unit)
    what = f"one of {live.laid.graph.links[node]} links"

    def restore() -> None:
        live.return_link(node)
        rewiring.changed(world, index, name, cls.name, 0.0, f"{what} back")
        world.wake_waiting()

    live.lose_link(node)
    rewiring.changed(world, index, name, cls.name, lasts_s, f"{what} lost")
    _after(world, lasts_s, restore)
    return name


def _plant_unit(world: World, cls: FailureClass, loop: int, unit: int, lasts_s: float) -> str:
    units_up = world.state.loops.units_up

    def restore() -> None:
        units_up[loop] += 1.0

    if units_up[loop] >= 1.0:
        units_up[loop] -= 1.0
        _after(world, lasts_s, restore)
    return f"{world.site.loops[loop].name}/unit {unit + 1}"


def _bank(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> str:
    power.lose_unit(world, node)
    _after(world, lasts_s, lambda: power.return_unit(world, node))
    return f"{world.site.nodes[node].name}/{unit + 1}"


def take_out(
    world: World, racks: np.ndarray, cause: str, lasts_s: float, reach: str = SHARED,
    repair: Repair | None = None,
) -> None:
    """Take racks out of service, stop the loads on them, and bring them back after the repair.

    `reach` says whether it is their own failure or that of something they share; `repair` what it
    waits for, where that is not what is being inflicted.
    """

    def change(sign: int) -> None:
        world.state.out[racks] += sign

    told = _told(world, lasts_s, repair)
    whole = np.full(racks.size, np.inf)
    world.outages.note(racks, whole, world.env.now, lasts_s, cause, reach, told)
    _for_a_time(world, racks, change, lasts_s)
    _tell(world, racks, Alarm(cause, transient=False, planned=told.planned))


def take_servers(
    world: World, racks: np.ndarray, servers: np.ndarray, cause: str, lasts_s: float,
    repair: Repair | None = None, transient: bool = False,
) -> None:
    """Take so many servers of each of some racks out of service, and so on."""

    def change(sign: int) -> None:
        world.state.servers_down[racks] += sign * servers

    told = _told(world, lasts_s, repair)
    world.outages.note(racks, servers, world.env.now, lasts_s, cause, OWN, told)
    _for_a_time(world, racks, change, lasts_s)
    _tell(world, racks, Alarm(cause, transient=transient, planned=told.planned))


def _for_a_time(
    world: World, racks: np.ndarray, change: Callable[[int], None], lasts_s: float
) -> None:
    """Make a change to racks and undo it after a time."""

    def restore() -> None:
        change(-1)
        membership.refresh(world, racks)
        world.wake_waiting()

    change(+1)
    membership.refresh(world, racks)
    _after(world, lasts_s, restore)


def _tell(world: World, racks: np.ndarray, alarm: Alarm) -> None:
    """Tell every load on some racks, each of its own."""
    held = world.state.racks.load[racks]
    for load in np.unique(held):
        world.alarm(int(load), replace(alarm, racks=racks[held == load]))


def _told(world: World, lasts_s: float, repair: Repair | None) -> Repair:
    """Return what an outage waits for."""
    return repair or world.inflicted or of_one_stage("repair", world.env.now + lasts_s)


EFFECTS: dict[str, Effect] = {
    "interrupt": _interrupt, "server": _server, "rack": _rack, "block": _block, "flow": _flow,
    "switch": _switch, "uplink": _uplink, "plant_unit": _plant_unit, "line": _bank, "transformer": _bank,
}
