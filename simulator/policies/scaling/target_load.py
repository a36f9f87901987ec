"""Enough replicas that the busiest moment ahead stays at a target load."""

import math


def replicas(
    peak_rate_per_s: float, capacity_per_s: float, target_load: float, least: int, most: int
) -> int:
    """Return replicas for `peak_rate_per_s`, within the pool's bounds.

    Parameters
    ----------
    peak_rate_per_s : expected largest request rate until the next decision
    capacity_per_s : what one replica sustains
    target_load : rate over capacity aimed at
    """
    wanted = math.ceil(peak_rate_per_s / (capacity_per_s * target_load) - 1e-9)
    return min(max(wanted, least), most)
