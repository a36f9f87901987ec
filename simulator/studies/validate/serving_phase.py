"""Topic `serving_phase`: one batch through prefill, then decode, with nothing else in the engine."""

from simulator.performance.queueing import PREFILL_POWER
from simulator.performance.replica import ITERATION_OVERHEAD_S
from simulator.studies.validate.replicas import (
    chips_of,
    decode_s,
    dynamic_frac,
    power_w,
    replica,
    unknown_quantity,
)
from simulator.studies.validate.topic import Cells, Simulated, count, in_unit

QUANTITIES = ("prefill_time", "decode_step_time", "power_mean_fraction", "power_peak_fraction")
NOTE = "16-bit weights"
"""These engines ran the models as released, before 8-bit serving was common."""


def simulate(row: Cells) -> Simulated:
    """Return a time of one phase, or chip power over or at the top of both as a share of TDP."""
    engine = replica(row, chips_of(row), default="bf16")
    batch, prompt, output = (count(row, c) for c in ("batch", "prompt_tokens", "output_tokens"))
    context = prompt + 0.5 * output
    prefill_s = batch * engine.prefill_s(float(prompt)) + ITERATION_OVERHEAD_S
    step_s = decode_s(engine, batch, context)
    quantity = row.get("quantity", "")
    if quantity == "prefill_time":
        return Simulated(in_unit(prefill_s, "s", row), note=NOTE)
    if quantity == "decode_step_time":
        return Simulated(in_unit(step_s, "s", row), note=NOTE)
    decode_power = dynamic_frac(engine, batch, context)
    if quantity == "power_peak_fraction":
        return Simulated(
            power_w(engine, max(PREFILL_POWER, decode_power)) / engine.chip.tdp, note=NOTE
        )
    if quantity == "power_mean_fraction":
        whole_s = prefill_s + (output - 1) * step_s
        mean = PREFILL_POWER * prefill_s + decode_power * (whole_s - prefill_s)
        return Simulated(power_w(engine, mean / whole_s) / engine.chip.tdp, note=NOTE)
    raise unknown_quantity(row, QUANTITIES)
