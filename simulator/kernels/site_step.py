"""One minute of the whole site, and many of them in a row.

Within a step the controls (pool load, speeds, caps, coolant supplied to the racks) are those set
at its start; everything continuous is integrated exactly under them. What SimPy changed inside the
step has already been folded into the load and rack integrals.
"""

import numpy as np

from simulator.kernels import (
    block_caps,
    bridging,
    charging,
    hall_cooling,
    limits,
    load_account,
    power_tree,
    rack_control,
    racks,
    recording,
    serving,
    standing_heat,
    strikes,
)
from simulator.kernels import water as rationed
from simulator.kernels.compiled import entry, folded, inlined

RUNNING, OVERLOAD, TRIP, THROTTLE = 0, 1, 2, 3
INTAKE = strikes.WAKE + 1  # beside what `strikes.happen` returns
STEP_S = 60.0
HOUR_STEPS = 60


@entry
def advance(
    first, stop, before_s, flags, rows, halls, rack, loads, blocks, loops, tree, pools, supply,
    hall_air_c, plant_w, queue, shop, wear, limit, heat, water, maps, outdoors, records, scratch,
):
    """Integrate steps `first` to `stop`, let failures and repairs up to `before_s` happen between
    and after them; return the next step and why it stopped early.

    Stops at a failure or repair that the engine must know of (`strikes.happen`), and after a step
    that leaves the site above its supply, an element above its rating or either held below it by
    caps, and after the first one without (OVERLOAD), in which a chip passed its shutdown
    temperature or a rack its intake's (TRIP), in which the first chip passed its throttle point or the
    last one fell below it (THROTTLE), or support racks changed in hot air or coolant passed what cold plates are
    made for (INTAKE).

    Parameters
    ----------
    flags : int64 (3,)
        Whether speeds and caps are away from one; whether chips throttle; whether the engine knows
        that they do.
    rows, halls, rack, ... : the groups of columns, one by one
        A tuple of all of them would take the compiler as long as all the rest.
    wear : as in `strikes.happen`
    """
    for k in range(first, stop):
        if queue.due_s[0] < (k + 1) * STEP_S:
            found = strikes.happen((k + 1) * STEP_S, queue, shop, rows, rack, loads, wear)
            if found != strikes.CALM:
                return k, found
        status = _step(
            k, flags, rows, halls, rack, loads, blocks, loops, tree, pools, supply, hall_air_c,
            plant_w, limit, heat, water, maps, outdoors, records, scratch,
        )
        if status != RUNNING:
            return k + 1, status
    return stop, strikes.happen(before_s, queue, shop, rows, rack, loads, wear)


@folded
def _step(
    k, flags, rows, halls, rack, loads, blocks, loops, tree, pools, supply, hall_air_c, plant_w,
    limit, heat, water, maps, outdoors, records, scratch,
):
    """Integrate step `k`; return why to stop after it, or RUNNING.

    Calls in a row and no branch: where a group is used on both sides of one, the compiler takes its
    hundreds of words apart again.
    """
    load_account.complete_loads(loads, (k + 1) * STEP_S)
    hottest_c, throttling, tripping = racks.integrate(
        rows, rack, loads, blocks, heat, hall_air_c, scratch, STEP_S
    )
    _ration(water, k)
    at = _clock(k, water)
    rationed.rest(water, loops, maps.dry.rejects, scratch.units_up)
    evaporated = hall_cooling.cool(
        halls, blocks, loops, heat, maps, outdoors, scratch, hall_air_c, plant_w, at, STEP_S
    )
    rationed.rise(water, loops, scratch.units_up)
    rationed.take(water, (evaporated[0] + evaporated[1]) * STEP_S)
    was_over = limit.over[0]
    bridged_w = standing_heat.bridge(heat, supply, plant_w, STEP_S)
    totals = _connect(halls, blocks, heat, tree, plant_w, STEP_S)
    charged = charging.charge(tree, limit, blocks, supply, STEP_S)
    demand_w, losses_w = power_tree.solve(tree, STEP_S)
    flows = _with_bridges(power_tree.balance(supply, demand_w, charged, STEP_S), tree.bridge, bridged_w)
    limit.over[0] = limits.watch(tree, limit, max(demand_w - flows[0], 0.0), STEP_S)
    slowed_s = load_account.account_loads(loads)
    recording.record_site(records, k, outdoors, at, supply, totals, losses_w, flows, STEP_S)
    recording.record_heat(records.site[k], hottest_c, blocks, slowed_s, evaporated, STEP_S)
    recording.record_hour(records, at[0], rack, loads, pools)
    recording.record_halls(records, at[0], halls, blocks, loops, tree, plant_w, scratch.coolant_c)
    _close_hour(records, k + 1, rows, rack)
    _control(rows, rack, loads, blocks, hall_air_c, scratch, flags, throttling)
    racks.settle_flow(blocks)
    load_account.clear_loads(loads)
    _serve(pools, loads, k + 1, records.site.shape[0])
    held = was_over, limit.over[0], blocks.partial[0]
    short = _short(supply, tree.charge, demand_w)
    return _status(tripping, held, load_account.capped(loads), short, flags, _untold(blocks))


