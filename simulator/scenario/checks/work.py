"""Work of every kind: chips that exist here; pools that fit and answer."""

from collections.abc import Iterable, Iterator

from simulator import catalog
from simulator.documents import TreePath
from simulator.scenario.checks.plant import Plant, chip_named, model_named
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble
from simulator.workloads import (
    BatchWork,
    ServedDiffusion,
    ServedModel,
    ServedPool,
    SynchronousJob,
    Workload,
)
from simulator.workloads.inference import image_tokens
from simulator.workloads.pools import AnyPool, impossible


def chip_not_installed(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Chips of the catalog that no hall has."""
    installed = {g.chip.name: g.chip for g in plant.groups}
    for i, work in parts.workloads.items():
        for path, name in _chips_of(work):
            chip = chip_named(name)
            if chip is not None and chip.name not in installed:
                told = f"no hall has {chip.name}; the halls have {', '.join(installed)}"
                yield ("workloads", i, *path), told


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
        if not isinstance(pool, ServedModel):
            continue
        model, tokens = model_named(pool.model), pool.input_tokens + pool.output_tokens
        if model is not None and tokens > model.context:
            told = f"a prompt and answer of {tokens:.0f} tokens exceed the context of {model.name}"
            yield ("workloads", i, "input_tokens"), f"{told}, {model.context} tokens"


def images(parts: Parts) -> Iterator[Trouble]:
    """Images for models that read none, and more tokens of images than of prompts."""
    for i, pool in _pools(parts):
        if not isinstance(pool, ServedModel) or not pool.images or not _known(pool):
            continue
        path, shown = ("workloads", i, "images"), image_tokens(pool, pool.images)
        if not shown:
            yield path, f"{pool.model} reads no images"
        elif shown > pool.input_tokens:
            yield path, f"they give {shown:.0f} tokens, more than input_tokens, {pool.input_tokens:.0f}"


def impossible_pool(parts: Parts) -> Iterator[Trouble]:
    """Served models that do not fit their replica, or cannot meet a limit even without load."""
    for i, pool in _pools(parts):
        if _known(pool):
            told = impossible(pool)
            if told:
                yield ("workloads", i), told


def _chips_of(work: Workload) -> list[tuple[TreePath, str]]:
    """Return (path below the workload, name) of the chips it names."""
    if isinstance(work, BatchWork):
        return [(("accelerators", k), name) for k, name in enumerate(work.accelerators)]
    if isinstance(work, SynchronousJob | ServedPool):
        return [(("accelerator",), work.accelerator)]
    return []


def _pools(parts: Parts) -> Iterable[tuple[int, AnyPool]]:
    return [(i, w) for i, w in parts.workloads.items() if isinstance(w, AnyPool)]


def _known(pool: AnyPool) -> bool:
    """Tell whether the catalog knows the pool's model and chip."""
    if isinstance(pool, ServedDiffusion):
        known = pool.generator in catalog.names("diffusion")
    else:
        profile = pool.requests.profile if pool.requests else None
        named = profile is None or profile in catalog.names("demand")
        known = named and model_named(pool.model) is not None
    return known and chip_named(pool.accelerator) is not None
