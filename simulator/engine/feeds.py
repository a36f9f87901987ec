"""What feeds the blocks of racks: shares over the feeds in service, and what those can carry."""

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.components.power.distribution import HOLD_UP_S
from simulator.components.power.node import FEEDERS, SUBSTATIONS, UPS
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
    limit(world, hall)
    if lost:
        _darken(world, mine, cls.name)
        _switch_over(world, moved, cls)


def limit(world: World, hall: int) -> None:
    """Set what the blocks of a hall may draw."""
    site = world.site
    mine = np.unique(site.rack_block[site.rack_hall == hall])
    world.state.blocks.limit_w[mine] = _limits_w(world, hall, mine)


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


def _limits_w(world: World, hall: int, mine: np.ndarray) -> np.ndarray:
    """Return what each block may draw: its part of what the hall's feeders in service carry, and the
    network above them, beyond the largest draw so far of all else in the hall, and of what its
    lineups carry."""
    site, tree = world.site, world.state.tree
    node = int(site.halls.feeder_node[hall])
    limits_w = site.block_limit_w[mine]
    others = (tree.parent == node) & ~site.node_of_racks
    rest_w = float(tree.peak_w[others].sum())
    carried_w = site.nodes[node].rating_w * float(tree.in_service[node])
    nodes = list(site.hall_nodes[hall])
    lost_w = float((tree.input_w[nodes] - tree.output_w[nodes]).sum())  # less at a lower draw
    room_w = max(min(carried_w, float(tree.mesh.cap_w[hall]) - lost_w) - rest_w, 0.0)
    return limits_w * min(room_w / limits_w.sum(), 1.0) * _lineup_share(world, mine)


def _lineup_share(world: World, mine: np.ndarray) -> np.ndarray:
    """Return the part of each block's limit that the lineups feeding it can carry together with what
    else hangs on them: below one where more is out than the scheme was made for."""
    site, blocks = world.site, world.state.blocks
    load_w: dict[int, float] = {}
    feeds = [(b, k) for b in mine for k in range(site.feed_first[b], site.feed_first[b + 1])]
    for b, k in feeds:
        lineup = _lineup(world, k)
        drawn_w = float(blocks.feed_share[k] * site.block_limit_w[b])
        load_w[lineup] = load_w.get(lineup, 0.0) + drawn_w
    share = dict.fromkeys(mine.tolist(), 1.0)
    for b, k in feeds:
        if blocks.feed_share[k] > 0.0:
            lineup = _lineup(world, k)
            carried_w = _carried_w(world, int(b), k)
            if load_w[lineup] > carried_w * (1.0 + SLACK):
                share[int(b)] = min(share[int(b)], carried_w / load_w[lineup])
    return np.array(list(share.values()))


def _lineup(world: World, feed: int) -> int:
    """Return the substation of a feed."""
    nodes = world.site.nodes
    return next(n for n in world.site.feed_paths[feed] if nodes[n].stage == SUBSTATIONS)


def _carried_w(world: World, block: int, feed: int) -> float:
    """Return the rack power that a feed's lineup carries with the UPS modules it has left."""
    site = world.site
    plan = site.hall_spec[site.block_hall[block]].distribution
    if plan is None:
        return float(site.block_limit_w[block])
    full_w = float(site.block_limit_w[block]) * plan.group.worst_load
    ups = next((n for n in site.feed_paths[feed] if site.nodes[n].stage == UPS), None)
    if ups is None or plan.ups is None:
        return full_w
    return full_w * min(1.0, float(world.state.tree.in_service[ups]) * (1.0 + plan.ups.margin))


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
        slow = plan.transfer_s() > HOLD_UP_S
        told = "racks start anew" if slow else "within the hold-up of the racks"
        world.log("transfer", switch_name(site.block_names[block]), cls.name, plan.transfer_s(), told)
        if slow:
            racks = np.flatnonzero(site.rack_block == block)
            outage.take_out(world, racks, cls.name, max(cls.reset, STEP_S))
