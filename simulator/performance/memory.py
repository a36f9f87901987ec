"""What a training plan keeps in each chip's memory, part by part, and what would make it fit."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

from simulator.components import from_catalog
from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan, Recompute, Sharding
from simulator.components.stack import Stack
from simulator.performance import activations, layers, stages, transformer
from simulator.performance.activations import Keeping, Kept

# Share of a chip's nameplate that a framework can fill. Nameplates count GiB as GB (drivers report
# 81,559 MiB of 80 GB on H100, 183,359 MiB of 180 GB on B200: 1.07 of it in bytes); contexts,
# communication buffers and fragmentation take 5-10 % of what is there. Assumed, 0.96-1.02.
USABLE_SHARE = 1.00

# Bytes per weight: 16-bit weight; 32-bit gradient where micro-batches are summed, unless the stack
# says otherwise; 32-bit master copy and two moments of Adam (Rajbhandari et al., ZeRO, SC20, section
# 3.1; Korthikanti et al., arXiv:2205.05198, section 6). Derived.
WEIGHT_BYTES, GRADIENT_BYTES, OPTIMIZER_BYTES = 2.0, 4.0, 12.0
CHECKPOINT_BYTES = WEIGHT_BYTES + OPTIMIZER_BYTES

DIVIDED = ("columns", "rows")
RECOMPUTE, SHARDING = get_args(Recompute), get_args(Sharding)

# Layers whose whole weights are at hand when ranks share all of them: the one at work and the next
# one, gathered ahead (PyTorch FSDP, limit of two gathers). Vendor.
GATHERED_LAYERS = 2.0


@dataclass(frozen=True)
class Footprint:
    """Bytes on the fullest chip."""

    weights: float
    gradients: float
    optimizer: float
    activations: float
    """Kept for backward, and the most that is at work beside it: a layer's gradients or logits."""
    buffers: float = 0.0
    """Gathered weights, gradients on their way, stand-ins for gradients summed in place."""

    @property
    def total(self) -> float:
        """All of it."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.buffers


@dataclass(frozen=True)
class Weights:
    """Weight counts by how a plan splits them."""

    split: float
    """Divided over tensor-parallel ranks."""
    whole: float
    """On every rank of them."""
    routed: float
    """Routed experts."""


@dataclass(frozen=True)
class Ends:
    """Weight counts beside the layers, divided over tensor-parallel ranks."""

    table: float
    """Embeddings and image encoder, on the first stage."""
    head: float
    """Output matrix, on the last stage; a copy of a tied table where that is another stage."""
    stored: float
    """Both, tied tables once."""


def local_parameters(model: LanguageModel, plan: ParallelPlan) -> tuple[float, float]:
    """Return mean weights per chip before sharding: (all but experts, experts)."""
    made = _weights(model, 1)
    shared = (made.split + _ends(model).stored) / plan.tp + made.whole
    return shared / plan.pp, made.routed / (plan.ep * plan.pp)


def footprint(
    model: LanguageModel,
    plan: ParallelPlan,
    dp: int,
    stack: Stack | None = None,
) -> Footprint:
    """Return what the fullest chip keeps.

    State is that of the stage with most weights, activations are those of the stage that keeps most:
    with equal stages one and the same chip, else a bound. `stack` (or the plan's) says how it sums
    gradients, whether it writes scores out, drops out, and fuses the loss; without one it is a
    present one with gradients in 32 bits.
    """
    stack = stack or _stack_of(plan)
    shared, experts = _held(model, plan)
    ranks = dp * plan.cp
    expert_ranks = max(ranks * plan.tp / plan.ep, 1.0)
    held, kept = shared + experts, shared / ranks + experts / expert_ranks
    by_sharding = {"none": (held, held, held), "optimizer": (held, held, kept)}
    by_sharding |= {"gradients": (held, kept, kept), "full": (kept, kept, kept)}
    weights, gradients, optimizer = by_sharding[plan.sharding]
    gradient_bytes = max(float(stack.gradient_bytes), 2.0) if stack else GRADIENT_BYTES
    return Footprint(
        weights=WEIGHT_BYTES * weights,
        gradients=gradient_bytes * gradients,
        optimizer=OPTIMIZER_BYTES * optimizer,
        activations=activation_bytes(model, plan, dp, stack),
        buffers=_buffers(model, plan, gradient_bytes),
    )


def _stack_of(plan: ParallelPlan) -> Stack | None:
    return from_catalog.stack(plan.stack) if plan.stack else None


def check(
    model: LanguageModel,
    chip: Accelerator,
    plan: ParallelPlan,
    dp: int,
    stack: Stack | None = None,
) -> Footprint:
    """Return the footprint; ValueError tells part by part what does not fit, and what would."""
    need = footprint(model, plan, dp, stack)
    room = USABLE_SHARE * chip.memory
    if need.total > room:
        each = ", ".join(f"{part} {value / 1e9:.1f} GB" for part, value in vars(need).items())
        fits = [
            told
            for told, other, ranks in _changes(model, plan, dp)
            if footprint(model, other, ranks, stack).total <= room
        ]
        cure = (
            f"it would fit with {', or '.join(fits)}" if fits else "no single change makes it fit"
        )
        raise ValueError(
            f"{model.name} does not fit {chip.name}: {each}: {need.total / 1e9:.1f} GB of "
            f"{room / 1e9:.1f} GB usable; {cure}"
        )
    return need


def in_flight(plan: ParallelPlan, dp: int) -> float:
    """Return micro-batches that the first stage keeps at once: with 1F1B as many as stages, with v
    interleaved chunks (p - 1)/v more (Narayanan et al., SC21; Korthikanti et al., section 4.2.3);
    zero-bubble schedules H1 need no more than 1F1B (Qi et al., arXiv:2401.10241).
    """
    if plan.pp == 1:
        return 1.0
    more = (plan.pp - 1.0) / plan.virtual_stages if plan.virtual_stages > 1 else 0.0
    return min(plan.pp + more, plan.global_batch_sequences / (dp * plan.micro_batch))


def _held(model: LanguageModel, plan: ParallelPlan) -> tuple[float, float]:
    """Return weights of the fullest stage on one chip: (all but experts, experts)."""
    made, ends = _weights(model, plan.pp), _ends(model)
    beside = ends.stored if plan.pp == 1 else max(ends.table, ends.head)
    return (made.split + beside) / plan.tp + made.whole, made.routed / plan.ep


@lru_cache(maxsize=4096)
def _weights(model: LanguageModel, pp: int) -> Weights:
    """Return weight counts of the layers of the fullest of `pp` stages."""
    split = whole = routed = 0.0
    for kind, count in stages.mix(model, pp):
        sets = min(count, 1.0) if kind.name == "prediction" and model.mtp_shared else count
        experts = kind.routed_weights
        repeated = sum(p.stored_weights for p in kind.products if p.split == "whole")
        repeated += kind.other_weights
        split += sets * (kind.stored_weights - experts - repeated)
        whole, routed = whole + sets * repeated, routed + sets * experts
    return Weights(split, whole, routed)


@lru_cache(maxsize=512)
def _ends(model: LanguageModel) -> Ends:
    inside = sum(kind.count * kind.stored_weights for kind in layers.kinds(model))
    stored, head = transformer.parameters(model) - inside, layers.output(model).stored_weights
    return Ends(stored - (0.0 if model.tied_embeddings else head), head, stored)


@lru_cache(maxsize=512)
def _shapes(model: LanguageModel) -> float:
    """Return the weights of one matrix of every shape in the layers that ranks divide."""
    every = (product for kind in layers.kinds(model) for product in kind.products)
    return float(sum(k * n for k, n in {(p.k, p.n) for p in every if p.split in DIVIDED}))


def _buffers(model: LanguageModel, plan: ParallelPlan, gradient_bytes: float) -> float:
    """Return bytes of buffers that come with the way weights are kept.

    Gradients summed in place leave one 16-bit stand-in per shape of weight matrix (Transformer
    Engine since 2.3). Sharing gradients out keeps those of one layer whole until they are summed;
    sharing weights out also the weights of the layers at work, and embedding and output, which
    stay gathered as the outermost unit does.
    """
    stand_ins = WEIGHT_BYTES * _shapes(model) / plan.tp
    if plan.sharding in ("none", "optimizer"):
        return stand_ins
    made, ends = _weights(model, 1), _ends(model)
    each = made.split / plan.tp + made.whole + made.routed / plan.ep
    each /= stages.depth(model)
    if plan.sharding == "gradients":
        return stand_ins + gradient_bytes * each
    gathered = GATHERED_LAYERS * each + ends.stored / plan.tp
    return WEIGHT_BYTES * gathered + gradient_bytes * each


def activation_bytes(
    model: LanguageModel, plan: ParallelPlan, dp: int, stack: Stack | None = None
) -> float:
    """Return bytes that the fullest stage keeps for backward and works on beside them.

    It is the first stage, where most micro-batches wait, or the last one with its logits and the
    gradient of its output matrix. `stack` is as for `footprint`.
    """
    stack = stack or _stack_of(plan)
    keeping = _keeping(plan, stack)
    tokens = plan.micro_batch * plan.sequence_length / plan.cp
    every = activations.of_stage(model, plan.pp, keeping)
    count = stages.fullest(model, plan.pp)
    stored, again = _recomputed(model, plan, every, count)
    kept, work = _bytes(stored, plan), _bytes(again, plan) + every.working / plan.tp
    first = tokens * (in_flight(plan, dp) * kept + work)
    last = tokens * (kept + max(work, _logit_bytes(model, plan, stack)))
    last += WEIGHT_BYTES * layers.output(model).stored_weights / plan.tp
    if plan.pp == 1:
        first = last
    encoded = in_flight(plan, dp) * _encoder_bytes(model, plan, keeping)
    return max(first, last) + encoded


def _recomputed(
    model: LanguageModel, plan: ParallelPlan, every: Kept, count: float
) -> tuple[Kept, Kept]:
    """Return what a stage of `count` layers keeps, and what one layer makes again in backward."""
    if plan.recompute == "full":
        inputs = activations.VALUE_BYTES * model.residual_streams * model.hidden
        return Kept(spread=count * inputs), every.times(1.0 / count)
    if plan.recompute == "selective":
        return _selected(every), Kept(score=every.score / count)
    return every, Kept()


def _selected(every: Kept) -> Kept:
    """Return what selective recomputation leaves: all but scores where they are written out
    (Korthikanti et al., section 5), else all but what is cheap: outputs of norms, of activation
    functions and of latent attention's products up (Megatron Core's selective modules).
    """
    if every.score:
        return Kept(every.split, every.spread)
    return Kept(every.split - every.cheap_split, every.spread - every.cheap_spread)


def _logit_bytes(model: LanguageModel, plan: ParallelPlan, stack: Stack | None) -> float:
    """Return bytes of logits and their gradient per token; those of multi-token prediction wait."""
    each = activations.FUSED_LOSS_BYTES
    if stack and not stack.fused_loss:
        each = activations.PLAIN_LOSS_BYTES
    waiting = activations.VALUE_BYTES * model.mtp_layers
    return (each + waiting) * model.vocabulary / plan.tp


def _bytes(kept: Kept, plan: ParallelPlan) -> float:
    """Return bytes per token of a micro-batch on one chip."""
    spread = plan.tp if plan.sequence_parallel else 1
    scores = kept.score * plan.sequence_length
    return (kept.split + scores) / plan.tp + kept.spread / spread


def _encoder_bytes(model: LanguageModel, plan: ParallelPlan, keeping: Keeping) -> float:
    """Return what the encoder keeps of one micro-batch's images."""
    if not plan.images or model.encoder is None:
        return 0.0
    positions = plan.images * plan.micro_batch * transformer.encoder_positions(model) / plan.cp
    kept = activations.of_encoder(model, keeping)
    stored = Kept(spread=2.0 * model.encoder.hidden).times(model.encoder.layers)
    return positions * _bytes(stored if plan.recompute == "full" else kept, plan)


