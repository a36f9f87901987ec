"""One synchronous training step: time, what it is made of, power. Closed form, no clock."""

import math
from dataclasses import dataclass

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance import chip as chips
from simulator.performance import collectives, memory, transformer
from simulator.performance.collectives import Fabric
from simulator.performance.layer import LayerTime, layer_time, output_time

# A step waits for the slowest chip: spread of chip speeds, one sigma. Fleets under a power limit
# show 0.5-2 %. Assumed.
SPEED_SPREAD = 0.01

# Bytes that an Adam step moves per weight: reads and writes of master copy and moments, gradient,
# 16-bit weight. Derived.
OPTIMIZER_TRAFFIC_BYTES = 30.0

# Share of data-parallel traffic that is never hidden, and of a micro-batch's compute under which
# the rest can hide. Assumed, ranges 0.05-0.3 and 0.5-1.
DATA_EXPOSED, DATA_WINDOW = 0.10, 0.80

# Dynamic power of a chip that waits for the network: links and memory stay awake. Arrays under
# communication draw 0.3-0.5 of TDP (arXiv:2308.12908, arXiv:2508.14318). Assumed.
WAITING_POWER = 0.30


@dataclass(frozen=True)
class TrainingStep:
    """One optimizer step of a job."""

    step_time_s: float
    compute_s: float
    exposed_communication_s: float
    """Includes the optimizer step's wait for slower chips."""
    data_parallel_s: float
    """Of that, summing gradients and spreading weights over the data-parallel ranks."""
    bubble_frac: float
    """Share of the step in which a pipeline stage has nothing to do."""
    mfu: float
    """Model FLOPs (causal attention, nothing recomputed) per peak of the plan's precision."""
    tokens_per_step: float
    dynamic_power_frac: float
    """Chip power between idle and TDP, averaged over the step."""
    compute_power_frac: float
    """The same while products run: the upper level of the step's square wave."""
    checkpoint_bytes: float
    """Weights and optimizer state of the whole job."""
    memory_bytes: float
    """On the fullest chip."""
    data_parallel: int


def estimate(
    model: LanguageModel,
    accelerator: Accelerator,
    accelerators: int,
    plan: ParallelPlan,
    fabric: Fabric | None = None,
) -> TrainingStep:
    """Return the step of a plan; ValueError when the plan does not divide or does not fit.

    The steady pipeline runs m micro-batches at the pace of its fullest stage; filling and
    draining adds (p - 1)/v of them (Narayanan et al., SC21). Data-parallel traffic hides under
    the last micro-batch's backward as far as there is room.
    """
    if plan.precision not in accelerator.peak:
        known = ", ".join(accelerator.peak)
        raise ValueError(f"{accelerator.name} multiplies in {known}, not in {plan.precision}")
    dp = data_parallel(model, accelerators, plan)
    need = memory.check(model, accelerator, plan, dp)
    fabric = fabric or collectives.fabric_of(accelerator)
    each = layer_time(model, accelerator, plan, fabric)
    stage = _stage(model, plan, each, output_time(model, accelerator, plan))
    batches = plan.global_batch_sequences // (dp * plan.micro_batch)
    bubble_s = (plan.pp - 1) / plan.virtual_stages * stage.total_s + _sends_s(model, plan, fabric)
    data_s = _data_s(model, accelerator, plan, fabric, dp, batches, stage)
    slowest = 1.0 + SPEED_SPREAD * math.sqrt(2.0 * math.log(accelerators))
    compute_s = batches * stage.compute_s + _optimizer_s(model, accelerator, plan, dp)
    steady_s = slowest * (compute_s + batches * stage.exposed_s)
    step_s = steady_s + slowest * bubble_s + data_s
    tokens = float(plan.global_batch_sequences * plan.sequence_length)
    work = tokens * transformer.train_flops(model, plan.sequence_length)
    at_work = float(chips.dynamic_power_frac(stage.product_s / stage.compute_s, 1.0))
    return TrainingStep(
        step_time_s=step_s,
        compute_s=compute_s,
        exposed_communication_s=step_s - compute_s - bubble_s,
        data_parallel_s=data_s,
        bubble_frac=bubble_s / step_s,
        mfu=work / (step_s * accelerators * accelerator.peak[plan.precision]),
        tokens_per_step=tokens,
        dynamic_power_frac=WAITING_POWER + (at_work - WAITING_POWER) * compute_s / step_s,
        compute_power_frac=at_work,
        checkpoint_bytes=memory.CHECKPOINT_BYTES * transformer.parameters(model),
        memory_bytes=need.total,
        data_parallel=dp,
    )


