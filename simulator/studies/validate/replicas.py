"""The serving replica that a row of a serving table describes."""

import numpy as np

from simulator.components import from_catalog
from simulator.components.language_model import LanguageModel
from simulator.performance import chip as chips
from simulator.performance.replica import Replica
from simulator.studies.validate.topic import Cells, given, number

PRECISIONS = {
    "bf16": "bf16", "bfloat16": "bf16", "fp16": "bf16", "float16": "bf16", "fp8": "fp8",
    "int8": "int8", "fp4": "fp4", "mxfp4": "fp4", "nvfp4": "fp4", "int4": "fp4",
}  # fmt: skip
"""Words of the tables: 16-bit formats cost the same, and so do 4-bit ones with shared scales."""


def model_of(row: Cells) -> LanguageModel:
    """Return the row's model; its public shapes are the catalog's."""
    return from_catalog.language_model(given(row, "model"))


def replica(row: Cells, chips: int, default: str | None = None) -> Replica:
    """Return a replica of so many chips.

    Weights in the row's precision; where it gives none, in `default`, else as released.
    """
    model, word = model_of(row), row.get("weight_precision", "").lower()
    if word and word not in PRECISIONS:
        raise ValueError(f"weight_precision is '{word}', none of {', '.join(PRECISIONS)}")
    precision = PRECISIONS[word] if word else default or model.weight_precision
    chip = from_catalog.accelerator(given(row, "accelerator"))
    return Replica(model, chip, chips, precision)


def chips_of(row: Cells, part: str = "") -> int:
    """Return the chips of one engine: tensor x pipeline x data parallel.

    `part` is `prefill_` or `decode_` for the workers of a disaggregated deployment. A degree that
    is blank or 0 is not used.
    """
    degrees = [max(int(number(row, part + d, 1.0)), 1) for d in ("tp", "pp", "dp")]
    return int(np.prod(degrees))


def decode_s(engine: Replica, batch: float, context: float) -> float:
    """Return the time in s of one decode iteration of a batch; no batch is smaller than one."""
    return float(engine.decode_s(np.array([max(batch, 1.0)]), context)[0])


def dynamic_frac(engine: Replica, batch: float, context: float) -> float:
    """Return a chip's dynamic power in decode iterations as a share of idle to TDP."""
    whole_s = decode_s(engine, batch, context)
    matrix_s = batch * engine.sequence_matrix_s(context)
    memory_s = float(engine.weights_s(np.array([batch]))[0])
    memory_s += batch * engine.sequence_memory_s(context)
    return float(chips.dynamic_power_frac(matrix_s / whole_s, memory_s / whole_s))


def power_w(engine: Replica, frac: float) -> float:
    """Return one chip's power at a share of idle to TDP."""
    return engine.chip.idle + frac * (engine.chip.tdp - engine.chip.idle)


def unknown_quantity(row: Cells, known: tuple[str, ...]) -> ValueError:
    """Return the error for a quantity that a topic does not have."""
    told = ", ".join(known)
    return ValueError(f"quantity is '{row.get('quantity', '')}', none of {told}")
