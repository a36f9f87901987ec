"""Topic `training`: one synchronous step, its plan as published."""

import re
from typing import Any

from simulator.components import from_catalog
from simulator.components.language_model import LanguageModel
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance.training import estimate
from simulator.studies.validate.topic import Cells, Simulated, count, given, in_unit

QUANTITY = "step_time"
DEGREES = {"tp": "tp", "pp": "pp", "cp": "cp", "ep": "ep", "vpp": "virtual_stages",
           "micro_batch": "micro_batch"}  # fmt: skip
SHAPES = {"layers": "layers", "hidden": "hidden", "heads": "heads", "kv_heads": "kv_heads",
          "ffn": "ffn", "vocab": "vocabulary"}  # fmt: skip
PRECISIONS = {"fp8": "fp8", "mxfp8": "fp8", "nvfp4": "fp4", "int8": "int8"}
NOT_GIVEN = ("", "n/a")


def simulate(row: Cells) -> Simulated:
    """Return the step time of a row."""
    chip = from_catalog.accelerator(given(row, "accelerator"))
    chips = count(row, "n_accelerators")
    step = estimate(_model(row), chip, chips, _plan(row))
    return Simulated(in_unit(step.step_time_s, "s", row))


def _model(row: Cells) -> LanguageModel:
    """Return the catalog's model with the shapes that the row gives in place of its own."""
    shapes: dict[str, Any] = {new: count(row, old) for old, new in SHAPES.items() if row.get(old)}
    name = given(row, "model")
    try:
        model = from_catalog.language_model(name)
    except KeyError:
        if not {"layers", "hidden", "heads"} <= shapes.keys():
            raise
        model = from_catalog.language_model("gpt-3-175b")
        shapes |= {"name": name, "parameters_published": float(row.get("params_b") or 1.0) * 1e9}
    if not shapes:
        return model
    hidden, heads = shapes.get("hidden", model.hidden), shapes.get("heads", model.heads)
    derived = {"head_dimension": hidden // heads, "kv_heads": heads}
    derived |= {} if model.gated else {"ffn": 4 * hidden}
    return LanguageModel.model_validate(model.model_dump() | derived | shapes, context={"si": True})


def _plan(row: Cells) -> ParallelPlan:
    """Return the plan of a row."""
    degrees = {new: _leading(row[old]) for old, new in DEGREES.items()
               if row.get(old, "") not in NOT_GIVEN}  # fmt: skip
    word = row.get("precision", "").lower().replace("amp_", "").split("-")[0].split(" ")[0]
    recompute = row.get("recompute", "").split(" ")[0] or "none"
    return ParallelPlan(
        **degrees,  # type: ignore[arg-type]
        dp=count(row, "dp") if row.get("dp") else None,
        global_batch_sequences=count(row, "global_batch"),
        sequence_length=count(row, "seq_len"),
        precision=PRECISIONS.get(word, "bf16"),  # type: ignore[arg-type]
        recompute=recompute,  # type: ignore[arg-type]
        sharding="full" if row.get("sharding") == "zero3" else "optimizer",
    )


def _leading(cell: str) -> int:
    """Return the number a cell opens with: `1 (2)` is 1."""
    found = re.match(r"\d+", cell)
    if found is None:
        raise ValueError(f"'{cell}' is not a whole number")
    return int(found.group())
