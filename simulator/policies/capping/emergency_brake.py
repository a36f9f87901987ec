"""All or nothing: whoever is above the limit brings every load to its lowest power."""

from simulator.engine.capping import FLOOR, LoadView
from simulator.policies.capping._cut import by_priority, excess_w, switched_off


def decide(views: list[LoadView], demand_w: float, limit_w: float) -> list[float]:
    """Return a cap for each load: 1 free, the lowest there is, 0 off. The brake is released when
    what all draw without it fits: what a row has that only its power brake protects."""
    beyond_w = excess_w(views, demand_w, limit_w)
    if beyond_w <= 0.0:
        return [1.0] * len(views)
    saved_w = sum(view.dynamic_w for view in views) * (1.0 - FLOOR)
    return switched_off(views, [FLOOR] * len(views), beyond_w - saved_w, by_priority(views))
