"""Cooling loops over one step: supply temperature, rejected heat, power and water."""

import math

from simulator.kernels.compiled import inner, shared

REST_S = 900.0
"""Time for which a group of units is not asked for until it stops, so that it does not start again and again
(10-30 min, assumed)."""
ROUNDING = 1e-9
NOTHING = 1e-6
"""Of its capacity: heat below which a plant stands, the first of `components.cooling.LOAD_FRAC`."""
CATCHES_UP = 0.05
"""Of its capacity, what a plant rejects beyond what it receives before its power and water follow that: less is
the lag of a minute's change of load (0.02-0.1, assumed)."""
HALVINGS = 40


@shared
def lookup(table, plant, x, hour, hour_frac):
    """Return a plant's table (plants, hours + 1, load grid) interpolated in time between hour boundaries,
    and in load between grid points; `x` is in grid steps."""
    j = min(int(x), table.shape[2] - 2)
    w = min(x - j, 1.0)
    low, high = table[plant, hour, j], table[plant, hour, j + 1]
    low += (table[plant, hour + 1, j] - low) * hour_frac
    high += (table[plant, hour + 1, j + 1] - high) * hour_frac
    return low * (1.0 - w) + high * w


@shared
def started(loop, loops, staging, heat_frac, asked_frac, dt_s):
    """Return which share of a plant's units runs, mean of a step, and what heat over capacity groups should carry
    but do not run for yet; let groups start and stop.

    `heat_frac` is the plant's heat over capacity, `asked_frac` that of its groups over theirs. A group starts
    `start_s` after it is asked for, and stops once it was not for `REST_S`.
    """
    plant, running = loops.plant[loop], loops.running[loop]
    groups, start_s = staging.groups[plant], staging.start_s[plant]
    asked = min(max(math.ceil(asked_frac * groups - ROUNDING), 1.0), groups) / groups
    waited_s = loops.waited_s[loop]
    if (asked > running and waited_s >= start_s) or (asked < running and waited_s <= -REST_S):
        running = asked
    loops.running[loop] = running
    if asked <= running:
        loops.waited_s[loop] = min(waited_s, 0.0) - dt_s if asked < running else 0.0
        return running, 0.0
    waited_s = max(waited_s, 0.0)
    late = min((start_s - waited_s) / dt_s, 1.0)
    loops.waited_s[loop] = waited_s + dt_s
    return asked + (running - asked) * late, max(min(asked_frac, heat_frac) - running, 0.0) * late


@shared
def in_groups(loop, loops, maps, asked_frac, x, at, dt_s):
    """Return the row of the maps that a plant of groups follows over a step at a load of `x` grid steps of all its
    units, the share of them that its columns are by, and heat over capacity that stays in the water."""
    staging, plant = maps.staging, loops.plant[loop]
    asked = lookup(asked_frac, plant, x, at[0], at[1])
    running, missing = started(loop, loops, staging, x * maps.load_step, asked, dt_s)
    row = staging.first[plant]
    if staging.each[plant] == 1:
        row += int(running * staging.groups[plant] + 0.5) - 1
    return row, running if staging.alike[plant] == 1 else 1.0, missing


