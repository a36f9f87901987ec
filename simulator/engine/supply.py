"""Units of the power supply below the interconnection, and generators, that go out and come back."""

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.engine import feeds, generators, outage, plant_power
from simulator.engine.world import World
from simulator.site import Site


def lose_feeder(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> str:
    """Take one feeder of a hall out; return its name."""
    return f"{feeds.lose(world, cls, node, lasts_s)}/{unit + 1}"


def lose_module(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> str:
    """Take one UPS module out; return its name. With the last one, what it feeds stands still: the
    pumps of a hall's coolant units, the switches its racks hang on, or a lineup of racks."""
    site, group = world.site, ("ups", node)
    if site.node_of_racks[node]:
        return f"{feeds.lose(world, cls, node, lasts_s)}/module {unit + 1}"
    outage.lose(world, group, lasts_s)
    settle = lambda: _share(world, node, cls.name)  # noqa: E731
    settle()
    if outage.absent(world, group) >= site.nodes[node].count:
        racks = _behind_switches(site, node)
        if racks.size:
            outage.take_out(world, racks, cls.name, outage.first_back_s(world, group))
    outage.after(world, lasts_s, settle)
    return f"{site.nodes[node].name}/module {unit + 1}"


def _share(world: World, node: int, cause: str) -> None:
    site, modules = world.site, world.site.nodes[node].count
    left = max(modules - outage.absent(world, ("ups", node)), 0)
    world.state.tree.in_service[node] = left / modules
    for hall in np.flatnonzero(site.halls.pump_node == node):
        plant_power.pump(world, int(hall), cause)


def lose_side(world: World, cls: FailureClass, block: int, unit: int, lasts_s: float) -> str:
    """Take one of the two sides that feed a block of support racks out; return its name. With both
    out, the racks of the hall lose their switches."""
    site, group = world.site, ("side", block)
    outage.lose(world, group, lasts_s)
    if outage.absent(world, group) >= 2:
        racks = _behind_switches(site, site.nodes[site.block_node[block]].parent)
        if racks.size:
            outage.take_out(world, racks, cls.name, outage.first_back_s(world, group))
    return f"{site.block_names[block]}/side {unit + 1}"


def _behind_switches(site: Site, node: int) -> np.ndarray:
    """Return the accelerator racks whose switches a UPS feeds: all of a hall, or none."""
    for block, name in enumerate(site.block_names):
        if site.nodes[site.block_node[block]].parent == node and name.endswith("/support"):
            hall = site.block_hall[block]
            if any(entry.hall == hall and entry.rack.fabric for entry in site.support):
                return np.flatnonzero(site.rack_hall == hall)
    return np.zeros(0, np.int64)


def lose_generator(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> str:
    """Take one generator out; return its name. Once repaired it starts at the next demand."""
    outage.lose(world, ("generator", unit), lasts_s)
    generators.lose(world, unit)
    return f"generators/{unit + 1}"
