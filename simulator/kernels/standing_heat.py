"""Heat that waits where coolant, water or air stands still, inside a step and from step to step.

A loop's plant, pumps and fan walls change at moments inside a step; `HeatState` keeps what held up to
each of them, so that every stretch of the step is integrated as it was. Heat that nothing carries
away stays where it is made, in a row's coolant or a hall's air (`hall_air.py`), and leaves with them when they
move.
"""

import math

from simulator.kernels import cooling, gathering
from simulator.kernels.compiled import entry, inlined, inner, shared

AGAIN_K = 0.5
"""By which coolant falls below what cold plates are made for until it counts as cold enough, so that a loop at
that limit is told once (0.2-2, assumed)."""
SETTLED_J = 1.0
"""Heat that is left of what was held from which the rest goes with it."""


@shared
def movements(heat, found, dt_s):
    """Find for each loop for how long of a step its water flows, its fans turn and both do, in s; and
    the means over the step of the flow's cube and of the share of its fans: `found` (loops, 5)."""
    changes, flow_now, fans_now = heat.changes, heat.flow, heat.fans
    for loop in range(flow_now.size):
        began_s, flowed_s, turned_s, both_s, cube_s, fans_s = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for k in range(changes[loop] + 1):
            until_s, flow, fans = dt_s, flow_now[loop], fans_now[loop]
            if k < changes[loop]:
                until_s = heat.change_s[loop, k]
                flow, fans = heat.flow_then[loop, k], heat.fans_then[loop, k]
            lasts_s = until_s - began_s
            flowed_s += lasts_s if flow > 0.0 else 0.0
            turned_s += lasts_s if fans > 0.0 else 0.0
            both_s += lasts_s if flow > 0.0 and fans > 0.0 else 0.0
            cube_s += lasts_s * flow**3
            fans_s += lasts_s * fans
            began_s = until_s
        found[loop, 0], found[loop, 1], found[loop, 2] = flowed_s, turned_s, both_s
        found[loop, 3], found[loop, 4] = cube_s / dt_s, fans_s / dt_s


@shared
def passed(held_j, made_w, moves_s, settle_s, dt_s):
    """Return what leaves a store in W, mean of a step, and what is left in it in J.

    Heat made while it moves leaves at once, and what is held leaves as e^(-t / settle_s).
    """
    if held_j == 0.0 and moves_s >= dt_s:
        return made_w, 0.0
    gone_j = held_j * -math.expm1(-moves_s / settle_s)
    left_j = held_j - gone_j
    if moves_s > 0.0 and left_j < SETTLED_J:
        gone_j, left_j = held_j, 0.0
    left_j += made_w * (dt_s - moves_s)
    return (made_w * moves_s + gone_j) / dt_s, left_j


@inner
def leave_row(b, blocks, loops, loop, heat, flows_s, dt_s):
    """Return the heat in W that a block gives to its loop over a step; the rest waits in its row.

    `flows_s` is how long the loop's water flows. A row settles with tau = C x approach per W; what is left in one that
    was followed in seconds is known (`gathering.heat_row`).
    """
    pump_w = blocks.pump_w[b] * blocks.flow[b]
    moves_s = min(flows_s, blocks.flow[b] * dt_s)
    held_j, made_w = heat.row_j[b], blocks.liquid_w[b] + pump_w
    if moves_s > 0.0 and gathering.waits(b, blocks, heat):
        left_j = heat.row_left_j[b]
        heat.row_j[b] = left_j if left_j >= SETTLED_J else 0.0
        leaves_w = made_w + (held_j - heat.row_j[b]) / dt_s
    else:
        settle_s = max(heat.row_j_k[b] * blocks.approach_k_w[b], 1.0)
        leaves_w, heat.row_j[b] = passed(held_j, made_w, moves_s, settle_s, dt_s)
    kept_j = heat.row_j[b] - held_j
    loops.received_j[loop] += kept_j
    loops.stored_j[loop] += kept_j
    return leaves_w


@inlined
def as_designed(loop, heat):
    """Return whether a loop's water flows as designed and nothing about it changed inside the step."""
    return heat.changes[loop] == 0 and heat.flow[loop] == 1.0


@inlined
def run(loop, loops, heat, maps, at, heat_w, flows_s, dt_s):
    """Advance one loop by a step, in one go or as `run_in_parts` does."""
    if as_designed(loop, heat):
        return cooling.integrate(loop, loops, maps, at, heat_w, dt_s)
    return run_in_parts(loop, loops, heat, maps, at, heat_w, flows_s, dt_s)


