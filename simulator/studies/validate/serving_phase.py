"""Topic `serving_phase`: one batch through prefill, then decode, with nothing else in the engine."""

import numpy as np

from simulator.performance import layers
from simulator.performance.serving_exchange import exchange_work
from simulator.performance.serving_setting import ReplicaPlan
from simulator.performance.serving_work import DRAWN, TIME
from simulator.studies.validate.replicas import Deployment, deployment, unknown_quantity
from simulator.studies.validate.topic import Cells, Simulated, count, in_unit

QUANTITIES = ("prefill_time", "decode_step_time", "power_mean_fraction", "power_peak_fraction")
ENGINE, NOTE = "vllm-0.2", "16-bit weights"
"""These engines ran the models as released, before 8-bit serving was common."""

# Time between two readings of a chip's power, as long as which a shorter phase is seen with what follows
# (arXiv:2312.02741, A100). Measured.
SENSOR_S = 0.1


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
        computing = _computing_power(made, batch * prompt, first * prefill_s, prefill_s)
        seen = min(prefill_s / SENSOR_S, 1.0)
        frac = max(seen * computing + (1.0 - seen) * later, later)
    elif quantity == "power_mean_fraction":
        whole_s = prefill_s + (output - 1) * step_s
        frac = (first * prefill_s + later * (whole_s - prefill_s)) / whole_s
    else:
        raise unknown_quantity(row, QUANTITIES)
    return Simulated(made.power_w(frac) / made.setting.chip.tdp, note=NOTE)


def _computing_power(made: Deployment, tokens: float, drawn_s: float, time_s: float) -> float:
    """Return dynamic power over a prefill without its exchanges: sums of long prompts last as long as
    a sensor looks, so that its highest reading is one of products."""
    at = np.array([float(tokens)])
    for kind in layers.kinds(made.setting.model):
        sums = kind.count * exchange_work(made.setting, kind, at)[:, 0]
        time_s, drawn_s = time_s - float(sums[TIME]), drawn_s - float(sums[DRAWN])
    return drawn_s / time_s
