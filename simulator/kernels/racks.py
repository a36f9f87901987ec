"""Racks over one step: power from their loads, chip temperature.

The loops over the fleet run over whole runs of equal racks and on unsigned indices: a signed index
may be negative, and the wrap-around that guards against keeps the compiler from using vector
instructions (5 times slower).
"""

import numpy as np
from numba import njit

from simulator.kernels.compiled import inlined, inner, shared
from simulator.kernels.rack_control import settled_clock

FADE = 0.22
"""Of the support racks that hot air should stop, or bring back, those that do so in a minute: the part of its
way that a hall's air goes in one, 1 - e^(-60 s / 240 s) (`AirSide.mass`). An answer at once would swing from
all to none (0.15-0.4, derived)."""
LAST = 0.02
"""Share of the support racks that goes with the last of them."""


@shared
def integrate(rows, racks, loads, blocks, hall_air_c, scratch, dt_s):
    """Advance all racks by one step of `dt_s`; return the hottest junction and whether any chip
    reached its throttle point or its shutdown point.

    The load integrals must be complete to the end of the step. Power is exact for the mix of
    states a rack passed through, because it is linear in the two integrated quantities; the
    junction follows its equilibrium exponentially, C dT/dt = P - (T - T_coolant)/R, so the step
    size does not enter.
    """
    _open_step(blocks, loads, hall_air_c, scratch, dt_s)
    history, chunk = racks.row_history, scratch.rack
    room = chunk.shape[1]
    for i in range(rows.start.size):
        still = rows.liquid_cooled[i] == 1 and blocks.flow[rows.block[i]] < 1.0
        unrated = blocks.resistance_frac[rows.block[i]] != 1.0
        history[i] = 1 if still or unrated or racks.row_touched[i] == 1 else 0
    hottest_c, throttling, tripping = -273.15, False, False
    for k in range(rows.segment_row.size - 1):
        row, end = rows.segment_row[k], rows.segment_row[k + 1]
        while row < end:
            upto, offset = row + 1, rows.start[row]
            while upto < end and rows.stop[upto] - offset <= room:
                upto += 1
            _spread(row, upto, rows, racks, blocks, hall_air_c, scratch)
            _heat(row, upto, rows, racks, chunk)
            for i in range(row, upto):
                if history[i] == 1:
                    _heat_by_history(i, offset, rows, racks, loads, blocks, chunk, dt_s)
            hot, throttle, trip = _sum_rows(
                row, upto, rows, racks, loads, blocks, hall_air_c, scratch, dt_s
            )
            hottest_c = max(hottest_c, hot)
            throttling, tripping = throttling or throttle, tripping or trip
            row = upto
    return hottest_c, throttling, tripping


@inlined
def _open_step(blocks, loads, hall_air_c, scratch, dt_s):
    """Begin the sums of the blocks with their support racks, of which hot air leaves a share at work;
    find the means of the loads' activity."""
    for b in range(blocks.it_w.size):
        slow_c, off_c = blocks.support_c[b, 0], blocks.support_c[b, 1]
        target = min(max((off_c - hall_air_c[blocks.hall[b]]) / (off_c - slow_c), 0.0), 1.0)
        share = blocks.support_share[b] + FADE * (target - blocks.support_share[b])
        share = target if abs(share - target) < LAST else share
        blocks.support_share[b] = share
        blocks.support_hot[b] = 0
        if blocks.support_w[b] > 0.0 and share < 1.0:
            blocks.support_hot[b] = 1 if share > 0.0 else 2
        blocks.it_w[b] = blocks.air_w[b] = blocks.support_w[b] * share
        blocks.liquid_w[b] = 0.0
        blocks.hottest_c[b] = blocks.hbm_hottest_c[b] = -273.15
    for load in range(loads.on_s.size):
        scratch.on[load] = loads.on_s[load] / dt_s
        scratch.dynamic[load] = loads.dynamic_s[load] / dt_s


@inlined
def _spread(row, upto, rows, racks, blocks, hall_air_c, scratch):
    """Spread the coolant of each row, and the activity of its loads, over its racks; costs less
    than gathering them where they are used."""
    on, dynamic, chunk = scratch.on, scratch.dynamic, scratch.rack
    rack_on, rack_dynamic, rack_coolant_c, before_c = chunk[0], chunk[1], chunk[2], chunk[3]
    load_of, junction_c, row_load = racks.load, racks.junction_c, racks.row_load
    start, stop, offset = rows.start, rows.stop, rows.start[row]
    liquid, block, hall, coolant_of = rows.liquid_cooled, rows.block, rows.hall, blocks.coolant_c
    history = racks.row_history
    for i in range(row, upto):
        load, coolant_c = row_load[i], hall_air_c[hall[i]]
        if liquid[i] == 1:
            coolant_c = coolant_of[block[i]]
        first, last = np.uint64(start[i] - offset), np.uint64(stop[i] - offset)
        for r in range(first, last):
            rack_coolant_c[r] = coolant_c
        if load >= 0:
            row_on, row_dynamic = on[load], dynamic[load]
            for r in range(first, last):
                rack_on[r] = row_on
                rack_dynamic[r] = row_dynamic
        else:
            for r in range(first, last):
                one = np.uint32(load_of[r + np.uint64(offset)])
                rack_on[r] = on[one]
                rack_dynamic[r] = dynamic[one]
        if history[i] == 1:
            for r in range(first, last):
                before_c[r] = junction_c[r + np.uint64(offset)]


