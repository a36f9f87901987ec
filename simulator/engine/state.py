"""Mutable columns of a run. Each is written by one engine module, named in kernels/columns.py."""

import math
from dataclasses import dataclass, field

import numpy as np

from simulator import rng
from simulator.components.power import loading, mesh
from simulator.components.sizing import chip_of, plant_setpoint_c
from simulator.engine import design_flow, plant_state, rack_limits, supply_state
from simulator.kernels import columns as c
from simulator.kernels import philox
from simulator.kernels.cooling_columns import HeatState
from simulator.kernels.limits import MESH_LEVELS
from simulator.kernels.repair import TIMES
from simulator.kernels.scratch import Scratch, scratch_of
from simulator.kernels.serving import AMOUNTS, NOWHERE, STEP_COLUMNS, WAIT_BINS
from simulator.kernels.site_step import STEP_S
from simulator.kernels.streams import STREAM_COLUMNS
from simulator.kernels.supply_columns import Supply
from simulator.site import Site

LEAST_ROOM = 4096
"""Failures of one window, and repairs under way at once, that any site has room for."""
STRIKES_PER_RACK, REPAIRS_PER_RACK = 8, 64
"""Room beyond that by the fleet: more is a mistake in the failure rates, and is refused."""


@dataclass(frozen=True)
class Load:
    """Something racks belong to: a job, a pool, batch work, or the idle and the down of a chip."""

    name: str
    kind: str  # training, inference, batch, idle, down
    chip: int
    synchronous: bool = False
    priority: int = 0  # lower is shed first


@dataclass(frozen=True)
class Pool:
    """Replicas of one served model, as the kernel needs them."""

    load: str
    rate_per_s: np.ndarray  # (hours + 1,)
    replica_accelerators: int
    capacity_per_s: float
    patience_s: float
    dynamic_frac: np.ndarray  # (load grid,)
    batch: np.ndarray | None = None  # (load grid,) requests in a replica; None: none
    work_frac: np.ndarray | float = 1.0  # (hours + 1,), as the three below
    input_tokens: np.ndarray | float = 0.0
    output_tokens: np.ndarray | float = 0.0
    rejected_frac: np.ndarray | float = 0.0
    cold_s: float = 0.0
    spill_to: str | None = None  # load of another pool
    spill_after_s: float = 0.0
    spill_work: float = 1.0
    spill_fits: float = 1.0
    retries: bool = True
    by_router: bool = False


@dataclass(frozen=True)
class Streams:
    """Routed requests as the kernel needs them: what one stage of a class sends to one pool."""

    pool: np.ndarray  # (streams,) index into pools
    stage: np.ndarray  # (streams,)
    amounts: np.ndarray  # (streams, amounts) requests, work, input and output tokens of one request
    rate_per_s: np.ndarray  # (stages, hours + 1) requests that begin at a stage
    after: np.ndarray  # (stages,) stage that takes what is passed on, or -1
    kept: np.ndarray  # (stages,) stage that takes what is kept, or -1


UNROUTED = Streams(
    np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, AMOUNTS)), np.zeros((0, 2)),
    np.zeros(0, np.int64), np.zeros(0, np.int64),
)
"""No router."""


