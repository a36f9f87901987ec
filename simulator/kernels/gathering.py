"""Racks on coolant that changes within a step, because heat gathers in it or leaves it again: a second at a time.

    C_chip dT/dt = P(s) - (T - T_row) / R           C_row dT_row/dt = q(s) - (T_row - T_settled) / approach

While the loop's water stands the last term is none. The clock s is what junction and memory allow at the end of each
slice, for a chip slows within milliseconds, and q follows it; each line is an exponential, its neighbour held.
"""

import math

from simulator.kernels.compiled import inlined, inner
from simulator.kernels.load_account import pace_of
from simulator.kernels.rack_control import allowed_clock
from simulator.kernels.rack_power import power

SLICE_S = 1.0
"""A fifteenth of a chip's time constant; half of it moves junctions at their limit by less than 0.05 K (tested)."""
HALVINGS = 24
AT_LIMIT_K = 1e-3
"""So near its shutdown a chip whose power falls to nothing there is off (`components.cooling.course`)."""
THROTTLE, TRIP = 0, 1
"""Columns of `HeatState.row_met_s`."""


@inlined
def waits(b, blocks, heat):
    """Return whether heat gathers in the coolant of a block in the step at hand, or leaves it: of cold plates
    whose own pumps run."""
    gathers = heat.row_stands_s[b, 1] > heat.row_stands_s[b, 0] or heat.row_j[b] != 0.0
    return gathers and blocks.mass_j_k[b] == 0.0 and blocks.flow[b] == 1.0


@inner
def heat_row(i, law, rows, racks, loads, blocks, heat, dt_s):
    """Set mean power and junctions of a row over a step, and its coolant in degC at the end; return the hottest
    junction that any of its chips had on the way.

    `HeatState.row_met_s` gets when in the step the first chip met its throttle point and its shutdown. From that on
    the row is off: it trips as a whole. What its coolant holds at the end goes to `row_left_j`. Of its block only the
    heat of racks that start is known yet.
    """
    b, slices = rows.block[i], int(math.ceil(dt_s / SLICE_S))
    slice_s, mass_j_k = dt_s / slices, heat.row_j_k[b]
    settle_s = max(mass_j_k * blocks.approach_k_w[b], 1.0)
    pull = 1.0 - (1.0 - rows.decay[i]) ** (1.0 / (slices * blocks.resistance_frac[b]))
    held_k, rate_k_s, peak_c, off = heat.row_j[b] / mass_j_k, 0.0, -math.inf, False
    settled_c, starting_w = blocks.coolant_c[b] - held_k, blocks.liquid_w[b]
    for r in range(rows.start[i], rows.stop[i]):
        racks.power_w[r] = 0.0
    for k in range(slices):
        from_s = k * slice_s
        stands_s = min(heat.row_stands_s[b, 1], from_s + slice_s) - max(heat.row_stands_s[b, 0], from_s)
        stands_s = max(stands_s, 0.0)
        around_c, row_w = settled_c + held_k + 0.5 * rate_k_s * stands_s, 0.0
        for r in range(rows.start[i], rows.stop[i]):
            before_c = racks.junction_c[r]
            if off:
                racks.junction_c[r] = before_c + pull * (around_c - before_c)
                continue
            rack_w = _follow(r, i, b, law, around_c, pull, rows, racks, loads, blocks, dt_s)
            racks.power_w[r] += rack_w / slices
            row_w += rack_w
            if rack_w > 0.0:
                peak_c = max(peak_c, racks.junction_c[r])
                _meet(r, i, b, before_c, around_c, (from_s, slice_s), rows, racks, heat)
        off = heat.row_met_s[b, TRIP] < math.inf
        rate_k_s = (row_w * rows.liquid_frac[i] + starting_w + blocks.pump_w[b]) / mass_j_k
        held_k = (held_k + rate_k_s * stands_s) * math.exp(-(slice_s - stands_s) / settle_s)
    blocks.coolant_c[b], heat.row_left_j[b] = settled_c + held_k, held_k * mass_j_k
    racks.row_touched[i] = 0
    return peak_c


