"""Enough replicas that the busiest moment ahead stays at a target load."""

import math

from simulator.policies.pool_view import PoolView


def replicas(view: PoolView) -> int:
    """Return replicas for the largest rate expected; demand is known two hours ahead."""
    return math.ceil(view.ahead_per_s / (view.capacity_per_s * view.target_load) - 1e-9)