@dataclass
class State:
    """All state of one replicate."""

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    chips: np.ndarray  # (loads,) index into site.chips
    priority: np.ndarray  # (loads,)
    racks: c.RackState
    loads: c.LoadState
    blocks: c.BlockState
    loops: c.LoopState
    tree: c.TreeState
    pools: c.PoolState
    supply: Supply
    limits: c.LimitState
    laws: design_flow.Laws  # with everything in service
    hall_air_c: np.ndarray
    start_c: np.ndarray  # (blocks,) coolant at which the run begins; settled.py
    start_indoor_w: np.ndarray  # (halls,) losses of the power chain in them before its first minute; settled.py
    plant_w: np.ndarray
    heat: HeatState
    servers_down: np.ndarray  # (racks,) membership.py
    out: np.ndarray  # (racks,) causes that take the whole rack out; membership.py
    queue: c.StrikeQueue
    support_down: np.ndarray  # (kinds of support racks in a hall,) servers out; effects.py
    idle_load: np.ndarray  # (racks,) pseudo-load of idle racks of this chip
    down_load: np.ndarray  # (racks,)
    scratch: Scratch
    _of_kinds: dict[tuple[int, tuple[str, ...]], np.ndarray] = field(
        default_factory=dict, repr=False
    )

    def load(self, name: str) -> int:
        """Return the index of a load."""
        return self.names.index(name)

    def of_kinds(self, chip: int, kinds: tuple[str, ...]) -> np.ndarray:
        """Return which loads are of a chip and of one of these kinds: (loads,)."""
        if (chip, kinds) not in self._of_kinds:
            own = [c == chip and k in kinds for c, k in zip(self.chips, self.kinds, strict=True)]
            self._of_kinds[chip, kinds] = np.array(own, np.bool_)
        return self._of_kinds[chip, kinds]


def build(
    site: Site, loads: list[Load], pools: list[Pool], seed: int, replicate: int,
    streams: Streams = UNROUTED,
) -> State:  # fmt: skip
    """Return the state at rest: every rack idle and in service, loops at their set points."""
    pseudo: list[Load] = []
    for i, chip in enumerate(site.chips):
        pseudo += [Load(f"idle.{chip.name}", "idle", i), Load(f"down.{chip.name}", "down", i)]
    every = pseudo + loads
    names = tuple(load.name for load in every)
    idle = 2 * site.rack_chip
    supply, blocks = supply_state.at_start(site), _blocks(site, len(every))
    heat, told = plant_state.columns(site), design_flow.laws(site)
    return State(
        names=names,
        kinds=tuple(load.kind for load in every),
        chips=np.array([load.chip for load in every]),
        priority=np.array([load.priority for load in every]),
        racks=_racks(site, idle, seed, replicate),
        loads=_loads(site, every, idle),
        blocks=blocks,
        loops=_loops(site),
        tree=_tree(site, supply, heat.indoor_w, told),
        pools=_pools(names, pools, streams),
        supply=supply,
        limits=_limits(site, told),
        laws=told,
        hall_air_c=np.full(
            len(site.hall_names),
            site.topology.cooling.fan_wall.supply_air_c(site.topology.cooling.chilled_supply),
        ),
        start_c=blocks.coolant_c.copy(),
        start_indoor_w=np.zeros(len(site.hall_names)),
        plant_w=np.zeros((len(site.hall_names), 14)),
        heat=heat,
        servers_down=np.zeros(site.rack_row.size),
        out=np.zeros(site.rack_row.size, np.int64),
        queue=_queue(len(names), site.rack_row.size),
        support_down=np.zeros(len(site.support)),
        idle_load=idle,
        down_load=idle + 1,
        scratch=scratch_of(len(every), len(site.loops), len(site.hall_names)),
    )


def _racks(site: Site, idle: np.ndarray, seed: int, replicate: int) -> c.RackState:
    n = site.rack_row.size
    zeros = lambda: np.zeros(n)  # noqa: E731
    return c.RackState(
        load=idle.astype(np.int32), up_frac=np.ones(n),
        resistance_k_w=_resistances(site, seed, replicate),
        junction_c=np.full(n, site.topology.cooling.supply), power_cap=np.ones(n),
        clock=np.ones(n), heat_clock=np.ones(n), on_s=zeros(), dynamic_s=zeros(), on_joined=zeros(),
        dynamic_joined=zeros(), power_w=zeros(), starting_w=zeros(),
        row=site.rack_row.astype(np.int32),
        row_load=idle[site.rows.start].copy(),
        row_touched=np.zeros(site.rows.start.size, np.int64),
    )


