"""What one training step is made on: model, chip, plan, network, stack, clock."""

from dataclasses import dataclass
from functools import cached_property

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan
from simulator.components.stack import Stack
from simulator.performance import chip as chips
from simulator.performance.collectives import Fabric


@dataclass(frozen=True)
class Setting:
    """One job's step; every room of the step model reads it and none writes it."""

    model: LanguageModel
    chip: Accelerator
    plan: ParallelPlan
    fabric: Fabric
    stack: Stack
    data_parallel: int
    clock_frac: float = 1.0
    """Core clock over nominal: slows products, not memory or network."""

    @cached_property
    def tokens(self) -> float:
        """Tokens of one micro-batch on one chip of the context-parallel group."""
        return self.plan.micro_batch * self.plan.sequence_length / self.plan.cp

    @cached_property
    def micro_batches(self) -> int:
        """Micro-batches of one data-parallel rank in a step."""
        return self.plan.global_batch_sequences // (self.data_parallel * self.plan.micro_batch)

    @cached_property
    def precision(self) -> str:
        """Precision in which the chip multiplies."""
        return chips.compute_precision(self.chip, self.plan.precision)

    @cached_property
    def product_share(self) -> float:
        """Rate of products in whole layers over that of products alone."""
        return self.stack.share(self.chip.name, self.precision)

    @cached_property
    def shard_ranks(self) -> int:
        """Ranks that hold the same weights, but for experts."""
        return self.data_parallel * self.plan.cp

    @cached_property
    def expert_ranks(self) -> int:
        """Ranks that hold the same experts."""
        return max(self.shard_ranks * self.plan.tp // self.plan.ep, 1)

    @cached_property
    def captured(self) -> bool:
        """Whole steps are captured once and replayed: no host issues them."""
        return self.stack.captured(self.chip.name, self.model.state_space is not None)
