"""The air of a hall inside a step: what fans, coils and walls carry out of it, and what its mass keeps.

    C dT/dt = q - carried(T) - walls(T)

`over_k` is how far the racks' intake T lies above what the coils are told to hold. Fans that move M W/K carry
M (T + return rise - T_supply); their coils supply what they are told to hold, or, with the valve open, what
their water allows. So what is carried is the less of two straight lines, and what walls lose a third that begins
where outdoors is colder: each stretch is an exponential, and the step is exact whatever its length.
"""

import math

from simulator.kernels.compiled import entry, inlined, inner, shared
from simulator.kernels.standing_heat import SETTLED_J

STRETCHES = 6
"""Of one step, at most: air that settles passes either bend once."""


@shared
def coil_k(table, heat_frac, flow, load_step):
    """Return how far above its water a coil with an open valve leaves the air, at a heat over design of the
    units that run and a flow over design; beyond the table (flows, load grid) in proportion to heat."""
    row, last = int(flow * (table.shape[0] - 1) + 0.5), table.shape[1] - 1
    x = max(heat_frac, 0.0) / load_step
    if x >= last:
        return table[row, last] * x / last
    j = int(x)
    return table[row, j] + (table[row, j + 1] - table[row, j]) * (x - j)


@shared
def carriers(heat_w, moved_w_k, mixed_k, told, open_k):
    """Return the two lines of what leaves a hall's air, `heat_w` in the end: where each settles, in K over what
    coils are told to hold, and what it carries more per K beyond.

    `moved_w_k` is the fans' airflow, `mixed_k` what racks take in over the supply (range (needed / moved - 1), at
    least 0), `open_k` how far coils whose valve is open leave the air above their water, and `told` what their
    water and outdoor air are over the supply that is told. The first line has the supply as told, the
    second as the open coil or outdoor air has it: a coil of K per W leaves less to each K of the hall.
    """
    water_k, outdoor_k = told
    if water_k + open_k >= outdoor_k:
        return mixed_k, moved_w_k, outdoor_k + mixed_k, moved_w_k
    by_coil_w_k = moved_w_k / (1.0 + moved_w_k * open_k / heat_w) if heat_w > 0.0 else moved_w_k
    return mixed_k, moved_w_k, water_k + open_k + mixed_k, by_coil_w_k


@entry
def warmed(over_k, carried, moves, made_w, walls, mass_j_k, dt_s):
    """Return the air after a step, in K over what coils are told to hold, and what walls lost in J.

    `carried` as `carriers` returns it, at work for the share `moves` of what is made; `walls` are their
    conductance and from which air on they lose. Between two bends of the lines the way is an exponential.
    """
    told_k, told_w_k, open_k, open_w_k = carried
    walls_w_k, loses_k = walls
    bend_k = math.inf if told_k >= open_k else -math.inf
    if told_w_k > open_w_k:
        bend_k = (told_w_k * told_k - open_w_k * open_k) / (told_w_k - open_w_k)
    lost_j, left_s = 0.0, dt_s
    for _ in range(STRETCHES):
        carried_w = min(told_w_k * (over_k - told_k), open_w_k * (over_k - open_k))
        up = (1.0 - moves) * made_w - moves * carried_w - walls_w_k * max(over_k - loses_k, 0.0) > 0.0
        opened = over_k > bend_k or (over_k == bend_k and up)
        loses = walls_w_k > 0.0 and (over_k > loses_k or (over_k == loses_k and up))
        to_k, by_w_k = (open_k, open_w_k) if opened else (told_k, told_w_k)
        by_w_k *= moves
        gain_w = by_w_k * to_k + (1.0 - moves) * made_w
        if loses:
            by_w_k, gain_w = by_w_k + walls_w_k, gain_w + walls_w_k * loses_k
        stop_k = math.inf if up else -math.inf
        for mark_k in (bend_k, loses_k):
            if (up and over_k < mark_k < stop_k) or (not up and stop_k < mark_k < over_k):
                stop_k = mark_k
        lasts_s = min(_reaches_s(over_k, stop_k, gain_w, by_w_k, mass_j_k), left_s)
        before_k = over_k
        over_k = stop_k if lasts_s < left_s else _after(before_k, gain_w, by_w_k, mass_j_k, lasts_s)
        if loses:  # gain - by x mean = what was kept
            mean_k = (gain_w * lasts_s - mass_j_k * (over_k - before_k)) / by_w_k
            lost_j += walls_w_k * (mean_k - loses_k * lasts_s)
        left_s -= lasts_s
        if left_s <= 0.0:
            break
    return over_k, lost_j


@inner
def _after(over_k, gain_w, by_w_k, mass_j_k, lasts_s):
    """Return x after a time of C dx/dt = gain - by x."""
    straight_k, u = (gain_w - by_w_k * over_k) * lasts_s / mass_j_k, by_w_k * lasts_s / mass_j_k
    return over_k + (straight_k * -math.expm1(-u) / u if u > 0.0 else straight_k)


@inner
def _reaches_s(over_k, stop_k, gain_w, by_w_k, mass_j_k):
    """Return when the same meets a value on its way; infinite: never."""
    rate_w = gain_w - by_w_k * over_k
    if math.isinf(stop_k) or rate_w == 0.0:
        return math.inf
    straight_s, y = (stop_k - over_k) * mass_j_k / rate_w, by_w_k * (stop_k - over_k) / rate_w
    if y >= 1.0 or straight_s < 0.0:
        return math.inf
    return straight_s * -math.log1p(-y) / y if y > 0.0 else straight_s


