"""What feeds the blocks of racks: shares over the feeds in service, and what those can carry."""

import math
from functools import partial

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.components.power.distribution import HOLD_UP_S
from simulator.components.power.node import FEEDERS, UPS
from simulator.components.power.schemes import reshared
from simulator.engine import bridging, lineup_sets, outage, power_loss
from simulator.engine.world import World
from simulator.site import Site

SLACK = 1e-9
"""Relative; a lineup that its blocks fill exactly is not too small for them."""


def lose(world: World, cls: FailureClass, node: int, lasts_s: float, unit: int = 0) -> str:
    """Take a substation, busway, switchgear section or one of a node's units out; return the node's
    name. The blocks behind it draw on what else feeds them; those that nothing feeds are dark."""
    outage.lose(world, group_of(world, node), lasts_s, unit)
    hall = world.site.node_hall[node]
    settle(world, hall, cls)
    outage.after(world, lasts_s, lambda: settle(world, hall, cls, lost=False))
    return world.site.nodes[node].name


def cut_off(world: World, cls: FailureClass, hall: int, lasts_s: float) -> None:
    """Cut a hall off from the network above it for some time."""
    outage.lose(world, reach_of(hall), lasts_s)
    settle(world, hall, cls)

    def back() -> None:
        settle(world, hall, cls, lost=False)
        if world.supply_changed is not None:
            world.supply_changed()

    outage.after(world, lasts_s, back)


def lose_switch(world: World, cls: FailureClass, block: int, unit: int, lasts_s: float) -> str:
    """Take the transfer switch of a block out, and with it the block; return its name."""
    site = world.site
    power_loss.darken(world, [block], cls.name, lasts_s)
    return switch_name(site.block_names[block])


def switch_name(block: str) -> str:
    """Return the name of a block's transfer switch."""
    return f"{block}/transfer switch"


def settle(world: World, hall: int, cls: FailureClass, lost: bool = True) -> None:
    """Set what is in service in a hall, which batteries carry their load, how blocks share what feeds
    them and what they may draw; on a loss, take out the racks of the blocks that nothing feeds and
    start anew those that were switched over too slowly."""
    site, blocks = world.site, world.state.blocks
    mine = blocks_of(site, hall)
    for node in site.hall_nodes[hall]:
        world.state.tree.in_service[node] = _left(world, node) / site.nodes[node].count
    _call_sets(world, hall, cls)
    _bridge_lineups(world, hall, cls)
    moved = []
    for block in mine:
        of = slice(site.feed_first[block], site.feed_first[block + 1])
        before = blocks.feed_share[of].copy()
        live = _live(world, int(block))
        blocks.feed_share[of] = reshared(site.feed_share[of], live)
        if np.any(blocks.feed_share[of] > before + SLACK):
            moved.append(int(block))
        row = int(world.state.supply.bridge.of_block[block])
        if bridging.carries(world, row) and live.any():
            bridging.end(world, row, battery_name(site.block_names[block]), "fed again")
    if lost:
        _darken(world, mine, cls)
        _switch_over(world, moved, cls)
    world.tell_power(cls.name)


def blocks_of(site: Site, hall: int) -> np.ndarray:
    """Return the blocks of accelerator racks in a hall."""
    return np.flatnonzero((site.block_hall == hall) & (site.rack_nameplate_w > 0.0))


def battery_name(block: str) -> str:
    """Return the name of the batteries in the racks of a block."""
    return f"{block}/rack batteries"


def _call_sets(world: World, hall: int, cls: FailureClass) -> None:
    """Tell the own sets of lineups whether these are fed. A substation whose lineup they carry is open."""
    for node in np.intersect1d(world.site.hall_nodes[hall], world.site.lineups).tolist():
        fed = bool(_left(world, node)) and _fed(world, world.site.path(world.site.nodes[node].parent), hall)
        lineup_sets.follow(world, node, fed, cls.name, partial(_go_on, world, hall, cls))
        if lineup_sets.carry(world, node):
            world.state.tree.in_service[node] = 0.0


