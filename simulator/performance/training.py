"""One synchronous training step: time, what it is made of, power. Closed form, no clock."""

from dataclasses import dataclass

from simulator.components import from_catalog
from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan
from simulator.components.stack import Stack
from simulator.performance import chip as chips
from simulator.performance import collectives, memory, plan_faults, transformer
from simulator.performance.collectives import Fabric
from simulator.performance.data_parallel import data_time
from simulator.performance.layer import StageTime, stage_time
from simulator.performance.pipeline import pipeline_time
from simulator.performance.setting import Setting
from simulator.performance.stragglers import slowest_of

# Dynamic power of a chip that waits for the network: links and memory stay awake. Arrays under
# communication draw 0.3-0.5 of TDP (arXiv:2308.12908, arXiv:2508.14318). Assumed.
WAITING_POWER = 0.30

# Stack that a plan takes which names none, whatever the chip: recent, with constants for several
# chips; for the others it has its `other`. Assumed.
DEFAULT_STACK = "megatron-bridge-26.06"

SERVER_CHIPS = 8
"""Chips of one server where the scale-up domain does not say otherwise."""


@dataclass(frozen=True)
class TrainingStep:
    """One optimizer step of a job."""

    step_time_s: float
    compute_s: float
    """Products and memory-bound work, the optimizer's pass included."""
    exposed_communication_s: float
    """Communication that nothing hides, and the wait for slower chips."""
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
    clock_bound_frac: float
    """Share of the step that a slower core clock lengthens: products."""
    checkpoint_bytes: float
    """Weights and optimizer state of the whole job."""
    memory_bytes: float
    """On the fullest chip."""
    data_parallel: int
    stack: str
    """Software stack whose constants were used."""


def estimate(
    model: LanguageModel,
    accelerator: Accelerator,
    accelerators: int,
    plan: ParallelPlan,
    fabric: Fabric | None = None,
    stack: Stack | None = None,
    clock_frac: float = 1.0,
) -> TrainingStep:
    """Return the step of a plan; ValueError when the plan does not divide or does not fit.

    The steady pipeline runs m micro-batches at the pace of its fullest stage; then what filling and
    draining, sends, data parallelism and the optimizer add; all of it paced by the slowest chip.
    """
    dp = data_parallel(model, accelerators, plan)
    memory.check(model, accelerator, plan, dp, stack)
    return estimate_unchecked(model, accelerator, accelerators, plan, fabric, stack, clock_frac)


def estimate_unchecked(
    model: LanguageModel,
    accelerator: Accelerator,
    accelerators: int,
    plan: ParallelPlan,
    fabric: Fabric | None = None,
    stack: Stack | None = None,
    clock_frac: float = 1.0,
) -> TrainingStep:
    """Return the step of a plan whether or not it fits; ValueError when it does not divide.

    For plans that are known to have run, with memory tricks this model does not know.
    """
    dp = data_parallel(model, accelerators, plan)
    setting = setting_of(model, accelerator, plan, dp, fabric, stack, clock_frac)
    return _step(setting, accelerators, memory.footprint(model, plan, dp, stack).total)


def setting_of(
    model: LanguageModel, accelerator: Accelerator, plan: ParallelPlan, dp: int,
    fabric: Fabric | None = None, stack: Stack | None = None, clock_frac: float = 1.0,
) -> Setting:
    """Return what a step is made on; ValueError for a precision that the chip does not multiply."""
    if plan.precision not in accelerator.peak:
        known = ", ".join(accelerator.peak)
        raise ValueError(f"{accelerator.name} multiplies in {known}, not in {plan.precision}")
    return Setting(
        model, accelerator, plan, fabric or collectives.fabric_of(accelerator),
        stack or from_catalog.stack(plan.stack or DEFAULT_STACK), dp, clock_frac,
    )


def _step(setting: Setting, accelerators: int, memory_bytes: float) -> TrainingStep:
    """Return the step of a setting that divides and fits."""
    model, chip, plan, stack = setting.model, setting.chip, setting.plan, setting.stack
    stage = stage_time(setting)
    pipeline, data = pipeline_time(setting, stage), data_time(setting, stage)
    batches = setting.micro_batches
    pace = slowest(chip, accelerators)
    compute_s = batches * stage.compute_s + data.optimizer_s
    wire_s = batches * stage.exposed_s + pipeline.sends_s
    bubble_s = pace * pipeline.bubble_s
    staged_s = pace * batches * stage.total_s + bubble_s
    step_s = pace * (compute_s + wire_s) + bubble_s + data.exposed_s + stack.step_overhead
    tokens = float(plan.global_batch_sequences * plan.sequence_length)
    work = tokens * transformer.train_flops(model, plan.sequence_length)
    images = plan.images * plan.global_batch_sequences
    work += 3.0 * transformer.encode_flops(model, images)  # backward is twice forward
    at_work = _power_at_work(stage)
    return TrainingStep(
        step_time_s=step_s,
        compute_s=compute_s,
        exposed_communication_s=step_s - compute_s - bubble_s,
        data_parallel_s=data.exposed_s,
        bubble_frac=bubble_s / step_s,
        mfu=work / (step_s * accelerators * chip.peak[setting.precision]),
        tokens_per_step=tokens,
        dynamic_power_frac=WAITING_POWER + (at_work - WAITING_POWER) * compute_s / step_s,
        compute_power_frac=at_work,
        clock_bound_frac=stage.clock_bound_frac * staged_s / step_s,
        checkpoint_bytes=memory.CHECKPOINT_BYTES * transformer.parameters(model),
        memory_bytes=memory_bytes,
        data_parallel=setting.data_parallel,
        stack=stack.name,
    )


def slowest(chip: Accelerator, accelerators: int) -> float:
    """Return how much longer a step takes because it waits for the slowest chip."""
    return slowest_of(accelerators, min(chip.scaleup_domain, SERVER_CHIPS))


def _power_at_work(stage: StageTime) -> float:
    return float(chips.dynamic_power_frac(min(stage.product_s / stage.compute_s, 1.0), 1.0))


def data_parallel(model: LanguageModel, accelerators: int, plan: ParallelPlan) -> int:
    """Return the data-parallel degree; ValueError tells what does not divide."""
    misfits = [told for _, told in plan_faults.undivided(model, accelerators, plan)]
    if misfits:
        raise ValueError("; ".join(misfits))
    return plan_faults.ranks(accelerators, plan)
