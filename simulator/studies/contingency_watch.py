"""What a response is measured by, minute by minute: loadings, what is shed, who stands still."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulator.components.power import loading
from simulator.components.power.tolerance import Before
from simulator.engine import draw, heat_limits, overload
from simulator.engine.physics import STEP_S
from simulator.kernels import columns as c
from simulator.kernels import limit_watch
from simulator.results import NO_FLOW
from simulator.simulation import Run

CLASSES = ("training", "inference", "batch", "support")
"""Classes of load."""
CLASS_OF = {
    "training": 0, "evaluation": 0, "safety_test": 0, "inference": 1, "batch": 2,
}  # fmt: skip
"""By kind of load. Racks that idle carry none."""
RATING, TOLERANCE, TEMPERATURE, TANK = "rating", "tolerance", "temperature", "tank"
RAISED = 1e-3
"""Loading by which an element must lie above the intact site's to be called affected."""
WAITS = 1e-6
"""Work left over, of that of a minute's arrivals, from which a pool is behind."""
LEFT = 1e-9
Lost = tuple[np.ndarray, float, float, tuple[int, int]]
"""W shed by class, W capped, accelerators out or off, dark halls and blocks."""


@dataclass(frozen=True)
class Limits:
    """Everything whose loading is watched. One is the limit."""

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    """What lies beyond the limit: an element's tolerance, a temperature, a tank."""
    of: tuple[str, ...]
    """What they are: the kind of equipment, `block of racks`, `chips`, `plant`, `hall air`."""


@dataclass
class Response:
    """What happened in one future. Arrays are by minute unless told."""

    loading_most: np.ndarray  # (limits,)
    minutes_over: np.ndarray  # (limits,)
    first_over: np.ndarray  # (limits,) first minute beyond the limit, 0: never
    shed_w: np.ndarray  # (minutes, classes)
    capped_w: np.ndarray
    out: np.ndarray  # accelerators out of service or off, that were in service before
    over_s: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (limits,) longest above the limit
    used: np.ndarray = field(default_factory=lambda: np.zeros(0))  # (limits,) of the tolerance
    dark_halls: int = 0  # most halls without any accelerator
    dark_blocks: int = 0  # and blocks
    behind: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.bool_))  # (minutes, pools)
    stalled: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), np.bool_))  # (minutes, jobs)
    off: np.ndarray = field(default_factory=lambda: np.zeros(0, np.bool_))  # loads off for want of supply
    useful_s: np.ndarray = field(default_factory=lambda: np.zeros(0))  # accelerator-seconds since the moment
    restarting: float = 0.0  # accelerators of jobs that restart at the end
    restart_s: float = 0.0  # of the slowest of them
    fed_s: float = np.nan  # from the moment on, until all racks that are out have power, where they want nothing else
    first_feeds: bool = False  # whether that is before the last of the repairs
    boots_s: float = 0.0  # of racks that are off or boot at the end, from power on until all work
    job_boots_s: float = 0.0  # likewise, until a job may begin on them
    waking_s: float = 0.0  # accelerator-seconds that such racks, and jobs that wait, lose beyond the repair
    interrupted: tuple[str, ...] = ()
    tripped: tuple[str, ...] = ()
    exceeded: tuple[str, ...] = ()  # elements above their rating for longer than their tolerance
    throttle_s: float = np.nan
    trip_s: float = np.nan
    repair_s: tuple[float, ...] = ()  # by hit
    class_repair_s: tuple[float, ...] = ()  # of a single failure, by class that strikes it so


