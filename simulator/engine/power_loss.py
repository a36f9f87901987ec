"""Racks that lose power, by an outage or a voltage sag, and how they come back.

Once power is back they boot, and what has no restart of its own restarts: served models and batch work. Jobs
restart by their own rules (`workloads/recovering.py`), from when their racks have booted. Racks that boot or
restart draw nothing here (`studies/ride_through.py` follows that).
"""

import numpy as np

from simulator.engine import outage
from simulator.engine.outage_log import Dark, then_boots
from simulator.engine.world import World

RESTARTS = ("inference", "batch")
"""Kinds of loads that `topology.ride_through.restart` tells the restart of."""


def darken(world: World, blocks: list[int], cause: str, lasts_s: float) -> None:
    """Take the racks of some blocks out that have no power for `lasts_s`, and tell when they go dark and
    when all of them work again."""
    racks = _racks_of(world, blocks)
    fed_s = world.env.now + lasts_s
    lit_s = fed_s + float(_starts_s(world, racks).max(initial=0.0))
    _tell_dark(world, blocks, cause, lasts_s)
    for block in blocks:
        before = world.dark.get(block, Dark(world.env.now, fed_s, lit_s))
        world.dark[block] = Dark(before.since_s, max(before.fed_s, fed_s), max(before.lit_s, lit_s))
    take_out(world, racks, cause, lasts_s)
    outage.after(world, lit_s - world.env.now, lambda: _tell_lit(world, blocks, cause))


def take_out(world: World, racks: np.ndarray, cause: str, lasts_s: float) -> None:
    """Take racks out of service that, or whose switches, have no power for `lasts_s`, until they have
    started."""
    starts_s = _starts_s(world, racks)
    for boots_s in np.unique(starts_s):
        told = then_boots(outage.waits_for(world, lasts_s), world.env.now + lasts_s, float(boots_s))
        outage.take_out(world, racks[starts_s == boots_s], cause, lasts_s + float(boots_s), repair=told)


def _starts_s(world: World, racks: np.ndarray) -> np.ndarray:
    """Return how long racks take from power to work, or until a job may begin on them: (racks,)."""
    told = world.site.topology.ride_through
    restarts = np.array([kind in RESTARTS for kind in world.state.kinds])
    return np.asarray(told.boot + told.restart * restarts[world.state.racks.load[racks]])


def _racks_of(world: World, blocks: list[int]) -> np.ndarray:
    return np.flatnonzero(np.isin(world.site.rack_block, blocks))


def _tell_dark(world: World, blocks: list[int], cause: str, lasts_s: float) -> None:
    """Log which blocks lose power that had it."""
    new = [b for b in blocks if b not in world.dark or world.dark[b].fed_s <= world.env.now]
    if new:
        world.log("dark", _named(world, new), cause, lasts_s, _counted(world, new))


def _tell_lit(world: World, blocks: list[int], cause: str) -> None:
    """Log which blocks work again, unless they lost power for longer or anew."""
    lit = [b for b in blocks if b in world.dark and world.dark[b].lit_s <= world.env.now]
    if lit:
        since_s = min(world.dark.pop(block).since_s for block in lit)
        world.log("lit", _named(world, lit), cause, world.env.now - since_s, _counted(world, lit))


def _named(world: World, blocks: list[int]) -> str:
    """Return the name of a block, or of the hall of several."""
    site = world.site
    return site.block_names[blocks[0]] if len(blocks) == 1 else site.hall_names[site.block_hall[blocks[0]]]


def _counted(world: World, blocks: list[int]) -> str:
    return f"{len(blocks)} blocks, {_racks_of(world, blocks).size} racks"
