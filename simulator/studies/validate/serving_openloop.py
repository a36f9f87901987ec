"""Topic `serving_openloop`: requests at a constant rate on one deployment."""

from functools import lru_cache

import numpy as np

from simulator.performance.serving_setting import ReplicaPlan
from simulator.studies.validate.replicas import deployment, unknown_quantity
from simulator.studies.validate.request_loop import Latency, Lengths, Pool, opened
from simulator.studies.validate.topic import Cells, Simulated, count, in_unit, number

QUANTITIES = ("ttft_mean", "ttft_p99", "tpot_mean", "e2e_mean", "e2e_p99")
ENGINE = "vllm-0.12"

# As the runs were made (github.com/inference-sim/inference-sim, testdata/roofline_goldendataset.json;
# generator: shared_prefix of github.com/kubernetes-sigs/inference-perf): sequences and tokens of an
# iteration at most, tokens of a block of the prefix cache. Vendor.
SEQUENCES, TOKENS, BLOCK = 128, 2048, 16

ASKED = {(100, 9): 248.0, (100, 11): 247.0, (150, 10): 251.0, (100, 23): 1448.0}
"""Tokens asked of every answer, by tokens and number of shared prefixes: a table that counts those of an
answer's text anew may have fewer (Llama-2-7B)."""


def simulate(row: Cells) -> Simulated:
    """Return a mean or a 99th percentile of TTFT, TPOT or the whole request, in s."""
    quantity = row.get("quantity", "")
    if quantity not in QUANTITIES:
        raise unknown_quantity(row, QUANTITIES)
    keys = [(k, v) for k, v in row.items() if k not in ("id", "quantity", "unit", "measured")]
    found = getattr(_latency(tuple(keys)), f"{quantity.partition('_')[0]}_s")
    value_s = found.mean() if quantity.endswith("mean") else np.percentile(found, 99)
    return Simulated(in_unit(float(value_s), "s", row), note="prompts sent in turn, cached")


@lru_cache(maxsize=8)
def _latency(cells: tuple[tuple[str, str], ...]) -> Latency:
    """Return the times of one of the equal engines at its share of the rate."""
    row = dict(cells)
    plan = ReplicaPlan(tp=count(row, "tp"))
    engines = max(count(row, "n_accelerators", plan.chips) // plan.chips, 1)
    made = deployment(row, plan, ENGINE, default="bf16")
    prompt, rate = number(row, "prompt_tokens_mean"), number(row, "rate_per_s") / engines
    shared, prefixes = number(row, "shared_prefix_tokens", 0.0), number(row, "distinct_prefixes", 0.0)
    output = ASKED.get((int(shared), int(prefixes)), number(row, "output_tokens_mean"))
    lengths = Lengths(prompt, output, cached=_cached(prompt) / prompt if shared else 0.0)
    requests = count(row, "requests", int(rate * number(row, "duration_s", 600.0)))
    pool = Pool(made, min(made.seats(prompt + 0.5 * output), SEQUENCES), tokens=TOKENS)
    return opened(pool, lengths, rate, requests // engines)


def _cached(prompt: float) -> float:
    """Return the tokens of a prompt that are in the cache: the generator makes a few prompts and sends
    them in turn, so but for the first time all but the last block is there."""
    return max(prompt - 0.5 * (BLOCK + 1.0), 0.0)