def _resistances(site: Site, seed: int, replicate: int) -> np.ndarray:
    """Return the thermal resistance of each rack's hottest chip: the chip's own times a
    manufacturing spread between racks, cut at three sigma."""
    key0, key1 = rng.key(seed, replicate, "thermal resistance")
    words = np.array([rng.word(name) for name in site.hall_names])
    rated = [rack.resistance_k_w(chip_of(rack)) for rack in site.rack_types]
    spread = np.array([rack.resistance_spread for rack in site.rack_types])[site.rack_type]
    draws = np.array([
        philox.normal(key0, key1, words[h], k, 0, 0)
        for h, k in zip(site.rack_hall, site.rack_number, strict=True)
    ])
    return np.array(rated)[site.rack_type] * (1.0 + spread * np.clip(draws, -3.0, 3.0))


def _loads(site: Site, loads: list[Load], idle: np.ndarray) -> c.LoadState:
    n, categories = len(loads), len(c.CATEGORIES)
    share = np.zeros((n, categories))
    for i, load in enumerate(loads):
        share[i, c.DOWN if load.kind == "down" else c.IDLE] = 1.0
    zeros = lambda: np.zeros(n)  # noqa: E731
    return c.LoadState(
        on=np.array([0.0 if load.kind == "down" else 1.0 for load in loads]),
        dynamic_frac=zeros(),
        cap=np.ones(n),
        count=np.bincount(idle, weights=site.rack_accelerators, minlength=n).astype(float),
        share=share, running=zeros(),
        synchronous=np.array([int(load.synchronous) for load in loads]),
        rank=np.zeros(n, np.int64),
        since_s=zeros(), on_s=zeros(), dynamic_s=zeros(), running_s=zeros(), member_s=zeros(),
        hours=np.zeros((n, categories)), step_hours=np.zeros((n, categories)),
        clock=np.ones(n), clock_bound_frac=np.ones(n), paced_s=zeros(),
        heat_share=zeros(), busy=np.ones(n), work_s=zeros(), energy_j=zeros(),
        power_exponent=np.array([site.chips[load.chip].power_exponent for load in loads]),
    )


def _blocks(site: Site, loads: int) -> c.BlockState:
    n = len(site.block_names)
    zeros = lambda: np.zeros(n)  # noqa: E731
    cooling, grid = site.topology.cooling, site.block_by_load
    return c.BlockState(
        limit_w=site.block_limit_w.copy(), hall=site.block_hall, waited_s=zeros(),
        delay_s=np.array([site.topology.control.delay_s]),
        margin=np.array([site.topology.control.margin]),
        feed_first=site.feed_first, feed_node=site.feed_node, feed_share=site.feed_share.copy(),
        approach_k_w=site.block_approach_k_w.copy(), pump_w=site.block_pump_w.copy(),
        support_w=site.block_support_w.copy(), support_c=rack_limits.intakes_c(site),
        support_hot=np.zeros(n, np.int64), support_told=np.zeros(n, np.int64), support_share=np.ones(n),
        starting_w=np.zeros((n, 2)), started_w=np.zeros((n, 2)),
        coolant_most_c=rack_limits.coolant_most_c(site),
        coolant_hot=np.zeros(n, np.int64), coolant_told=np.zeros(n, np.int64),
        flow=np.ones(n),
        resistance_frac=site.block_resistance_frac.copy(), design_w=site.block_liquid_w,
        by_load=grid.copy(), mass_j_k=site.block_bath[:, 0].copy(),
        latent_j=site.block_bath[:, 1].copy(), boiling_c=site.block_bath[:, 2].copy(),
        vapour_j=zeros(), received_j=zeros(), given_j=zeros(),
        cap=np.ones((n, loads)), capped=np.zeros(n, np.int64),
        coolant_c=np.full(n, cooling.coolant_unit.coolant_c(cooling.supply)),
        hottest_c=zeros(), hbm_hottest_c=zeros(), it_w=zeros(), liquid_w=zeros(), air_w=zeros(),
        peak_w=zeros(),
        load_cap=np.ones((n, loads)), partial=np.zeros(1, np.int64),
        over_s=zeros(), any_over_s=np.zeros(1), capped_s=zeros(), held_j=zeros(),
    )


