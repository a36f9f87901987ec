"""Topic `mlperf_inference`: whole systems of MLPerf Inference, offline or within limits on latency."""

from simulator.components import from_catalog
from simulator.studies.validate.replicas import precision_of, unknown_quantity
from simulator.studies.validate.topic import Cells, Simulated, count, given, in_unit, number
from simulator.studies.validate.under_limits import Task, tokens_s

QUANTITIES = ("output_throughput",)
QUANTITY = "output_throughput"
PROMPT_TOKENS = {
    "llama-2-70b": 294.0, "llama-3.1-405b": 9400.0, "deepseek-r1": 800.0, "llama-3.1-8b": 778.0,
    "mixtral-8x7b": 300.0,
}  # fmt: skip
"""Mean prompts of the benchmark's data sets, as its rules and papers tell. Assumed, within 10 %."""
OFFLINE = "Offline"
TENSORRT, OTHERS = "trtllm-mlperf-5.1", "vllm-0.12"


def simulate(row: Cells) -> Simulated:
    """Return output tokens/s of the best plan of the engine nearest to the submitter's."""
    if row.get("quantity", QUANTITY) not in QUANTITIES:
        raise unknown_quantity(row, QUANTITIES)
    name = from_catalog.language_model(given(row, "model")).name
    if name not in PROMPT_TOKENS:
        raise ValueError(f"no prompts of {name} are known")
    task = Task(PROMPT_TOKENS[name], number(row, "mean_output_tokens"))
    if given(row, "scenario") != OFFLINE:
        limits = number(row, "ttft_limit_ms") / 1e3, number(row, "tpot_limit_ms") / 1e3
        task = Task(task.prompt, task.output, *limits)
    engine = TENSORRT if "TensorRT" in row.get("software", "TensorRT") else OTHERS
    chip = from_catalog.accelerator(given(row, "accelerator")).name
    chips = count(row, "n_accelerators")
    rate = tokens_s(name, chip, chips, precision_of(row), engine, task)
    return Simulated(in_unit(rate, "tokens/s", row), note=f"best plan on {engine}")
