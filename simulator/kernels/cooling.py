"""Cooling loops over one step: supply temperature, rejected heat, power and water."""

import math

from numba import njit


@njit(cache=True)
def at_hour(table, hour, hour_frac):
    """Return a (plants, load grid) table interpolated in time between hour boundaries."""
    before, after = table[:, hour], table[:, hour + 1]
    return before + (after - before) * hour_frac


@njit(cache=True)
def tables_at(maps, dry, hour, hour_frac):
    """Return the tables of the plants at one time, with water or, if `dry` is 1, without: set
    temperature, supply temperature, power, evaporation, blowdown, share of heat moved by compressors."""
    setpoint_c = at_hour(maps.setpoint_c, hour, hour_frac)
    if dry == 1:
        power_frac = at_hour(maps.dry.power_frac, hour, hour_frac)
        none = power_frac * 0.0
        return (
            setpoint_c, at_hour(maps.dry.supply_c, hour, hour_frac), power_frac, none, none,
            at_hour(maps.dry.mechanical_frac, hour, hour_frac),
        )
    return (
        setpoint_c,
        at_hour(maps.supply_c, hour, hour_frac),
        at_hour(maps.power_frac, hour, hour_frac),
        at_hour(maps.evaporation_kg_j, hour, hour_frac),
        at_hour(maps.blowdown_kg_j, hour, hour_frac),
        at_hour(maps.mechanical_frac, hour, hour_frac),
    )


@njit(cache=True, inline="always")
def lookup(table, plant, x):
    """Return a plant table interpolated in load; `x` is in grid steps."""
    j = min(int(x), table.shape[1] - 2)
    w = min(x - j, 1.0)
    return table[plant, j] * (1.0 - w) + table[plant, j + 1] * w


@njit(cache=True, inline="always")
def integrate(loop, loops, tables, load_step, heat_w, dt_s):
    """Advance one loop by a step under constant `heat_w`; return power and water rates.

    `tables` are set temperature, supply temperature, power, evaporation, blowdown and share of heat
    moved by compressors of the plants at this time.

    A loop with flow conductance G = m cp and thermal mass C = G tank relaxes to what its plant
    delivers, C dT/dt = G (T_plant - T). The plant takes in water at T + Q/G and returns it at
    T_plant, so what it rejects is G (T + Q/G - T_plant), integrated in closed form. Without a
    unit in service nothing is rejected and the loop warms at Q/C.

    Returns
    -------
    power_w, evaporation_kg_s, blowdown_kg_s, setpoint_c, mechanical_frac : float
    """
    flow_w_k, tank_s = loops.flow_w_k[loop], loops.tank_s[loop]
    before_c = loops.supply_c[loop]
    capacity_w = loops.units_up[loop] * loops.unit_w[loop]
    setpoint_c, supply_c, power_frac, evaporation_kg_j, blowdown_kg_j, mechanical_frac = tables
    plant = loops.plant[loop]
    received_j = heat_w * dt_s
    loops.received_j[loop] += received_j
    if capacity_w <= 0.0:
        loops.supply_c[loop] = before_c + received_j / (flow_w_k * tank_s)
        loops.stored_j[loop] += flow_w_k * tank_s * (loops.supply_c[loop] - before_c)
        return 0.0, 0.0, 0.0, lookup(setpoint_c, plant, 0.0), 0.0
    x = max(heat_w, 0.0) / capacity_w / load_step
    plant_c = lookup(supply_c, plant, x)
    most_w = (supply_c.shape[1] - 1) * load_step * capacity_w
    if heat_w > most_w:  # beyond its map a plant rejects no more: the rest stays in the water
        plant_c += (heat_w - most_w) / flow_w_k
    approached = -math.expm1(-dt_s / tank_s)
    excess_k_s = (before_c - plant_c) * tank_s * approached
    loops.supply_c[loop] = plant_c + (before_c - plant_c) * math.exp(-dt_s / tank_s)
    loops.rejected_j[loop] += received_j + flow_w_k * excess_k_s
    loops.stored_j[loop] += flow_w_k * tank_s * (loops.supply_c[loop] - before_c)
    power_w = lookup(power_frac, plant, x) * capacity_w
    evaporation = lookup(evaporation_kg_j, plant, x) * capacity_w
    blowdown = lookup(blowdown_kg_j, plant, x) * capacity_w
    told_c, mechanical = lookup(setpoint_c, plant, x), lookup(mechanical_frac, plant, x)
    return power_w, evaporation, blowdown, told_c, mechanical


@njit(cache=True)
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


@njit(cache=True)
def fan_power(table, hall, heat_w, design_w, load_step):
    """Return the fan wall power in W of a hall at `heat_w`."""
    if design_w <= 0.0:
        return 0.0
    x = heat_w / design_w / load_step
    j = min(int(x), table.shape[1] - 2)
    w = min(x - j, 1.0)
    return design_w * (table[hall, j] * (1.0 - w) + table[hall, j + 1] * w)
