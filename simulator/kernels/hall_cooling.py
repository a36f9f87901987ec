"""The heat of all halls over one step: from racks to water and air, and by plants outdoors."""

from simulator.kernels import cooling, hall_air, rack_side, standing_heat
from simulator.kernels.compiled import folded, inlined

MEAN = 0.5
"""Of what changes evenly over a step, its mean."""


@folded
def cool(halls, blocks, loops, heat, maps, outdoors, scratch, hall_air_c, plant_w, at, dt_s):
    """Carry the heat of all halls outdoors; set the coolant of the next step; return evaporation and
    blowdown in kg/s.

    `at` is (hour, share of it that is over, 1 where plants have no water).
    `plant_w` (halls, 14) receives the power of plants and fans, the power of pumps, and for the
    warm and the chilled loop: heat received, power of plant and loop pumps, evaporation in kg/s,
    set temperature in degC, share of the heat moved by compressors, heat given to users.
    """
    evaporation, blowdown, hour = 0.0, 0.0, at[0]
    # Where outdoor air is let in at one end of the hour only, it is not counted on.
    outdoor_c = max(outdoors.air.supply_c[hour], outdoors.air.supply_c[hour + 1])
    dry_bulb_c = outdoors.dry_bulb_c[hour]
    dry_bulb_c += (outdoors.dry_bulb_c[hour + 1] - dry_bulb_c) * at[1]
    if blocks.by_load.shape[2] > 0:
        rack_side.follow_load(blocks, maps.load_step)
    standing_heat.movements(heat, scratch.moving, dt_s)
    _gather(halls, blocks, loops, heat, scratch, dt_s)
    for h in range(halls.house_w.size):
        chilled = halls.air_loop[h]
        moved = _move_air(h, halls, outdoors.air, maps, scratch, at, dt_s)
        around = _around(chilled, loops, heat, plant_w[h, 3], outdoor_c, dry_bulb_c, dt_s)
        e, d = _cool_hall(h, halls, loops, heat, maps, scratch, moved, around, plant_w, at, dt_s)
        evaporation += e
        blowdown += d
        told_c = plant_w[h, 9] + halls.fan_approach_k[h] + heat.air_mixed_k[h]
        if heat.air_j[h] != 0.0:  # what is told changes at once, warm air does not
            heat.air_j[h] += heat.air_j_k[h] * (heat.air_set_c[h] - told_c)
        heat.air_set_c[h] = told_c
        around = _around(chilled, loops, heat, plant_w[h, 3], outdoor_c, dry_bulb_c, dt_s)
        hall_air_c[h] = hall_air.intake_c(
            h, halls, heat, chilled, scratch.air_w[chilled], moved[1], around, maps.load_step, dt_s
        )
    standing_heat.settle_coolant(halls, blocks, loops, heat, plant_w, dt_s)
    return evaporation, blowdown


@inlined
def _around(loop, loops, heat, heat_w, outdoor_c, dry_bulb_c, dt_s):
    """Return what is around a hall's air over a step (`hall_air.is_settled`)."""
    water_c = loops.supply_c[loop] + MEAN * standing_heat.drift_k(loop, loops, heat, heat_w, dt_s)
    return water_c, outdoor_c, dry_bulb_c


@folded
def _gather(halls, blocks, loops, heat, scratch, dt_s):
    """Find the heat in W that blocks give to each loop's water, to each loop's air, and the power of
    their pumps by hall. What moves as designed costs no call."""
    liquid_w, air_w, pump_w = scratch.liquid_w, scratch.air_w, scratch.pump_w
    liquid_w[:] = 0.0
    air_w[:] = 0.0
    pump_w[:] = 0.0
    b = 0
    while b < blocks.it_w.size:  # by the hall: a sum would wait for what was just written
        h = blocks.hall[b]
        warm, chilled = halls.liquid_loop[h], halls.air_loop[h]
        flows_s, sums_w = scratch.moving[warm, 0], (liquid_w[warm], air_w[chilled], pump_w[h])
        while b < blocks.it_w.size and blocks.hall[b] == h:
            moved_w = blocks.pump_w[b] * blocks.flow[b]
            if blocks.mass_j_k[b] > 0.0:
                given_w = rack_side.leave_tank(b, blocks, loops.supply_c[warm], flows_s, dt_s)
            elif heat.row_j[b] == 0.0 and blocks.flow[b] == 1.0 and flows_s >= dt_s:
                given_w = blocks.liquid_w[b] + moved_w
            else:
                given_w = standing_heat.leave_row(b, blocks, loops, warm, heat, flows_s, dt_s)
            sums_w = sums_w[0] + given_w, sums_w[1] + blocks.air_w[b], sums_w[2] + moved_w
            b += 1
        liquid_w[warm], air_w[chilled], pump_w[h] = sums_w
    for h in range(pump_w.size):  # of the power chain by what it lost in the step before
        house_w = heat.house_frac[0] * halls.house_w[h] * heat.lit[h]
        air_w[halls.air_loop[h]] += heat.indoor_w[h] + house_w


