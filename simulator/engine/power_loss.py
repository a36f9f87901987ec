"""Racks that lose power, by an outage, a voltage sag or a switch, and how they come back (`starting.py`)."""

import numpy as np

from simulator.engine import outage, starting
from simulator.engine.outage_log import Dark, Repair, then_boots
from simulator.engine.world import World


def darken(world: World, blocks: list[int], cause: str, lasts_s: float) -> None:
    """Take the racks of some blocks out that have no power for `lasts_s`, and tell that they go dark."""
    racks = _racks_of(world, blocks)
    fed_s = world.env.now + lasts_s
    lit_s = fed_s + float(starting.lasts_s(world, racks).max(initial=0.0))
    _tell_dark(world, blocks, cause, lasts_s)
    for block in blocks:
        before = world.dark.get(block, Dark(world.env.now, fed_s, lit_s))
        world.dark[block] = Dark(before.since_s, max(before.fed_s, fed_s), max(before.lit_s, lit_s))
    take_out(world, racks, cause, lasts_s)


def take_out(world: World, racks: np.ndarray, cause: str, lasts_s: float, repair: Repair | None = None) -> None:
    """Take racks out of service that, or whose switches, have no power for `lasts_s`, until they have
    started; `repair` says what they wait for until then, where that is not what is being inflicted."""
    each_s = starting.lasts_s(world, racks)
    starting.await_power(world, racks, cause, lasts_s)
    for starts_s in np.unique(each_s):
        told = then_boots(outage.waits_for(world, lasts_s, repair), world.env.now + lasts_s, float(starts_s))
        outage.take_out(world, racks[each_s == starts_s], cause, lasts_s + float(starts_s), repair=told)


def _tell_dark(world: World, blocks: list[int], cause: str, lasts_s: float) -> None:
    """Log which blocks lose power that had it."""
    new = [b for b in blocks if b not in world.dark or world.dark[b].fed_s <= world.env.now]
    if new:
        racks = _racks_of(world, new).size
        world.log("dark", starting.named(world, new), cause, lasts_s, f"{len(new)} blocks, {racks} racks")


def _racks_of(world: World, blocks: list[int]) -> np.ndarray:
    """Return the racks of some blocks."""
    mine = np.zeros(len(world.site.block_names), np.bool_)
    mine[blocks] = True
    return np.flatnonzero(mine[world.site.rack_block])
