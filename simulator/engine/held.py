"""Racks that were switched off and are held back, for an inspection or for want of power, until they may start."""

from collections.abc import Callable

import numpy as np

from simulator.engine import outage, power_loss
from simulator.engine.outage_log import of_one_stage
from simulator.engine.world import World

AHEAD_S = 1.0
"""So long before racks would start it is looked whether they may."""


def hold(world: World, racks: np.ndarray, cause: str, lasts_s: float, look: Callable[[], None]) -> None:
    """Keep racks out for a time; `look`, at its end, holds them anew or lets them start."""
    outage.take_out(world, racks, cause, lasts_s, repair=of_one_stage("trip", world.env.now + lasts_s))
    outage.after(world, lasts_s - AHEAD_S, look)


def start(world: World, racks: np.ndarray, cause: str) -> None:
    """Let racks start by the one rule of what had no power."""
    power_loss.take_out(world, racks, cause, AHEAD_S, of_one_stage("trip", world.env.now + AHEAD_S))
