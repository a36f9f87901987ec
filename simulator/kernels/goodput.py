"""One synchronous job under failures, interruption by interruption."""

import math

from numba import njit

from simulator.kernels import philox


@njit(cache=True)
def replicate(key0, key1, word, rate_s, interval_s, stall_s, restart_s, end_s, start_s):
    """Follow a job from its start to `end_s`; return (retained useful seconds, interruptions).

    It takes `start_s` to start, then computes `interval_s`, pauses `stall_s` to save, and so on. A
    failure, exponential with `rate_s`, strikes at any moment, in computing, saving and restarting
    alike: the job goes back to its last finished save and takes `restart_s`, which a further failure
    begins anew. Work not yet saved at `end_s` counts: nothing has struck it.

    The k-th failure of a replicate is a draw of its own stream: (key, word, k).
    """
    now_s, saved_s, interruptions = 0.0, 0.0, 0
    ready_s = start_s
    cycle_s = interval_s + stall_s
    while True:
        gap_s = philox.exponential(key0, key1, word, 0, interruptions, 0) / rate_s
        strike_s = min(now_s + gap_s, end_s)
        if strike_s > ready_s:
            ran_s = strike_s - ready_s
            cycles = math.floor(ran_s / cycle_s)
            saved_s += cycles * interval_s
            if strike_s == end_s:
                saved_s += min(ran_s - cycles * cycle_s, interval_s)
        if strike_s == end_s:
            return saved_s, interruptions
        interruptions += 1
        now_s = strike_s
        ready_s = strike_s + restart_s


@njit(cache=True)
def replicates(
    key0, key1, rate_s, interval_s, stall_s, restart_s, end_s, start_s, saved_s, interruptions
):
    """Fill both arrays, float64 and int64 (replicates,), each replicate from its own stream."""
    for i in range(saved_s.size):
        saved_s[i], interruptions[i] = replicate(
            key0, key1, i, rate_s, interval_s, stall_s, restart_s, end_s, start_s
        )
