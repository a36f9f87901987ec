"""Racks over one step: power from their loads, chip temperature, throttling and caps.

The loops over the fleet run over whole runs of equal racks and on unsigned indices: a signed index
may be negative, and the wrap-around that guards against keeps the compiler from using vector
instructions (5 times slower).
"""

import math

import numpy as np
from numba import njit

from simulator.kernels.columns import LoadState


@njit(cache=True)
def integrate(rows, racks, loads, blocks, hall_air_c, dt_s):
    """Advance all racks by one step of `dt_s`; return the hottest junction and whether any chip
    reached its throttle point or its shutdown point.

    The load integrals must be complete to the end of the step. Power is exact for the mix of
    states a rack passed through, because it is linear in the two integrated quantities; the
    junction follows its equilibrium exponentially, C dT/dt = P - (T - T_coolant)/R, so the step
    size does not enter.
    """
    coolant_c, pull = np.empty(rows.start.size), np.empty(rows.start.size)
    for i in range(rows.start.size):
        coolant_c[i], pull[i] = hall_air_c[rows.hall[i]], rows.decay[i]
        if rows.liquid_cooled[i] == 1:
            coolant_c[i] = blocks.coolant_c[rows.block[i]]
            if blocks.flow[rows.block[i]] == 0.0:
                pull[i] = 0.0
    _shares(racks, loads, 1.0 / dt_s)
    for i in range(rows.start.size):
        if racks.row_touched[i] == 1:
            _shares_by_history(i, rows, racks, loads, 1.0 / dt_s)
    for k in range(rows.segment_row.size):
        _heat(k, rows, racks, coolant_c, pull)
    return _sum_rows(rows, racks, loads, blocks, pull, dt_s)


@njit(cache=True)
def _shares(racks, loads, inverse):
    """Set the mean on and dynamic shares of every rack as if it had been in its load all step."""
    up, cap, load_of = racks.up_frac, racks.power_cap, racks.load
    on_frac, dynamic_frac = racks.on_frac, racks.dynamic_frac
    on, dynamic = loads.on_s * inverse, loads.dynamic_s * inverse
    for r in range(on_frac.size):
        load = np.uint64(load_of[r])
        on_frac[r] = up[r] * on[load]
        dynamic_frac[r] = up[r] * dynamic[load] * cap[r]


@njit(cache=True)
def _shares_by_history(i, rows, racks, loads, inverse):
    """Set the same for the racks of a row in which some moved within the step."""
    for r in range(rows.start[i], rows.stop[i]):
        load, up = racks.load[r], racks.up_frac[r]
        on_s = racks.on_s[r] + up * (loads.on_s[load] - racks.on_joined[r])
        dynamic_s = racks.dynamic_s[r] + up * (loads.dynamic_s[load] - racks.dynamic_joined[r])
        racks.on_frac[r] = on_s * inverse
        racks.dynamic_frac[r] = dynamic_s * inverse * racks.power_cap[r]
    racks.row_touched[i] = 0


@njit(cache=True)
def _heat(k, rows, racks, coolant_c, pull):
    """Set chip power, rack power and junction temperature of a run of equal racks."""
    i, first, last = rows.segment_row[k], rows.segment_start[k], rows.segment_stop[k]
    chips, dynamic_w, leak_w_k = rows.accelerators[i], rows.chip_dynamic_w[i], rows.leakage_w_k[i]
    static_w = rows.chip_idle_w[i] - leak_w_k * rows.leakage_ref_c[i]
    host_w, host_dynamic_w, rating_w = (
        rows.host_idle_w[i], rows.host_dynamic_w[i], rows.shelf_rating_w[i]
    )
    fixed_w, linear = rating_w * rows.shelf_no_load[i], 1.0 + rows.shelf_linear[i]
    quadratic = rows.shelf_load[i] / rating_w
    on, dynamic, row = racks.on_frac[first:last], racks.dynamic_frac[first:last], racks.row[first:last]
    junction_c, resistance = racks.junction_c[first:last], racks.resistance_k_w[first:last]
    chip_w, power_w = racks.chip_w[first:last], racks.power_w[first:last]
    for r in range(on.size):
        before_c = junction_c[r]
        one_w = on[r] * (static_w + leak_w_k * before_c) + dynamic[r] * dynamic_w
        dc_w = chips * one_w + on[r] * host_w + dynamic[r] * host_dynamic_w
        shelf_w = fixed_w if on[r] > 0.0 else 0.0
        chip_w[r] = one_w
        power_w[r] = shelf_w + dc_w * (linear + quadratic * dc_w)
    for r in range(on.size):
        i = np.uint64(row[r])
        settled_c = coolant_c[i] + resistance[r] * chip_w[r]
        junction_c[r] += pull[i] * (settled_c - junction_c[r])


