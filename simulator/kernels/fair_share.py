"""Max-min fair share of trunks between flows: progressive filling."""

import numpy as np
from numba import njit

FULL = 1e-12
"""Share of a capacity or limit that rounding may leave."""


@njit(cache=True)
def fair_share(start, trunk, weight, limit, capacity, rate):
    """Give every flow the largest rate that takes nothing from a flow with a smaller one.

    All rates grow together; a flow stops growing at its own limit or when one of its trunks is
    full (Bertsekas and Gallager, Data Networks, section 6.5.2). At most `flows` rounds.

    Parameters
    ----------
    start : int64 (flows + 1,)
        Flow f crosses entries start[f] to start[f + 1] of the next two.
    trunk, weight : int64, float64 (entries,)
        A trunk, and the load the flow puts on it per unit of its rate.
    limit : float64 (flows,)
        Largest rate of each flow; finite.
    capacity : float64 (trunks,)
    rate : float64 (flows,)
        Receives the rates.
    """
    left, load = capacity.copy(), np.zeros(capacity.size)
    users, growing = np.zeros(capacity.size, np.int64), np.ones(limit.size, np.bool_)
    for f in range(limit.size):
        for k in range(start[f], start[f + 1]):
            if weight[k] > 0.0:
                load[trunk[k]] += weight[k]
                users[trunk[k]] += 1
    level, active = 0.0, limit.size
    while active > 0:
        step = _room(left, load, users, limit, growing, level)
        level += step
        for e in range(capacity.size):
            if users[e] > 0:
                left[e] -= load[e] * step
        for f in range(limit.size):
            if growing[f] and _stops(f, start, trunk, weight, limit, capacity, left, level):
                growing[f], rate[f] = False, level
                active -= 1
                for k in range(start[f], start[f + 1]):
                    if weight[k] > 0.0:
                        load[trunk[k]] -= weight[k]
                        users[trunk[k]] -= 1


@njit(cache=True)
def share_trunks(uses, limit, capacity):
    """Return the fair rates of flows; `uses` (flows, trunks) is load per unit of rate."""
    start = np.zeros(limit.size + 1, np.int64)
    trunk, weight = np.empty(uses.size, np.int64), np.empty(uses.size)
    rate, n = np.zeros(limit.size), 0
    for f in range(limit.size):
        for e in range(capacity.size):
            if uses[f, e] > 0.0:
                trunk[n], weight[n] = e, uses[f, e]
                n += 1
        start[f + 1] = n
    fair_share(start, trunk, weight, limit, capacity, rate)
    return rate


@njit(cache=True)
def _room(left, load, users, limit, growing, level):
    """Return how far the rates can grow until the first flow must stop."""
    step = np.inf
    for e in range(left.size):
        if users[e] > 0:
            step = min(step, left[e] / load[e])
    for f in range(limit.size):
        if growing[f]:
            step = min(step, limit[f] - level)
    return max(step, 0.0)


@njit(cache=True)
def _stops(f, start, trunk, weight, limit, capacity, left, level):
    """Return whether a flow is at its limit or on a full trunk."""
    if limit[f] - level <= FULL * limit[f]:
        return True
    full = False
    for k in range(start[f], start[f + 1]):
        full |= weight[k] > 0.0 and left[trunk[k]] <= FULL * capacity[trunk[k]]
    return full
