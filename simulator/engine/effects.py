"""What a failure takes out of service, and how it comes back.

Each effect is called with the class, the index of what failed (rack, block, hall or loop), the unit
inside it and how long it lasts; it returns the element's name.
"""

import math
from collections.abc import Callable

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.engine import (
    coolant,
    feeds,
    medium_voltage,
    network_parts,
    plant_power,
    power,
    pushes,
    rewiring,
    sags,
    sides,
    supply,
    support,
)
from simulator.engine.alarm import Alarm
from simulator.engine.elements import named
from simulator.engine.outage import after, lose, servers_out, take_out, when_back
from simulator.engine.outage_log import OWN, Repair
from simulator.engine.world import World
from simulator.kernels import strikes

Effect = Callable[[World, FailureClass, int, int, float], str]


def inflict(
    world: World, cls: FailureClass, target: int, unit: int, repair: Repair, detail: str | None = None
) -> str:
    """Apply the effect of a failure or of planned work until it is repaired; return the element's
    name. Every alarm that it raises says how it shows itself, every outage what it waits for. With a
    detail it is logged, before all that it causes."""
    world.inflicted, place = repair, len(world.events)
    element = EFFECTS[cls.effect](world, cls, target, unit, repair.back_s - world.env.now)
    element = named(cls, unit, element)
    world.inflicted = None
    if detail is not None:
        kind = "maintenance" if repair.planned else "failure"
        lasts_s = 0.0 if cls.effect == "interrupt" else repair.back_s - world.env.now
        world.log(kind, element, cls.name, lasts_s, detail, place=place)
    if cls.effect in SUPPLY and world.supply_changed is not None:
        world.supply_changed()
        after(world, repair.back_s - world.env.now, world.supply_changed)
    return element


def _interrupt(world: World, cls: FailureClass, rack: int, unit: int, lasts_s: float) -> str:
    world.alarm(int(world.state.racks.load[rack]), Alarm(cls.name, np.array([rack])))
    return world.rack_name(rack)


def _server(world: World, cls: FailureClass, rack: int, unit: int, lasts_s: float) -> str:
    one = np.array([rack])
    servers_out(world, one, np.ones(1), cls.name, lasts_s)
    told = world.inflicted
    cured = lasts_s <= cls.reset if told is None else told.transient
    world.alarm(int(world.state.racks.load[rack]), Alarm(cls.name, one, transient=cured))
    return world.rack_name(rack)


def _rack(world: World, cls: FailureClass, rack: int, unit: int, lasts_s: float) -> str:
    take_out(world, np.array([rack]), cls.name, lasts_s, OWN)
    return world.rack_name(rack)


def _corrupt(world: World, cls: FailureClass, rack: int, unit: int, lasts_s: float) -> str:
    """Let a chip compute wrong numbers until that is found; then its server goes for repair.

    Without a shop `lasts_s` is the time from then on; with one, finding it is the first part of it.
    """
    load, began_s, repair = int(world.state.racks.load[rack]), world.env.now, world.inflicted
    if repair is not None and repair.unnoticed_s > 0.0:
        unseen_s, out_s = repair.unnoticed_s, lasts_s - repair.unnoticed_s
    else:
        stream = world.stream(f"detection/{cls.name}")
        normal = stream.normal(rack, int(began_s))
        unseen_s, out_s = cls.detection * math.exp(cls.detection_spread * normal), lasts_s
    one, name = np.array([rack]), world.rack_name(rack)

    def find() -> None:
        world.log("corruption_found", name, cls.name, world.env.now - began_s)
        servers_out(world, one, np.ones(1), cls.name, out_s, repair)
        world.alarm(load, Alarm(cls.name, one, silent_s=world.env.now - began_s, transient=False))

    after(world, unseen_s, find)
    return name


def _block(world: World, cls: FailureClass, block: int, unit: int, lasts_s: float) -> str:
    if world.site.block_support_w[block] > 0.0:
        return sides.lose(world, cls, block, unit, lasts_s)
    take_out(world, np.flatnonzero(world.site.rack_block == block), cls.name, lasts_s)
    return world.site.block_names[block]


