"""What a job puts on the trunks of a fabric: its accelerators below each, and who sends over which."""

import numpy as np
from numba import njit


@njit(cache=True)
def accelerators_under(racks, first, place_of, cuts, beyond, rack_ports, ports_each, leaves, parent):
    """Return the accelerators of some racks at and below each node: float64 (nodes,).

    Parameters
    ----------
    racks, first, place_of : int64
        Racks of the site, the first of the fabric, and for each from that one on its place in the
        fabric, or -1.
    cuts, beyond : (leaves + 1,)
        Place of the rack in which each leaf's ports begin (the last: end), and that rack's ports
        before it.
    leaves, parent : int64 (leaves,), (nodes,)
        Nodes that ports attach to; nodes stand children before parents.
    """
    held, before = np.zeros(place_of.size + 1), np.zeros(place_of.size + 1)
    for r in racks:
        if first <= r < first + place_of.size and place_of[r - first] >= 0:
            held[place_of[r - first]] = 1.0
    for place in range(1, held.size):
        before[place] = before[place - 1] + held[place - 1]
    sums = np.zeros(parent.size)
    ports = rack_ports * before[cuts[0]] + beyond[0] * held[cuts[0]]
    for i in range(leaves.size):
        upto = rack_ports * before[cuts[i + 1]] + beyond[i + 1] * held[cuts[i + 1]]
        sums[leaves[i]] = (upto - ports) / ports_each
        ports = upto
    for node in range(parent.size):
        if parent[node] >= 0:
            sums[parent[node]] += sums[node]
    return sums


@njit(cache=True)
def crossing(under, most, damaged, tier, parent, level):
    """Return the accelerators that send over each damaged trunk below a level: float64 (damaged,).

    `under` (nodes,) counts a job's accelerators; a trunk with `most` of them below has none above.
    """
    uses = np.zeros(damaged.size)
    for d in range(damaged.size):
        node = damaged[d]
        if tier[node] < level and parent[node] >= 0 and under[node] < most:
            uses[d] = under[node]
    return uses
