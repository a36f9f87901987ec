"""Topic `training`: one synchronous step, its plan as published; what is not published is chosen as the
stack of the time would have."""

import re
from collections.abc import Iterator
from typing import Any

from simulator.components import from_catalog
from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan
from simulator.components.stack import Stack
from simulator.performance import collectives, memory, plan_search, training
from simulator.studies.validate import training_words as words
from simulator.studies.validate.topic import Cells, Simulated, count, given, in_unit

QUANTITY = "step_time"
DEGREES = {"tp": "tp", "pp": "pp", "cp": "cp", "ep": "ep", "dp": "dp"}
SHAPES = {"layers": "layers", "hidden": "hidden", "heads": "heads", "kv_heads": "kv_heads",
          "ffn": "ffn", "vocab": "vocabulary"}  # fmt: skip
UNNAMED_PRECISION = {"megatron-bridge": "fp8"}
"""What a family of stacks multiplies in where a row does not say: its tables' first column."""
RECOMPUTE = ("none", "selective", "full")
MICRO_BATCHES = (1, 2, 4, 8, 16)
GPT_VOCABULARY = 51_200
"""GPT-2's 50,257 words, padded so that tensor-parallel ranks share them (Megatron-LM)."""
SERVER_DOMAIN = 16
"""Scale-up domains of up to so many chips end at the server's walls (baseboards of 8, Trainium's 16);
those of racks and pods join servers, however many chips each holds."""
PORTS = {"megatron-deepspeed-2022": 12.5e9}
"""Bytes per second and chip between servers, where a cluster differs from the chip's usual one: four
ports of 200 Gb/s for eight A100 (vTrain, arXiv:2312.12391, section V)."""


def simulate(row: Cells, stack: Stack | None = None) -> Simulated:
    """Return the step time of a row; its plan is searched where none is published.

    With a `stack` its constants are used in place of those of the row's own.
    """
    chip = _chip(row)
    chips = count(row, "n_accelerators")
    stack = stack or from_catalog.stack(given(row, "stack"))
    model, fabric = _model(row), _fabric(row, chip)
    searched = not _degrees(row)
    if searched:
        fixed = _fixed(row, chip, stack) | {"schedule": "1f1b"}
        found = plan_search.best_plan(model, chip, chips, fixed, fabric, stack=stack)
        time_s, plan = found.step.step_time_s, found.plan
    else:
        time_s, plan = _fastest(row, model, chip, chips, fabric, stack)
    return Simulated(in_unit(time_s, "s", row), searched, _note(row, plan, chip, stack))


def _fastest(
    row: Cells,
    model: LanguageModel,
    chip: Accelerator,
    chips: int,
    fabric: collectives.Fabric,
    stack: Stack,
) -> tuple[float, ParallelPlan]:
    """Return the best of what a row leaves open, and its time."""
    found = [
        (training.estimate_unchecked(model, chip, chips, plan, fabric, stack).step_time_s, plan)
        for plan in _plans(row, model, chip, chips, stack)
    ]
    if not found:
        raise ValueError("no micro-batch divides the batch over the ranks")
    return min(found, key=lambda each: each[0])


def _chip(row: Cells) -> Accelerator:
    """Return the chip of a row; in a server of fewer than its domain holds, the domain is the server."""
    chip = from_catalog.accelerator(given(row, "accelerator"))
    each = words.degree(row, "accelerators_per_node")
    if each is None or each >= chip.scaleup_domain or chip.scaleup_domain > SERVER_DOMAIN:
        return chip
    return chip.model_copy(update={"scaleup_domain": each})


def _model(row: Cells) -> LanguageModel:
    """Return the catalog's model with the shapes that the row gives in place of its own."""
    shapes: dict[str, Any] = {new: count(row, old) for old, new in SHAPES.items() if row.get(old)}
    name = re.sub(r"\s*\(.*?\)", "", given(row, "model"))
    if "w/o MTP" in row["model"]:
        shapes["mtp_layers"] = 0
    try:
        model = from_catalog.language_model(name)
    except KeyError:
        if not {"layers", "hidden", "heads"} <= shapes.keys():
            raise
        return _gpt(name, shapes)
    if not shapes:
        return model
    hidden, heads = shapes.get("hidden", model.hidden), shapes.get("heads", model.heads)
    if heads != model.heads or hidden != model.hidden:
        shapes = {"kv_heads": heads, "head_dimension": _split(hidden, heads)} | shapes
    if hidden != model.hidden and not model.gated:
        shapes = {"ffn": 4 * hidden} | shapes
    return LanguageModel.model_validate(model.model_dump() | shapes, context={"si": True})


def _gpt(name: str, shapes: dict[str, Any]) -> LanguageModel:
    """Return a GPT of given shapes: as many key-value heads as heads, four times as wide inside."""
    hidden, heads = shapes["hidden"], shapes["heads"]
    assumed = {
        "name": name, "developer": "published shapes", "kv_heads": heads,
        "head_dimension": _split(hidden, heads), "ffn": 4 * hidden, "gated": False,
        "vocabulary": GPT_VOCABULARY, "tied_embeddings": True, "positions": 2048, "context": 2048,
        "parameters_published": 1.0,
    }  # fmt: skip
    return LanguageModel.model_validate(assumed | shapes, context={"si": True})


