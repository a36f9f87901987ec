"""One minute of the whole site, and many of them in a row.

Within a step the controls (pool load, speeds, caps, coolant supplied to the racks) are those set
at its start; everything continuous is integrated exactly under them. What SimPy changed inside the
step has already been folded into the load and rack integrals.
"""

from numba import njit

from simulator.kernels import (
    block_caps,
    bridging,
    cooling,
    limits,
    load_account,
    power_tree,
    rack_control,
    rack_side,
    racks,
    serving,
    standing_heat,
    strikes,
)
from simulator.kernels import columns as c
from simulator.kernels import water as rationed

RUNNING, OVERLOAD, TRIP, THROTTLE = 0, 1, 2, 3
STEP_S = 60.0
HOUR_STEPS = 60


@njit(cache=True)
def advance(first, stop, before_s, flags, site, state, maps, outdoors, records):
    """Integrate steps `first` to `stop`, let failures and repairs up to `before_s` happen between
    and after them; return the next step and why it stopped early.

    Stops at a failure or repair that the engine must know of (`strikes.happen`), and after a step
    that leaves the site above its supply, an element above its rating or either held below it by
    caps, and after the first one without (OVERLOAD), in which a chip passed its shutdown
    temperature (TRIP), or in which the first chip passed its throttle point or the last one fell
    below it (THROTTLE).

    Parameters
    ----------
    flags : int64 (3,)
        Whether speeds and caps are away from one; whether chips throttle; whether the engine knows
        that they do.
    site : (rows, halls)
    state : (racks, loads, blocks, loops, tree, pools, supply, hall_air_c, plant_w, queue, shop, wear,
             limits, heat, water)
    """
    rows, halls = site
    rack, loads, blocks, loops, tree, pools, supply, hall_air_c, plant_w, queue, shop, wear = state[:12]
    limit, heat, water = state[12], state[13], state[14]
    for k in range(first, stop):
        if queue.due_s[0] < (k + 1) * STEP_S:
            found = strikes.happen((k + 1) * STEP_S, queue, shop, rows, rack, loads, wear)
            if found != strikes.CALM:
                return k, found
        hour, hour_frac = k // HOUR_STEPS, (k % HOUR_STEPS + 0.5) / HOUR_STEPS
        load_account.complete_loads(loads, (k + 1) * STEP_S)
        hottest_c, throttling, tripping = racks.integrate(rows, rack, loads, blocks, hall_air_c, STEP_S)
        if water.limit_kg.size > 0 and k % HOUR_STEPS == 0:
            rationed.ration(water, hour)
        units_up = rationed.rest(water, loops, maps.dry.rejects)
        evaporated = _cool(
            halls, blocks, loops, heat, maps, outdoors, hall_air_c, plant_w, water.dry[0], hour, hour_frac
        )
        loops.units_up[:] = units_up
        rationed.take(water, (evaporated[0] + evaporated[1]) * STEP_S)
        bridged_w = standing_heat.bridge(heat, supply, plant_w, STEP_S)
        totals = _connect(halls, blocks, heat, tree, plant_w, STEP_S)
        demand_w, losses_w = power_tree.solve(tree, STEP_S)
        flows = _with_bridges(power_tree.balance(supply, demand_w, STEP_S), tree.bridge, bridged_w)
        was_over = limit.over[0]
        limit.over[0] = limits.watch(tree, limit, max(demand_w - flows[0], 0.0), STEP_S)
        slowed_s = load_account.account_loads(loads)
        _record_site(records, k, outdoors, hour, hour_frac, supply, totals, losses_w, flows)
        _record_heat(records.site[k], hottest_c, blocks, slowed_s, evaporated)
        _record_hour(records, k, rows, halls, rack, blocks, loops, tree, loads, pools, plant_w)
        capped = block_caps.cap_blocks(rows, rack, loads, blocks, STEP_S)
        hot = throttling or (flags[0] == 1 and rack_control.slowed(rows, rack))
        if hot or capped or blocks.partial[0] == 1:
            rack_control.control(rows, rack, loads, blocks, hall_air_c)
            flags[0] = 1
            hot = throttling or (hot and rack_control.slowed(rows, rack))
        elif flags[0] == 1 or blocks.partial[0] == 2:
            rack_control.release(rack, loads)
            flags[0], blocks.partial[0] = 0, 0
        flags[1] = int(hot)
        racks.settle_flow(blocks)
        load_account.clear_loads(loads)
        following = k + 1
        if following < records.site.shape[0]:
            prepare_pools(pools, loads, following)
        if tripping:
            return following, TRIP
        held = blocks.partial[0] == 1 or limit.over[0] == 1 or was_over == 1
        for load in range(loads.cap.size):
            held = held or loads.cap[load] < 1.0
        limit_w = supply.limit_w[0] * (1.0 - supply.margin)
        if held or demand_w > limit_w or supply.deficit_w[0] > 0.0:
            return following, OVERLOAD
        if flags[1] != flags[2]:
            return following, THROTTLE
    return stop, strikes.happen(before_s, queue, shop, rows, rack, loads, wear)


