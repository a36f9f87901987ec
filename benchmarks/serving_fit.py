"""Figures of serving engines from published measurements, held by what is expected of them.

A figure of a chip is a figure of its engine and a deviation; both are held, the engine's by a value that
can be said beforehand (`EXPECTED`), the deviation by none. Rows pull with their absolute error, models
that were run often with the square root of their runs. Times are nearly linear in the logarithms of the
figures, so one pass per figure gives the slopes of all rows; `solved` is then a small least-squares
problem, and leaving rows out of it costs nothing.

`python benchmarks/serving_fit.py TABLE.csv...` prints the figures that the rows of tables ask for.
"""

import csv
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from simulator.components import from_catalog
from simulator.components.engine import OTHER, Engine
from simulator.studies.validate import (
    mlperf_inference,
    replicas,
    serving_batch,
    serving_load,
    serving_openloop,
    serving_phase,
)
from simulator.studies.validate.table import Row, read
from simulator.studies.validate.topic import topic

Floats = NDArray[np.float64]
Place = tuple[str, str]
"""A field of an engine and a precision, blank where the field has none."""
Figures = dict[tuple[str, str, Place], float]
"""Logarithm of every figure, by engine, chip and place."""

EXPECTED: dict[Place, float] = {
    ("iteration_host", ""): 0.4e-3, ("sequence_host", ""): 8e-6, ("kernel_host", ""): 10e-6,
    ("expert_layer_host", ""): 0.3e-3, ("latent_layer_host", ""): 0.6e-3, ("request_host", ""): 15e-3,
    ("reduce_start", ""): 8e-6, ("kernel_start", ""): 3e-6, ("product_share", ""): 0.95,
    ("kv_share", ""): 0.85, ("attention_share", ""): 0.65, ("expert_rate", ""): 0.9,
    ("product_rate", "bf16"): 0.95, ("product_rate", "fp8"): 0.75,
    ("expert_share", "bf16"): 1.0, ("expert_share", "fp8"): 0.85, ("expert_share", "fp4"): 1.0,
}  # fmt: skip
"""Host times as engines' own profiles show them, shares of what kernels reach alone."""
EARLIER: dict[str, dict[Place, float]] = {
    "vllm-0.2": {
        ("iteration_host", ""): 4e-3, ("sequence_host", ""): 0.3e-3, ("kernel_host", ""): 30e-6,
        ("kv_share", ""): 0.5, ("product_rate", "bf16"): 0.75,
    },
    "vllm-0.11": {("sequence_host", ""): 40e-6},
}  # fmt: skip
"""The same where an engine launched kernels one by one, or sorted scores to draw from them."""
LOOSE = ("iteration_host", "sequence_host", "kernel_host", "expert_layer_host", "latent_layer_host",
         "request_host", "reduce_start")  # fmt: skip
SPREAD_LOOSE, SPREAD_FIRM, OWN = 0.9, 0.2, 2.0
"""Spread of the logarithm around the expected value, of times and of shares; of a chip's deviation, over
it. `OWN` left models least error that the fit had not seen among 0.15, 0.5, 2 and 10."""
STEP, NEAR, ROUNDS, FARTHEST = 0.15, 0.03, 30, 1.2
"""Step of slopes; error below which a row pulls no more; rounds of reweighting; move of a logarithm."""
LATE = {"ttft_mean": (0.5, 0.9)}
"""Weight of a quantity and error beyond which a row is an outlier; of others 1 and 0.6."""
MOST = 20
"""Runs of one model on one chip in one mode that slopes are taken of."""
FITTED = {
    "serving_phase": ("prefill_time", "decode_step_time"),
    "serving_batch": ("itl_p50", "output_throughput"),
    "serving_load": ("tpot_mean", "ttft_mean"),
    "serving_openloop": ("tpot_mean", "ttft_mean", "e2e_mean"),
    "mlperf_inference": ("output_throughput",),
}
"""Quantities that figures are fitted to."""


