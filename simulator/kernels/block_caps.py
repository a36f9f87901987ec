"""Blocks that keep themselves within their continuous rating by the power caps of their racks."""

from simulator.kernels.compiled import inlined, inner, shared

AT_LIMIT = 1e-6
"""Relative; a block that is held at its limit stands above it by rounding."""
FLOOR = 0.05
"""Lowest cap on dynamic power, of blocks and of everything above them (assumed, 0.01-0.1: clocks have a
lowest step)."""


@shared
def cap_blocks(rows, racks, loads, blocks, scratch, dt_s):
    """Set each block's caps as `cap_rows` does; nothing is to be done while all are below their rating."""
    it_w, limit_w, capped, busy = blocks.it_w, blocks.limit_w, blocks.capped, 0
    for b in range(it_w.size):
        busy |= int(it_w[b] > limit_w[b]) | capped[b]
    if busy == 0:
        blocks.waited_s[:] = 0.0
        return False
    return cap_rows(rows, racks, loads, blocks, scratch, dt_s)


@inner
def cap_rows(rows, racks, loads, blocks, scratch, dt_s):
    """Set each block's caps on the dynamic power of its loads so that it stays the control's margin
    inside its continuous rating; return whether any cap is active. A block below its rating and
    without a cap is left alone.

    An overload counts from the beginning of the step at whose end it is seen, and caps hold from the
    second at which the control's delay is over, as those of all other elements: a step in which they
    take hold has the mean of before and after, which is exact because power is linear in them.

    Loads give way in the order of `loads.rank`: each as far as it goes before the next one is
    touched, those of one rank by the same share.
    """
    active, over = False, 0
    for i in range(rows.start.size):
        b = rows.block[i]
        if blocks.it_w[b] <= blocks.limit_w[b] and blocks.capped[b] == 0:
            blocks.waited_s[b] = 0.0
            continue
        if blocks.it_w[b] > blocks.limit_w[b] * (1.0 + AT_LIMIT):
            blocks.over_s[b] += dt_s
            over = 1
        blocks.waited_s[b] += dt_s
        late = 0.0 if blocks.capped[b] == 1 else (blocks.delay_s[0] - blocks.waited_s[b]) / dt_s
        if late < 1.0:
            active = _cap_block(rows, racks, loads, blocks, scratch, i, max(late, 0.0), dt_s) or active
    blocks.any_over_s[0] += over * dt_s
    return active


@inner
def _cap_block(rows, racks, loads, blocks, scratch, i, late, dt_s):
    """Set the caps of the block of row `i`, which hold after a share `late` of the next step; return
    whether any is active."""
    b, full_w = rows.block[i], scratch.full_w
    drawn_all_w, full_all_w = _dynamic(rows, racks, loads, blocks, scratch, i, dt_s)
    if blocks.capped[b] == 1:
        blocks.capped_s[b] += dt_s
        blocks.held_j[b] += (full_all_w - drawn_all_w) * dt_s
    excess_w = blocks.it_w[b] - drawn_all_w + full_all_w - blocks.limit_w[b] * (1.0 - blocks.margin[0])
    blocks.cap[b, :] = 1.0
    blocks.capped[b] = 0
    if excess_w > 0.0 and full_all_w > 0.0:
        _cut(loads, blocks, b, full_w, excess_w)
        for load in range(full_w.size):
            blocks.cap[b, load] += late * (1.0 - blocks.cap[b, load])
        blocks.capped[b] = 1
    return blocks.capped[b] == 1


@inlined
def _dynamic(rows, racks, loads, blocks, scratch, i, dt_s):
    """Return the dynamic power in W of all loads in a row of racks, and what it would be without the
    block's caps; leave that of each load in `scratch`."""
    drawn_w, full_w, cap = scratch.drawn_w, scratch.full_w, blocks.cap[rows.block[i]]
    drawn_w[:] = 0.0
    each_w = rows.accelerators[i] * rows.chip_dynamic_w[i] + rows.host_dynamic_w[i]
    for r in range(rows.start[i], rows.stop[i]):
        load = racks.load[r]
        drawn_w[load] += racks.up_frac[r] * loads.dynamic_s[load] / dt_s * racks.power_cap[r] * each_w
    drawn_all_w, full_all_w = 0.0, 0.0
    for load in range(cap.size):
        full_w[load] = drawn_w[load] / cap[load]
        drawn_all_w += drawn_w[load]
        full_all_w += full_w[load]
    return drawn_all_w, full_all_w


@inlined
def _cut(loads, blocks, b, full_w, excess_w):
    for rank in range(loads.rank.size):
        group_w = 0.0
        for load in range(full_w.size):
            if loads.rank[load] == rank:
                group_w += full_w[load]
        if group_w <= 0.0:
            continue
        cap = max(1.0 - excess_w / group_w, FLOOR)
        for load in range(full_w.size):
            if loads.rank[load] == rank:
                blocks.cap[b, load] = cap
        excess_w -= (1.0 - cap) * group_w
        if excess_w <= 1e-9 * group_w:
            return