@njit(cache=True)
def prepare_pools(pools, loads, step):
    """Set the pools' load for `step`; once by the engine before the first step."""
    hour_frac = (step % HOUR_STEPS + 0.5) / HOUR_STEPS
    serving.prepare(pools, loads, step // HOUR_STEPS, hour_frac, STEP_S)


@njit(cache=True)
def _cool(halls, blocks, loops, heat, maps, outdoors, hall_air_c, plant_w, dry, hour, hour_frac):
    """Carry the heat of all halls outdoors; set the coolant of the next step.

    `plant_w` (halls, 14) receives the power of plants and fans, the power of pumps, and for the
    warm and the chilled loop: heat received, power of plant and loop pumps, evaporation in kg/s,
    set temperature in degC, share of the heat moved by compressors, heat given to users.
    """
    evaporation, blowdown = 0.0, 0.0
    tables = cooling.tables_at(maps, dry, hour, hour_frac)
    # An hour that goes without water adds none to outdoor air: it is let in as dry as it is.
    # Where outdoor air is let in at one end of the hour only, it is not counted on.
    outdoor_c = max(outdoors.air.supply_c[hour], outdoors.air.supply_c[hour + 1])
    air = (
        cooling.at_hour(outdoors.air.share, hour, hour_frac),
        cooling.at_hour(outdoors.air.water_kg_j, hour, hour_frac) * (1.0 - dry), outdoor_c,
    )
    if blocks.by_load.shape[2] > 0:
        rack_side.follow_load(blocks, maps.load_step)
    moving = standing_heat.movements(heat, STEP_S)
    made = _gather(halls, blocks, loops, heat, moving)
    for h in range(halls.house_w.size):
        e, d = _cool_hall(
            h, halls, loops, heat, maps, tables, air, made, moving, hall_air_c, plant_w, hour, hour_frac
        )
        evaporation += e
        blowdown += d
    standing_heat.settle_coolant(halls, blocks, loops, heat, plant_w, STEP_S)
    return evaporation, blowdown


@njit(cache=True)
def _gather(halls, blocks, loops, heat, moving):
    """Return the heat in W that blocks give to each loop's water, to each loop's air, and the power
    of their pumps by hall. What moves as designed costs no call (3 us each)."""
    liquid_w, air_w, pump_w = loops.pump_w * 0.0, loops.pump_w * 0.0, halls.house_w * 0.0
    hall_of, liquid_loop, air_loop = blocks.hall, halls.liquid_loop, halls.air_loop
    mass_j_k, flow, row_j, flows_s = blocks.mass_j_k, blocks.flow, heat.row_j, moving[:, 0]
    for b in range(blocks.it_w.size):
        h = hall_of[b]
        warm, moved_w = liquid_loop[h], blocks.pump_w[b] * flow[b]
        if mass_j_k[b] > 0.0:
            liquid_w[warm] += rack_side.leave_tank(
                b, blocks, loops.supply_c[warm], flows_s[warm], STEP_S
            )
        elif row_j[b] == 0.0 and flow[b] == 1.0 and flows_s[warm] >= STEP_S:
            liquid_w[warm] += blocks.liquid_w[b] + moved_w
        else:
            liquid_w[warm] += standing_heat.leave_row(
                b, blocks, loops, warm, heat, flows_s[warm], STEP_S
            )
        air_w[air_loop[h]] += blocks.air_w[b]
        pump_w[h] += moved_w
    return liquid_w, air_w, pump_w


@njit(cache=True)
def _cool_hall(
    h, halls, loops, heat, maps, tables, air, made, moving, hall_air_c, plant_w, hour, hour_frac
):
    """Carry the heat of one hall outdoors; return evaporation and blowdown in kg/s."""
    air_share, air_water, outdoor_c = air
    warm, chilled = halls.liquid_loop[h], halls.air_loop[h]
    air_w, pumps_w = made[1][chilled], made[2][h]
    warm_moves, air_moves = moving[warm], moving[chilled]
    fan_w = standing_heat.fan_power(halls, h, air_w, air_moves, maps.load_step, STEP_S)
    x = min(air_w / halls.fan_design_heat_w[h] / maps.load_step, air_share.shape[1] - 1.0)
    let_out = cooling.lookup(air_share, 0, x)
    warm_pump_w = loops.pump_w[warm] * warm_moves[3]
    chilled_pump_w = loops.pump_w[chilled] * air_moves[3]
    warm_w = made[0][warm] + warm_pump_w
    chilled_w = chilled_pump_w + standing_heat.leave_hall(
        h, air_w + fan_w, let_out, loops, chilled, heat, air_moves, STEP_S
    )
    plant_w[h, 12] = 0.0
    if heat.changes[warm] == 0 and heat.flow[warm] == 1.0:
        if loops.units_up[warm] > 0.0 and maps.reuse.most_w[warm] > 0.0:
            plant_w[h, 12] = cooling.deliver(warm, loops, maps.reuse, warm_w, hour, hour_frac, STEP_S)
        warm_power_w, warm_e, warm_d, plant_w[h, 8], plant_w[h, 10] = cooling.integrate(
            warm, loops, tables, maps.load_step, warm_w - plant_w[h, 12], STEP_S
        )
    else:
        warm_power_w, warm_e, warm_d, plant_w[h, 8], plant_w[h, 10] = standing_heat.run_in_parts(
            warm, loops, heat, tables, maps.load_step, warm_w, warm_moves[0], STEP_S
        )
    if heat.changes[chilled] == 0 and heat.flow[chilled] == 1.0:
        chilled_power_w, chilled_e, chilled_d, plant_w[h, 9], plant_w[h, 11] = cooling.integrate(
            chilled, loops, tables, maps.load_step, chilled_w, STEP_S
        )
    else:
        chilled_power_w, chilled_e, chilled_d, plant_w[h, 9], plant_w[h, 11] = (
            standing_heat.run_in_parts(
                chilled, loops, heat, tables, maps.load_step, chilled_w, air_moves[0], STEP_S
            )
        )
    chilled_e += cooling.lookup(air_water, 0, x) * halls.fan_design_heat_w[h] * air_moves[4]
    behind_w = pumps_w * heat.on_ups[0] + (warm_pump_w + chilled_pump_w) * heat.on_ups[1]
    moved_w = pumps_w + warm_pump_w + chilled_pump_w
    plant_w[h, 0] = warm_power_w + chilled_power_w + fan_w + (moved_w - behind_w)
    plant_w[h, 1] = behind_w
    plant_w[h, 2], plant_w[h, 3] = warm_w, chilled_w
    plant_w[h, 4], plant_w[h, 5] = warm_power_w + warm_pump_w, chilled_power_w + chilled_pump_w
    plant_w[h, 6], plant_w[h, 7] = warm_e, chilled_e
    hall_air_c[h] = standing_heat.air_c(h, halls, heat, air_w, chilled, loops, outdoor_c, STEP_S)
    hall_air_c[h] += standing_heat.drift_k(chilled, loops, heat, chilled_w, STEP_S) * heat.air_lead[h]
    return warm_e + chilled_e, warm_d + chilled_d


@njit(cache=True)
def _connect(halls, blocks, heat, tree, plant_w, dt_s):
    """Put every load on its node of the power tree, but what the batteries of a block carry; return IT,
    cooling and house power in W."""
    it_w, cooling_w, house_w = 0.0, 0.0, 0.0
    tree.output_w[:] = 0.0
    bridge = tree.bridge
    bridging.clear(bridge)
    for b in range(blocks.it_w.size):
        fed_w = blocks.it_w[b]
        if bridge.of_block[b] >= 0 and bridge.share[bridge.of_block[b]] > 0.0:
            fed_w -= bridging.carry(bridge, bridge.of_block[b], fed_w, dt_s)
        for k in range(blocks.feed_first[b], blocks.feed_first[b + 1]):
            tree.output_w[blocks.feed_node[k]] += fed_w * blocks.feed_share[k]
        it_w += blocks.it_w[b]
        if blocks.it_w[b] > blocks.peak_w[b]:
            blocks.peak_w[b] = blocks.it_w[b]
    for h in range(halls.house_w.size):
        house_here_w = halls.house_w[h] * heat.lit[h]
        tree.output_w[halls.plant_node[h]] += plant_w[h, 0] + house_here_w
        if heat.bridged[h] == 0:
            tree.output_w[halls.pump_node[h]] += plant_w[h, 1]
        cooling_w += plant_w[h, 0] + plant_w[h, 1]
        house_w += house_here_w
    return it_w, cooling_w, house_w


@njit(cache=True)
def _with_bridges(flows, bridge, pumps_w):
    """Return the flows of the balance with what the batteries of lineups, racks and pumps gave."""
    import_w, generator_w, stored_w, loss_w = flows
    given_w = bridge.out_w[0] + pumps_w
    return import_w, generator_w, stored_w - given_w, loss_w + bridge.loss_w[0]


@njit(cache=True)
def _record_site(records, k, outdoors, hour, hour_frac, supply, totals, losses_w, flows):
    import_w, generator_w, stored_w, storage_loss_w = flows
    it_w, cooling_w, house_w = totals
    losses_w += storage_loss_w
    row, energy_j = records.site[k], records.energy_j
    for column, value_w in (
        (c.POI_W, import_w), (c.ONSITE_W, generator_w), (c.BATTERY_W, stored_w),
        (c.LIMIT_W, supply.limit_w[0]), (c.IT_W, it_w), (c.COOLING_W, cooling_w),
        (c.HOUSE_W, house_w), (c.LOSSES_W, losses_w),
    ):
        row[column] = value_w
    dry, wet = outdoors.dry_bulb_c, outdoors.wet_bulb_c
    row[c.DRY_BULB_C] = dry[hour] + (dry[hour + 1] - dry[hour]) * hour_frac
    row[c.WET_BULB_C] = wet[hour] + (wet[hour + 1] - wet[hour]) * hour_frac
    energy_j[0] += import_w * STEP_S
    energy_j[1] += generator_w * STEP_S
    energy_j[2] += it_w * STEP_S
    energy_j[3] += cooling_w * STEP_S
    energy_j[4] += house_w * STEP_S
    supply.battery_loss_j[0] += storage_loss_w * STEP_S


@njit(cache=True)
def _record_heat(row, hottest_c, blocks, slowed_s, water):
    row[c.JUNCTION_MAX_C], row[c.HBM_MAX_C] = hottest_c, -273.15
    for b in range(blocks.hbm_hottest_c.size):
        row[c.HBM_MAX_C] = max(row[c.HBM_MAX_C], blocks.hbm_hottest_c[b])
    row[c.THROTTLED], row[c.CAPPED] = slowed_s[0] / STEP_S, slowed_s[1] / STEP_S
    row[c.EVAPORATION_KG_S], row[c.BLOWDOWN_KG_S] = water


@njit(cache=True)
def _record_hour(records, k, rows, halls, rack, blocks, loops, tree, loads, pools, plant_w):
    """Add the step to the hourly sums; the recorder divides by the steps of the hour."""
    hour = k // HOUR_STEPS
    hall, loop, pool, job = (
        records.hall[hour], records.loop[hour], records.pool[hour], records.job[hour]
    )
    coolant_c = loops.supply_c.copy()  # what reaches cold plates and fan walls
    for b in range(blocks.it_w.size):
        h = blocks.hall[b]
        warm = halls.liquid_loop[h]
        coolant_c[warm] = max(coolant_c[warm], blocks.coolant_c[b])
        hall[h, 0] += blocks.it_w[b]
        hall[h, 3] = max(hall[h, 3], blocks.hottest_c[b])
    for h in range(halls.house_w.size):
        power_w = tree.output_w[halls.feeder_node[h]]
        hall[h, 1] += power_w
        hall[h, 2] = max(hall[h, 2], power_w)
        for i, j in ((halls.liquid_loop[h], 0), (halls.air_loop[h], 1)):
            loop[i, 0] += plant_w[h, 2 + j]
            loop[i, 1] += coolant_c[i]
            loop[i, 2] = max(loop[i, 2], coolant_c[i])
            loop[i, 3] += plant_w[h, 4 + j]
            loop[i, 4] += plant_w[h, 6 + j]
            loop[i, 5] = loops.units_up[i]
            loop[i, 6] += plant_w[h, 8 + j]
            loop[i, 7] += plant_w[h, 10 + j]
            loop[i, 8] += plant_w[h, 12 + j]
    chosen = records.rack[hour]
    for j in range(records.racks.size):
        r = records.racks[j]
        chosen[j, 0] += rack.power_w[r]
        chosen[j, 1] = max(chosen[j, 1], rack.junction_c[r])
        chosen[j, 2] = rack.up_frac[r]
    for p in range(pools.load.size):
        for column in range(serving.STEP_COLUMNS):
            pool[p, column] += pools.step[p, column]
        pool[p, serving.STEP_COLUMNS] += loads.member_s[pools.load[p]]
        pool[p, serving.STEP_COLUMNS + 1] = pools.queue[p, serving.REQUESTS]
    for i in range(loads.on.size):
        job[i, 0] += loads.member_s[i]
        job[i, 1] += loads.step_hours[i, 0]
        job[i, 2] += loads.paced_s[i]
        job[i, 3] = loads.work_s[i]
        job[i, 4] += loads.running_s[i]
    if k % HOUR_STEPS == HOUR_STEPS - 1 or k == records.site.shape[0] - 1:
        for i in range(rows.start.size):
            for r in range(rows.start[i], rows.stop[i]):
                hall[rows.hall[i], 4] += rows.accelerators[i] * rack.up_frac[r]
