"""The two sides that feed a block of support racks: each a substation, a UPS and a busway that carry all of
them alone. With both in service they share the draw.
"""

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.components.power.node import SIDES
from simulator.engine import draw, outage
from simulator.engine.world import World
from simulator.site import Site

ABOVE_UPS = ("substation", "substation_breaker")
"""Populations whose failure leaves the UPS of their side to carry the racks."""
ABOVE, BELOW = "side above its UPS", "side"
"""Groups of units out in `World.absent`, by block."""


def lose(world: World, cls: FailureClass, block: int, unit: int, lasts_s: float) -> str:
    """Take one side of a block of support racks out; return its name."""
    outage.lose(world, (ABOVE if cls.per in ABOVE_UPS else BELOW, block), lasts_s, unit)
    _settle(world, cls, block)
    outage.after(world, lasts_s, lambda: _settle(world, cls, block))
    return f"{world.site.block_names[block]}/side {unit + 1}"


def lose_module(world: World, cls: FailureClass, ups: int, unit: int, lasts_s: float) -> str:
    """Take one module of the UPS of a side out; return its name. With the last one its side is out."""
    block = of_ups(world.site, ups)
    outage.lose(world, ("ups", ups), lasts_s, unit)
    _settle(world, cls, block)
    outage.after(world, lasts_s, lambda: _settle(world, cls, block))
    return f"{world.site.nodes[ups].name}/module {unit + 1}"


def whole(world: World, block: int) -> bool:
    """Return whether both sides of a block of support racks are in service with all their modules: which of
    them is lost then is in its name only."""
    return bool(feeding(world, block).all() and _modules(world, block).all())


def of_ups(site: Site, ups: int) -> int:
    """Return the block of support racks that a UPS feeds."""
    return next(b for b, node in enumerate(site.block_node) if site.nodes[node].parent == ups)


def of_module(site: Site, ups: int, unit: int) -> int:
    """Return the side that a module of a UPS of support racks belongs to."""
    return unit * SIDES // site.nodes[ups].count


def feeding(world: World, block: int, at_s: float | None = None) -> np.ndarray:
    """Return which sides of a block of support racks feed it, now or at a later time as far as is known:
    boolean (sides,)."""
    groups = (ABOVE, block), (BELOW, block), ("ups", nodes(world.site, block)[1])
    if world.absent.keys().isdisjoint(groups):
        return np.ones(SIDES, np.bool_)
    above = outage.out(world, (ABOVE, block), SIDES, at_s)
    return np.asarray(_modules(world, block, at_s).any(axis=1) & ~above)


def _modules(world: World, block: int, at_s: float | None = None) -> np.ndarray:
    """Return which UPS modules of a block drive their side's busway: boolean (sides, modules)."""
    ups = nodes(world.site, block)[1]
    left = ~outage.out(world, ("ups", ups), world.site.nodes[ups].count, at_s)
    return left.reshape(SIDES, -1) & ~outage.out(world, (BELOW, block), SIDES, at_s)[:, None]


def nodes(site: Site, block: int) -> tuple[int, int, int]:
    """Return substations, UPS and busways of a block of support racks."""
    busways = int(site.block_node[block])
    ups = site.nodes[busways].parent
    return site.nodes[ups].parent, ups, busways


def _settle(world: World, cls: FailureClass, block: int) -> None:
    """Set the share of substations, UPS and busways that is in service, and have it looked at who carries
    the racks."""
    substations, ups, busways = nodes(world.site, block)
    fed, left, in_service = feeding(world, block), _modules(world, block), world.state.tree.in_service
    carries = fed if fed.any() else left.any(axis=1)
    in_service[substations], in_service[busways] = fed.mean(), carries.mean()
    in_service[ups] = left[carries].sum() / left.size
    world.tell_power(cls.name)


def carries_s(world: World, block: int) -> float:
    """Return how long UPS that nothing feeds, but that still feed their busways, carry what the racks draw,
    when full."""
    ups, drawn_w = world.site.nodes[nodes(world.site, block)[1]], float(draw.support_w(world)[block])
    share = _modules(world, block).sum() / ups.count
    return float(share * ups.ride_through_s * ups.rating_w / drawn_w) if drawn_w > 0.0 else 0.0


def behind_switches(site: Site, block: int) -> np.ndarray:
    """Return the accelerator racks whose switches stand in a block of support racks: all of a hall, or none."""
    hall = site.block_hall[block]
    if any(entry.hall == hall and entry.rack.fabric for entry in site.support):
        return np.flatnonzero(site.rack_hall == hall)
    return np.zeros(0, np.int64)
