"""Topic `serving_openloop`: requests at a constant rate on one deployment."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from simulator.performance.queueing import Demand, Queue, State
from simulator.performance.serving import MAX_BATCH
from simulator.studies.validate.replicas import chips_of, replica, unknown_quantity
from simulator.studies.validate.topic import Cells, Simulated, count, in_unit, number

QUANTITIES = ("ttft_mean", "ttft_p99", "tpot_mean", "e2e_mean", "e2e_p99")

# Spread of lengths around their mean, which the tables do not give. A generator of constant load
# draws lengths near its target, unlike users, whose answers spread by 0.6-1.2. Assumed, 0-0.3.
LENGTH_CV = 0.1
TAIL = 0.99
NEARLY_FULL = 0.98


@dataclass(frozen=True)
class Served:
    """The steady state of a deployment, and what an offered rate above its own adds to it."""

    state: State
    demand: Demand
    overload_s: float
    """Wait of the last request to arrive: what the rate is above capacity piles up."""

    @property
    def ttft_s(self) -> tuple[float, float]:
        """Mean and 99th percentile; the backlog grows evenly over the run."""
        tail = self.state.ttft_quantiles_s(np.array([TAIL]))[0, 0]
        mean = self.state.ttft_mean_s[0]
        return float(mean + 0.5 * self.overload_s), float(tail + TAIL * self.overload_s)

    @property
    def decoding_s(self) -> tuple[float, float]:
        """Mean and 99th percentile of the time after the first token (lognormal lengths)."""
        sigma = math.sqrt(math.log1p(LENGTH_CV**2))
        stretch = math.exp(float(ndtri(TAIL)) * sigma - 0.5 * sigma**2)
        mean_s = self.demand.steps * float(self.state.tpot_s[0])
        return mean_s, mean_s * stretch


def simulate(row: Cells) -> Simulated:
    """Return a mean or a 99th percentile of TTFT, TPOT or the whole request, in s."""
    served = _served(row)
    (ttft_mean, ttft_p99), (mean_s, tail_s) = served.ttft_s, served.decoding_s
    values = (ttft_mean, ttft_p99, float(served.state.tpot_s[0]), ttft_mean + mean_s,
              max(ttft_mean + tail_s, ttft_p99 + mean_s))  # fmt: skip
    quantity = row.get("quantity", "")
    if quantity not in QUANTITIES:
        raise unknown_quantity(row, QUANTITIES)
    note = f"lengths with a spread of {LENGTH_CV:g}"
    value = dict(zip(QUANTITIES, values, strict=True))[quantity]
    return Simulated(in_unit(value, "s", row), note=note)


def _served(row: Cells) -> Served:
    """Return the state of one of the equal engines at its share of the rate."""
    chips = chips_of(row)
    engines = max(count(row, "n_accelerators", chips) // chips, 1)
    engine = replica(row, chips, default="bf16")
    demand = Demand(
        number(row, "prompt_tokens_mean"), number(row, "output_tokens_mean"), LENGTH_CV,
        number(row, "shared_prefix_tokens", 0.0),
    )  # fmt: skip
    queue = Queue(engine, demand, min(engine.sequences(demand.context), MAX_BATCH))
    rate, most = number(row, "rate_per_s") / engines, NEARLY_FULL * queue.limit_requests_s
    late_s = max(rate / most - 1.0, 0.0) * number(row, "duration_s", 0.0)
    return Served(queue.at(np.array([min(rate, most)])), demand, late_s)
