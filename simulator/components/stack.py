"""The software stack a training step runs on: its kernels, what it fuses, hides and pays per launch."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.components.parallel_plan import Sharding
from simulator.units import Duration, Fraction, NonNegative, Within

Share = Annotated[Fraction, Within("1 %", "150 %")]
Exposed = Annotated[Fraction, Within("0 %", "100 %")]
Attention = Literal["unfused", "flash-1", "flash-2", "fused"]
OTHER = "other"
"""Key of a chip that has no figure of its own."""


class Exposure(Spec):
    """Share of communication that the stack does not hide under products, by what is sent."""

    tensor: Exposed
    """Gathers and scatters of activations among tensor-parallel ranks."""
    expert: Exposed = 1.0
    """Tokens to experts and back."""
    context: Exposed = 1.0
    """Keys and values around the context-parallel ring."""
    pipeline: Exposed = 1.0
    """Activations and gradients between pipeline stages."""
    data: Exposed
    """Gradients and weights among data-parallel ranks, of what would fit beside the compute."""


class Stack(Spec):
    """One software stack of one time."""

    name: str
    aliases: tuple[str, ...] = ()
    attention: Attention
    """Kernel of scores and values: written out to memory, FlashAttention of the first or second
    generation, or the best fused kernel of the chip."""
    dropout: bool = False
    """Dropout on attention scores and residuals, as models of 2020-2022 trained with."""
    fused: bool = True
    """Norms, biases, activations and casts are fused into few kernels."""
    interleaves: bool = True
    """Pipeline stages can hold several virtual stages."""
    stops_early: bool = False
    """Full recomputation stops at the last activation that backward needs: a layer's last product is
    not repeated (PyTorch's non-reentrant checkpoints)."""
    sharding: Sharding
    """What data-parallel ranks share out unless the plan says otherwise."""
    gradient_bytes: Annotated[int, Field(ge=1, le=4)] = 2
    """Per weight, as summed over data-parallel ranks."""
    flat_gather: bool = False
    """Fully sharded weights travel in one ring through one network port per server."""
    exposed: Exposure
    product_share: dict[str, dict[str, Share]]
    """Rate of products in whole layers over that of products alone, by chip (or `other`) and
    precision: sustained power, neighbouring kernels, real data."""
    host_layer: Annotated[Duration, NonNegative()] = 0.0
    """Time in which a host issues the kernels of one layer, forward and backward, of one
    micro-batch: a layer takes no less."""
    host_expert_layer: Annotated[Duration, NonNegative()] = 0.0
    """The same of a layer with experts, counts read back from the chip included."""
    routing_bytes: Annotated[float, Field(ge=0)] = 0.0
    """Bytes moved per token, routed expert and unit of expert input width, forward: sort, copy into
    expert order and back, weighting, padding, casts."""
    activation_bytes: Annotated[float, Field(ge=0)] = 6.0
    """Bytes moved per token, expert and unit of expert width by the activation, forward."""
    step_overhead: Annotated[Duration, Within("0 s", "60 s")] = 0.0
    """Per step beside the model: data, norms of gradients, logs, collection of garbage."""
    precisions: dict[str, str] = Field(default_factory=dict)
    """Precision that a chip really multiplied in, where a table's own column says otherwise."""

    def share(self, chip: str, precision: str) -> float:
        """Return the product share of a chip and precision; KeyError if there is none at all."""
        for shares in (self.product_share.get(chip), self.product_share.get(OTHER)):
            if shares:
                return shares.get(precision, min(shares.values()))
        known = ", ".join(self.product_share)
        raise KeyError(f"stack {self.name} has product shares of {known}, not of {chip}")
