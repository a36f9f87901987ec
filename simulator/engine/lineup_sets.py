"""Generators of a lineup (`Generators.backs`) that start for it alone: its bus is dead, the campus is not.

They are called when the lineup's substation, or all that feeds it, is out while something is imported. After
`Generators.start`, and as many steps of load as the lineup needs, they carry it, if all of them came up; until then its
UPS or the batteries of its racks do. When it could be fed again they go on for `Generators.retransfer`. A loss
of import finds those that run on their lineup, where they stay.
"""

import math
from collections.abc import Callable
from functools import partial

from simulator.components.power.generator import Generators
from simulator.engine import bridging, outage
from simulator.engine.world import World
from simulator.kernels.site_step import STEP_S
from simulator.site import Site

Again = Callable[[bool], object]
"""Called when a lineup is carried, or is not any more: whether it is lost."""


def of_lineups(site: Site) -> list[int]:
    """Return how many sets each lineup has of its own, in the order of `Site.lineups`; none unless
    `backs` says so. The sets of the first lineup are the first, those of no lineup the last."""
    plant = site.topology.generators
    if plant is None or plant.backs != "lineups":
        return []
    return [plant.sets_for(site.nodes[i].rating_w * site.nodes[i].continuous) for i in site.lineups]


def row_of(world: World, node: int) -> int:
    """Return the row of the own sets of a lineup, told by its substation; -1 for what has none."""
    bridge = world.state.supply.bridge
    row = int(bridge.of_node[node])
    return row if row >= bridge.batteries else -1


def carry(world: World, node: int, at_s: float | None = None) -> bool:
    """Return whether its own sets carry a lineup for it alone, now or at a later time as far as is known."""
    if at_s is not None:
        return world.sets_due.get(node, math.inf) <= at_s
    return bridging.carries(world, row_of(world, node))


def running(world: World) -> set[int]:
    """Return the sets that carry their lineup alone."""
    return {unit for node in world.sets_due if carry(world, node) for unit in _units(world, node)}


def called(world: World, node: int) -> bool:
    """Return whether the sets of a lineup carry it alone, or start for that."""
    return world.sets_due.get(node, math.inf) < math.inf


def taken(world: World) -> set[int]:
    """Return the sets that are called for their lineup alone, so that the common bus has none of them."""
    return {unit for node in world.sets_due if called(world, node) for unit in _units(world, node)}


def follow(world: World, node: int, fed: bool, cause: str, again: Again) -> None:
    """Call the sets of a lineup that lost what feeds it, and have them stop when it is fed again: by what is
    imported, without which they neither start for it alone nor stop."""
    if row_of(world, node) < 0:
        return
    plant, now_s = _plant(world), world.env.now
    if world.supply_lost_s is not None:
        world.sets_fed_s.pop(node, None)
    elif not fed:
        world.sets_fed_s.pop(node, None)
        if node not in world.sets_due:
            _call(world, node, plant, cause, again)
    elif not carry(world, node):
        world.sets_due.pop(node, None)
    elif node not in world.sets_fed_s:
        world.sets_fed_s[node] = now_s
        outage.after(world, plant.retransfer, partial(_retransfer, world, node, now_s, again))


def _plant(world: World) -> Generators:
    plant = world.site.topology.generators
    if plant is None:
        raise LookupError("this site has no generators")
    return plant


def _units(world: World, node: int) -> range:
    """Return the numbers of the sets of a lineup."""
    counts, place = of_lineups(world.site), list(world.site.lineups).index(node)
    return range(sum(counts[:place]), sum(counts[: place + 1]))


