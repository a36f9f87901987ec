"""Served pools over one step: who is ready, what arrives, what is served, waits, moves on, is shed."""

import math

from simulator.kernels import streams
from simulator.kernels.compiled import entry, inlined, shared
from simulator.kernels.load_account import pace_of

WAIT_BINS = 48
WAIT_FIRST_S = 1e-2
WAIT_RATIO = 1.4

# What is counted of requests that wait, arrive or are served; last axis of `queue` and its like.
REQUESTS, WORK, INPUT, OUTPUT = range(4)
AMOUNTS = 4

# Columns of `pools.step`, in the order of results.SERIES["pool"] up to the accelerators.
ARRIVED, SERVED, SHED, LOAD_FRAC, SPILLED, RECEIVED, CAPACITY, LOADING, REJECTED = range(9)
STEP_COLUMNS = 9

USEFUL, RESTART = 0, 5
"""Columns of `loads.share`: productive time, and time that replicas load their weights."""
NOWHERE = -1


@entry
def prepare(pools, loads, hour, hour_frac, dt_s):
    """Serve one step's demand by the replicas that are ready at its start.

    A pool's time is useful as far as it serves: served work over what its replicas could serve;
    the rest is idle headroom, though replicas iterate on small batches all the while.

    Fluid queue: what arrives and waits is served up to capacity, the rest waits; what would wait
    too long goes to another pool that has room, and what would outlast the pool's patience is
    shed. What no replica can hold is rejected as it arrives. Requests that wait are mixed. Work is
    counted in requests of the pool's reference lengths.
    Sets the dynamic power and busy share of each pool's load for the step.
    """
    streams.arrive(pools, hour, hour_frac, dt_s)
    for p in range(pools.load.size):
        ready, failed = _ready(pools, loads, p)
        rate = _rate(pools, loads, p, ready)
        waited = pools.queue[p, WORK]
        _arrive(pools, p, hour, hour_frac, dt_s)
        served_frac = _serve(pools, p, rate * dt_s, failed)
        _spill(pools, p, rate)
        _shed(pools, p, rate)
        _count_waits(pools, p, rate, waited, served_frac)
        pools.step[p, CAPACITY] = rate * dt_s
        _occupy(pools, loads, p, ready)
    streams.depart(pools, hour, SERVED, SHED)


@inlined
def _ready(pools, loads, p):
    """Return accelerators with their weights loaded, and how many failed since the last step.

    What a pool got in the last step loads for `cold_steps` more; what it loses, it loses in proportion of those that
    are ready and under way. A run begins with replicas that are ready.
    """
    load, steps, ring = pools.load[p], pools.cold_steps[p], pools.cold.shape[1]
    count = loads.count[load] * loads.on[load]
    if pools.age[p] == 0:
        pools.warm[p] = pools.held[p] = count
    at = pools.age[p] % ring
    pools.age[p] += 1
    pools.warm[p] += pools.cold[p, at]
    pools.cold[p, at] = 0.0
    gone = pools.held[p] - count
    failed = max(gone - pools.released[p], 0.0)
    if gone > 0.0:
        kept = count / pools.held[p]
        pools.warm[p] *= kept
        for k in range(ring):
            pools.cold[p, k] *= kept
    elif gone < 0.0 and steps > 0:
        pools.cold[p, (at + steps) % ring] -= gone
    elif gone < 0.0:
        pools.warm[p] -= gone
    pools.held[p] = count
    pools.released[p] = 0.0
    return min(pools.warm[p], count), failed


@inlined
def _rate(pools, loads, p, ready):
    """Return the work per second that ready replicas do at their present clock."""
    load = pools.load[p]
    replicas = math.floor(ready / pools.replica_accelerators[p] + 1e-9)
    clock = loads.clock[load] * loads.cap[load] ** (1.0 / loads.power_exponent[load])
    pace = pace_of(clock, loads.clock_bound_frac[load]) * loads.on[load]
    return replicas * pools.capacity_per_s[p] * pace


