"""UPS of lineups and batteries of racks that carry what is behind them while the supply above is out.

Each has a charge of its own from the moment it is called upon until it is full again. When it is
empty is foretold from what it carries, and looked up again at that time.
"""

from collections.abc import Callable
from functools import partial

from simulator.engine import outage
from simulator.engine.world import World
from simulator.kernels.site_step import STEP_S

NEARLY_EMPTY_S = 1.0
"""Time left to carry its load at which a battery counts as empty; also the least time between looks."""

LEAST_W = 1e-9
"""Draw that stands for none."""

Empty = Callable[[], object]
"""Called when a battery has nothing left."""


def carries(world: World, row: int) -> bool:
    """Return whether a battery carries its load now."""
    return row >= 0 and bool(world.state.supply.bridge.following[row])


def charged(world: World, row: int) -> bool:
    """Return whether a battery has anything to give."""
    bridge, supply = world.state.supply.bridge, world.state.supply
    if row < 0 or bridge.full_j[row] <= 0.0:
        return False
    if bridge.own[row]:
        return _left_s(world, row) > NEARLY_EMPTY_S
    return bool((supply.ride_through_j if row < bridge.ups else supply.backup.charge_j)[0] > 0.0)


def begin(world: World, row: int, load_w: float, name: str, cause: str, empty: Empty) -> None:
    """Let a battery carry a load of so many watts from now on; `empty` is called when it cannot any
    more."""
    take_share(world, row)
    engage(world, row)
    world.state.supply.bridge.wanted_w[row] = load_w
    world.bridged_s[row] = world.env.now
    lasts_s = _left_s(world, row)
    world.log("on_battery", name, cause, lasts_s, f"{load_w / 1e3:.1f} kW")
    _look_after(world, row, lasts_s, (world.env.now, name, empty))


def end(world: World, row: int, name: str, cause: str) -> None:
    """Let a battery rest: its load is fed again, or dark."""
    release(world, row)
    world.log("battery_rests", name, cause)


def engage(world: World, row: int) -> None:
    """Let a battery, or the generators of a lineup, carry its load from now on."""
    bridge, into_s = world.state.supply.bridge, world.env.now % STEP_S
    bridge.share[row] = min(bridge.share[row] + 1.0 - into_s / STEP_S, 1.0)
    bridge.following[row] = 1.0


def release(world: World, row: int) -> None:
    """Let it carry nothing from now on."""
    bridge, into_s = world.state.supply.bridge, world.env.now % STEP_S
    bridge.share[row] = max(bridge.share[row] - (1.0 - into_s / STEP_S), 0.0)
    bridge.following[row] = 0.0


def take_share(world: World, row: int) -> None:
    """Give a battery its share of the common charge as its own."""
    supply, bridge = world.state.supply, world.state.supply.bridge
    if bridge.own[row]:
        return
    ups, backup = row < bridge.ups, supply.backup
    charge, capacity = (
        (supply.ride_through_j, supply.ride_through_capacity_j) if ups
        else (backup.charge_j, backup.capacity_j)
    )
    share = min(float(bridge.full_j[row] / capacity[0]), 1.0) if capacity[0] > 0.0 else 0.0
    bridge.charge_j[row] = share * charge[0]
    charge[0] -= bridge.charge_j[row]
    capacity[0] = max(capacity[0] - bridge.full_j[row], 0.0)
    if ups:
        supply.ride_recharge_w[0] = max(supply.ride_recharge_w[0] - bridge.recharge_w[row], 0.0)
    bridge.own[row] = 1
    bridge.owned[0] += 1


def _left_s(world: World, row: int) -> float:
    """Return how long the charge carries the load from now on. What was taken since the last whole step
    is not out of it yet."""
    bridge, into_s = world.state.supply.bridge, world.env.now % STEP_S
    draw_w = max(float(bridge.wanted_w[row]), LEAST_W) / float(bridge.one_way[row])
    taken = float(bridge.share[row]) - float(bridge.following[row]) * (1.0 - into_s / STEP_S)
    return max(float(bridge.charge_j[row]) / draw_w - taken * STEP_S, 0.0)


def _look_after(world: World, row: int, lasts_s: float, told: tuple[float, str, Empty]) -> None:
    outage.after(world, max(lasts_s, NEARLY_EMPTY_S), partial(_look, world, row, told))


def _look(world: World, row: int, told: tuple[float, str, Empty]) -> None:
    """See whether a battery is empty, unless it rested since it was called upon."""
    since_s, name, empty = told
    if not carries(world, row) or world.bridged_s[row] != since_s:
        return
    left_s = _left_s(world, row)
    if left_s > NEARLY_EMPTY_S:
        _look_after(world, row, left_s, told)
        return
    end(world, row, name, "empty")
    empty()
