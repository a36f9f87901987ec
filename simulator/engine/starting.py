"""Racks that start once they have power again: they boot, stand idle until what has no restart of its own has
restarted, and work.

Jobs restart by their own rules (`workloads/recovering.py`), from when their racks have booted. A rack that
starts is not in service: its hours are down, its chips no warmer than their coolant. What it draws is told
of its block, which gives the heat off as it does its racks' own.
"""

from dataclasses import dataclass

import numpy as np

from simulator.engine import outage
from simulator.engine.world import World
from simulator.kernels.site_step import STEP_S

RESTARTS = ("inference", "batch")
"""Kinds of loads that `topology.ride_through.restart` tells the restart of."""


@dataclass(frozen=True)
class Group:
    """Racks that one cause took at once and that have power again at once; columns (racks,)."""

    racks: np.ndarray
    cause: str
    fed_s: float
    lasts_s: np.ndarray
    """From power to work, or until a job may begin on them."""
    priority: np.ndarray
    """Of what worked on them."""
    out_s: np.ndarray
    """Since when they are out."""

    def left(self, world: World) -> np.ndarray:
        """Return which of them lost power neither for longer nor anew: boolean (racks,)."""
        return np.asarray(world.starts.fed_s[self.racks] == self.fed_s)


def lasts_s(world: World, racks: np.ndarray) -> np.ndarray:
    """Return how long racks take from power to work, or until a job may begin on them: (racks,)."""
    told = world.site.topology.ride_through
    restarts = np.array([kind in RESTARTS for kind in world.state.kinds])
    return np.asarray(told.boot + told.restart * restarts[world.state.racks.load[racks]])


def await_power(world: World, racks: np.ndarray, cause: str, after_s: float) -> None:
    """Let racks that are being taken out start when they have power after some time, unless they lose it
    for longer, and tell when all of them are back."""
    starts, now_s = world.starts, world.env.now
    draw(world, racks, 0.0)
    starts.fed_s[racks] = np.maximum(starts.fed_s[racks], now_s + after_s)
    starts.out_s[racks] = np.fmin(starts.out_s[racks], now_s)
    priority = world.state.priority[world.state.racks.load[racks]]
    group = Group(racks, cause, now_s + after_s, lasts_s(world, racks), priority, starts.out_s[racks])
    outage.after(world, after_s, lambda: _fed(world, group))


def _fed(world: World, group: Group) -> None:
    left = np.flatnonzero(group.left(world))
    if world.pick_up is not None:
        world.pick_up(group, left)
    else:
        boot(world, group, left)


def boot(world: World, group: Group, which: np.ndarray) -> None:
    """Let some of a group's racks, by their places in it, boot now."""
    told, racks, each_s = world.site.topology.ride_through, group.racks[which], group.lasts_s[which]
    world.starts.works_s[racks] = world.env.now + each_s
    (off_s, boots), (boots_s, rests) = told.boots(1.0)
    waits = which[each_s > told.boot]
    outage.after(world, off_s, lambda: draw(world, _still(world, group, which), boots))
    outage.after(world, off_s + boots_s, lambda: draw(world, _still(world, group, waits), rests))
    for after_s in np.unique(each_s):
        some = which[each_s == after_s]
        outage.after(world, float(after_s), lambda some=some: _work(world, group, some))  # type: ignore[misc]


def _still(world: World, group: Group, which: np.ndarray) -> np.ndarray:
    return group.racks[which[group.left(world)[which]]]


def _work(world: World, group: Group, which: np.ndarray) -> None:
    """End the start of some racks; tell it with the last of their group."""
    starts, racks = world.starts, _still(world, group, which)
    draw(world, racks, 0.0)
    starts.out_s[racks] = np.nan
    left = group.left(world)
    mine = group.racks[left]
    if racks.size and np.isnan(starts.out_s[mine]).all():
        blocks = np.unique(world.site.rack_block[mine]).tolist()
        for block in blocks:
            world.dark.pop(block, None)
        since_s = float(group.out_s[left].min())
        world.log("racks_back", named(world, blocks), group.cause, world.env.now - since_s,
                  f"{len(blocks)} blocks, {mine.size} racks")  # fmt: skip


def named(world: World, blocks: list[int]) -> str:
    """Return the name of a block, of the hall of several, or of the campus."""
    site = world.site
    if len(blocks) == 1:
        return site.block_names[blocks[0]]
    halls = np.unique(site.block_hall[blocks])
    return site.hall_names[halls[0]] if halls.size == 1 else site.topology.name


def open_j(world: World, at_s: float) -> np.ndarray:
    """Return what racks that still start drew up to a time and no load was told of, in J by load: (loads,)."""
    starts, state = world.starts, world.state
    drawn_j = state.racks.starting_w * (at_s - starts.since_s)
    return np.bincount(state.racks.load, drawn_j, state.loads.energy_j.size)


def draw(world: World, racks: np.ndarray, rest_frac: float) -> None:
    """Let racks that start draw so much of what they draw at rest from now on, less what is broken of them."""
    site, state, starts, now_s = world.site, world.state, world.starts, world.env.now
    draws_w = state.racks.starting_w
    drawn_j = draws_w[racks] * (now_s - starts.since_s[racks])
    np.add.at(state.loads.energy_j, state.racks.load[racks], drawn_j)
    whole = np.maximum(1.0 - state.servers_down[racks] / site.rack_servers[racks], 0.0)
    draws_w[racks], starts.since_s[racks] = rest_frac * starts.rest_w[racks] * whole, now_s
    liquid_w = draws_w * site.rows.liquid_frac[site.rack_row]
    blocks = state.blocks
    before_w = blocks.starting_w.copy()
    for part, w in enumerate((liquid_w, draws_w - liquid_w)):
        blocks.starting_w[:, part] = np.bincount(site.rack_block, w, blocks.it_w.size)
    left = 1.0 - now_s % STEP_S / STEP_S
    blocks.started_w[:] = np.maximum(blocks.started_w + (blocks.starting_w - before_w) * left, 0.0)
