"""The GPT-3 175B run of 64 nodes whose power was logged (MLPerf Training v4.0), as one of our jobs."""

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from simulator import rng
from simulator.components import from_catalog
from simulator.components.parallel_plan import ParallelPlan
from simulator.components.power import swings
from simulator.components.power.smoothing import OFF
from simulator.components.rack import Rack
from simulator.kernels import philox
from simulator.kernels.waveform import Members, Slots, Spans
from simulator.performance import training
from simulator.performance.stragglers import SPEED_SPREAD
from simulator.performance.training import WAITING_POWER
from simulator.workloads import step_rhythm
from simulator.workloads.step import JobStep, phases_of, scaled
from simulator.workloads.waveform import SAMPLE_S
from simulator.workloads.waveform_power import STEP_SPREAD, synthesised
from simulator.workloads.waveform_spans import Span, as_spans

Floats = NDArray[np.float64]

NODE, NODES, CHIPS = "HGX-H100-8-IMMERSION", 64, 8
# As the logs tell: length of a step, steps between evaluations, length of one, whole run.
# Measured (MLPerf Training v4.0, smc).
STEP_S, STEPS_BETWEEN, EVALUATION_S, RUN_S = 10.77, 12, 13.0, 3412.0

# Sequences of the validation set (11,590,004 tokens of C4 in sequences of 2,048; MLPerf's rules for
# GPT-3). Assumed.
VALIDATION_SEQUENCES = 5659.0

# Oil in the tank. Assumed, 30-45 degC.
OIL_C = 40.0

METER_S = 2.0
"""Of the logs: a node is read every 2 s, here its mean over that."""
PLAN = ParallelPlan.model_validate(
    {
        "tp": 4, "pp": 8, "virtual_stages": 4, "micro_batch": 2, "global_batch_sequences": 2048,
        "sequence_length": 2048, "precision": "fp8", "stack": "mlperf-v4.0",
    }
)  # fmt: skip
"""Not published; NVIDIA's own of the same round on as many nodes."""


@dataclass(frozen=True)
class Run:
    """Power at the meter; arrays (nodes, readings)."""

    input_w: Floats
    output_w: Floats
    """Behind the supplies."""
    evaluating: NDArray[np.bool_]
    """(readings,) whether an evaluation takes the whole reading."""

    @property
    def cluster_w(self) -> Floats:
        """All nodes together."""
        total: Floats = self.input_w.sum(axis=0)
        return total

    @property
    def energy_j(self) -> float:
        """Of the run."""
        return float(self.cluster_w.sum() * METER_S)

    def line_w(self) -> tuple[float, float]:
        """Return frequency and amplitude of the line at the frequency of steps."""
        found = swings.spectrum(self.cluster_w, METER_S)
        return found.largest(0.95 / STEP_S, 1.05 / STEP_S)


@cache
def run() -> Run:
    """Return the run."""
    step, slots = step_of_run()
    node = from_catalog.rack(NODE)
    spans, windows = spans_of_run(step)
    readings = round(RUN_S / METER_S)
    each = round(METER_S / SAMPLE_S)
    key = rng.key(0, 0, "power of a run")
    inputs = np.empty((NODES, readings))
    pace = np.array([SPEED_SPREAD * philox.normal(*key, 1, n, 0, 0) for n in range(NODES)])
    pace += 1.0 - pace.mean()
    for n in range(NODES):
        stage = n * PLAN.pp // NODES
        member = one_member(node, stage, float(pace[n]), OIL_C, step.dynamic_power_frac)
        power_w, _, _ = synthesised(spans, slots, member, OFF, readings * each)
        inputs[n] = power_w.reshape(readings, each).mean(axis=1)
    at_s = np.arange(readings) * METER_S
    evaluating = np.zeros(readings, bool)
    for start_s in windows:
        evaluating |= (at_s >= start_s) & (at_s + METER_S <= start_s + EVALUATION_S)
    return Run(inputs, behind_shelf_w(node, inputs), evaluating)


