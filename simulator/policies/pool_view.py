"""A served model as a scaling policy sees it."""

from collections.abc import Mapping
from typing import NamedTuple


class PoolView(NamedTuple):
    """One pool at a decision; rates and queue in requests of its reference lengths."""

    capacity_per_s: float
    """What one replica sustains at full clock."""
    replicas: int
    """Held now, those that still load their weights included."""
    most: int
    arrivals_per_s: float
    """Mean rate of the last minute."""
    ahead_per_s: float
    """Largest expected rate until two hours ahead."""
    queue: float
    """Waiting now."""
    every_s: float
    """Time to the next decision."""
    target_load: float
    """Rate over capacity to aim at."""
    hour_of_day: int
    """Local."""
    schedule: Mapping[int, int]
    """Replicas from an hour of day on, where the scenario names them."""
