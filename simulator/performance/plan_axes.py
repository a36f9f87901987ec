"""What a parallel plan may choose from: one line of `AXES` for every choice."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from simulator.components.accelerator import Accelerator
from simulator.components.from_catalog import stack as stack_named
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import Recompute, Schedule, Sharding

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


def _tensor_ways(case: Case) -> Iterator[int]:
    """Divisors of the heads that fill scale-up domains without a rest."""
    domain = min(case.chip.scaleup_domain, case.accelerators)
    return (t for t in divisors(case.model.heads) if domain % t == 0)


def _stages(case: Case) -> Iterator[int]:
    """Stages of equal layers."""
    return (p for p in range(1, case.model.layers + 1) if is_even(case.model, p))


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


def is_even(model: LanguageModel, parts: int) -> bool:
    """Tell whether the layers, with the ends of the model beside them, go into equal parts."""
    return -model.layers % parts <= END_LAYERS


def divisors(count: int) -> tuple[int, ...]:
    """Return all divisors, ascending."""
    low = [d for d in range(1, int(count**0.5) + 1) if count % d == 0]
    return tuple(sorted({*low, *(count // d for d in low)}))


def powers_of_two(most: int) -> tuple[int, ...]:
    """Return 1, 2, 4 ... up to `most`."""
    return tuple(2**k for k in range(most.bit_length()) if 2**k <= most)
