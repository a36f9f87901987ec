"""Synchronous training: placed on whole racks, paced by its slowest member, restarted from
checkpoints."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
import simpy
from pydantic import Field

from simulator.components import from_catalog
from simulator.components.kinds import Spec
from simulator.components.parallel_plan import ParallelPlan
from simulator.engine import membership
from simulator.engine.state import Load
from simulator.engine.world import World
from simulator.kernels import columns as c
from simulator.performance.collectives import fabric_of
from simulator.performance.training import TrainingStep, estimate
from simulator.policies.checkpointing import INTERVALS
from simulator.policies.placement import choose
from simulator.site import Site
from simulator.units import Duration, NonNegative, Positive

CHECKPOINT_POWER = 0.10
"""Dynamic power fraction of a chip that waits for a save, a restart or its peers (assumed)."""
SLOW_LOOK_S = 600.0
"""A slowed job looks again after this time how long it has to go."""


CheckpointPolicy = Literal[*INTERVALS, "fixed"]  # type: ignore[valid-type]
"""The files of `policies/checkpointing`, and a fixed interval."""


class Checkpointing(Spec):
    """When the job saves, and what it costs."""

    policy: CheckpointPolicy = "daly"
    interval: Annotated[Duration, Positive()] | None = None
    """Useful time between saves, for `policy: fixed`."""
    stall: Annotated[Duration, Positive()]
    """Pause of the job for one save."""
    restart: Annotated[Duration, NonNegative()]
    """Detection, replacement, start-up and loading after an interruption."""


class TrainingJob(Spec):
    """One synchronous training job."""

    kind: Literal["training"]
    name: str
    model: str
    """Model trained, from the catalog."""
    accelerator: str
    accelerators: Annotated[int, Field(ge=1)]
    halls: tuple[str, ...] = ()
    """Groups of halls it may use, by name; blank for all. One group is one back-end fabric."""
    plan: ParallelPlan
    tokens: Annotated[float, Field(gt=0)]
    """Tokens to train on."""
    checkpoint: Checkpointing
    spares: Annotated[int, Field(ge=0)] = 0
    """Racks held idle for this job, beside what batch work can give back."""
    start: Annotated[Duration, NonNegative()] = 0.0
    """After the start of the run."""
    priority: int = 30
    """Higher gives way later when supply is short."""


def step_of(job: TrainingJob, site: Site) -> TrainingStep:
    """Return the planned step of a job on this site's fabric."""
    model = from_catalog.language_model(job.model)
    chip = from_catalog.accelerator(job.accelerator)
    clos = next(
        (f.clos for f in site.fabrics() if f.name in job.halls or not job.halls),
        site.topology.fabric,
    )
    fabric = fabric_of(chip, oversubscription=clos.oversubscription)
    return estimate(model, chip, job.accelerators, job.plan, fabric)


def load_of(job: TrainingJob, site: Site) -> Load:
    """Return the load a job's racks belong to."""
    chip = site.chips.index(from_catalog.accelerator(job.accelerator))
    return Load(job.name, "training", chip, synchronous=True, priority=job.priority)


