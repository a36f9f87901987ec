"""Topic `power`: draw of single servers, racks and systems, at their meters.

Configurations are in words, so a row is known by its id. What is no draw of a stated configuration is
told apart with the reason.
"""

from collections.abc import Callable
from functools import cache, partial

import numpy as np

from simulator.components import from_catalog
from simulator.components.parallel_plan import ParallelPlan
from simulator.components.power.smoothing import OFF
from simulator.components.power.smoothing.power_floor import PowerFloor
from simulator.components.power.smoothing.rack_storage import RackStorage
from simulator.kernels import waveform as kernel
from simulator.performance import training
from simulator.performance.fine_tuning import adapter_step
from simulator.performance.training import WAITING_POWER, TrainingStep
from simulator.studies.validate import power_frontier, power_run
from simulator.studies.validate.mlperf_inference import PROMPT_TOKENS, TENSORRT
from simulator.studies.validate.power_run import Run
from simulator.studies.validate.topic import Cells, Simulated, given
from simulator.studies.validate.under_limits import Task, batch_at, busiest
from simulator.units import parse
from simulator.workloads import step_rhythm
from simulator.workloads.step import steps_over
from simulator.workloads.waveform_power import synthesised
from simulator.workloads.waveform_spans import Span, as_spans

QUANTITY = "power"

# What cools the chips: air into the server, water into cold plates. Assumed, 18-32 and 25-45 degC.
AIR_C, WATER_C = 27.0, 40.0

# Rank of the adapters (MLPerf Training, llama2_70b_lora). Vendor.
ADAPTER_RANK = 16

# What an air-cooled system of 8 H100 is rated at. Vendor (DGX SuperPOD guide).
RATED_W = 10_200.0

COOLED_BY = {
    "HGX-H100-8-AIR": AIR_C, "HGX-B200-8-AIR": AIR_C, "HGX-B200-8-WATER": WATER_C,
    "HGX-H100-8-IMMERSION": power_run.OIL_C, "GB200-NVL72": WATER_C, "GB300-NVL72": WATER_C,
}  # fmt: skip
SERVER_CHIPS = 8
"""Of each server that serves."""
SERVING = {
    "INF-405-OFF": ("llama-3.1-405b", "HGX-B200-8-WATER", 653.0, np.inf, np.inf),
    "INF-405-SRV": ("llama-3.1-405b", "HGX-B200-8-WATER", 653.0, 6.0, 0.175),
    "INF-8B-OFF": ("llama-3.1-8b", "HGX-B200-8-WATER", 128.0, np.inf, np.inf),
    "INF-8B-SRV": ("llama-3.1-8b", "HGX-B200-8-WATER", 128.0, 2.0, 0.1),
    "INF-70-OFF": ("llama-2-70b", "HGX-B200-8-AIR", 290.0, np.inf, np.inf),
    "INF-70-SRV": ("llama-2-70b", "HGX-B200-8-AIR", 290.0, 2.0, 0.2),
}  # fmt: skip
"""Model, server, mean answer and limits of MLPerf Inference v5.1, by row."""
UNTOLD = {
    "DELL-SW": "the switch is not named",
    "LEN-B200-Stable": "the catalog has no Stable Diffusion of 2022 and no training of pictures",
    "LEN-B200-BERT": "the catalog has no encoder-only model",
    "LEN-B200-RetinaNet": "the catalog has no convolution network",
    "LEN-B200-MAX": "the catalog has no convolution network",
    "LATIF-BATCH": "the catalog has no convolution network",
    "H100-IDLE": "the catalog's own source of that figure: it would check itself",
    "DGX-RATED": "three ratings in words; they are the catalog's nameplates",
    "IX-B200": "three provisioned powers in words; a planner's basis, no draw",
    "GB200-SHELF": "a count of parts; it is the catalog's own source",
    "POLCA-DIP": "two figures in words, of batch sizes that are not told",
}
"""Why a row is not simulated, where it is not for being no draw at all."""


def simulate(row: Cells) -> Simulated:
    """Return a power in the row's unit; ValueError says why one is not simulated."""
    name = given(row, "id")
    found = _figures().get(name)
    if found is not None:
        value, note = found()
        return Simulated(_in_unit(value, row), note=note)
    if name in SERVING:
        return Simulated(_in_unit(serving_w(name), row), note=f"best plan on {TENSORRT}")
    told = UNTOLD.get(name)
    raise ValueError(told or f"'{row.get('quantity', '')}' is no draw of a stated configuration")


