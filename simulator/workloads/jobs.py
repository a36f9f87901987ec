"""Every kind of job: how its step is planned, and what jobs, tests and preparations leave behind."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from simulator.components import from_catalog
from simulator.components.fabric.tier import Tier
from simulator.performance.collectives import Fabric, fabric_of
from simulator.performance.training import TrainingStep
from simulator.results import empty
from simulator.site import Site
from simulator.workloads import distillation, fine_tuning, rl_post_training, training
from simulator.workloads.data_preparation import DataPreparationRun
from simulator.workloads.distillation import Distillation
from simulator.workloads.fine_tuning import FineTuning
from simulator.workloads.model_test_run import ModelTestRun
from simulator.workloads.rl_post_training import RlPostTraining
from simulator.workloads.step import JobStep
from simulator.workloads.synchronous import SynchronousJob, fabric_for
from simulator.workloads.training import TrainingJob
from simulator.workloads.training_run import TrainingRun

STEPS: dict[type[SynchronousJob], Any] = {
    TrainingJob: training.step_of,
    FineTuning: fine_tuning.step_of,
    RlPostTraining: rl_post_training.step_of,
    Distillation: distillation.step_of,
}
"""How each kind plans its step: `(job, fabric) -> JobStep`."""
OPTIMIZER_STEPS: dict[type[SynchronousJob], Any] = {
    TrainingJob: training.optimizer_step,
    FineTuning: fine_tuning.optimizer_step,
    RlPostTraining: rl_post_training.optimizer_step,
    Distillation: distillation.optimizer_step,
}
"""What each kind's parallel plan costs: `(job, fabric) -> TrainingStep`."""
COMMUNICATION = ("communication", "weight_sync")
WENT_ON_FROM = ("save", "local", "peer", "remote", "start", "running")
"""What a job goes on from after an interruption: its one tier, a named one, its beginning, or the
state of those that live."""
WRITING = ("generation", "scoring")


def step_of(job: SynchronousJob, site: Site) -> JobStep:
    """Return the planned step of a job on this site's fabric."""
    return _step(job, fabric_for(job, site))


def optimizer_step(job: SynchronousJob) -> TrainingStep:
    """Return one optimizer step of a job's plan; ValueError says what does not divide or fit."""
    step: TrainingStep = OPTIMIZER_STEPS[type(job)](job, None)
    return step


@lru_cache(maxsize=256)
def step_on(job: SynchronousJob, tiers: tuple[Tier, ...]) -> JobStep:
    """Return the step of a job on a network, whole or degraded."""
    return _step(job, fabric_of(from_catalog.accelerator(job.accelerator), tiers))


def _step(job: SynchronousJob, fabric: Fabric) -> JobStep:
    step: JobStep = STEPS[type(job)](job, fabric)
    return step


def jobs_table(runs: list[TrainingRun], start: datetime) -> pd.DataFrame:
    """Return the `jobs` table: one row per synchronous job."""
    rows = [{**_of_run(run), "finish": _date(start, run.finish_s)} for run in runs]
    return pd.DataFrame(rows) if rows else empty("jobs")


def tests_table(tests: list[ModelTestRun]) -> pd.DataFrame:
    """Return the `tests` table: how often each test was made, and at what cost."""
    rows = [
        {
            "test": test.spec.name, "kind": test.spec.kind, "job": test.run.job.name,
            "accelerators": test.spec.accelerators or test.run.job.accelerators,
            "in_pauses": test.pauses, "completed": test.completed, "skipped": test.skipped,
            "test_time_s": test.tested_s / test.completed if test.completed else np.nan,
            "planned_test_time_s": test.planned.seconds,
            "tokens": test.completed * test.planned.tokens,
            "accelerator_hours": test.useful_s() / 3600.0,
        }
        for test in tests
    ]
    return pd.DataFrame(rows) if rows else empty("tests")


