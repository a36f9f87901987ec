"""The shop's columns: what each class needs, what lies on each shelf, which crews are on duty.

Crews and stocks that the scenario does not count are sized for the demand that the fleet's hazards
imply, at the rates of its classes.
"""

import math
from datetime import datetime
from typing import Any

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.components.operations import DAY_S, Crews, Operations, Stock
from simulator.kernels import queueing
from simulator.kernels.columns import Hazards
from simulator.kernels.crews import WEEK_S
from simulator.kernels.repair import GAPS, SUMS, Shop

TRADES = ("it", "network", "mechanical", "electrical")
FALSE_ALARM = "false_alarm"
"""Cause of outages in which nothing failed."""
ON_SERVERS = ("server", "rack", "corrupt")
"""Effects on what runs jobs."""
SHIFTS = 8
"""Most shifts of a week: one a day, and the rest of one that runs into Monday."""


def columns_of(
    operations: Operations, classes: tuple[FailureClass, ...], rates_s: np.ndarray,
    start: datetime, end_s: float,
) -> Shop:
    """Return practice, stock and crews as columns.

    Parameters
    ----------
    rates_s : (classes,) repairs per second that crews and stocks are sized for
    start : of the run, by the campus's clock
    end_s : of the run
    """
    midnight_s = start.hour * 3600.0 + start.minute * 60.0 + start.second
    return Shop(
        **_by_class(operations, classes),
        **_by_part(operations, classes, rates_s),
        **_by_group(operations, classes, rates_s),
        hang_s=operations.monitoring.hang, no_fault_found=operations.returns.no_fault_found,
        turnaround_s=operations.returns.turnaround,
        start_s=start.weekday() * DAY_S + midnight_s, end_s=float(end_s),
    )


def permanent_rates_s(
    classes: tuple[FailureClass, ...], planned: tuple[FailureClass, ...], hazards: Hazards
) -> np.ndarray:
    """Return the failures per second of each class that no restart cures, of the whole fleet.

    `hazards` is built of `classes`; the rates are those of `planned`, the same classes before a
    replicate drew its own.
    """
    all_s = np.bincount(hazards.cls, weights=hazards.rate_s, minlength=len(classes))
    return np.array([
        rate_s * (1.0 - cls.transient) * (plan.rate / cls.rate if cls.rate > 0.0 else 0.0)
        for rate_s, cls, plan in zip(all_s, classes, planned, strict=True)
    ])  # fmt: skip


def mean_work_s(cls: FailureClass) -> float:
    """Return the mean time of a crew at a repair: that of a lognormal with this median."""
    median_s = cls.repair if cls.hands_on is None else cls.hands_on
    return median_s * math.exp(0.5 * cls.repair_spread**2)


def demand_s(part: str, classes: tuple[FailureClass, ...], rates_s: np.ndarray) -> float:
    """Return how many of a part the repairs take per second."""
    return float(sum(r for r, cls in zip(rates_s, classes, strict=True) if cls.part == part))


def _by_class(operations: Operations, classes: tuple[FailureClass, ...]) -> dict[str, Any]:
    parts = [stock.name for stock in operations.spares]
    watch = operations.monitoring

    def column(get: Any) -> np.ndarray:
        return np.array([float(get(cls)) for cls in classes])

    def whole(get: Any) -> np.ndarray:
        return np.array([get(cls) for cls in classes], dtype=np.int64)

    return {
        "detection_s": column(lambda c: c.detection or _noticed_after(operations, c)),
        "detection_spread": column(lambda c: c.detection_spread if c.detection else watch.spread),
        "hang_share": column(lambda c: watch.hang_share if _hangs(c) else 0.0),
        "diagnosis_s": column(lambda c: _diagnosis_s(operations, c)),
        "diagnosis_spread": column(
            lambda c: 0.0 if c.name == FALSE_ALARM else operations.diagnosis.spread
        ),
        "trade": whole(lambda c: -1 if c.name == FALSE_ALARM else TRADES.index(c.crew)),
        "part": whole(lambda c: -1 if c.part is None else parts.index(c.part)),
        "work_s": column(lambda c: c.repair if c.hands_on is None else c.hands_on),
        "work_spread": column(lambda c: c.repair_spread),
        "burn_in_s": column(lambda c: operations.burn_in if _burns_in(c) else 0.0),
        "reset_s": column(lambda c: c.reset),
        "sums": np.zeros((len(classes), SUMS)),
    }


def _noticed_after(operations: Operations, cls: FailureClass) -> float:
    """Return the median time until monitoring notices a failure of this class."""
    watch = operations.monitoring
    if cls.name == FALSE_ALARM:
        return 0.0
    return {"it": watch.crash, "network": watch.network}.get(cls.crew, watch.plant)


