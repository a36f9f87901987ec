"""The failure front: competing hazards of the whole fleet over one window."""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from simulator.kernels import philox

Floats = np.ndarray


@njit(cache=True)
def draw(
    hazards, up_frac, junction_c, key0, key1, start_s, window_s, ageing, found_s, found, found_k
):
    """Find every failure of the fleet in one window.

    Each entity (a class on one rack or one plant unit) carries a budget of cumulative hazard, unit
    exponential, drawn from its own stream; it fails when the hazard it has been exposed to uses the
    budget up, and then draws the next. Time to failure is thereby exact for any hazard that is
    constant inside a window: rate x units in service x 2^((T - T_ref)/doubling) x ageing, the
    last factor (age/age_ref)^(shape-1), a Weibull under minimal repair.

    Parameters
    ----------
    hazards : Hazards
        Columns of the entities.
    up_frac, junction_c : float64 (racks,)
        Share in service and junction temperature of each rack at the window's start.
    ageing : float64 (classes,)
    found_s, found, found_k : float64, int64, int64 (capacity,)
        Filled with failure times, entities, and the how-manieth of its entity each is, in order of
        time.

    Returns
    -------
    int
        Number found; above `found.size` the excess is lost, so give the arrays room.
    """
    n, end_s = 0, start_s + window_s
    for e in range(hazards.rate_s.size):
        rate_s = hazards.rate_s[e] * ageing[hazards.cls[e]]
        rack = hazards.rack[e]
        if rack >= 0:
            rate_s *= up_frac[rack]
            if hazards.doubling_k[e] > 0.0:
                above_k = junction_c[rack] - hazards.reference_c[e]
                rate_s *= math.exp(0.6931471805599453 * above_k / hazards.doubling_k[e])
        budget = hazards.budget[e] - rate_s * window_s
        if budget > 0.0 or rate_s == 0.0:
            hazards.budget[e] = budget
            continue
        at_s = start_s + hazards.budget[e] / rate_s
        while at_s < end_s:
            hazards.drawn[e] += 1
            if n < found.size:
                found_s[n] = at_s
                found[n] = e
                found_k[n] = hazards.drawn[e]
            n += 1
            fresh = philox.exponential(
                key0, key1, hazards.word[e], hazards.unit[e], hazards.drawn[e], 0
            )
            hazards.budget[e] = fresh
            at_s += fresh / rate_s
        hazards.budget[e] = (at_s - end_s) * rate_s
    kept = min(n, found.size)
    order = np.argsort(found_s[:kept], kind="mergesort")
    found_s[:kept] = found_s[:kept][order]
    found[:kept] = found[:kept][order]
    found_k[:kept] = found_k[:kept][order]
    return n


@njit(cache=True)
def first_budgets(hazards, key0, key1):
    """Draw the first budget of every entity."""
    for e in range(hazards.rate_s.size):
        hazards.drawn[e] = 0
        hazards.budget[e] = philox.exponential(
            key0, key1, hazards.word[e], hazards.unit[e], 0, 0
        )


class Lasts(NamedTuple):
    """How long what failed is out, by class; shape (classes,)."""

    transient: Floats  # share that a restart cures
    reset_s: Floats  # if it does
    repair_s: Floats  # median if it does not
    spread: Floats  # log-standard deviation of the repair


@njit(cache=True)
def outcomes(hazards, found, found_k, key0, key1, lasts, transient, lasts_s):
    """Find for each failure whether it is transient and how long it lasts, from a uniform and a
    standard normal draw of the entity's own stream at the how-manieth failure it is.

    `transient` and `lasts_s` (n or more,) receive them.
    """
    for i in range(found.size):
        e = found[i]
        word, unit, k, cls = hazards.word[e], hazards.unit[e], found_k[i], hazards.cls[e]
        transient[i] = philox.uniform(key0, key1, word, unit, k, 1) < lasts.transient[cls]
        if transient[i]:
            lasts_s[i] = lasts.reset_s[cls]
        else:
            normal = philox.normal(key0, key1, word, unit, k, 2)
            lasts_s[i] = lasts.repair_s[cls] * math.exp(lasts.spread[cls] * normal)
