"""Answers that jobs and tests have written, tests of jobs, and data preparation."""

from collections.abc import Iterator

from simulator.documents import TreePath
from simulator.errors import nearest, squash
from simulator.scenario.checks.plant import Plant, chip_named, model_named
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble
from simulator.workloads import (
    DataPreparation,
    Distillation,
    ModelTest,
    RlPostTraining,
    SynchronousJob,
)
from simulator.workloads.rollouts import Rollouts, generation_of, replica_of


def unknown_job(parts: Parts) -> Iterator[Trouble]:
    """Tests of jobs that do not run here."""
    jobs = _jobs(parts)
    for i, test in _tests(parts):
        if test.job not in jobs:
            known = ", ".join(jobs) or "no jobs"
            cure = nearest(test.job, jobs) or f"; there are {known}"
            yield ("workloads", i, "job"), f"unknown job '{test.job}'{cure}"


def when(parts: Parts) -> Iterator[Trouble]:
    """Tests that are never due, or at two rhythms."""
    for i, test in _tests(parts):
        if (test.every_steps is None) == (test.interval is None):
            yield ("workloads", i), "give one of 'every_steps' and 'interval'"


def impossible_rollouts(parts: Parts) -> Iterator[Trouble]:
    """Answers that do not fit their model, its context, or the memory of its replicas."""
    for i, rollouts, model, chip, chips in _rollouts(parts):
        path: TreePath = ("workloads", i, "rollouts")
        told = _too_long(rollouts, model)
        if told:
            yield (*path, "longest_output"), told
        elif chips % rollouts.tensor_parallel:
            told = f"{chips} accelerators are no whole number of replicas of"
            yield (*path, "tensor_parallel"), f"{told} {rollouts.tensor_parallel}"
        else:
            try:
                generation_of(rollouts, model, chip, chips)
            except ValueError as error:
                yield path, str(error)


def impossible_scorer(parts: Parts) -> Iterator[Trouble]:
    """Judges and reward models that do not fit the replicas they share with the writer."""
    for i, rollouts, _, chip, _ in _rollouts(parts):
        key = "judge" if isinstance(parts.workloads[i], ModelTest) else "reward_model"
        scorer = getattr(parts.workloads[i], key, None)
        if scorer and model_named(scorer) is not None:
            try:
                replica_of(rollouts, scorer, chip).sequences(
                    rollouts.input_tokens + rollouts.output_tokens
                )
            except ValueError as error:
                yield ("workloads", i, key), str(error)


def test_does_not_fit(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Tests on racks of their own that are not whole, or not there beside the job."""
    jobs = _jobs(parts)
    for i, test in _tests(parts):
        job = jobs.get(test.job)
        chip = chip_named(job.accelerator) if job else None
        groups = plant.with_chip(chip) if chip else []
        if job is None or chip is None or test.accelerators is None or not groups:
            continue
        size = groups[0].rack.accelerators
        left = sum(g.racks * g.rack.accelerators for g in groups) - job.accelerators
        path = ("workloads", i, "accelerators")
        if test.accelerators % size:
            near = -(-test.accelerators // size) * size
            told = f"{test.accelerators} is not a whole number of racks of {size}; write {near}"
            yield path, told
        elif test.accelerators > left:
            told = f"{test.accelerators} are more than the {left} {chip.name} beside '{job.name}'"
            yield path, f"{told}; leave it out to test in pauses of the job"


def unknown_support(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Data preparation on support racks that no hall has."""
    known = _support(plant)
    for i, work in _preparations(parts):
        for key in ("rack", "storage"):
            name = getattr(work, key)
            if squash(name) not in known:
                types = list(dict.fromkeys(known.values()))
                cure = nearest(name, types) or f"; there are {', '.join(types) or 'none'}"
                told = f"no hall has support racks of type '{name}'{cure}"
                yield ("workloads", i, key), told


def shared_racks(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Two jobs that prepare data on the same racks."""
    known, first = _support(plant), dict[str, str]()
    for i, work in _preparations(parts):
        rack = known.get(squash(work.rack), work.rack)
        other = first.setdefault(rack, work.name)
        if other != work.name:
            told = f"the racks of type '{rack}' work for '{other}' already"
            yield ("workloads", i, "rack"), told


def _support(plant: Plant) -> dict[str, str]:
    """Return the types of support racks that hold no switches, by name and alias."""
    racks = [
        rack for g in plant.groups for rack, count in g.support if count and not rack.fabric
    ]
    return {squash(name): rack.name for rack in racks for name in (rack.name, *rack.aliases)}


def _too_long(rollouts: Rollouts, model: str) -> str:
    """Return why the answers cannot be as long as they say, nothing if they can."""
    longest, known = rollouts.longest_output, model_named(model)
    if longest < rollouts.output_tokens:
        return f"{longest:g} is below output_tokens, {rollouts.output_tokens:g}"
    whole = rollouts.input_tokens + longest
    if known is not None and whole > known.context:
        told = f"a prompt and answer of {whole:.0f} tokens exceed the context of {known.name}"
        return f"{told}, {known.context} tokens"
    return ""


def _rollouts(parts: Parts) -> Iterator[tuple[int, Rollouts, str, str, int]]:
    """Yield (workload, answers, model, chip, accelerators) of what can be checked."""
    jobs = _jobs(parts)
    for i, work in parts.workloads.items():
        if isinstance(work, RlPostTraining | Distillation):
            job: SynchronousJob | None = work
            chips = work.writers if isinstance(work, RlPostTraining) else work.accelerators
        elif isinstance(work, ModelTest):
            job = jobs.get(work.job)
            chips = work.accelerators or (job.accelerators if job else 0)
        else:
            continue
        writer = work.teacher if isinstance(work, Distillation) else job.model if job else None
        if job is not None and writer and model_named(writer) and chip_named(job.accelerator):
            yield i, work.rollouts, writer, job.accelerator, chips


def _jobs(parts: Parts) -> dict[str, SynchronousJob]:
    return {w.name: w for w in parts.workloads.values() if isinstance(w, SynchronousJob)}


def _tests(parts: Parts) -> list[tuple[int, ModelTest]]:
    return [(i, w) for i, w in parts.workloads.items() if isinstance(w, ModelTest)]


def _preparations(parts: Parts) -> list[tuple[int, DataPreparation]]:
    return [(i, w) for i, w in parts.workloads.items() if isinstance(w, DataPreparation)]
