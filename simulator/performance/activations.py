"""What a layer keeps between forward and backward, in bytes per token of a micro-batch.

Kept are the inputs of products (in the precision they multiply in), what the attention kernel needs
again, the inputs of norms and of activation functions; with dropout its masks, and with attention
written out its scores. For a plain 16-bit layer with dropout and scores this is
34 s b h + 5 a s^2 b (Korthikanti et al., arXiv:2205.05198, equation 1).
"""

from dataclasses import dataclass
from functools import lru_cache

from simulator.components.language_model import PRECISION_BYTES, LanguageModel
from simulator.performance import layers, stages
from simulator.performance.layers import LayerKind

# Values are kept in 16 bits but where products multiply in fewer; statistics and the router's scores
# in 32; a dropout's mask takes a byte. Derived.
VALUE_BYTES, WIDE_BYTES, MASK_BYTES = 2.0, 4.0, 1.0

# Scores written out, per head and pair of positions: softmax and its dropout in 16 bits, a mask
# (same paper, section 4.1). Derived.
SCORE_BYTES, PLAIN_SCORE_BYTES = 5.0, 2.0

# Products into and out of an activation function.
UPS, DOWNS = ("up", "shared_up", "expert_up"), ("down", "shared_down", "expert_down")

# Logits of a fused loss are kept in 16 bits and overwritten by their gradient, of which backward of
# the output matrix holds a copy; an unfused one holds them in 32 bits too, and its exponentials.
# Derived from the operations.
FUSED_LOSS_BYTES, PLAIN_LOSS_BYTES = 4.0, 10.0


@dataclass(frozen=True)
class Kept:
    """Bytes per token."""

    split: float = 0.0
    """Divided over tensor-parallel ranks."""
    spread: float = 0.0
    """Divided over them only when the sequence is split too: norms, residuals, masks, latents."""
    score: float = 0.0
    """Per attended position of the whole sequence, divided over tensor-parallel ranks."""
    cheap_split: float = 0.0
    """Of `split`, what is cheap to compute again: outputs of activation functions, and of the
    products that take latent attention up."""
    cheap_spread: float = 0.0
    """Of `spread`, outputs of norms."""
    working: float = 0.0
    """Gradients alive at once in backward; divided."""

    def times(self, count: float) -> "Kept":
        """Return what so many layers keep; what is at work is one layer's."""
        return Kept(
            split=count * self.split,
            spread=count * self.spread,
            score=count * self.score,
            cheap_split=count * self.cheap_split,
            cheap_spread=count * self.cheap_spread,
            working=self.working,
        )

    def plus(self, other: "Kept") -> "Kept":
        """Return what both keep; they are not at work at the same time."""
        return Kept(
            split=self.split + other.split,
            spread=self.spread + other.spread,
            score=self.score + other.score,
            cheap_split=self.cheap_split + other.cheap_split,
            cheap_spread=self.cheap_spread + other.cheap_spread,
            working=max(self.working, other.working),
        )


@dataclass(frozen=True)
class Keeping:
    """How a stack keeps activations."""

    precision: str = "bf16"
    fused_attention: bool = True
    dropout: bool = False


@lru_cache(maxsize=4096)
def of_stage(model: LanguageModel, pp: int, keeping: Keeping) -> Kept:
    """Return what the layers of the fullest of `pp` stages keep, without recomputation."""
    total = Kept()
    for kind, count in stages.mix(model, pp):
        total = total.plus(of_layer(model, kind, keeping).times(count))
    return total


def of_encoder(model: LanguageModel, keeping: Keeping) -> Kept:
    """Return what the image encoder keeps per position of an image."""
    kind = layers.encoder(model)
    if kind is None or model.encoder is None:
        return Kept()
    narrow, wide = PRECISION_BYTES[keeping.precision], model.encoder.hidden
    inputs = Kept(spread=2.0 * (VALUE_BYTES + narrow) * wide)
    made = inputs.plus(_attention(kind, narrow, keeping)).plus(_network(kind, narrow))
    return made.times(kind.count)


