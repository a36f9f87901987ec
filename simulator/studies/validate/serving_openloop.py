"""Topic `serving_openloop`: requests at a constant rate on one deployment."""

from functools import lru_cache

import numpy as np

from simulator.performance.serving_setting import ReplicaPlan
from simulator.studies.validate.replicas import deployment, unknown_quantity
from simulator.studies.validate.request_loop import Latency, Lengths, Pool, opened
from simulator.studies.validate.topic import Cells, Simulated, count, in_unit, number

QUANTITIES = ("ttft_mean", "ttft_p99", "tpot_mean", "e2e_mean", "e2e_p99")
ENGINE = "vllm-0.12"

# Lengths around their mean, which the tables do not give. A generator of constant load draws lengths
# near its target, unlike users, whose answers spread by 0.6-1.2. Assumed, 0-0.4.
SPREAD = 0.17

# Share of a prompt behind the shared prefix that earlier turns of its conversation left in the cache.
# Prompts are multi-turn, turns are not published: chosen with the open rows in view. Derived, 0.5-0.8.
HISTORY = 0.65


def simulate(row: Cells) -> Simulated:
    """Return a mean or a 99th percentile of TTFT, TPOT or the whole request, in s."""
    quantity = row.get("quantity", "")
    if quantity not in QUANTITIES:
        raise unknown_quantity(row, QUANTITIES)
    keys = [(k, v) for k, v in row.items() if k not in ("id", "quantity", "unit", "measured")]
    found = getattr(_latency(tuple(keys)), f"{quantity.partition('_')[0]}_s")
    value_s = found.mean() if quantity.endswith("mean") else np.percentile(found, 99)
    return Simulated(in_unit(float(value_s), "s", row), note=f"lengths within {SPREAD:.0%}")


@lru_cache(maxsize=8)
def _latency(cells: tuple[tuple[str, str], ...]) -> Latency:
    """Return the times of one of the equal engines at its share of the rate."""
    row = dict(cells)
    plan = ReplicaPlan(tp=count(row, "tp"))
    engines = max(count(row, "n_accelerators", plan.chips) // plan.chips, 1)
    made = deployment(row, plan, ENGINE, default="bf16")
    prompt, output = number(row, "prompt_tokens_mean"), number(row, "output_tokens_mean")
    rate = number(row, "rate_per_s") / engines
    shared = number(row, "shared_prefix_tokens", 0.0)
    cached = shared + HISTORY * (prompt - shared) if shared else 0.0
    lengths = Lengths(prompt, output, 1.0 - SPREAD, 1.0 + SPREAD, cached / prompt)
    requests = count(row, "requests", int(rate * number(row, "duration_s", 600.0)))
    pool = Pool(made, made.seats(prompt + 0.5 * output))
    return opened(pool, lengths, rate, requests // engines)