@shared
def integrate(loop, loops, maps, at, heat_w, dt_s):
    """Advance one loop by a step under constant `heat_w`; return power and water rates.

    `at` is (hour, share of it that is over, 1 where the plants have no water and 0 where they do).

    A loop with flow conductance G = m cp and thermal mass C = G tank relaxes to what its plant
    delivers, C dT/dt = G (T_plant - T). The plant takes in water at T + Q/G and returns it at
    T_plant, so what it rejects is G (T + Q/G - T_plant), in closed form; where that is far more than Q, it
    is the plant's load. Without a unit in service the loop warms at Q/C. What starting units are to carry,
    and what is beyond the map of those that run, stays in the water.

    Returns
    -------
    power_w, evaporation_kg_s, blowdown_kg_s, setpoint_c, mechanical_frac : float
    """
    flow_w_k, heat_j_k = loops.flow_w_k[loop], loops.flow_w_k[loop] * loops.tank_s[loop]
    before_c, capacity_w = loops.supply_c[loop], loops.units_up[loop] * loops.unit_w[loop]
    row, (hour, hour_frac, dry) = loops.plant[loop], at
    supply_c, power_frac, mechanical_frac, asked_frac = (
        maps.supply_c, maps.power_frac, maps.mechanical_frac, maps.asked_frac)
    if dry == 1:
        supply_c, power_frac, mechanical_frac, asked_frac = (
            maps.dry.supply_c, maps.dry.power_frac, maps.dry.mechanical_frac, maps.dry.asked_frac)
    received_j = heat_w * dt_s
    loops.received_j[loop] += received_j
    if capacity_w <= 0.0:
        loops.running[loop] = 1.0  # those that come back start in their own time
        loops.supply_c[loop] = before_c + received_j / heat_j_k
        loops.stored_j[loop] += heat_j_k * (loops.supply_c[loop] - before_c)
        return 0.0, 0.0, 0.0, lookup(maps.setpoint_c, row, 0.0, hour, hour_frac), 0.0
    by_w, missing_w = capacity_w, 0.0
    if maps.staging.groups[row] > 1.0 and heat_w > 0.0:
        x = heat_w / capacity_w / maps.load_step
        row, share, missing = in_groups(loop, loops, maps, asked_frac, x, at, dt_s)
        by_w, missing_w = share * capacity_w, missing * capacity_w
    step_w, most_w = maps.load_step * by_w, (supply_c.shape[2] - 1) * maps.load_step * by_w
    x = (max(heat_w, 0.0) - missing_w) / step_w
    kept_w = missing_w + max(heat_w - missing_w - most_w, 0.0)
    plant_c = lookup(supply_c, row, x, hour, hour_frac) + kept_w / flow_w_k
    approached = -math.expm1(-dt_s / loops.tank_s[loop])
    stored_w_k = heat_j_k * approached / dt_s
    after_c = plant_c + (before_c - plant_c) * (1.0 - approached)
    rejected_w = heat_w + stored_w_k * (before_c - plant_c)
    if rejected_w > heat_w + CATCHES_UP * capacity_w and dry == 0 and kept_w == 0.0:
        of_loop = step_w, stored_w_k, heat_j_k, approached, dt_s
        x, after_c = _caught_up(supply_c, row, hour, hour_frac, before_c, heat_w, of_loop)
        rejected_w = heat_w - heat_j_k * (after_c - before_c) / dt_s
    loops.supply_c[loop] = after_c
    loops.rejected_j[loop] += rejected_w * dt_s
    loops.stored_j[loop] += heat_j_k * (after_c - before_c)
    drawn_w = by_w if x * maps.load_step >= NOTHING else 0.0
    power_w = drawn_w * lookup(power_frac, row, x, hour, hour_frac)
    told_c = lookup(maps.setpoint_c, row, x, hour, hour_frac)
    mechanical = lookup(mechanical_frac, row, x, hour, hour_frac)
    if dry == 1:
        return power_w, 0.0, 0.0, told_c, mechanical
    evaporation = drawn_w * lookup(maps.evaporation_kg_j, row, x, hour, hour_frac)
    blowdown = drawn_w * lookup(maps.blowdown_kg_j, row, x, hour, hour_frac)
    return power_w, evaporation, blowdown, told_c, mechanical


@inner
def _caught_up(table, plant, hour, hour_frac, before_c, heat_w, of_loop):
    """Return where on its load grid a plant stands that has water to cool down besides what it receives, and
    the water in degC after the step.

    Its load is what it rejects, which falls with the water it then delivers: the one crossing is found by
    halving. At the end of its map it rejects no more, and the water falls by the rest.
    """
    step_w, stored_w_k, heat_j_k, approached, dt_s = of_loop
    low, high = 0.0, float(table.shape[2] - 1)
    most_w = high * step_w
    if heat_w + stored_w_k * (before_c - lookup(table, plant, high, hour, hour_frac)) >= most_w:
        return high, before_c + (heat_w - most_w) * dt_s / heat_j_k
    for _ in range(HALVINGS):
        x = 0.5 * (low + high)
        if heat_w + stored_w_k * (before_c - lookup(table, plant, x, hour, hour_frac)) > x * step_w:
            low = x
        else:
            high = x
    plant_c = lookup(table, plant, high, hour, hour_frac)
    return high, before_c + (plant_c - before_c) * approached


@shared
def pump_frac(heat_frac, least_flow, held_head):
    """Return the power of a loop's pumps over that at design, at a heat over design: flow times head at one
    efficiency, the flow following the heat and the head but for a share falling with the flow's square."""
    flow = min(max(heat_frac, least_flow), 1.0)
    return flow * (held_head + (1.0 - held_head) * flow * flow)


@shared
def deliver(loop, loops, reuse, heat_w, hour, hour_frac, dt_s):
    """Give users what they take of a loop's heat over a step; return it in W.

    The return comes at T + Q/G and may be cooled to `leaving_c`, so at most G (T + Q/G - leaving).
    """
    if reuse.most_w[loop] <= 0.0:
        return 0.0
    frac = reuse.frac[hour] + (reuse.frac[hour + 1] - reuse.frac[hour]) * hour_frac
    asked_w = min(frac * reuse.most_w[loop], reuse.share * heat_w)
    room_w = loops.flow_w_k[loop] * (loops.supply_c[loop] - reuse.leaving_c) + heat_w
    taken_w = max(min(asked_w, room_w, heat_w), 0.0)
    loops.received_j[loop] += taken_w * dt_s
    loops.rejected_j[loop] += taken_w * dt_s
    loops.reused_j[loop] += taken_w * dt_s
    return taken_w


@shared
def fan_power(table, hall, heat_w, design_w, load_step):
    """Return the fan wall power in W of a hall at `heat_w`."""
    if design_w <= 0.0:
        return 0.0
    x = heat_w / design_w / load_step
    j = min(int(x), table.shape[1] - 2)
    w = min(x - j, 1.0)
    return design_w * (table[hall, j] * (1.0 - w) + table[hall, j + 1] * w)
