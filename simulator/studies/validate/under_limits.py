"""The most that chips serve of one model, under limits on the time to first token and per token."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from simulator.components import from_catalog
from simulator.kernels import batching_state, dispatch, speculation
from simulator.kernels.batching_state import Trace
from simulator.performance.serving_setting import ReplicaPlan
from simulator.studies.validate.replicas import NARROW_KV, Deployment, deployment
from simulator.studies.validate.request_loop import Pool

DEGREES = (1, 2, 4, 8, 16, 32)
REQUESTS = 3000
"""Poisson arrivals in which tails are taken; as many again come before them."""
SEED, HALVINGS, HALVINGS_OF_BATCH = 7, 7, 30
LONGEST = 4.0
"""Longest answer over the mean: lengths are drawn from an exponential that is cut there. Assumed, 3-6."""


@dataclass(frozen=True)
class Task:
    """What is asked, and how soon it must come; endless where there is no limit."""

    prompt: float
    output: float
    ttft_s: float = math.inf
    tpot_s: float = math.inf

    @property
    def context(self) -> float:
        """Mean tokens behind a token of an answer; long answers count as often as they step."""
        return self.prompt + self.output

    @property
    def limited(self) -> bool:
        """Whether requests come one by one and must be answered in time."""
        return math.isfinite(self.ttft_s)


def tokens_s(model: str, chip: str, chips: int, precision: str, engine: str, task: Task) -> float:
    """Return output tokens/s of all chips with the best plan; ValueError if no plan fits."""
    return busiest(model, chip, chips, precision, engine, task)[0]


def busiest(
    model: str, chip: str, chips: int, precision: str, engine: str, task: Task
) -> tuple[float, Deployment]:
    """Return the same, and one of the engines that write it; ValueError if no plan fits."""
    found: list[tuple[float, Deployment]] = []
    reasons = []
    for plan in _plans(model, chips):
        row = {"model": model, "accelerator": chip, "weight_precision": precision}
        try:
            made = deployment(row, plan, engine, kv_bytes=NARROW_KV)
            found.append((steady(made, task) * (chips // plan.chips), made))
        except ValueError as error:
            reasons.append(str(error))
    if not found:
        raise ValueError(reasons[-1] if reasons else f"no plan of {model} for {chips} chips")
    best = sorted(found, key=lambda r: -r[0])
    if not task.limited:
        return best[0]
    in_time = [
        (_in_time(made, task, rate, chips // made.setting.plan.chips), made) for rate, made in best[:2]
    ]
    return max(in_time, key=lambda r: r[0])


def batch_at(made: Deployment, task: Task, rate_tokens_s: float) -> float:
    """Return the mean batch at which one engine writes so many tokens/s; all seats, where none does."""
    low, high = 1.0, float(made.seats(task.context))
    for _ in range(HALVINGS_OF_BATCH):
        middle = 0.5 * (low + high)
        enough = middle / iteration_s(made, task, middle) >= rate_tokens_s
        low, high = (low, middle) if enough else (middle, high)
    return high


def _plans(name: str, chips: int) -> Iterator[ReplicaPlan]:
    """Yield how the chips of an engine can share a model."""
    model = from_catalog.language_model(name)
    for n in DEGREES:
        if (chips % n and n > 1) or n > chips:
            continue
        experts = n if model.experts and model.experts.count % n == 0 else 1
        if model.heads % n == 0 and n <= 8:
            yield ReplicaPlan(n, 1, experts)
        if experts > 1:
            yield ReplicaPlan(1, n, n)


def steady(made: Deployment, task: Task) -> float:
    """Return the most output tokens/s of one engine whose batch stays full, within `tpot_s`."""
    best, most = 0.0, made.seats(task.context)
    for batch in np.unique(np.geomspace(1.0, most, 40).astype(int)):
        each_s = iteration_s(made, task, float(batch))
        if each_s <= task.tpot_s:
            best = max(best, float(batch) / each_s)
    return best


def iteration_s(made: Deployment, task: Task, batch: float) -> float:
    """Return the mean time of an iteration, with the prompts that come while `batch` decode."""
    return made.beside_s(made.cost.time, batch, task.context, task.prompt, batch / task.output)


def _in_time(made: Deployment, task: Task, most: float, engines: int) -> float:
    """Return the largest rate of output tokens at which 99 % of requests come in time."""
    low, high = 0.0, most
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _holds(made, task, middle / engines) else (low, middle)
    return low


def _holds(made: Deployment, task: Task, rate_tokens_s: float) -> bool:
    """Return whether one engine at a rate of output tokens keeps both limits."""
    draws = np.random.default_rng(SEED)
    count = 2 * REQUESTS
    arrival_s = np.cumsum(draws.exponential(task.output / rate_tokens_s, count))
    lengths = np.minimum(draws.exponential(task.output, count), LONGEST * task.output)
    output = np.maximum(np.rint(lengths * task.output / lengths.mean()), 2.0).astype(np.int64)
    steps, zeros = output - 1, np.zeros(count, np.int64)
    prompt = np.full(count, round(task.prompt), np.int64)
    trace = Trace(arrival_s, prompt, steps, speculation.rates(output, steps), zeros, zeros, False)
    pool = Pool(made, made.seats(task.context))
    rules = pool.rules
    w = batching_state.world(trace, 1, rules, pool.cost(rules.max_tokens))
    dispatch.serve_assigned(w, np.arange(count), np.array([0, count]), 0, 1, np.inf)
    r = w.requests[REQUESTS:]
    first_s = r["first_s"] - r["arrival_s"] + made.setting.request_s
    each_s = (r["finish_s"] - r["first_s"]) / steps[REQUESTS:]
    return bool(
        np.percentile(first_s, 99) <= task.ttft_s and np.percentile(each_s, 99) <= task.tpot_s
    )
