"""Racks over one step: power from their loads, chip temperature.

Racks are taken four at a time, all values read before any is written and four sums kept apart, of
which the compiler makes vectors (3 times faster), and on unsigned indices: a signed one may be
negative, and the wrap-around that guards against would keep it from doing so.
"""

import math

import numpy as np

from simulator.kernels import gathering
from simulator.kernels.compiled import inlined, inner, shared
from simulator.kernels.rack_control import settled_clock
from simulator.kernels.rack_power import law_of, power

ONE, TWO, THREE, FOUR = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
COLDEST_C = -273.15
FADE = 0.22
"""Of the support racks that hot air should stop, or bring back, those that do so in a minute: the part of its
way that a hall's air goes in one, 1 - e^(-60 s / 240 s) (`AirSide.mass`). An answer at once would swing from
all to none (0.15-0.4, derived)."""
LAST = 0.02
"""Share of the support racks that goes with the last of them."""


@shared
def integrate(rows, racks, loads, blocks, heat, hall_air_c, scratch, dt_s):
    """Advance all racks by one step of `dt_s`; return the hottest junction and whether any chip
    reached its throttle point or its shutdown point.

    The load integrals must be complete to the end of the step. Power is exact for the mix of
    states a rack passed through, because it is linear in the two integrated quantities; the
    junction follows its equilibrium exponentially, C dT/dt = P - (T - T_coolant)/R, so the step
    size does not enter. Rows in whose coolant heat waits go by `gathering.heat_row`.
    """
    _open_step(blocks, loads, heat, hall_air_c, scratch, dt_s)
    hottest_c, throttling, tripping = COLDEST_C, False, False
    for segment in range(rows.segment_row.size - 1):
        row, end = rows.segment_row[segment], rows.segment_row[segment + 1]
        law, heats, liquid = law_of(row, rows), _heats(row, rows), rows.liquid_cooled[row] == 1
        for i in range(np.uint64(row), np.uint64(end)):
            b, intake_c = np.uint64(rows.block[i]), hall_air_c[np.uint64(rows.hall[i])]
            coolant_c = blocks.coolant_c[b] if liquid else intake_c
            waits = liquid and gathering.waits(b, blocks, heat)
            row_w, hot_c = _heat_row(
                i, b, law, liquid, waits, coolant_c, rows, racks, loads, blocks, heat, scratch, dt_s
            )
            coolant_c = blocks.coolant_c[b] if waits else coolant_c
            hbm_c = coolant_c + rows.hbm_rise[i] * (hot_c - coolant_c)
            slowing = hot_c > rows.throttle_full_c[i] or hbm_c > rows.hbm_full_c[i]
            if slowing and not waits and (not liquid or blocks.flow[b] == 1.0):
                hot_c = _slow_row(i, rows, racks, blocks, coolant_c, scratch)
            throttle, trip = _add_row(b, row_w, hot_c, coolant_c, heats, blocks, intake_c)
            hottest_c = max(hottest_c, hot_c)
            trip = trip or (waits and heat.row_met_s[b, gathering.TRIP] < math.inf)
            throttling, tripping = throttling or throttle, tripping or trip
    return hottest_c, throttling, tripping


@inlined
def _open_step(blocks, loads, heat, hall_air_c, scratch, dt_s):
    """Begin the sums of the blocks with their support racks, of which hot air leaves a share at work, and
    with the racks that start; find the means of the loads' activity."""
    share, it_w, air_w, support_w = blocks.support_share, blocks.it_w, blocks.air_w, blocks.support_w
    liquid_w, started_w = blocks.liquid_w, blocks.started_w
    for b in range(share.size):
        intake_c = hall_air_c[np.uint64(blocks.hall[b])]
        if share[b] < 1.0 or intake_c > blocks.support_c[b, 0]:
            _heat_support(b, blocks, intake_c)
    for b in range(share.size):
        liquid_w[b], air_w[b] = started_w[b, 0], support_w[b] * share[b] + started_w[b, 1]
        it_w[b] = liquid_w[b] + air_w[b]
        started_w[b, 0], started_w[b, 1] = blocks.starting_w[b, 0], blocks.starting_w[b, 1]
        heat.row_met_s[b, 0], heat.row_met_s[b, 1] = math.inf, math.inf
    blocks.hottest_c[:] = COLDEST_C
    blocks.hbm_hottest_c[:] = COLDEST_C
    for load in range(loads.on_s.size):
        scratch.on[load] = loads.on_s[load] / dt_s
        scratch.dynamic[load] = loads.dynamic_s[load] / dt_s


