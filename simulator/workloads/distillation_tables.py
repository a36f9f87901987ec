"""The table of a run about its distillations: what they cost, and from when on they pay."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from simulator.components import from_catalog
from simulator.results import empty
from simulator.workloads.distillation import Distillation, TakesOver, texts_tokens
from simulator.workloads.pools import AnyPool, surface_of
from simulator.workloads.routing_run import RoutingRun
from simulator.workloads.training_run import TrainingRun


def distillations_table(
    runs: Iterable[TrainingRun], router: RoutingRun | None, start: datetime
) -> pd.DataFrame:
    """Return the `distillations` table: one row per job."""
    rows = [
        _of_job(run, run.job, start) | _against(run.job.takes_over, router)
        for run in runs
        if isinstance(run.job, Distillation)
    ]
    return pd.DataFrame(rows) if rows else empty("distillations")


def _of_job(run: TrainingRun, job: Distillation, start: datetime) -> dict[str, Any]:
    """Return what was written, trained and held so far."""
    written, trained = texts_tokens(job)
    generation_s = run.planned.phases[0].seconds
    training_s = run.planned.step_time_s - generation_s
    kept_s = run.pace.position_s
    held_s = float(run.world.state.loads.hours[run.load].sum())
    finish = None if run.finish_s is None else start + timedelta(seconds=round(run.finish_s))
    return {
        "job": job.name, "teacher": job.teacher, "student": job.model,
        "accelerator": job.accelerator, "accelerators": job.accelerators,
        "generation_s": generation_s, "training_s": training_s,
        "written_tokens": written * min(kept_s / generation_s, 1.0),
        "trained_tokens": trained * max(kept_s - generation_s, 0.0) / training_s,
        "target_written_tokens": written, "target_trained_tokens": trained,
        "accelerator_hours": held_s / 3600.0, "interruptions": run.stops["failure"],
        "ready": None if finish is None else finish.isoformat(),
    }  # fmt: skip


def _against(takes_over: TakesOver | None, router: RoutingRun | None) -> dict[str, Any]:
    """Return a request's cost by the class's policy and by the student, and how many there are."""
    if takes_over is None or router is None:
        return {
            "class": None, "pool": None, "share": 0.0, "policy_accelerator_s": np.nan,
            "student_accelerator_s": np.nan, "policy_j": np.nan, "student_j": np.nan,
            "tokens": np.nan, "requests_per_s": 0.0,
        }  # fmt: skip
    c = [cls.spec.name for cls in router.plan.classes].index(takes_over.request_class)
    place = router.plan.names.index(takes_over.pool)
    stream = next(
        s for s in router.plan.streams
        if s.pool == place and router.plan.stages[s.stage].cls == c
    )  # fmt: skip
    by_policy, pools = router.route_alone(c).work, router.plan.pools
    shared = router.moderation_work(c)
    student = np.zeros(len(pools))
    student[place] = stream.work
    return {
        "class": takes_over.request_class, "pool": takes_over.pool, "share": takes_over.share,
        "policy_accelerator_s": _accelerator_s(by_policy - shared, pools),
        "student_accelerator_s": _accelerator_s(student, pools),
        "policy_j": _joules(by_policy - shared, pools), "student_j": _joules(student, pools),
        "tokens": stream.output_tokens, "requests_per_s": float(router.rates_per_s[c].mean()),
    }  # fmt: skip


def _accelerator_s(work: np.ndarray, pools: Iterable[AnyPool]) -> float:
    """Return the accelerator-seconds that work in each pool takes in full batches."""
    each = [p.tensor_parallel / surface_of(p).capacity_requests_s for p in pools]
    return float(np.dot(work, each))


def _joules(work: np.ndarray, pools: Iterable[AnyPool]) -> float:
    """Return the energy of the accelerators over that time."""
    each = []
    for pool in pools:
        chip, served = from_catalog.accelerator(pool.accelerator), surface_of(pool)
        power_w = chip.idle + float(served.dynamic_power_frac[-1]) * (chip.tdp - chip.idle)
        each.append(pool.tensor_parallel / served.capacity_requests_s * power_w)
    return float(np.dot(work, each))
