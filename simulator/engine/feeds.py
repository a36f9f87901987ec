"""What feeds the blocks of racks: shares over the feeds in service, and what those can carry."""

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.components.power.distribution import HOLD_UP_S
from simulator.components.power.node import FEEDERS, UPS
from simulator.components.power.schemes import reshared
from simulator.engine import outage
from simulator.engine.world import World
from simulator.kernels.site_step import STEP_S

SLACK = 1e-9
"""Relative; a lineup that its blocks fill exactly is not too small for them."""


def lose(world: World, cls: FailureClass, node: int, lasts_s: float) -> str:
    """Take a substation, busway or switchgear section out; return its name. The blocks behind it
    draw on what else feeds them; those that nothing feeds are dark."""
    outage.lose(world, group_of(world, node), lasts_s)
    hall = world.site.node_hall[node]
    settle(world, hall, cls)
    outage.after(world, lasts_s, lambda: settle(world, hall, cls, lost=False))
    return world.site.nodes[node].name


def lose_switch(world: World, cls: FailureClass, block: int, unit: int, lasts_s: float) -> str:
    """Take the transfer switch of a block out, and with it the block; return its name."""
    site = world.site
    racks = np.flatnonzero(site.rack_block == block)
    outage.take_out(world, racks, cls.name, lasts_s)
    return switch_name(site.block_names[block])


def switch_name(block: str) -> str:
    """Return the name of a block's transfer switch."""
    return f"{block}/transfer switch"


def settle(world: World, hall: int, cls: FailureClass, lost: bool = True) -> None:
    """Set what is in service in a hall, how its blocks share it and what they may draw; on a loss,
    take out the racks of the blocks that nothing feeds and start anew those that were switched over
    too slowly."""
    site, blocks = world.site, world.state.blocks
    mine = np.unique(site.rack_block[site.rack_hall == hall])
    for node in site.hall_nodes[hall]:
        world.state.tree.in_service[node] = _left(world, node) / site.nodes[node].count
    moved = []
    for block in mine:
        of = slice(site.feed_first[block], site.feed_first[block + 1])
        before = blocks.feed_share[of].copy()
        blocks.feed_share[of] = reshared(site.feed_share[of], _live(world, int(block)))
        if np.any(blocks.feed_share[of] > before + SLACK):
            moved.append(int(block))
    if lost:
        _darken(world, mine, cls.name)
        _switch_over(world, moved, cls)
    world.tell_power(cls.name)


def group_of(world: World, node: int) -> tuple[str, int]:
    """Return the key of a node's units in `World.absent`."""
    of = world.site.nodes[node]
    kind = {FEEDERS: "feeder", UPS: "ups"}.get(of.stage, "feed")
    return kind, node


def _left(world: World, node: int, at_s: float | None = None) -> int:
    """Return the units of a node in service."""
    count = world.site.nodes[node].count
    return max(count - outage.absent(world, group_of(world, node), at_s), 0)


def _live(world: World, block: int, at_s: float | None = None) -> np.ndarray:
    """Return which feeds of a block have everything above them, up to the hall's feeders, in
    service: boolean (feeds of the block,)."""
    first, stop = world.site.feed_first[block : block + 2]
    paths = world.site.feed_paths[first:stop]
    return np.array([all(_left(world, node, at_s) for node in path) for path in paths])


def _darken(world: World, mine: np.ndarray, cause: str) -> None:
    """Take the racks of blocks without any feed out until the first of their feeds is back."""
    until: dict[float, list[int]] = {}
    for block in mine:
        if not _live(world, int(block)).any():
            until.setdefault(_until_fed_s(world, int(block)), []).append(int(block))
    for lasts_s, blocks in until.items():
        racks = np.flatnonzero(np.isin(world.site.rack_block, blocks))
        outage.take_out(world, racks, cause, lasts_s)


def _until_fed_s(world: World, block: int) -> float:
    """Return the time until some feed of a block is back, as far as repairs are known."""
    now_s = world.env.now
    known = sorted({t for times in world.absent.values() for t in times if t > now_s})
    return next(t for t in known if _live(world, block, t).any()) - now_s


def _switch_over(world: World, moved: list[int], cls: FailureClass) -> None:
    """Tell which blocks changed to another feed by a switch; where it takes longer than the racks'
    power supplies hold, they start anew."""
    site = world.site
    for block in moved:
        plan = site.hall_spec[site.block_hall[block]].distribution
        if plan is None or not plan.switched:
            continue
        racks = np.flatnonzero(site.rack_block == block)
        backup = site.rack_types[site.rack_type[racks[0]]].battery_backup
        slow = plan.transfer_s() > HOLD_UP_S + (backup.hold_up if backup else 0.0)
        told = "racks start anew" if slow else "within the hold-up of the racks"
        world.log("transfer", switch_name(site.block_names[block]), cls.name, plan.transfer_s(), told)
        if slow:
            outage.take_out(world, racks, cls.name, max(cls.reset, STEP_S))
