"""Request-level serving: the same as iteration after iteration, and right where the answer is known."""

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.kernels import dispatch, dispatch_reference, speculation
from simulator.kernels.batching_state import (
    GRAIN,
    QUEUED,
    REJECTED,
    RUNNING,
    SERVED,
    SHED,
    Cost,
    Rules,
    Trace,
    world,
)

TOLERANCE = 1e-9
TABLE_TOKENS = 96
RULES = Rules(
    capacity=400 * GRAIN, max_sequences=8, max_tokens=64, chunked=True, swap=False, swap_s=0.0,
    verified=1, block_tokens=0, patience_s=math.inf, matrix_power=9.2, memory_power=1.6,
)  # fmt: skip


def cost_of(limits=(), seed=1):
    """Return a cost with odd figures, so that no two moments fall together by chance."""
    draws = np.random.default_rng(seed)
    tokens = np.arange(TABLE_TOKENS + 1.0)
    steps = 1e-5 * draws.random((3, TABLE_TOKENS + 1)).cumsum(axis=1)
    table = (0.013 + 1.7e-5 * tokens + steps).T
    each = np.array([1.3e-3, 1.1e-4, 3.7e-6, 2.3e-6] + [1.3e-6, 0.7e-6] * len(limits))
    scales = np.array([1.0, 0.35, 0.55])
    return Cost(table * scales, each[:, None] * scales, np.array(limits, np.int64))


@dataclass(frozen=True)
class Case:
    """One question to both, the kernel and the reference."""

    arrival_s: tuple
    input_tokens: tuple
    output_tokens: tuple
    levels: tuple = ()
    given: tuple = ()
    blocks: tuple = ()
    rules: Rules = RULES
    limits: tuple = ()
    replicas: int = 1
    policy: int = dispatch.ROUND_ROBIN
    emitted: float = 1.0
    ready: bool = False
    until_s: float = math.inf

    @property
    def trace(self):
        output = np.array(self.output_tokens, np.int64)
        steps = speculation.expected_steps(output, self.emitted)
        zeros = np.zeros(len(output), np.int64)
        return Trace(
            np.array(self.arrival_s, float), np.array(self.input_tokens, np.int64), steps,
            speculation.rates(output, steps), np.array(self.levels, np.int64) if self.levels else zeros,
            np.array(self.given, np.int64) if self.given else zeros, self.ready,
        )  # fmt: skip


def fast(case):
    """Return the world after the kernel."""
    blocks = None
    if case.blocks:
        start = np.concatenate(([0], np.cumsum([len(b) for b in case.blocks]))).astype(np.int64)
        blocks = start, np.array([b for listed in case.blocks for b in listed], np.int32)
    w = world(case.trace, case.replicas, case.rules, cost_of(case.limits), blocks, 4, 0.1)
    if case.policy == dispatch.ROUND_ROBIN:
        count = len(case.arrival_s)
        to = np.arange(count) % case.replicas
        order = np.argsort(to, kind="stable")
        start = np.searchsorted(to[order], np.arange(case.replicas + 1))
        dispatch.serve_assigned(w, order, start, 0, case.replicas, case.until_s)
    else:
        ends, loads = (dispatch.tournament(case.replicas, v) for v in (np.inf, 0.0))
        dispatch.serve_chosen(w, case.policy, 5, 7, case.until_s, ends, loads)
    return w


def slow(case):
    blocks = [list(b) for b in case.blocks] if case.blocks else None
    return dispatch_reference.serve(
        case.trace, case.replicas, case.rules, cost_of(case.limits), case.policy, (5, 7), blocks,
        case.until_s,
    )  # fmt: skip


