"""Racks over one step: power from their loads, chip temperature, throttling and caps.

The loops over the fleet run over whole runs of equal racks and on unsigned indices: a signed index
may be negative, and the wrap-around that guards against keeps the compiler from using vector
instructions (5 times slower).
"""

import numpy as np
from numba import njit

CHUNK = 1024
"""Racks taken through all passes at a time, so that their columns stay in the nearest cache."""


@njit(cache=True)
def integrate(rows, racks, loads, blocks, hall_air_c, dt_s):
    """Advance all racks by one step of `dt_s`; return the hottest junction and whether any chip
    reached its throttle point or its shutdown point.

    The load integrals must be complete to the end of the step. Power is exact for the mix of
    states a rack passed through, because it is linear in the two integrated quantities; the
    junction follows its equilibrium exponentially, C dT/dt = P - (T - T_coolant)/R, so the step
    size does not enter.
    """
    blocks.it_w[:] = blocks.support_w
    blocks.air_w[:] = blocks.support_w
    blocks.liquid_w[:] = 0.0
    blocks.hottest_c[:] = -273.15
    room, history = CHUNK, racks.row_history
    for i in range(rows.start.size):
        room = max(room, rows.stop[i] - rows.start[i])
        still = rows.liquid_cooled[i] == 1 and blocks.flow[rows.block[i]] < 1.0
        history[i] = 1 if still or racks.row_touched[i] == 1 else 0
    chunk = np.empty((4, room))  # on, dynamic, coolant and junction before, of the racks at hand
    activity = (loads.on_s / dt_s, loads.dynamic_s / dt_s)
    hottest_c, throttling, tripping = -273.15, False, False
    for k in range(rows.segment_row.size - 1):
        row, end = rows.segment_row[k], rows.segment_row[k + 1]
        while row < end:
            upto, offset = row + 1, rows.start[row]
            while upto < end and rows.stop[upto] - offset <= room:
                upto += 1
            _spread(row, upto, rows, racks, blocks, hall_air_c, activity, chunk)
            _heat(row, upto, rows, racks, chunk)
            for i in range(row, upto):
                if history[i] == 1:
                    _heat_by_history(i, offset, rows, racks, loads, blocks, chunk, dt_s)
            hot, throttle, trip = _sum_rows(row, upto, rows, racks, loads, blocks, dt_s)
            hottest_c = max(hottest_c, hot)
            throttling, tripping = throttling or throttle, tripping or trip
            row = upto
    return hottest_c, throttling, tripping


@njit(cache=True)
def _spread(row, upto, rows, racks, blocks, hall_air_c, activity, chunk):
    """Spread the coolant of each row, and the activity of its loads, over its racks; costs less
    than gathering them where they are used."""
    on, dynamic = activity
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
def _power(on, dynamic, junction_c, chip, host, shelf):
    """Return the power of one chip and of its rack in W."""
    chips, static_w, leak_w_k, dynamic_w = chip
    chip_w = on * (static_w + leak_w_k * junction_c) + dynamic * dynamic_w
    dc_w = chips * chip_w + on * host[0] + dynamic * host[1]
    fixed_w = shelf[0] if on > 0.0 else 0.0
    return chip_w, fixed_w + dc_w * (shelf[1] + shelf[2] * dc_w)


@njit(cache=True)
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
        dynamic_frac = up[r] * dynamic[r] * cap[r]
        chip_w, power_w[r] = _power(up[r] * on[r], dynamic_frac, before_c, chip, host, shelf)
        settled_c = coolant_c[r] + resistance[r] * chip_w
        junction_c[r] = before_c + pull * (settled_c - before_c)


@njit(cache=True)
def _heat_by_history(i, offset, rows, racks, loads, blocks, chunk, dt_s):
    """Set the same for a row in which racks moved within the step or whose coolant stands still;
    without flow, for that share of the step, a chip heats at P/C until it switches itself off."""
    chip, host, shelf = _constants(i, rows)
    pull, heating = rows.decay[i], 0.0
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
            on_s / dt_s, dynamic_s / dt_s * racks.power_cap[r], before_c, chip, host, shelf
        )
        settled_c = chunk[2, r - offset] + racks.resistance_k_w[r] * chip_w
        after_c = before_c + pull * (settled_c - before_c)
        if heating > 0.0:
            after_c = min(after_c + heating * chip_w, max(rows.shutdown_c[i], before_c))
        racks.junction_c[r] = after_c
    racks.row_touched[i] = 0


