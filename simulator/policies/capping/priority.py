"""Lowest priority first: slow a load down as far as it goes, then switch it off."""

from simulator.engine.capping import LoadView
from simulator.policies.capping._cut import by_priority, in_order


def decide(views: list[LoadView], demand_w: float, limit_w: float) -> list[float]:
    """Return a cap for each load: 1 free, below 1 slowed, 0 off.

    Two rounds over the loads, lowest priority first: caps take the excess from dynamic power, and
    what they cannot take is taken by switching loads off.
    """
    return in_order(views, demand_w, limit_w, by_priority(views))
