"""Units of the power supply below the interconnection, and generators, that go out and come back."""

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.engine import bridging, feeds, generators, held, outage, plant_power, sides
from simulator.engine.world import World

ALL_OFF = 2
"""Of `BlockState.support_hot`: no support rack of a block works in the hall's air."""


def lose_feeder(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> str:
    """Take one feeder of a hall out; return its name."""
    return f"{feeds.lose(world, cls, node, lasts_s, unit)}/{unit + 1}"


def lose_module(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> str:
    """Take one UPS module out; return its name. With the last one, what it feeds stands still: the
    pumps of a hall's coolant units, a side of support racks, or a lineup of racks."""
    site, serves = world.site, world.site.nodes[node].serves
    if serves == "racks":
        return f"{feeds.lose(world, cls, node, lasts_s, unit)}/module {unit + 1}"
    if serves == "support":
        return sides.lose_module(world, cls, node, unit, lasts_s)
    outage.lose(world, ("ups", node), lasts_s, unit)
    settle = lambda: _share(world, node, cls.name)  # noqa: E731
    settle()
    outage.after(world, lasts_s, settle)
    return f"{site.nodes[node].name}/module {unit + 1}"


def _share(world: World, node: int, cause: str) -> None:
    site, modules = world.site, world.site.nodes[node].count
    left = max(modules - outage.absent(world, ("ups", node)), 0)
    world.state.tree.in_service[node] = left / modules
    for hall in np.flatnonzero(site.halls.pump_node == node):
        plant_power.pump(world, int(hall), cause)


def lose_hot_switches(world: World, block: int, lasts_s: float) -> None:
    """Take out the racks of a hall whose switches went off in hot air with the last of a block of support
    racks: until they are inspected and started again, `lasts_s`, and anew as long as they are off then."""
    racks, group = sides.behind_switches(world.site, block), ("hot switches", block)

    def hold() -> None:
        outage.lose(world, group, lasts_s)
        held.hold(world, racks, "heat", lasts_s, look)

    def look() -> None:
        if world.state.blocks.support_hot[block] == ALL_OFF:
            hold()
        else:
            held.start(world, racks, "heat")

    if racks.size and world.state.blocks.support_hot[block] == ALL_OFF and not outage.absent(world, group):
        hold()


def lose_generator(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> str:
    """Take one generator out; return its name. Once repaired it starts at the next demand."""
    outage.lose(world, ("generator", unit), lasts_s)
    generators.lose(world, unit)
    return f"generators/{unit + 1}"


def lose_battery_unit(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> str:
    """Take one unit of the battery plant out, with its power and the charge in it; return its name."""
    supply, group, name = world.state.supply, ("battery", 0), f"battery/{unit + 1}"
    plant = world.site.topology.battery
    assert plant is not None
    up = max(plant.units - outage.absent(world, group), 0)
    moved_j = float(supply.battery_j[0]) / up if up else 0.0
    if not outage.lose(world, group, lasts_s, unit):
        return name

    def settle(stored_j: float) -> None:
        share = max(plant.units - outage.absent(world, group), 0) / plant.units
        supply.battery_power_w[0], supply.battery_recharge_w[0] = share * plant.power, share * plant.recharge
        supply.battery_capacity_j[0] = share * plant.usable_j
        supply.battery_j[0] += stored_j
        supply.bridge.away_j[0] -= stored_j

    settle(-moved_j)
    outage.when_back(world, group, unit, lasts_s, lambda: settle(moved_j))
    return name


def lose_rack_battery(world: World, cls: FailureClass, block: int, unit: int, lasts_s: float) -> str:
    """Take the battery units of one rack out, with the charge in them; return their name."""
    site, bridge, group = world.site, world.state.supply.bridge, ("rack battery", block)
    name = f"{site.block_names[block]}/rack battery {unit + 1}"
    if not outage.lose(world, group, lasts_s, unit):
        return name
    row, racks = int(bridge.of_block[block]), np.flatnonzero(site.rack_block == block)
    unit_spec = site.rack_types[site.rack_type[racks[0]]].battery_backup
    assert unit_spec is not None
    full_j = unit_spec.energy_j / float(bridge.one_way[row])

    def settle(sign: float, stored_j: float) -> None:
        bridging.take_share(world, row)
        bridge.full_j[row] = max(bridge.full_j[row] + sign * full_j, 0.0)
        bridge.power_w[row] = max(bridge.power_w[row] + sign * unit_spec.power, 0.0)
        bridge.recharge_w[row] = max(bridge.recharge_w[row] + sign * unit_spec.recharge, 0.0)
        bridge.charge_j[row] += stored_j
        bridge.away_j[0] -= stored_j

    bridging.take_share(world, row)
    held = bridge.full_j[row]
    moved_j = float(bridge.charge_j[row] * min(full_j / held, 1.0)) if held > 0.0 else 0.0
    settle(-1.0, -moved_j)
    outage.when_back(world, group, unit, lasts_s, lambda: settle(1.0, moved_j))
    return name
