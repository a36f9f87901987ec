"""How long a dark campus takes to come back when its power may rise only so fast.

Everything waits in one line for ramp: first what keeps a hall alive (support racks, pumps, plants,
lights), then racks by priority, each in parts: as they boot, at rest, and, when their work runs again, to
what they drew. Power rises at the limit whenever something is ready.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulator.components.power.ride_through import RideThrough
from simulator.studies.come_back import in_line
from simulator.studies.ride_through import Load, parts_of, rank


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
    order = sorted(loads, key=rank)
    parts = [parts_of(load, told) for load in order]
    spans, steps = in_line(parts, [0.0] * len(order), ramp_w_s)
    times, power = zip(*steps, strict=True)
    rows = [
        {"element": x.element, "kind": x.kind, "work": x.work, "class": x.group, "power_w": x.power_w,
         "on_s": rises[0][1], "back_s": rises[-1][1]}
        for x, rises in zip(order, spans, strict=True)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    end_s = float(table["back_s"].max())
    total_w = sum(x.power_w for x in loads)
    missing_j = total_w * end_s - float(np.trapezoid(power, times))
    waited_s = sum(x.accelerators * rises[-1][1] for x, rises in zip(order, spans, strict=True) if x.work)
    course = pd.DataFrame({"time_s": times, "power_w": power})
    return Restart(table, course, end_s, missing_j, waited_s)
