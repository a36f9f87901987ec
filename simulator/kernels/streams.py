"""Routed requests over one step: the pools they reach, and what becomes of them there.

A stream is what one stage of a class of requests sends to one pool. Requests that wait in a pool are
mixed: every stream of it is served, shed and kept waiting in proportion.
"""

from simulator.kernels.compiled import inner

# Columns of `streams.hours`: sums over the hour, and what waits at its end.
ARRIVED, SERVED, PASSED, SHED, LOST, WAITING, REJECTED = range(7)
STREAM_COLUMNS = 7
USER = -1
"""Where answers go that no further stage takes."""


@inner
def arrive(pools, hour, hour_frac, dt_s):
    """Give every pool its routed requests of the step in `pools.routed`: those that begin, and
    those that earlier stages sent on in the last step."""
    streams, routed = pools.streams, pools.routed
    for p in range(routed.shape[0]):
        for k in range(routed.shape[1]):
            routed[p, k] = 0.0
        if pools.by_router[p] > 0:
            pools.refused[p] = 0.0
    for s in range(streams.pool.size):
        if streams.share[s] == 0.0:
            streams.arriving[s] = 0.0
            continue
        g, p = streams.stage[s], streams.pool[s]
        before, after = streams.rate_per_s[g, hour], streams.rate_per_s[g, hour + 1]
        inflow = streams.entering[g] + (before + (after - before) * hour_frac) * dt_s
        streams.arriving[s] = inflow * streams.share[s]
        for k in range(routed.shape[1]):
            routed[p, k] += streams.arriving[s] * streams.amounts[s, k]
        pools.refused[p] += streams.arriving[s] * (1.0 - streams.amounts[s, 0])


@inner
def depart(pools, hour, served_column, shed_column):
    """Split what the pools did in the step over their streams, and send answers on.

    Parameters
    ----------
    served_column, shed_column : of `pools.step`
    """
    streams = pools.streams
    for g in range(streams.entering.size):
        streams.entering[g] = 0.0
    for p in range(streams.mass.size):
        streams.mass[p] = 0.0
    for s in range(streams.pool.size):
        there = streams.queue[s] + streams.again[s] + streams.arriving[s] * streams.amounts[s, 0]
        streams.mass[streams.pool[s]] += there
    for s in range(streams.pool.size):
        p = streams.pool[s]
        streams.hours[hour, s, ARRIVED] += streams.arriving[s]
        streams.hours[hour, s, REJECTED] += streams.arriving[s] * (1.0 - streams.amounts[s, 0])
        there = streams.queue[s] + streams.again[s] + streams.arriving[s] * streams.amounts[s, 0]
        if there == 0.0:
            streams.hours[hour, s, WAITING] = 0.0
            continue
        part = there / streams.mass[p]
        answered, gone = part * pools.step[p, served_column], part * pools.step[p, shed_column]
        _settle(pools, s, hour, part, there, answered, gone)


@inner
def _settle(pools, s, hour, part, there, answered, gone):
    """Count what became of the requests of a stream, and have answers enter the next stages."""
    streams, p, g = pools.streams, pools.streams.pool[s], pools.streams.stage[s]
    streams.again[s] = part * pools.again[p]
    lost = 0.0
    if pools.retries[p] == 0:
        lost = max(there - answered - gone - part * pools.queue[p, 0], 0.0)
    streams.queue[s] = max(there - answered - gone - lost - streams.again[s], 0.0)
    passed = answered * streams.onward[s]
    if streams.after[g] != USER:
        streams.entering[streams.after[g]] += passed
    if streams.kept[g] != USER:
        streams.entering[streams.kept[g]] += answered - passed
    streams.hours[hour, s, SERVED] += answered
    streams.hours[hour, s, PASSED] += passed
    streams.hours[hour, s, SHED] += gone
    streams.hours[hour, s, LOST] += lost
    streams.hours[hour, s, WAITING] = streams.queue[s] + streams.again[s]