@dataclass
class TrainingRun:
    """A job in progress. Work is counted in seconds of full-speed computing."""

    job: TrainingJob
    world: World
    step: TrainingStep
    mttf_s: float
    """Expected running time between interruptions, from the fleet's rates."""
    interval_s: float = 0.0
    saved_s: float = 0.0  # work safe in checkpoints
    reworked_s: float = 0.0
    running_s: float = 0.0
    stalled_s: float = 0.0  # restart and requeue after interruptions
    queued_s: float = 0.0
    interruptions: int = 0
    finish_s: float | None = None
    _alarm: simpy.Event | None = field(default=None, repr=False)
    _open: tuple[str, float] | None = None  # what the job is in the middle of, and since when

    def __post_init__(self) -> None:
        state = self.world.state
        self.load = state.load(self.job.name)
        self.chip = int(state.chips[self.load])
        stall_s = self.job.checkpoint.stall
        self.target_s = self.job.tokens / self.step.tokens_per_step * self.step.step_time_s
        if self.job.checkpoint.policy == "fixed":
            self.interval_s = float(self.job.checkpoint.interval or 0.0)
        else:
            # Without failures there is nothing to save for but the end.
            best_s = INTERVALS[self.job.checkpoint.policy](stall_s, self.mttf_s)
            self.interval_s = min(best_s, self.target_s)
        self.computing_frac = self.interval_s / (self.interval_s + stall_s)
        self.world.alarms[self.load] = self._interrupted
        per_rack = float(self.world.site.rack_accelerators[self.world.site.rack_chip == self.chip][0])
        self.racks_wanted = int(np.ceil(self.job.accelerators / per_rack))

    def run(self) -> Generator[Any, Any, None]:
        """Queue, then start, compute, fail and restart until the tokens are done."""
        env, world = self.world.env, self.world
        if self.job.start > 0.0:
            yield env.timeout(self.job.start)
        queued_from_s = env.now
        while not self._take_racks():
            yield world.wait_for_racks()
        self.queued_s = env.now - queued_from_s
        world.log("job_start", self.job.name, duration_s=self.queued_s)
        yield from self._restart()
        while self.finish_s is None:
            yield from self._compute()
            if self.finish_s is None:
                yield from self._restart()
        self._retire()

    def _restart(self) -> Generator[Any, Any, None]:
        """Get whole racks, wait for supply, load the last checkpoint; begin again when hit."""
        env, world = self.world.env, self.world
        while True:
            self._open = ("stalled", env.now)
            while self.load in world.restored or not self._take_racks():
                off = world.restored.get(self.load)
                self._phase(c.QUEUE if off is None else c.POWER_CAP)
                yield world.wait_for_racks() if off is None else off
            self._phase(c.RESTART)
            self._alarm = env.event()
            yield env.timeout(self.job.checkpoint.restart) | self._alarm
            self.stalled_s += env.now - self._open[1]
            self._open = None
            if not self._alarm.triggered:
                return
            self.interruptions += 1

    def _compute(self) -> Generator[Any, Any, None]:
        """Compute until interrupted or done; an interruption loses what was not saved."""
        env = self.world.env
        began_s, work_s = env.now, self._work_s()
        members = float(self.world.state.loads.count[self.load])
        self._open = ("running", began_s)
        self._phase(c.USEFUL)
        self._alarm = env.event()
        while not self._alarm.triggered:
            left_s = self.target_s - self.saved_s - (self._work_s() - work_s)
            if left_s <= 1e-6:
                break
            speed = max(float(self.world.state.loads.clock[self.load]), 0.01)
            wait_s = max(left_s / (self.computing_frac * speed), 1.0)
            if speed < 1.0:  # it may recover, and end sooner
                wait_s = min(wait_s, SLOW_LOOK_S)
            yield env.timeout(wait_s) | self._alarm
        done_s = self._work_s() - work_s
        elapsed_s = env.now - began_s
        self.running_s += elapsed_s
        self._open = None
        if not self._alarm.triggered:
            self.saved_s = self.target_s
            self.finish_s = env.now
            self.world.log("job_finish", self.job.name, duration_s=elapsed_s)
            return
        self.interruptions += 1
        self._lose(elapsed_s, done_s, members)

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

    def _work_s(self) -> float:
        """Return full-speed seconds computed so far, up to now."""
        loads = self.world.state.loads
        since_step_s = loads.running_s[self.load]
        open_s = loads.running[self.load] * max(
            self.world.env.now - float(loads.since_s[self.load]), 0.0
        )
        speed = loads.clock[self.load] * loads.cap[self.load] ** (
            1.0 / loads.power_exponent[self.load]
        )
        return float(loads.work_s[self.load] + (since_step_s + open_s) * speed)

    def _phase(self, category: int) -> None:
        """Set what the job's time counts as, and its power."""
        share = np.zeros(len(c.CATEGORIES))
        share[category] = 1.0
        dynamic_frac, running = CHECKPOINT_POWER, 0.0
        if category == c.USEFUL:
            computing = self.computing_frac
            share[c.USEFUL], share[c.CHECKPOINT] = computing, 1.0 - computing
            dynamic_frac = (
                computing * self.step.dynamic_power_frac + (1.0 - computing) * CHECKPOINT_POWER
            )
            running = computing
        on = 0.0 if self.load in self.world.restored else 1.0
        self.world.set_load(
            self.load, on=on, dynamic_frac=dynamic_frac, share=share, running=running
        )

    def _interrupted(self, cause: str) -> None:
        if self._alarm is not None and not self._alarm.triggered:
            self.world.log("interruption", self.job.name, cause)
            self._alarm.succeed()

    def _take_racks(self) -> bool:
        """Hand back racks with failed parts and take whole ones; return whether enough are held."""
        world, racks = self.world, self.world.state.racks
        held = membership.members(world, self.load)
        broken = held[racks.up_frac[held] < 1.0]
        membership.release(world, broken)
        held = held[racks.up_frac[held] == 1.0]
        if held.size >= self.racks_wanted:
            return True
        free = membership.healthy(world, self.chip, ("idle", "batch"))
        if self.job.halls:
            names = [hall.name in self.job.halls for hall in world.site.hall_spec]
            free = free[np.array(names)[world.site.rack_hall[free]]]
        extra = choose(free, world.site.rack_hall, self.racks_wanted - held.size, held)
        membership.assign(world, extra, self.load)
        return held.size + extra.size >= self.racks_wanted

    def _retire(self) -> None:
        self.world.alarms.pop(self.load)
        held = membership.members(self.world, self.load)
        self._phase(c.IDLE)
        membership.release(self.world, held)

    def summary(self) -> dict[str, Any]:
        """Return the job's row of the `jobs` table, without its name and chip."""
        retained_s = max(self._work_s() - self.reworked_s, self.saved_s)
        running_s = self.running_s + self._still("running")
        spent_s = running_s + self.stalled_s + self._still("stalled")
        computed_s = retained_s + self.reworked_s
        slowdown = running_s * self.computing_frac / computed_s if computed_s > 0.0 else 1.0
        return {
            "step_time_s": self.step.step_time_s * slowdown,
            "planned_step_time_s": self.step.step_time_s,
            "mfu": self.step.mfu / slowdown,
            "ettr": retained_s * slowdown / spent_s if spent_s > 0.0 else 0.0,
            "tokens": retained_s / self.step.step_time_s * self.step.tokens_per_step,
            "target_tokens": self.job.tokens,
            "interruptions": self.interruptions,
            "mttf_h": running_s / self.interruptions / 3600.0 if self.interruptions else np.nan,
            "checkpoint_interval_s": self.interval_s,
            "checkpoint_stall_s": self.job.checkpoint.stall,
            "queued_s": self.queued_s,
        }

    def _still(self, what: str) -> float:
        """Return the time spent so far in a phase that the end of the run cut off."""
        if self._open is None or self._open[0] != what:
            return 0.0
        return self.world.end_s - self._open[1]


def jobs_table(runs: list[TrainingRun], finish: list[str | None]) -> pd.DataFrame:
    """Return the `jobs` table."""
    rows = []
    for run, at in zip(runs, finish, strict=True):
        job = run.job
        rows.append({
            "job": job.name, "model": job.model, "accelerator": job.accelerator,
            "accelerators": job.accelerators, **run.summary(), "finish": at,
        })
    return pd.DataFrame(rows)
