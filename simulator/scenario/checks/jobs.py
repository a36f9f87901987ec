"""Jobs: whole racks of halls that exist, plans that divide and fit, iterations that make sense."""

from collections.abc import Iterable, Iterator

from simulator.components import from_catalog
from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.errors import nearest
from simulator.performance import plan_faults, plan_nearest
from simulator.scenario.checks.plant import Group, Plant, chip_named, model_named
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble
from simulator.workloads import RlPostTraining, SynchronousJob
from simulator.workloads.jobs import optimizer_step


def unknown_halls(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Halls of a job that are not built, or do not have its chip."""
    for i, job in _jobs(parts):
        chip = chip_named(job.accelerator)
        for k, name in enumerate(job.halls):
            path = ("workloads", i, "halls", k)
            chips = [g.chip for g in plant.groups if g.hall.name == name]
            if not chips:
                known = [g.hall.name for g in plant.groups]
                cure = nearest(name, known) or f"; there are {', '.join(known)}"
                yield path, f"unknown hall '{name}'{cure}"
            elif chip is not None and chip not in chips:
                yield path, f"hall '{name}' has {chips[0].name}, not {chip.name}"


def job_does_not_fit(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Jobs that are no whole number of racks, or larger than their halls."""
    for i, job in _jobs(parts):
        chip = chip_named(job.accelerator)
        groups = plant.with_chip(chip, job.halls) if chip else []
        if sum(g.racks for g in groups):
            told = _no_whole_racks(job, groups) or _too_large(job, groups)
            if told:
                yield ("workloads", i, "accelerators"), told


def impossible_plan(parts: Parts) -> Iterator[Trouble]:
    """Parallel plans that do not divide, exceed the chip or do not fit, and the nearest that do."""
    for i, job in _jobs(parts):
        model, chip = model_named(job.model), chip_named(job.accelerator)
        if model is not None and chip is not None and job.trainers > 0 and _has_stack(job):
            faults = _plan_faults(job, model, chip)
            for k, (field, told) in enumerate(faults):
                near = "" if k else f" ({_near(job, model, chip)})"
                yield ("workloads", i, "plan", *field), told + near


def _plan_faults(
    job: SynchronousJob, model: LanguageModel, chip: Accelerator
) -> list[tuple[tuple[str, ...], str]]:
    """Return (path below the plan, message): what does not divide, or else does not fit."""
    undivided = plan_faults.undivided(model, job.trainers, job.plan)
    faults = [*undivided, *plan_faults.beyond(chip, job.plan)]
    if faults:
        return [((field,), told) for field, told in faults]
    try:
        optimizer_step(job)
    except ValueError as error:
        return [((), str(error))]
    return []


def _has_stack(job: SynchronousJob) -> bool:
    try:
        return job.plan.stack is None or bool(from_catalog.stack(job.plan.stack))
    except KeyError:
        return False


def _near(job: SynchronousJob, model: LanguageModel, chip: Accelerator) -> str:
    return plan_nearest.advice(model, chip, job.trainers, job.plan)


def odd_iterations(parts: Parts) -> Iterator[Trouble]:
    """Post-training whose pools, batches and answers do not go together."""
    for i, job in _jobs(parts):
        if isinstance(job, RlPostTraining):
            for key, told in _odd_iteration(job):
                yield ("workloads", i, key), told


def _odd_iteration(job: RlPostTraining) -> Iterator[tuple[str, str]]:
    answers, plan = job.rollouts.answers, job.plan
    if job.trainers <= 0:
        yield "generators", f"{job.generators} leave none of {job.accelerators} to train"
    if job.asynchronous and not job.generators:
        yield "asynchronous", "what generates while others train needs 'generators' of its own"
    written = answers * (job.rollouts.input_tokens + job.rollouts.output_tokens)
    batch = plan.global_batch_sequences * plan.sequence_length
    if batch > written:
        yield "plan", (
            f"one batch of {batch:.4g} tokens is more than the {written:.4g} that an iteration's "
            "answers hold; lower 'global_batch_sequences' or raise 'prompts' or 'samples'"
        )


def _no_whole_racks(job: SynchronousJob, groups: list[Group]) -> str:
    sizes = sorted({job.practice.active_per_rack or g.rack.accelerators for g in groups})
    if any(job.accelerators % size == 0 for size in sizes):
        return ""
    size = sizes[0]
    below, above = job.accelerators // size * size, -(-job.accelerators // size) * size
    near = f"{below} or {above}" if below else f"{above}"
    used = " in use" if job.practice.active_per_rack else ""
    return f"{job.accelerators} is not a whole number of racks of {size}{used}; write {near}"


def _too_large(job: SynchronousJob, groups: list[Group]) -> str:
    """Return why the halls cannot hold a job with its spares, nothing if they can."""
    racks = sum(g.racks for g in groups)
    installed = sum(g.racks * g.rack.accelerators for g in groups)
    where = ", ".join(g.hall.name for g in groups)
    if job.accelerators > installed:
        return f"{job.accelerators} are more than the {installed} {job.accelerator} in {where}"
    active = job.practice.active_per_rack or groups[0].rack.accelerators
    needed = -(-job.accelerators // active)
    if needed + job.spares > racks:
        return (
            f"{needed} racks and {job.spares} spares are more than the {racks} racks in {where}; "
            "lower 'spares' or 'accelerators'"
        )
    return ""


def _jobs(parts: Parts) -> Iterable[tuple[int, SynchronousJob]]:
    return [(i, w) for i, w in parts.workloads.items() if isinstance(w, SynchronousJob)]
