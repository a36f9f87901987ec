"""How long a dark campus takes to come back when its power may rise only so fast.

Everything waits in one line for ramp: first what keeps a hall alive (support racks, pumps, plants,
lights), then racks by priority, each in two parts: to idle, and, when they have booted and their work
runs again, to what they drew. Power rises at the limit whenever something is ready.
"""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
import pandas as pd

from simulator.components.power.ride_through import RideThrough
from simulator.studies.ride_through import Load

FIRST = {"support": 0, "pumps": 1, "machines": 2, "house": 3}
"""Order of what is not racks; those come after, the highest priority first."""


@dataclass(frozen=True)
class Restart:
    """Tables: per load when it is on and when its work runs again, and the power over time."""

    loads: pd.DataFrame
    course: pd.DataFrame
    whole_s: float
    not_drawn_j: float
    """Against drawing all of it from the start."""
    accelerator_s: float
    """Accelerator-seconds until work runs again."""


def study(loads: list[Load], ramp_w_s: float, told: RideThrough) -> Restart:
    """Return the restart of these loads under a ramp limit in W/s."""
    if ramp_w_s <= 0.0:
        raise ValueError("a campus that may not ramp never comes back")
    order = sorted(range(len(loads)), key=lambda i: _rank(loads[i]))
    on_s, whole_s, steps = _line(loads, order, ramp_w_s, told.boot + told.restart)
    times, power = zip(*steps, strict=True)
    rows = [
        {"element": x.element, "kind": x.kind, "work": x.work, "class": x.group, "power_w": x.power_w,
         "on_s": on_s[i], "back_s": whole_s[i]}
        for i, x in ((i, loads[i]) for i in order)
    ]  # fmt: skip
    end_s = max(whole_s)
    total_w = sum(x.power_w for x in loads)
    missing_j = total_w * end_s - float(np.trapezoid(power, times))
    waited_s = sum(x.accelerators * whole_s[i] for i, x in enumerate(loads) if x.work)
    course = pd.DataFrame({"time_s": times, "power_w": power})
    return Restart(pd.DataFrame(rows), course, end_s, missing_j, waited_s)


def _rank(load: Load) -> tuple[int, int, str, str]:
    return FIRST.get(load.kind, len(FIRST)), -load.priority, load.element, load.work


def _line(
    loads: list[Load], order: list[int], ramp_w_s: float, delay_s: float
) -> tuple[list[float], list[float], list[tuple[float, float]]]:
    """Let parts take the ramp one after another; return when each load is on, when it is whole, and
    the corners of the power."""
    on_s, whole_s = [0.0] * len(loads), [0.0] * len(loads)
    ready = [(place, i, False) for place, i in enumerate(order)]
    heapify(ready)
    later: list[tuple[float, int, int]] = []
    now_s, power_w, corners = 0.0, 0.0, [(0.0, 0.0)]
    while ready or later:
        if not ready:
            now_s = max(now_s, later[0][0])
            corners.append((now_s, power_w))
        while later and later[0][0] <= now_s:
            _, place, i = heappop(later)
            heappush(ready, (place, i, True))
        place, i, second = heappop(ready)
        idle_w = loads[i].idle_share * loads[i].power_w if loads[i].kind == "racks" else loads[i].power_w
        part_w = loads[i].power_w - idle_w if second else idle_w
        now_s, power_w = now_s + part_w / ramp_w_s, power_w + part_w
        corners.append((now_s, power_w))
        if second or loads[i].kind != "racks":
            whole_s[i] = now_s
            on_s[i] = on_s[i] or now_s
        else:
            on_s[i] = now_s
            heappush(later, (now_s + delay_s, place, i))
    return on_s, whole_s, corners