@folded
def _move_air(h, halls, air, maps, scratch, at, dt_s):
    """Return the power of a hall's fans in W, the share of its air's heat that outdoor air takes, and
    the water that takes in kg/s.

    An hour that goes without water adds none to outdoor air: it is let in as dry as it is.
    """
    hour, hour_frac, dry = at
    chilled, design_w = halls.air_loop[h], halls.fan_design_heat_w[h]
    air_w, moving = scratch.air_w[chilled], scratch.moving
    fan_w = standing_heat.fan_power(halls, h, air_w, moving, maps.load_step, dt_s)
    x = min(air_w / design_w / maps.load_step, air.share.shape[2] - 1.0)
    water_kg_j = cooling.lookup(air.water_kg_j, 0, x, hour, hour_frac) * (1.0 - dry)
    let_out = cooling.lookup(air.share, 0, x, hour, hour_frac)
    return fan_w, let_out, water_kg_j * design_w * moving[chilled, 4]


@folded
def _cool_hall(h, halls, loops, heat, maps, scratch, moved, around, plant_w, at, dt_s):
    """Carry the heat of one hall outdoors; return evaporation and blowdown in kg/s. `moved` as
    `_move_air` returns it, `around` as `_around` does."""
    fan_w, let_out, air_e = moved
    warm, chilled, moving = halls.liquid_loop[h], halls.air_loop[h], scratch.moving
    pumps_w = scratch.pump_w[h]
    warm_pump_w = _pumps_w(warm, loops, moving, scratch.liquid_w[warm], dt_s)
    warm_w = scratch.liquid_w[warm] + warm_pump_w
    chilled_w = hall_air.leave(
        h, halls, heat, loops, chilled, scratch.air_w[chilled], fan_w, let_out, around, moving, maps.load_step, dt_s
    )
    chilled_pump_w = _pumps_w(chilled, loops, moving, chilled_w, dt_s)
    if let_out >= 1.0 - cooling.ROUNDING:  # outdoor air takes all there is: chilled water rests
        chilled_pump_w = 0.0
    chilled_w += chilled_pump_w
    used_w = 0.0
    reuses = maps.reuse.most_w[warm] > 0.0 and loops.units_up[warm] > 0.0
    if reuses and standing_heat.as_designed(warm, heat):
        used_w = cooling.deliver(warm, loops, maps.reuse, warm_w, at[0], at[1], dt_s)
    warm_power_w, warm_e, warm_d, plant_w[h, 8], plant_w[h, 10] = standing_heat.run(
        warm, loops, heat, maps, at, warm_w - used_w, moving[warm, 0], dt_s
    )
    chilled_power_w, chilled_e, chilled_d, plant_w[h, 9], plant_w[h, 11] = standing_heat.run(
        chilled, loops, heat, maps, at, chilled_w, moving[chilled, 0], dt_s
    )
    chilled_e += air_e
    behind_w = pumps_w * heat.on_ups[0] + (warm_pump_w + chilled_pump_w) * heat.on_ups[1]
    moved_w = pumps_w + warm_pump_w + chilled_pump_w
    plant_w[h, 0] = warm_power_w + chilled_power_w + fan_w + (moved_w - behind_w)
    plant_w[h, 1] = behind_w
    plant_w[h, 2], plant_w[h, 3] = warm_w, chilled_w
    plant_w[h, 4], plant_w[h, 5] = warm_power_w + warm_pump_w, chilled_power_w + chilled_pump_w
    plant_w[h, 6], plant_w[h, 7], plant_w[h, 12] = warm_e, chilled_e, used_w
    heat.made_j[h, 0] += fan_w * dt_s
    heat.made_j[h, 1] += pumps_w * dt_s
    heat.made_j[h, 2] += (warm_pump_w + chilled_pump_w) * dt_s
    return warm_e + chilled_e, warm_d + chilled_d


@inlined
def _pumps_w(loop, loops, moving, heat_w, dt_s):
    """Return the mean power in W of a loop's pumps in a step that brings it so much heat: as that asks of them while
    its water flows, at most what those that work draw at full speed."""
    asked = cooling.pump_frac(heat_w / loops.design_w[loop], loops.least_flow[loop], loops.held_head[loop])
    return loops.pump_w[loop] * min(asked * moving[loop, 0] / dt_s, moving[loop, 3])
