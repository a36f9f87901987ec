"""What the plan run says of its jobs in a window: when each did what, on which racks, at which power."""

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.engine import work
from simulator.engine.world import World
from simulator.kernels.columns import IT_W, Records
from simulator.kernels.site_step import STEP_S
from simulator.workloads.job_pace import CHECKPOINT_POWER
from simulator.workloads.model_test_run import ModelTestRun
from simulator.workloads.step import JobStep
from simulator.workloads.training_run import TrainingRun

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Doing:
    """What a job does from a moment on."""

    at_s: float
    """From the start of the run."""
    step: JobStep | None
    """The step it makes; None while it makes none."""
    done: float
    """Of such a step: the share that is done."""
    wall_s: float
    """Of such a step: how long it takes, saves aside."""
    duty: float
    """Of such a step: share of that time in which its members have work; they wait in the rest."""
    level: float
    """Dynamic power of chips that make no step."""
    on: float
    scale: float
    """On dynamic power: the job's cap, and the share of its members that is no idle reserve."""


@dataclass(frozen=True)
class Rhythm:
    """When the job saves: the cycle it is in, from the moment it began to compute."""

    since_s: float
    cycle_s: float
    stall_s: float
    contention_s: float


@dataclass(frozen=True)
class Racks:
    """The racks of a job at one moment; arrays (racks,)."""

    rack: Ints
    row: Ints
    up_frac: Floats
    cap: Floats
    junction_c: Floats
    resistance_k_w: Floats


@dataclass
class JobSeen:
    """One job in one window."""

    name: str
    run: TrainingRun
    doing: list[Doing] = field(default_factory=list)
    rhythms: list[tuple[float, Rhythm]] = field(default_factory=list)
    racks: Racks | None = None
    minute_w: list[float] = field(default_factory=list)
    """Into its racks, its tests in pauses included; the plan engine's mean of each minute."""


@dataclass
class Seen:
    """One window."""

    start_s: float
    length_s: float
    jobs: list[JobSeen]
    site_w: Floats
    """(minutes, columns of the site's record)."""
    gain: float = 1.0
    """Power at the interconnection that one more watt into the jobs' racks takes."""

    @property
    def others_w(self) -> Floats:
        """Power into all racks but the jobs', mean of each minute."""
        others: Floats = self.site_w[:, IT_W].copy()
        for job in self.jobs:
            others -= job.minute_w
        return others