def _call(world: World, node: int, plant: Generators, cause: str, again: Again) -> None:
    units, stream, demand = _units(world, node), world.stream("generator start"), int(world.env.now)
    come_up = [u for u in units if not outage.absent(world, ("generator", u))
               and stream.uniform(u, demand) >= plant.fail_to_start]  # fmt: skip
    if len(come_up) < len(units):
        world.sets_due[node] = math.inf
        world.log("generator_missing", world.site.nodes[node].name, cause, detail=f"{len(come_up)} of {len(units)}")
        return
    takes_s = plant.takes_s(len(units), float(world.state.tree.output_w[node]))
    due_s = world.env.now + plant.start + takes_s
    world.sets_due[node] = due_s
    outage.after(world, due_s - world.env.now, partial(_take_over, world, node, due_s, cause, again))


def _take_over(world: World, node: int, due_s: float, cause: str, again: Again) -> None:
    """Let the sets of a lineup carry it, unless it was fed again before."""
    if world.sets_due.get(node) != due_s:
        return
    plant, units = _plant(world), _units(world, node)
    bridging.engage(world, row_of(world, node))
    _run(world, plant.rating * len(units))
    world.log("generators_started", world.site.nodes[node].name, cause, detail=f"{len(units)} of {len(units)}")
    again(False)
    _beside_batteries(world, node)
    if plant.fail_running > 0.0:
        stream, demand = world.stream("generator start"), int(due_s)
        fails_s = min(-math.log(stream.uniform(u, demand, 1)) / plant.fail_running for u in units)
        outage.after(world, fails_s, partial(_fail, world, node, due_s, again))


def _beside_batteries(world: World, node: int) -> None:
    """Have the sets carry all of the load for the rest of the step at hand: what the kernel asks them for is its
    mean less what the UPS of the lineup, or the batteries of its racks, carried before."""
    site, bridge, shares = world.site, world.state.supply.bridge, world.state.blocks.feed_share
    rows = {int(bridge.of_node[i]) for i, below in enumerate(site.nodes) if below.parent == node}
    rows |= {int(bridge.of_block[block]) for block in range(bridge.of_block.size)
             for k in range(site.feed_first[block], site.feed_first[block + 1])
             if shares[k] > 0.0 and node in site.feed_paths[k]}  # fmt: skip
    before = max((float(bridge.share[row]) for row in rows if 0 <= row < bridge.batteries), default=0.0)
    if before < 1.0:
        row = row_of(world, node)
        bridge.share[row] = min(float(bridge.share[row]) / (1.0 - before), 1.0)


def _fail(world: World, node: int, due_s: float, again: Again) -> None:
    """Lose the lineup with the first of its sets that fails."""
    if world.sets_due.get(node) == due_s and carry(world, node):
        world.log("generator_failed", world.site.nodes[node].name, "generator", detail="while running")
        _give_up(world, node)
        again(True)


def run_dry(world: World) -> list[int]:
    """Lose all lineups that their own sets carry, for want of fuel; return them."""
    lost = [node for node in world.sets_due if carry(world, node)]
    for node in lost:
        _give_up(world, node)
    return lost


def _give_up(world: World, node: int) -> None:
    """Let the sets of a lineup carry it no more, nor start again before it was fed."""
    bridge, row = world.state.supply.bridge, row_of(world, node)
    _stop(world, node)
    bridge.share[row] = 1.0  # of what the lineup still drew in this step
    world.sets_due[node] = math.inf


def _retransfer(world: World, node: int, fed_s: float, again: Again) -> None:
    """Put a lineup back on what feeds it, if that did without a break."""
    if world.sets_fed_s.get(node) == fed_s and carry(world, node):
        ran_s = world.env.now - world.sets_due.pop(node)
        del world.sets_fed_s[node]
        world.log("retransfer", world.site.nodes[node].name, "fed again", ran_s)
        _stop(world, node)
        again(False)


def _stop(world: World, node: int) -> None:
    bridging.release(world, row_of(world, node))
    _run(world, -_plant(world).rating * len(_units(world, node)))


def _run(world: World, more_w: float) -> None:
    """Count the rating of sets that begin or cease to run from now on."""
    state = world.state.supply.generators
    state.running_w[0] += more_w
    state.running_late_j[0] += more_w * (world.env.now % STEP_S)