Figure = Callable[[], tuple[float, str]]
ASSUMED_PLAN = "plan of NVIDIA's run of that round; step as logged"


LOGGED: dict[str, Callable[[Run], float]] = {
    "SMC-AC-MEAN": lambda run: float(run.input_w.mean()),
    "SMC-DC-MEAN": lambda run: float(run.output_w.mean()),
    "SMC-AC-max": lambda run: float(run.input_w.max()),
    "SMC-KWH-AC": lambda run: run.energy_j,
    "SMC-CLUSTER-MEAN": lambda run: float(run.cluster_w.mean()),
    "SMC-CLUSTER-MIN": lambda run: float(run.cluster_w.min()),
    "SMC-TRAIN": lambda run: float(run.cluster_w[~run.evaluating].mean()),
    "SMC-EVAL": lambda run: float(run.cluster_w[run.evaluating].mean()),
    "SMC-LINE": lambda run: run.line_w()[1],
}
PERCENTILE = "SMC-AC-p"


@cache
def _figures() -> dict[str, Figure]:
    """Return what is simulated by the id of its row: SI value (shares in percent) and a note."""
    return {
        **{name: partial(_logged, of) for name, of in LOGGED.items()},
        **{f"{PERCENTILE}{p}": partial(_logged, partial(_percentile, p)) for p in (1, 5, 50, 95, 99)},
        **_servers(), **_racks(),
        "RAPS-IDLE": lambda: (power_frontier.total_w(0.0), "74 cabinets, 25 coolant units"),
        "RAPS-PEAK": lambda: (power_frontier.total_w(1.0), "74 cabinets, 25 coolant units"),
    }  # fmt: skip


def _logged(of: Callable[[Run], float]) -> tuple[float, str]:
    return of(power_run.run()), ASSUMED_PLAN


def _percentile(percent: int, run: Run) -> float:
    return float(np.percentile(run.input_w, percent))


def _servers() -> dict[str, Figure]:
    """Return the rows of single servers."""
    air, oil, water = "HGX-H100-8-AIR", "HGX-H100-8-IMMERSION", "HGX-B200-8-WATER"
    short = "mean of its steps; loading and the end of the run are not"

    def of(rack: str, step: Callable[[], TrainingStep], note: str, most: bool = False) -> Figure:
        def figure() -> tuple[float, str]:
            made = step()
            return server_w(rack, made.compute_power_frac if most else made.dynamic_power_frac), note

        return figure

    lora_8, lora_512 = (lambda: lora("H100", 8, 4, 1)), (lambda: lora("H100", 512, 4, 2))
    lora_64 = lambda: lora("H100", 64, 4, 2)  # noqa: E731
    return {
        "SMC-LORA1": of(oil, lora_8, short), "SMC-LORA64": of(oil, lora_512, short),
        "DELL-LORA-MEAN": of(air, lora_64, short), "DELL-LORA-P50": of(air, lora_64, short),
        "DELL-LORA-P99": of(air, lora_64, "while products run", most=True),
        "DELL-LORA-MAX": of(air, lora_64, "while products run", most=True),
        "LEN-B200-llama2-70b": of(water, lambda: lora("B200", 8, 2, 1), short),
        "LATIF-MAX": of(air, latif, "Llama 2 13B, while products run", most=True),
        "LATIF2": lambda: (
            100.0 * server_w(air, latif().dynamic_power_frac) / RATED_W,
            "Llama 2 13B in steps",
        ),
        "L3-SWING": lambda: (
            16384 / 8 * (server_w(air, latif().compute_power_frac) - server_w(air, WAITING_POWER)),
            "2,048 servers from products to waiting, fans and hosts included",
        ),
    }  # fmt: skip


def _racks() -> dict[str, Figure]:
    """Return the rows of racks of 72."""
    return {
        "GB200-RACK": lambda: (server_w("GB200-NVL72", 1.0), "all chips at TDP"),
        "GB300-RACK": lambda: (
            server_w("GB300-NVL72", 1.0), "all chips at TDP; the host's budget is from the same figure"
        ),
        "PS-MPF-E": lambda: (floor_overhead(), "Llama 3.1 405B on 2,304 GB200, floor of 90 %"),
        "GB300-PSU": lambda: (storage_reduction(), "Llama 3.1 405B on 2,304 GB300, storage alone"),
    }  # fmt: skip


