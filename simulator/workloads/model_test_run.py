"""Tests of a job's model as they happen: when the next is due, on which racks, what it took."""

from collections.abc import Generator
from dataclasses import dataclass, field
from math import inf
from typing import Any

import numpy as np
import simpy

from simulator.engine import membership, work
from simulator.kernels import columns as c
from simulator.policies.placement import choose
from simulator.workloads.model_test import ModelTest, Test
from simulator.workloads.training_run import TrainingRun


@dataclass
class ModelTestRun:
    """The tests of one job by one specification."""

    spec: ModelTest
    run: TrainingRun
    planned: Test
    completed: int = 0
    skipped: int = 0
    """Due while the last one was not done."""
    tested_s: float = 0.0
    _next_step: float = inf
    _next_s: float = inf
    _go: simpy.Event = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.world = self.run.world
        self.load = self.world.state.load(self.spec.name)
        self.pauses = self.spec.accelerators is None
        self._every = float(self.spec.every_steps or self.spec.interval or inf)
        if self.spec.every_steps:
            self._next_step = self._every
        else:
            self._next_s = self.run.job.start + self._every
        self._go = self.world.env.event()
        self.run.visitors.append(self)

    def left(self, progress_s: float, now_s: float) -> tuple[float, float]:
        """Return the seconds until the next test: of the job's work, and of the clock."""
        next_work_s = self._next_step * self.run.planned.step_time_s
        return max(next_work_s - progress_s, 0.0), max(self._next_s - now_s, 0.0)

    def due(self, progress_s: float) -> None:
        """Begin a test, and say when the next one is due."""
        now_s, step_s = self.world.env.now, self.run.planned.step_time_s
        while self._next_step * step_s <= progress_s + work.DONE_S:
            self._next_step += self._every
        while self._next_s <= now_s + work.DONE_S:
            self._next_s += self._every
        if self.pauses:
            return
        if self._go.triggered:
            self.skipped += 1
        else:
            self._go.succeed()

    def occupy(self, run: TrainingRun) -> Generator[Any, Any, None]:
        """Test on the job's own racks, which are handed back when it is done or interrupted."""
        assert run.alarm is not None
        if self.load in self.world.restored:  # switched off for want of supply
            self.skipped += 1
            return
        self.world.alarms[self.load] = run.interrupt
        membership.assign(self.world, membership.members(self.world, run.load), self.load)
        yield from self._test(run.alarm)
        membership.assign(self.world, membership.members(self.world, self.load), run.load)
        self._rest()

    def beside(self) -> Generator[Any, Any, None]:
        """Wait for each test to fall due, take whole racks for it, begin again when one fails."""
        while True:
            yield self._go
            while not (yield from self._attempt()):
                self.world.log("interruption", self.spec.name, "test")
            self._go = self.world.env.event()

    def useful_s(self) -> float:
        """Return the accelerator-seconds of tests that were done."""
        return float(self.world.state.loads.hours[self.load, c.USEFUL])

    def _attempt(self) -> Generator[Any, Any, bool]:
        """Test once on racks of its own; return whether nothing came between."""
        world = self.world
        while self.load in world.restored or not self._take_racks():
            yield world.restored.get(self.load) or world.wait_for_racks()
        alarm = world.env.event()
        world.alarms[self.load] = lambda _: alarm if alarm.triggered else alarm.succeed()
        done = yield from self._test(alarm)
        self._rest()
        membership.release(world, membership.members(world, self.load))
        return done

    def _test(self, alarm: simpy.Event) -> Generator[Any, Any, bool]:
        """Work until the answers are written and judged; return whether nothing came between."""
        world, env = self.world, self.world.env
        members = float(world.state.loads.count[self.load])
        self._work(c.USEFUL, self.planned.dynamic_power_frac, 1.0)
        began_s, left_s = env.now, self.planned.seconds
        end_s = work.done_s(world, self.load) + left_s
        while left_s > work.DONE_S and not alarm.triggered:
            wait_s = work.wait_s(left_s, 1.0, work.pace(world, self.load))
            yield env.timeout(wait_s) | alarm
            left_s = end_s - work.done_s(world, self.load)
        self.tested_s += env.now - began_s
        if left_s > work.DONE_S:
            self._redo(self.planned.seconds - left_s, members)
            return False
        self.completed += 1
        world.log("test", self.spec.name, self.run.job.name, env.now - began_s)
        return True

    def _redo(self, done_s: float, members: float) -> None:
        """Count what an interrupted test had done as rework."""
        hours = self.world.state.loads.hours[self.load]
        hours[c.USEFUL] -= done_s * members
        hours[c.REWORK] += done_s * members

    def _rest(self) -> None:
        self.world.alarms.pop(self.load, None)
        self._work(c.IDLE, 0.0, 0.0)

    def _work(self, category: int, dynamic_frac: float, running: float) -> None:
        share = np.zeros(len(c.CATEGORIES))
        share[category] = 1.0
        on = 0.0 if self.load in self.world.restored else 1.0
        self.world.set_load(
            self.load, on=on, dynamic_frac=dynamic_frac, share=share, running=running,
            clock_bound_frac=self.planned.clock_bound_frac,
        )

    def _take_racks(self) -> bool:
        """Take enough whole racks from idle and batch work, or none."""
        world, site, chip = self.world, self.world.site, self.run.racks.chip
        per_rack = float(site.rack_accelerators[site.rack_chip == chip][0])
        wanted = int(np.ceil(float(self.spec.accelerators or 0) / per_rack))
        free = membership.healthy(world, chip, ("batch", "idle"))
        if free.size < wanted:
            return False
        membership.assign(world, choose(free, site.rack_hall, wanted, free[:0]), self.load)
        return True
