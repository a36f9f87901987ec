"""Which load each rack belongs to, and how much of it is in service."""

import numpy as np

from simulator.engine.world import World
from simulator.kernels.rack_moves import find_racks, move_racks
from simulator.kernels.strikes import lose_servers


def assign(world: World, racks: np.ndarray, load: int) -> None:
    """Move racks to a load as they are."""
    if racks.size:
        to_load = np.full(racks.size, load, np.int64)
        _move(world, racks, to_load, world.state.racks.up_frac[racks])


def release(world: World, racks: np.ndarray) -> None:
    """Move racks to the idle load of their chip and wake whoever waits."""
    if racks.size:
        _move(world, racks, world.state.idle_load[racks], world.state.racks.up_frac[racks])
        world.wake_waiting()


def lose(world: World, racks: np.ndarray, servers: np.ndarray, lasts_s: float) -> None:
    """Take so many servers of each of some racks (`strikes.RACK`: all of it) out of service, and
    bring them back after `lasts_s`."""
    state, site = world.state, world.site
    now_s = float(world.env.now)
    wear = (state.servers_down, site.rack_servers, state.out, state.down_load)
    arguments = (
        racks, servers, now_s, now_s + lasts_s, state.queue, site.rows, state.racks, state.loads, wear
    )
    world.entry(lose_servers, *arguments)(*arguments)


def members(world: World, load: int) -> np.ndarray:
    """Return the racks of a load."""
    only = np.zeros(len(world.state.names), np.bool_)
    only[load] = True
    return _find(world, only, 0.0)


def healthy(world: World, chip: int, kinds: tuple[str, ...]) -> np.ndarray:
    """Return the racks of a chip, wholly in service, in loads of these kinds."""
    return _find(world, world.state.of_kinds(chip, kinds), 1.0)


def usable(world: World, chip: int, kinds: tuple[str, ...]) -> np.ndarray:
    """Return the racks of a chip with anything in service, in loads of these kinds."""
    return _find(world, world.state.of_kinds(chip, kinds), 1e-9)


def _find(world: World, wanted: np.ndarray, least_up: float) -> np.ndarray:
    rows, racks = world.site.rows, world.state.racks
    arguments = (
        rows.start, rows.stop, racks.row_load, racks.load, racks.up_frac, wanted, least_up
    )
    found: np.ndarray = world.entry(find_racks, *arguments)(*arguments)
    return found


def _move(world: World, racks: np.ndarray, to_load: np.ndarray, up: np.ndarray) -> None:
    state = world.state
    arguments = (
        racks, to_load, up, float(world.env.now), world.site.rows, state.racks, state.loads,
        state.down_load,
    )
    world.entry(move_racks, *arguments)(*arguments)