@njit(cache=True, inline="always")
def _constants(i, rows):
    """Return the power law of a row's racks as (chip, host, shelf) coefficients."""
    leak_w_k, rating_w = rows.leakage_w_k[i], rows.shelf_rating_w[i]
    static_w = rows.chip_idle_w[i] - leak_w_k * rows.leakage_ref_c[i]
    return (
        (rows.accelerators[i], static_w, leak_w_k, rows.chip_dynamic_w[i]),
        (rows.host_idle_w[i], rows.host_dynamic_w[i]),
        (rating_w * rows.shelf_no_load[i], 1.0 + rows.shelf_linear[i],
         rows.shelf_load[i] / rating_w),
    )


@njit(cache=True, inline="always")
def _power(up, on, dynamic, junction_c, chip, host, shelf):
    """Return the power of one chip in service and of its rack in W."""
    chips, static_w, leak_w_k, dynamic_w = chip
    chip_w = on * (static_w + leak_w_k * junction_c) + dynamic * dynamic_w
    dc_w = up * (chips * chip_w + on * host[0] + dynamic * host[1])
    fixed_w = shelf[0] if dc_w > 0.0 else 0.0
    return chip_w, fixed_w + dc_w * (shelf[1] + shelf[2] * dc_w)


@inlined
def _heat(row, upto, rows, racks, chunk):
    """Set power and junction temperature of equal racks, each as if it had been in its load all
    step and its coolant flowed."""
    first, last = rows.start[row], rows.stop[upto - 1]
    chip, host, shelf = _constants(row, rows)
    pull = rows.decay[row]
    on, dynamic, coolant_c = chunk[0], chunk[1], chunk[2]
    up, cap = racks.up_frac[first:last], racks.power_cap[first:last]
    junction_c, resistance = racks.junction_c[first:last], racks.resistance_k_w[first:last]
    power_w = racks.power_w[first:last]
    for r in range(up.size):
        before_c = junction_c[r]
        chip_w, power_w[r] = _power(
            up[r], on[r], dynamic[r] * cap[r], before_c, chip, host, shelf
        )
        settled_c = coolant_c[r] + (resistance[r] * chip_w if up[r] > 0.0 else 0.0)
        junction_c[r] = before_c + pull * (settled_c - before_c)


@inner
def _heat_by_history(i, offset, rows, racks, loads, blocks, chunk, dt_s):
    """Set the same for a row in which racks moved within the step, whose coolant stands still or is
    off its rated flow; without flow, for that share of the step, a chip heats at P/C until it
    switches itself off."""
    chip, host, shelf = _constants(i, rows)
    pull, heating = rows.decay[i], 0.0
    resistance_frac = blocks.resistance_frac[rows.block[i]]
    if resistance_frac != 1.0:
        pull = 1.0 - (1.0 - pull) ** (1.0 / resistance_frac)
    if rows.liquid_cooled[i] == 1:
        flow = blocks.flow[rows.block[i]]
        pull = 1.0 - (1.0 - pull) ** flow
        heating = (1.0 - flow) * dt_s / rows.heat_capacity_j_k[i]
    for r in range(rows.start[i], rows.stop[i]):
        load, up = racks.load[r], racks.up_frac[r]
        on_s, dynamic_s = up * loads.on_s[load], up * loads.dynamic_s[load]
        if racks.row_touched[i] == 1:
            on_s += racks.on_s[r] - up * racks.on_joined[r]
            dynamic_s += racks.dynamic_s[r] - up * racks.dynamic_joined[r]
        before_c = chunk[3, r - offset]
        chip_w, racks.power_w[r] = _power(
            1.0, on_s / dt_s, dynamic_s / dt_s * racks.power_cap[r], before_c, chip, host, shelf
        )
        if up > 0.0:
            chip_w /= up  # the integrals are per chip installed
        settled_c = chunk[2, r - offset] + resistance_frac * racks.resistance_k_w[r] * chip_w
        after_c = before_c + pull * (settled_c - before_c)
        if heating > 0.0:
            after_c = min(after_c + heating * chip_w, max(rows.shutdown_c[i], before_c))
        racks.junction_c[r] = after_c
    racks.row_touched[i] = 0


