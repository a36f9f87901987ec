"""Requests of published runs through the batching kernel: users in a closed loop, or a constant rate.

Lengths are drawn from a low-discrepancy sequence, so that runs repeat.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.kernels import batching_state, closed_loop, dispatch, speculation
from simulator.kernels.batching_state import Cost, Rules, Trace
from simulator.performance.batching import kernel_cost, rules_of
from simulator.performance.speculation import Drafts, speculated_replica
from simulator.studies.validate.replicas import Deployment

Floats = NDArray[np.float64]

# Requests per user that a benchmark of a closed loop sends: ten (InferenceX). Vendor.
WAVES = 10

# Time in which a server makes one token of a prompt's text, one prompt after the other: fast tokenizers
# reach about a million tokens per second. Assumed, 0.3e-6 to 3e-6.
TOKENIZER_S = 1e-6

GOLDEN = 0.6180339887498949  # step of a low-discrepancy sequence


@dataclass(frozen=True)
class Pool:
    """Replicas alike that take requests in turn."""

    deployment: Deployment
    seats: int
    """Sequences that one holds at most."""
    replicas: int = 1
    drafts: Drafts | None = None
    tokens: int = 0
    """Of an iteration at most; 0: as many as the engine's default."""
    poll: int = 1
    """Iterations between two looks at what has arrived."""

    @property
    def rules(self) -> Rules:
        """How one batches. Seats are for whole answers, so memory never runs out on the way."""
        drafted = self.drafts.tokens if self.drafts else 0
        rules = rules_of(self.deployment.setting, 0, drafted)
        rules = rules._replace(max_tokens=self.tokens or rules.max_tokens)
        return rules._replace(
            capacity=2**62, max_sequences=max(min(self.seats, rules.max_sequences), 1),
            poll=self.poll,
        )  # fmt: skip

    def cost(self, most_tokens: int) -> Cost:
        """Return what iterations of up to so many tokens cost."""
        made, setting = self.deployment.cost, self.deployment.setting
        if self.drafts:
            made = speculated_replica(setting, made, self.drafts)
        return kernel_cost(made, min(most_tokens, int(made.time.tokens[-1])))


@dataclass(frozen=True)
class Lengths:
    """Tokens of requests: evenly spread between `shortest` times the nominal and `longest` times."""

    prompt: float
    output: float
    shortest: float = 1.0
    longest: float = 1.0
    cached: float = 0.0
    """Leading share of every prompt that the engine holds already."""

    def trace(self, arrival_s: Floats, accepted: float = 1.0) -> Trace:
        """Return as many requests as there are arrivals."""
        number, wide = np.arange(float(len(arrival_s))), self.longest - self.shortest
        first = self.shortest + wide * ((number * GOLDEN) % 1.0)
        second = self.shortest + wide * ((number * GOLDEN * GOLDEN + 0.5) % 1.0)
        prompt = np.maximum(np.rint(self.prompt * first), 1.0)
        output = np.maximum(np.rint(self.output * second), 2.0).astype(np.int64)
        steps = speculation.expected_steps(output, accepted)
        return Trace(
            arrival_s, prompt.astype(np.int64), steps, speculation.rates(output, steps),
            np.zeros(len(output), np.int64), np.rint(prompt * self.cached).astype(np.int64), False,
        )  # fmt: skip


@dataclass(frozen=True)
class Latency:
    """Times of requests, one each in the order they were sent."""

    ttft_s: Floats
    tpot_s: Floats
    e2e_s: Floats


def closed(
    pool: Pool,
    lengths: Lengths,
    users: int,
    prefill: Pool | None = None,
    token_way_s: float = 0.0,
) -> Latency:
    """Return the times of `users` who each send the next request when the last is answered.

    All start together. With `prefill` prompts are computed there; each of their tokens takes
    `token_way_s` to move over.
    """
    accepted = pool.drafts.accepted if pool.drafts else 1.0
    trace = lengths.trace(np.full(users * WAVES, np.inf), accepted)
    gate_s, sent_s = TOKENIZER_S * trace.input_tokens, np.zeros(len(trace.steps))
    starts_s = np.zeros(users)
    if prefill is None:
        rules = pool.rules
        w = batching_state.world(trace, pool.replicas, rules, pool.cost(rules.max_tokens))
        closed_loop.serve_users(w, starts_s, gate_s, sent_s)
        return _latency(pool, trace, w.requests, w.requests["first_s"], sent_s)
    d = _apart(pool, prefill, trace, (starts_s, gate_s, token_way_s * trace.input_tokens, sent_s))
    return _latency(pool, trace, d, d["admitted_s"], sent_s)


def _apart(
    pool: Pool, prefill: Pool, trace: Trace, times_s: tuple[Floats, Floats, Floats, Floats]
) -> np.ndarray:
    """Return the requests of the second pool after they were served."""
    before, after = prefill.rules, pool.rules
    nothing = np.zeros_like(trace.steps)
    p = batching_state.world(
        trace._replace(steps=nothing), prefill.replicas, before, prefill.cost(before.max_tokens)
    )
    most = after.max_sequences * after.verified
    d = batching_state.world(trace._replace(ready=True), pool.replicas, after, pool.cost(most))
    closed_loop.serve_users_apart(p, d, *times_s)
    return d.requests


def opened(pool: Pool, lengths: Lengths, rate_s: float, requests: int) -> Latency:
    """Return the times of requests that arrive at a constant rate."""
    rules = pool.rules
    trace = lengths.trace(np.arange(float(requests)) / rate_s)
    w = batching_state.world(trace, 1, rules, pool.cost(rules.max_tokens))
    dispatch.serve_assigned(w, np.arange(requests), np.array([0, requests]), 0, 1, np.inf)
    return _latency(pool, trace, w.requests, w.requests["first_s"], trace.arrival_s)


def _latency(
    pool: Pool, trace: Trace, done: np.ndarray, first_s: Floats, sent_s: Floats
) -> Latency:
    tokens = trace.steps * (trace.rate / batching_state.GRAIN)
    around_s = pool.deployment.setting.request_s
    return Latency(
        first_s - sent_s + around_s,
        (done["finish_s"] - first_s) / tokens,
        done["finish_s"] - sent_s + around_s,
    )
