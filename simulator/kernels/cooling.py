"""Cooling loops over one step: supply temperature, rejected heat, power and water."""

import math

from numba import njit


@njit(cache=True)
def lookup(table, plant, hour, hour_frac, x):
    """Return a plant table interpolated in time and load; `x` is in grid steps."""
    j = min(int(x), table.shape[2] - 2)
    w = min(x - j, 1.0)
    before = table[plant, hour, j] * (1.0 - w) + table[plant, hour, j + 1] * w
    after = table[plant, hour + 1, j] * (1.0 - w) + table[plant, hour + 1, j + 1] * w
    return before + (after - before) * hour_frac


@njit(cache=True)
def integrate(loop, loops, maps, heat_w, hour, hour_frac, dt_s):
    """Advance one loop by a step under constant `heat_w`; return power and water rates.

    A loop with flow conductance G = m cp and thermal mass C = G tank relaxes to what its plant
    delivers, C dT/dt = G (T_plant - T). The plant takes in water at T + Q/G and returns it at
    T_plant, so what it rejects is G (T + Q/G - T_plant), integrated in closed form. Without a
    unit in service nothing is rejected and the loop warms at Q/C.

    Returns
    -------
    power_w, evaporation_kg_s, blowdown_kg_s : float
    """
    flow_w_k, tank_s = loops.flow_w_k[loop], loops.tank_s[loop]
    before_c = loops.supply_c[loop]
    capacity_w = loops.units_up[loop] * loops.unit_w[loop]
    received_j = heat_w * dt_s
    loops.received_j[loop] += received_j
    if capacity_w <= 0.0:
        loops.supply_c[loop] = before_c + received_j / (flow_w_k * tank_s)
        loops.stored_j[loop] += flow_w_k * tank_s * (loops.supply_c[loop] - before_c)
        return 0.0, 0.0, 0.0
    plant = loops.plant[loop]
    x = max(heat_w, 0.0) / capacity_w / maps.load_step
    plant_c = lookup(maps.supply_c, plant, hour, hour_frac, x)
    approached = -math.expm1(-dt_s / tank_s)
    excess_k_s = (before_c - plant_c) * tank_s * approached
    loops.supply_c[loop] = plant_c + (before_c - plant_c) * math.exp(-dt_s / tank_s)
    loops.rejected_j[loop] += received_j + flow_w_k * excess_k_s
    loops.stored_j[loop] += flow_w_k * tank_s * (loops.supply_c[loop] - before_c)
    power_w = lookup(maps.power_frac, plant, hour, hour_frac, x) * capacity_w
    evaporation = lookup(maps.evaporation_kg_j, plant, hour, hour_frac, x) * capacity_w
    blowdown = lookup(maps.blowdown_kg_j, plant, hour, hour_frac, x) * capacity_w
    return power_w, evaporation, blowdown


@njit(cache=True)
def fan_power(table, hall, heat_w, design_w, load_step):
    """Return the fan wall power in W of a hall at `heat_w`."""
    if design_w <= 0.0:
        return 0.0
    x = heat_w / design_w / load_step
    j = min(int(x), table.shape[1] - 2)
    w = min(x - j, 1.0)
    return design_w * (table[hall, j] * (1.0 - w) + table[hall, j + 1] * w)