@inner
def _slow_row(i, rows, racks, blocks, coolant_c, scratch):
    """Let chips of a row that passed their slowdown within the step, for they have more to do or give their
    heat off less well than at its start, go no further than where they settle as they slow; return the
    hottest junction. A chip slows within milliseconds, the controls of the next step act on all the rest."""
    junction_c, exponent = racks.junction_c, rows.power_exponent[i]
    limits_c = (rows.throttle_start_c[i], rows.throttle_full_c[i], rows.shutdown_c[i])
    flowing, hottest_c = blocks.resistance_frac[rows.block[i]], -273.15
    for r in range(rows.start[i], rows.stop[i]):
        if junction_c[r] > limits_c[1] and racks.up_frac[r] > 0.0:
            load, resistance_k_w = racks.load[r], flowing * racks.resistance_k_w[r]
            leak_w = rows.leakage_w_k[i] * (limits_c[1] - rows.leakage_ref_c[i])
            static_w = scratch.on[load] * (rows.chip_idle_w[i] + leak_w)
            dynamic_w = scratch.dynamic[load] * rows.chip_dynamic_w[i]
            clock = settled_clock(coolant_c, resistance_k_w, static_w, dynamic_w, exponent, limits_c)
            settled_c = coolant_c + resistance_k_w * (static_w + dynamic_w * clock**exponent)
            junction_c[r] = min(junction_c[r], max(settled_c, limits_c[0]))
        hottest_c = max(hottest_c, junction_c[r])
    return hottest_c


@inlined
def _sum_rows(row, upto, rows, racks, loads, blocks, hall_air_c, scratch, dt_s):
    """Sum racks into blocks and loads; return the hottest junction and what it or its memory passed.

    Memory stands over its coolant by a share of the junction's rise, and a row has one coolant, so
    the hottest junction of a row has the hottest memory.
    """
    power_w, junction_c = racks.power_w, racks.junction_c
    row_load, load_of, energy_j = racks.row_load, racks.load, loads.energy_j
    start, stop, block, liquid_frac = rows.start, rows.stop, rows.block, rows.liquid_frac
    it_w, liquid_w, air_w, block_hottest_c = (
        blocks.it_w, blocks.liquid_w, blocks.air_w, blocks.hottest_c
    )
    throttle_c, shutdown_c = rows.throttle_start_c, rows.shutdown_c
    hottest_c, throttling, tripping = -273.15, False, False
    for i in range(row, upto):
        first, last = np.uint64(start[i]), np.uint64(stop[i])
        row_w, hottest = _sum_and_max(first, last, power_w, junction_c)
        if row_load[i] >= 0:
            energy_j[row_load[i]] += row_w * dt_s
        else:
            for r in range(first, last):
                energy_j[np.uint32(load_of[r])] += power_w[r] * dt_s
        b, liquid = block[i], liquid_frac[i]
        it_w[b] += row_w
        liquid_w[b] += row_w * liquid
        air_w[b] += row_w * (1.0 - liquid)
        coolant_c = blocks.coolant_c[b] if rows.liquid_cooled[i] == 1 else hall_air_c[rows.hall[i]]
        if hottest > rows.throttle_full_c[i] and (rows.liquid_cooled[i] == 0 or blocks.flow[b] == 1.0):
            hottest = _slow_row(i, rows, racks, blocks, coolant_c, scratch)
        block_hottest_c[b] = max(block_hottest_c[b], hottest)
        hottest_c = max(hottest_c, hottest)
        hbm_c = coolant_c + rows.hbm_rise[i] * (hottest - coolant_c)
        blocks.hbm_hottest_c[b] = max(blocks.hbm_hottest_c[b], hbm_c)
        throttling = throttling or hottest > throttle_c[i] or hbm_c > rows.hbm_throttle_c[i]
        tripping = tripping or hottest >= shutdown_c[i] or hbm_c >= rows.hbm_shutdown_c[i]
        if row_w > 0.0 and rows.liquid_cooled[i] == 1:
            tripping = tripping or hall_air_c[rows.hall[i]] >= rows.intake_c[i]
    return hottest_c, throttling, tripping


@inlined
def _sum_and_max(first, last, power_w, junction_c):
    """Return the sum of one column and the largest of another over a row, four racks at a time:
    one running sum would wait four cycles for itself at every rack."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    p, q, s, t = -273.15, -273.15, -273.15, -273.15
    whole = first + (last - first) // np.uint64(4) * np.uint64(4)
    for r in range(first, whole, np.uint64(4)):
        a += power_w[r]
        b += power_w[r + np.uint64(1)]
        c += power_w[r + np.uint64(2)]
        d += power_w[r + np.uint64(3)]
        p = max(p, junction_c[r])
        q = max(q, junction_c[r + np.uint64(1)])
        s = max(s, junction_c[r + np.uint64(2)])
        t = max(t, junction_c[r + np.uint64(3)])
    for r in range(whole, last):
        a += power_w[r]
        p = max(p, junction_c[r])
    return (a + b) + (c + d), max(max(p, q), max(s, t))


@shared
def settle_flow(blocks):
    """Let coolant that stopped within the step stand still from the next on."""
    for b in range(blocks.flow.size):
        if blocks.flow[b] < 1.0:
            blocks.flow[b] = 0.0
