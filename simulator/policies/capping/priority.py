"""Lowest priority first: slow a load down as far as it goes, then switch it off."""

from simulator.engine.power import LoadView

FLOOR = 0.05
"""Lowest cap on dynamic power before a load is switched off instead."""


def decide(views: list[LoadView], demand_w: float, limit_w: float) -> list[float]:
    """Return a cap for each load: 1 free, below 1 slowed, 0 off.

    Two rounds over the loads, lowest priority first: caps take the excess from dynamic power, and
    what they cannot take is taken by switching loads off. A load that is off comes back only when
    its idle power and a tenth of its dynamic power fit, so that it does not blink.
    """
    excess_w = demand_w - limit_w
    for view in views:
        excess_w += view.dynamic_w * (1.0 - view.cap) if view.on else view.idle_w + view.dynamic_w
    order = sorted(range(len(views)), key=lambda i: (views[i].priority, views[i].load))
    caps = [1.0] * len(views)
    for i in order:
        taken_w = min(max(excess_w, 0.0), views[i].dynamic_w * (1.0 - FLOOR))
        if taken_w > 0.0:
            caps[i] = 1.0 - taken_w / views[i].dynamic_w
            excess_w -= taken_w
    for i in order:
        view = views[i]
        slack_w = 0.0 if view.on else 0.1 * view.dynamic_w
        if excess_w + slack_w > 1.0:
            excess_w -= view.idle_w + view.dynamic_w * caps[i]
            caps[i] = 0.0
    return caps
