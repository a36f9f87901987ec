"""What one iteration of a serving replica is made on: model, chip, plan, engine, network, clock."""

from dataclasses import dataclass
from functools import cached_property

from simulator.components.accelerator import Accelerator
from simulator.components.engine import Engine
from simulator.components.language_model import PRECISION_BYTES, LanguageModel
from simulator.performance.collectives import Fabric
from simulator.performance.layers import LayerKind, Product
from simulator.performance.transformer import WIDE_BYTES

WIDE = ("router", "output")
"""Products that stay in 16 bits."""


@dataclass(frozen=True)
class ReplicaPlan:
    """How the chips of a replica share a model.

    `tp` chips share the attention of a sequence; `dp` such groups take different sequences. Experts
    are dealt out over `ep` ranks and cut over the rest; without them `ep` is 1. `pp` stages of such
    chips each have a part of the layers.
    """

    tp: int = 1
    dp: int = 1
    ep: int = 1
    pp: int = 1

    @property
    def chips(self) -> int:
        """Chips of the replica."""
        return self.stage_chips * self.pp

    @property
    def stage_chips(self) -> int:
        """Chips of one stage."""
        return self.tp * self.dp

    @property
    def expert_tp(self) -> int:
        """Chips that share one expert."""
        return max(self.stage_chips // self.ep, 1)


@dataclass(frozen=True)
class ServingSetting:
    """One replica; every room of the iteration model reads it and none writes it."""

    model: LanguageModel
    chip: Accelerator
    plan: ReplicaPlan
    precision: str
    engine: Engine
    fabric: Fabric
    kv_bytes: float
    """Bytes of one value of keys and values."""
    clock_frac: float = 1.0
    planned: bool = False
    """The host plans attention in every iteration, outside the graphs."""

    @cached_property
    def kv_rate(self) -> float:
        """Bytes of keys and values that a chip reads per second."""
        return self.engine.of(self.engine.kv_share, self.chip.name) * self.chip.memory_bandwidth

    @property
    def request_s(self) -> float:
        """What stands around a request beside its iterations."""
        return self.engine.of(self.engine.request_host, self.chip.name)

    def stored(self, product: Product) -> str:
        """Return the precision in which a product's weights are kept.

        4-bit releases of models with experts leave everything else in 16 bits or, of models
        released in 8 bits, in those (DeepSeek and Kimi NVFP4 checkpoints).
        """
        if product.part in WIDE:
            return "bf16"
        if self.precision == "fp4" and self.model.experts and not _of_experts(product):
            return "bf16"
        return self.precision

    def formats(self, product: Product) -> tuple[str, str]:
        """Return the precisions that a product is multiplied and kept in.

        Weights without matrix units of their own are widened to 16 bits on the way.
        """
        kept = self.stored(product)
        if kept not in self.chip.peak:
            return "bf16", kept
        if kept == "fp4" and self.model.weight_precision == "fp4":
            return "fp8", kept
        return kept, kept

    def weight_bytes(self, product: Product) -> float:
        """Return the bytes of a product's weights in one layer, all of them."""
        return product.stored_weights * PRECISION_BYTES[self.stored(product)]

    def other_bytes(self, kind: LayerKind) -> float:
        """Return the bytes of a layer's weights beside products."""
        return kind.other_weights * WIDE_BYTES


def _of_experts(product: Product) -> bool:
    return product.part.startswith(("expert_", "shared_"))