@inlined
def _follow(r, i, b, law, around_c, pull, rows, racks, loads, blocks, dt_s):
    """Advance the chips of a rack by a slice of coolant at `around_c`; return the rack's power in W. What moved within
    the step counts by its mean."""
    load, up, before_c = racks.load[r], racks.up_frac[r], racks.junction_c[r]
    on_s, dynamic_s = up * loads.on_s[load], up * loads.dynamic_s[load]
    if racks.row_touched[i] == 1:
        on_s += racks.on_s[r] - up * racks.on_joined[r]
        dynamic_s += racks.dynamic_s[r] - up * racks.dynamic_joined[r]
    cap = min(blocks.cap[b, load], blocks.load_cap[b, load])
    if loads.synchronous[load] == 1 and loads.clock[load] < racks.clock[r]:
        cap = min(cap, pace_of(loads.clock[load], loads.clock_bound_frac[load]))
    on, dynamic, share = on_s / dt_s, dynamic_s / dt_s * cap, up if up > 0.0 else 1.0
    static_w, _ = power(1.0, on, 0.0, before_c, law)
    k_w = blocks.resistance_frac[b] * racks.resistance_k_w[r]
    full_w = dynamic * rows.chip_dynamic_w[i]
    after_c = before_c + pull * (around_c + k_w * (static_w + full_w) / share - before_c)
    speed = 1.0
    if up > 0.0 and after_c > _limit_c(rows.throttle_start_c[i], rows.hbm_throttle_c[i], around_c, rows.hbm_rise[i]):
        low, high = 0.0, 1.0
        for _ in range(HALVINGS):
            clock = 0.5 * (low + high)
            speed = min(clock ** rows.power_exponent[i] / cap, 1.0) if cap > 0.0 else 1.0
            after_c = before_c + pull * (around_c + k_w * (static_w + speed * full_w) / share - before_c)
            if _allows(i, after_c, around_c, rows) > clock:
                low = clock
            else:
                high = clock
    racks.junction_c[r] = after_c
    _, rack_w = power(1.0, on, dynamic * speed, before_c, law)
    return rack_w


@inlined
def _limit_c(junction_c, memory_c, around_c, rise):
    """Return the junction in degC at which it or its memory is at a limit, each its own."""
    return min(junction_c, around_c + (memory_c - around_c) / rise) if rise > 0.0 else junction_c


@inlined
def _allows(i, junction_c, around_c, rows):
    """Return the clock that a junction and its memory allow."""
    memory_c = around_c + rows.hbm_rise[i] * (junction_c - around_c)
    own = allowed_clock(junction_c, rows.throttle_start_c[i], rows.throttle_full_c[i], rows.shutdown_c[i])
    return min(own, allowed_clock(memory_c, rows.hbm_throttle_c[i], rows.hbm_full_c[i], rows.hbm_shutdown_c[i]))


@inlined
def _meet(r, i, b, before_c, around_c, lasts, rows, racks, heat):
    """Note when a chip that is on meets its limits in a slice, (its begin, its length), on a straight line."""
    after_c, rise = racks.junction_c[r], rows.hbm_rise[i]
    limits_c = (
        _limit_c(rows.throttle_start_c[i], rows.hbm_throttle_c[i], around_c, rise),
        _limit_c(rows.shutdown_c[i], rows.hbm_shutdown_c[i], around_c, rise) - AT_LIMIT_K,
    )
    for k in range(2):
        if after_c >= limits_c[k]:
            part = (limits_c[k] - before_c) / (after_c - before_c) if after_c > before_c else 0.0
            met_s = lasts[0] + lasts[1] * min(max(part, 0.0), 1.0)
            heat.row_met_s[b, k] = min(heat.row_met_s[b, k], met_s)
