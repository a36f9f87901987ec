"""A synchronous job in progress: placed on whole racks, paced by its slowest member, set back to its
saves when hit, paused for tests of its model."""

from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from math import inf
from typing import Any, Protocol

import simpy

from simulator.components.fabric.tier import Tier
from simulator.engine import support, work
from simulator.engine.alarm import Alarm
from simulator.engine.storage import Writer
from simulator.engine.world import World
from simulator.kernels import columns as c
from simulator.workloads.cadence import Saving
from simulator.workloads.exposure import Exposure
from simulator.workloads.job_pace import JobPace
from simulator.workloads.job_racks import JobRacks
from simulator.workloads.recovering import Recovering
from simulator.workloads.saves import Saves
from simulator.workloads.step import JobStep
from simulator.workloads.synchronous import SynchronousJob


class Visitor(Protocol):
    """Something that comes to see a job's model now and then (`workloads/model_test_run.py`)."""

    pauses: bool
    """Whether the job makes way for it."""

    def left(self, progress_s: float, now_s: float) -> tuple[float, float]:
        """Return the seconds until it is due: of full-speed work, and of the clock."""

    def due(self, progress_s: float) -> None:
        """Say that the job has come so far."""

    def occupy(self, run: "TrainingRun") -> Generator[Any, Any, None]:
        """Work on the job's racks until done or interrupted."""


