"""The columns the kernels work on, grouped by population.

Each group is a named tuple of arrays, so a kernel call passes a handful of names. `*Site` groups
are frozen for a run; the others are state, and the comment beside each column names the one engine
module that writes it between kernel calls (the kernel itself may write any state column).
"""

from typing import NamedTuple

import numpy as np

from simulator.kernels.bridge_columns import BridgeState, ChargeState

Floats = np.ndarray
Ints = np.ndarray

# Accounting categories of an accelerator-hour, in column order.
CATEGORIES = (
    "useful", "idle", "down", "lost_checkpoint", "lost_rework", "lost_restart", "lost_queue",
    "lost_throttle", "lost_power_cap", "lost_network", "lost_degraded",
)
(USEFUL, IDLE, DOWN, CHECKPOINT, REWORK, RESTART, QUEUE, THROTTLE, POWER_CAP,
 NETWORK, DEGRADED) = range(11)

# Columns of the minute record, in the order of results.SERIES["site"].
(POI_W, ONSITE_W, BATTERY_W, LIMIT_W, IT_W, COOLING_W, HOUSE_W, LOSSES_W, DRY_BULB_C, WET_BULB_C,
 JUNCTION_MAX_C, THROTTLED, CAPPED, EVAPORATION_KG_S, BLOWDOWN_KG_S, HBM_MAX_C) = range(16)
SITE_COLUMNS = 16

# Power-tree stages, for the loss table.
STAGES = ("lines", "transformers", "feeders", "substations", "busways", "ups")


class RowSite(NamedTuple):
    """Runs of equal accelerator racks inside one block; shape (rows,)."""

    start: Ints  # first rack
    stop: Ints  # one past the last rack
    block: Ints
    hall: Ints
    accelerators: Floats  # per rack
    chip_idle_w: Floats
    chip_dynamic_w: Floats  # maximum minus idle
    leakage_w_k: Floats
    leakage_ref_c: Floats
    host_idle_w: Floats  # per rack, before the power shelves
    host_dynamic_w: Floats
    shelf_rating_w: Floats
    shelf_no_load: Floats
    shelf_linear: Floats
    shelf_load: Floats
    liquid_frac: Floats
    liquid_cooled: Ints  # 1: chips sit on the coolant, 0: in the hall's air
    decay: Floats  # share of the way to thermal equilibrium in one step
    heat_capacity_j_k: Floats  # per chip
    throttle_start_c: Floats
    throttle_full_c: Floats
    shutdown_c: Floats
    hysteresis_k: Floats  # a throttled clock rises again only so far below its band
    hbm_rise: Floats  # of the hottest memory stack over its coolant, of the junction's
    hbm_throttle_c: Floats  # as of the junction: clocks begin to fall, are halved, the chip is off
    hbm_full_c: Floats
    hbm_shutdown_c: Floats
    intake_c: Floats  # hall air at which a rack switches itself off
    power_exponent: Floats  # dynamic power ~ clock ** exponent
    segment_row: Ints  # (segments + 1,) first row of each run of equal rack types, then rows


class RackState(NamedTuple):
    """Shape (racks,)."""

    load: Ints  # membership.py: index into loads
    up_frac: Floats  # membership.py: accelerators in service over installed
    resistance_k_w: Floats  # frozen: junction to coolant, hottest chip of the rack
    junction_c: Floats
    power_cap: Floats  # multiplier of dynamic power in this step
    clock: Floats  # of full clock in this step
    heat_clock: Floats  # of full clock that heat alone allows, with what it remembers
    on_s: Floats  # of touched rows: up x on integrated over the step before the last move
    dynamic_s: Floats  # up x dynamic fraction, likewise
    on_joined: Floats  # the load's own integrals when the rack joined it
    dynamic_joined: Floats
    power_w: Floats  # mean of the step
    starting_w: Floats  # starting.py: draw as it starts, now
    row: Ints  # frozen
    row_load: Ints  # (rows,) membership.py: the load of all racks of a row, or -1 if they differ
    row_touched: Ints  # (rows,) membership.py: 1 if a rack of the row moved in the current step


