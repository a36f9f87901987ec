"""Workloads: chips that exist here, whole racks, plans that divide, models that fit and answer."""

from collections.abc import Iterable, Iterator

from simulator.components import from_catalog
from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.documents import TreePath
from simulator.errors import nearest
from simulator.performance import plan_faults, plan_nearest
from simulator.performance.training import estimate
from simulator.scenario.checks.plant import Group, Plant, chip_named
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble
from simulator.workloads import BatchWork, ServedModel, TrainingJob, Workload
from simulator.workloads.inference import surface_of


def chip_not_installed(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Chips of the catalog that no hall has."""
    installed = {g.chip.name: g.chip for g in plant.groups}
    for i, work in parts.workloads.items():
        for path, name in _chips_of(work):
            chip = chip_named(name)
            if chip is not None and chip.name not in installed:
                told = f"no hall has {chip.name}; the halls have {', '.join(installed)}"
                yield ("workloads", i, *path), told


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


def pool_does_not_fit(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Pools that must hold more accelerators than there are."""
    for i, pool in _pools(parts):
        chip = chip_named(pool.accelerator)
        groups = plant.with_chip(chip) if chip else []
        installed = sum(g.racks * g.rack.accelerators for g in groups)
        for key in ("least_accelerators", "tensor_parallel"):
            if groups and getattr(pool, key) > installed:
                told = f"{getattr(pool, key)} are more than the {installed} {pool.accelerator} here"
                yield ("workloads", i, key), told


def checkpoint_interval(parts: Parts) -> Iterator[Trouble]:
    """A fixed interval that is not given, or one given that the policy does not use."""
    for i, job in _jobs(parts):
        policy, interval = job.checkpoint.policy, job.checkpoint.interval
        path = ("workloads", i, "checkpoint", "interval")
        if policy == "fixed" and interval is None:
            yield path, "policy 'fixed' needs an interval, e.g. '30 min'"
        elif policy != "fixed" and interval is not None:
            cure = "leave it out, or write 'policy: fixed'"
            yield path, f"policy '{policy}' finds the interval itself; {cure}"


def pool_bounds(parts: Parts) -> Iterator[Trouble]:
    """Pools that may hold less than they must, or not even one replica."""
    for i, pool in _pools(parts):
        path = ("workloads", i, "most_accelerators")
        if pool.most_accelerators < pool.least_accelerators:
            told = f"{pool.most_accelerators} is below least_accelerators"
            yield path, f"{told}, {pool.least_accelerators}"
        elif pool.most_accelerators < pool.tensor_parallel:
            told = f"{pool.most_accelerators} hold no replica of {pool.tensor_parallel}"
            yield path, f"{told} accelerators (tensor_parallel)"


def longer_than_context(parts: Parts) -> Iterator[Trouble]:
    """Prompts and answers that the model cannot hold even on the mean."""
    for i, pool in _pools(parts):
        model, tokens = _model(pool.model), pool.input_tokens + pool.output_tokens
        if model is not None and tokens > model.context:
            told = f"a prompt and answer of {tokens:.0f} tokens exceed the context of {model.name}"
            yield ("workloads", i, "input_tokens"), f"{told}, {model.context} tokens"


def impossible_plan(parts: Parts) -> Iterator[Trouble]:
    """Parallel plans that do not divide, exceed the chip or do not fit, and the nearest that do."""
    for i, job in _jobs(parts):
        model, chip = _model(job.model), chip_named(job.accelerator)
        if model is not None and chip is not None and _has_stack(job):
            faults = list(_plan_faults(job, model, chip))
            near = f" ({_near(job, model, chip)})" if faults else ""
            for field, told in faults:
                yield ("workloads", i, "plan", *field), told + near


def impossible_pool(parts: Parts) -> Iterator[Trouble]:
    """Served models that do not fit their replica, or cannot meet a limit even without load."""
    for i, pool in _pools(parts):
        if _model(pool.model) is not None and chip_named(pool.accelerator) is not None:
            try:
                surface_of(pool)
            except ValueError as error:
                yield ("workloads", i), str(error)


def _plan_faults(
    job: TrainingJob, model: LanguageModel, chip: Accelerator
) -> list[tuple[tuple[str, ...], str]]:
    """Return (path below the plan, message): what does not divide, or else does not fit."""
    undivided = plan_faults.undivided(model, job.accelerators, job.plan)
    faults = [*undivided, *plan_faults.beyond(chip, job.plan)]
    if faults:
        return [((field,), told) for field, told in faults]
    try:
        estimate(model, chip, job.accelerators, job.plan)
    except ValueError as error:
        return [((), str(error))]
    return []


def _has_stack(job: TrainingJob) -> bool:
    try:
        return job.plan.stack is None or bool(from_catalog.stack(job.plan.stack))
    except KeyError:
        return False


def _near(job: TrainingJob, model: LanguageModel, chip: Accelerator) -> str:
    return plan_nearest.advice(model, chip, job.accelerators, job.plan)


def _chips_of(work: Workload) -> list[tuple[TreePath, str]]:
    """Return (path below the workload, name) of the chips it names."""
    if isinstance(work, BatchWork):
        return [(("accelerators", k), name) for k, name in enumerate(work.accelerators)]
    return [(("accelerator",), work.accelerator)]


def _no_whole_racks(job: TrainingJob, groups: list[Group]) -> str:
    sizes = sorted({g.rack.accelerators for g in groups})
    if any(job.accelerators % size == 0 for size in sizes):
        return ""
    size = sizes[0]
    below, above = job.accelerators // size * size, -(-job.accelerators // size) * size
    near = f"{below} or {above}" if below else f"{above}"
    return f"{job.accelerators} is not a whole number of racks of {size}; write {near}"


def _too_large(job: TrainingJob, groups: list[Group]) -> str:
    """Return why the halls cannot hold a job with its spares, nothing if they can."""
    racks = sum(g.racks for g in groups)
    installed = sum(g.racks * g.rack.accelerators for g in groups)
    where = ", ".join(g.hall.name for g in groups)
    if job.accelerators > installed:
        return f"{job.accelerators} are more than the {installed} {job.accelerator} in {where}"
    needed = -(-job.accelerators // groups[0].rack.accelerators)
    if needed + job.spares > racks:
        return (
            f"{needed} racks and {job.spares} spares are more than the {racks} racks in {where}; "
            "lower 'spares' or 'accelerators'"
        )
    return ""


def _jobs(parts: Parts) -> Iterable[tuple[int, TrainingJob]]:
    return [(i, w) for i, w in parts.workloads.items() if isinstance(w, TrainingJob)]


def _pools(parts: Parts) -> Iterable[tuple[int, ServedModel]]:
    return [(i, w) for i, w in parts.workloads.items() if isinstance(w, ServedModel)]


def _model(name: str) -> LanguageModel | None:
    try:
        return from_catalog.language_model(name)
    except KeyError:
        return None
