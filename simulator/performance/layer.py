"""Time of one transformer layer in training, on one chip, for one micro-batch."""

from dataclasses import dataclass

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance import chip as chips
from simulator.performance import collectives, transformer
from simulator.performance.collectives import Fabric

# Share of the largest matrix rate that a layer's products keep when they are wide, and the width
# per chip at which tiles, edges and launches halve it. Assumed, ranges 0.75-0.92 and 128-512.
PRODUCT_SHARE = 0.82
HALF_WIDTH = 256.0

# Fused attention as a share of the 16-bit peak: FlashAttention-2 and -3 report 0.55-0.65 forward
# and 0.45-0.55 backward for causal heads of 128 (arXiv:2307.08691, arXiv:2407.08608). Measured.
ATTENTION_FORWARD_SHARE = 0.60
ATTENTION_BACKWARD_SHARE = 0.50
# Backward recomputes the scores: 2.5 times the products of forward (same papers). Derived.
ATTENTION_BACKWARD_WORK = 2.5

# Bytes that norms, residuals, rotations and activations move per token forward, per unit of hidden
# and of feed-forward width; counted from the operations, 16-bit, fused where stacks fuse. Derived.
HIDDEN_BYTES = 24.0
GATED_BYTES, PLAIN_BYTES = 6.0, 4.0

# Bytes that routing adds per token forward, per routed expert and unit of hidden width: copies into
# expert order and back, weighting, one more read and write of the products, 16-bit. Derived.
ROUTING_BYTES = 18.0

# Bytes that narrow formats add per token forward and unit of product input: read in 16 bits, write
# row- and column-wise copies with scales. Counted. Derived.
NARROWING_BYTES = 5.0

# Start-up of the kernels of a layer that nothing hides, forward. Assumed, 10-60 us.
LAYER_START_S = 30e-6

# The same for routing: sorting tokens, reading counts back to the host. Assumed, 50-500 us.
ROUTING_START_S = 200e-6

# Communication that is not hidden under products. Tensor: sequence-parallel gathers with partial
# overlap; expert: token exchange; context: ring of keys and values. Assumed, ranges of +-0.25.
TENSOR_EXPOSED, EXPERT_EXPOSED, CONTEXT_EXPOSED = 0.55, 0.80, 0.20


@dataclass(frozen=True)
class LayerTime:
    """Seconds of one layer and micro-batch, forward and backward together."""

    product_s: float
    """Matrix units at work."""
    memory_s: float
    """Everything that waits for memory or launches."""
    exposed_s: float
    """Communication that nothing hides."""

    @property
    def compute_s(self) -> float:
        """Time without communication."""
        return self.product_s + self.memory_s

    @property
    def total_s(self) -> float:
        """All of it."""
        return self.product_s + self.memory_s + self.exposed_s


def layer_time(
    model: LanguageModel, chip: Accelerator, plan: ParallelPlan, fabric: Fabric
) -> LayerTime:
    """Return the time of an average layer for one micro-batch, forward and backward.

    Backward costs twice the products and bytes of forward; full recomputation repeats forward.
    """
    tokens = plan.micro_batch * plan.sequence_length / plan.cp
    again = 1.0 if plan.recompute == "full" else 0.0
    passes = 3.0 + again
    products = passes * _product_s(model, chip, plan, tokens)
    attention = _attention_s(model, chip, plan, tokens)
    memory = passes * _memory_s(model, chip, plan, tokens)
    wire = _tensor_s(model, plan, fabric, tokens) + _expert_s(model, plan, fabric, tokens)
    exposed = (2.0 + again) * wire + _context_s(model, plan, fabric, tokens)
    return LayerTime(products + attention, memory, exposed)


def output_time(model: LanguageModel, chip: Accelerator, plan: ParallelPlan) -> LayerTime:
    """Return the time of the output matrix and the loss for one micro-batch, both ways."""
    tokens = plan.micro_batch * plan.sequence_length / plan.cp
    width = model.vocabulary / plan.tp
    flops = 3.0 * 2.0 * tokens * model.hidden * width
    rate = chips.matrix_rate_flop_s(chip, "bf16") * _width_share(min(model.hidden, width))
    moved = tokens * width * 4.0 * 4.0  # logits in 32 bits: written, read, gradient twice
    return LayerTime(flops / rate, moved / _stream(chip), 0.0)