def _bridge_lineups(world: World, hall: int, cls: FailureClass) -> None:
    """Let the UPS of a lineup carry it from the loss of what is above it on; once it rests it does not
    carry again before it was fed."""
    site, tree = world.site, world.state.tree
    for node in site.hall_nodes[hall]:
        row = int(tree.bridge.of_node[node])
        if row < 0 or lineup_sets.row_of(world, node) >= 0:
            continue
        carries, name = bridging.carries(world, row), site.nodes[node].name
        above = _fed(world, site.path(site.nodes[node].parent), hall)
        there, spent = _left(world, node) > 0, node in world.unfed
        world.unfed.discard(node) if above else world.unfed.add(node)
        if carries and (above or not there):
            bridging.end(world, row, name, "fed again" if above else cls.name)
        elif not (carries or above or spent) and there and bridging.charged(world, row):
            told, output_w = site.nodes[node], float(tree.output_w[node])
            wanted_w = output_w + told.loss.loss_w(output_w, told.rating_w * float(tree.in_service[node]))
            bridging.begin(world, row, wanted_w, name, cls.name, partial(_go_on, world, hall, cls))
        if not (above or bridging.carries(world, row)):
            tree.in_service[node] = 0.0  # nothing drives it


def _go_on(world: World, hall: int, cls: FailureClass, lost: bool = True) -> None:
    """Go on without a battery that is empty, or generators that failed; or, nothing lost, with those that started."""
    settle(world, hall, cls, lost)
    if world.supply_changed is not None:
        world.supply_changed()


def group_of(world: World, node: int) -> tuple[str, int]:
    """Return the key of a node's units in `World.absent`."""
    of = world.site.nodes[node]
    kind = {FEEDERS: "feeder", UPS: "ups"}.get(of.stage, "feed")
    return kind, node


def _left(world: World, node: int, at_s: float | None = None) -> int:
    """Return the units of a node in service; of a lineup that nothing carries, none."""
    if node in world.off_bus and world.off_bus[node] > (world.env.now if at_s is None else at_s):
        return 0
    count = world.site.nodes[node].count
    return max(count - outage.absent(world, group_of(world, node), at_s), 0)


def _live(world: World, block: int, at_s: float | None = None) -> np.ndarray:
    """Return which feeds of a block are live: boolean (feeds of the block,)."""
    site = world.site
    first, stop = site.feed_first[block : block + 2]
    hall = int(site.block_hall[block])
    return np.array([_fed(world, path, hall, at_s) for path in site.feed_paths[first:stop]])


def _fed(world: World, path: tuple[int, ...], hall: int, at_s: float | None = None) -> bool:
    """Return whether everything on a path, from a node up to the hall's feeders, is in service and the
    hall is reached; generators that carry a lineup stand for what is above them, batteries that do now."""
    for node in path:
        if lineup_sets.carry(world, node, at_s):
            return True
        if not _left(world, node, at_s):
            return False
        if at_s is None and bridging.carries(world, int(world.state.tree.bridge.of_node[node])):
            return True
    return not outage.absent(world, reach_of(hall), at_s)


def reach_of(hall: int) -> tuple[str, int]:
    """Return the key, in `World.absent`, of the medium-voltage network's reach of a hall."""
    return "reach", hall


def _darken(world: World, mine: np.ndarray, cls: FailureClass) -> None:
    """Leave the blocks without any feed to the batteries of their racks, and take out the racks of
    those that have none left: the first feed is back, and they boot."""
    until: dict[float, list[int]] = {}
    for block in mine:
        if _live(world, int(block)).any() or _bridged(world, int(block), cls):
            continue
        until.setdefault(_until_fed_s(world, int(block)), []).append(int(block))
    for lasts_s, blocks in until.items():
        power_loss.darken(world, blocks, cls.name, lasts_s)


def _bridged(world: World, block: int, cls: FailureClass) -> bool:
    """Return whether the batteries of a block's racks carry it from now on, or already do."""
    blocks, bridge = world.state.blocks, world.state.supply.bridge
    row, name = int(bridge.of_block[block]), battery_name(world.site.block_names[block])
    if bridging.carries(world, row):
        return True
    load_w = float(blocks.it_w[block])
    if not bridging.charged(world, row) or not 0.0 < load_w <= bridge.power_w[row]:
        return False

    def empty() -> None:
        _darken(world, np.array([block]), cls)

    bridging.begin(world, row, load_w, name, cls.name, empty)
    return True


def _until_fed_s(world: World, block: int) -> float:
    """Return the time until some feed of a block is back, as far as repairs are known."""
    now_s = world.env.now
    known = set(outage.known_back_s(world))
    known |= {t for t in (*world.off_bus.values(), *world.sets_due.values()) if now_s < t < math.inf}
    return next(t for t in sorted(known) if _live(world, block, t).any()) - now_s


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
            power_loss.take_out(world, racks, cls.name, plan.transfer_s())
