"""What a failure takes out of service, and how it comes back.

Each effect is called with the class, the index of what failed (rack, block, hall or loop), the unit
inside it and how long it lasts; it returns the element's name.
"""

from collections.abc import Callable

import numpy as np

from simulator.components.cooling.limits import seconds_without_flow
from simulator.components.failure_class import FailureClass
from simulator.engine import membership, network_parts, power, rewiring
from simulator.engine.alarm import Alarm
from simulator.engine.world import World
from simulator.kernels.site_step import STEP_S

Effect = Callable[[World, FailureClass, int, int, float], str]


def _after(world: World, lasts_s: float, restore: Callable[[], None]) -> None:
    """Call `restore` when the repair is done."""
    world.env.timeout(lasts_s).callbacks.append(lambda _: restore())


def _interrupt(world: World, cls: FailureClass, rack: int, unit: int, lasts_s: float) -> str:
    world.alarm(int(world.state.racks.load[rack]), Alarm(cls.name, np.array([rack])))
    return world.rack_name(rack)


def _server(world: World, cls: FailureClass, rack: int, unit: int, lasts_s: float) -> str:
    one = np.array([rack])

    def restore() -> None:
        world.state.servers_down[rack] -= 1.0
        membership.refresh(world, one)
        world.wake_waiting()

    world.state.servers_down[rack] += 1.0
    membership.refresh(world, one)
    world.alarm(int(world.state.racks.load[rack]), Alarm(cls.name, one, transient=lasts_s <= cls.reset))
    _after(world, lasts_s, restore)
    return world.rack_name(rack)


def _rack(world: World, cls: FailureClass, rack: int, unit: int, lasts_s: float) -> str:
    take_out(world, np.array([rack]), cls.name, lasts_s)
    return world.rack_name(rack)


def _block(world: World, cls: FailureClass, block: int, unit: int, lasts_s: float) -> str:
    take_out(world, np.flatnonzero(world.site.rack_block == block), cls.name, lasts_s)
    return world.site.block_names[block]


def _flow(world: World, cls: FailureClass, block: int, unit: int, lasts_s: float) -> str:
    """Stop a block's coolant: its chips heat at P/C until they trip, then its racks are out."""
    state, site = world.state, world.site
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
            take_out(world, racks, cls.name, lasts_s - trip_s)

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


def take_out(world: World, racks: np.ndarray, cause: str, lasts_s: float) -> None:
    """Take racks out of service, stop the loads on them, and bring them back after the repair."""
    held = world.state.racks.load[racks].copy()
    loads = np.unique(held)

    def restore() -> None:
        world.state.out[racks] -= 1
        membership.refresh(world, racks)
        world.wake_waiting()

    world.state.out[racks] += 1
    membership.refresh(world, racks)
    for load in loads:
        hit = racks[held == load]
        world.alarm(int(load), Alarm(cause, hit, transient=False))
    _after(world, lasts_s, restore)


EFFECTS: dict[str, Effect] = {
    "interrupt": _interrupt, "server": _server, "rack": _rack, "block": _block, "flow": _flow,
    "switch": _switch, "uplink": _uplink, "plant_unit": _plant_unit, "line": _bank, "transformer": _bank,
}