class Probe:
    """Watches jobs through a window, without touching them."""

    def __init__(
        self, world: World, runs: Iterable[TrainingRun], tests: Iterable[ModelTestRun], records: Records
    ) -> None:
        self.world, self.records = world, records
        self.runs = {run.load: run for run in runs}
        self.tests = {test.load: test for test in tests if test.pauses}
        self.seen: list[Seen] = []
        self._now: dict[int, JobSeen] = {}
        self._open: tuple[float, float] | None = None
        self._before_j: dict[int, float] = {}

    def watch_all(self, starts_s: list[float], length_s: float) -> Generator[Any, Any, None]:
        """Note what happens in several windows that do not overlap, one after the other."""
        for start_s in starts_s:
            yield from self.watch(start_s, length_s)

    def watch(self, start_s: float, length_s: float) -> Generator[Any, Any, None]:
        """Note what happens in one window; a process of the run."""
        world = self.world
        yield world.env.timeout(start_s - world.env.now)
        self._now = {load: JobSeen(run.job.name, run) for load, run in self.runs.items()}
        self._open = (start_s, length_s)
        world.watched = self._changed
        for _ in range(round(length_s / STEP_S)):
            self._begin_minute()
            yield world.env.timeout(STEP_S)
            self._end_minute()
        self._end()

    def finish(self) -> None:
        """End the window that ends with the run."""
        if self._open is not None:
            self._end_minute()
            self._end()

    def _begin_minute(self) -> None:
        self._before_j = self._energies()
        for load, job in self._now.items():
            self._note(load)
            if job.racks is None:
                job.racks = self._racks(load)

    def _end_minute(self) -> None:
        after_j = self._energies()
        for load, job in self._now.items():
            job.minute_w.append((after_j[load] - self._before_j[load]) / STEP_S)

    def _end(self) -> None:
        assert self._open is not None
        start_s, length_s = self._open
        self._open, self.world.watched = None, None
        first, minutes = round(start_s / STEP_S), round(length_s / STEP_S)
        site_w = self.records.site[first : first + minutes].copy()
        self.seen.append(Seen(start_s, length_s, list(self._now.values()), site_w, self._gain()))

    def _energies(self) -> dict[int, float]:
        """Return the energy into the racks of each job so far, with those of its tests in pauses."""
        energy_j = self.world.state.loads.energy_j
        found = {load: float(energy_j[load]) for load in self.runs}
        for load, test in self.tests.items():
            found[test.run.load] += float(energy_j[load])
        return found

    def _changed(self, load: int) -> None:
        """Note what a job does after one of its loads has changed."""
        test = self.tests.get(load)
        self._note(test.run.load if test else load)

    def _note(self, load: int) -> None:
        job = self._now.get(load)
        if job is None:
            return
        now_s = self.world.env.now
        if job.doing and job.doing[-1].at_s == now_s:
            job.doing.pop()
        job.doing.append(self._doing(load))
        run = job.run
        if run.saves.opened is not None:
            cadence = run.cadence
            rhythm = Rhythm(
                run.saves.opened[0], cadence.cycle_s, cadence.stall_s, cadence.contention_s
            )
            if not job.rhythms or job.rhythms[-1][1] != rhythm:
                job.rhythms.append((now_s, rhythm))

    def _doing(self, load: int) -> Doing:
        world, run = self.world, self.runs[load]
        loads, now_s = world.state.loads, world.env.now
        cap, on = float(loads.cap[load]), float(loads.on[load])
        for other, test in self.tests.items():
            if test.run is run and loads.running[other] > 0.0:
                level = float(loads.dynamic_frac[other])
                return Doing(now_s, None, 0.0, 0.0, 0.0, level, float(loads.on[other]), cap)
        if on == 0.0 or loads.running[load] == 0.0:
            return Doing(now_s, None, 0.0, 0.0, 0.0, CHECKPOINT_POWER, on, cap)
        pace = run.pace
        running, planned_s = pace.running, run.planned.step_time_s
        done = pace.position_s % planned_s / planned_s
        wall_s = pace.step.step_time_s / (work.pace(world, load) * running.parts)
        duty, scale = running.parts * max(running.whole, 1.0), cap * min(running.whole, 1.0)
        return Doing(now_s, pace.step, done, wall_s, duty, CHECKPOINT_POWER, on, scale)

    def _racks(self, load: int) -> Racks | None:
        """Return the racks of a job and of its tests in pauses, None while it has none."""
        racks = self.world.state.racks
        mine = [load, *(other for other, test in self.tests.items() if test.run.load == load)]
        found = np.flatnonzero(np.isin(racks.load, mine) & (racks.up_frac > 0.0))
        if not found.size:
            return None
        columns = (racks.up_frac, racks.power_cap, racks.junction_c, racks.resistance_k_w)
        picked = [column[found].copy() for column in columns]
        picked[3] *= self.world.state.blocks.resistance_frac[self.world.site.rack_block[found]]
        return Racks(found, self.world.site.rack_row[found], *picked)

    def _gain(self) -> float:
        """Return what one more watt into the jobs' racks takes at the interconnection: losses grow
        along the path by 1 + b + 2 c x at every node, at the loading of the last minute."""
        site, tree = self.world.site, self.world.state.tree
        rating_w = tree.rating_w * tree.in_service
        loading = np.divide(tree.output_w, rating_w, out=np.zeros_like(rating_w), where=rating_w > 0.0)
        own = 1.0 + tree.linear + 2.0 * tree.load * loading
        path = own.copy()
        for node in range(1, path.size):  # parents come first
            path[node] *= path[tree.parent[node]]
        racks = [job.racks for job in self._now.values() if job.racks is not None]
        if not racks:
            return 1.0
        blocks, state = np.concatenate([site.rack_block[r.rack] for r in racks]), self.world.state.blocks
        fed = np.add.reduceat(state.feed_share * path[state.feed_node], state.feed_first[:-1])
        return float(fed[blocks].mean())
