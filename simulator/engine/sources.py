"""What can be drawn: from generators and the battery on site, and from the grid as fast as power may rise."""

import math

import numpy as np

from simulator.engine import generators
from simulator.engine.world import World
from simulator.kernels.site_step import STEP_S


def on_site_w(world: World, at_s: float | None = None) -> float:
    """Return what generators and the battery carry in the next step, or are foreseen to at a time."""
    there = world.state.supply
    stored_w = float(there.battery_j[0]) * there.battery_efficiency / STEP_S
    ready_w = generators.carries_w(world) if at_s is None else generators.bus_w(world, at_s)
    return ready_w + min(float(there.battery_power_w[0]), stored_w)


def carry_w(world: World, at_s: float | None = None) -> float:
    """Return what all sources carry, now or at a time: no more than on site and the ramp of the return allow,
    endless where something is imported without one."""
    if not generators.imports(world, at_s):
        return on_site_w(world, at_s)
    return on_site_w(world, at_s) + ramped_w(world, at_s)


def ramped_w(world: World, at_s: float | None = None) -> float:
    """Return what may be imported, now or at a time at which something can be: endless unless the return is
    held by `topology.ride_through.ramp`."""
    ramp_w_s, now_s = world.site.topology.ride_through.ramp, world.env.now
    if world.back_w is not None and ramp_w_s is not None:
        return world.back_w + ramp_w_s * max((at_s or now_s) - now_s, 0.0)
    if generators.imports(world) or ramp_w_s is None:
        return math.inf
    return ramp_w_s * max((at_s or now_s) - now_s - generators.until_import_s(world), 0.0)


def ramp_takes_s(world: World, needs_w: np.ndarray) -> np.ndarray:
    """Return how long after import is back, or from now on, sources carry so much as the ramp lets them."""
    ramp_w_s = world.site.topology.ride_through.ramp
    if ramp_w_s is None:
        return np.zeros(needs_w.shape)
    return np.maximum(needs_w - on_site_w(world) - (world.back_w or 0.0), 0.0) / ramp_w_s
