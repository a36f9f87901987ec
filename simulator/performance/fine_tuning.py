"""A training step of which most weights are frozen: low-rank adapters on a model (LoRA)."""

from dataclasses import replace

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance import collectives, memory, transformer
from simulator.performance.collectives import Fabric
from simulator.performance.training import WAITING_POWER, TrainingStep, estimate_unchecked


def adapter_parameters(model: LanguageModel, rank: int) -> float:
    """Return the weights of adapters of one rank beside every projection of attention and every
    dense feed-forward matrix: r (in + out) each (Hu et al., LoRA, arXiv:2106.09685)."""
    queries, keys = model.heads * model.head_dimension, transformer.kv_width(model)
    attention = 2.0 * (model.hidden + queries) + 2.0 * model.hidden + keys
    matrices = 3 if model.gated else 2
    dense = matrices * (model.hidden + model.ffn) * (model.layers - model.moe_layers)
    return rank * (model.layers * attention + dense)


def adapter_step(
    model: LanguageModel, chip: Accelerator, accelerators: int, plan: ParallelPlan, rank: int,
    fabric: Fabric | None = None,
) -> TrainingStep:
    """Return the step that trains adapters only; ValueError when it does not divide or fit.

    Forward and the gradients of activations are those of the whole model; gradients of weights, a
    third of the products' FLOPs (a quarter where backward computes forward again), are not
    computed. Gradients, optimizer state and their exchange are the adapters'.
    """
    fabric = fabric or collectives.fabric_of(chip)
    whole = estimate_unchecked(model, chip, accelerators, plan, fabric)
    memory_bytes = _memory(model, chip, plan, rank, whole.data_parallel)
    trained = adapter_parameters(model, rank)
    flops = transformer.train_flops(model, plan.sequence_length)
    skipped = 2.0 * transformer.multiplied_parameters(model)
    done = flops * (4.0 / 3.0 if plan.recompute == "full" else 1.0)
    work_frac = 1.0 - skipped / done
    data_s = _exchange_s(fabric, plan, whole.data_parallel, trained)
    bubble_s = whole.bubble_frac * whole.step_time_s * work_frac
    compute_s = whole.compute_s * work_frac
    exposed_s = whole.exposed_communication_s - whole.data_parallel_s + data_s
    step_s = compute_s + bubble_s + exposed_s
    return replace(
        whole,
        step_time_s=step_s,
        compute_s=compute_s,
        exposed_communication_s=exposed_s,
        data_parallel_s=data_s,
        bubble_frac=bubble_s / step_s,
        dynamic_power_frac=WAITING_POWER
        + (whole.compute_power_frac - WAITING_POWER) * compute_s / step_s,
        clock_bound_frac=whole.clock_bound_frac * whole.step_time_s * work_frac / step_s,
        mfu=whole.mfu * whole.step_time_s / step_s * (1.0 - skipped / flops),
        checkpoint_bytes=memory.CHECKPOINT_BYTES * trained,
        memory_bytes=memory_bytes,
    )


def _memory(
    model: LanguageModel, chip: Accelerator, plan: ParallelPlan, rank: int, dp: int
) -> float:
    """Return the bytes on the fullest chip: frozen weights, activations, and all of the adapters."""
    need = memory.footprint(model, plan, dp)
    each = memory.WEIGHT_BYTES + memory.GRADIENT_BYTES + memory.OPTIMIZER_BYTES
    adapters = each * adapter_parameters(model, rank) / (plan.tp * plan.pp)
    total = need.total - need.gradients - need.optimizer + adapters
    room = memory.USABLE_SHARE * chip.memory
    if total > room:
        raise ValueError(
            f"{model.name} does not fit {chip.name} with adapters of rank {rank}: weights "
            f"{need.weights / 1e9:.1f} GB, activations {need.activations / 1e9:.1f} GB, adapters "
            f"{adapters / 1e9:.1f} GB of {room / 1e9:.1f} GB usable; raise tp or pp, or recompute"
        )
    return total


def _exchange_s(fabric: Fabric, plan: ParallelPlan, dp: int, trained: float) -> float:
    """Return the time of summing the adapters' 16-bit gradients, after the last micro-batch."""
    ranks = dp * plan.cp
    if ranks == 1:
        return 0.0
    message = 2.0 * trained / (plan.tp * plan.pp)
    return collectives.all_reduce_s(fabric, ranks, message)