def step_of_run() -> tuple[JobStep, Slots]:
    """Return the step, its phases brought to the length that was logged, and its slots."""
    model = from_catalog.language_model("gpt-3-175b")
    chip = from_catalog.accelerator("H100-SXM-80GB")
    planned = training.estimate_unchecked(model, chip, NODES * CHIPS, PLAN)
    phases = scaled(phases_of(planned), STEP_S / planned.step_time_s)
    step = JobStep(phases, planned.tokens_per_step, 1.0, planned.mfu, planned.checkpoint_bytes)
    once = planned.data_parallel_s / planned.exposed_communication_s
    return step, step_rhythm.rhythm(step, PLAN, NODES * CHIPS, once)


def spans_of_run(step: JobStep) -> tuple[Spans, list[float]]:
    """Return the spans of the run, and when its evaluations begin.

    An evaluation is the forward pass of its sequences, a third of a step's time each, in batches as
    large as the step's (the pipeline is laid out for them). The rest of its time is waits, before each
    batch for its data and after the last for the loss of all; taken to be equal.
    """
    key = rng.key(0, 0, "steps of a run")
    rows: list[Span] = []
    evaluations: list[float] = []
    at_s, steps = 0.0, 0
    while at_s < RUN_S:
        for _ in range(STEPS_BETWEEN):
            stretch = 1.0 + STEP_SPREAD * philox.normal(*key, 1, steps, 0, 0)
            rows.append(Span(at_s, at_s + stretch * STEP_S, 1, 0.0, stretch, 1.0, WAITING_POWER, 1.0))
            at_s, steps = at_s + stretch * STEP_S, steps + 1
        evaluations.append(at_s)
        for length_s, level in _evaluation(step):
            rows.append(Span(at_s, at_s + length_s, 0, 0.0, 1.0, 1.0, level, 1.0))
            at_s += length_s
    return as_spans(rows), evaluations


def _evaluation(step: JobStep) -> list[tuple[float, float]]:
    """Return length and level of what an evaluation is made of."""
    batches = math.ceil(VALIDATION_SEQUENCES / PLAN.global_batch_sequences)
    forward_s = STEP_S / 3.0 * VALIDATION_SEQUENCES / PLAN.global_batch_sequences
    wait = max(EVALUATION_S - forward_s, 0.0) / (batches + 1), WAITING_POWER
    passes = min(forward_s, EVALUATION_S) / batches, step.dynamic_power_frac
    return [*[wait, passes] * batches, wait]


def one_member(rack: Rack, stage: int, pace: float, coolant_c: float, level: float) -> Members:
    """Return one rack as the kernel takes it, settled at a mean level."""
    assert rack.accelerator is not None
    chip = from_catalog.accelerator(rack.accelerator)
    leak = chip.leakage_w_per_k
    static_w, dynamic_w = chip.idle - leak * chip.leakage_reference, chip.tdp - chip.idle
    chip_w = (static_w + leak * coolant_c + level * dynamic_w) / (1.0 - leak * chip.thermal_resistance)
    rating_w, shelf = rack.power_shelf_rating, rack.power_shelf
    values = {
        "stage": stage, "pace": pace, "cap": 1.0, "chips": rack.accelerators,
        "junction_c": coolant_c + chip.thermal_resistance * chip_w, "coolant_c": coolant_c,
        "resistance_k_w": chip.thermal_resistance, "heat_capacity_j_k": chip.heat_capacity,
        "static_w": static_w, "leakage_w_k": leak, "dynamic_w": dynamic_w,
        "host_idle_w": rack.host_idle, "host_dynamic_w": rack.host_max - rack.host_idle,
        "shelf_fixed_w": rating_w * shelf.no_load, "shelf_linear": 1.0 + shelf.linear,
        "shelf_load_per_w": shelf.load / rating_w,
    }  # fmt: skip
    return Members(**{
        name: np.array([value], np.int64 if name == "stage" else np.float64)
        for name, value in values.items()
    })  # fmt: skip


def behind_shelf_w(rack: Rack, input_w: Floats) -> Floats:
    """Return the output of the power shelves for an input: P_in = a + (1 + b) P + c P^2."""
    shelf, rating_w = rack.power_shelf, rack.power_shelf_rating
    a, b, c = rating_w * shelf.no_load, 1.0 + shelf.linear, shelf.load / rating_w
    if c == 0.0:
        return (input_w - a) / b
    found: Floats = (np.sqrt(b * b + 4.0 * c * (input_w - a)) - b) / (2.0 * c)
    return found