@njit(cache=True)
def _sum_rows(row, upto, rows, racks, loads, blocks, dt_s):
    """Sum racks into blocks and loads; return the hottest junction and what it passed."""
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
        block_hottest_c[b] = max(block_hottest_c[b], hottest)
        hottest_c = max(hottest_c, hottest)
        throttling = throttling or hottest > throttle_c[i]
        tripping = tripping or hottest >= shutdown_c[i]
    return hottest_c, throttling, tripping


@njit(cache=True)
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


@njit(cache=True)
def allowed_speed(junction_c, start_c, full_c, shutdown_c):
    """Return the clock fraction a chip allows at `junction_c`: 1 below the throttle point, 0.5 at
    the hardware slowdown, 0 at shutdown, linear between."""
    if junction_c <= start_c:
        return 1.0
    if junction_c <= full_c:
        return 1.0 - 0.5 * (junction_c - start_c) / (full_c - start_c)
    if junction_c < shutdown_c:
        return 0.5 * (shutdown_c - junction_c) / (shutdown_c - full_c)
    return 0.0


@njit(cache=True)
def settled_speed(coolant_c, resistance_k_w, static_w, dynamic_w, exponent, limits_c):
    """Return the speed at which clock and junction temperature agree.

    Finds s = allowed(T(s)) with T(s) = T_coolant + R (P_static + P_dynamic s^exponent) by
    bisection; unique because T rises with s and the allowed speed falls with T. The chip's time
    constant (about 15 s) is short against a step, so the settled point stands for the step.
    """
    start_c, full_c, shutdown_c = limits_c
    if coolant_c + resistance_k_w * (static_w + dynamic_w) <= start_c:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        junction_c = coolant_c + resistance_k_w * (static_w + dynamic_w * middle**exponent)
        if allowed_speed(junction_c, start_c, full_c, shutdown_c) > middle:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@njit(cache=True)
def cap_blocks(rows, racks, loads, blocks, dt_s):
    """Set each block's cap on dynamic power so that it stays inside its continuous rating; return
    whether any cap is active. A block below its rating and without a cap is left alone."""
    active = False
    for i in range(rows.start.size):
        b = rows.block[i]
        if blocks.it_w[b] <= blocks.limit_w[b] and blocks.cap[b] == 1.0:
            continue
        dynamic = 0.0
        for r in range(rows.start[i], rows.stop[i]):
            load = racks.load[r]
            dynamic += racks.up_frac[r] * loads.dynamic_s[load] / dt_s * racks.power_cap[r]
        drawn_w = dynamic * (
            rows.accelerators[i] * rows.chip_dynamic_w[i] + rows.host_dynamic_w[i]
        )
        full_w = drawn_w / blocks.cap[b]
        excess_w = blocks.it_w[b] - drawn_w + full_w - blocks.limit_w[b]
        blocks.cap[b] = 1.0
        if excess_w > 0.0 and full_w > 0.0:
            blocks.cap[b] = max(1.0 - excess_w / full_w, 0.01)
            active = True
    return active


