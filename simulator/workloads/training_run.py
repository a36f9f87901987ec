"""A synchronous job in progress: placed on whole racks, paced by its slowest member, restarted from
checkpoints, paused for tests of its model."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import simpy

from simulator.components.fabric.tier import Tier
from simulator.engine import work
from simulator.engine.alarm import Alarm
from simulator.engine.world import World
from simulator.kernels import columns as c
from simulator.kernels.site_step import STEP_S
from simulator.policies.checkpointing import INTERVALS
from simulator.workloads.job_racks import JobRacks
from simulator.workloads.step import JobStep, Levels
from simulator.workloads.synchronous import SynchronousJob

CHECKPOINT_POWER = 0.10
"""Dynamic power fraction of a chip that waits for a save, a restart or its peers (assumed)."""


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
    mttf_s: float
    """Expected running time between interruptions, from the fleet's rates."""
    replan: Callable[[tuple[Tier, ...]], JobStep]
    """The step on a network with these tiers."""
    interval_s: float = 0.0
    saved_s: float = 0.0  # work safe in checkpoints
    reworked_s: float = 0.0
    running_s: float = 0.0
    stalled_s: float = 0.0  # restart and requeue after interruptions
    queued_s: float = 0.0
    interruptions: int = 0
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
        self._plan_levels(self.planned)
        self.load = self.world.state.load(self.job.name)
        self.racks = JobRacks(self.job, self.world, self.load)
        stall_s = self.job.checkpoint.stall
        if self.job.checkpoint.policy == "fixed":
            self.interval_s = float(self.job.checkpoint.interval or 0.0)
        else:
            # Without failures there is nothing to save for but the end.
            best_s = INTERVALS[self.job.checkpoint.policy](stall_s, self.mttf_s)
            self.interval_s = min(best_s, self.target_s)
        self.computing_frac = self.interval_s / (self.interval_s + stall_s)
        self.world.alarms[self.load] = self.interrupt
        self.world.networks[self.load] = self._renetwork

    @property
    def target_s(self) -> float:
        """Work of the whole job."""
        return self.planned.steps * self.planned.step_time_s

    def run(self) -> Generator[Any, Any, None]:
        """Queue, then start, compute, fail and restart until the work is done."""
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
            if self._interrupted():
                yield from self._restart()
        self._retire()

    def change_step(self, step: JobStep) -> None:
        """Go on with steps that last longer than planned, or as planned again."""
        if step is self.step:
            return
        self._plan_levels(step)
        if self.opened is not None and self.opened[0] == "running":
            self._phase(c.USEFUL)

    def _plan_on_racks(self) -> None:
        """Plan the step on the intact network under the racks that the job has got."""
        placed = self.world.network.jobs.get(self.load)
        if placed is not None:
            self.planned = self._step_on(placed.intact)
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
        if not self.steps or self.steps[-1][1:] != (left, self.step):
            self.steps.append((self.world.env.now, left, self.step))

    def _renetwork(self, tiers: tuple[Tier, ...]) -> str:
        """Go on at the pace of other tiers; return in words what that does to the step."""
        before = self.step
        self.change_step(self._step_on(tiers))
        self._note_step()
        if self.opened is not None and self.opened[0] == "stalled":
            self.world.wake_waiting()
        return before.told_against(self.step)

    def interrupt(self, alarm: Alarm) -> None:
        """Stop what the job is doing and have it restart."""
        if self.alarm is not None and not self.alarm.triggered:
            self.world.log("interruption", self.job.name, alarm.cause)
            self.interruptions += 1
            self.alarm.succeed()

    def _undisturbed(self, wait_s: float) -> simpy.Event:
        """Return an event after `wait_s`, or at the next interruption if that is sooner."""
        assert self.alarm is not None
        return self.world.env.timeout(wait_s) | self.alarm

    def _restart(self) -> Generator[Any, Any, None]:
        """Get whole racks, wait for supply, load the last checkpoint; begin again when hit."""
        env, world = self.world.env, self.world
        self.alarm = None
        while self.alarm is None or self._interrupted():
            self.opened = ("stalled", env.now)
            while self.load in world.restored or not self.racks.take():
                off = world.restored.get(self.load)
                self._phase(c.QUEUE if off is None else c.POWER_CAP)
                yield world.wait_for_racks() if off is None else off
            self._phase(c.RESTART)
            self.alarm = env.event()
            yield self._undisturbed(self.job.checkpoint.restart)
            self.stalled_s += env.now - self.opened[1]
            self.opened = None

    def _compute(self) -> Generator[Any, Any, Visitor | None]:
        """Compute until interrupted, done, or visited by what needs the racks; return the visitor.

        An interruption loses what was not saved. Waits last as long as the next thing to do is away
        at full speed, so that a slowed job that recovers is not late.
        """
        env = self.world.env
        began_s, work_s = env.now, self.work_s()
        members = float(self.world.state.loads.count[self.load])
        self.opened = ("running", began_s)
        self._level, _ = self._levels.at(self.saved_s, self.planned.step_time_s)
        self._phase(c.USEFUL)
        visitor = None
        while not self._interrupted():
            progress_s = self.saved_s + self.work_s() - work_s
            self._follow(progress_s)
            visitor = self._visitor_at(progress_s)
            wait_s = self._wait_s(progress_s)
            if visitor is not None or wait_s == 0.0:
                break
            yield self._undisturbed(wait_s)
        done_s, elapsed_s = self.work_s() - work_s, env.now - began_s
        self.running_s += elapsed_s
        self.opened = None
        if self._interrupted():
            self._lose(elapsed_s, done_s, members)
        elif visitor is not None:
            self.saved_s += done_s
        else:
            self.saved_s = self.target_s
            self.finish_s = env.now
            self.world.log("job_finish", self.job.name, duration_s=elapsed_s)
        return None if self._interrupted() else visitor

    def _wait_s(self, progress_s: float) -> float:
        """Return how long to compute before looking again; 0 at the end of the job."""
        left_s = self.target_s - progress_s
        if left_s <= work.DONE_S:
            return 0.0
        now_s = self.world.env.now
        pace = self._network_pace()
        visits = [visitor.left(progress_s, now_s) for visitor in self.visitors]
        level_s = self._levels.at(progress_s, self.planned.step_time_s)[1]
        ahead_s = min([left_s, level_s, *(work_s for work_s, _ in visits)])
        wait_s = work.wait_s(ahead_s, self.computing_frac * max(1.0, pace), self._rate())
        return max(min([wait_s, *(clock_s for _, clock_s in visits)]), work.DONE_S)

    def _plan_levels(self, step: JobStep) -> None:
        """Take a step as what is done from now on; its phases are followed as far as the engine's
        resolution lets them be seen."""
        self.step = step
        self._levels = Levels(step, STEP_S)
        self._level = 0

    def _follow(self, progress_s: float) -> None:
        """Draw the power of the level that is reached."""
        level, _ = self._levels.at(progress_s, self.planned.step_time_s)
        if level != self._level:
            self._level = level
            self._phase(c.USEFUL)

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
        """Save, and lend the racks to a visitor; nothing is lost when that is cut short."""
        self._phase(c.CHECKPOINT)
        yield self._undisturbed(self.job.checkpoint.stall)
        if not self._interrupted():
            yield from visitor.occupy(self)

    def _lose(self, elapsed_s: float, done_s: float, members: float) -> None:
        """Keep the work of whole checkpoint cycles; count the rest as rework of all that computed,
        broken now or not."""
        cycle_s = self.interval_s + self.job.checkpoint.stall
        cycles = int(elapsed_s // cycle_s)
        kept_s = done_s * min(cycles * cycle_s / elapsed_s, 1.0) if elapsed_s > 0.0 else 0.0
        self.saved_s += kept_s
        self.reworked_s += done_s - kept_s
        hours = self.world.state.loads.hours[self.load]
        hours[c.USEFUL] -= (done_s - kept_s) * members
        hours[c.REWORK] += (done_s - kept_s) * members

    def work_s(self) -> float:
        """Return seconds of planned full-speed work computed so far, up to now."""
        return work.done_s(self.world, self.load)

    def _rate(self) -> float:
        """Return seconds of planned full-speed work per second of the clock, saves included."""
        return self.computing_frac * self._network_pace() * work.pace(self.world, self.load)

    def _network_pace(self) -> float:
        """Return the planned time of a step over its present one at full clock."""
        return self.planned.step_time_s / self.step.step_time_s

    def _phase(self, category: int) -> None:
        """Set what the job's time counts as, and its power."""
        share = np.zeros(len(c.CATEGORIES))
        share[category] = 1.0
        dynamic_frac, running = CHECKPOINT_POWER, 0.0
        if category == c.USEFUL:
            computing, pace = self.computing_frac, self._network_pace()
            running = computing * pace
            share[c.USEFUL] = computing * min(pace, 1.0)
            share[c.NETWORK] = computing - share[c.USEFUL]
            share[c.CHECKPOINT] = 1.0 - computing
            dynamic_frac = (
                computing * self._levels.phases[self._level].dynamic_power_frac
                + (1.0 - computing) * CHECKPOINT_POWER
            )
        on = 0.0 if self.load in self.world.restored else 1.0
        self.world.set_load(
            self.load, on=on, dynamic_frac=dynamic_frac, share=share, running=running,
            clock_bound_frac=self._levels.phases[self._level].clock_bound_frac,
        )

    def _interrupted(self) -> bool:
        return self.alarm is not None and self.alarm.triggered

    def _retire(self) -> None:
        self.world.alarms.pop(self.load)
        self.world.networks.pop(self.load)
        self._phase(c.IDLE)
        self.racks.leave()
