"""How one training job is split over accelerators."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.components.language_model import Precision

Ways = Annotated[int, Field(ge=1, le=1_000_000)]


class ParallelPlan(Spec):
    """Parallel degrees, batch and precision of a synchronous training step."""

    tp: Ways = 1
    """Tensor parallel, with sequence parallel norms."""
    pp: Ways = 1
    """Pipeline stages."""
    virtual_stages: Ways = 1
    """Interleaved chunks per pipeline stage."""
    cp: Ways = 1
    """Context parallel: the sequence split over chips."""
    ep: Ways = 1
    """Expert parallel, folded into the chips of tensor, context and data parallel."""
    dp: Ways | None = None
    """Data parallel; blank: what the accelerators leave."""
    micro_batch: Ways = 1
    """Sequences per micro-batch and data-parallel rank."""
    global_batch_sequences: Ways
    sequence_length: Ways
    precision: Precision = "bf16"
    """Of the matrix products; attention scores stay in 16 bits."""
    recompute: Literal["none", "selective", "full"] = "none"
    sharding: Literal["optimizer", "full"] = "optimizer"
    """What data-parallel ranks share out: the optimizer's state (ZeRO-1) or weights and gradients
    too (ZeRO-3, FSDP)."""