@dataclass
class TrainingRun:
    """A job in progress. Work is counted in seconds of the planned step at full speed; a step that
    lasts longer than planned (`change_step`) gives less of them per second."""

    job: SynchronousJob
    world: World
    planned: JobStep
    exposure: Exposure
    """How often it is to be interrupted, from the fleet's rates."""
    replan: Callable[[tuple[Tier, ...]], JobStep]
    """The step on a network with these tiers."""
    started_s: float = 0.0  # the first start
    stalled_s: float = 0.0  # that, and restart and requeue after stops
    queued_s: float = 0.0
    stops: Counter[str] = field(default_factory=Counter)
    """Times it was stopped, by kind of alarm: `failure`, `planned`, `false_alarm`."""
    finish_s: float | None = None
    visitors: list[Visitor] = field(default_factory=list)
    steps: list[tuple[float, float, JobStep]] = field(default_factory=list)
    """Since when, the share left of the worst tier, and the step that is made on it."""
    opened: tuple[str, float] | None = None
    """What the job is in the middle of, and since when."""
    _steps_on: dict[tuple[Tier, ...], JobStep] = field(default_factory=dict, repr=False)
    alarm: simpy.Event | None = field(default=None, repr=False)
    """Fires when something stops what the job is doing."""

    def __post_init__(self) -> None:
        job, world = self.job, self.world
        self.load = world.state.load(job.name)
        self.racks = JobRacks(job, world, self.load)
        used = self.racks.wanted * self.racks.active
        self.pace = JobPace(world, self.load, self.planned, used)
        self.pace.parts = 1.0 - job.practice.overhead
        self.saving = Saving(job, world.site, world.store, self.exposure)
        if job.checkpoint.remote is not None:
            world.store.join(self.load, Writer(self.saving.most_write_bytes_s(), 0.0, self._retune))
        self._find_cadence()
        self.saves = Saves(self.cadence.tiers, self.cadence.cycle_s)
        self.recovering = Recovering(job, self.racks, self.pace, self.saving, self.saves)
        world.alarms[self.load] = self.interrupt
        world.networks[self.load] = self._renetwork

    @property
    def target_s(self) -> float:
        """Work of the whole job."""
        return self.planned.steps * self.planned.step_time_s

    def run(self) -> Generator[Any, Any, None]:
        """Queue, then start, compute, fail and recover until the work is done."""
        env, world = self.world.env, self.world
        if self.job.start > 0.0:
            yield env.timeout(self.job.start)
        queued_from_s = env.now
        while not self.racks.take():
            yield world.wait_for_racks()
        self.queued_s = env.now - queued_from_s
        self._plan_on_racks()
        world.log("job_start", self.job.name, duration_s=self.queued_s)
        yield from self._restart()
        while self.finish_s is None:
            visitor = yield from self._compute()
            if visitor is not None:
                yield from self._make_way(visitor)
            elif self.finish_s is None and not self._interrupted():
                yield from self._take_in()
            if self._interrupted():
                yield from self._restart()
        self._retire()

    def change_step(self, step: JobStep) -> None:
        """Go on with steps that last longer than planned, or as planned again."""
        if step is self.pace.step:
            return
        self.pace.plan(step)
        if self._doing("running"):
            self.pace.go()

    def interrupt(self, alarm: Alarm) -> None:
        """Take from the saves what a failure takes; stop what the job is doing and have it recover."""
        self.recovering.strike(alarm)
        if self.alarm is not None and not self.alarm.triggered:
            told = "planned" if alarm.planned else ""
            self.world.log("interruption", self.job.name, alarm.cause, detail=told)
            self.stops[alarm.kind] += 1
            self.recovering.tell(alarm)
            self.alarm.succeed()

    def _find_cadence(self) -> None:
        """Find the rhythm of saves for what the storage gives now."""
        self.cadence = self.saving.cadence(self.planned, self.target_s, self.load)
        self.pace.computing_frac = self.cadence.computing_frac
        self.saving.tell_use(self.cadence, self.planned, self.load)
        support.follow_storage(self.world)

    def _retune(self) -> None:
        """Follow a storage that gives more or less than before."""
        now_s, running = self.world.env.now, self._doing("running")
        if running:
            self.saves.settle(now_s, self.pace.position_s)
        self._find_cadence()
        self.saves.retune(self.cadence.tiers, self.cadence.cycle_s)
        if running:
            self.saves.open(now_s, self.pace.position_s)
            self.pace.go()

    def _plan_on_racks(self) -> None:
        """Plan the step on the intact network under the racks that the job has got."""
        placed = self.world.network.jobs.get(self.load)
        if placed is not None:
            self.planned = self.pace.planned = self._step_on(placed.intact)
            self.change_step(self._step_on(placed.now))
        self.steps = []
        self._note_step()

    def _step_on(self, tiers: tuple[Tier, ...]) -> JobStep:
        """Return the step on a network; most of a run's are the same few."""
        if tiers not in self._steps_on:
            self._steps_on[tiers] = self.replan(tiers)
        return self._steps_on[tiers]

    def _note_step(self) -> None:
        """Keep the step that is made from now on, and the share left of its worst tier."""
        placed = self.world.network.jobs.get(self.load)
        pairs = zip(placed.now, placed.intact, strict=True) if placed is not None else ()
        left = min((now.bytes_s / whole.bytes_s for now, whole in pairs), default=1.0)
        if not self.steps or self.steps[-1][1:] != (left, self.pace.step):
            self.steps.append((self.world.env.now, left, self.pace.step))

    def _renetwork(self, tiers: tuple[Tier, ...]) -> str:
        """Go on at the pace of other tiers; return in words what that does to the step."""
        before = self.pace.step
        self.change_step(self._step_on(tiers))
        self._note_step()
        if self._doing("stalled"):
            self.world.wake_waiting()
        return before.told_against(self.pace.step)

    def _undisturbed(self, wait_s: float) -> simpy.Event:
        """Return an event after `wait_s`, or at the next interruption if that is sooner."""
        assert self.alarm is not None
        return self.world.env.timeout(wait_s) | self.alarm

    def _restart(self) -> Generator[Any, Any, None]:
        """Get the racks and the supply it needs, load what is left of its saves; begin again when
        hit."""
        first = self.alarm is None
        while self.alarm is None or self._interrupted():
            begun_s = self._stall()
            begins, self.alarm = self.alarm is None, None
            decision = yield from self.recovering.gather(begins)
            loads = None if begins else self.recovering.fall_back(decision)
            self.pace.stand(c.RESTART)
            self.alarm = self.world.env.event()
            yield self._undisturbed(self.recovering.pause_s(decision, loads))
            self._end_stall()
            self.pace.parts = decision.pace * (1.0 - self.job.practice.overhead)
            if first and begins:
                self.started_s = self.world.env.now - begun_s
        self._tell_back()

    def _tell_back(self) -> None:
        """Log that it computes again after something that it shares with others stopped it."""
        cause, since_s = self.world.struck.pop(self.load, (None, 0.0))
        if cause is not None:
            self.world.log("job_back", self.job.name, cause, self.world.env.now - since_s)

    def _take_in(self) -> Generator[Any, Any, None]:
        """Pause to join what is back to what went on without it; nothing is lost."""
        self._stall()
        self.racks.fill(some=True)
        self.racks.join()
        self.pace.stand(c.RESTART)
        yield self._undisturbed(self.recovering.joining_s())
        self._end_stall()
        decision = self.recovering.decision()
        self.pace.parts = decision.pace * (1.0 - self.job.practice.overhead)
        self.recovering.expect(decision, self.racks.lacking)

    def _stall(self) -> float:
        now_s = self.world.env.now
        self.opened = ("stalled", now_s)
        return now_s

    def _end_stall(self) -> None:
        assert self.opened is not None
        self.stalled_s += self.world.env.now - self.opened[1]
        self.opened = None

    def _compute(self) -> Generator[Any, Any, Visitor | None]:
        """Compute until interrupted, done, visited by what needs the racks, or able to take parts back;
        return the visitor.

        Waits last as long as the next thing to do is away at full speed, so that a slowed job that
        recovers is not late.
        """
        env, pace = self.world.env, self.pace
        began_s, visitor, wait_s = env.now, None, inf
        self.opened = ("running", began_s)
        self.saves.open(began_s, pace.position_s)
        pace.look()
        pace.go()
        while not self._interrupted():
            progress_s = pace.position_s
            level_s = pace.follow(progress_s)
            visitor = self._visitor_at(progress_s)
            wait_s = self._wait_s(progress_s, level_s)
            if visitor is not None or wait_s == 0.0 or self.recovering.has_back():
                break
            yield self._until(wait_s)
        pace.halt()
        self.opened = None
        self.saves.settle(env.now, pace.position_s)
        if not self._interrupted() and visitor is None and wait_s == 0.0:
            self.finish_s = env.now
            self.world.log("job_finish", self.job.name, duration_s=env.now - began_s)
        return None if self._interrupted() else visitor

    def _until(self, wait_s: float) -> simpy.Event:
        """Return an event after `wait_s`, at an interruption, or when parts may be back."""
        if not self.recovering.misses():
            return self._undisturbed(wait_s)
        ready_s = self.recovering.ready_in_s()
        if 0.0 < ready_s < inf:
            return self._undisturbed(min(wait_s, ready_s))
        return self._undisturbed(wait_s) | self.world.wait_for_racks()

    def _wait_s(self, progress_s: float, level_s: float) -> float:
        """Return how long to compute before looking again; 0 at the end of the job."""
        left_s = self.target_s - progress_s
        if left_s <= work.DONE_S:
            return 0.0
        visits = [visitor.left(progress_s, self.world.env.now) for visitor in self.visitors]
        ahead_s = min([left_s, level_s, *(work_s for work_s, _ in visits)])
        wait_s = self.pace.wait_s(ahead_s)
        return max(min([wait_s, *(clock_s for _, clock_s in visits)]), work.DONE_S)

    def _visitor_at(self, progress_s: float) -> Visitor | None:
        """Tell those who are due; return one of them that the job makes way for."""
        now_s = self.world.env.now
        for visitor in self.visitors:
            if min(visitor.left(progress_s, now_s)) <= work.DONE_S:
                visitor.due(progress_s)
                if visitor.pauses:
                    return visitor
        return None

    def _make_way(self, visitor: Visitor) -> Generator[Any, Any, None]:
        """Save, and lend the racks to a visitor."""
        self.pace.stand(c.CHECKPOINT)
        yield self._undisturbed(self.cadence.stall_s)
        if not self._interrupted():
            self.saves.save_all(self.world.env.now, self.pace.position_s)
            yield from visitor.occupy(self)

    def _doing(self, what: str) -> bool:
        return self.opened is not None and self.opened[0] == what

    def _interrupted(self) -> bool:
        return self.alarm is not None and self.alarm.triggered

    def _retire(self) -> None:
        self.world.alarms.pop(self.load)
        self.world.networks.pop(self.load)
        self.world.store.leave(self.load)
        support.follow_storage(self.world)
        self.pace.stand(c.IDLE)
        self.racks.leave()
