"""All loads alike: the same share of everybody's dynamic power, whatever their priority."""

from simulator.engine.capping import FLOOR, LoadView
from simulator.policies.capping._cut import by_priority, excess_w, switched_off


def decide(views: list[LoadView], demand_w: float, limit_w: float) -> list[float]:
    """Return a cap for each load: 1 free, below 1 slowed, 0 off; off goes the lowest priority
    first."""
    beyond_w = excess_w(views, demand_w, limit_w)
    dynamic_w = sum(view.dynamic_w for view in views)
    cut = min(max(beyond_w, 0.0) / dynamic_w, 1.0 - FLOOR) if dynamic_w > 0.0 else 0.0
    caps = [1.0 - cut] * len(views)
    return switched_off(views, caps, beyond_w - cut * dynamic_w, by_priority(views))