@inlined
def _arrive(pools, p, hour, hour_frac, dt_s):
    """Join the pool's own demand, and what came from other pools and failed replicas, to the queue."""
    own = pools.routed
    if pools.by_router[p] == 0:
        arrivals = _between(pools.rate_per_s, p, hour, hour_frac) * dt_s
        pools.refused[p] = arrivals * _between(pools.rejected_frac, p, hour, hour_frac)
        own[p, REQUESTS] = arrivals - pools.refused[p]
        own[p, WORK] = arrivals * _between(pools.work_frac, p, hour, hour_frac)
        own[p, INPUT] = arrivals * _between(pools.input_tokens, p, hour, hour_frac)
        own[p, OUTPUT] = arrivals * _between(pools.output_tokens, p, hour, hour_frac)
    pools.own_work[p] = pools.queue[p, WORK] + own[p, WORK]
    if pools.mixed[p] > 0:
        _mix(pools, p, own[p, REQUESTS])
    for k in range(AMOUNTS):
        pools.queue[p, k] += own[p, k] + pools.inbound[p, k]
    arrivals = own[p, REQUESTS] + pools.refused[p]
    pools.arrived[p] += arrivals
    pools.rejected[p] += pools.refused[p]
    pools.step[p, ARRIVED] = arrivals
    pools.step[p, REJECTED] = pools.refused[p]
    pools.step[p, RECEIVED] = pools.inbound[p, REQUESTS] - pools.again[p]
    pools.inbound[p, :] = 0.0
    pools.again[p] = 0.0


@inlined
def _mix(pools, p, own):
    """Set the share of every pool's requests in the queue of one that takes from others, what is
    about to join it included."""
    total = pools.queue[p, REQUESTS] + own + pools.inbound[p, REQUESTS]
    for o in range(pools.load.size):
        there = pools.origin_frac[p, o] * pools.queue[p, REQUESTS] + pools.coming[p, o]
        if o == p:
            there += own
        pools.origin_frac[p, o] = there / total if total > 0.0 else 0.0
        pools.coming[p, o] = 0.0


@inlined
def _between(column, p, hour, hour_frac):
    before, after = column[p, hour], column[p, hour + 1]
    return before + (after - before) * hour_frac


@inlined
def _serve(pools, p, room, failed):
    """Serve what there is room for; return how many requests were answered.

    Replicas that failed take the requests they held with them: these have used their replica, and
    come again or are lost.
    """
    queue = pools.queue
    work, requests = queue[p, WORK], queue[p, REQUESTS]
    done = min(work, room)
    share = done / work if work > 0.0 else 0.0
    struck = min(_in_flight(pools, p, failed), share * requests)
    struck_share = struck / requests if requests > 0.0 else 0.0
    for k in range(AMOUNTS):
        pools.served[p, k] += queue[p, k] * (share - struck_share)
        if pools.retries[p] > 0:
            pools.inbound[p, k] += queue[p, k] * struck_share
        queue[p, k] *= 1.0 - share
    if pools.retries[p] > 0:
        pools.retried[p] += struck
        pools.again[p] += struck
        _send(pools, p, p, struck)
    else:
        pools.lost[p] += struck
    pools.room[p] = max(room - pools.own_work[p], 0.0)
    pools.step[p, SERVED] = share * requests - struck
    pools.step[p, LOAD_FRAC] = done / room if room > 0.0 else 0.0
    return pools.step[p, SERVED]


@inlined
def _send(pools, p, other, requests):
    """Tell a pool that takes from others whose requests come from the queue of `p`."""
    if pools.mixed[other] == 0:
        return
    if pools.mixed[p] == 0:
        pools.coming[other, p] += requests
        return
    for o in range(pools.load.size):
        pools.coming[other, o] += requests * pools.origin_frac[p, o]


@inlined
def _in_flight(pools, p, failed):
    """Return the requests in failed accelerators' replicas at the load of the last step."""
    if failed <= 0.0:
        return 0.0
    replicas = math.ceil(failed / pools.replica_accelerators[p] - 1e-9)
    return replicas * _at_load(pools.batch, p, pools.step[p, LOAD_FRAC])


