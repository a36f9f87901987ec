"""Pre-training: a model from its first token to its last."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components import from_catalog
from simulator.performance.collectives import Fabric
from simulator.performance.training import TrainingStep, estimate
from simulator.workloads.step import JobStep, steps_over
from simulator.workloads.synchronous import SynchronousJob


class TrainingJob(SynchronousJob):
    """One synchronous pre-training job."""

    kind: Literal["training"]
    tokens: Annotated[float, Field(gt=0)]
    """Tokens to train on."""


def optimizer_step(job: TrainingJob, fabric: Fabric | None = None) -> TrainingStep:
    """Return one optimizer step; ValueError says what does not divide or fit."""
    model = from_catalog.language_model(job.model)
    chip = from_catalog.accelerator(job.accelerator)
    return estimate(model, chip, job.accelerators, job.plan, fabric)


def step_of(job: TrainingJob, fabric: Fabric | None = None) -> JobStep:
    """Return the planned step; ValueError says what does not divide or fit."""
    return steps_over(optimizer_step(job, fabric), job.tokens)
