"""Replicas served request by request for a while: what a surface says, without its assumptions."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from simulator.kernels import batching_state, dispatch
from simulator.kernels.batching_state import GRAIN, SERVED, Cost, Rules, Trace
from simulator.performance import serving_memory
from simulator.performance.batching import kernel_cost, rules_of
from simulator.performance.iteration import ReplicaCost, replica_cost_of
from simulator.performance.queueing import Demand
from simulator.performance.serving_setting import ServingSetting

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Engine:
    """One replica as the request-level kernel serves on it."""

    setting: ServingSetting
    rules: Rules
    cost: Cost


@dataclass(frozen=True)
class Window:
    """What requests that arrived in a stretch of time met; the run goes on until all are done.

    Latencies are in s, of all requests that arrived: infinite where one was not served. A request of
    one token has a time per further token of 0.
    """

    ttft_s: Floats
    tpot_s: Floats
    output_tokens_s: float
    """Tokens asked for and served, per second of the stretch and replica."""
    power_frac: float
    """Dynamic power over the stretch, between idle and TDP."""
    batch: float
    """Mean number of sequences that decode or have a chunk."""
    busy_frac: float

    @property
    def tpot_mean_s(self) -> float:
        """Mean over requests with more than one token that were served."""
        decoded = self.tpot_s[np.isfinite(self.tpot_s) & (self.tpot_s > 0.0)]
        return float(decoded.mean()) if decoded.size else 0.0

    def met_frac(self, ttft_limit_s: float, tpot_limit_s: float) -> float:
        """Return the share of requests within both limits."""
        within = (self.ttft_s <= ttft_limit_s) & (self.tpot_s <= tpot_limit_s)
        return float(within.mean()) if within.size else 1.0


def engine_of(
    setting: ServingSetting, demand: Demand, patience_s: float, clock_frac: float = 1.0,
    known: ReplicaCost | None = None,
) -> Engine:
    """Return a replica with the memory that contexts of this demand leave, at a share of full
    clock; `known` is what its iterations take at the setting's own clock."""
    slowed = replace(setting, clock_frac=clock_frac)
    kv_tokens = int(serving_memory.kv_tokens(slowed, demand.context))
    rules = rules_of(slowed, kv_tokens)._replace(patience_s=patience_s)
    cost = known if known and slowed == setting else replica_cost_of(slowed)
    return Engine(slowed, rules, kernel_cost(cost, rules.max_tokens))


def serve(
    engine: Engine, asked: Ints, given: Ints, moments: Floats, start: Ints, warm_s: float,
    until_s: float, seen: Ints | None = None,
) -> Window:  # fmt: skip
    """Serve requests that arrive at replicas; tell of those that arrive from `warm_s` to `until_s`.
    `seen` is what of the input stands for images."""
    nothing = np.zeros(len(moments), np.int64)
    units = np.full(len(moments), GRAIN)
    trace = Trace(moments, asked, given - 1, units, nothing, nothing, False, seen)
    bins = 2 * max(round(until_s / (until_s - warm_s)), 1)
    w = batching_state.world(
        trace, len(start) - 1, engine.rules, engine.cost, None, 2 * bins, until_s / bins
    )
    dispatch.serve_assigned(w, np.arange(len(moments)), start, 0, len(start) - 1, np.inf)
    inside = moments >= warm_s
    outcome, arrival_s, first_s, finish_s = (
        w.requests[name][inside] for name in ("outcome", "arrival_s", "first_s", "finish_s")
    )
    served, asked_for = outcome == SERVED, given[inside]
    wait_s = first_s - arrival_s + engine.setting.request_s
    decode_s = (finish_s - first_s) / np.maximum(asked_for - 1, 1)
    series, replica_s = _between(w, warm_s, until_s), (until_s - warm_s) * (len(start) - 1)
    return Window(
        ttft_s=np.where(served, wait_s, np.inf),
        tpot_s=np.where(served, decode_s, np.inf),
        output_tokens_s=float(asked_for[served].sum()) / replica_s,
        power_frac=float(series[batching_state.DYNAMIC_S]) / replica_s,
        batch=float(series[batching_state.BATCH_S]) / replica_s,
        busy_frac=float(series[batching_state.BUSY_S]) / replica_s,
    )


def _between(w: batching_state.World, from_s: float, to_s: float) -> Floats:
    """Return the record over time between two moments, bins in proportion."""
    width_s = float(w.bin_s[0])
    edges = np.arange(len(w.series) + 1) * width_s
    share = np.clip((np.minimum(edges[1:], to_s) - np.maximum(edges[:-1], from_s)) / width_s, 0.0, 1.0)
    return np.asarray(share @ w.series)
