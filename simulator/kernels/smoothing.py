"""Storage that takes the swings out of a load: what flows, what is left in it, what is lost."""

import math

import numpy as np
from numba import njit

LEVELS = 100
"""Levels that a store tries out: steps of a hundredth of the largest draw."""
ROUNDING = 1e-6
"""Relative; sums of samples."""


@njit(cache=True)
def exchange(wanted_w, stored_j, capacity_j, power_w, efficiency, dt_s):
    """Return what storage gives (negative: takes) for one sample in W, its charge after it and the
    loss in J.

    Power and charge limit both ways; `efficiency` is one way. Conserves: given x dt + gain + loss = 0.
    """
    if wanted_w >= 0.0:
        given_w = min(wanted_w, power_w, stored_j * efficiency / dt_s)
        after_j = max(stored_j - given_w * dt_s / efficiency, 0.0)
        return given_w, after_j, stored_j - after_j - given_w * dt_s
    taken_w = min(-wanted_w, power_w, (capacity_j - stored_j) / (efficiency * dt_s))
    after_j = min(stored_j + taken_w * efficiency * dt_s, capacity_j)
    return -taken_w, after_j, taken_w * dt_s - (after_j - stored_j)


@njit(cache=True)
def follow(load_w, dt_s, store, control, grid_w, charge_j):
    """Fill what the grid sees of a load behind a battery, and its charge after each sample; return
    the loss in J.

    The grid is to see the load through a first-order lag, and that with at most so much ramp; the
    battery gives the rest, itself behind its response. What it cannot give the grid sees.

    Parameters
    ----------
    load_w, grid_w, charge_j : float64 (samples,)
    store : (power_w, capacity_j, efficiency one way, response_s)
    control : (follows_s, ramp_w_s, centre_s)
        Time constant of what the grid sees, its largest ramp, and the time in which the charge is
        brought back to half.
    """
    power_w, capacity_j, efficiency, response_s = store
    follows_s, ramp_w_s, centre_s = control
    pull = dt_s / max(follows_s, dt_s)
    answer = dt_s / max(response_s, dt_s)
    seen_w, stored_j, command_w, loss_j = load_w[0], 0.5 * capacity_j, 0.0, 0.0
    for j in range(load_w.size):
        step_w = pull * (load_w[j] - seen_w)
        seen_w += min(max(step_w, -ramp_w_s * dt_s), ramp_w_s * dt_s)
        back_w = (0.5 * capacity_j - stored_j) / centre_s
        command_w += answer * (load_w[j] - seen_w - back_w - command_w)
        given_w, after_j, lost_j = exchange(
            command_w, stored_j, capacity_j, power_w, efficiency, dt_s
        )
        loss_j += lost_j
        stored_j = after_j
        grid_w[j] = load_w[j] - given_w
        charge_j[j] = stored_j
    return loss_j


@njit(cache=True)
def shave(load_w, dt_s, store, memory_s, seen_w, charge):
    """Fill what is seen of a load behind a store that holds its peaks down, and its charge in J after
    each sample; return the charge it began with and the loss in J.

    The store gives what lies above a level and takes below it, so that the level is what is seen as long
    as there is charge: the mean of the load over `memory_s` where the energy suffices for that, and
    otherwise the lowest level that it holds. It finds that by keeping the books of `LEVELS` imagined
    stores, each of which holds a level of its own: taken is the lowest at the mean or above that did
    not run out for `memory_s`. A load that repeats itself within the memory is shaved as far as energy
    and power allow: a square wave of period T and depth d by min(d / 2, 2 E / T). The time before the
    first sample is taken to have been like the first `memory_s` after it.

    Parameters
    ----------
    load_w, seen_w, charge : float64 (samples,)
    store : (power_w, capacity_j, efficiency one way)
    """
    power_w, capacity_j, efficiency = store
    most_w = load_w.max()
    if most_w <= 0.0:
        seen_w[:], charge[:] = load_w, 0.5 * capacity_j
        return 0.5 * capacity_j, 0.0
    imagined_j, held_s = np.full(LEVELS, capacity_j), np.zeros(LEVELS)
    known = min(max(round(memory_s / dt_s), 1), load_w.size)
    sum_w = 0.0
    for j in range(known):
        sum_w += load_w[j]
        _imagine(load_w[j], most_w, dt_s, store, imagined_j, held_s)
    level = _lowest(held_s, known * dt_s, sum_w / known / most_w)
    first_j = imagined_j[level]
    stored_j, loss_j = first_j, 0.0
    for j in range(load_w.size):
        given_w, stored_j, lost_j = exchange(
            load_w[j] - (level + 1) * most_w / LEVELS, stored_j, capacity_j, power_w, efficiency, dt_s
        )
        seen_w[j], charge[j] = load_w[j] - given_w, stored_j
        loss_j += lost_j
        _imagine(load_w[j], most_w, dt_s, store, imagined_j, held_s)
        sum_w += load_w[j] - load_w[j - known if j >= known else j]
        level = _lowest(held_s, known * dt_s, sum_w / known / most_w)
    return first_j, loss_j


@njit(cache=True)
def _imagine(draw_w, most_w, dt_s, store, imagined_j, held_s):
    """Keep the books of the imagined stores over one sample: charge, and for how long it has held."""
    power_w, capacity_j, efficiency = store
    for k in range(LEVELS):
        above_w = draw_w - (k + 1) * most_w / LEVELS
        if above_w > 0.0:
            after_j = imagined_j[k] - above_w * dt_s / efficiency
            short = after_j < 0.0 or above_w > power_w
            held_s[k] = 0.0 if short else held_s[k] + dt_s
            imagined_j[k] = max(after_j, 0.0)
        else:
            held_s[k] += dt_s
            imagined_j[k] = min(imagined_j[k] + min(-above_w, power_w) * efficiency * dt_s, capacity_j)


@njit(cache=True)
def _lowest(held_s, long_s, mean):
    """Return the lowest level from `mean` (of the largest draw) on that has held for so long; the
    highest is the largest draw itself."""
    first = int(math.ceil(mean * LEVELS * (1.0 - ROUNDING))) - 1
    for k in range(max(first, 0), LEVELS - 1):
        if held_s[k] >= long_s * (1.0 - ROUNDING):
            return k
    return LEVELS - 1