@inner
def _heat_support(b, blocks, intake_c):
    """Set the share of a block's support racks that works in hot air, a step on."""
    slow_c, off_c = blocks.support_c[b, 0], blocks.support_c[b, 1]
    target = min(max((off_c - intake_c) / (off_c - slow_c), 0.0), 1.0)
    share = blocks.support_share[b] + FADE * (target - blocks.support_share[b])
    share = target if abs(share - target) < LAST else share
    blocks.support_share[b] = share
    blocks.support_hot[b] = 0
    if blocks.support_w[b] > 0.0 and share < 1.0:
        blocks.support_hot[b] = 1 if share > 0.0 else 2


@inlined
def _heats(i, rows):
    """Return where the heat of racks like those of a row goes, and what it must not reach: the share
    that coolant takes, the memory's rise over the junction's, temperatures in degC of junction,
    memory and intake at which clocks fall and things switch off."""
    return (
        rows.liquid_frac[i], rows.hbm_rise[i], rows.throttle_start_c[i], rows.hbm_throttle_c[i],
        rows.shutdown_c[i], rows.hbm_shutdown_c[i], rows.intake_c[i],
    )  # fmt: skip


@inlined
def _heat_row(i, b, law, liquid, waits, coolant_c, rows, racks, loads, blocks, heat, scratch, dt_s):
    """Advance the racks of a row, which stand in runs of one load each, mostly in a single one; return
    their power in W and their hottest junction in degC."""
    first, last = np.uint64(rows.start[i]), np.uint64(rows.stop[i])
    off_rated = (blocks.flow[b] < 1.0 and liquid) or blocks.resistance_frac[b] != 1.0
    by_history, mixed = waits or off_rated or racks.row_touched[i] == 1, racks.row_load[i] < 0
    peak_c = COLDEST_C
    if waits:
        peak_c = gathering.heat_row(i, law, rows, racks, loads, blocks, heat, dt_s)
    elif by_history:
        _heat_by_history(i, law, coolant_c, rows, racks, loads, blocks, dt_s)
    r = first
    while r < last:
        load, upto = np.uint64(racks.load[r]), last
        if mixed:
            upto = _end_of_run(r, last, racks.load)
        if not by_history:
            does = scratch.on[load], scratch.dynamic[load], coolant_c
            _heat(r, upto, does, law, racks)
        if mixed:
            _add_energy(r, upto, load, racks.power_w, loads.energy_j, dt_s)
        r = upto
    found = _sum_and_max(first, last, racks.power_w, racks.junction_c, scratch.four)
    if not mixed:
        loads.energy_j[racks.row_load[i]] += found[0] * dt_s
    return found[0], max(found[1], peak_c)


@inlined
def _end_of_run(r, last, load_of):
    """Return the first rack after `r`, or `last`, that is in another load."""
    upto = r + ONE
    while upto < last and load_of[upto] == load_of[r]:
        upto += ONE
    return upto


@inlined
def _add_energy(first, last, load, power_w, energy_j, dt_s):
    sum_j = energy_j[load]
    for r in range(first, last):
        sum_j += power_w[r] * dt_s
    energy_j[load] = sum_j