def server_w(rack: str, dynamic_frac: float) -> float:
    """Return the draw of a rack or server of the catalog with its chips at a dynamic power."""
    spec = from_catalog.rack(rack)
    assert spec.accelerator is not None
    return spec.input_w(from_catalog.accelerator(spec.accelerator), dynamic_frac, COOLED_BY[rack])


@cache
def lora(chip: str, chips: int, tp: int, cp: int) -> TrainingStep:
    """Return a step of MLPerf's fine-tuning of Llama 2 70B; one sequence per data-parallel rank."""
    ranks = chips // (tp * cp)
    plan = ParallelPlan.model_validate({
        "tp": tp, "cp": cp, "micro_batch": 1, "global_batch_sequences": max(ranks, 8),
        "sequence_length": 8192, "precision": "fp8", "stack": "mlperf-v4.0",
    })  # fmt: skip
    model, accelerator = from_catalog.language_model("llama-2-70b"), from_catalog.accelerator(chip)
    return adapter_step(model, accelerator, chips, plan, ADAPTER_RANK)


@cache
def latif() -> TrainingStep:
    """Return a step of Llama 2 13B on eight H100."""
    plan = ParallelPlan.model_validate(
        {"tp": 2, "micro_batch": 1, "global_batch_sequences": 64, "sequence_length": 4096}
    )
    model, chip = from_catalog.language_model("llama-2-13b"), from_catalog.accelerator("H100")
    return training.estimate_unchecked(model, chip, 8, plan)


@cache
def serving_w(name: str) -> float:
    """Return the draw of a server that serves as much as it can within MLPerf's limits."""
    model, rack, output, ttft_s, tpot_s = SERVING[name]
    chip = from_catalog.rack(rack).accelerator or ""
    task = Task(PROMPT_TOKENS[model], output, ttft_s, tpot_s)
    rate, made = busiest(model, chip, SERVER_CHIPS, "fp4", TENSORRT, task)
    batch = batch_at(made, task, rate * made.setting.plan.chips / SERVER_CHIPS)
    return server_w(rack, made.mean_power(batch, task.context, task.prompt, batch / task.output))


def floor_overhead() -> float:
    """Return the energy that a floor of 90 % adds to a job's chips, in percent."""
    floor = PowerFloor(kind="power_floor", floor=0.9)
    _, account = _smoothed("GB200-NVL72", floor)
    return 100.0 * float(account[kernel.ADDED_J] / account[kernel.RAW_J])


def storage_reduction() -> float:
    """Return by how much storage of 65 J lowers the largest draw of a rack, in percent."""
    powers, _ = _smoothed("GB300-NVL72", RackStorage(kind="rack_storage"))
    plain_w, smooth_w = powers
    return 100.0 * float(1.0 - smooth_w.max() / plain_w.max())


def _smoothed(rack: str, tool: PowerFloor | RackStorage) -> tuple[tuple[kernel.Floats, ...], kernel.Floats]:
    """Return a rack's power without and with a tool over ten steps of a job, and the tool's account."""
    plan = ParallelPlan.model_validate({
        "tp": 8, "pp": 8, "virtual_stages": 4, "micro_batch": 1, "global_batch_sequences": 1152,
        "sequence_length": 8192, "precision": "fp8",
    })  # fmt: skip
    spec = from_catalog.rack(rack)
    chip = from_catalog.accelerator(spec.accelerator or "")
    made = training.estimate_unchecked(from_catalog.language_model("llama-3.1-405b"), chip, 2304, plan)
    step = steps_over(made, made.tokens_per_step)
    once = made.data_parallel_s / made.exposed_communication_s
    slots = step_rhythm.rhythm(step, plan, 2304, once)
    length_s = step.step_time_s
    spans = as_spans([
        Span(n * length_s, (n + 1) * length_s, 1, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0) for n in range(10)
    ])  # fmt: skip
    member = power_run.one_member(spec, plan.pp // 2, 1.0, WATER_C, step.dynamic_power_frac)
    samples = round(10 * length_s / power_run.SAMPLE_S)
    plain_w, smooth_w, account = synthesised(spans, slots, member, tool.fit(OFF, chip), samples)
    return (plain_w, smooth_w), account


def _in_unit(value: float, row: Cells) -> float:
    """Return a value in the unit that a row begins with: behind it stand remarks."""
    unit = (row.get("unit") or "W").split()[0]
    if unit == "%":
        return value
    return value / parse(f"1 {unit}", "J" if unit.endswith("Wh") else "W")