@inlined
def _ration(water, k):
    """Decide at the start of an hour whether it has water, where that is ever short."""
    if water.limit_kg.size > 0 and k % HOUR_STEPS == 0:
        rationed.ration(water, k // HOUR_STEPS)


@inlined
def _clock(k, water):
    """Return the hour of a step, the share of it that is over in the middle of the step, and whether
    plants are without water."""
    return k // HOUR_STEPS, (k % HOUR_STEPS + 0.5) / HOUR_STEPS, water.dry[0]


@inlined
def _close_hour(records, steps, rows, rack):
    """Record what is in service if the hour ends after so many steps, or the run does."""
    if steps % HOUR_STEPS == 0 or steps == records.site.shape[0]:
        recording.record_in_service(records, (steps - 1) // HOUR_STEPS, rows, rack)


@inlined
def _serve(pools, loads, k, steps):
    """Set what the pools do in step `k` of so many."""
    if k < steps:
        hour_frac = (k % HOUR_STEPS + 0.5) / HOUR_STEPS
        serving.prepare(pools, loads, k // HOUR_STEPS, hour_frac, STEP_S)


@inlined
def _short(supply, charge, demand_w):
    """Return whether the site draws more than it may, but for what charges batteries, or than there was."""
    limit_w = supply.limit_w[0] * (1.0 - supply.margin)
    if charge.on[0] == 0:
        charge.asked_w[0] = demand_w
    return charge.asked_w[0] > limit_w or supply.deficit_w[0] > 0.0


@inlined
def _untold(blocks):
    """Return whether support racks began to slow in hot air, went off or came back, or coolant became warmer
    than cold plates are made for, or cold enough again."""
    found = 0
    for b in range(blocks.support_hot.size):
        found += int(blocks.support_hot[b] != blocks.support_told[b])
        found += int(blocks.coolant_hot[b] != blocks.coolant_told[b])
    return found > 0


@inlined
def _status(tripping, held, capped, short, flags, untold):
    """Return what the engine is told of a step, by urgency."""
    if tripping:
        return TRIP
    if held[0] == 1 or held[1] == 1 or held[2] == 1 or capped or short:
        return OVERLOAD
    if flags[1] != flags[2]:
        return THROTTLE
    return INTAKE if untold else RUNNING


@folded
def _control(rows, rack, loads, blocks, hall_air_c, scratch, flags, throttling):
    """Set clocks and caps of the next step."""
    capped = block_caps.cap_blocks(rows, rack, loads, blocks, scratch, STEP_S)
    hot = throttling or (flags[0] == 1 and rack_control.slowed(rows, rack))
    if hot or capped or blocks.partial[0] == 1:
        rack_control.control(rows, rack, loads, blocks, hall_air_c, scratch)
        flags[0] = 1
        hot = throttling or (hot and rack_control.slowed(rows, rack))
    elif flags[0] == 1 or blocks.partial[0] == 2:
        rack_control.release(rack, loads)
        flags[0], blocks.partial[0] = 0, 0
    flags[1] = int(hot)


@folded
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
        for k in range(np.uint64(blocks.feed_first[b]), np.uint64(blocks.feed_first[b + 1])):
            tree.output_w[np.uint64(blocks.feed_node[k])] += fed_w * blocks.feed_share[k]
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


@inlined
def _with_bridges(flows, bridge, pumps_w):
    """Return the flows of the balance with what the batteries of lineups, racks and pumps gave."""
    import_w, generator_w, stored_w, loss_w = flows
    given_w = bridge.out_w[0] + pumps_w
    return import_w, generator_w, stored_w - given_w, loss_w + bridge.loss_w[0]