@inlined
def _heat(first, last, does, law, racks):
    """Set power and junction temperature of racks in one load, each as if it had been in it all step
    and its coolant flowed. Sums taken on the way would leave vectors of two.

    `does` is (on, dynamic, coolant in degC).
    """
    up_frac, power_cap, resistance = racks.up_frac, racks.power_cap, racks.resistance_k_w
    power_w, junction_c = racks.power_w, racks.junction_c
    whole = first + (last - first) // FOUR * FOUR
    for r in range(first, whole, FOUR):
        up, cap = _read(up_frac, r), _read(power_cap, r)
        k_w, before = _read(resistance, r), _read(junction_c, r)
        w0, c0 = _settle(up[0], cap[0], k_w[0], before[0], does, law)
        w1, c1 = _settle(up[1], cap[1], k_w[1], before[1], does, law)
        w2, c2 = _settle(up[2], cap[2], k_w[2], before[2], does, law)
        w3, c3 = _settle(up[3], cap[3], k_w[3], before[3], does, law)
        _write(power_w, r, (w0, w1, w2, w3))
        _write(junction_c, r, (c0, c1, c2, c3))
    for r in range(whole, last):
        power_w[r], junction_c[r] = _settle(
            up_frac[r], power_cap[r], resistance[r], junction_c[r], does, law
        )


@inlined
def _read(column, r):
    return column[r], column[r + ONE], column[r + TWO], column[r + THREE]


@inlined
def _write(column, r, values):
    column[r], column[r + ONE] = values[0], values[1]
    column[r + TWO], column[r + THREE] = values[2], values[3]


@inlined
def _settle(up, cap, k_w, before_c, does, law):
    """Return power in W and junction in degC of a rack at the end of a step: the share of it that is
    up, the cap on its dynamic power, K per W and junction before."""
    on, dynamic, coolant_c = does
    chip_w, power_w = power(up, on, dynamic * cap, before_c, law)
    settled_c = coolant_c + (k_w * chip_w if up > 0.0 else 0.0)
    return power_w, before_c + law[3] * (settled_c - before_c)


@inner
def _heat_by_history(i, law, coolant_c, rows, racks, loads, blocks, dt_s):
    """Set the same for a row in which racks moved within the step, whose coolant stands still or is
    off its rated flow; without flow, for that share of the step, a chip heats at P/C until it
    switches itself off."""
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
        before_c = racks.junction_c[r]
        chip_w, racks.power_w[r] = power(
            1.0, on_s / dt_s, dynamic_s / dt_s * racks.power_cap[r], before_c, law
        )
        if up > 0.0:
            chip_w /= up  # the integrals are per chip installed
        settled_c = coolant_c + resistance_frac * racks.resistance_k_w[r] * chip_w
        after_c = before_c + pull * (settled_c - before_c)
        if heating > 0.0:
            after_c = min(after_c + heating * chip_w, max(rows.shutdown_c[i], before_c))
        racks.junction_c[r] = after_c
    racks.row_touched[i] = 0