@njit(cache=True)
def control(rows, racks, loads, blocks, hall_air_c):
    """Set speed and power cap of every rack, and the speed of every load, for the next step.

    A synchronous load moves at the pace of its slowest member and the others wait, so their
    dynamic power falls with the pace; an asynchronous one loses only the mean.
    """
    loads.speed[:] = 1.0
    loads.heat_share[:] = 0.0
    lost = np.zeros(loads.speed.size)
    lost_heat = np.zeros(loads.speed.size)
    for i in range(rows.start.size):
        b = rows.block[i]
        liquid = rows.liquid_cooled[i] == 1
        coolant_c = blocks.coolant_c[b] if liquid else hall_air_c[rows.hall[i]]
        exponent = rows.power_exponent[i]
        limits_c = (rows.throttle_start_c[i], rows.throttle_full_c[i], rows.shutdown_c[i])
        block_speed = blocks.cap[b] ** (1.0 / exponent)
        for r in range(rows.start[i], rows.stop[i]):
            load = racks.load[r]
            static_w = loads.on[load] * rows.chip_idle_w[i]
            static_w += rows.leakage_w_k[i] * (racks.junction_c[r] - rows.leakage_ref_c[i])
            dynamic_w = loads.dynamic_frac[load] * loads.cap[load] * rows.chip_dynamic_w[i]
            heat_speed = settled_speed(
                coolant_c, racks.resistance_k_w[r], static_w, dynamic_w, exponent, limits_c
            )
            speed = min(heat_speed, block_speed)
            racks.speed[r] = speed
            racks.power_cap[r] = min(heat_speed**exponent, blocks.cap[b])
            if speed < 1.0:
                members = rows.accelerators[i] * racks.up_frac[r]
                lost[load] += members * (1.0 - speed)
                if heat_speed < block_speed:
                    lost_heat[load] += members * (1.0 - speed)
                if loads.synchronous[load] == 1:
                    loads.speed[load] = min(loads.speed[load], speed)
    _share_loss(loads, lost, lost_heat)
    for r in range(racks.load.size):
        load = racks.load[r]
        if loads.synchronous[load] == 1 and loads.speed[load] < racks.speed[r]:
            racks.power_cap[r] = min(racks.power_cap[r], loads.speed[load])


@njit(cache=True)
def release(racks, loads):
    """Lift all heat throttling and block caps."""
    racks.power_cap[:] = 1.0
    racks.speed[:] = 1.0
    loads.speed[:] = 1.0
    loads.heat_share[:] = 0.0


@njit(cache=True)
def _share_loss(loads, lost, lost_heat):
    for load in range(lost.size):
        if lost[load] > 0.0:
            loads.heat_share[load] = lost_heat[load] / lost[load]
            if loads.synchronous[load] == 0 and loads.count[load] > 0.0:
                loads.speed[load] = 1.0 - lost[load] / loads.count[load]


@njit(cache=True)
def complete_loads(loads, end_s):
    """Bring the step integrals of every load up to `end_s`."""
    for load in range(loads.on.size):
        flush_load(loads, load, end_s)


@njit(cache=True)
def flush_load(loads, load, now_s):
    """Bring the step integrals of one load up to `now_s`; call before changing any of its
    columns."""
    elapsed_s = now_s - loads.since_s[load]
    if elapsed_s <= 0.0:
        return
    loads.on_s[load] += loads.on[load] * elapsed_s
    loads.dynamic_s[load] += loads.dynamic_frac[load] * loads.cap[load] * elapsed_s
    loads.running_s[load] += loads.running[load] * elapsed_s
    member_s = loads.count[load] * elapsed_s
    loads.member_s[load] += member_s
    for category in range(loads.share.shape[1]):
        loads.step_hours[load, category] += member_s * loads.share[load, category]
    loads.since_s[load] = now_s


@njit(cache=True)
def account_loads(loads):
    """Add the completed step to the accounts of every load and clear its integrals.

    Productive time splits into useful, waiting for work (idle), lost to heat and lost to caps; the
    four sum to it.
    """
    throttled, capped = 0.0, 0.0
    for load in range(loads.on.size):
        productive = loads.step_hours[load, 0]
        cap_speed = loads.cap[load] ** (1.0 / loads.power_exponent[load])
        speed = loads.speed[load] * cap_speed
        busy = productive * loads.busy[load]
        slowed = busy * (1.0 - loads.speed[load])
        heat = slowed * loads.heat_share[load]
        caps = slowed - heat + busy * loads.speed[load] * (1.0 - cap_speed)
        loads.hours[load, 0] += busy - heat - caps
        loads.hours[load, 1] += productive - busy
        loads.hours[load, 7] += heat
        loads.hours[load, 8] += caps
        for category in range(1, loads.hours.shape[1]):
            loads.hours[load, category] += loads.step_hours[load, category]
        loads.work_s[load] += loads.running_s[load] * speed
        throttled += heat
        capped += caps
    return throttled, capped