def _loops(site: Site) -> c.LoopState:
    loops, cooling = site.loops, site.topology.cooling
    zeros = lambda: np.zeros(len(loops))  # noqa: E731
    setpoint = {"warm": plant_setpoint_c(site.topology), "chilled": cooling.chilled_supply}
    plants = {"warm": cooling.warm, "chilled": cooling.chilled}
    return c.LoopState(
        plant=np.array([0 if loop.kind == "warm" else 1 for loop in loops]),
        unit_w=np.array([loop.unit_w for loop in loops]),
        units_up=np.array([float(loop.units) for loop in loops]),
        flow_w_k=np.array([loop.flow_w_k for loop in loops]),
        tank_s=np.array([loop.tank_s for loop in loops]),
        pump_w=np.array([loop.pump_w for loop in loops]),
        design_w=np.array([loop.design_heat_w - loop.pump_w for loop in loops]),
        least_flow=np.array([plants[loop.kind].slowest for loop in loops]),
        held_head=np.array([plants[loop.kind].held_head for loop in loops]),
        supply_c=np.array([setpoint[loop.kind] for loop in loops]),
        running=np.ones(len(loops)), waited_s=zeros(),
        received_j=zeros(), rejected_j=zeros(), stored_j=zeros(), reused_j=zeros(),
    )


def _tree(
    site: Site, supply: Supply, indoor_w: np.ndarray, told: design_flow.Laws
) -> c.TreeState:
    nodes, of_node, branches = site.nodes, told.nodes, told.branches
    zeros = lambda: np.zeros(len(nodes))  # noqa: E731
    return c.TreeState(
        parent=np.array([node.parent for node in nodes]),
        stage=np.array([node.stage for node in nodes]),
        rating_w=of_node.rating_w.copy(),
        in_service=np.ones(len(nodes)), live=np.ones(len(nodes), np.int64),
        no_load=of_node.no_load.copy(), linear=np.array([node.loss.linear for node in nodes]),
        load=of_node.load.copy(),
        unmetered_w=zeros(), output_w=zeros(), input_w=zeros(), peak_w=zeros(),
        loss_j=np.zeros(len(c.STAGES)),
        warms=np.maximum(site.node_hall, 0), indoors=site.node_indoors, indoor_w=indoor_w, indoor_j=np.zeros(1),
        mesh=mesh.columns(site.mesh, site.halls.feeder_node, branches.rating_w.copy(), branches.no_load.copy(),
                          branches.load.copy()),
        bridge=supply.bridge, charge=supply_state.charges(site),
    )


def _limits(site: Site, told: design_flow.Laws) -> c.LimitState:
    levels = len(c.STAGES) + MESH_LEVELS
    continuous = np.array([node.continuous for node in site.nodes])
    return c.LimitState(
        share=loading.power(continuous, told.nodes.sag), sag=np.concatenate([told.nodes.sag, told.branches.sag]),
        over=np.zeros(1, np.int64), over_s=np.zeros(len(site.nodes)),
        level_over=np.zeros(levels, np.int64), level_over_s=np.zeros(levels),
    )