class LoadState(NamedTuple):
    """Jobs, pools, batch, and the two pseudo-loads idle and down of each chip; shape (loads,)."""

    on: Floats  # power.py, workloads: 1 powered, 0 off
    dynamic_frac: Floats  # workloads: dynamic power at full speed, before caps
    cap: Floats  # power.py: power cap on dynamic power
    count: Floats  # type: ignore[assignment]  # membership.py: accelerators in service in it
    share: Floats  # (loads, categories) workloads: what its time counts as
    running: Floats  # workloads: 1 while work is done
    synchronous: Ints  # 1: the slowest member sets the pace
    rank: Ints  # capping.py: who gives way first in a block, 0 before 1; equals by the same share
    since_s: Floats  # time up to which the integrals below are complete
    on_s: Floats  # integral over the current step
    dynamic_s: Floats
    running_s: Floats
    paced_s: Floats  # full-speed seconds of work over the current step
    member_s: Floats  # accelerator-seconds over the current step
    hours: Floats  # (loads, categories) accelerator-seconds over the run
    step_hours: Floats  # (loads, categories) over the current step
    clock: Floats  # of full clock in the current step, from heat and block caps
    clock_bound_frac: Floats  # workloads: share of full-speed time that follows the clock
    heat_share: Floats  # share of the slowdown that is due to heat; the rest is block caps
    busy: Floats  # share of productive time with work to do (pools: served over capacity; else 1)
    work_s: Floats  # seconds of full-speed work since the start
    energy_j: Floats  # into its racks
    power_exponent: Floats


class BlockState(NamedTuple):
    """Shape (blocks,), of feeds (feeds,)."""

    limit_w: Floats  # frozen: continuous rating at the power factor
    delay_s: Floats  # (1,) frozen: from an overload until caps hold
    feed_first: Ints  # (blocks + 1,) frozen: first of its feeds
    feed_node: Ints  # (feeds,) frozen: power-tree node of each feed
    feed_share: Floats  # (feeds,) supply.py: of its draw in this step; sums to one over a block
    hall: Ints  # frozen
    approach_k_w: Floats  # coolant.py: coolant unit approach per watt of liquid heat
    pump_w: Floats  # coolant.py: coolant unit pumps
    resistance_frac: Floats  # coolant.py: the chips' thermal resistance over that at rated flow
    design_w: Floats  # frozen: design heat of the coolant
    by_load: Floats  # coolant.py: (blocks, 3, load grid) approach, pumps, resistance; or no grid
    mass_j_k: Floats  # frozen: heat capacity of immersion tanks; 0: none
    boiling_c: Floats  # frozen: the fluid is never colder
    latent_j: Floats  # frozen: heat that its vapour can hold
    vapour_j: Floats  # heat that it holds
    received_j: Floats  # by tanks from racks
    given_j: Floats  # by tanks to the facility's water
    support_w: Floats  # support.py: draw of racks without accelerators in this step, at any intake
    support_c: Floats  # (blocks, 2) frozen: intake at which the first of them slow, the last is off
    support_hot: Ints  # 0: all work; 1: some slow or are off; 2: all are off
    support_told: Ints  # physics.py: what of that is told
    support_share: Floats  # of support racks that work in the hall's air
    starting_w: Floats  # (blocks, 2) starting.py: draw of racks that start, into coolant and air, now
    started_w: Floats  # (blocks, 2) starting.py: its mean over this step
    coolant_most_c: Floats  # frozen: warmest that its cold plates are made for; infinite: not known, or none
    coolant_hot: Ints  # 1: racks at work get warmer
    coolant_told: Ints  # warm_coolant.py: what of that is told
    flow: Floats  # coolant.py: share of the step in which coolant flows, before it stops
    cap: Floats  # (blocks, loads) the block's own power cap on dynamic power in this step
    capped: Ints  # 1 while any is in force
    waited_s: Floats  # since it was above its limit or capped, without a break
    margin: Floats  # (1,) frozen: share of its limit that its caps leave free
    coolant_c: Floats  # supplied to the cold plates
    hottest_c: Floats
    hbm_hottest_c: Floats
    it_w: Floats
    liquid_w: Floats
    air_w: Floats
    peak_w: Floats
    load_cap: Floats  # (blocks, loads) tree_caps.py: cap on dynamic power below an element
    partial: Ints  # (1,) tree_caps.py: 1 while any is in force, 2 when the last was lifted
    over_s: Floats  # time above the limit
    any_over_s: Floats  # (1,) time in which any block was
    capped_s: Floats  # time under the block's own cap
    held_j: Floats  # what that cap held back


class HallSite(NamedTuple):
    """Shape (halls,)."""

    liquid_loop: Ints
    air_loop: Ints
    feeder_node: Ints
    plant_node: Ints
    pump_node: Ints
    house_w: Floats
    fan_design_heat_w: Floats  # heat the fan walls are sized for
    fan_approach_k: Floats
    fan_power_frac: Floats  # (halls, load grid) fan power over design heat
    coil_k: Floats  # (flows of water, load grid) air behind open coils over their water


