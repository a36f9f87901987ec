"""Things out of service until they are repaired: racks, and units that stand in for each other."""

import math
from collections.abc import Callable, Hashable

import numpy as np

from simulator.engine import membership
from simulator.engine.alarm import Alarm
from simulator.engine.outage_log import OWN, SHARED, Repair, of_one_stage
from simulator.engine.world import World
from simulator.kernels import strikes


def after(world: World, lasts_s: float, restore: Callable[[], None]) -> None:
    """Call `restore` when the repair is done."""
    world.env.timeout(lasts_s).callbacks.append(lambda _: restore())


def take_out(
    world: World, racks: np.ndarray, cause: str, lasts_s: float, reach: str = SHARED,
    repair: Repair | None = None,
) -> None:
    """Take racks out of service, stop the loads on them, and bring them back after the repair.

    `reach` says whether it is their own failure or that of something they share; `repair` what it
    waits for, where that is not what is being inflicted.
    """
    held = world.state.racks.load[racks].copy()
    told = waits_for(world, lasts_s, repair)
    whole = np.full(racks.size, strikes.RACK)
    world.outages.note(racks, whole, world.env.now, lasts_s, cause, reach, told)
    membership.lose(world, racks, whole, lasts_s)
    for load in sorted(world.alarms):
        hit = racks[held == load]
        if hit.size:
            if reach == SHARED:
                world.struck.setdefault(load, (cause, world.env.now))
            world.alarm(load, Alarm(cause, hit, transient=False, planned=told.planned))
    if reach == SHARED and world.racks_lost is not None:
        world.racks_lost(held)


def servers_out(
    world: World, racks: np.ndarray, servers: np.ndarray, cause: str, lasts_s: float,
    repair: Repair | None = None, reach: str = OWN,
) -> None:
    """Take so many servers of some racks out of service until they are repaired; tells nobody."""
    told = waits_for(world, lasts_s, repair)
    world.outages.note(racks, servers, world.env.now, lasts_s, cause, reach, told)
    membership.lose(world, racks, servers, lasts_s)


def waits_for(world: World, lasts_s: float, repair: Repair | None = None) -> Repair:
    """Return what an outage waits for: as told, or as what is being inflicted, or a repair."""
    return repair or world.inflicted or of_one_stage("repair", world.env.now + lasts_s)


def lose(world: World, group: Hashable, lasts_s: float, unit: int = 0) -> bool:
    """Note that a unit of a group, told by its number, is out for some time; return whether it was in
    service until now. What hits a unit that is out can only keep it out for longer."""
    units = world.absent.setdefault(group, {})
    before_s, back_s = units.get(unit, -math.inf), world.env.now + lasts_s
    units[unit] = max(before_s, back_s)
    return before_s <= world.env.now


def when_back(
    world: World, group: Hashable, unit: int, lasts_s: float, restore: Callable[[], None]
) -> None:
    """Call `restore` when a unit that `lose` noted as out for `lasts_s` is back, also if something else
    keeps it out for longer."""

    def look() -> None:
        left_s = world.absent[group][unit] - world.env.now
        if left_s > 0.0:
            after(world, left_s, look)
        else:
            restore()

    after(world, lasts_s, look)


def absent(world: World, group: Hashable, at_s: float | None = None) -> int:
    """Return how many units of a group are out, now or at a later time as far as is known."""
    units = world.absent.get(group)
    if not units:
        return 0
    at_s = world.env.now if at_s is None else at_s
    return sum(back_s > at_s for back_s in units.values())


def is_out(world: World, group: Hashable, unit: int, at_s: float | None = None) -> bool:
    """Return whether a unit of a group is out, now or at a later time as far as is known."""
    return world.absent.get(group, {}).get(unit, -math.inf) > (world.env.now if at_s is None else at_s)


def out(world: World, group: Hashable, count: int, at_s: float | None = None) -> np.ndarray:
    """Return which of a group's units are out, as `is_out`: boolean (count,)."""
    if not world.absent.get(group):
        return np.zeros(count, np.bool_)
    return np.array([is_out(world, group, unit, at_s) for unit in range(count)])


def first_up(world: World, group: Hashable, count: int) -> int:
    """Return the number of the first of a group's units that is in service, of the last if none is."""
    units, now_s = world.absent.get(group, {}), world.env.now
    return next((unit for unit in range(count) if units.get(unit, -math.inf) <= now_s), count - 1)


def known_back_s(world: World) -> list[float]:
    """Return when units that are out come back, each time once, in order."""
    now_s = world.env.now
    return sorted({t for units in world.absent.values() for t in units.values() if t > now_s})