@dataclass(frozen=True)
class Measured:
    """A row with the engine that simulates it."""

    row: Row
    engine: str
    chip: str
    model: str

    @property
    def quantity(self) -> str:
        """What was measured."""
        return self.row.cells.get("quantity", "output_throughput")


@dataclass
class Slopes:
    """Logarithms of simulated over measured, and how they change with those of figures."""

    rows: list[Measured]
    at: Figures
    error: Floats
    slope: dict[Place, Floats] = field(default_factory=dict)


def engine_of(row: Row) -> str:
    """Return the engine that a row's topic simulates it with."""
    if row.topic == "serving_load":
        return serving_load.ENGINES[row.cells["engine"]]
    if row.topic == "mlperf_inference":
        told = row.cells.get("software", "TensorRT")
        return mlperf_inference.TENSORRT if "TensorRT" in told else mlperf_inference.OTHERS
    topics = (serving_phase, serving_batch, serving_openloop)
    return {t.__name__.rpartition(".")[2]: t.ENGINE for t in topics}[row.topic]


def measured(paths: Iterable[str]) -> list[Measured]:
    """Return the rows of tables that have a value and can be simulated."""
    found = []
    for row in read([Path(path) for path in paths]):
        if row.measured is None or row.topic not in FITTED:
            continue
        try:
            chip = from_catalog.accelerator(row.cells["accelerator"]).name
            model = from_catalog.language_model(row.cells["model"]).name
        except KeyError:
            continue
        found.append(Measured(row, engine_of(row), chip, model.replace("deepseek-v3", "deepseek-r1")))
    return found


