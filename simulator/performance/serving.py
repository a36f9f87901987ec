"""What a replica gives at every load: capacity, batch, latency, power. Closed form, no clock."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.performance.queueing import Demand, Queue, State
from simulator.performance.replica import Replica

GRID = 65
QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)

# Sequences an engine batches at most unless told otherwise (vLLM's default on large GPUs). Vendor.
MAX_BATCH = 1024

# Room kept in memory for the batch's fluctuation around its mean, in standard deviations.
MEMORY_SIGMAS = 2.0

# The limit on the time to first token is meant for this share of requests.
TTFT_LIMIT_QUANTILE = 0.99


@dataclass(frozen=True)
class ServingSurface:
    """One replica over its load, 0 to 1 in equal steps; arrays have one row per step."""

    model: str
    accelerator: str
    tensor_parallel: int
    """Chips of the replica."""
    capacity_requests_s: float
    output_tokens: float
    load: NDArray[np.float64]
    batch: NDArray[np.float64]
    """Mean number of sequences that decode."""
    tpot_s: NDArray[np.float64]
    """Mean time per output token after the first."""
    ttft_mean_s: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    ttft_quantiles_s: NDArray[np.float64]
    """One row per load, one column per quantile."""
    dynamic_power_frac: NDArray[np.float64]
    """Chip power between idle and TDP, averaged over time."""
    busy_frac: NDArray[np.float64]
    """Share of time with an iteration under way."""
    max_batch: int
    bound_by: str
    """What sets the capacity: memory, batch (its largest size), tpot or ttft."""


def surface(
    model: LanguageModel,
    accelerator: Accelerator,
    tensor_parallel: int,
    weight_precision: str,
    input_tokens: float,
    output_tokens: float,
    length_cv: float = 1.0,
    max_batch: int | None = None,
    tpot_limit_s: float | None = None,
    ttft_limit_s: float | None = None,
    cached_tokens: float = 0.0,
    image_tokens: float = 0.0,
) -> ServingSurface:
    """Return the surface of one replica; ValueError says what does not fit or cannot be met.

    Capacity is the largest rate at which the mean batch, with room for its fluctuation, fits the
    memory, and both limits hold.
    """
    replica = Replica(model, accelerator, tensor_parallel, weight_precision)
    demand = Demand(input_tokens, output_tokens, length_cv, cached_tokens, image_tokens)
    queue = Queue(replica, demand, _seats(replica, demand, max_batch))
    capacity, bound_by = _capacity(queue, tpot_limit_s, ttft_limit_s)
    if bound_by == "memory" and queue.seats == max_batch:
        bound_by = "batch"
    load = np.linspace(0.0, 1.0, GRID)
    state = queue.at(load * capacity)
    quantiles = np.array(QUANTILES)
    return ServingSurface(
        model=model.name,
        accelerator=accelerator.name,
        tensor_parallel=tensor_parallel,
        capacity_requests_s=capacity,
        output_tokens=output_tokens,
        load=load,
        batch=state.batch,
        tpot_s=state.tpot_s,
        ttft_mean_s=state.ttft_mean_s,
        quantiles=quantiles,
        ttft_quantiles_s=state.ttft_quantiles_s(quantiles),
        dynamic_power_frac=state.power_frac,
        busy_frac=state.busy_frac,
        max_batch=queue.seats,
        bound_by=bound_by,
    )


def _seats(replica: Replica, demand: Demand, max_batch: int | None) -> int:
    """Return how many sequences of mean length fit the memory and the engine."""
    return min(replica.sequences(demand.context), max_batch or MAX_BATCH)


def _capacity(
    queue: Queue, tpot_limit_s: float | None, ttft_limit_s: float | None
) -> tuple[float, str]:
    """Return the largest rate in requests/s that breaks nothing, and what would break next."""
    low, high = 0.0, queue.limit_requests_s * (1.0 - 1e-9)
    broken = _broken(queue, low, tpot_limit_s, ttft_limit_s)
    if broken:
        raise ValueError(_impossible(queue, broken, tpot_limit_s, ttft_limit_s))
    bound_by = "memory"
    for _ in range(45):
        middle = 0.5 * (low + high)
        broken = _broken(queue, middle, tpot_limit_s, ttft_limit_s)
        low, high = (low, middle) if broken else (middle, high)
        bound_by = broken or bound_by
    return low, bound_by


def _broken(
    queue: Queue, rate: float, tpot_limit_s: float | None, ttft_limit_s: float | None
) -> str:
    """Return the limit that this rate breaks, or nothing."""
    state = queue.at(np.array([rate]))
    batch = float(state.batch[0])
    spread = MEMORY_SIGMAS * (batch * (1.0 + queue.demand.length_cv**2)) ** 0.5
    if rate and batch + spread > queue.seats:
        return "memory"
    if tpot_limit_s is not None and state.tpot_s[0] > tpot_limit_s:
        return "tpot"
    if ttft_limit_s is not None:
        # Asking for the share below the limit spares the search for the quantile.
        below = state.ttft_share_below(np.array([[ttft_limit_s]]))
        return "ttft" if below[0, 0] < TTFT_LIMIT_QUANTILE else ""
    return ""


def _ttft(state: State) -> float:
    return float(state.ttft_quantiles_s(np.array([TTFT_LIMIT_QUANTILE]))[0, 0])


def _impossible(
    queue: Queue, broken: str, tpot_limit_s: float | None, ttft_limit_s: float | None
) -> str:
    """Return why no rate at all meets the limits."""
    replica, state = queue.replica, queue.at(np.zeros(1))
    who = f"{replica.model.name} on {replica.chips} x {replica.chip.name}"
    if broken == "tpot":
        return f"{who} needs {state.tpot_s[0]:.4f} s per token alone; the limit is {tpot_limit_s} s"
    return (
        f"{who} needs {_ttft(state):.3f} s to the first token at the {TTFT_LIMIT_QUANTILE:.0%} "
        f"quantile alone; the limit is {ttft_limit_s} s"
    )
