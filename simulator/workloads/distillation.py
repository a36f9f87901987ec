"""Distillation: a large model writes, a small one learns from it, and takes over a part of a class."""

from collections.abc import Generator
from typing import Annotated, Any, Literal

import simpy
from pydantic import Field

from simulator.components import from_catalog
from simulator.components.kinds import Spec
from simulator.performance import transformer
from simulator.performance.collectives import Fabric
from simulator.performance.training import TrainingStep, estimate
from simulator.units import Duration, Fraction, Within
from simulator.workloads.rollouts import Rollouts, generation_of
from simulator.workloads.routing_run import RoutingRun
from simulator.workloads.step import JobStep, Phase, phases_of, scaled
from simulator.workloads.synchronous import SynchronousJob
from simulator.workloads.training_run import TrainingRun


class TakesOver(Spec):
    """What the student answers once it is ready."""

    request_class: str
    """Class of requests, by name."""
    pool: str
    """Pool that serves the student, by name."""
    share: Annotated[Fraction, Field(gt=0, le=1)]
    """Of the class's requests, whatever the class's policy would do with them."""
    deploy: Annotated[Duration, Within("0 s", "1 year")] = 7200.0
    """From the end of training until it answers: checks and loading. Assumed, 1 h-14 d; the pool takes
    accelerators an hour or two before."""


class Distillation(SynchronousJob):
    """The teacher writes all texts on the job's accelerators, then the student is trained on them.
    `model` is the student."""

    kind: Literal["distillation"]
    teacher: str
    """Model that writes, from the catalog."""
    rollouts: Rollouts
    """Texts that the teacher writes, and its replicas."""
    epochs: Annotated[int, Field(ge=1, le=100)] = 1
    """Times the student passes over the texts, prompts included."""
    takes_over: TakesOver | None = None


def texts_tokens(job: Distillation) -> tuple[float, float]:
    """Return tokens that the teacher writes, and tokens that the student is trained on."""
    made = generation_of(job.rollouts, job.teacher, job.accelerator, job.accelerators)
    written = job.rollouts.answers * made.output_tokens
    return written, job.epochs * (written + job.rollouts.answers * job.rollouts.input_tokens)


def step_of(job: Distillation, fabric: Fabric | None = None) -> JobStep:
    """Return the whole job as one step of two parts; ValueError says what does not divide or fit."""
    made = generation_of(job.rollouts, job.teacher, job.accelerator, job.accelerators)
    step = optimizer_step(job, fabric)
    trained = texts_tokens(job)[1]
    generation = Phase(
        "generation", made.seconds, made.dynamic_power_frac, made.clock_bound_frac, "generation"
    )
    phases = (generation, *scaled(phases_of(step), trained / step.tokens_per_step))
    seconds = sum(phase.seconds for phase in phases)
    peak = from_catalog.accelerator(job.accelerator).peak[job.plan.precision] * job.accelerators
    return JobStep(
        phases=phases,
        tokens_per_step=trained,
        steps=1.0,
        mfu=_flops(job, trained) / (seconds * peak),
        checkpoint_bytes=step.checkpoint_bytes,
    )


def optimizer_step(job: Distillation, fabric: Fabric | None = None) -> TrainingStep:
    """Return one optimizer step of the student; ValueError says what does not divide or fit."""
    model = from_catalog.language_model(job.model)
    chip = from_catalog.accelerator(job.accelerator)
    return estimate(model, chip, job.accelerators, job.plan, fabric)


def deploy(
    run: TrainingRun, done: simpy.Event, router: RoutingRun
) -> Generator[Any, Any, None]:
    """When the job is done, have the student's pool take over its share of the class."""
    yield done
    job = run.job
    assert isinstance(job, Distillation) and job.takes_over is not None
    names = [cls.spec.name for cls in router.plan.classes]
    router.take_over(
        names.index(job.takes_over.request_class), router.plan.names.index(job.takes_over.pool),
        job.takes_over.share, run.world.env.now + job.takes_over.deploy,
    )  # fmt: skip


def _flops(job: Distillation, trained: float) -> float:
    """Return the model FLOPs of writing every token once, and of training on it."""
    rollouts = job.rollouts
    length = rollouts.input_tokens + rollouts.output_tokens
    span = transformer.causal_span(length)
    teacher, student = (from_catalog.language_model(n) for n in (job.teacher, job.model))
    written = trained / job.epochs * transformer.forward_flops(teacher, span)
    return written + 3.0 * trained * transformer.forward_flops(student, span)
