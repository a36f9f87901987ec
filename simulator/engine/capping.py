"""Who gives way when the campus, or an element inside it, would carry more than it may."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator.engine import draw, generators, power_loss
from simulator.engine.alarm import Alarm
from simulator.engine.outage_log import of_one_stage
from simulator.engine.world import World
from simulator.kernels import columns as c
from simulator.kernels.block_caps import FLOOR
from simulator.kernels.site_step import STEP_S

SHED = np.eye(len(c.CATEGORIES))[c.POWER_CAP]
SITE = -1
"""Stands for the connection where nodes of the power tree are numbered."""


@dataclass(frozen=True)
class LoadView:
    """One load as a capping policy sees it, below one element; powers at that element, losses and
    cooling included. Members of a synchronous job are capped alike, wherever they stand."""

    load: int
    priority: int
    on: bool
    cap: float
    dynamic_w: float
    """Dynamic power at a cap of one."""
    idle_w: float
    kind: str = ""
    """`training`, `inference`, `batch`, `idle` ..."""


Capping = Callable[[list[LoadView], float, float], list[float]]
"""`(views, demand_w, limit_w) -> cap of each load`: 1 free, below 1 slowed, 0 off."""


def site_limit_w(world: World) -> float:
    """Return what may be drawn at the interconnection in W, margin and own generation included."""
    supply = world.state.supply
    limit_w = float(supply.limit_w[0]) * (1.0 - supply.margin) + generators.carries_w(world)
    if supply.limit_w[0] == 0.0 or world.back_w is not None:  # an island lives on its battery as long as that lasts
        left_w = float(supply.battery_j[0]) * supply.battery_efficiency / STEP_S
        limit_w += min(float(supply.battery_power_w[0]), left_w)
    return limit_w


def site_caps(
    world: World, decide: Capping, demand_w: float, at_s: float
) -> tuple[list[LoadView], np.ndarray]:
    """Return the loads, and the cap of each that the interconnection asks for, (loads,)."""
    views = views_of(world, demand_w)
    caps = np.ones(len(world.state.names))
    decided = decide(views, demand_w, site_limit_w(world))
    held_w = 0.0
    for view, cap in zip(views, decided, strict=True):
        caps[view.load] = cap
        held_w += view.dynamic_w * (1.0 - cap) * (view.on and cap > 0.0)
    world.watch.hold(SITE, held_w, at_s)
    return views, caps


def apply(world: World, views: list[LoadView], caps: np.ndarray, at_s: float) -> list[int]:
    """Set the caps of all loads; return those to switch off or on. Jobs have to be told of that at
    their own time."""
    switched = []
    for view in views:
        cap = float(caps[view.load])
        if (cap <= 0.0) != (not view.on):
            switched.append(view.load)
        if view.on and cap > 0.0 and cap != view.cap:
            if (cap < 1.0) != (view.cap < 1.0):
                kind = "cap" if cap < 1.0 else "cap_lifted"
                world.log(kind, world.state.names[view.load], "supply", detail=f"{cap:.3f}", at_s=at_s)
            world.set_load(view.load, cap=cap, at_s=at_s)
    return switched


def tell_deficit(world: World, at_s: float) -> None:
    """Log when the campus wants more than its supply can carry, and when that is over. Until the
    controls have shed enough, the lines and transformers in service carry it beyond their limit."""
    deficit_w = float(world.state.supply.deficit_w[0])
    short = deficit_w > 1.0
    if short != world.overloaded:
        world.overloaded = short
        world.log(
            "overload" if short else "overload_end", "point of interconnection", "supply",
            detail=f"{deficit_w / 1e6:.3f} MW beyond the supply", at_s=at_s,
        )


def ranks(decide: Capping, priority: np.ndarray, kinds: tuple[str, ...]) -> np.ndarray:
    """Return who gives way first by a policy, 0 before 1, (loads,): it is asked for ever more from loads
    of equal power, and what it cuts at the same time has the same rank."""
    views = [LoadView(i, int(p), True, 1.0, 1.0, 0.0, kind)
             for i, (p, kind) in enumerate(zip(priority, kinds, strict=True))]  # fmt: skip
    rank, total_w = np.full(len(views), -1), float(len(views))
    for taken in range(len(views)):
        caps = np.array(decide(views, total_w, total_w - (taken + 0.5) * (1.0 - FLOOR)))
        rank[(rank < 0) & (caps < 1.0)] = rank.max() + 1
    return np.maximum(rank, 0)


def switch(world: World, load: int) -> None:
    """Turn a load off for want of supply, or back on: its racks boot."""
    state = world.state
    name = state.names[load]
    if state.loads.on[load] > 0.0:
        world.log("shed", name, "supply")
        world.watch.off(load, _power_w(world, load), world.env.now)
        world.restored[load] = world.env.event()
        world.resumes[load] = state.loads.share[load].copy(), float(state.loads.running[load])
        world.set_load(load, on=0.0, cap=0.0, running=0.0, share=SHED)
        if load in world.alarms:
            world.struck.setdefault(load, ("supply", world.env.now))
        world.alarm(load, Alarm("supply"))
        return
    world.log("restored", name, "supply")
    world.watch.on(load, world.env.now)
    share, running = world.resumes.pop(load)
    world.set_load(load, on=1.0, cap=1.0, running=running, share=share)
    racks = np.flatnonzero(state.racks.load == load)
    power_loss.take_out(world, racks, "supply", 0.0, of_one_stage("trip", world.env.now))
    world.restored.pop(load).succeed()


def _power_w(world: World, load: int) -> float:
    """Return what a load drew in the last step in W, at its racks."""
    racks = world.state.racks
    return float(racks.power_w[racks.load == load].sum())


def views_of(world: World, demand_w: float) -> list[LoadView]:
    """Return what the capping policy may see of the campus at a demand in W: while nothing is imported,
    of what batteries do not carry."""
    state, site = world.state, world.site
    rows, racks, loads = site.rows, state.racks, state.loads
    full_w = (rows.accelerators * rows.chip_dynamic_w + rows.host_dynamic_w)[site.rack_row]
    idle_w = (rows.accelerators * rows.chip_idle_w + rows.host_idle_w)[site.rack_row]
    count, up_frac, it_w = len(state.names), racks.up_frac, float(state.blocks.it_w.sum())
    if world.needs_w:
        connected = draw.reaches(world)[0]
        up_frac = up_frac * connected[site.rack_block]
        it_w = float(state.blocks.it_w @ connected)
    sums = [np.bincount(racks.load, weights=up_frac * w, minlength=count) for w in (full_w, idle_w)]
    overhead = demand_w / it_w if it_w > 0.0 else 1.0
    return [
        LoadView(
            load=i, priority=int(state.priority[i]), on=bool(loads.on[i] > 0.0),
            cap=float(loads.cap[i]),
            dynamic_w=float(sums[0][i] * loads.dynamic_frac[i] * overhead),
            idle_w=float(sums[1][i] * overhead), kind=kind,
        )
        for i, kind in enumerate(state.kinds)
        if kind != "down" and (loads.count[i] > 0.0 or loads.on[i] == 0.0)
        and (not world.needs_w or sums[1][i] > 0.0)
    ]
