"""The software stack a training step runs on: its kernels, what it fuses, hides and pays per launch."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.components.parallel_plan import Sharding
from simulator.units import Duration, Fraction, NonNegative, Within

Share = Annotated[Fraction, Within("1 %", "150 %")]
Exposed = Annotated[Fraction, Within("0 %", "100 %")]
Attention = Literal["unfused", "fused"]
OTHER = "other"
"""Key of a chip that has no figure of its own."""


class Exposure(Spec):
    """Share of communication that the stack does not hide under products, by what is sent."""

    tensor: Exposed
    """Gathers and scatters of activations among tensor-parallel ranks."""
    expert: dict[str, Exposed] = Field(default_factory=lambda: {OTHER: 1.0})
    """Tokens to experts and back, by chip (or `other`)."""
    context: Exposed = 1.0
    """Keys and values around the context-parallel ring."""
    pipeline: Exposed = 1.0
    """Activations and gradients between pipeline stages."""
    data: Exposed
    """Gradients and weights among data-parallel ranks once a step, of what would fit beside the
    last micro-batch."""
    weights: Exposed
    """Fully sharded weights and their gradients in every micro-batch, of what would fit beside it."""


    def of_experts(self, chip: str) -> float:
        """Return the share of the expert exchange that shows beside a chip."""
        return self.expert.get(chip, self.expert.get(OTHER, 1.0))


class Stack(Spec):
    """One software stack of one time."""

    name: str
    aliases: tuple[str, ...] = ()
    attention: Attention
    """Kernel of scores and values: written out to memory, or fused."""
    attention_share: dict[str, Share] = Field(default_factory=dict)
    """Rate of the stack's fused kernel over the best published one, by chip (or `other`); blank: that
    one itself."""
    dropout: bool = False
    """Residuals pass a dropout, as in models of 2020-2022."""
    fused_loss: bool = True
    """The loss over the vocabulary is one kernel."""
    sequence_parallel: bool = True
    """Tensor-parallel ranks share norms and residuals too, unless the plan says otherwise."""
    unfused: Annotated[float, Field(ge=1, le=10)] = 1.0
    """Bytes that memory-bound operators move over what they would in fused kernels: copies into
    another layout, biases, masks and casts of their own."""
    interleaves: bool = True
    """Pipeline stages can hold several virtual stages."""
    stops_early: bool = False
    """Full recomputation stops at the last activation that backward needs: a layer's last product is
    not repeated (PyTorch's non-reentrant checkpoints)."""
    offloads: tuple[str, ...] = ()
    """Chips whose host keeps activations that do not fit, so that they are not computed again."""
    sharding: Sharding
    """What data-parallel ranks share out unless the plan says otherwise."""
    gradient_bytes: Literal[1, 2, 4] = 2
    """Per weight, as summed over data-parallel ranks."""
    flat_gather: bool = False
    """Fully sharded weights travel in one ring through one network port per server."""
    exposed: Exposure
    product_share: dict[str, dict[str, Share]]
    """Rate of products in whole layers over that of products alone, by chip (or `other`) and
    precision: sustained power, neighbouring kernels, real data."""
    host_product: dict[str, Annotated[Duration, NonNegative()]] = Field(default_factory=dict)
    """Time in which a host issues one weight product and the small kernels around it, forward and
    backward of one micro-batch, by chip (or `other`): a stage takes no less than all of them."""
    captures: tuple[str, ...] = ()
    """Chips on which whole steps are captured once and replayed, so that no host issues them; models
    with state-space layers are not."""
    routing_copies: Annotated[float, Field(ge=0)] = 2.0
    """Copies of every routed token made in memory, forward, beside the exchange itself: into expert
    order and back is two; padding, casts and weighting add to it."""
    captured_copies: Annotated[float, Field(ge=0)] = 2.0
    """The same where whole steps are captured, with permutation fused into the products."""
    step_overhead: Annotated[Duration, Within("0 s", "60 s")] = 0.0
    """Per step beside the model: data, norms of gradients, logs, collection of garbage."""
    precisions: dict[str, str] = Field(default_factory=dict)
    """Precision that a chip really multiplied in, where a table's own column says otherwise."""

    def captured(self, chip: str, recurrent: bool) -> bool:
        """Tell whether whole steps are replayed; models with state-space layers are not."""
        return chip in self.captures and not recurrent

    def host_product_s(self, chip: str) -> float:
        """Return the host's time per product beside a chip."""
        return self.host_product.get(chip, self.host_product.get(OTHER, 0.0))

    def attention_rate(self, chip: str) -> float:
        """Return the attention share of a chip."""
        return self.attention_share.get(chip, self.attention_share.get(OTHER, 1.0))

    def share(self, chip: str, precision: str) -> float:
        """Return the product share of a chip and precision; KeyError if there is none at all."""
        for shares in (self.product_share.get(chip), self.product_share.get(OTHER)):
            if shares:
                return shares.get(precision, min(shares.values()))
        known = ", ".join(self.product_share)
        raise KeyError(f"stack {self.name} has product shares of {known}, not of {chip}")
