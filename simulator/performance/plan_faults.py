"""What does not divide in a parallel plan, in words, each with the field of the plan at fault."""

from collections.abc import Iterator

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan

Fault = tuple[str, str]
"""A field of the plan and what is wrong with it."""

# Chunks that a plan may have beyond the layers: embedding and output matrix as stages of their own.
ENDS = 2


def ranks(accelerators: int, plan: ParallelPlan) -> int:
    """Return the data-parallel ranks: those given, or what the accelerators leave."""
    return plan.dp or accelerators // (plan.tp * plan.pp * plan.cp)


def undivided(model: LanguageModel, accelerators: int, plan: ParallelPlan) -> list[Fault]:
    """Return what does not divide."""
    tp, pp, cp, ep, dp = plan.tp, plan.pp, plan.cp, plan.ep, ranks(accelerators, plan)
    chunks, group = pp * plan.virtual_stages, tp * pp * cp
    experts = model.experts.count if model.experts else 1
    split = f"tp {tp} x pp {pp} x cp {cp} x dp {dp}"
    batch = f"{plan.global_batch_sequences} sequences do not divide into micro-batches of"
    each = (
        ("dp", dp * group != accelerators,
         f"{split} is {dp * group}, not {accelerators} accelerators"),
        ("global_batch_sequences",
         dp > 0 and plan.global_batch_sequences % (dp * plan.micro_batch) != 0,
         f"{batch} {plan.micro_batch} on {dp} data-parallel ranks"),
        ("tp", model.heads % tp != 0, f"{model.heads} heads do not divide over tp {tp}"),
        ("pp", chunks > model.layers + ENDS,
         f"{model.layers} layers are too few for {chunks} chunks"),
        ("ep", experts % ep != 0, f"{experts} experts do not divide over ep {ep}"),
        ("ep", (tp * cp * dp) % ep != 0, f"ep {ep} does not divide tp x cp x dp = {tp * cp * dp}"),
    )  # fmt: skip
    return [(field, told) for field, wrong, told in each if wrong]


def beyond(chip: Accelerator, plan: ParallelPlan) -> Iterator[Fault]:
    """Yield what the chip cannot do: its scale-up domain, the precisions it multiplies in."""
    if plan.tp > chip.scaleup_domain:
        reach = f"the scale-up domain of {chip.name}, {chip.scaleup_domain} accelerators"
        yield "tp", f"tp {plan.tp} exceeds {reach}"
    if plan.precision not in chip.peak:
        known = ", ".join(chip.peak)
        yield "precision", f"{chip.name} multiplies in {known}, not in {plan.precision}"
