"""Post-training by reinforcement learning: the model writes, is scored, and learns from it."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from simulator.components import from_catalog
from simulator.performance import collectives, transformer
from simulator.performance.collectives import Fabric
from simulator.performance.rollouts import Generation, score_s
from simulator.performance.training import WAITING_POWER, TrainingStep, estimate
from simulator.workloads.rollouts import Rollouts, generation_of, replica_of
from simulator.workloads.step import JobStep, Phase, phases_of, scaled
from simulator.workloads.synchronous import SynchronousJob


class RlPostTraining(SynchronousJob):
    """Iterations of generation, scoring, training and the spread of new weights. The answers are packed
    into the sequences of the plan."""

    kind: Literal["rl_post_training"]
    iterations: Annotated[int, Field(ge=1)]
    """To the end of the job."""
    rollouts: Rollouts
    """Answers of one iteration, written by the model that is trained."""
    epochs: Annotated[int, Field(ge=1, le=100)] = 1
    """Times an iteration trains on its answers."""
    generators: Annotated[int, Field(ge=0)] = 0
    """Of the accelerators, those that only generate and score; 0: all do everything in turn."""
    asynchronous: bool = False
    """Generators write the answers of the next iteration while the others train on this one's, one
    step off policy; otherwise each waits for the other."""
    reference: bool = True
    """The answers pass a frozen copy of the model too, for the penalty on drifting away from it."""
    reward_model: str | None = None
    """Model that scores the answers, from the catalog; blank: a rule or a test does, in no time."""

    @property
    def trainers(self) -> int:
        """Accelerators that train."""
        return self.accelerators - self.generators

    @property
    def writers(self) -> int:
        """Accelerators that generate and score."""
        return self.generators or self.accelerators


def step_of(job: RlPostTraining, fabric: Fabric | None = None) -> JobStep:
    """Return the planned iteration; ValueError says what does not divide or fit.

    Synchronous: generation, scoring, training and the spread of weights add up. One step off: the
    longer of (generation and scoring) and training, and the spread of weights.
    """
    chip = from_catalog.accelerator(job.accelerator)
    fabric = fabric or collectives.fabric_of(chip)
    written = generation_of(job.rollouts, job.model, job.accelerator, job.writers)
    step = optimizer_step(job, fabric)
    tokens = job.rollouts.answers * (job.rollouts.input_tokens + written.output_tokens)
    write = _beside(_writing(job, written), job.writers / job.accelerators)
    training = scaled(phases_of(step), job.epochs * tokens / step.tokens_per_step)
    train = _beside(training, job.trainers / job.accelerators)
    phases = _overlapped(write, train) if job.asynchronous else write + train
    phases = (*phases, Phase("weight_sync", _sync_s(job, fabric), WAITING_POWER, 0.0, "sync"))
    seconds = sum(phase.seconds for phase in phases)
    peak = chip.peak[job.plan.precision] * job.accelerators
    return JobStep(
        phases=phases,
        tokens_per_step=job.epochs * tokens,
        steps=float(job.iterations),
        mfu=_flops(job, written, tokens) / (seconds * peak),
        checkpoint_bytes=step.checkpoint_bytes,
    )


def optimizer_step(job: RlPostTraining, fabric: Fabric | None = None) -> TrainingStep:
    """Return one optimizer step of the trainers; ValueError says what does not divide or fit."""
    model = from_catalog.language_model(job.model)
    chip = from_catalog.accelerator(job.accelerator)
    return estimate(model, chip, job.trainers, job.plan, fabric)


def _writing(job: RlPostTraining, written: Generation) -> tuple[Phase, ...]:
    """Return generation and scoring by the writers."""
    rollouts, tokens = job.rollouts, job.rollouts.input_tokens + written.output_tokens
    replicas = job.writers // rollouts.tensor_parallel
    scorers = [*([job.model] if job.reference else []), *filter(None, [job.reward_model])]
    models = [replica_of(rollouts, name, job.accelerator) for name in scorers]
    times = [score_s(each, replicas, rollouts.answers, tokens) for each in models]
    seconds = sum(times)
    generation = Phase(
        "generation", written.seconds, written.dynamic_power_frac, written.clock_bound_frac,
        "generation",
    )
    if not seconds:
        return (generation,)
    drawn = sum(t * m.prefill_power(tokens) for t, m in zip(times, models, strict=True))
    return generation, Phase("scoring", seconds, drawn / seconds, 1.0, "scoring")


def _beside(phases: tuple[Phase, ...], share: float) -> tuple[Phase, ...]:
    """Return what a share of the accelerators does as the mean of all, the others waiting."""
    rest = (1.0 - share) * WAITING_POWER
    return tuple(
        replace(p, dynamic_power_frac=share * p.dynamic_power_frac + rest) for p in phases
    )


def _overlapped(write: tuple[Phase, ...], train: tuple[Phase, ...]) -> tuple[Phase, ...]:
    """Return two sequences that run beside each other: the longer one, its phases drawing what the
    shorter one adds to them on the mean."""
    longer, shorter = sorted((write, train), key=_seconds, reverse=True)
    above_j = sum(p.seconds * (p.dynamic_power_frac - WAITING_POWER) for p in shorter)
    added = above_j / _seconds(longer)
    return tuple(replace(p, dynamic_power_frac=p.dynamic_power_frac + added) for p in longer)


def _seconds(phases: tuple[Phase, ...]) -> float:
    return sum(phase.seconds for phase in phases)


def _sync_s(job: RlPostTraining, fabric: Fabric) -> float:
    """Return the time until every writer has its part of the new weights, gathered from all."""
    replica = replica_of(job.rollouts, job.model, job.accelerator)
    message = replica.weight_bytes / replica.chips
    return collectives.all_gather_s(fabric, job.accelerators, message)


def _flops(job: RlPostTraining, written: Generation, tokens: float) -> float:
    """Return the model FLOPs of an iteration: every token written, scored and trained once each,
    trained again in every epoch."""
    model = from_catalog.language_model(job.model)
    length = job.rollouts.input_tokens + written.output_tokens
    span = transformer.causal_span(length)
    forward = transformer.forward_flops(model, span)
    passes = 1.0 + job.reference
    scored = tokens * passes * forward
    if job.reward_model:
        scored += tokens * transformer.forward_flops(
            from_catalog.language_model(job.reward_model), span
        )
    return scored + job.epochs * tokens * 3.0 * forward
