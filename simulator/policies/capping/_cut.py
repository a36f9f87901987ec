"""What the policies share: cut loads one after the other, then switch off what cuts cannot save."""

from collections.abc import Sequence

from simulator.engine.capping import FLOOR, LoadView

BACK = 0.1
"""Share of its dynamic power that must fit before a load that is off comes back."""


def excess_w(views: list[LoadView], demand_w: float, limit_w: float) -> float:
    """Return what all loads together would draw beyond the limit, free of caps and switched on."""
    beyond_w = demand_w - limit_w
    for view in views:
        beyond_w += view.dynamic_w * (1.0 - view.cap) if view.on else view.idle_w + view.dynamic_w
    return beyond_w


def by_priority(views: list[LoadView]) -> list[int]:
    """Return the loads, lowest priority first."""
    return sorted(range(len(views)), key=lambda i: (views[i].priority, views[i].load))


def in_order(
    views: list[LoadView], demand_w: float, limit_w: float, order: Sequence[int]
) -> list[float]:
    """Return caps that cut each load as far as it goes before the next one is touched, and then
    switch loads off in the same order."""
    beyond_w = excess_w(views, demand_w, limit_w)
    caps = [1.0] * len(views)
    for i in order:
        taken_w = min(max(beyond_w, 0.0), views[i].dynamic_w * (1.0 - FLOOR))
        if taken_w > 0.0:
            caps[i] = 1.0 - taken_w / views[i].dynamic_w
            beyond_w -= taken_w
    return switched_off(views, caps, beyond_w, order)


def switched_off(
    views: list[LoadView], caps: list[float], beyond_w: float, order: Sequence[int]
) -> list[float]:
    """Return the caps with as many loads off as what is left above the limit asks for. A load that
    is off comes back, capped if need be, only when its idle power and twice a tenth of its dynamic
    power fit: one that it draws and one that stays free, so that it does not blink."""
    for i in order:
        view = views[i]
        wanted_w = beyond_w if view.on else beyond_w + BACK * view.dynamic_w
        if wanted_w <= 1.0:
            continue
        if not view.on and wanted_w <= (caps[i] - BACK) * view.dynamic_w:
            caps[i] -= wanted_w / view.dynamic_w
            beyond_w -= wanted_w
            continue
        beyond_w -= view.idle_w + view.dynamic_w * caps[i]
        caps[i] = 0.0
    return caps
