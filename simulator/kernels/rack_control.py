"""Clocks and power caps of the next step: throttling by heat, block ratings, synchronous pace."""

from simulator.kernels.compiled import entry, inlined, shared
from simulator.kernels.load_account import pace_of


@shared
def allowed_clock(junction_c, start_c, full_c, shutdown_c):
    """Return the clock fraction a chip allows at `junction_c`: 1 below the throttle point, 0.5 at
    the hardware slowdown, 0 at shutdown, linear between."""
    if junction_c <= start_c:
        return 1.0
    if junction_c <= full_c:
        return 1.0 - 0.5 * (junction_c - start_c) / (full_c - start_c)
    if junction_c < shutdown_c:
        return 0.5 * (shutdown_c - junction_c) / (shutdown_c - full_c)
    return 0.0


@entry
def settled_clock(coolant_c, resistance_k_w, static_w, dynamic_w, exponent, limits_c):
    """Return the clock at which clock and junction temperature agree.

    Finds s = allowed(T(s)) with T(s) = T_coolant + R (P_static + P_dynamic s^exponent) by
    bisection; unique because T rises with s and the allowed clock falls with T. The chip's time
    constant (about 15 s) is short against a step, so the settled point stands for the step.
    """
    start_c, full_c, shutdown_c = limits_c
    if coolant_c + resistance_k_w * (static_w + dynamic_w) <= start_c:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = 0.5 * (low + high)
        junction_c = coolant_c + resistance_k_w * (static_w + dynamic_w * middle**exponent)
        if allowed_clock(junction_c, start_c, full_c, shutdown_c) > middle:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


@entry
def kept_clock(before, coolant_c, resistance_k_w, hbm_k_w, watts, exponent, limits):
    """Return the clock that heat allows a chip which ran at `before`, junction and memory in force
    together.

    It falls to where clock and temperature agree, and rises only to where they agree with every
    limit lower by the hysteresis; between the two it stays. Each settled clock falls as its limit is
    approached, so the lower of both is the point at which the tighter one holds.

    Parameters
    ----------
    hbm_k_w : the memory's rise over the coolant per W of the chip
    watts : static and dynamic power at full clock
    limits : junction and memory limits, three each, and the hysteresis in K
    """
    chip_c, hbm_c, hysteresis_k = limits
    most = min(
        settled_clock(coolant_c, resistance_k_w, watts[0], watts[1], exponent, chip_c),
        settled_clock(coolant_c, hbm_k_w, watts[0], watts[1], exponent, hbm_c),
    )
    if before >= most or hysteresis_k <= 0.0:
        return most
    warmer_c = coolant_c + hysteresis_k  # limits lower by as much
    least = min(
        settled_clock(warmer_c, resistance_k_w, watts[0], watts[1], exponent, chip_c),
        settled_clock(warmer_c, hbm_k_w, watts[0], watts[1], exponent, hbm_c),
    )
    return min(most, max(before, least))


@entry
def control(rows, racks, loads, blocks, hall_air_c, scratch):
    """Set clock and power cap of every rack, and the clock of every load, for the next step.

    A synchronous load moves at the pace of its slowest member and the others wait, so their
    dynamic power falls with the pace; an asynchronous one takes the mean.
    """
    lost, lost_heat = scratch.lost, scratch.lost_heat
    lost[:] = 0.0
    lost_heat[:] = 0.0
    loads.clock[:] = 1.0
    loads.heat_share[:] = 0.0
    for i in range(rows.start.size):
        b = rows.block[i]
        liquid = rows.liquid_cooled[i] == 1
        coolant_c = blocks.coolant_c[b] if liquid else hall_air_c[rows.hall[i]]
        exponent, flowing = rows.power_exponent[i], blocks.resistance_frac[b]
        limits = (
            (rows.throttle_start_c[i], rows.throttle_full_c[i], rows.shutdown_c[i]),
            (rows.hbm_throttle_c[i], rows.hbm_full_c[i], rows.hbm_shutdown_c[i]),
            rows.hysteresis_k[i],
        )
        for r in range(rows.start[i], rows.stop[i]):
            load = racks.load[r]
            cap = min(blocks.cap[b, load], blocks.load_cap[b, load])
            cap_clock = 1.0 if cap == 1.0 else cap ** (1.0 / exponent)
            leak_w = rows.leakage_w_k[i] * (racks.junction_c[r] - rows.leakage_ref_c[i])
            static_w = loads.on[load] * (rows.chip_idle_w[i] + leak_w)
            dynamic_w = loads.dynamic_frac[load] * loads.cap[load] * rows.chip_dynamic_w[i]
            resistance_k_w = flowing * racks.resistance_k_w[r]
            heat_clock = kept_clock(
                racks.heat_clock[r], coolant_c, resistance_k_w, rows.hbm_rise[i] * resistance_k_w,
                (static_w, dynamic_w), exponent, limits,
            )
            racks.heat_clock[r] = heat_clock
            clock = min(heat_clock, cap_clock)
            racks.clock[r] = clock
            racks.power_cap[r] = cap if heat_clock == 1.0 else min(heat_clock**exponent, cap)
            if clock < 1.0:
                members = rows.accelerators[i] * racks.up_frac[r]
                lost[load] += members * (1.0 - clock)
                if heat_clock < cap_clock:
                    lost_heat[load] += members * (1.0 - clock)
                if loads.synchronous[load] == 1:
                    loads.clock[load] = min(loads.clock[load], clock)
    _share_loss(loads, lost, lost_heat)
    for r in range(racks.load.size):
        load = racks.load[r]
        if loads.synchronous[load] == 1 and loads.clock[load] < racks.clock[r]:
            pace = pace_of(loads.clock[load], loads.clock_bound_frac[load])
            racks.power_cap[r] = min(racks.power_cap[r], pace)


@inlined
def slowed(rows, racks):
    """Return whether hysteresis still holds any clock down."""
    for i in range(rows.start.size):
        if rows.hysteresis_k[i] > 0.0:
            for r in range(rows.start[i], rows.stop[i]):
                if racks.heat_clock[r] < 1.0:
                    return True
    return False


@shared
def release(racks, loads):
    """Lift all heat throttling and block caps."""
    racks.power_cap[:] = 1.0
    racks.clock[:] = 1.0
    racks.heat_clock[:] = 1.0
    loads.clock[:] = 1.0
    loads.heat_share[:] = 0.0


@inlined
def _share_loss(loads, lost, lost_heat):
    for load in range(lost.size):
        if lost[load] > 0.0:
            loads.heat_share[load] = lost_heat[load] / lost[load]
            if loads.synchronous[load] == 0 and loads.count[load] > 0.0:
                loads.clock[load] = 1.0 - lost[load] / loads.count[load]
