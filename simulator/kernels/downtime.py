"""Whose fault an accelerator-hour out of service is: outages of one rack against each other."""

import numpy as np
from numba import njit


@njit(cache=True)
def attribute(rack, servers, start_s, end_s, until_s, stage, bin_of, rack_servers, weight, hours):
    """Give every moment that part of a rack is out to the earliest outage that still stands.

    Outages of a rack claim in order of their beginning: one of servers its servers, one of the whole
    rack what is left of it, until nothing is left. So the claims add up to what is out.

    Parameters
    ----------
    rack, servers, start_s, end_s : (n,)
        Ordered by rack, then by start. `servers` is infinite for the whole rack.
    until_s, stage : (n, stages)
        When each stage of an outage is over, in order; columns that are not used repeat the last.
    bin_of : int64 (n,)
        Row of `hours` that an outage counts into.
    rack_servers, weight : (racks,)
        Servers in a rack; what the whole of it counts for in a second.
    hours : (bins, stages of all)
        Receives weight x seconds.
    """
    first = 0
    while first < rack.size:
        last, end = first + 1, end_s[first]
        while last < rack.size and rack[last] == rack[first] and start_s[last] < end:
            end = max(end, end_s[last])
            last += 1
        whole, counts_for = rack_servers[rack[first]], weight[rack[first]]
        cuts = _cuts(start_s[first:last], end_s[first:last], until_s[first:last])
        for c in range(cuts.size - 1):
            seconds = cuts[c + 1] - cuts[c]
            left = 1.0
            for i in range(first, last):
                if start_s[i] > cuts[c] or left <= 0.0:
                    break
                if end_s[i] <= cuts[c]:
                    continue
                share = min(servers[i] / whole, left)
                left -= share
                j = 0
                while j < until_s.shape[1] - 1 and until_s[i, j] <= cuts[c]:
                    j += 1
                hours[bin_of[i], stage[i, j]] += share * seconds * counts_for
        first = last


@njit(cache=True)
def _cuts(start_s, end_s, until_s):
    """Return every moment at which something of a cluster of outages begins or ends, in order."""
    n, m = until_s.shape
    cuts = np.empty(n * (m + 2))
    k = 0
    low, high = start_s.min(), end_s.max()
    for i in range(n):
        cuts[k], cuts[k + 1] = start_s[i], end_s[i]
        k += 2
        for j in range(m):
            cuts[k] = min(max(until_s[i, j], low), high)
            k += 1
    return cuts[: _in_order(cuts)]


@njit(cache=True)
def _in_order(cuts):
    """Sort a few moments in place, each once; return how many there are."""
    count = 0
    for k in range(cuts.size):
        at, place = cuts[k], count
        while place > 0 and cuts[place - 1] > at:
            place -= 1
        if place > 0 and cuts[place - 1] == at:
            continue
        for j in range(count, place, -1):
            cuts[j] = cuts[j - 1]
        cuts[place] = at
        count += 1
    return count
