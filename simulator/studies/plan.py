"""`gigawatt plan`: the best parallel plans of a training step, and what is near when none fits.

The search itself is `simulator.performance.plan_search`; here a question is made whole (what it
leaves open is assumed, and said) and answers become plain tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from simulator.components import from_catalog
from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.performance import (
    plan_axes,
    plan_faults,
    plan_nearest,
    plan_search,
    plan_words,
    transformer,
)
from simulator.performance.collectives import Fabric, fabric_of
from simulator.performance.plan_axes import Case
from simulator.performance.plan_search import Found, Planned
from simulator.performance.training import DEFAULT_STACK
from simulator.studies import StudyError
from simulator.studies.plan_fabric import network

# Tokens in a batch grow with the training's FLOPs C as 0.2920 C^0.3271 (DeepSeek LLM,
# arXiv:2401.02954, section 3.1); Llama 3 405B took 16 M, DeepSeek-V3 63 M tokens. Measured.
BATCH_FACTOR, BATCH_EXPONENT = 0.2920, 0.3271
# Training tokens per parameter for C (Hoffmann et al., arXiv:2203.15556). Measured; runs of today
# take 15-40.
TOKENS_PER_PARAMETER = 20.0
# Pre-training length of Llama 3 (arXiv:2407.21783, 3.4.1). Assumed, 4,096-8,192.
SEQUENCE_LENGTH = 8192

PLAN_FIELDS = (
    "tp", "pp", "virtual_stages", "schedule", "cp", "ep", "dp", "micro_batch", "sharding",
    "recompute", "precision", "global_batch_sequences", "sequence_length",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """What is asked; None where the study shall assume."""

    model: str
    accelerator: str
    accelerators: int
    fabric: Path | None = None
    global_batch_sequences: int | None = None
    sequence_length: int | None = None
    precision: str | None = None
    stack: str | None = None
    top: int = 5
    images: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What was found, on how many accelerators, and what was taken for granted."""

    model: LanguageModel
    chip: Accelerator
    accelerators: int
    fabric: Fabric
    found: Found
    assumed: Mapping[str, str] = field(default_factory=dict)
    """Why each value that was not given is what it is."""
    reason: str = ""
    """Why there is no plan, with what does not fit part by part."""
    fewer: tuple[int, Planned] | None = None
    """Fewer accelerators and their best plan: where they are faster, or all have no plan."""
    enough: int | None = None
    """Where nothing fits: the fewest accelerators that hold the model."""


def plan(asked: Question) -> Answer:
    """Return the best plans; StudyError for unknown names and impossible questions."""
    model = _named(from_catalog.language_model, asked.model)
    chip = _named(from_catalog.accelerator, asked.accelerator)
    fixed, assumed = _completed(asked, model, chip)
    fabric, assumed["fabric"] = _fabric(asked, chip)
    case = Case(model, chip, asked.accelerators, fixed)
    found = plan_search.search(model, chip, asked.accelerators, fixed, fabric, asked.top)
    answer = Answer(model, chip, asked.accelerators, fabric, found, assumed)
    if not found.plans:
        return _without(answer, case)
    return replace(answer, fewer=_faster(answer, case, found.plans[0].step.step_time_s))


def _without(answer: Answer, case: Case) -> Answer:
    """Return the answer where no plan is feasible: why, and what is near."""
    most = plan_nearest.fewer(case)
    return replace(
        answer,
        reason=plan_words.why_none(case),
        fewer=(most, _best(case, most, answer.fabric)) if most else None,
        enough=plan_nearest.enough(case),
    )


def _faster(answer: Answer, case: Case, step_time_s: float) -> tuple[int, Planned] | None:
    """Return fewer accelerators that divide better, if they are faster than all of them."""
    count = plan_nearest.rounder(case)
    if count is None:
        return None
    found = plan_search.search(case.model, case.chip, count, case.fixed, answer.fabric)
    faster = [made for made in found.plans if made.step.step_time_s < step_time_s]
    return (count, faster[0]) if faster else None


def _best(case: Case, accelerators: int, fabric: Fabric) -> Planned:
    return plan_search.best_plan(case.model, case.chip, accelerators, case.fixed, fabric)


def _named(load: Any, name: str) -> Any:
    try:
        return load(name)
    except KeyError as error:
        raise StudyError(str(error.args[0])) from None