def assert_same(case):
    """Compare every request and every replica; return the kernel's world."""
    w = fast(case)
    requests, replicas = slow(case)
    for name in ("outcome", "replica", "preemptions", "hit"):
        expected = [getattr(r, name) for r in requests]
        assert [int(v) for v in w.requests[name]] == expected, name
    for name in ("admitted_s", "first_s", "finish_s"):
        expected = np.array([getattr(r, name) for r in requests])
        np.testing.assert_allclose(w.requests[name], expected, rtol=TOLERANCE, err_msg=name)
        # Equal times make an order of events only if distinct ones keep theirs.
        known = ~np.isnan(expected)
        order = np.argsort(expected[known], kind="stable")
        assert np.all(np.diff(w.requests[name][known][order]) >= -TOLERANCE)
    for r, plain in zip(w.replicas, replicas, strict=True):
        assert (int(r["total_iterations"]), int(r["preemptions"])) == (
            plain.iterations, plain.preemptions,
        )  # fmt: skip
        assert int(r["peak"]) == plain.peak
        np.testing.assert_allclose(
            [r["busy_s"], r["matrix_total_s"], r["memory_total_s"]],
            [plain.busy_s, plain.matrix_s, plain.memory_s], rtol=TOLERANCE,
        )  # fmt: skip
    return w


@st.composite
def cases(draw):
    """Small traces under every mixture of rules; memory is tight more often than not."""
    count = draw(st.integers(1, 24))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    pace_s = draw(st.sampled_from([0.0, 0.005, 0.05, 0.5]))
    arrival_s = tuple(np.cumsum(rng.exponential(pace_s, count)) if pace_s else np.zeros(count))
    inputs = rng.integers(1, draw(st.sampled_from([8, 60, 150])) + 1, count)
    outputs = rng.integers(1, draw(st.sampled_from([2, 20, 120])) + 1, count)
    verified = draw(st.sampled_from([1, 1, 4]))
    block_tokens = draw(st.sampled_from([0, 0, 8]))
    ready = draw(st.sampled_from([False, False, False, True]))
    if ready:
        outputs = np.maximum(outputs, 2)
    rules = RULES._replace(
        capacity=draw(st.sampled_from([90, 150, 400, 4000])) * GRAIN,
        max_sequences=draw(st.sampled_from([1, 3, 8])),
        max_tokens=draw(st.sampled_from([32, 64, 200])),
        chunked=draw(st.booleans()),
        swap=draw(st.booleans()),
        swap_s=draw(st.sampled_from([0.0, 1.9e-5])),
        verified=verified,
        block_tokens=block_tokens,
        patience_s=draw(st.sampled_from([math.inf, math.inf, 0.11, 0.6])),
    )
    levels = rng.integers(0, draw(st.integers(1, 3)), count)
    given_tokens = rng.integers(0, 9, count) if draw(st.booleans()) else ()
    families = rng.integers(0, 4, count)
    blocks = tuple(
        tuple(shared_blocks(f, int(-(-n // 8)), k))
        for k, (f, n) in enumerate(zip(families, inputs, strict=True))
    )
    return Case(
        arrival_s, tuple(inputs), tuple(outputs), tuple(levels), tuple(given_tokens),
        blocks if block_tokens else (), rules,
        draw(st.sampled_from([(), (), (17,), (5, 40)])),
        draw(st.integers(1, 4)),
        draw(st.sampled_from(range(5))),
        draw(st.sampled_from([1.0, 2.3, 3.0])) if verified > 1 else 1.0,
        ready,
        draw(st.sampled_from([math.inf, math.inf, 0.31])),
    )  # fmt: skip


def shared_blocks(family, count, request):
    """Return numbers of blocks whose first half the family shares."""
    common = [1000 * family + k for k in range(count // 2 + 1)]
    own = [10_000 + 100 * request + k for k in range(count)]
    return (common + own)[:count]


@settings(max_examples=150, deadline=None)
@given(cases())
def test_skipping_ahead_gives_the_same_as_every_iteration(case):
    w = assert_same(case)
    arrived = [a for a in case.arrival_s if a <= case.until_s]
    counts = np.bincount(w.requests["outcome"], minlength=5)
    later = len(case.arrival_s) - len(arrived)
    served = counts[SERVED] + counts[REJECTED] + counts[SHED]
    assert served + counts[RUNNING] + counts[QUEUED] == len(arrived) + later
    if case.until_s == math.inf:
        assert counts[QUEUED] == counts[RUNNING] == 0
        assert all(
            r["held"] == r["growth"] == r["context"] == r["running"] == 0 for r in w.replicas
        )
    assert w.replicas["peak"].max() <= case.rules.capacity
