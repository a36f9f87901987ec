"""What a training plan keeps in each chip's memory."""

from dataclasses import dataclass

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance import transformer

# Share of memory that a framework can fill: contexts, communication buffers and fragmentation take
# the rest. Assumed, 0.88-0.96.
USABLE_SHARE = 0.94

# Bytes per weight: 16-bit weight and gradient; 32-bit master copy and two moments of Adam
# (Rajbhandari et al., ZeRO, SC20, section 3.1). Derived.
WEIGHT_BYTES, GRADIENT_BYTES, OPTIMIZER_BYTES = 2.0, 2.0, 12.0
CHECKPOINT_BYTES = WEIGHT_BYTES + OPTIMIZER_BYTES


# Kept activations when products run in 8 or 4 bits, as a share of 16-bit ones: inputs of products
# are kept narrow, scores and residuals are not. Assumed, 0.6-0.85.
NARROW_ACTIVATIONS = 0.70


@dataclass(frozen=True)
class Footprint:
    """Bytes on the fullest chip."""

    weights: float
    gradients: float
    optimizer: float
    activations: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.weights + self.gradients + self.optimizer + self.activations


def local_parameters(model: LanguageModel, plan: ParallelPlan) -> tuple[float, float]:
    """Return weights per chip before sharding: (all but experts, experts)."""
    experts = transformer.routed_parameters(model)
    others = transformer.parameters(model) - experts
    return others / (plan.tp * plan.pp), experts / (plan.ep * plan.pp)


def footprint(model: LanguageModel, plan: ParallelPlan, dp: int) -> Footprint:
    """Return what the fullest chip keeps: the first stage, where most micro-batches wait."""
    shared, experts = local_parameters(model, plan)
    ranks = dp * plan.cp
    expert_ranks = max(ranks * plan.tp / plan.ep, 1.0)
    held, kept = shared + experts, shared / ranks + experts / expert_ranks
    stored = kept if plan.sharding == "full" else held
    return Footprint(
        weights=WEIGHT_BYTES * stored,
        gradients=GRADIENT_BYTES * stored,
        optimizer=OPTIMIZER_BYTES * kept,
        activations=_activations(model, plan),
    )


def check(model: LanguageModel, chip: Accelerator, plan: ParallelPlan, dp: int) -> Footprint:
    """Return the footprint; ValueError tells part by part what does not fit."""
    need = footprint(model, plan, dp)
    room = USABLE_SHARE * chip.memory
    if need.total > room:
        raise ValueError(
            f"{model.name} does not fit {chip.name}: weights {need.weights / 1e9:.1f} GB, "
            f"gradients {need.gradients / 1e9:.1f} GB, optimizer {need.optimizer / 1e9:.1f} GB, "
            f"activations {need.activations / 1e9:.1f} GB of {room / 1e9:.1f} GB usable; "
            "raise tp, pp or sharding, or recompute"
        )
    return need


def _activations(model: LanguageModel, plan: ParallelPlan) -> float:
    """Return bytes kept for backward on the first stage.

    Inputs of products, queries, keys, values and residuals, 16-bit; norms and activation functions
    are recomputed from them, as fused kernels do (Korthikanti et al., arXiv:2205.05198 count
    34 s b h / t per plain layer with those kept).
    """
    tokens = plan.micro_batch * plan.sequence_length / plan.cp / plan.tp
    queries, keys = model.heads * model.head_dimension, transformer.kv_width(model)
    whole = 6.0 * model.hidden + 4.0 * queries + 2.0 * keys + 4.0 * ffn_width(model)
    if plan.precision != "bf16":
        whole *= NARROW_ACTIVATIONS
    layers = -(-model.layers // plan.pp)
    flight = _in_flight(plan)
    if plan.recompute == "full":
        return tokens * (layers * flight * 2.0 * model.hidden + whole)
    return tokens * layers * flight * whole


def _in_flight(plan: ParallelPlan) -> float:
    """Return micro-batches whose activations the first stage keeps (1F1B, interleaved)."""
    if plan.pp == 1:
        return 1.0
    return plan.pp * (
        1.0 + (plan.pp - 1.0) / (plan.pp * plan.virtual_stages) * (plan.virtual_stages > 1)
    )


def ffn_width(model: LanguageModel) -> float:
    """interim"""
    if model.experts is None:
        return float(model.ffn)
    mixed = (model.experts.active + model.experts.shared) * model.experts.ffn
    return (model.dense_layers * model.ffn + model.moe_layers * mixed) / model.layers
