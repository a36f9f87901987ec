"""Distillations: texts that fill a batch, and a share of a class that the student may answer."""

from collections.abc import Iterator

from simulator.components import from_catalog
from simulator.errors import nearest
from simulator.scenario.checks.plant import model_named
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble
from simulator.workloads import Distillation, ServedModel, Traffic
from simulator.workloads.distillation import TakesOver
from simulator.workloads.routed_requests import closed_to
from simulator.workloads.traffic import RequestClass


def too_few_texts(parts: Parts) -> Iterator[Trouble]:
    """Distillations whose texts do not fill one batch of the student's plan."""
    for i, job in _jobs(parts):
        texts, plan = job.rollouts, job.plan
        written = texts.answers * (texts.input_tokens + texts.output_tokens)
        batch = plan.global_batch_sequences * plan.sequence_length
        if batch > written:
            yield ("workloads", i, "plan"), (
                f"one batch of {batch:.4g} tokens is more than the {written:.4g} of all texts; lower "
                "'global_batch_sequences' or raise 'prompts' or 'samples'"
            )


def takes_over(parts: Parts) -> Iterator[Trouble]:
    """Students that would answer a class or be served by a pool that is not there or not theirs."""
    classes = {
        cls.name: (traffic, cls)
        for traffic in parts.workloads.values() if isinstance(traffic, Traffic)
        for cls in traffic.classes
    }
    pools = {w.name: w for w in parts.workloads.values() if isinstance(w, ServedModel)}
    taken: set[str] = set()
    for i, job in _jobs(parts):
        wanted = job.takes_over
        if wanted is None:
            continue
        path = ("workloads", i, "takes_over")
        for key, name, known in (
            ("request_class", wanted.request_class, list(classes)), ("pool", wanted.pool, list(pools)),
        ):
            if name not in known:
                cure = nearest(name, known) or f"; there are {', '.join(known) or 'none'}"
                yield (*path, key), f"unknown {key.replace('request_', '')} '{name}'{cure}"
        if wanted.request_class in taken:
            told = f"another student takes a share of '{wanted.request_class}' already"
            yield (*path, "request_class"), told
        taken.add(wanted.request_class)
        if wanted.request_class in classes and wanted.pool in pools:
            told = _unfit(job, wanted, pools[wanted.pool], *classes[wanted.request_class])
            if told:
                yield (*path, "pool"), told


def _unfit(
    job: Distillation, wanted: TakesOver, pool: ServedModel, traffic: Traffic, cls: RequestClass
) -> str:
    """Return why a pool cannot take over a share of a class for a student, nothing if it can."""
    student, served = model_named(job.model), model_named(pool.model)
    if student is None or served is None:
        return ""
    if student != served:
        return f"pool '{pool.name}' serves {served.name}, the student is {student.name}"
    why = closed_to(cls, pool)
    if why:
        return f"pool '{pool.name}' {why}"
    policy = cls.router or traffic.router
    if pool.name in policy.named():
        return f"policy '{policy.kind}' sends requests to pool '{pool.name}' already"
    tokens = cls.input_tokens + cls.output_tokens
    if tokens > from_catalog.language_model(pool.model).context:
        return f"pool '{pool.name}' cannot hold {tokens:.0f} tokens of class '{cls.name}'"
    return ""


def _jobs(parts: Parts) -> list[tuple[int, Distillation]]:
    return [(i, w) for i, w in parts.workloads.items() if isinstance(w, Distillation)]
