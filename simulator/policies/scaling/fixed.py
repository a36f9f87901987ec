"""All the replicas a pool may hold, all the time."""

from simulator.policies.pool_view import PoolView


def replicas(view: PoolView) -> int:
    """Return as many as the pool may have."""
    return view.most