@njit(cache=True)
def settle_flow(blocks):
    """Let coolant that stopped within the step stand still from the next on."""
    for b in range(blocks.flow.size):
        if blocks.flow[b] < 1.0:
            blocks.flow[b] = 0.0


@njit(cache=True)
def clear_loads(loads):
    """Start a new step."""
    loads.on_s[:] = 0.0
    loads.dynamic_s[:] = 0.0
    loads.running_s[:] = 0.0
    loads.member_s[:] = 0.0
    loads.step_hours[:, :] = 0.0


@njit(cache=True)
def find_racks(racks, wanted, least_up):
    """Return the racks whose load is `wanted` (loads,) and of which at least `least_up` is in
    service, ascending."""
    found = np.empty(racks.load.size, np.int64)
    n = 0
    for r in range(racks.load.size):
        if wanted[racks.load[r]] and racks.up_frac[r] >= least_up:
            found[n] = r
            n += 1
    return found[:n].copy()


@njit(cache=True)
def move_racks(chosen, to_load, up_frac, now_s, rows, racks, loads, down_load):
    """Move racks to another load and set the share of each that is in service.

    Parameters
    ----------
    chosen, to_load : int64 (n,)
        Racks and the load each joins.
    up_frac : float64 (n,)
        Accelerators in service over installed, from now on; the rest counts under `down_load`.
    down_load : int64 (racks,)
        The pseudo-load of what is out of service.
    """
    for j in range(chosen.size):
        _move(chosen[j], to_load[j], up_frac[j], now_s, rows, racks, loads, down_load)
    for j in range(chosen.size):
        row = racks.row[chosen[j]]
        if j + 1 < chosen.size and racks.row[chosen[j + 1]] == row:
            continue
        load = racks.load[rows.start[row]]
        racks.row_load[row] = load
        for r in range(rows.start[row], rows.stop[row]):
            if racks.load[r] != load:
                racks.row_load[row] = -1


@njit(cache=True)
def refresh_racks(
    chosen, now_s, rows, racks, loads, down_load, servers_down, rack_servers, out
):
    """Bring the share in service of racks in line with servers down and causes that take the whole
    rack out."""
    for j in range(chosen.size):
        r = chosen[j]
        up_frac = max(1.0 - servers_down[r] / rack_servers[r], 0.0) if out[r] <= 0 else 0.0
        _move(r, racks.load[r], up_frac, now_s, rows, racks, loads, down_load)


@njit(cache=True)
def _move(r, new, up_frac, now_s, rows, racks, loads, down_load):
    old, down, row = racks.load[r], down_load[r], racks.row[r]
    if min(loads.since_s[old], loads.since_s[new], loads.since_s[down]) < now_s:
        flush_load(loads, old, now_s)
        flush_load(loads, new, now_s)
        flush_load(loads, down, now_s)
    if racks.row_touched[row] == 0:
        _open_row(row, rows, racks)
    up = racks.up_frac[r]
    racks.on_s[r] += up * (loads.on_s[old] - racks.on_joined[r])
    racks.dynamic_s[r] += up * (loads.dynamic_s[old] - racks.dynamic_joined[r])
    racks.on_joined[r] = loads.on_s[new]
    racks.dynamic_joined[r] = loads.dynamic_s[new]
    chips = rows.accelerators[row]
    loads.count[old] -= chips * up
    loads.count[down] -= chips * (1.0 - up)
    loads.count[new] += chips * up_frac
    loads.count[down] += chips * (1.0 - up_frac)
    racks.up_frac[r] = up_frac
    racks.load[r] = new


@njit(cache=True)
def _open_row(row, rows, racks):
    """Begin a step's history for the racks of a row: all joined their loads at its start."""
    racks.row_touched[row] = 1
    for r in range(rows.start[row], rows.stop[row]):
        racks.on_s[r] = 0.0
        racks.dynamic_s[r] = 0.0
        racks.on_joined[r] = 0.0
        racks.dynamic_joined[r] = 0.0