@inner
def _slow_row(i, rows, racks, blocks, coolant_c, scratch):
    """Let chips of a row that passed their slowdown within the step, or whose memory did, for they have more
    to do or give their heat off less well than at its start, go no further than where they settle as they
    slow; return the hottest junction. A chip slows within milliseconds, the controls of the next step act on
    all the rest."""
    junction_c, exponent, rise = racks.junction_c, rows.power_exponent[i], rows.hbm_rise[i]
    limits_c = (rows.throttle_start_c[i], rows.throttle_full_c[i], rows.shutdown_c[i])
    hbm_c = (rows.hbm_throttle_c[i], rows.hbm_full_c[i], rows.hbm_shutdown_c[i])
    start_c, full_c = limits_c[0], limits_c[1]
    if rise > 0.0:  # where the memory reaches its own limits
        start_c = min(start_c, coolant_c + (hbm_c[0] - coolant_c) / rise)
        full_c = min(full_c, coolant_c + (hbm_c[1] - coolant_c) / rise)
    flowing, hottest_c = blocks.resistance_frac[rows.block[i]], COLDEST_C
    for r in range(rows.start[i], rows.stop[i]):
        if junction_c[r] > full_c and racks.up_frac[r] > 0.0:
            load, k_w = racks.load[r], flowing * racks.resistance_k_w[r]
            leak_w = rows.leakage_w_k[i] * (full_c - rows.leakage_ref_c[i])
            static_w = scratch.on[load] * (rows.chip_idle_w[i] + leak_w)
            dynamic_w = scratch.dynamic[load] * rows.chip_dynamic_w[i]
            clock = min(
                settled_clock(coolant_c, k_w, static_w, dynamic_w, exponent, limits_c),
                settled_clock(coolant_c, rise * k_w, static_w, dynamic_w, exponent, hbm_c),
            )
            settled_c = coolant_c + k_w * (static_w + dynamic_w * clock**exponent)
            junction_c[r] = min(junction_c[r], max(settled_c, start_c))
        hottest_c = max(hottest_c, junction_c[r])
    return hottest_c


@inlined
def _add_row(b, row_w, hot_c, coolant_c, heats, blocks, intake_c):
    """Add a row to its block; return whether a chip or its memory passed its throttle point, and
    whether one of them, or a rack in its intake, passed its shutdown: of racks that are on.

    Memory stands over its coolant by a share of the junction's rise, and a row has one coolant, so
    the hottest junction of a row has the hottest memory.
    """
    liquid, hbm_rise, throttle_c, hbm_throttle_c, off_c, hbm_off_c, intake_off_c = heats
    blocks.it_w[b] += row_w
    blocks.liquid_w[b] += row_w * liquid
    blocks.air_w[b] += row_w * (1.0 - liquid)
    blocks.hottest_c[b] = max(blocks.hottest_c[b], hot_c)
    hbm_c = coolant_c + hbm_rise * (hot_c - coolant_c)
    blocks.hbm_hottest_c[b] = max(blocks.hbm_hottest_c[b], hbm_c)
    throttling = hot_c > throttle_c or hbm_c > hbm_throttle_c
    tripping = hot_c >= off_c or hbm_c >= hbm_off_c or intake_c >= intake_off_c
    return row_w > 0.0 and throttling, row_w > 0.0 and tripping


@inlined
def _sum_and_max(first, last, power_w, junction_c, four):
    """Return the sum of one column and the largest of another over a row; `four` is room for what is
    found of every fourth rack, without which the compiler makes vectors of two."""
    w, c = (0.0, 0.0, 0.0, 0.0), (COLDEST_C, COLDEST_C, COLDEST_C, COLDEST_C)
    whole = first + (last - first) // FOUR * FOUR
    for r in range(first, whole, FOUR):
        rack_w = _read(power_w, r)
        w = w[0] + rack_w[0], w[1] + rack_w[1], w[2] + rack_w[2], w[3] + rack_w[3]
    _write(four, np.uint64(0), w)
    for r in range(first, whole, FOUR):
        rack_c = _read(junction_c, r)
        c = (
            max(c[0], rack_c[0]), max(c[1], rack_c[1]), max(c[2], rack_c[2]), max(c[3], rack_c[3])
        )  # fmt: skip
    _write(four, FOUR, c)
    w, c = _read(four, np.uint64(0)), _read(four, FOUR)
    sum_w, hottest_c = w[0], c[0]
    for r in range(whole, last):
        sum_w += power_w[r]
        hottest_c = max(hottest_c, junction_c[r])
    return (sum_w + w[1]) + (w[2] + w[3]), max(max(hottest_c, c[1]), max(c[2], c[3]))


@shared
def settle_flow(blocks):
    """Let coolant that stopped within the step stand still from the next on."""
    for b in range(blocks.flow.size):
        if blocks.flow[b] < 1.0:
            blocks.flow[b] = 0.0