def _completed(
    asked: Question, model: LanguageModel, chip: Accelerator
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields that all plans keep, and why those not given are what they are."""
    assumed: dict[str, str] = {}
    length = asked.sequence_length
    if length is None:
        length = min(SEQUENCE_LENGTH, model.context)
        assumed["sequence_length"] = f"{length} tokens: as Llama 3, arXiv:2407.21783"
    batch = asked.global_batch_sequences
    if batch is None:
        batch = dividing(batch_tokens(model) / length, asked.accelerators)
        assumed["global_batch_sequences"] = (
            f"{batch} sequences: near {batch_tokens(model) / 1e6:.1f} M tokens for "
            f"{TOKENS_PER_PARAMETER:.0f} tokens per parameter, arXiv:2401.02954, and so that the "
            "accelerators divide it"
        )
    fixed = {"sequence_length": length, "global_batch_sequences": batch}
    stack = _stack(asked.stack or DEFAULT_STACK, chip)
    if asked.stack is None:
        assumed["stack"] = f"{stack}, the same for every chip"
    if asked.precision is None:
        known = plan_axes.options(Case(model, chip, asked.accelerators, fixed), "precision")
        which = "whichever is faster" if len(known) > 1 else f"all that {chip.name} trains in"
        assumed["precision"] = f"{' or '.join(known)}, {which}"
    elif asked.precision not in chip.peak:
        known_peaks = ", ".join(chip.peak)
        raise StudyError(f"{chip.name} multiplies in {known_peaks}, not in {asked.precision}")
    room = plan_faults.images_that_fit(model, length)
    if asked.images > room:
        raise StudyError(f"a sequence of {model.name} has room for {room:.4g} images")
    if model.encoder is not None and not asked.images:
        assumed["images"] = "none in a sequence: of the image encoder only the weights count"
    return {**fixed, "images": asked.images, "precision": asked.precision, "stack": stack}, assumed


def _stack(name: str, chip: Accelerator) -> str:
    """Return the catalog's name of a stack that has constants for the chip."""
    stack = _named(from_catalog.stack, name)
    for precision in chip.peak:
        _named(lambda name: stack.share(chip.name, name), precision)
    return str(stack.name)


def batch_tokens(model: LanguageModel) -> float:
    """Return the tokens of a sensible global batch, from the FLOPs of a compute-optimal training."""
    tokens = TOKENS_PER_PARAMETER * transformer.parameters(model)
    flops = 6.0 * transformer.active_parameters(model) * tokens
    return float(BATCH_FACTOR * flops**BATCH_EXPONENT)


def dividing(sequences: float, accelerators: int) -> int:
    """Return a number of sequences near `sequences` that accelerators divide well.

    It is the largest odd divisor of the accelerators below it, times the power of two that comes
    nearest.
    """
    odd = accelerators // (accelerators & -accelerators)
    unit = max((d for d in plan_axes.divisors(odd) if d <= sequences), default=1)
    return min((unit * 2**k for k in range(40)), key=lambda n: abs(n - sequences))


def _fabric(asked: Question, chip: Accelerator) -> tuple[Fabric, str]:
    """Return the fabric and what it is, in words."""
    if asked.fabric is None:
        return fabric_of(chip), "one non-blocking network at the chip's own ports"
    return network(asked.fabric, chip, asked.accelerators)


def as_json(answer: Answer) -> dict[str, Any]:
    """Return the answer as a tree of plain values."""
    fewer = None
    if answer.fewer:
        count, best = answer.fewer
        fewer = {"n": count, "spares": answer.accelerators - count, "plan": row(best)}
    return {
        "model": answer.model.name,
        "accelerator": answer.chip.name,
        "n": answer.accelerators,
        "assumed": dict(answer.assumed),
        "searched": answer.found.searched,
        "feasible": answer.found.feasible,
        "plans": [row(made) for made in answer.found.plans],
        "reason": answer.reason or None,
        "fewer": fewer,
        "enough": answer.enough,
    }


def row(made: Planned) -> dict[str, Any]:
    """Return a plan with its step as plain values: seconds, bytes, shares."""
    step = made.step
    return {name: getattr(made.plan, name) for name in PLAN_FIELDS} | {
        "step_time_s": step.step_time_s,
        "mfu": step.mfu,
        "tokens_s": step.tokens_per_step / step.step_time_s,
        "memory_bytes": made.memory.total,
        "memory": {part: float(value) for part, value in vars(made.memory).items()},
        "compute_s": step.compute_s,
        "exposed_communication_s": step.exposed_communication_s,
        "bubble_frac": step.bubble_frac,
        "dynamic_power_frac": step.dynamic_power_frac,
    }