@inlined
def _told(h, heat, water_c, outdoor_c):
    """Return what a hall's chilled water and outdoor air are over the supply that its coils are told to hold."""
    supply_c = heat.air_set_c[h] - heat.air_mixed_k[h]
    return water_c - supply_c, outdoor_c - supply_c


@inlined
def is_settled(h, halls, heat, loop, air_w, around, load_step):
    """Return whether a hall's air is what its coils are told to hold, and stays so: all its fans and water move
    and carry its heat `air_w`. `around` is (its water, the supply that outdoor air holds, outdoor air) in degC."""
    if heat.air_j[h] != 0.0 or heat.changes[loop] > 0 or heat.fans[loop] < 1.0 or heat.flow[loop] < 1.0:
        return False
    needed = air_w / halls.fan_design_heat_w[h]
    water_k, outdoor_k = _told(h, heat, around[0], around[1])
    over_k = min(water_k + coil_k(halls.coil_k, needed, 1.0, load_step), outdoor_k)
    return needed <= heat.air_full[h] and over_k * heat.air_j_k[h] < SETTLED_J


@entry
def follow(h, halls, heat, loop, heats, outdoors, around, load_step, dt_s):
    """Return a hall's air after a step, in K over what its coils are told to hold, and what walls lost in J;
    every stretch of the step as it was.

    `heats` is what racks, lights and power chain give to it and that with the fans' own, in W; `outdoors` the
    share that outdoor air takes while fans turn; `around` as in `is_settled`.
    """
    mass_j_k, began_s, lost_j = heat.air_j_k[h], 0.0, 0.0
    over_k = heat.air_j[h] / mass_j_k
    walls = heat.envelope_w_k[h], max(around[2] - heat.air_set_c[h], 0.0)
    for k in range(heat.changes[loop] + 1):
        until_s, flow, fans = dt_s, heat.flow[loop], heat.fans[loop]
        if k < heat.changes[loop]:
            until_s, flow, fans = heat.change_s[loop, k], heat.flow_then[loop, k], heat.fans_then[loop, k]
        lasts_s, began_s = until_s - began_s, until_s
        if lasts_s <= 0.0:
            continue
        moves, carried = 0.0, (0.0, 0.0, 0.0, 0.0)
        if fans > 0.0:
            moves = 1.0 if flow > 0.0 else outdoors
            carried = _carriers(h, halls, heat, heats[0], fans, flow, around, load_step)
        over_k, more_j = warmed(over_k, carried, moves, heats[1], walls, mass_j_k, lasts_s)
        lost_j += more_j
    if heat.fans[loop] > 0.0 and heat.flow[loop] > 0.0 and abs(over_k) * mass_j_k < SETTLED_J:
        over_k = 0.0
    return over_k, lost_j


@inlined
def _carriers(h, halls, heat, air_w, fans, flow, around, load_step):
    needed, moved = air_w / halls.fan_design_heat_w[h], fans * heat.air_full[h]
    mixed_k = heat.air_range_k[h] * max(needed / moved - 1.0, 0.0)
    told = _told(h, heat, around[0], around[1])
    open_k = coil_k(halls.coil_k, needed / fans, flow, load_step)
    return carriers(air_w, moved * heat.air_j_k[h] / heat.air_settle_s[h], mixed_k, told, open_k)


@inlined
def leave(h, halls, heat, loops, loop, heats, outdoors, around, moving, load_step, dt_s):
    """Return the heat in W that a hall's air gives to its loop over a step; the rest waits in the air, leaves by
    walls and roof or with outdoor air. `moving` is what `standing_heat.movements` found."""
    turns_s, both_s = moving[loop, 1], moving[loop, 2]
    leaves_w, lost_j, kept_j = heats[1], 0.0, 0.0
    if not is_settled(h, halls, heat, loop, heats[0], around, load_step):
        over_k, lost_j = follow(h, halls, heat, loop, heats, outdoors, around, load_step, dt_s)
        kept_j = over_k * heat.air_j_k[h] - heat.air_j[h]
        heat.air_j[h] += kept_j
        if over_k == 0.0:
            heat.air_j[h] = 0.0
        leaves_w -= (kept_j + lost_j) / dt_s
    moves_s = outdoors * turns_s + (1.0 - outdoors) * both_s
    outdoors_w = leaves_w * outdoors * turns_s / moves_s if moves_s > 0.0 else 0.0
    loops.received_j[loop] += kept_j + lost_j + outdoors_w * dt_s
    loops.stored_j[loop] += kept_j
    loops.rejected_j[loop] += lost_j + outdoors_w * dt_s
    return leaves_w - outdoors_w


@inlined
def intake_c(h, halls, heat, loop, air_w, outdoors, around, load_step, dt_s):
    """Return the air in degC that the racks of a hall take in over the next step: as it is, and by the share
    that a chip follows of the way that it goes in it, if fans and water stay as they are."""
    told_c = heat.air_set_c[h]
    if is_settled(h, halls, heat, loop, air_w, around, load_step):
        return told_c
    over_k = heat.air_j[h] / heat.air_j_k[h]
    then_k, _ = follow(h, halls, heat, loop, (air_w, air_w), outdoors, around, load_step, dt_s)
    return told_c + over_k + heat.air_lead[h] * (then_k - over_k)
