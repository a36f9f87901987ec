"""Blocks that keep themselves within their continuous rating by the power caps of their racks."""

import numpy as np
from numba import njit

AT_LIMIT = 1e-6
"""Relative; a block that is held at its limit stands above it by rounding."""
LEAST = 0.01
"""Lowest cap on dynamic power."""


@njit(cache=True)
def cap_blocks(rows, racks, loads, blocks, dt_s):
    """Set each block's caps on the dynamic power of its loads so that it stays inside its continuous
    rating; return whether any cap is active. A block below its rating and without a cap is left
    alone.

    Loads give way in the order of `loads.rank`: each as far as it goes before the next one is
    touched, those of one rank by the same share.
    """
    active, over = False, 0
    for i in range(rows.start.size):
        b = rows.block[i]
        if blocks.it_w[b] <= blocks.limit_w[b] and blocks.capped[b] == 0:
            continue
        if blocks.it_w[b] > blocks.limit_w[b] * (1.0 + AT_LIMIT):
            blocks.over_s[b] += dt_s
            over = 1
        drawn_w, full_w = _dynamic(rows, racks, loads, blocks, i, dt_s)
        if blocks.capped[b] == 1:
            blocks.capped_s[b] += dt_s
            blocks.held_j[b] += (full_w.sum() - drawn_w.sum()) * dt_s
        excess_w = blocks.it_w[b] - drawn_w.sum() + full_w.sum() - blocks.limit_w[b]
        blocks.cap[b, :] = 1.0
        blocks.capped[b] = 0
        if excess_w > 0.0 and full_w.sum() > 0.0:
            _cut(loads, blocks, b, full_w, excess_w)
            blocks.capped[b] = 1
            active = True
    blocks.any_over_s[0] += over * dt_s
    return active


@njit(cache=True)
def _dynamic(rows, racks, loads, blocks, i, dt_s):
    """Return the dynamic power in W of each load in a row of racks, (loads,), and what it would be
    without the block's caps."""
    drawn_w = np.zeros(loads.cap.size)
    each_w = rows.accelerators[i] * rows.chip_dynamic_w[i] + rows.host_dynamic_w[i]
    for r in range(rows.start[i], rows.stop[i]):
        load = racks.load[r]
        drawn_w[load] += racks.up_frac[r] * loads.dynamic_s[load] / dt_s * racks.power_cap[r] * each_w
    return drawn_w, drawn_w / blocks.cap[rows.block[i]]


@njit(cache=True)
def _cut(loads, blocks, b, full_w, excess_w):
    for rank in range(loads.rank.size):
        group_w = 0.0
        for load in range(full_w.size):
            if loads.rank[load] == rank:
                group_w += full_w[load]
        if group_w <= 0.0:
            continue
        cap = max(1.0 - excess_w / group_w, LEAST)
        for load in range(full_w.size):
            if loads.rank[load] == rank:
                blocks.cap[b, load] = cap
        excess_w -= (1.0 - cap) * group_w
        if excess_w <= 1e-9 * group_w:
            return
