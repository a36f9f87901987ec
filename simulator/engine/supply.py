"""Units of the power supply below the interconnection, and generators, that go out and come back."""

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.engine import coolant, generators, outage
from simulator.engine.world import World
from simulator.site import Site


def lose_feeder(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> str:
    """Take one feeder of a hall out; return its name."""
    outage.lose(world, ("feeder", node), lasts_s)
    _feed(world, node, cls.name)
    outage.after(world, lasts_s, lambda: _feed(world, node, cls.name, lost=False))
    return f"{world.site.nodes[node].name}/{unit + 1}"


def _feed(world: World, node: int, cause: str, lost: bool = True) -> None:
    """Let the feeders in service carry the hall, capped below them where they are too few
    (`overload.py`); with no feeder left the hall is dark."""
    site = world.site
    left = max(site.nodes[node].count - outage.absent(world, ("feeder", node)), 0)
    world.state.tree.in_service[node] = left / site.nodes[node].count
    if lost and left == 0:
        hall = int(np.flatnonzero(site.halls.feeder_node == node)[0])
        racks = np.flatnonzero(site.rack_hall == hall)
        outage.take_out(world, racks, cause, outage.first_back_s(world, ("feeder", node)))


def lose_module(world: World, cls: FailureClass, node: int, unit: int, lasts_s: float) -> str:
    """Take one UPS module out; return its name. With the last one, what it feeds stands still: the
    pumps of a hall's coolant units, or the switches its racks hang on."""
    site, group = world.site, ("ups", node)
    outage.lose(world, group, lasts_s)
    settle = lambda: _share(world, node, cls.name)  # noqa: E731
    settle()
    if outage.absent(world, group) >= site.topology.ups.modules:
        racks = _behind_switches(site, node)
        if racks.size:
            outage.take_out(world, racks, cls.name, outage.first_back_s(world, group))
    outage.after(world, lasts_s, settle)
    return f"{site.nodes[node].name}/module {unit + 1}"


def _share(world: World, node: int, cause: str) -> None:
    site, modules = world.site, world.site.topology.ups.modules
    left = max(modules - outage.absent(world, ("ups", node)), 0)
    world.state.tree.in_service[node] = left / modules
    for hall in np.flatnonzero(site.halls.pump_node == node):
        for block in np.flatnonzero((site.block_hall == hall) & (site.block_coolant_units > 0)):
            coolant.changed(world, int(block), cause)


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
