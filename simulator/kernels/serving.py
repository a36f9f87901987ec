"""Served pools over one step: arrivals, queue, shed requests, and how busy the replicas are."""

import math

from numba import njit

from simulator.kernels.load_account import pace_of

WAIT_BINS = 48
WAIT_FIRST_S = 1e-2
WAIT_RATIO = 1.4


@njit(cache=True)
def prepare(pools, loads, hour, hour_frac, dt_s):
    """Serve one step's demand by the replicas in service at its start.

    A pool's time is useful as far as it serves: served requests over what its replicas could serve;
    the rest is idle headroom, though replicas iterate on small batches all the while.

    Fluid queue: what arrives and waits is served up to capacity, the rest waits, and what would
    wait longer than the pool's patience is shed. Sets the dynamic power and busy share of each
    pool's load for the step and counts served requests by load and by wait.
    """
    grid = pools.dynamic_frac.shape[1] - 1
    for p in range(pools.load.size):
        load = pools.load[p]
        before, after = pools.rate_per_s[p, hour], pools.rate_per_s[p, hour + 1]
        arrivals = (before + (after - before) * hour_frac) * dt_s
        replicas = math.floor(loads.count[load] / pools.replica_accelerators[p] + 1e-9)
        clock = loads.clock[load] * loads.cap[load] ** (1.0 / loads.power_exponent[load])
        pace = pace_of(clock, loads.clock_bound_frac[load]) * loads.on[load]
        rate = replicas * pools.capacity_per_s[p] * pace
        queued = pools.queue[p]
        served = min(queued + arrivals, rate * dt_s)
        waiting = queued + arrivals - served
        shed = max(waiting - rate * pools.patience_s[p], 0.0)
        pools.queue[p] = waiting - shed
        pools.arrived[p] += arrivals
        pools.served[p] += served
        pools.shed[p] += shed
        pools.step[p, 0] = arrivals
        pools.step[p, 1] = served
        pools.step[p, 2] = shed
        x = served / (rate * dt_s) * grid if rate > 0.0 else 0.0
        pools.step[p, 3] = x / grid
        j = min(int(x), grid - 1)
        w = min(x - j, 1.0)
        dynamic = pools.dynamic_frac
        loads.dynamic_frac[load] = dynamic[p, j] * (1.0 - w) + dynamic[p, j + 1] * w
        loads.busy[load] = x / grid
        wait_s = 0.5 * (queued + pools.queue[p]) / rate if rate > 0.0 else 0.0
        if wait_s > WAIT_FIRST_S:
            pools.wait_requests[p, wait_bin(wait_s)] += served
        else:
            pools.load_requests[p, j] += served


@njit(cache=True)
def wait_bin(wait_s):
    """Return the logarithmic bin of a wait; bin i covers first * ratio**i up to the next."""
    i = int(math.log(wait_s / WAIT_FIRST_S) / math.log(WAIT_RATIO))
    return min(max(i, 0), WAIT_BINS - 1)