def _diagnosis_s(operations: Operations, cls: FailureClass) -> float:
    if cls.name == FALSE_ALARM:
        return operations.monitoring.test
    look = operations.diagnosis
    return look.automated if cls.crew in ("it", "network") else look.plant


def _hangs(cls: FailureClass) -> bool:
    """Return whether a failure can show itself by silence alone; one with a detection of its own and
    a false alarm do not."""
    affected = cls.effect in ON_SERVERS or cls.effect == "interrupt"
    return cls.crew == "it" and affected and not cls.detection and cls.name != FALSE_ALARM


def _burns_in(cls: FailureClass) -> bool:
    """Return whether a server got a new part, which is tested before work returns to it."""
    return cls.crew == "it" and cls.effect in ON_SERVERS and cls.part is not None


def _by_part(
    operations: Operations, classes: tuple[FailureClass, ...], rates_s: np.ndarray
) -> dict[str, Any]:
    held = [
        _stock(stock, demand_s(stock.name, classes, rates_s) * renewal_s(operations, stock))
        for stock in operations.spares
    ]
    n = len(held)
    shelf = np.zeros((n, max([*held, 1])))
    for row, (stock, count) in enumerate(zip(operations.spares, held, strict=True)):
        if stock.on_hand is not None:
            shelf[row, stock.on_hand : count] = stock.lead_time
    return {
        "shelf": shelf, "stock": np.array(held, np.int64),
        "lead_s": np.array([stock.lead_time for stock in operations.spares]),
        "demands": np.zeros(n, np.int64), "stockouts": np.zeros(n, np.int64),
        "returned": np.zeros(n, np.int64),
    }


def renewal_s(operations: Operations, stock: Stock) -> float:
    """Return the mean time from taking a part to having the next: the lead time, or the turnaround
    of one that is sent back sound. Only this mean counts for what is on order (Palm)."""
    sound = operations.returns.no_fault_found
    return sound * operations.returns.turnaround + (1.0 - sound) * stock.lead_time


def _stock(stock: Stock, on_order: float) -> int:
    """Return the base stock, given or sized for the mean number on order."""
    if stock.stock is not None:
        return stock.stock
    assert stock.fill_rate is not None
    return queueing.stock_for_fill_rate(on_order, stock.fill_rate)


def _by_group(
    operations: Operations, classes: tuple[FailureClass, ...], rates_s: np.ndarray
) -> dict[str, Any]:
    groups = operations.crews
    number = [_number(group, operations, classes, rates_s) for group in groups]
    n = len(groups)
    opens_s, closes_s = np.zeros((n, SHIFTS)), np.zeros((n, SHIFTS))
    shifts = np.zeros(n, np.int64)
    for g, group in enumerate(groups):
        if open_frac(group) < 1.0:
            kept = group.shifts()
            shifts[g] = len(kept)
            opens_s[g, : len(kept)], closes_s[g, : len(kept)] = np.transpose(kept)
    return {
        "group_trade": np.array([TRADES.index(group.trade) for group in groups], np.int64),
        "crews": np.array(number, np.int64), "tails": np.full((n, max([*number, 1])), -np.inf),
        "gap_from": np.zeros((n, GAPS)), "gap_to": np.zeros((n, GAPS)),
        "gaps": np.zeros(n, np.int64), "shifts": shifts, "opens_s": opens_s, "closes_s": closes_s,
        "jobs": np.zeros(n, np.int64), "busy_s": np.zeros(n),
    }


def open_frac(group: Crews) -> float:
    """Return the share of the week that a group is on duty."""
    return sum(closes - opens for opens, closes in group.shifts()) / WEEK_S


def _number(
    group: Crews, operations: Operations, classes: tuple[FailureClass, ...], rates_s: np.ndarray
) -> int:
    """Return how many crews are on duty, given or sized for the group's part of its trade's work.

    Groups of one trade share the work by the time they are on duty.
    """
    if group.number is not None:
        return group.number
    assert group.wait is not None
    mine = [(r, mean_work_s(c)) for r, c in zip(rates_s, classes, strict=True)
            if c.crew == group.trade and c.name != FALSE_ALARM]
    together = sum(open_frac(g) for g in operations.crews if g.trade == group.trade)
    arrivals_s = sum(rate for rate, _ in mine)
    if arrivals_s == 0.0:
        return 1
    work_s = sum(rate * work for rate, work in mine) / arrivals_s
    return queueing.servers_for_wait(arrivals_s / together, work_s, group.wait)
