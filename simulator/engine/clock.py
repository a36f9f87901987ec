"""The hybrid clock: SimPy carries decisions, the kernel carries everything between them."""

import gc
from collections.abc import Callable

import simpy

from simulator.engine.physics import Physics


def run(
    env: simpy.Environment, physics: Physics, end_s: float,
    progress: Callable[[float], None] | None = None,
) -> None:
    """Run to `end_s`. Before each event the physics is brought up to it; if that makes an earlier
    event fall due, the earlier one goes first. `progress` is told the time once a simulated day.

    The cyclic garbage collector is off meanwhile: it would walk the growing event log over and over
    (a tenth of the run), and events leave no cycles behind.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        _run(env, physics, end_s, progress)
    finally:
        if collecting:
            gc.enable()


def _run(
    env: simpy.Environment, physics: Physics, end_s: float,
    progress: Callable[[float], None] | None,
) -> None:
    reported_s = 0.0
    while True:
        until_s = min(env.peek(), end_s)
        physics.advance(until_s)
        if env.peek() < until_s:
            continue
        if until_s >= end_s:
            return
        env.step()
        if progress is not None and env.now - reported_s >= 86_400.0:
            reported_s = env.now
            progress(env.now)
