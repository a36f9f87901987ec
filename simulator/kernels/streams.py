"""Routed requests over one step: the pools they reach, and what becomes of them there.

A stream is what one stage of a class of requests sends to one pool. Requests that wait in a pool are
mixed: every stream of it is served, shed and kept waiting in proportion.
"""

from numba import njit

# Columns of `streams.hours`: sums over the hour, and what waits at its end.
ARRIVED, SERVED, PASSED, SHED, LOST, WAITING = range(6)
STREAM_COLUMNS = 6
USER = -1
"""Where answers go that no further stage takes."""


@njit(cache=True)
def arrive(pools, hour, hour_frac, dt_s):
    """Give every pool its routed requests of the step in `pools.routed`: those that begin, and
    those that earlier stages sent on in the last step."""
    streams = pools.streams
    pools.routed[:, :] = 0.0
    for s in range(streams.pool.size):
        if streams.share[s] == 0.0:
            streams.arriving[s] = 0.0
            continue
        g, p = streams.stage[s], streams.pool[s]
        before, after = streams.rate_per_s[g, hour], streams.rate_per_s[g, hour + 1]
        inflow = streams.entering[g] + (before + (after - before) * hour_frac) * dt_s
        streams.arriving[s] = inflow * streams.share[s]
        for k in range(pools.routed.shape[1]):
            pools.routed[p, k] += streams.arriving[s] * streams.amounts[s, k]


@njit(cache=True)
def depart(pools, hour, served, shed):
    """Split what the pools did in the step over their streams, and send answers on.

    Parameters
    ----------
    served, shed : float64 (pools,)
        Requests of the step.
    """
    streams = pools.streams
    streams.entering[:] = 0.0
    streams.mass[:] = 0.0
    for s in range(streams.pool.size):
        there = streams.queue[s] + streams.again[s] + streams.arriving[s]
        streams.mass[streams.pool[s]] += there
    for s in range(streams.pool.size):
        p, row = streams.pool[s], streams.hours[hour, s]
        there = streams.queue[s] + streams.again[s] + streams.arriving[s]
        if there == 0.0:
            row[WAITING] = 0.0
            continue
        part = there / streams.mass[p]
        answered, gone = part * served[p], part * shed[p]
        streams.again[s] = part * pools.again[p]
        lost = 0.0
        if pools.retries[p] == 0:
            lost = max(there - answered - gone - part * pools.queue[p, 0], 0.0)
        streams.queue[s] = max(there - answered - gone - lost - streams.again[s], 0.0)
        passed = answered * streams.onward[s]
        _send_on(streams, streams.stage[s], passed, answered - passed)
        row[ARRIVED] += streams.arriving[s]
        row[SERVED] += answered
        row[PASSED] += passed
        row[SHED] += gone
        row[LOST] += lost
        row[WAITING] = streams.queue[s] + streams.again[s]


@njit(cache=True)
def _send_on(streams, stage, passed, kept):
    """Have answers enter the stages that take them in the next step."""
    if streams.after[stage] != USER:
        streams.entering[streams.after[stage]] += passed
    if streams.kept[stage] != USER:
        streams.entering[streams.kept[stage]] += kept