def _keeping(plan: ParallelPlan, stack: Stack | None) -> Keeping:
    if stack is None:
        return Keeping(plan.precision)
    return Keeping(plan.precision, stack.attention == "fused", stack.dropout)


def _changes(
    model: LanguageModel, plan: ParallelPlan, dp: int
) -> Iterator[tuple[str, ParallelPlan, int]]:
    """Yield (wording, plan, data-parallel ranks) of plans that differ in one thing, on as many
    accelerators: more recomputation or sharding, half the micro-batch, twice a degree.
    """
    for field, order in (("recompute", RECOMPUTE), ("sharding", SHARDING)):
        for value in order[order.index(getattr(plan, field)) + 1 :]:
            yield f"{field} {value}", plan.model_copy(update={field: value}), dp
    if plan.micro_batch % 2 == 0:
        half = plan.micro_batch // 2
        yield f"micro_batch {half}", plan.model_copy(update={"micro_batch": half}), dp
    for axis in ("tp", "pp", "cp"):
        twice = 2 * getattr(plan, axis)
        goes = {"tp": model.heads % twice == 0, "pp": twice * plan.virtual_stages <= model.layers}
        if dp % 2 == 0 and goes.get(axis, True):
            changed = {axis: twice, "dp": dp // 2}
            yield f"{axis} {twice}", plan.model_copy(update=changed), dp // 2
    more = 2 * plan.ep
    ranks = dp * plan.cp * plan.tp
    if model.experts and model.experts.count % more == 0 and ranks % more == 0:
        yield f"ep {more}", plan.model_copy(update={"ep": more}), dp
