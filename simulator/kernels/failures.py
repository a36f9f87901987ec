"""The failure front: competing hazards of the whole fleet over one window.

Each entity (a class on one rack or one plant unit) carries a budget of cumulative hazard, unit
exponential, drawn from its own stream; it fails when the hazard it was exposed to uses the budget
up, and then draws the next. The hazard is

    rate x share in service x 2^((T - T_ref)/doubling) x ((age/age_ref)^(shape-1) + new)

a Weibull under minimal repair, zero before birth, and new = infant x fresh x exp(-t/decay): the
excess of each new unit fades as it grows up, so that the units of an entity add up to one
exponential. Both are integrated, not sampled (of an entity with both, ageing is spread evenly over
the window).
"""

import math

import numpy as np
from numba import njit

from simulator.kernels import philox


def draw(
    hazards, classes, up_frac, temperature_c, key0, key1, start_s, window_s, found_s, found, found_k
):
    """Find every failure of the fleet in one window.

    Temperatures and the share in service are those of the window's start. A single unit that ages is
    not exposed for the rest of the window in which it failed.

    Parameters
    ----------
    hazards, classes : Hazards, HazardClasses
        Columns of the entities and of their classes.
    up_frac : float64 (racks,)
        Share in service of each rack.
    temperature_c : float64 (sensors,)
    found_s, found, found_k : float64, int64, int64 (capacity,)
        Filled with failure times, entities, and the how-manieth of its entity each is, in order of
        time.

    Returns
    -------
    int
        Number found; above `found.size` the excess is lost, so give the arrays room.
    """
    n = _draw(
        hazards, classes, up_frac, temperature_c, key0, key1, start_s, window_s, found_s, found,
        found_k,
    )
    order = np.argsort(found_s[:n], kind="stable")
    for column in (found_s, found, found_k):
        column[: order.size] = column[order]
    return n


@njit(cache=True)
def _draw(
    hazards, classes, up_frac, temperature_c, key0, key1, start_s, window_s, found_s, found, found_k
):
    """Find the failures of `draw`, by entity."""
    n = 0
    aged_cls, aged_s, aged = -1, 0.0, 1.0  # most entities of a class are of one age
    hot_k, hot_doubling_k, hastened = 0.0, 1.0, 1.0  # and neighbours share their air or coolant
    fading = np.exp(-window_s / classes.infant_decay_s)
    for e in range(hazards.rate_s.size):
        cls = hazards.cls[e]
        fresh = hazards.fresh[e]
        hazards.fresh[e] = fresh * fading[cls]
        rate_s = hazards.rate_s[e]
        if hazards.rack[e] >= 0:
            rate_s *= up_frac[hazards.rack[e]]
        if rate_s == 0.0:
            continue
        if hazards.sensor[e] >= 0:
            above_k = temperature_c[hazards.sensor[e]] - hazards.reference_c[e]
            if above_k != hot_k or hazards.doubling_k[e] != hot_doubling_k:
                hot_k, hot_doubling_k = above_k, hazards.doubling_k[e]
                hastened = math.exp(0.6931471805599453 * above_k / hot_doubling_k)
            rate_s *= hastened
        new_s, decay_s = rate_s * classes.infant[cls] * fresh, classes.infant_decay_s[cls]
        age_s, shape = start_s - hazards.born_s[e], classes.shape[cls]
        if shape != 1.0 or age_s < 0.0:
            if cls != aged_cls or age_s != aged_s:
                aged_cls, aged_s = cls, age_s
                aged = mean_ageing(age_s, window_s, shape, classes.age_reference_s[cls])
            rate_s *= aged
        spent = rate_s * window_s + new_s * decay_s * (1.0 - fading[cls])
        classes.exposure[cls] += spent
        budget = hazards.budget[e]
        while budget < spent:
            hazards.drawn[e] += 1
            if n < found.size:
                if new_s * decay_s > 1e-12 * budget:
                    found_s[n] = start_s + _used_up(budget, rate_s, new_s, decay_s, window_s)
                else:
                    found_s[n] = start_s + _aged_up(budget / spent, age_s, window_s, shape)
                found[n] = e
                found_k[n] = hazards.drawn[e]
            n += 1
            following = philox.exponential(
                key0, key1, hazards.word[e], hazards.unit[e], hazards.drawn[e], 0
            )
            if hazards.single[e] == 1 and shape != 1.0:  # its repair or its youth outlasts the window
                classes.exposure[cls] -= spent - budget
                budget = spent
            budget += following
        hazards.budget[e] = budget - spent
    return n


@njit(cache=True)
def mean_ageing(age_s, window_s, shape, reference_s):
    """Return the mean of (age/reference)^(shape-1) over a window that begins at `age_s`.

    Before its birth (a unit under replacement) an entity does not age and has no hazard.
    """
    end_s = age_s + window_s
    if end_s <= 0.0:
        return 0.0
    gained = (end_s / reference_s) ** shape
    if age_s > 0.0:
        gained -= (age_s / reference_s) ** shape
    return reference_s / (shape * window_s) * gained


@njit(cache=True)
def _aged_up(share, age_s, window_s, shape):
    """Return the time into the window by which ageing has spent a share of the window's hazard."""
    if shape == 1.0 and age_s >= 0.0:
        return share * window_s
    end_s = age_s + window_s
    before = (max(age_s, 0.0) / end_s) ** shape
    return min(end_s * (before + share * (1.0 - before)) ** (1.0 / shape) - age_s, window_s)


@njit(cache=True)
def _used_up(budget, rate_s, new_s, decay_s, window_s):
    """Return the time into the window at which rate t + new decay (1 - exp(-t/decay)) = budget.

    Newton's steps from zero rise towards the root and never pass it, as the curve is concave.
    """
    at_s = 0.0
    for _ in range(50):
        faded = math.exp(-at_s / decay_s)
        missing = budget - rate_s * at_s - new_s * decay_s * (1.0 - faded)
        step_s = missing / (rate_s + new_s * faded)
        at_s += step_s
        if step_s <= 1e-9 * window_s:
            break
    return min(at_s, window_s)


@njit(cache=True)
def first_budgets(hazards, key0, key1):
    """Draw the first budget of every entity."""
    for e in range(hazards.rate_s.size):
        hazards.drawn[e] = 0
        hazards.budget[e] = philox.exponential(
            key0, key1, hazards.word[e], hazards.unit[e], 0, 0
        )


@njit(cache=True)
def outcomes(hazards, found, found_k, key0, key1, chance, spread, common):
    """Return for each failure a uniform (is it transient?), a standard normal (how long is the
    repair?) and a uniform (does it take the whole group?), drawn from the entity's own stream at
    the how-manieth failure it is.

    `chance`, `spread` and `common` (n,) receive them.
    """
    for i in range(found.size):
        e = found[i]
        word, unit, k = hazards.word[e], hazards.unit[e], found_k[i]
        chance[i] = philox.uniform(key0, key1, word, unit, k, 1)
        spread[i] = philox.normal(key0, key1, word, unit, k, 2)
        common[i] = philox.uniform(key0, key1, word, unit, k, 3)


@njit(cache=True)
def servers_hit(servers, share, key0, key1, hall, push):
    """Return how many servers of each rack of a hall a push makes fail; each does with `share`.

    `servers` (racks,) counts them; the draws belong to the hall, the rack, the server and the push.
    """
    hit = np.zeros(servers.size)
    for r in range(servers.size):
        for s in range(int(servers[r])):
            if philox.uniform(key0, key1, hall, r, s, push) < share:
                hit[r] += 1.0
    return hit