def data_parallel(model: LanguageModel, accelerators: int, plan: ParallelPlan) -> int:
    """Return the data-parallel degree; ValueError tells what does not divide."""
    group = plan.tp * plan.pp * plan.cp
    dp = plan.dp or accelerators // group
    misfits = _misfits(model, accelerators, plan, dp, group)
    if misfits:
        raise ValueError("; ".join(misfits))
    return dp


def _misfits(
    model: LanguageModel, accelerators: int, plan: ParallelPlan, dp: int, group: int
) -> list[str]:
    """Return what does not divide, in words."""
    tp, pp, cp, ep, chunks = plan.tp, plan.pp, plan.cp, plan.ep, plan.pp * plan.virtual_stages
    sequences, ranks = plan.global_batch_sequences, dp * plan.micro_batch
    experts = model.experts.count if model.experts else 1
    split = f"tp {tp} x pp {pp} x cp {cp} x dp {dp}"
    batch = f"{sequences} sequences do not divide into micro-batches of {plan.micro_batch}"
    checks = {
        f"{split} is {dp * group}, not {accelerators} accelerators": dp * group != accelerators,
        f"{batch} on {dp} data-parallel ranks": dp > 0 and sequences % ranks != 0,
        f"{model.heads} heads do not divide over tp {tp}": model.heads % tp != 0,
        f"{model.layers} layers are too few for {chunks} chunks": chunks > model.layers + 2,
        f"{experts} experts do not divide over ep {ep}": experts % ep != 0,
        f"ep {ep} does not divide tp x cp x dp = {tp * cp * dp}": (tp * cp * dp) % ep != 0,
    }
    return [message for message, wrong in checks.items() if wrong]


def _stage(
    model: LanguageModel, plan: ParallelPlan, each: LayerTime, output: LayerTime
) -> LayerTime:
    """Return the fullest stage for one micro-batch.

    With layers that divide evenly the last stage has the output matrix on top; otherwise stages
    were balanced around it.
    """
    even = model.layers % plan.pp == 0
    layers = model.layers / plan.pp
    top = 1.0 if even else 1.0 / plan.pp
    return LayerTime(
        layers * each.product_s + top * output.product_s,
        layers * each.memory_s + top * output.memory_s,
        layers * each.exposed_s,
    )


def _sends_s(model: LanguageModel, plan: ParallelPlan, fabric: Fabric) -> float:
    """Return the time of passing activations down and gradients up an empty pipeline."""
    message = 2.0 * plan.micro_batch * plan.sequence_length / plan.cp / plan.tp * model.hidden
    stage_chips = plan.tp * plan.cp
    return 2.0 * (plan.pp - 1) * collectives.send_s(fabric, message, stage_chips)


def _data_s(
    model: LanguageModel,
    chip: Accelerator,
    plan: ParallelPlan,
    fabric: Fabric,
    dp: int,
    batches: int,
    stage: LayerTime,
) -> float:
    """Return the exposed time of summing gradients and spreading weights, per step.

    Each rank scatters 16-bit gradients and gathers 16-bit weights once per step; fully sharded
    ranks gather weights twice and scatter gradients once in every micro-batch.
    """
    ranks = dp * plan.cp
    if ranks == 1:
        return 0.0
    shared, experts = memory.local_parameters(model, plan)
    expert_ranks = max(ranks * plan.tp // plan.ep, 1)
    once_s = collectives.all_gather_s(fabric, ranks, 2.0 * shared, stride=plan.tp)
    once_s += collectives.all_gather_s(
        fabric, expert_ranks, 2.0 * experts, stride=max(plan.ep, plan.tp)
    )
    full = plan.sharding == "full"
    traffic_s, repeats = (3.0 * once_s, batches) if full else (2.0 * once_s, 1)
    hidden_s = min((1.0 - DATA_EXPOSED) * traffic_s, DATA_WINDOW * stage.total_s)
    return repeats * (traffic_s - hidden_s)


def _optimizer_s(model: LanguageModel, chip: Accelerator, plan: ParallelPlan, dp: int) -> float:
    """Return the time of the optimizer's pass over its share of the state."""
    shared, experts = memory.local_parameters(model, plan)
    ranks = dp * plan.cp
    kept = shared / ranks + experts / max(ranks * plan.tp / plan.ep, 1.0)
    return OPTIMIZER_TRAFFIC_BYTES * kept / (chips.WEIGHT_BANDWIDTH_SHARE * chip.memory_bandwidth)