def _feed(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> str:
    """Take a substation, a busway or a section out: one of a group that stand in for each other, or
    the only one of a block, which is out with it."""
    site = world.site
    for group in site.stand_ins:
        if group[0] == node:
            return feeds.lose(world, cls, group[unit], lasts_s)
    block = site.own_block[node]
    if site.block_support_w[block] > 0.0:
        return _block(world, cls, block, unit, lasts_s)
    feeds.lose(world, cls, node, lasts_s)
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

    after(world, lasts_s, restore)
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
    after(world, lasts_s, restore)
    return name


def _plant_unit(world: World, cls: FailureClass, loop: int, unit: int, lasts_s: float) -> str:
    plant_power.lose_unit(world, loop, unit, lasts_s)
    return f"{world.site.loops[loop].name}/unit {unit + 1}"


def _plant_fan(world: World, cls: FailureClass, loop: int, unit: int, lasts_s: float) -> str:
    """Take one fan of a plant unit out, and with it its share of the unit."""
    plant_power.lose_fan(world, loop, unit, lasts_s)
    return f"{world.site.loops[loop].name}/unit {unit + 1}/fan"


def _loop_pump(world: World, cls: FailureClass, loop: int, unit: int, lasts_s: float) -> str:
    plant_power.lose_pump(world, loop, unit, lasts_s, cls.name)
    return f"{world.site.loops[loop].name}/pump {unit + 1}"


def _air_unit(world: World, cls: FailureClass, hall: int, unit: int, lasts_s: float) -> str:
    plant_power.lose_wall(world, hall, unit, lasts_s)
    return f"{world.site.hall_names[hall]}/air unit {unit + 1}"


def _mechanical(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> str:
    return plant_power.lose_substation(world, node, unit, lasts_s, cls.name)


def _support(world: World, cls: FailureClass, kind: int, unit: int, lasts_s: float) -> str:
    """Take a server out of the support racks of one kind in a hall."""
    support.lose_servers(world, kind, 1.0)
    after(world, lasts_s, lambda: support.lose_servers(world, kind, -1.0))
    entry = world.site.support[kind]
    return f"{world.site.hall_names[entry.hall]}/{entry.rack.name}"


def _bank(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> str:
    group = ("bank", node)
    fell = lose(world, group, lasts_s, unit)
    if fell:
        power.lose_unit(world, node)
    if world.site.mesh is not None:
        medium_voltage.lose_unit(world, cls, node, unit, lasts_s)
    if fell:
        when_back(world, group, unit, lasts_s, lambda: power.return_unit(world, node))
    return f"{world.site.nodes[node].name}/{unit + 1}"


EFFECTS: dict[str, Effect] = {
    "interrupt": _interrupt, "server": _server, "rack": _rack, "corrupt": _corrupt,
    "push": pushes.push, "block": _block, "feed": _feed,
    "transfer": feeds.lose_switch, "mv_bus": medium_voltage.lose_bus,
    "mv_branch": medium_voltage.lose_branch, "flow": coolant.lose_unit, "pump": coolant.lose_pump,
    "switch": _switch, "uplink": _uplink, "plant_unit": _plant_unit, "plant_fan": _plant_fan,
    "line": _bank, "transformer": _bank, "feeder": supply.lose_feeder, "ups": supply.lose_module,
    "generator": supply.lose_generator, "support": _support,
    "loop_pump": _loop_pump, "air_unit": _air_unit, "mechanical": _mechanical, "sag": sags.strike,
    "battery_unit": supply.lose_battery_unit, "rack_battery": supply.lose_rack_battery,
}
SUPPLY = frozenset({
    "block", "feed", "transfer", "mv_bus", "mv_branch", "line", "transformer", "feeder", "ups",
    "generator", "mechanical", "battery_unit",
})
"""Those after which other elements of the power chain may carry too much."""
IN_KERNEL = {"interrupt": strikes.NOTHING, "server": strikes.SERVER, "rack": strikes.RACK}
"""What the effects take out of a rack that the kernel applies where nothing is to be told of it."""