def few(rows: list[Measured], most: int = MOST) -> list[Measured]:
    """Return the rows of at most so many runs of each engine, chip, model and mode, spread evenly."""
    runs: dict[tuple[str, ...], list[list[Measured]]] = {}
    apart = ("id", "quantity", "unit", "measured", "topic", "source", "evidence")
    for _, run in groupby(rows, lambda m: [v for k, v in m.row.cells.items() if k not in apart]):
        told = [m for m in run if m.quantity in FITTED[m.row.topic] and _fast(m)]
        if told:
            key = (told[0].engine, told[0].chip, told[0].model, told[0].row.cells.get("mode", ""))
            runs.setdefault(key, []).append(told)
    kept = [group[:: max(len(group) // most, 1)] for group in runs.values()]
    return [m for group in kept for run in group for m in run]


def _fast(m: Measured) -> bool:
    return m.row.topic != "mlperf_inference" or m.row.cells["scenario"] == mlperf_inference.OFFLINE


def catalogued(rows: Iterable[Measured]) -> Figures:
    """Return the logarithms of the figures that the catalog has for the rows."""
    found = {}
    for name, chip in sorted({(m.engine, m.chip) for m in rows}):
        engine = from_catalog.engine(name)
        for part, precision in EXPECTED:
            values = getattr(engine, part)
            if precision:
                value = engine.by_precision(values, chip, precision)
            else:
                value = values.get(chip, values.get(OTHER, EXPECTED[part, precision]))
            found[name, chip, (part, precision)] = math.log(value)
    return found


def engines_with(figures: Figures) -> dict[str, Engine]:
    """Return the engines with the figures given."""
    changed: dict[str, dict[str, dict]] = {}
    for (name, chip, (part, precision)), log in figures.items():
        values = changed.setdefault(name, {}).setdefault(part, dict(getattr(from_catalog.engine(name), part)))
        if precision:
            values[chip] = {**values.get(chip, {}), precision: math.exp(log)}
        else:
            values[chip] = math.exp(log)
    return {name: from_catalog.engine(name).model_copy(update=u) for name, u in changed.items()}


def errors(rows: list[Measured], engines: dict[str, Engine]) -> Floats:
    """Return the logarithm of simulated over measured of each row; nan where it fails."""
    known = from_catalog.engine
    clear: tuple[Callable[[], None], ...] = (
        replicas._deployment.cache_clear, serving_load._latency.cache_clear,
        serving_openloop._latency.cache_clear,
    )  # fmt: skip
    for each in clear:
        each()
    found = np.full(len(rows), np.nan)
    with patch.object(from_catalog, "engine", lambda name: engines.get(name) or known(name)):
        for i, m in enumerate(rows):
            try:
                found[i] = math.log(topic(m.row.topic).simulate(m.row.cells).value / m.row.measured)
            except (ValueError, KeyError):
                continue
    for each in clear:
        each()
    return found


def slopes(rows: list[Measured]) -> Slopes:
    """Return errors with the catalog's figures and their slopes in each figure."""
    at = catalogued(rows)
    found = Slopes(rows, at, errors(rows, engines_with(at)))
    for place in EXPECTED:
        moved = {key: log + STEP * (key[2] == place) for key, log in at.items()}
        found.slope[place] = (errors(rows, engines_with(moved)) - found.error) / STEP
    return found


def solved(taken: Slopes, engine: str, keep: list[bool]) -> tuple[Figures, dict[Place, float]]:
    """Return the figures of an engine's chips that the kept rows ask for, and those of the engine."""
    places, use = list(EXPECTED), [i for i, m in enumerate(taken.rows) if m.engine == engine and keep[i]]
    use = [i for i in use if math.isfinite(taken.error[i])]
    chips = sorted({m.chip for m in taken.rows if m.engine == engine})
    values = EXPECTED | EARLIER.get(engine, {})
    n, expected = len(places), np.log([values[p] for p in places])
    firm = np.array([SPREAD_LOOSE if part in LOOSE else SPREAD_FIRM for part, _ in places])
    held = np.diag(np.r_[np.tile(1.0 / (OWN * firm), len(chips)), 1.0 / firm])
    aim = np.r_[np.zeros(n * len(chips)), expected / firm]
    rows, ends = np.zeros((len(use), len(aim))), np.zeros(len(use))
    for k, i in enumerate(use):
        m = taken.rows[i]
        each, first = np.nan_to_num([taken.slope[p][i] for p in places]), n * chips.index(m.chip)
        rows[k, first : first + n] = rows[k, -n:] = each
        ends[k] = taken.error[i] - each @ [taken.at[engine, m.chip, p] for p in places]
    x = np.r_[
        [taken.at[engine, chip, p] - e for chip in chips for p, e in zip(places, expected, strict=True)], expected
    ]
    weight, far = _weights(taken, use)
    for _ in range(ROUNDS):
        off = np.abs(rows @ x + ends)
        pull = np.sqrt(weight / np.maximum(off, NEAR) * np.where(off > far, 0.1, 1.0))
        x = np.linalg.lstsq(np.vstack([rows * pull[:, None], held]), np.r_[-ends * pull, aim], rcond=None)[0]
    common = dict(zip(places, x[-n:], strict=True))
    own = {}
    for c, chip in enumerate(chips):
        for k, place in enumerate(places):
            before = taken.at[engine, chip, place]
            own[engine, chip, place] = float(np.clip(x[c * n + k] + x[-n + k], before - FARTHEST, before + FARTHEST))
    return own, common


def _weights(taken: Slopes, use: list[int]) -> tuple[Floats, Floats]:
    """Return the weight of each row and the error from which on it is an outlier."""
    groups = [(m.chip, m.model, m.row.cells.get("mode"), m.quantity) for m in (taken.rows[i] for i in use)]
    told = [LATE.get(key[-1], (1.0, 0.6)) for key in groups]
    often = np.array([groups.count(key) for key in groups], np.float64)
    return np.array([w for w, _ in told]) * often**-0.5, np.array([far for _, far in told])


def main(paths: list[str]) -> None:
    """Print figures as a table: engine, field, precision, the engine's, the chips'."""
    rows = few(measured(paths))
    taken, out = slopes(rows), csv.writer(sys.stdout)
    for engine in sorted({m.engine for m in rows}):
        own, common = solved(taken, engine, [True] * len(rows))
        for place in EXPECTED:
            chips = [f"{chip} {math.exp(v):.3g}" for (_, chip, p), v in own.items() if p == place]
            out.writerow([engine, *place, f"{math.exp(common[place]):.3g}", *chips])


if __name__ == "__main__":
    main(sys.argv[1:])
