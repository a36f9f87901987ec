"""The space of parallel plans of a training step: what may be chosen, what divides, what fits.

A layout (tensor, pipeline, context and data parallel) comes first; experts, sharding and the
variants (micro-batch, virtual stages, schedule, recomputation, precision) come below it. Every
choice is a line of `AXES`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from simulator.components.accelerator import Accelerator
from simulator.components.from_catalog import stack as stack_named
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan, Recompute, Schedule, Sharding
from simulator.performance import memory

# Layers that the ends of a model may stand for where stages are balanced: embedding, output matrix
# and a multi-token head. Llama 3 405B took two layers off 128 for them (arXiv:2407.21783, 3.3.2),
# DeepSeek-V3 runs 61 layers in 16 stages (arXiv:2412.19437). Derived.
END_LAYERS = 3

# Tokens of a sequence that one chip keeps at least under context parallelism: Llama 3 405B kept
# 8,192 of 131,072 (table 4). Below some thousand the ring of keys costs more than it spreads.
# Assumed, 1024-8192.
LEAST_CHUNK_TOKENS = 2048

# Largest micro-batch and most chunks per stage looked at; published runs take 1-8 and 1-12. Assumed.
MOST_MICRO_BATCH = 16
MOST_CHUNKS = 16

# Schedules that are run with several chunks per stage; zero bubble is not (arXiv:2401.10241).
INTERLEAVED = ("1f1b",)

# Precisions that train large models today; fp4 and int8 only when asked for.
TRAINED_IN = ("bf16", "fp8")


@dataclass(frozen=True)
class Case:
    """What is planned: a model on a number of chips, and the plan's fields that are given."""

    model: LanguageModel
    chip: Accelerator
    accelerators: int
    fixed: Mapping[str, Any]
    """Fields of the plan that all plans keep; the global batch and sequence length are needed."""
    also: Mapping[str, Any] = field(default_factory=dict)
    """What a field may be beside what its axis offers."""

    @property
    def sequences(self) -> int:
        """Sequences in the global batch."""
        return int(self.fixed["global_batch_sequences"])

    @property
    def length(self) -> int:
        """Tokens in a sequence."""
        return int(self.fixed["sequence_length"])


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


def _tensor_ways(case: Case) -> Iterator[int]:
    """Divisors of the heads that fill scale-up domains without a rest."""
    domain = min(case.chip.scaleup_domain, case.accelerators)
    return (t for t in divisors(case.model.heads) if domain % t == 0)


def _stages(case: Case) -> Iterator[int]:
    """Stages of equal layers."""
    return (p for p in range(1, case.model.layers + 1) if _is_even(case.model, p))


def _context_ways(case: Case) -> Iterator[int]:
    """Powers of two that leave every chip two chunks of the sequence, long enough."""
    ways = powers_of_two(max(case.length // LEAST_CHUNK_TOKENS, 1))
    return (c for c in ways if c == 1 or case.length % (2 * c) == 0)


def _expert_ways(case: Case) -> Sequence[int]:
    """Divisors of the number of experts."""
    return divisors(case.model.experts.count) if case.model.experts else (1,)


def _chunks(case: Case) -> Sequence[int]:
    """One, and more where the software stack interleaves."""
    stack = case.fixed.get("stack")
    return range(1, MOST_CHUNKS + 1 if stack is None or stack_named(stack).interleaves else 2)


def _precisions(case: Case) -> Sequence[str]:
    """What the chip multiplies in, of what models are trained in."""
    known = [p for p in TRAINED_IN if p in case.chip.peak]
    return known or list(case.chip.peak)[:1]


AXES: dict[str, Callable[[Case], Iterator[Any] | Sequence[Any]]] = {
    "tp": _tensor_ways,
    "pp": _stages,
    "cp": _context_ways,
    "ep": _expert_ways,
    "micro_batch": lambda case: powers_of_two(MOST_MICRO_BATCH),
    "virtual_stages": _chunks,
    "schedule": lambda case: get_args(Schedule),
    "recompute": lambda case: get_args(Recompute),
    "sharding": lambda case: get_args(Sharding),
    "precision": _precisions,
}


def options(case: Case, axis: str) -> tuple[Any, ...]:
    """Return what a field may be: what is given, or all that its axis offers."""
    if case.fixed.get(axis) is not None:
        return (case.fixed[axis],)
    offered = tuple(AXES[axis](case))
    more = case.also.get(axis)
    return offered if more is None or more in offered else (*offered, more)


def layouts(case: Case) -> list[Layout]:
    """Return the layouts that use all accelerators and divide heads, layers and batch."""
    found = []
    for tp, pp, cp in product(options(case, "tp"), options(case, "pp"), options(case, "cp")):
        dp, rest = divmod(case.accelerators, tp * pp * cp)
        if rest == 0 and dp and case.sequences % dp == 0 and _is_given(case, dp):
            found.append(Layout(tp, pp, cp, dp))
    return [layout for layout in found if case.model.heads % layout.tp == 0]


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
        if v == 1 or chosen[0] in INTERLEAVED or "schedule" in case.fixed
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


def usable_bytes(chip: Accelerator) -> float:
    """Return the memory that a plan may fill."""
    return memory.USABLE_SHARE * chip.memory


def _activations(case: Case, layout: Layout, ep: int, variant: Variant) -> float:
    plan = plan_of(case, layout, ep, "optimizer", variant)
    return memory.footprint(case.model, plan, layout.dp).activations


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
    if chunks == 1 or case.fixed.get("virtual_stages") is not None:
        return True
    batches = case.sequences // (layout.dp * micro_batch)
    even = layout.pp * chunks <= case.model.layers and _is_even(case.model, layout.pp * chunks)
    return layout.pp > 1 and batches % layout.pp == 0 and even


def _is_even(model: LanguageModel, parts: int) -> bool:
    """Tell whether the layers, with the ends of the model beside them, go into equal parts."""
    return -model.layers % parts <= END_LAYERS


def _is_given(case: Case, dp: int) -> bool:
    return case.fixed.get("dp") in (None, dp)


def _experts(model: LanguageModel) -> int:
    return model.experts.count if model.experts else 1


def divisors(count: int) -> tuple[int, ...]:
    """Return all divisors, ascending."""
    low = [d for d in range(1, int(count**0.5) + 1) if count % d == 0]
    return tuple(sorted({*low, *(count // d for d in low)}))


def powers_of_two(most: int) -> tuple[int, ...]:
    """Return 1, 2, 4 ... up to `most`."""
    return tuple(2**k for k in range(most.bit_length()) if 2**k <= most)