def _pools(names: tuple[str, ...], pools: list[Pool], streams: Streams) -> c.PoolState:
    n, loads = len(pools), [p.load for p in pools]
    taking = {p.spill_to for p in pools}
    hours = pools[0].rate_per_s.size if pools else 2
    grid = pools[0].dynamic_frac.size if pools else 2
    # What joins a pool does so after a step has begun, and that step counts.
    steps = np.array([max(math.ceil(p.cold_s / STEP_S - 1e-9) - 1, 0) for p in pools], np.int64)
    zeros = lambda *shape: np.zeros((n, *shape))  # noqa: E731

    def column(get) -> np.ndarray:  # type: ignore[no-untyped-def]
        return np.array([float(get(p)) for p in pools])

    def rows(get, size: int) -> np.ndarray:  # type: ignore[no-untyped-def]
        return np.array([np.broadcast_to(get(p), size) for p in pools]).reshape(n, size)

    return c.PoolState(
        load=np.array([names.index(p.load) for p in pools], dtype=np.int64),
        by_router=np.array([int(p.by_router) for p in pools], np.int64),
        routed=zeros(AMOUNTS),
        streams=_streams(streams, n),
        rate_per_s=rows(lambda p: p.rate_per_s, hours),
        work_frac=rows(lambda p: p.work_frac, hours),
        input_tokens=rows(lambda p: p.input_tokens, hours),
        output_tokens=rows(lambda p: p.output_tokens, hours),
        rejected_frac=rows(lambda p: p.rejected_frac, hours),
        refused=zeros(),
        replica_accelerators=column(lambda p: p.replica_accelerators),
        capacity_per_s=column(lambda p: p.capacity_per_s),
        patience_s=column(lambda p: p.patience_s),
        dynamic_frac=rows(lambda p: p.dynamic_frac, grid),
        batch=rows(lambda p: 0.0 if p.batch is None else p.batch, grid),
        cold_steps=steps,
        spill_to=np.array(
            [loads.index(p.spill_to) if p.spill_to else NOWHERE for p in pools], np.int64
        ),
        spill_after_s=column(lambda p: p.spill_after_s),
        spill_work=column(lambda p: p.spill_work),
        spill_fits=column(lambda p: p.spill_fits),
        retries=np.array([int(p.retries) for p in pools], np.int64),
        released=zeros(), age=np.zeros(n, np.int64), held=zeros(), warm=zeros(),
        cold=zeros(int(steps.max(initial=0)) + 1),
        room=zeros(), own_work=zeros(),
        queue=zeros(AMOUNTS), inbound=zeros(AMOUNTS), again=zeros(),
        mixed=np.array([int(p.load in taking) for p in pools], np.int64),
        origin_frac=zeros(n), coming=zeros(n),
        arrived=zeros(), served=zeros(AMOUNTS), shed=zeros(), rejected=zeros(), spilled=zeros(),
        received=zeros(), retried=zeros(), lost=zeros(),
        load_requests=zeros(grid - 1), wait_requests=zeros(WAIT_BINS),
        load_guests=zeros(n, grid - 1), wait_guests=zeros(n, WAIT_BINS),
        step=zeros(STEP_COLUMNS),
    )


def _queue(loads: int, racks: int) -> c.StrikeQueue:
    strikes = max(LEAST_ROOM, STRIKES_PER_RACK * racks)
    repairs = max(LEAST_ROOM, REPAIRS_PER_RACK * racks)

    def ints(n: int) -> np.ndarray:
        return np.zeros(n, np.int64)

    return c.StrikeQueue(
        at_s=np.zeros(strikes), entity=ints(strikes), kth=ints(strikes), cls=ints(strikes),
        word=ints(strikes), unit=ints(strikes), rack=ints(strikes), servers=np.zeros(strikes),
        transient=np.zeros(strikes, np.bool_), spread=np.zeros(strikes),
        until_s=np.zeros((strikes, TIMES)), applied=ints(strikes), drawn=ints(2), key=ints(2),
        back_s=np.zeros(repairs), back_order=ints(repairs), back_rack=ints(repairs),
        back_servers=np.zeros(repairs), under_way=ints(2),
        due_s=np.full(1, np.inf), happened_s=np.zeros(1), watched=ints(loads), waiting=ints(1),
    )


def _streams(streams: Streams, pools: int) -> c.StreamState:
    n, stages = streams.pool.size, streams.after.size
    zeros = lambda *shape: np.zeros((n, *shape))  # noqa: E731
    return c.StreamState(
        pool=streams.pool, stage=streams.stage, amounts=streams.amounts,
        rate_per_s=streams.rate_per_s, after=streams.after, kept=streams.kept,
        share=zeros(), onward=zeros(), entering=np.zeros(stages), arriving=zeros(),
        mass=np.zeros(pools), queue=zeros(), again=zeros(),
        hours=np.zeros((max(streams.rate_per_s.shape[1] - 1, 1), n, STREAM_COLUMNS)),
    )
