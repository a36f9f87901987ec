"""The repair of a failure: noticed, diagnosed, with a part, with a crew, done, back.

All of it is decided at the moment of the failure, in order of failures, so that an outage is one
interval that is known when it begins.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from simulator.kernels import calendar, crews, philox
from simulator.kernels.compiled import entry, inlined, shared

NOTICED, DIAGNOSED, PART, CREW, DONE, BACK = range(6)
TIMES = 6
"""Moments of a repair: noticed, culprit known, part at hand, crew at hand, work done, back."""
DETECTION_DRAW, HANG_DRAW, DIAGNOSIS_DRAW, RETURN_DRAW, EVICTION_DRAW = 3, 4, 5, 6, 7
"""What each draw of a failure is for; 1 and 2 decide its outcome (`kernels/failures.py`)."""
COUNT, RESETS, UNNOTICED_S, DIAGNOSIS_S, WAIT_PART_S, WAIT_CREW_S, WORK_S, BURN_IN_S = range(8)
SUMS = 8

Floats = np.ndarray
Ints = np.ndarray


class Shop(NamedTuple):
    """Practice, stock and promises, written by `book` alone."""

    # by failure class, (classes,)
    detection_s: Floats
    detection_spread: Floats
    hang_share: Floats
    diagnosis_s: Floats
    diagnosis_spread: Floats
    trade: Ints  # -1: needs nobody
    part: Ints  # -1: none
    work_s: Floats  # median, with crew and part at hand
    work_spread: Floats
    burn_in_s: Floats
    reset_s: Floats
    sums: Floats  # (classes, SUMS)
    # by part, (parts,)
    shelf: Floats  # (parts, most) heaps: when each unit in stock or on order is at hand
    stock: Ints
    lead_s: Floats
    demands: Ints
    stockouts: Ints  # demands that found no part
    returned: Ints  # parts taken out in which no fault was found
    # by group of crews, (groups,)
    group_trade: Ints
    crews: Ints
    tails: Floats  # (groups, most) when each crew has done all it promised
    gap_from: Floats  # (groups, GAPS)
    gap_to: Floats
    gaps: Ints
    shifts: Ints  # of a week; 0: round the clock
    opens_s: Floats  # (groups, 7) shifts of a week, from Monday 00:00
    closes_s: Floats
    jobs: Ints
    busy_s: Floats  # shift time at work before the end of the run
    # alike for all
    hang_s: float
    no_fault_found: float
    turnaround_s: float
    start_s: float  # of the run, since a Monday 00:00 of the campus's clock
    end_s: float  # of the run


def closed() -> Shop:
    """Return the shop of a scenario without `operations`: it knows no class, part or crew."""
    tables = ("sums", "shelf", "tails", "gap_from", "gap_to", "opens_s", "closes_s")
    whole = ("trade", "part", "stock", "demands", "stockouts", "returned", "group_trade", "crews",
             "gaps", "shifts", "jobs")  # fmt: skip
    columns: dict[str, Any] = {
        name: np.zeros(0, np.int64 if name in whole else float) for name in Shop._fields
    }
    alike = {name: 0.0 for name, kind in Shop.__annotations__.items() if kind is float}
    return Shop(**columns | dict.fromkeys(tables, np.zeros((0, 0))) | alike)


GAPS = 4096
"""Gaps that are remembered per group of crews; beyond them a crew that waits for its next
appointment counts as taken."""


@entry
def book(shop, cls, at_s, transient, spread, key, entity, times):
    """Plan the repair of a failure, promise crews and parts, and fill in its moments.

    Parameters
    ----------
    shop : Shop
    cls : int
    at_s : float
        Moment of the failure, s of the run.
    transient : bool
        A restart cures it: no crew, no part, no burn-in.
    spread : float
        Standard normal of the work's length.
    key : (int, int)
    entity : (int, int, int)
        Counter words of what failed and the how-manieth time; (-1, -1, -1) for the median of all.
    times : float64 (TIMES,)
        Receives the moments.
    """
    sums = shop.sums[cls]
    times[NOTICED] = at_s + _unnoticed_s(shop, cls, key, entity)
    sums[UNNOTICED_S] += times[NOTICED] - at_s
    if transient:
        times[DIAGNOSED:] = times[NOTICED] + shop.reset_s[cls]
        sums[RESETS] += 1.0
        return
    lasts_s = shop.diagnosis_s[cls] * math.exp(
        shop.diagnosis_spread[cls] * _normal(key, entity, DIAGNOSIS_DRAW)
    )
    times[DIAGNOSED] = times[NOTICED] + lasts_s
    times[PART] = _take_part(shop, cls, times[DIAGNOSED], _uniform(key, entity, RETURN_DRAW))
    times[CREW], times[DONE] = times[PART], times[PART]
    if shop.trade[cls] >= 0:
        work_s = shop.work_s[cls] * math.exp(shop.work_spread[cls] * spread)
        times[CREW], times[DONE] = _take_crew(shop, shop.trade[cls], at_s, times[PART], work_s)
    times[BACK] = times[DONE] + shop.burn_in_s[cls]
    sums[COUNT] += 1.0
    for k in range(1, TIMES):
        sums[DIAGNOSIS_S + k - 1] += times[k] - times[k - 1]


class AllIn(NamedTuple):
    """What a class says of its repairs as a whole; (classes,)."""

    reset_s: Floats
    repair_s: Floats  # median
    spread: Floats  # log-standard deviation


@entry
def all_in(lasts, cls, at_s, transient, spread, back_s):
    """Tell when failures are cured, or repaired after a lognormal time; all arrays (n,).

    `cls`, `at_s`, `transient` and `spread` are their classes, moments, whether a restart cures them
    and standard normals; `back_s` receives the answer.
    """
    for i in range(cls.size):
        c = cls[i]
        if transient[i]:
            back_s[i] = at_s[i] + lasts.reset_s[c]
        else:
            back_s[i] = at_s[i] + lasts.repair_s[c] * math.exp(lasts.spread[c] * spread[i])


@entry
def book_all(shop, cls, at_s, spread, key, times):
    """Plan the repairs of many failures that no restart cures, in order of time.

    Parameters
    ----------
    cls, at_s, spread : (n,)
    times : float64 (n, TIMES)
        Receives the moments of each.
    """
    for i in range(cls.size):
        book(shop, cls[i], at_s[i], False, spread[i], key, (0, 0, i), times[i])


@entry
def evicts(share, key, entity):
    """Tell whether healthy neighbours leave with what failed."""
    return _uniform(key, entity, EVICTION_DRAW) < share


@inlined
def _unnoticed_s(shop, cls, key, entity):
    median_s, spread = shop.detection_s[cls], shop.detection_spread[cls]
    if shop.hang_share[cls] > 0.0 and _uniform(key, entity, HANG_DRAW) < shop.hang_share[cls]:
        return shop.hang_s  # a timeout is as long as it is set
    return median_s * math.exp(spread * _normal(key, entity, DETECTION_DRAW))


@inlined
def _normal(key, entity, purpose):
    if entity[2] < 0:
        return 0.0
    return philox.normal(key[0], key[1], entity[0], entity[1], entity[2], purpose)


@inlined
def _uniform(key, entity, purpose):
    """Return a uniform draw; for the median of all what is likelier than not does not happen."""
    if entity[2] < 0:
        return 1.0
    return philox.uniform(key[0], key[1], entity[0], entity[1], entity[2], purpose)


@inlined
def _take_part(shop, cls, at_s, chance):
    """Take a part off the shelf and see to the next one; return when it is at hand.

    Base stock: every demand orders at once, or gets back what was taken out if no fault is found in
    it. The heap holds when each unit comes free, so the n-th demand waits for the n-th unit.
    """
    part = shop.part[cls]
    if part < 0:
        return at_s
    sound = chance < shop.no_fault_found
    next_s = at_s + (shop.turnaround_s if sound else shop.lead_s[part])
    n, found_s = shop.stock[part], next_s
    if n > 0 and shop.shelf[part, 0] < next_s:
        found_s = shop.shelf[part, 0]
        calendar.sink(shop.shelf, part, n, 0, next_s)
    shop.demands[part] += 1
    shop.returned[part] += sound
    shop.stockouts[part] += found_s > at_s
    return max(found_s, at_s)


@inlined
def _take_crew(shop, trade, now_s, ready_s, work_s):
    """Promise a crew of a trade, of the group that is done first; return when it begins and ends."""
    best, best_end_s, best_start, best_where = -1, math.inf, 0.0, 0
    for g in range(shop.crews.size):
        if shop.group_trade[g] != trade:
            continue
        start, where = crews.offer(
            shop.tails[g, : shop.crews[g]], shop.gap_from[g], shop.gap_to[g], shop.gaps[g],
            worked_s(shop, g, ready_s), work_s,
        )
        end_s = _clock(shop, g, start + work_s, False)
        if end_s < best_end_s:
            best, best_end_s, best_start, best_where = g, end_s, start, where
    g = best
    shop.gaps[g] = crews.accept(
        shop.tails[g, : shop.crews[g]], shop.gap_from[g], shop.gap_to[g], shop.gaps[g],
        worked_s(shop, g, now_s), best_start, work_s, best_where,
    )
    last = worked_s(shop, g, shop.end_s)
    shop.jobs[g] += 1
    shop.busy_s[g] += max(min(best_start + work_s, last) - min(best_start, last), 0.0)
    begin_s = max(_clock(shop, g, best_start, True), ready_s)
    return begin_s, max(best_end_s, begin_s)


@shared
def worked_s(shop, g, at_s):
    """Return the shift time of a group at a time of the run; round the clock they are the same."""
    n = shop.shifts[g]
    if n == 0:
        return at_s
    return crews.worked(shop.opens_s[g, :n], shop.closes_s[g, :n], shop.start_s + at_s)


@inlined
def _clock(shop, g, worked_s, begins):
    n = shop.shifts[g]
    if n == 0:
        return worked_s
    opens_s, closes_s = shop.opens_s[g, :n], shop.closes_s[g, :n]
    return crews.clock(opens_s, closes_s, worked_s, begins) - shop.start_s