def _product_s(model: LanguageModel, chip: Accelerator, plan: ParallelPlan, tokens: float) -> float:
    """Return the forward time of the weight products of an average layer."""
    layers = transformer.multiplied_parameters(model) - model.vocabulary * model.hidden
    flops = 2.0 * tokens * layers / model.layers / plan.tp
    rate = chips.matrix_rate_flop_s(chip, plan.precision)
    return flops / (rate * _width_share(_narrowest(model, plan)))


def _narrowest(model: LanguageModel, plan: ParallelPlan) -> float:
    """Return the smallest width of a chip's share of the large products."""
    ffn = model.experts.ffn if model.experts else model.ffn / plan.tp
    return min(float(model.hidden), model.heads * model.head_dimension / plan.tp, ffn)


def _width_share(width: float) -> float:
    return PRODUCT_SHARE * width / (width + HALF_WIDTH)


def _attention_s(
    model: LanguageModel, chip: Accelerator, plan: ParallelPlan, tokens: float
) -> float:
    """Return the time of scores and values of an average layer, both ways."""
    span = transformer.causal_span(plan.sequence_length)
    forward = tokens * transformer.attention_flops(model, span) / model.layers / plan.tp
    peak = chip.peak["bf16"]
    repeats = 2.0 if plan.recompute == "full" else 1.0
    forward_s = repeats * forward / (ATTENTION_FORWARD_SHARE * peak)
    return forward_s + ATTENTION_BACKWARD_WORK * forward / (ATTENTION_BACKWARD_SHARE * peak)


def _memory_s(model: LanguageModel, chip: Accelerator, plan: ParallelPlan, tokens: float) -> float:
    """Return the forward time of what is bound by memory, and of launches."""
    per_width = GATED_BYTES if model.gated else PLAIN_BYTES
    moved = HIDDEN_BYTES * model.hidden + per_width * ffn_width(model)
    if plan.precision != "bf16":
        moved += NARROWING_BYTES * (3.0 * model.hidden + ffn_width(model))
    start_s = LAYER_START_S
    if model.experts:
        mixed = model.moe_layers / model.layers
        moved += mixed * ROUTING_BYTES * model.experts.active * model.hidden
        start_s += mixed * ROUTING_START_S
    return tokens * moved / plan.tp / _stream(chip) + start_s


def ffn_width(model: LanguageModel) -> float:
    """Return the feed-forward width that a token passes in an average layer."""
    if model.experts is None:
        return float(model.ffn)
    mixed = (model.experts.active + model.experts.shared) * model.experts.ffn
    return (model.dense_layers * model.ffn + model.moe_layers * mixed) / model.layers


def _stream(chip: Accelerator) -> float:
    return chips.WEIGHT_BANDWIDTH_SHARE * chip.memory_bandwidth


def _tensor_s(model: LanguageModel, plan: ParallelPlan, fabric: Fabric, tokens: float) -> float:
    """Return the exposed forward time of gathers and scatters of activations: two of each."""
    message = 2.0 * tokens * model.hidden
    return TENSOR_EXPOSED * 4.0 * collectives.all_gather_s(fabric, plan.tp, message)


def _expert_s(model: LanguageModel, plan: ParallelPlan, fabric: Fabric, tokens: float) -> float:
    """Return the exposed forward time of the token exchange, of an average layer."""
    if model.experts is None or plan.ep == 1:
        return 0.0
    sent = 2.0 * tokens / plan.tp * model.experts.active * model.hidden
    once_s = collectives.all_to_all_s(fabric, plan.ep, sent)
    return EXPERT_EXPOSED * 2.0 * once_s * model.moe_layers / model.layers


def _context_s(model: LanguageModel, plan: ParallelPlan, fabric: Fabric, tokens: float) -> float:
    """Return the exposed time of passing keys and values around, both ways."""
    if plan.cp == 1:
        return 0.0
    whole = 2.0 * tokens * plan.cp * transformer.kv_width(model) / plan.tp
    ring_s = collectives.all_gather_s(fabric, plan.cp, whole, stride=plan.tp)
    return CONTEXT_EXPOSED * 3.0 * ring_s