def of_layer(model: LanguageModel, kind: LayerKind, keeping: Keeping) -> Kept:
    """Return what one layer keeps: the inputs of its norm and of its products, and its insides.

    A layer of multi-token prediction is two layers behind one product of its own.
    """
    narrow = PRECISION_BYTES[keeping.precision]
    masks = MASK_BYTES * model.hidden if keeping.dropout else 0.0
    streams = VALUE_BYTES * model.residual_streams * model.hidden
    normed = narrow * model.hidden
    made = Kept(spread=streams + normed + masks, cheap_spread=normed)
    if kind.name == "prediction":
        made = made.plus(made).plus(Kept(spread=2.0 * normed))
    if kind.attention:
        made = made.plus(_attention(kind, narrow, keeping))
    if kind.state:
        made = made.plus(_state(kind, narrow))
    return made.plus(_network(kind, narrow))


def _attention(kind: LayerKind, narrow: float, keeping: Keeping) -> Kept:
    """Return what attention keeps: queries, keys, values, its output and what leads to them.

    An output that is multiplied in fewer bits is kept twice: once as the kernel made it. Latent
    attention keeps keys and values as they left their product, and the keys put together.
    """
    core = kind.attention
    assert core is not None
    width = {product.part: product.n for product in kind.products}
    out = core.heads * core.value_dimension
    kept = VALUE_BYTES * out + (narrow * out if narrow < VALUE_BYTES else 0.0)
    kept += WIDE_BYTES * core.heads if keeping.fused_attention else 0.0
    cheap = 0.0
    if "kv_up" in width:
        cheap = VALUE_BYTES * (2.0 * core.heads * core.qk_dimension + width["kv_up"])
    elif "kv" in width:
        kept += VALUE_BYTES * core.heads * core.qk_dimension + narrow * _low_rank_width(kind)
    else:
        kept += VALUE_BYTES * width["qkv"]
    beside = sum((VALUE_BYTES + narrow) * width.get(part, 0) for part in ("q_down", "kv_down"))
    beside += sum(VALUE_BYTES * width.get(p, 0) for p in ("kv", "merge", "index_q", "index_k"))
    kept += VALUE_BYTES * width.get("gate", 0)
    score = SCORE_BYTES if keeping.dropout else PLAIN_SCORE_BYTES
    scores = 0.0 if keeping.fused_attention else score * core.heads
    joined = core.heads * (core.qk_dimension + core.value_dimension)
    joined += core.kv_heads * (core.qk_dimension + core.value_dimension)
    working = VALUE_BYTES * joined
    return Kept(kept + cheap, beside, scores, cheap_split=cheap, working=working)


def _low_rank_width(kind: LayerKind) -> float:
    """Return the width that a low-rank output is projected down to."""
    down = next(product for product in kind.products if product.part == "out_down")
    return float(down.times * down.n)


def _state(kind: LayerKind, narrow: float) -> Kept:
    """Return what a state space keeps: what went into the recurrence, and what came out; its
    kernels compute convolution and states again (Dao and Gu, arXiv:2405.21060, section 6).
    """
    core = kind.state
    assert core is not None
    inner = float(core.heads * core.head_dimension)
    made = float(sum(product.n for product in kind.products if product.part != "out"))
    return Kept(
        split=VALUE_BYTES * (made + inner) + narrow * inner,
        working=VALUE_BYTES * (made + 2.0 * inner),
    )


def _network(kind: LayerKind, narrow: float) -> Kept:
    """Return what a feed-forward network or a layer of experts keeps: the inputs of activation
    functions and of the products behind them; routed tokens are kept once per expert.
    """
    kept, cheap, beside, working = 0.0, 0.0, 0.0, 0.0
    for product in kind.products:
        if product.part in UPS:
            routed = narrow * product.k if product.split == "experts" else 0.0
            kept += product.times * (routed + VALUE_BYTES * product.n)
            working += VALUE_BYTES * product.times * product.n
        elif product.part in DOWNS:
            cheap += narrow * product.times * product.k
            working += VALUE_BYTES * product.times * product.k
        elif product.part == "router":
            beside += 2.0 * WIDE_BYTES * product.n
        elif product.part == "latent_up":
            beside += narrow * product.k
    return Kept(kept + cheap, beside, cheap_split=cheap, working=working)
