"""What a step leaves in the records: a row of the site, and sums of the hour that the recorder divides."""

from simulator.kernels import columns as c
from simulator.kernels import serving
from simulator.kernels.compiled import folded


@folded
def record_site(records, k, outdoors, at, supply, totals, losses_w, flows, dt_s):
    """Write powers and weather of step `k`, and add its energies.

    `at` is (hour, share of it that is over); `totals` IT, cooling and house; `flows` as
    `power_tree.balance` returns them, in W.
    """
    import_w, generator_w, stored_w, storage_loss_w = flows
    it_w, cooling_w, house_w = totals
    row, energy_j = records.site[k], records.energy_j
    row[c.POI_W], row[c.ONSITE_W], row[c.BATTERY_W] = import_w, generator_w, stored_w
    row[c.LIMIT_W], row[c.LOSSES_W] = supply.limit_w[0], losses_w + storage_loss_w
    row[c.IT_W], row[c.COOLING_W], row[c.HOUSE_W] = it_w, cooling_w, house_w
    dry, wet, hour, hour_frac = outdoors.dry_bulb_c, outdoors.wet_bulb_c, at[0], at[1]
    row[c.DRY_BULB_C] = dry[hour] + (dry[hour + 1] - dry[hour]) * hour_frac
    row[c.WET_BULB_C] = wet[hour] + (wet[hour + 1] - wet[hour]) * hour_frac
    energy_j[0] += import_w * dt_s
    energy_j[1] += generator_w * dt_s
    energy_j[2] += it_w * dt_s
    energy_j[3] += cooling_w * dt_s
    energy_j[4] += house_w * dt_s
    supply.battery_loss_j[0] += storage_loss_w * dt_s


@folded
def record_heat(row, hottest_c, blocks, slowed_s, water, dt_s):
    """Write the hottest chip and memory, accelerators slowed by heat and caps, and water in kg/s."""
    hbm_c = -273.15
    for b in range(blocks.hbm_hottest_c.size):
        hbm_c = max(hbm_c, blocks.hbm_hottest_c[b])
    row[c.JUNCTION_MAX_C], row[c.HBM_MAX_C] = hottest_c, hbm_c
    row[c.THROTTLED], row[c.CAPPED] = slowed_s[0] / dt_s, slowed_s[1] / dt_s
    row[c.EVAPORATION_KG_S], row[c.BLOWDOWN_KG_S] = water


@folded
def record_hour(records, hour, rack, loads, pools):
    """Add the step to the hour's sums of racks, pools and loads."""
    chosen, pool, job = records.rack[hour], records.pool[hour], records.job[hour]
    for j in range(records.racks.size):
        r = records.racks[j]
        chosen[j, 0] += rack.power_w[r] + rack.starting_w[r]
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


@folded
def record_halls(records, hour, halls, blocks, loops, tree, plant_w, coolant_c):
    """Add the step to the hour's sums of halls and loops; `coolant_c` (loops,) is room for what reaches
    cold plates and fan walls."""
    hall, loop = records.hall[hour], records.loop[hour]
    for i in range(coolant_c.size):
        coolant_c[i] = loops.supply_c[i]
    b = 0
    while b < blocks.it_w.size:  # by the hall: a sum would wait for what was just written
        h = blocks.hall[b]
        warm = halls.liquid_loop[h]
        it_w, hottest_c, warmest_c = hall[h, 0], hall[h, 3], coolant_c[warm]
        while b < blocks.it_w.size and blocks.hall[b] == h:
            it_w += blocks.it_w[b]
            hottest_c = max(hottest_c, blocks.hottest_c[b])
            warmest_c = max(warmest_c, blocks.coolant_c[b])
            b += 1
        hall[h, 0], hall[h, 3], coolant_c[warm] = it_w, hottest_c, warmest_c
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


@folded
def record_in_service(records, hour, rows, rack):
    """Write the accelerators of each hall that are in service at the end of the hour."""
    hall = records.hall[hour]
    for i in range(rows.start.size):
        for r in range(rows.start[i], rows.stop[i]):
            hall[rows.hall[i], 4] += rows.accelerators[i] * rack.up_frac[r]