def _split(hidden: int, heads: int) -> int:
    """Return the width of a head; ValueError if the heads do not share the hidden width evenly."""
    if hidden % heads:
        raise ValueError(f"hidden {hidden} does not divide over {heads} heads")
    return hidden // heads


def _fabric(row: Cells, chip: Accelerator) -> collectives.Fabric:
    """Return the network of the cluster that ran a row."""
    port_bytes_s = PORTS.get(row.get("stack", ""), chip.scaleout_bandwidth)
    return collectives.fabric_of(chip, degraded=port_bytes_s / chip.scaleout_bandwidth)


def _plans(
    row: Cells, model: LanguageModel, chip: Accelerator, chips: int, stack: Stack
) -> Iterator[ParallelPlan]:
    """Yield the plans that a row leaves open: micro-batch and interleaving."""
    fixed = _degrees(row) | _fixed(row, chip, stack)
    micro = words.degree(row, "micro_batch")
    for batch in MICRO_BATCHES if micro is None else (micro,):
        plan = ParallelPlan(**fixed, micro_batch=batch)
        for stages in _virtual_stages(row, model, plan, stack):
            asked = plan.model_copy(update={"virtual_stages": stages})
            try:
                dp = training.data_parallel(model, chips, asked)
            except ValueError:
                if micro is None:
                    continue
                raise
            yield _fitting(row, model, chip, asked, dp, stack)


def _virtual_stages(
    row: Cells, model: LanguageModel, plan: ParallelPlan, stack: Stack
) -> tuple[int, ...]:
    """Return the interleavings to choose from: all that divide a stage's layers, where embedding and
    output count as a layer each if the layers alone do not divide."""
    told = words.degree(row, "vpp")
    if told is not None:
        if told > 1 and plan.pp == 1:
            raise ValueError(f"vpp {told} needs several pipeline stages, and pp is 1")
        return (told,)
    if plan.pp == 1 or not stack.interleaves:
        return (1,)
    even = next((n for n in (model.layers, model.layers + 2) if n % plan.pp == 0), plan.pp)
    layers = even // plan.pp
    return tuple(v for v in range(1, layers + 1) if layers % v == 0)


def _fitting(
    row: Cells, model: LanguageModel, chip: Accelerator, plan: ParallelPlan, dp: int, stack: Stack
) -> ParallelPlan:
    """Return the plan with the least recomputation that fits, unless the row tells it, and with
    fully sharded weights if nothing else fits. A stack that offloads computes nothing again and
    shares out no more than it would."""
    told, offloads = words.recompute(row).value, chip.name in stack.offloads
    choices = (told,) if told else ("none",) if offloads else RECOMPUTE
    fixed = words.sharding(row).value or offloads
    shardings = (plan.sharding,) if fixed else (plan.sharding, "full")
    for sharding in shardings:
        for recompute in choices:
            tried = plan.model_copy(update={"recompute": recompute, "sharding": sharding})
            try:
                memory.check(model, chip, tried, dp, stack)
            except ValueError:
                continue
            return tried
    return plan.model_copy(update={"recompute": choices[0]})


def _fixed(row: Cells, chip: Accelerator, stack: Stack) -> dict[str, Any]:
    """Return what every row tells of its plan, or its stack does."""
    return {
        "global_batch_sequences": count(row, "global_batch"),
        "sequence_length": count(row, "seq_len"),
        "precision": precision_of(row, chip, stack),
        "sequence_parallel": stack.sequence_parallel,
        "sharding": words.sharding(row).value or stack.sharding,
    }


def _degrees(row: Cells) -> dict[str, Any]:
    """Return the parallel degrees of a row."""
    found = {new: words.degree(row, old) for old, new in DEGREES.items()}
    return {new: degree for new, degree in found.items() if degree is not None}


def precision_of(row: Cells, chip: Accelerator, stack: Stack) -> str:
    """Return what a row was multiplied in: its stack knows better where the table is wrong."""
    family = stack.name.rpartition("-")[0]
    told = stack.precisions.get(chip.name) or words.precision(row).value
    return told or UNNAMED_PRECISION.get(family, "bf16")


def _note(row: Cells, plan: ParallelPlan, chip: Accelerator, stack: Stack) -> str:
    """Return what was chosen in place of cells that are not given or not understood."""
    chosen = {
        "tp": plan.tp, "pp": plan.pp, "cp": plan.cp, "ep": plan.ep,
        "micro_batch": plan.micro_batch, "vpp": plan.virtual_stages, "sharding": plan.sharding,
        "precision": plan.precision, "recompute": plan.recompute,
    }  # fmt: skip
    notes = [f"{k} {v}" for k, v in chosen.items() if not words.understood(row, k)]
    if words.precision(row).value and chip.name in stack.precisions:
        notes.append(f"precision {plan.precision} as stack {stack.name} ran on {chip.name}")
    return ", ".join([*notes, *words.remarks(row, (*DEGREES, "micro_batch", "vpp"))])