@njit(cache=True)
def _sum_rows(rows, racks, loads, blocks, pull, dt_s):
    """Sum racks into blocks and loads; return the hottest junction and what it passed."""
    power_w, dynamic, junction_c = racks.power_w, racks.dynamic_frac, racks.junction_c
    blocks.it_w[:] = blocks.support_w
    blocks.air_w[:] = blocks.support_w
    blocks.dynamic_w[:] = 0.0
    blocks.liquid_w[:] = 0.0
    blocks.hottest_c[:] = -273.15
    site_hottest, throttling, tripping = -273.15, False, False
    for i in range(rows.start.size):
        first, last = np.uint64(rows.start[i]), np.uint64(rows.stop[i])
        if pull[i] == 0.0:
            for r in range(first, last):
                junction_c[r] += dt_s / rows.heat_capacity_j_k[i] * racks.chip_w[r]
        it_w, dynamic_sum, hottest = 0.0, 0.0, -273.15
        for r in range(first, last):
            it_w += power_w[r]
            dynamic_sum += dynamic[r]
            if junction_c[r] > hottest:
                hottest = junction_c[r]
        if racks.row_load[i] >= 0:
            loads.energy_j[racks.row_load[i]] += it_w * dt_s
        else:
            for r in range(first, last):
                loads.energy_j[np.uint64(racks.load[r])] += power_w[r] * dt_s
        b, liquid_frac = rows.block[i], rows.liquid_frac[i]
        full_w = rows.accelerators[i] * rows.chip_dynamic_w[i] + rows.host_dynamic_w[i]
        blocks.it_w[b] += it_w
        blocks.dynamic_w[b] += dynamic_sum * full_w
        blocks.liquid_w[b] += it_w * liquid_frac
        blocks.air_w[b] += it_w * (1.0 - liquid_frac)
        blocks.hottest_c[b] = max(blocks.hottest_c[b], hottest)
        site_hottest = max(site_hottest, hottest)
        throttling = throttling or hottest > rows.throttle_start_c[i]
        tripping = tripping or hottest >= rows.shutdown_c[i]
    return site_hottest, throttling, tripping


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
def cap_blocks(blocks):
    """Set each block's cap on dynamic power so that it stays inside its continuous rating; return
    whether any cap is active."""
    active = False
    for b in range(blocks.it_w.size):
        full_w = blocks.dynamic_w[b] / blocks.cap[b]
        excess_w = blocks.it_w[b] - blocks.dynamic_w[b] + full_w - blocks.limit_w[b]
        if excess_w > 0.0 and full_w > 0.0:
            blocks.cap[b] = max(1.0 - excess_w / full_w, 0.01)
            active = True
        else:
            blocks.cap[b] = 1.0
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
def flush_load(loads: LoadState, load, now_s):
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
def clear_loads(loads):
    """Start a new step."""
    loads.on_s[:] = 0.0
    loads.dynamic_s[:] = 0.0
    loads.running_s[:] = 0.0
    loads.member_s[:] = 0.0
    loads.step_hours[:, :] = 0.0


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
    if old != new:
        racks.load[r] = new
        racks.row_load[row] = new
        for other in range(rows.start[row], rows.stop[row]):
            if racks.load[other] != new:
                racks.row_load[row] = -1


@njit(cache=True)
def _open_row(row, rows, racks):
    """Begin a step's history for the racks of a row: all joined their loads at its start."""
    racks.row_touched[row] = 1
    for r in range(rows.start[row], rows.stop[row]):
        racks.on_s[r] = 0.0
        racks.dynamic_s[r] = 0.0
        racks.on_joined[r] = 0.0
        racks.dynamic_joined[r] = 0.0
