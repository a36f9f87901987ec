"""What the campus may draw, and what it does when that is less than it wants."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulator.engine import generators
from simulator.engine.alarm import Alarm
from simulator.engine.world import World
from simulator.kernels import columns as c
from simulator.kernels.site_step import STEP_S

SHED = np.eye(len(c.CATEGORIES))[c.POWER_CAP]


@dataclass(frozen=True)
class LoadView:
    """One load as a capping policy sees it; powers at the point of interconnection, losses and
    cooling included."""

    load: int
    priority: int
    on: bool
    cap: float
    dynamic_w: float
    """Dynamic power at a cap of one."""
    idle_w: float


Capping = Callable[[list[LoadView], float, float], list[float]]
"""`(views, demand_w, limit_w) -> cap of each load`: 1 free, below 1 slowed, 0 off."""


def lose_unit(world: World, node: int) -> None:
    """Take one line or main transformer out of service."""
    _set_in_service(world, node, -1)


def return_unit(world: World, node: int) -> None:
    """Put one back."""
    _set_in_service(world, node, +1)


def _set_in_service(world: World, node: int, change: int) -> None:
    state, grid = world.state, world.site.topology.grid
    counts = [world.site.nodes[i].count for i in (0, 1)]
    tree = state.tree
    up = [round(tree.in_service[i] * counts[i]) for i in (0, 1)]
    up[node] = min(max(up[node] + change, 0), counts[node])
    tree.in_service[node] = up[node] / counts[node]
    before_w = float(state.supply.limit_w[0])
    state.supply.limit_w[0] = grid.available_w(up[0], up[1])
    if state.supply.limit_w[0] == 0.0 and before_w > 0.0:
        world.supply_lost_s = world.env.now
        world.log("supply_lost", "point of interconnection", world.site.nodes[node].name)
        generators.call(world)
    elif before_w == 0.0 and state.supply.limit_w[0] > 0.0:
        world.supply_lost_s = None
        world.log("supply_returned", "point of interconnection")
        generators.stop(world)


def control(world: World, decide: Capping, at_s: float) -> list[int]:
    """Set the caps of all loads for the next minute; return the loads to switch off or on.

    Runs when the last minute was above the limit or any cap is in force. A load that must go off
    or may come back is returned, because jobs have to be told at their own time.
    """
    views, demand_w = _views(world)
    supply = world.state.supply
    limit_w = float(supply.limit_w[0]) * (1.0 - supply.margin) + generators.carries_w(world)
    if supply.limit_w[0] == 0.0:  # an island lives on its battery as long as that lasts
        left_w = float(supply.battery_j[0]) * supply.battery_efficiency / STEP_S
        limit_w += min(supply.battery_power_w, left_w)
    _tell_deficit(world, float(supply.deficit_w[0]), at_s)
    generators.tell_fuel(world, at_s)
    caps = decide(views, demand_w, limit_w)
    switched = []
    for view, cap in zip(views, caps, strict=True):
        if (cap <= 0.0) != (not view.on):
            switched.append(view.load)
        if view.on and cap > 0.0 and cap != view.cap:
            if (cap < 1.0) != (view.cap < 1.0):
                kind = "cap" if cap < 1.0 else "cap_lifted"
                world.log(kind, world.state.names[view.load], "supply", detail=f"{cap:.3f}", at_s=at_s)
            world.set_load(view.load, cap=cap, at_s=at_s)
    return switched


def _tell_deficit(world: World, deficit_w: float, at_s: float) -> None:
    """Log when the campus wants more than its supply can carry, and when that is over. Until the
    controls have shed enough, the lines and transformers in service carry it beyond their limit."""
    short = deficit_w > 1.0
    if short != world.overloaded:
        world.overloaded = short
        world.log(
            "overload" if short else "overload_end", "point of interconnection", "supply",
            detail=f"{deficit_w / 1e6:.3f} MW beyond the supply", at_s=at_s,
        )


def switch(world: World, load: int) -> None:
    """Turn a load off for want of supply, or back on."""
    state = world.state
    name = state.names[load]
    if state.loads.on[load] > 0.0:
        world.log("shed", name, "supply")
        world.restored[load] = world.env.event()
        world.resumes[load] = state.loads.share[load].copy(), float(state.loads.running[load])
        world.set_load(load, on=0.0, cap=0.0, running=0.0, share=SHED)
        world.alarm(load, Alarm("supply"))
        return
    world.log("restored", name, "supply")
    share, running = world.resumes.pop(load)
    world.set_load(load, on=1.0, cap=1.0, running=running, share=share)
    world.restored.pop(load).succeed()


def _views(world: World) -> tuple[list[LoadView], float]:
    """Return what the capping policy may see, and the demand of the last minute in W."""
    state, site = world.state, world.site
    rows, racks, loads = site.rows, state.racks, state.loads
    full_w = (rows.accelerators * rows.chip_dynamic_w + rows.host_dynamic_w)[site.rack_row]
    idle_w = (rows.accelerators * rows.chip_idle_w + rows.host_idle_w)[site.rack_row]
    count = len(state.names)
    sums = [
        np.bincount(racks.load, weights=racks.up_frac * w, minlength=count) for w in (full_w, idle_w)
    ]
    it_w = float(state.blocks.it_w.sum())
    demand_w = float(state.tree.input_w[0])
    overhead = demand_w / it_w if it_w > 0.0 else 1.0
    views = [
        LoadView(
            load=i, priority=int(state.priority[i]), on=bool(loads.on[i] > 0.0),
            cap=float(loads.cap[i]),
            dynamic_w=float(sums[0][i] * loads.dynamic_frac[i] * overhead),
            idle_w=float(sums[1][i] * overhead),
        )
        for i, kind in enumerate(state.kinds)
        if kind != "down" and (loads.count[i] > 0.0 or loads.on[i] == 0.0)
    ]
    return views, demand_w
