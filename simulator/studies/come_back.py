"""How racks that lost power come back: what they draw in turn, and how fast that may rise."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

import numpy as np

from simulator.engine.starting import RESTARTS
from simulator.simulation import Run

Span = tuple[float, float]
"""Begin and end of a rise, s."""


def restarts_s(run: Run) -> np.ndarray:
    """Return how long the work of each load takes from when its racks have booted, as the engine has it:
    (loads,)."""
    told = run.world.site.topology.ride_through
    found = np.array([told.restart if kind in RESTARTS else 0.0 for kind in run.world.state.kinds])
    for job in run.work.jobs:
        found[job.load] = job.recovering.after_power_loss_s()
    return found


def in_line(
    parts: Sequence[Sequence[tuple[float, float]]], ready_s: Sequence[float], ramp_w_s: float
) -> tuple[list[list[Span]], list[tuple[float, float]]]:
    """Let loads take a ramp of W/s one after another; return when each part of each rises, and the corners
    (s, W) of their power.

    Parameters
    ----------
    parts : for each load, the first in line first, its steps in W, and each step's wait in s after the one
        before is over, or the load has voltage; a step down waits for nobody
    ready_s : when each has voltage
    """
    spans: list[list[Span]] = [[] for _ in parts]
    later = [(ready_s[place] + steps[0][0], place, 0) for place, steps in enumerate(parts)]
    heapify(later)
    ready: list[tuple[int, int]] = []
    now_s, power_w = min(ready_s), 0.0
    corners = [(now_s, power_w)]

    def follow(place: int, k: int, span: Span) -> None:
        spans[place].append(span)
        corners.append((now_s, power_w))
        if k + 1 < len(parts[place]):
            heappush(later, (span[1] + parts[place][k + 1][0], place, k + 1))

    while ready or later:
        if not ready and later[0][0] > now_s:
            now_s = later[0][0]
            corners.append((now_s, power_w))
        while later and later[0][0] <= now_s:
            at_s, place, k = heappop(later)
            if parts[place][k][1] > 0.0:
                heappush(ready, (place, k))
                continue
            power_w += parts[place][k][1]
            follow(place, k, (at_s, at_s))
        if ready:
            place, k = heappop(ready)
            begins_s, step_w = now_s, parts[place][k][1]
            now_s, power_w = now_s + step_w / ramp_w_s, power_w + step_w
            follow(place, k, (begins_s, now_s))
    return spans, corners