class Watch:
    """Measures one run from the moment on; made before it goes on, so that futures share it."""

    def __init__(self, run: Run) -> None:
        self.run = run
        world, site, state = run.world, run.world.site, run.world.state
        self.site, self.state = site, state
        self.limits = self._limits_of()
        racks = state.racks
        self._up = racks.up_frac.copy()
        self._power_w = racks.power_w.copy()
        self._support_w = state.blocks.support_w * state.blocks.support_share
        self._works = np.maximum(state.blocks.support_share, LEFT)
        kind = np.array([CLASS_OF.get(k, -1) for k in state.kinds])
        self._class = kind[racks.load]
        idle_w = (site.rows.accelerators * site.rows.chip_idle_w + site.rows.host_idle_w)[site.rack_row]
        self._dynamic_w = np.maximum(self._power_w - idle_w * self._up, 0.0)
        self._chips = site.rack_accelerators * self._up
        self._events = len(world.events)
        loads = state.loads
        self._useful_s = float(loads.hours[:, c.USEFUL].sum())
        self._columns = (loads.on, loads.cap, racks.up_frac, racks.power_cap, state.tree.in_service,
                         state.blocks.support_share, world.support.fed)  # fmt: skip
        self._seen = tuple(np.full(column.size, np.nan) for column in self._columns)
        self._loading = np.zeros(len(self.limits.names))
        self._measured = self._state()
        self._measure(self._blank(1), np.zeros((1, loads.on.size)), 0)
        self.pre = self._loading.copy()
        """(limits,) In the minute before."""

    def follow(self, at_s: float, minutes: int) -> Response:
        """Let the run go on for so many minutes and return what happened."""
        run, world = self.run, self.run.world
        told = self._blank(minutes)
        jobs, useful_s = run.work.jobs, np.zeros((minutes, self.state.loads.on.size))
        world.watch.worst.clear()
        for k in range(minutes):
            run.advance(at_s + (k + 1) * STEP_S)
            told.shed_w[k], told.capped_w[k], told.out[k], (halls, blocks) = self._measure(told, useful_s, k)
            told.dark_halls, told.dark_blocks = max(told.dark_halls, halls), max(told.dark_blocks, blocks)
            told.stalled[k] = [job.opened is not None and job.opened[0] == "stalled" for job in jobs]
            told.off[k] = bool(world.restored)
        told.useful_s = useful_s.sum(axis=1) - self._useful_s
        self._tell_overloads(told, at_s)
        self._tell_events(told, at_s)
        self._tell_boots(told, at_s)
        self._tell_restarts(told)
        return told

    def _blank(self, minutes: int) -> Response:
        """Return a response in which nothing has happened yet."""
        n, jobs, pools = len(self.limits.names), len(self.run.work.jobs), self.state.pools.load.size
        return Response(
            np.zeros(n), np.zeros(n), np.zeros(n, np.int64),
            np.zeros((minutes, len(CLASSES))), np.zeros(minutes), np.zeros(minutes),
            behind=np.zeros((minutes, pools), np.bool_),
            stalled=np.zeros((minutes, jobs), np.bool_), off=np.zeros(minutes, np.bool_),
            over_s=np.zeros(n), used=np.zeros(n),
        )  # fmt: skip

    def _limits_of(self) -> Limits:
        site = self.site
        blocks, loops = len(site.block_names), len(site.loops)
        elements = [*site.nodes, *(site.mesh.nodes if site.mesh else ())]
        self._elements, self._carries = len(elements), slice(1, 1 + len(elements))
        self._continuous = np.array([element.continuous for element in elements])
        self._share = loading.power(self._continuous, self.state.limits.sag)
        names = ["point of interconnection", *(node.name for node in elements), *site.block_names]
        kinds = [TOLERANCE] * len(names)
        of = ["interconnection", *(node.kind for node in elements), *["block of racks"] * blocks]
        names += [f"{name} chips" for name in site.block_names]
        names += [f"{loop.name} plant" for loop in site.loops]
        names += [f"{name} air" for name in site.hall_names]
        halls = len(site.hall_names)
        kinds += [TEMPERATURE] * blocks + [TANK] * loops + [TEMPERATURE] * halls
        of += ["chips"] * blocks + ["plant"] * loops + ["hall air"] * halls
        return Limits(tuple(names), tuple(kinds), tuple(of))

    def stands_s(self, place: int, loading: float) -> float:
        """Return how long an element stands a loading beyond its limit: endless where it need not, NaN
        where that is not told by a curve."""
        node = place - 1
        if not 0 <= node < self._elements:
            return np.nan
        world, share = self.run.world, draw.element(self.run.world, node).continuous
        before = Before(min(float(self.pre[place]) * share, 1.0), world.outdoor_c())
        return overload.allowed_s(world, node, loading * share, before)

    def _state(self) -> tuple[Any, ...]:
        """Return the columns that `limit_watch.minute` looks at."""
        state, halls, loops, pools = self.state, self.site.halls, self.state.loops, self.state.pools
        tree, blocks, mesh = state.tree, state.blocks, state.tree.mesh
        return (
            (tree.output_w, tree.rating_w, tree.in_service, state.limits.share),
            (mesh.flow_w, mesh.rating_w, mesh.stage),
            (self._continuous, self._share, state.limits.sag),
            (blocks.it_w, blocks.limit_w, blocks.hottest_c, self._cool_c(), self._throttle_c(), blocks.hall),
            (state.plant_w, halls.liquid_loop, halls.air_loop, loops.units_up, loops.unit_w),
            (state.hall_air_c, *self._air_c()),
            (pools.queue, pools.own_work, WAITS, pools.step), state.loads.hours, self._columns, self._seen,
        )  # fmt: skip

    def _measure(self, told: Response, useful_s: np.ndarray, k: int) -> Lost:
        """Add minute `k` to what is told and return what is lost in it, looked at anew only when something went
        out, came back or was capped.

        Loadings are import and draw over their limits of the interconnection, nodes and blocks, how far
        chips and halls' air are from slowing something, and heat over the capacity of the plant units in
        service. What is dead has none; lines and main transformers do not carry what is fed in on site, which what
        carries a lineup behind its open breaker is not.
        """
        state, world = self.state, self.run.world
        minute = self.run.records.site[self.run.physics.step - 1]
        stored_w = max(-minute[c.BATTERY_W] - state.tree.bridge.out_w[0], 0.0)
        relief_w = float(minute[c.ONSITE_W] - state.tree.bridge.made_w[0] + stored_w)
        demand_w = draw.poi_w(world, state.tree.output_w) if relief_w else 0.0
        arguments = (
            (self._loading, told.loading_most, told.minutes_over, told.first_over, told.behind, useful_s), k,
            1.0 + LEFT, (float(minute[c.POI_W]), state.supply.limit_w, relief_w, demand_w, draw.BELOW_GRID),
            *self._measured,
        )  # fmt: skip
        if world.entry(limit_watch.minute, *arguments)(*arguments):
            self._last = self._look()
        return self._last

    def _air_c(self) -> tuple[np.ndarray, np.ndarray]:
        """Return what each hall's air is supplied at, and how far above that lies where the first of its
        racks that breathe it slow down or switch off (chips on air are told apart): endless where
        there are none, or where it is supplied no cooler than that."""
        site, rows, blocks = self.site, self.site.rows, self.state.blocks
        limit_c = np.full(len(site.hall_names), np.inf)
        support = blocks.support_w > 0.0
        np.minimum.at(limit_c, site.block_hall[support], blocks.support_c[support, 0])
        np.minimum.at(limit_c, rows.hall, rows.intake_c)
        supplied_c = self.state.loops.supply_c[site.halls.air_loop].copy()
        return supplied_c, np.where(limit_c > supplied_c, limit_c - supplied_c, np.inf)

    def _throttle_c(self) -> np.ndarray:
        """Return where the first chip of each block throttles, or its memory as what cools it is now;
        endless where there is none."""
        limit_c = np.full(len(self.site.block_names), np.inf)
        np.minimum.at(limit_c, self.site.rows.block, heat_limits.throttle_c(self.run.world))
        return limit_c

    def _cool_c(self) -> np.ndarray:
        """Return what cools the chips of each block at the moment: coolant or air."""
        rows, blocks = self.site.rows, self.state.blocks
        cool_c = blocks.coolant_c.copy()
        air = rows.liquid_cooled == 0
        cool_c[rows.block[air]] = self.state.hall_air_c[rows.hall[air]]
        return cool_c

    def _look(self) -> Lost:
        """Return W shed by class, W capped, accelerators out or off, and dark halls and blocks."""
        state, site = self.state, self.site
        racks, loads = state.racks, state.loads
        up = np.divide(racks.up_frac, self._up, out=np.ones(self._up.size), where=self._up > 0.0)
        left = np.minimum(up, 1.0) * loads.on[racks.load]
        lost_w = self._power_w * (1.0 - left)
        carried = self._class >= 0
        shed_w = np.bincount(self._class[carried], lost_w[carried], len(CLASSES)).astype(float)
        works = self.run.world.support.fed * np.minimum(state.blocks.support_share / self._works, 1.0)
        shed_w[3] += float((self._support_w * (1.0 - works)).sum())
        cap = loads.cap[racks.load] * racks.power_cap
        capped_w = float((self._dynamic_w * left * (1.0 - cap))[carried].sum())
        out = self._chips * (1.0 - left)
        dark = self._dark(site.rack_hall, out), self._dark(site.rack_block, out)
        return shed_w, capped_w, float(out.sum()), dark

    def _dark(self, where: np.ndarray, out: np.ndarray) -> int:
        """Return how many halls or blocks, by each rack's number, have lost all the accelerators they had."""
        was = np.bincount(where, self._chips)
        return int(np.count_nonzero((was > 0.0) & (np.bincount(where, out) >= was * (1.0 - LEFT))))

    def _tell_overloads(self, told: Response, at_s: float) -> None:
        """Add what the minutes do not show: how much an element carried before the control relieved it, for
        how long, and how much of its tolerance that used."""
        watch = self.run.world.watch
        for node, exposure in watch.over.items():
            exposure.advance(self.run.world.env.now)
            watch.note(node, exposure)
        for node, worst in watch.worst.items():
            place = node + 1
            of_limit = worst.loading / draw.element(self.run.world, node).continuous
            told.loading_most[place] = max(told.loading_most[place], of_limit)
            told.over_s[place], told.used[place] = worst.over_s, min(worst.used, 1.0)
            minute = int((worst.first_s - at_s) // STEP_S) + 1
            told.first_over[place] = min(told.first_over[place] or minute, max(minute, 1))

    def _tell_events(self, told: Response, at_s: float) -> None:
        """Take from the event log who was interrupted, what tripped, and when chips ran hot."""
        fresh = [e for e in self.run.world.events[self._events :] if e[0] >= at_s]
        told.interrupted = tuple(dict.fromkeys(e[2] for e in fresh if e[1] == "interruption"))
        trips = [e for e in fresh if e[1] == "trip"]
        told.tripped = tuple(dict.fromkeys(e[2] for e in trips))
        exceeded = [e[2] for e in fresh if e[1] == "tolerance_exceeded"]
        told.exceeded = tuple(dict.fromkeys(exceeded))
        told.trip_s = min((e[0] - at_s for e in trips), default=np.nan)
        hot = [e[0] - at_s for e in fresh if e[1] == "throttle"]
        dry = [e[0] - at_s for e in fresh if e[1] == "throttle" and e[5] == NO_FLOW]
        told.throttle_s = min(dry or hot, default=np.nan)

    def _tell_boots(self, told: Response, at_s: float) -> None:
        """Add what racks that were switched off and do not work at the end need once they have power."""
        starts, rules = self.run.world.starts, self.site.topology.ride_through
        out = starts.out_s >= at_s
        if not out.any():
            return
        if not (self.state.racks.up_frac < self._up)[~out].any():
            told.fed_s = float(starts.fed_s[out].max()) - at_s
        served = out & (self._class > 0)
        told.boots_s = rules.boot + rules.restart * bool(served.any())
        told.job_boots_s = rules.boot
        told.waking_s += float(self._chips[served].sum()) * (rules.boot + rules.restart)

    def _tell_restarts(self, told: Response) -> None:
        """Count the accelerators of jobs that restart when the window ends: they wait for nothing but
        the restart, which lasts as long as their first start did. Jobs that wait for the repair lose that
        restart once it is done, the boot of their racks, and their work since the last save."""
        loads = self.state.loads
        for job in self.run.work.jobs:
            if job.opened is None or job.opened[0] != "stalled":
                continue
            if loads.share[job.load, c.RESTART] == 1.0:
                told.restarting += float(loads.count[job.load])
                told.restart_s = max(told.restart_s, job.started_s)
                continue
            _, kept_s = job.saves.best(self.run.world.env.now, math.inf)
            waits_s = told.job_boots_s + job.started_s + job.pace.position_s - kept_s
            told.waking_s += job.pace.used * waits_s