def preparations_table(runs: list[DataPreparationRun], start: datetime) -> pd.DataFrame:
    """Return the `preparations` table: what support racks delivered."""
    rows = [
        {
            "job": run.spec.name, "racks": run.planned.racks,
            "utilization": run.planned.utilization, "bound_by": run.planned.bound_by,
            "tokens_per_s": run.planned.tokens_s, "tokens": run.tokens(),
            "target_tokens": run.spec.tokens, "finish": _date(start, run.finish_s),
        }
        for run in runs
    ]
    return pd.DataFrame(rows) if rows else empty("preparations")


def steps_table(runs: list[TrainingRun], start: datetime) -> pd.DataFrame:
    """Return the `steps` table: the step of each job from its start and each change of network."""
    rows = [
        {
            "job": run.job.name, "time": start + timedelta(seconds=at_s), "network_frac": left,
            "step_time_s": step.step_time_s, "planned_step_time_s": run.planned.step_time_s,
            "mfu": step.mfu, "dynamic_power_frac": step.dynamic_power_frac,
        }
        for run in runs
        for at_s, left, step in run.steps
    ]
    return pd.DataFrame(rows) if rows else empty("steps")


def phases_table(runs: Iterable[TrainingRun]) -> pd.DataFrame:
    """Return the `phases` table: what the planned step of each job is made of."""
    rows = [
        {
            "job": run.job.name, "part": phase.part, "phase": phase.name, "seconds": phase.seconds,
            "share": phase.seconds / run.planned.step_time_s,
            "dynamic_power_frac": phase.dynamic_power_frac,
            "clock_bound_frac": phase.clock_bound_frac,
        }
        for run in runs
        for phase in run.planned.phases
    ]
    return pd.DataFrame(rows) if rows else empty("phases")


def _of_run(run: TrainingRun) -> dict[str, Any]:
    """Return the figures of a synchronous job; those of a step are means at the achieved pace."""
    job, planned = run.job, run.planned
    running_s, computing_s = run.pace.ran_s(run.world.end_s)
    spent_s = running_s + run.stalled_s + _stalled_s(run)
    retained_s, computed_s = run.pace.position_s, run.pace.work_s()
    slowdown = computing_s / computed_s if computed_s > 0.0 else 1.0
    failures = run.stops["failure"]
    return {
        "job": job.name, "kind": job.kind, "model": job.model, "accelerator": job.accelerator,
        "accelerators": job.accelerators,
        "step_time_s": planned.step_time_s * slowdown,
        "planned_step_time_s": planned.step_time_s,
        "mfu": planned.mfu / slowdown,
        "ettr": retained_s * slowdown / spent_s if spent_s > 0.0 else 0.0,
        "tokens": retained_s / planned.step_time_s * planned.tokens_per_step,
        "target_tokens": planned.steps * planned.tokens_per_step,
        "running_h": running_s / 3600.0,
        "interruptions": failures,
        "planned_stops": run.stops["planned"], "false_alarms": run.stops["false_alarm"],
        "mttf_h": running_s / failures / 3600.0 if failures else np.nan,
        "checkpoint_interval_s": run.cadence.interval_s,
        "checkpoint_stall_s": run.cadence.stall_s,
        **_recovery_of(run),
        "queued_s": run.queued_s,
        "generation_frac": planned.share(*WRITING),
        "communication_frac": planned.share(*COMMUNICATION),
    }


def _date(start: datetime, at_s: float | None) -> str | None:
    return None if at_s is None else (start + timedelta(seconds=round(at_s))).isoformat()


def _recovery_of(run: TrainingRun) -> dict[str, Any]:
    """Return what the job saved, what it went on from, and what that cost per stop of any kind."""
    stops = run.stops.total()
    return {
        "lost_work_mean_s": run.pace.reworked_s / max(stops, 1),
        "stalled_mean_s": (run.stalled_s - run.started_s) / max(stops, 1),
        "saves": sum(tier.made for tier in run.saves.tiers),
        "saves_cut_short": sum(tier.lost for tier in run.saves.tiers),
        **{f"from_{name}": run.recovering.from_[name] for name in WENT_ON_FROM},
    }


def _stalled_s(run: TrainingRun) -> float:
    """Return the time spent so far in a restart that the end of the run cut off."""
    if run.opened is None or run.opened[0] != "stalled":
        return 0.0
    return run.world.end_s - run.opened[1]
