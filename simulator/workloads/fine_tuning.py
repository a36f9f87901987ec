"""Fine-tuning: a trained model on new data, all of its weights or low-rank adapters on them."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components import from_catalog
from simulator.performance.collectives import Fabric
from simulator.performance.fine_tuning import adapter_step
from simulator.performance.training import TrainingStep, estimate
from simulator.workloads.step import JobStep, steps_over
from simulator.workloads.synchronous import SynchronousJob


class FineTuning(SynchronousJob):
    """One synchronous fine-tuning job."""

    kind: Literal["fine_tuning"]
    tokens: Annotated[float, Field(gt=0)]
    """Tokens to train on, all epochs together."""
    adapter_rank: Annotated[int, Field(ge=1, le=4096)] | None = None
    """Rank of the adapters that alone are trained (LoRA) beside the projections of attention and
    the dense feed-forward matrices; blank: all weights are trained."""


def optimizer_step(job: FineTuning, fabric: Fabric | None = None) -> TrainingStep:
    """Return one optimizer step; ValueError says what does not divide or fit."""
    model = from_catalog.language_model(job.model)
    chip = from_catalog.accelerator(job.accelerator)
    if job.adapter_rank is None:
        return estimate(model, chip, job.accelerators, job.plan, fabric)
    return adapter_step(model, chip, job.accelerators, job.plan, job.adapter_rank, fabric)


def step_of(job: FineTuning, fabric: Fabric | None = None) -> JobStep:
    """Return the planned step; ValueError says what does not divide or fit."""
    return steps_over(optimizer_step(job, fabric), job.tokens)