class LoopState(NamedTuple):
    """Two per hall: warm liquid and chilled water; shape (loops,)."""

    plant: Ints  # frozen: index of its performance map
    unit_w: Floats  # frozen
    units_up: Floats  # effects.py
    flow_w_k: Floats  # frozen: mass flow x specific heat
    tank_s: Floats  # frozen: thermal mass over flow
    pump_w: Floats  # at design flow; hot_trips.py: 0 while switched off
    design_w: Floats  # frozen: heat at which the flow is the design's
    least_flow: Floats  # frozen: lowest flow over design as pumps follow the heat; 1: constant speed
    held_head: Floats  # frozen: share of the head at design that is held at any flow
    supply_c: Floats
    running: Floats  # share of the plant's groups that runs, as far as heat asks for them
    waited_s: Floats  # since heat asks for more of them; negative: for fewer
    received_j: Floats
    rejected_j: Floats
    stored_j: Floats
    reused_j: Floats  # of what is rejected: to users


class MeshState(NamedTuple):
    """Lines, main transformers and medium-voltage branches one by one; shape (branches,), none where
    a site has no medium-voltage network. Written by medium_voltage.py."""

    node: Ints  # (halls,) frozen: feeders of each hall
    factor: Floats  # (branches, halls) flow per watt that a hall draws
    stage: Ints  # frozen
    rating_w: Floats  # real power at rated current
    on: Floats  # 1 closed, 0 open or out
    no_load: Floats
    load: Floats
    flow_w: Floats
    peak_w: Floats  # of its size
    over_s: Floats  # time above the rating


class TreeState(NamedTuple):
    """The radial power tree, parents before children; shape (nodes,)."""

    parent: Ints
    stage: Ints
    rating_w: Floats  # real power at rated current, all units in service; medium_voltage.py: of lines and main
    # transformers, else frozen
    in_service: Floats  # power.py: share of units in service
    live: Ints  # energised.py: 1 energised, 0 not
    no_load: Floats
    linear: Floats
    load: Floats
    unmetered_w: Floats  # draw that no meter sees; zero unless a test injects a leak
    output_w: Floats
    input_w: Floats
    peak_w: Floats
    loss_j: Floats  # (stages,)
    warms: Ints  # frozen: hall whose air takes a share of the loss
    indoors: Floats  # frozen: that share
    indoor_w: Floats  # (halls,) what the air takes; the heat's own column (`HeatState.indoor_w`)
    indoor_j: Floats  # (1,) of all halls in the run
    mesh: MeshState
    bridge: BridgeState
    charge: ChargeState


class LimitState(NamedTuple):
    """What the elements of the power tree may carry, and how long they carried more; (nodes,)."""

    share: Floats  # of the rating in real power, continuously; medium_voltage.py: of lines and main transformers
    sag: Floats  # (nodes and branches of the mesh,) as in `components.power.loading`; medium_voltage.py: of lines,
    # main transformers and branches
    over: Ints  # (1,) 1: an element was over in the last step; overload.py: or one is being watched
    over_s: Floats
    level_over: Ints  # (levels,) 1: an element of the level was over in the last step that had any;
    # levels are the stages, then lines, main transformers and branches of the mesh one by one
    level_over_s: Floats  # (levels,) time in which any element was


class StreamState(NamedTuple):
    """Routed requests; shape (streams,): what one stage of a class sends to one pool."""

    pool: Ints
    stage: Ints
    amounts: Floats  # (streams, amounts) of one request on the mean, those rejected counting nothing
    rate_per_s: Floats  # (stages, hours + 1) requests that begin there
    after: Ints  # (stages,) stage that takes what is passed on, or -1
    kept: Ints  # (stages,) stage that takes what is kept, or -1: the user
    share: Floats  # routing_run.py: of the requests of its stage
    onward: Floats  # routing_run.py: of its answers, those passed on
    entering: Floats  # (stages,) sent on by others: arrives next step
    arriving: Floats  # in the current step
    mass: Floats  # (pools,) requests of the current step, waiting ones included
    queue: Floats
    again: Floats  # of failed replicas: come again next step
    hours: Floats  # (hours, streams, STREAM_COLUMNS)


