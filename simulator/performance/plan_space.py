"""The space of parallel plans of a training step: what divides, what fits.

A layout (tensor, pipeline, context and data parallel) comes first; experts, sharding and the
variants (micro-batch, virtual stages, schedule, recomputation, precision) come below it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance import memory, plan_faults
from simulator.performance.plan_axes import Case, is_even, options


class Layout(NamedTuple):
    """How the accelerators are divided."""

    tp: int
    pp: int
    cp: int
    dp: int


class Variant(NamedTuple):
    """What is chosen within a layout, beside experts and sharding."""

    micro_batch: int
    virtual_stages: int
    schedule: str
    recompute: str
    precision: str


@dataclass(frozen=True)
class Fitting:
    """The plans of one layout, and which of them fit the chip's memory."""

    layout: Layout
    experts: tuple[int, ...]
    shardings: tuple[str, ...]
    variants: tuple[Variant, ...]
    memory_bytes: NDArray[np.float64]
    """On the fullest chip, by expert parallel degree, sharding and variant."""
    fits: NDArray[np.bool_]


def layouts(case: Case) -> list[Layout]:
    """Return the layouts that use all accelerators and divide heads, layers and batch."""
    found = []
    for tp, pp, cp in product(options(case, "tp"), options(case, "pp"), options(case, "cp")):
        dp, rest = divmod(case.accelerators, tp * pp * cp)
        if rest == 0 and dp and case.sequences % dp == 0 and _is_given(case, dp):
            found.append(Layout(tp, pp, cp, dp))
    return [layout for layout in found if _divides(case, layout)]


def variants(case: Case, layout: Layout) -> list[Variant]:
    """Return the variants that a layout allows."""
    names = ("micro_batch", "virtual_stages", "schedule", "recompute", "precision")
    each = {name: options(case, name) for name in names}
    each["micro_batch"] = tuple(
        m for m in each["micro_batch"] if case.sequences % (layout.dp * m) == 0
    )
    each["schedule"] = _schedules(layout, each["schedule"])
    rest = [each[name] for name in names[2:]]
    return [
        Variant(m, v, *chosen)
        for m in each["micro_batch"]
        for v in each["virtual_stages"]
        if _chunks_go(case, layout, m, v)
        for chosen in product(*rest)
        if v == 1 or chosen[0] in plan_faults.INTERLEAVED
    ]


def expert_ways(case: Case, layout: Layout) -> tuple[int, ...]:
    """Return the expert parallel degrees that a layout allows."""
    shared, count = layout.tp * layout.cp * layout.dp, _experts(case.model)
    return tuple(e for e in options(case, "ep") if shared % e == 0 and count % e == 0)


def shardings(case: Case, layout: Layout) -> tuple[str, ...]:
    """Return the shardings that differ: a lone data-parallel rank shares nothing out."""
    every = options(case, "sharding")
    return every[:1] if layout.dp * layout.cp == 1 else every


def plan_of(case: Case, layout: Layout, ep: int, sharding: str, variant: Variant) -> ParallelPlan:
    """Return the plan; its fields come from the axes and are not validated again."""
    chosen = dict(case.fixed) | layout._asdict() | variant._asdict()
    return ParallelPlan.model_construct(**chosen | {"ep": ep, "sharding": sharding})


def fitting(case: Case, layout: Layout) -> Fitting | None:
    """Return the plans of a layout with what they keep; None where there is no plan.

    The state (weights, gradients, optimizer) follows from layout, experts, sharding and precision,
    the activations from layout and variant, so that their sums cover all plans.
    """
    ways, kinds = expert_ways(case, layout), shardings(case, layout)
    chosen = tuple(variants(case, layout))
    if not ways or not chosen:
        return None
    room = usable_bytes(case.chip)
    activations = np.array([_activations(case, layout, ways[0], v) for v in chosen])
    spelled = {v.precision: v for v in chosen}
    state = {name: _state(case, layout, ways, kinds, v) for name, v in spelled.items()}
    total = np.stack([state[v.precision] for v in chosen], axis=-1) + activations
    return Fitting(layout, ways, kinds, chosen, total, total <= room)


def fittings(case: Case) -> list[Fitting]:
    """Return the plans of all layouts with what they keep in memory."""
    made = (fitting(case, layout) for layout in layouts(case))
    return [one for one in made if one is not None]


def plan_at(case: Case, one: Fitting, place: int) -> ParallelPlan:
    """Return the plan at a flat place of a layout's table."""
    e, s, v = np.unravel_index(place, one.fits.shape)
    return plan_of(case, one.layout, one.experts[e], one.shardings[s], one.variants[v])


def usable_bytes(chip: Accelerator) -> float:
    """Return the memory that a plan may fill."""
    return memory.USABLE_SHARE * chip.memory


def _activations(case: Case, layout: Layout, ep: int, variant: Variant) -> float:
    plan = plan_of(case, layout, ep, "optimizer", variant)
    return memory.activation_bytes(case.model, plan, layout.dp)


def _state(
    case: Case, layout: Layout, ways: Sequence[int], kinds: Sequence[str], variant: Variant
) -> NDArray[np.float64]:
    """Return bytes beside activations, by expert parallel degree and sharding."""
    need = [
        memory.footprint(case.model, plan_of(case, layout, e, kind, variant), layout.dp)
        for e, kind in product(ways, kinds)
    ]
    return np.array([n.total - n.activations for n in need]).reshape(len(ways), len(kinds))


def _schedules(layout: Layout, every: tuple[str, ...]) -> tuple[str, ...]:
    """Return the schedules that differ: without a pipeline they are one."""
    return every[:1] if layout.pp == 1 else every


def _chunks_go(case: Case, layout: Layout, micro_batch: int, chunks: int) -> bool:
    """Tell whether stages may be cut in chunks: equal ones, and micro-batches in whole rounds.

    Interleaving needs a multiple of pp micro-batches (Narayanan et al., SC21, section 2.2).
    """
    if chunks == 1:
        return True
    batches = case.sequences // (layout.dp * micro_batch)
    even = layout.pp * chunks <= case.model.layers and is_even(case.model, layout.pp * chunks)
    return layout.pp > 1 and batches % layout.pp == 0 and even


def _divides(case: Case, layout: Layout) -> bool:
    """Tell whether heads, sequence and sites divide; a degree asked for may be off its axis."""
    cut = plan_faults.cuts(case.length, layout.cp)
    shared = plan_faults.parts(layout.dp, case.fixed.get("sites"))
    return case.model.heads % layout.tp == 0 and cut and shared


def _is_given(case: Case, dp: int) -> bool:
    return case.fixed.get("dp") in (None, dp)


def _experts(model: LanguageModel) -> int:
    return model.experts.count if model.experts else 1
