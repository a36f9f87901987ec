"""Things out of service until they are repaired: racks, and units that stand in for each other."""

from collections.abc import Callable, Hashable

import numpy as np

from simulator.engine import membership
from simulator.engine.alarm import Alarm
from simulator.engine.world import World


def after(world: World, lasts_s: float, restore: Callable[[], None]) -> None:
    """Call `restore` when the repair is done."""
    world.env.timeout(lasts_s).callbacks.append(lambda _: restore())


def take_out(world: World, racks: np.ndarray, cause: str, lasts_s: float) -> None:
    """Take racks out of service, stop the loads on them, and bring them back after the repair."""
    held = world.state.racks.load[racks].copy()
    loads = np.unique(held)

    def restore() -> None:
        world.state.out[racks] -= 1
        membership.refresh(world, racks)
        world.wake_waiting()

    world.state.out[racks] += 1
    membership.refresh(world, racks)
    for load in loads:
        hit = racks[held == load]
        world.alarm(int(load), Alarm(cause, hit, transient=False))
    after(world, lasts_s, restore)


def servers_out(world: World, racks: np.ndarray, servers: np.ndarray, lasts_s: float) -> None:
    """Take so many servers of some racks out of service until they are repaired."""

    def restore() -> None:
        world.state.servers_down[racks] -= servers
        membership.refresh(world, racks)
        world.wake_waiting()

    world.state.servers_down[racks] += servers
    membership.refresh(world, racks)
    after(world, lasts_s, restore)


def lose(world: World, group: Hashable, lasts_s: float) -> None:
    """Note that a unit of a group is out for some time."""
    world.absent.setdefault(group, []).append(world.env.now + lasts_s)


def absent(world: World, group: Hashable, at_s: float | None = None) -> int:
    """Return how many units of a group are out, now or at a later time as far as is known."""
    at_s = world.env.now if at_s is None else at_s
    return sum(back_s > at_s for back_s in world.absent.get(group, ()))


def first_back_s(world: World, group: Hashable) -> float:
    """Return the time until the first of the units that are out is back."""
    now_s = world.env.now
    return min(back_s for back_s in world.absent[group] if back_s > now_s) - now_s