@entry
def run_in_parts(loop, loops, heat, maps, at, heat_w, flows_s, dt_s):
    """Advance one loop by a step that its plant may have spent in several states (`cooling.integrate`).

    `heat_w` is the mean of the step, and arrives while water flows. Water that stands still takes up
    nothing, and the plant behind it rests.
    """
    changes = heat.changes[loop]
    units, flow_w_k, tank_s = loops.units_up[loop], loops.flow_w_k[loop], loops.tank_s[loop]
    power_w, evaporation, blowdown, mechanical, began_s = 0.0, 0.0, 0.0, 0.0, 0.0
    set_c = cooling.lookup(maps.setpoint_c, loops.plant[loop], 0.0, at[0], at[1])
    for k in range(changes + 1):
        until_s, flow, running = dt_s, heat.flow[loop], units
        if k < changes:
            until_s = heat.change_s[loop, k]
            flow, running = heat.flow_then[loop, k], heat.units_then[loop, k]
        share, began_s = (until_s - began_s) / dt_s, until_s
        if share <= 0.0 or flow <= 0.0:
            continue
        loops.units_up[loop] = running
        loops.flow_w_k[loop], loops.tank_s[loop] = flow_w_k * flow, tank_s / flow
        arrives_w = heat_w * dt_s / flows_s
        p, e, d, set_c, m = cooling.integrate(loop, loops, maps, at, arrives_w, share * dt_s)
        power_w += p * share
        evaporation += e * share
        blowdown += d * share
        mechanical += m * share
    loops.units_up[loop], loops.flow_w_k[loop], loops.tank_s[loop] = units, flow_w_k, tank_s
    heat.changes[loop] = 0
    return power_w, evaporation, blowdown, set_c, mechanical


@inlined
def fan_power(halls, h, heat_w, moving, load_step, dt_s):
    """Return the mean power in W of a hall's fans, of which a share turns for a part of the step
    (`movements`) and moves it all."""
    loop = halls.air_loop[h]
    turns_s = moving[loop, 1]
    if turns_s <= 0.0:
        return 0.0
    design_w = halls.fan_design_heat_w[h] * (moving[loop, 4] * dt_s / turns_s)
    running_w = cooling.fan_power(halls.fan_power_frac, h, heat_w, design_w, load_step)
    return running_w * (turns_s / dt_s)


@inlined
def drift_k(loop, loops, heat, heat_w, dt_s):
    """Return by how much a loop without a plant warms over the next step: 0 where one runs or water
    stands."""
    if loops.units_up[loop] > 0.0 or heat.flow[loop] <= 0.0:
        return 0.0
    return heat_w * dt_s / (loops.flow_w_k[loop] * loops.tank_s[loop])


@inlined
def settle_coolant(halls, blocks, loops, heat, plant_w, dt_s):
    """Set the coolant in degC that the cold plates of each block get over the next step, and whether it is warmer
    than those of racks at work are made for; a tank has moved on with its own heat.

    The loop's water and the coolant unit's approach, which stay while the water stands; held heat adds Q / C and
    changes within the step (`gathering.py`). What warms the water of a loop without a plant in the next step counts by
    the share of a ramp that a chip follows, so that its end of step is exact.
    """
    hall, supply_c, drift, stands = -1, 0.0, 0.0, False
    for b in range(blocks.mass_j_k.size):
        if blocks.hall[b] != hall:
            hall = blocks.hall[b]
            loop = halls.liquid_loop[hall]
            supply_c = loops.supply_c[loop]
            drift, stands = drift_k(loop, loops, heat, plant_w[hall, 2], dt_s), heat.flow[loop] <= 0.0
        if blocks.mass_j_k[b] > 0.0:
            continue
        if not stands:
            heat.row_settled_c[b] = supply_c + blocks.approach_k_w[b] * blocks.liquid_w[b]
        heat.row_stands_s[b, 0], heat.row_stands_s[b, 1] = 0.0, dt_s if stands else 0.0
        here_c = heat.row_settled_c[b] + heat.row_j[b] / heat.row_j_k[b] + heat.row_lead[b] * drift
        blocks.coolant_c[b] = here_c
        most_c = blocks.coolant_most_c[b] - AGAIN_K * blocks.coolant_hot[b]
        blocks.coolant_hot[b] = int(blocks.liquid_w[b] > 0.0 and here_c > most_c)


@inlined
def bridge(heat, supply, plant_w, dt_s):
    """Take what pumps draw on batteries out of those of the UPS; return it in W, and mark a hall
    whose batteries have nothing left as drawing again on what feeds it."""
    drawn_w = 0.0
    for h in range(heat.bridged.size):
        if heat.bridged[h] == 1 and supply.ride_through_j[0] >= plant_w[h, 1] * dt_s:
            supply.ride_through_j[0] -= plant_w[h, 1] * dt_s
            drawn_w += plant_w[h, 1]
        else:
            heat.bridged[h] = 0
    return drawn_w
