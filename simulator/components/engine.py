"""The serving engine: what one iteration pays beside its kernels, and how it shapes batches."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import Bandwidth, DataSize, Duration, Fraction, NonNegative, Positive, Within

Share = Annotated[Fraction, Within("1 %", "300 %")]
Time = Annotated[Duration, NonNegative()]
Exchange = Literal["all_gather", "normal", "low_latency", "one_sided"]
OTHER = "other"
"""Key of a chip that has no figure of its own."""


class Engine(Spec):
    """One serving engine of one time."""

    name: str
    aliases: tuple[str, ...] = ()
    iteration_host: dict[str, Time]
    """What the host needs between two iterations while the chips wait, by chip (or `other`):
    scheduling, inputs, sampling, launch of a captured graph."""
    sequence_host: dict[str, Time]
    """The same for every sequence of a batch: its sampling, its text and its stream."""
    kernel_host: dict[str, Time] = Field(default_factory=dict)
    """Time in which the host launches one kernel, where kernels are not captured in a graph: an
    iteration takes no less than all of them."""
    captured_tokens: Annotated[int, Field(ge=0)] = 512
    """Largest iteration, in tokens, that is replayed from a captured graph."""
    expert_layer_host: dict[str, Time] = Field(default_factory=dict)
    """What a layer of experts adds to an iteration with prompts, outside the graphs, while the host
    learns which experts got how many tokens."""
    latent_layer_host: dict[str, Time] = Field(default_factory=dict)
    """The same of a layer of latent attention, whose keys and values are expanded for prompts."""
    planned_mixer_host: dict[str, Time] = Field(default_factory=dict)
    """What the host needs for a layer of attention or recurrence that it plans and launches by itself
    in every iteration, outside the graphs: an iteration takes no less than all of them."""
    kernel_start: dict[str, Time]
    """Start and end of one kernel of a captured graph, by chip (or `other`); less than alone where a
    kernel starts before the last one ends."""
    product_share: dict[str, Share]
    """Bandwidth at which products in whole layers stream weights over that of products alone, by chip
    (or `other`)."""
    product_rate: dict[str, dict[str, Share]]
    """The same of their arithmetic, which binds while prompts are processed, by chip (or `other`) and
    precision."""
    expert_share: dict[str, dict[str, Share]]
    """As `product_share`, of the grouped products of experts, by chip and the precision of weights."""
    expert_rate: dict[str, Share]
    """As `product_rate`, of the grouped products of experts."""
    kv_share: dict[str, Share]
    """Share of peak memory bandwidth at which attention reads keys and values while it decodes."""
    attention_share: dict[str, Share]
    """Rate of attention over prompts over the best published kernel, by chip (or `other`)."""
    reduce_start: dict[str, Time]
    """Start of an all-reduce of few bytes inside a scale-up domain (one kernel in which each rank
    reads all others), by chip (or `other`)."""
    reduce_beyond: dict[str, Annotated[Bandwidth, Positive()]] = Field(default_factory=dict)
    """Bytes per second of all-reduces among more than two chips beyond `reduce_limit`, where the
    engine's buffers leave the library's fast path; blank: as the library."""
    reduce_limit: Annotated[DataSize, NonNegative()] = 64e6
    request_host: dict[str, Time]
    """Beside all iterations, by chip (or `other`), whose servers differ: a request's way in, its text
    made tokens, its first token's way out."""
    mixes: bool = True
    """Prompts share iterations with decoding sequences; otherwise they go first, alone."""
    ahead: bool = True
    """An iteration is made up while the one before it runs."""
    balance_iterations: Annotated[int, Field(ge=0)] = 0
    """Iterations that a prompt waits at most beside decoding until every group of data-parallel
    attention has one."""
    exchange: Exchange = "all_gather"
    """How tokens reach experts where attention is data parallel."""
    memory_share: Annotated[Fraction, Within("10 %", "99 %")] = 0.90
    """Share of memory for weights, keys and values."""
    chunk_tokens: Annotated[int, Field(ge=1)] = 8192
    """Tokens that one iteration processes at most: longer prompts are cut."""
    max_sequences: Annotated[int, Field(ge=1)] = 1024
    """Sequences that a batch holds at most."""

    def of(self, values: dict[str, float], chip: str) -> float:
        """Return the figure of a chip; KeyError if there is none for it nor for others."""
        found = values.get(chip, values.get(OTHER))
        if found is None:
            raise KeyError(f"engine {self.name} has figures of {', '.join(values)}, not of {chip}")
        return found

    def by_precision(self, values: dict[str, dict[str, float]], chip: str, precision: str) -> float:
        """Return the figure of a chip and precision; of precisions without one, the smallest."""
        found = values.get(chip) or values[OTHER]
        return found.get(precision, min(found.values()))
