"""How one training job is split over accelerators."""

from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.components.language_model import Precision

Ways = Annotated[int, Field(ge=1, le=1_000_000)]
Recompute = Literal["none", "selective", "full"]
Sharding = Literal["none", "optimizer", "gradients", "full"]
Schedule = Literal["1f1b", "zero_bubble"]


class SiteSync(Spec):
    """How the data-parallel groups of several sites keep together."""

    sites: Annotated[int, Field(ge=2, le=1000)]
    """Sites; each holds an equal share of the data-parallel ranks."""
    every: Ways = 1
    """Steps between exchanges across sites: 1 is synchronous data parallelism, more is periodic
    (local steps, then one exchange of what changed; DiLoCo, arXiv:2311.08105)."""


class ParallelPlan(Spec):
    """Parallel degrees, batch and precision of a synchronous training step."""

    tp: Ways = 1
    """Tensor parallel."""
    sequence_parallel: bool = True
    """Norms and residuals are split over the tensor-parallel ranks too."""
    pp: Ways = 1
    """Pipeline stages."""
    virtual_stages: Ways = 1
    """Interleaved chunks per pipeline stage; needs micro-batches in whole rounds of the stages, and 1f1b."""
    schedule: Schedule = "1f1b"
    """One forward, one backward (interleaved with several virtual stages), or the weights' gradients
    put off to fill the bubble (Qi et al., arXiv:2401.10241)."""
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
    images: Annotated[float, Field(ge=0, le=1_000_000)] = 0.0
    """Images in a sequence, on average, of typical size (the model's `tokens_per_image`); the encoder
    takes them on the first pipeline stage."""
    precision: Precision = "bf16"
    """Of the matrix products; attention scores stay in 16 bits."""
    recompute: Recompute = "none"
    """Activations computed again in backward: what costs little (selective: scores where they are
    written out, else outputs of norms, of activation functions and of latent attention's products
    up) or whole layers (full)."""
    sharding: Sharding = "optimizer"
    """What data-parallel ranks share out: nothing, the optimizer's state (ZeRO-1, distributed
    optimizer), gradients too (ZeRO-2), or weights as well (ZeRO-3, FSDP)."""
    stack: str | None = None
    """Software stack, from the catalog, whose kernels and overlap the step takes; blank:
    megatron-bridge-26.06, whatever the chip (one it has no figures for takes those of its other
    chips)."""
    sites: SiteSync | None = None
    """Data parallelism across the sites that a job spans; blank: one site."""