class PoolState(NamedTuple):
    """Served models; shape (pools,). Amounts are requests, work, input and output tokens, work being
    counted in requests of the pool's reference lengths."""

    load: Ints
    by_router: Ints  # 1: requests come from streams, and `rate_per_s` is what is expected of them
    routed: Floats  # (pools, amounts) of streams in the current step
    streams: StreamState
    rate_per_s: Floats  # (pools, hours + 1) own demand; a router may write boundaries ahead of now
    work_frac: Floats  # (pools, hours + 1) work of a request of it, likewise; as the two below on the
    # mean of all that arrive, those rejected counting nothing
    input_tokens: Floats  # (pools, hours + 1) its mean prompt
    output_tokens: Floats  # (pools, hours + 1) its mean answer
    rejected_frac: Floats  # (pools, hours + 1) of it, what no replica can hold
    refused: Floats  # requests rejected in the current step
    replica_accelerators: Floats
    capacity_per_s: Floats  # work per second of a replica
    patience_s: Floats  # wait beyond which requests are shed
    dynamic_frac: Floats  # (pools, load grid)
    batch: Floats  # (pools, load grid) requests in a replica
    cold_steps: Ints  # steps, beside the one it joins in, that a replica loads its weights
    spill_to: Ints  # pool that takes what waits too long, or -1
    spill_after_s: Floats  # wait beyond which requests move there
    spill_work: Floats  # work there of one unit of work here
    spill_fits: Floats  # share of the work here that replicas there can hold
    retries: Ints  # 1: requests of failed replicas come again, 0: they are lost
    released: Floats  # fleet.py: accelerators handed back since the last step
    age: Ints  # steps so far
    held: Floats  # accelerators in the last step
    warm: Floats  # of them with weights loaded
    cold: Floats  # (pools, ring) of them that are ready when their step comes
    room: Floats  # work that could be done beside the own demand in the last step
    own_work: Floats  # own demand and queue in the last step
    queue: Floats  # (pools, amounts)
    inbound: Floats  # (pools, amounts) spilled by others or to be tried again: arrives next step
    mixed: Ints  # 1: takes requests of other pools
    origin_frac: Floats  # (pools, pools) of a mixed pool's requests: whose demand they are of
    coming: Floats  # (pools, pools) requests inbound to a mixed pool, by the same
    again: Floats  # requests of those that are tried again
    arrived: Floats  # requests of the own demand
    served: Floats  # (pools, amounts)
    shed: Floats  # requests, as all below
    rejected: Floats
    spilled: Floats
    received: Floats
    retried: Floats
    lost: Floats
    load_requests: Floats  # (pools, load grid - 1) served by load bin
    wait_requests: Floats  # (pools, wait bins) served out of a backlog
    load_guests: Floats  # (pools, pools, load grid - 1) of them, those of another pool's demand
    wait_guests: Floats  # (pools, pools, wait bins) likewise
    step: Floats  # (pools, STEP_COLUMNS) of the current step


class Hazards(NamedTuple):
    """Entities that fail: a class on one rack or one unit of plant; shape (entities,)."""

    cls: Ints  # failure class
    rack: Ints  # rack that carries it, or -1
    word: Ints  # counter word of the class and its hall or plant
    unit: Ints  # index inside them
    rate_s: Floats  # at reference temperature and age, all units of the entity
    sensor: Ints  # index of the temperature that speeds it up, or -1
    doubling_k: Floats
    reference_c: Floats
    born_s: Floats  # failures.py: since when it ages, from the start of the run
    fresh: Floats  # new units (fading as they grow up) over all units, at the next window's start
    single: Ints  # 1: one unit, which a repair makes new
    budget: Floats  # cumulative hazard left until the next failure
    drawn: Ints


class HazardClasses(NamedTuple):
    """What the entities of a failure class share; shape (classes,)."""

    shape: Floats  # Weibull
    age_reference_s: Floats
    infant: Floats  # further hazard of a new unit over that of a grown one
    infant_decay_s: Floats
    exposure: Floats  # cumulative hazard of all entities since the start


class StrikeQueue(NamedTuple):
    """Failures drawn for the window at hand, and repairs of racks under way (`kernels/strikes.py`)."""

    # failures.py, by failure in order of time: (room,)
    at_s: Floats
    entity: Ints  # row of Hazards
    kth: Ints  # the how-manieth of its entity
    cls: Ints
    word: Ints
    unit: Ints
    rack: Ints  # the rack it hits, or -1
    servers: Floats  # what it takes of the rack: none, one, all (infinite); negative: ask the engine
    transient: Ints  # boolean
    spread: Floats  # standard normal of the repair's length
    until_s: Floats  # (room, repair.TIMES) moments of the repair; at first only the last, all in
    applied: Ints  # 1 once the kernel has applied it
    drawn: Ints  # (2,) the next failure, and how many there are
    key: Ints  # (2,) of the repair's draws
    # the heap of repairs: (repairs,)
    back_s: Floats
    back_order: Ints  # which began first of those done at once
    back_rack: Ints
    back_servers: Floats
    under_way: Ints  # (2,) repairs in the heap, and ever begun
    due_s: Floats  # (1,) when the next failure or repair happens
    happened_s: Floats  # (1,) when the last one did
    watched: Ints  # physics.py: (loads,) 1 if something is to be told of failures under the load
    waiting: Ints  # physics.py: (1,) 1 if someone waits for racks


class Records(NamedTuple):
    """What the recorder keeps."""

    site: Floats  # (steps, SITE_COLUMNS)
    hall: Floats  # (hours, halls, 5)
    loop: Floats  # (hours, loops, 6)
    racks: Ints  # (chosen,) racks to record
    rack: Floats  # (hours, chosen, 3)
    pool: Floats  # (hours, pools, STEP_COLUMNS + 2)
    job: Floats  # (hours, loads, 5)
    energy_j: Floats  # (5,) poi, onsite, it, cooling, house
