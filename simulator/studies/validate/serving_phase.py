"""Topic `serving_phase`: one batch through prefill, then decode, with nothing else in the engine."""

from simulator.performance.serving_setting import ReplicaPlan
from simulator.studies.validate.replicas import deployment, unknown_quantity
from simulator.studies.validate.topic import Cells, Simulated, count, in_unit

QUANTITIES = ("prefill_time", "decode_step_time", "power_mean_fraction", "power_peak_fraction")
ENGINE, NOTE = "vllm-0.2", "16-bit weights"
"""These engines ran the models as released, before 8-bit serving was common."""


def simulate(row: Cells) -> Simulated:
    """Return a time of one phase, or chip power over or at the top of both as a share of TDP."""
    made = deployment(row, ReplicaPlan(tp=count(row, "tp")), ENGINE, default="bf16")
    batch, prompt, output = (count(row, c) for c in ("batch", "prompt_tokens", "output_tokens"))
    context = prompt + 0.5 * output
    prefill_s = made.prompts_s(prompt, batch) + made.setting.request_s
    step_s = made.decode_s(batch, context)
    quantity = row.get("quantity", "")
    if quantity == "prefill_time":
        return Simulated(in_unit(prefill_s, "s", row), note=NOTE)
    if quantity == "decode_step_time":
        return Simulated(in_unit(step_s, "s", row), note=NOTE)
    first, later = made.prompt_power(prompt, batch), made.decode_power(batch, context)
    if quantity == "power_peak_fraction":
        frac = max(first, later)
    elif quantity == "power_mean_fraction":
        whole_s = prefill_s + (output - 1) * step_s
        frac = (first * prefill_s + later * (whole_s - prefill_s)) / whole_s
    else:
        raise unknown_quantity(row, QUANTITIES)
    return Simulated(made.power_w(frac) / made.setting.chip.tdp, note=NOTE)
