"""Enough replicas for what arrives now: no forecast, up at once, down only where it is worth it."""

import math

from simulator.policies.pool_view import PoolView

# A pool hands replicas back when it needs less than this share of them (the tolerance of the
# Kubernetes autoscaler is 0.1). Vendor.
DOWN_BELOW = 0.9


def replicas(view: PoolView) -> int:
    """Return replicas that hold the last minute's arrivals at the target load, and work off the
    queue by the next decision."""
    backlog_per_s = view.queue / view.every_s
    rate_per_s = view.arrivals_per_s / view.target_load + backlog_per_s
    wanted = math.ceil(rate_per_s / view.capacity_per_s - 1e-9)
    if DOWN_BELOW * view.replicas < wanted < view.replicas:
        return view.replicas
    return wanted