@inlined
def _at_load(column, p, load_frac):
    """Return a column over load at one load."""
    grid = column.shape[1] - 1
    x = load_frac * grid
    j = min(int(x), grid - 1)
    w = min(x - j, 1.0)
    return column[p, j] * (1.0 - w) + column[p, j + 1] * w


@inlined
def _spill(pools, p, rate):
    """Send what would wait too long to the pool named for it, as far as that has room beside its
    own demand; it arrives there in the next step that this pool serves."""
    other, waiting = pools.spill_to[p], pools.queue[p, WORK]
    pools.step[p, SPILLED] = 0.0
    if other == NOWHERE or waiting <= 0.0:
        return
    factor = pools.spill_work[p]
    moved = min(max(waiting - rate * pools.spill_after_s[p], 0.0), pools.room[other] / factor)
    moved = min(moved, waiting * pools.spill_fits[p])
    share = moved / waiting
    pools.step[p, SPILLED] = pools.queue[p, REQUESTS] * share
    pools.spilled[p] += pools.step[p, SPILLED]
    pools.received[other] += pools.step[p, SPILLED]
    _send(pools, p, other, pools.step[p, SPILLED])
    pools.room[other] = max(pools.room[other] - moved * factor, 0.0)
    for k in range(AMOUNTS):
        amount = pools.queue[p, k] * share
        pools.inbound[other, k] += amount * factor if k == WORK else amount
        pools.queue[p, k] -= amount


@inlined
def _shed(pools, p, rate):
    """Turn away what would wait longer than the pool's patience."""
    waiting = pools.queue[p, WORK]
    over = max(waiting - rate * pools.patience_s[p], 0.0)
    share = over / waiting if waiting > 0.0 else 0.0
    pools.step[p, SHED] = pools.queue[p, REQUESTS] * share
    pools.shed[p] += pools.step[p, SHED]
    for k in range(AMOUNTS):
        pools.queue[p, k] *= 1.0 - share


@inlined
def _count_waits(pools, p, rate, waited, served):
    """Count served requests by load, or by wait where they came out of a backlog."""
    grid = pools.dynamic_frac.shape[1] - 1
    wait_s = 0.5 * (waited + pools.queue[p, WORK]) / rate if rate > 0.0 else 0.0
    late = wait_s > WAIT_FIRST_S
    k = wait_bin(wait_s) if late else min(int(pools.step[p, LOAD_FRAC] * grid), grid - 1)
    counts, guests = pools.load_requests, pools.load_guests
    if late:
        counts, guests = pools.wait_requests, pools.wait_guests
    counts[p, k] += served
    if pools.mixed[p] > 0:
        for o in range(pools.load.size):
            guests[p, o, k] += served * pools.origin_frac[p, o] * (o != p)


@inlined
def _occupy(pools, loads, p, ready):
    """Set what the pool's load draws and what its time counts as; replicas that load their weights
    draw idle power."""
    load, count = pools.load[p], loads.count[pools.load[p]]
    ready_frac = ready / count if count > 0.0 else 1.0
    pools.step[p, LOADING] = (count - ready) * loads.on[load]
    loads.busy[load] = pools.step[p, LOAD_FRAC]
    loads.dynamic_frac[load] = ready_frac * _at_load(pools.dynamic_frac, p, pools.step[p, LOAD_FRAC])
    if loads.on[load] > 0.0:
        loads.share[load, :] = 0.0
        loads.share[load, USEFUL] = ready_frac
        loads.share[load, RESTART] = 1.0 - ready_frac


@shared
def wait_bin(wait_s):
    """Return the logarithmic bin of a wait; bin i covers first * ratio**i up to the next."""
    i = int(math.log(wait_s / WAIT_FIRST_S) / math.log(WAIT_RATIO))
    return min(max(i, 0), WAIT_BINS - 1)
