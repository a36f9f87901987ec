"""Tests of a model in training: evaluation and safety tests, beside the job or in its pauses."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from simulator.components import from_catalog
from simulator.components.kinds import Spec
from simulator.engine.state import Load
from simulator.performance.rollouts import score_s
from simulator.site import Site
from simulator.units import Duration, Positive
from simulator.workloads.rollouts import Rollouts, generation_of, replica_of
from simulator.workloads.synchronous import SynchronousJob


class ModelTest(Spec):
    """Answers that a model in training writes now and then, to see how good or how safe it is."""

    kind: str
    name: str
    job: str
    """The job whose model is tested, by name; the test runs on its chip."""
    every_steps: Annotated[int, Field(ge=1)] | None = None
    """Steps of the job between tests. Give this or `interval`."""
    interval: Annotated[Duration, Positive()] | None = None
    """Time between tests while the job runs."""
    accelerators: Annotated[int, Field(ge=1)] | None = None
    """Taken from idle and batch racks for each test; blank: the job saves and makes way."""
    rollouts: Rollouts
    """Answers of one test."""
    judge: str | None = None
    """Model that reads and scores the answers, from the catalog; blank: a rule does, in no time."""
    priority: int = 25
    """Higher gives way later when supply is short."""


@dataclass(frozen=True)
class Test:
    """One test as planned, at full clock on whole racks."""

    seconds: float
    dynamic_power_frac: float
    clock_bound_frac: float
    tokens: float


def test_of(spec: ModelTest, job: SynchronousJob) -> Test:
    """Return time and power of one test; ValueError says what does not fit."""
    chips = spec.accelerators or job.accelerators
    rollouts = spec.rollouts
    written = generation_of(rollouts, job.model, job.accelerator, chips)
    tokens = rollouts.input_tokens + written.output_tokens
    judged_s, judged_power = 0.0, 0.0
    if spec.judge:
        judge = replica_of(rollouts, spec.judge, job.accelerator)
        judge.kv_room_bytes  # noqa: B018  refuses a judge that does not fit
        judged_s = score_s(judge, chips // rollouts.tensor_parallel, rollouts.answers, tokens)
        judged_power = judge.prefill_power(tokens)
    seconds = written.seconds + judged_s
    power = written.seconds * written.dynamic_power_frac + judged_s * judged_power
    bound = written.seconds * written.clock_bound_frac + judged_s
    return Test(seconds, power / seconds, bound / seconds, rollouts.answers * tokens)


def load_of(spec: ModelTest, job: SynchronousJob, site: Site) -> Load:
    """Return the load of a test's racks while it runs."""
    chip = site.chips.index(from_catalog.accelerator(job.accelerator))
    priority = spec.priority if spec.accelerators else job.priority
    return Load(spec.name, spec.kind, chip, synchronous=True, priority=priority)
