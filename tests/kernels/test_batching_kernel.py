"""Request-level serving: the same as iteration after iteration, and right where the answer is known."""

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from small import examples

from simulator.kernels import dispatch, dispatch_reference, speculation
from simulator.kernels.batching_state import (
    BATCH_S,
    BUSY_S,
    DYNAMIC_S,
    GRAIN,
    QUEUED,
    REJECTED,
    RUNNING,
    SERVED,
    SHED,
    Cost,
    Rules,
    Trace,
    ends,
    ends_of,
    world,
)

TOLERANCE = 1e-9
TABLE_TOKENS = 96
RULES = Rules(
    capacity=400 * GRAIN, max_sequences=8, max_tokens=64, chunked=True, ahead=False, swap=False, swap_s=0.0,
    verified=1, block_tokens=0, patience_s=math.inf,
)  # fmt: skip


def cost_of(limits=(), seed=1):
    """Return a cost with odd figures, so that no two moments fall together by chance."""
    draws = np.random.default_rng(seed)
    tokens = np.arange(TABLE_TOKENS + 1.0)
    steps = 1e-5 * draws.random((2, TABLE_TOKENS + 1)).cumsum(axis=1)
    table = np.ascontiguousarray((0.013 + 1.7e-5 * tokens + steps).T)  # as the engine lays it out
    each = np.array([1.3e-3, 1.1e-4, 3.7e-6, 2.3e-6] + [1.3e-6, 0.7e-6] * len(limits))
    scales = np.array([1.0, 0.35])
    local = 0.004 + 1.1e-5 * tokens + 0.3 * steps[0]
    return Cost(
        table * scales, each[:, None] * scales, np.array(limits, np.int64), local[:, None] * scales
    )


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
    seen: tuple = ()

    @property
    def trace(self):
        output = np.array(self.output_tokens, np.int64)
        steps = speculation.expected_steps(output, self.emitted)
        zeros = np.zeros(len(output), np.int64)
        return Trace(
            np.array(self.arrival_s, float), np.array(self.input_tokens, np.int64), steps,
            speculation.rates(output, steps), np.array(self.levels, np.int64) if self.levels else zeros,
            np.array(self.given, np.int64) if self.given else zeros, self.ready,
            np.array(self.seen, np.int64) if self.seen else None,
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
            [r["busy_s"], r["dynamic_s"]],
            [plain.busy_s, plain.drawn_s], rtol=TOLERANCE,
        )  # fmt: skip
    came = w.requests["outcome"][w.requests["replica"] >= 0]
    assert list(ends(w.replicas)) == list(ends_of(came))
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
        ahead=draw(st.booleans()),
        swap=draw(st.booleans()),
        swap_s=draw(st.sampled_from([0.0, 1.9e-5])),
        verified=verified,
        block_tokens=block_tokens,
        patience_s=draw(st.sampled_from([math.inf, math.inf, 0.11, 0.6])),
        groups=draw(st.sampled_from([1, 1, 2, 4])),
        hold=draw(st.sampled_from([0, 0, 3, 20])),
        poll=draw(st.sampled_from([1, 1, 5])),
        **draw(st.sampled_from([{}, {"image_s": 2e-4, "image_drawn_s": 1e-4}])),
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
        tuple(rng.integers(0, inputs + 1)) if draw(st.booleans()) else (),
    )  # fmt: skip


def shared_blocks(family, count, request):
    """Return numbers of blocks whose first half the family shares."""
    common = [1000 * family + k for k in range(count // 2 + 1)]
    own = [10_000 + 100 * request + k for k in range(count)]
    return (common + own)[:count]


# While one decodes, another is held until there are two. The next one is more urgent and the head of
# the line, but itself can start only an iteration later than the one that it sets free.
HELD = Case(
    (0.0, 0.1, 0.2), (5, 5, 5), (40, 3, 3), (1, 1, 0), rules=RULES._replace(ahead=True, groups=2, hold=20)
)  # fmt: skip
HELD_AND_FULL = replace(
    HELD, input_tokens=(5, 5, 80), rules=HELD.rules._replace(capacity=90 * GRAIN)
)


@settings(max_examples=examples(150), deadline=None)
@given(cases())
@example(HELD)
@example(HELD_AND_FULL)
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


def price(case, tokens, sequences, contexts=0.0, pairs=0.0, prompts=0.0):
    """Return the seconds of one iteration."""
    cost = cost_of(case.limits)
    each = cost.each[:4, 0]
    return float(cost.table[tokens, 0] + each @ [prompts, sequences, contexts, pairs])


def test_one_request_alone_takes_its_prompt_and_an_arithmetic_series():
    case = Case((2.0,), (30,), (12,))
    (request,) = assert_same(case).requests
    first_s = price(case, 30, 1, pairs=30 * 31 / 2, prompts=1.0)
    assert request["admitted_s"] == 2.0
    assert request["first_s"] == pytest.approx(2.0 + first_s, rel=1e-12)
    decoding_s = sum(price(case, 1, 1, contexts=30 + k) for k in range(1, 12))
    assert request["finish_s"] == pytest.approx(2.0 + first_s + decoding_s, rel=1e-12)


def test_images_are_encoded_once_in_the_iteration_in_which_their_prompt_begins():
    rules = RULES._replace(image_s=1e-3, image_drawn_s=4e-4)
    plain, seen = (Case((0.0,), (150,), (1,), rules=rules, seen=s) for s in ((), (100,)))
    without, shown = (assert_same(case) for case in (plain, seen))
    gained_s = shown.requests["finish_s"][0] - without.requests["finish_s"][0]
    assert gained_s == pytest.approx(100 * 1e-3, rel=1e-9)
    gained_s = shown.replicas["dynamic_s"][0] - without.replicas["dynamic_s"][0]
    assert gained_s == pytest.approx(100 * 4e-4, rel=1e-9)


def test_a_long_prompt_takes_chunks_of_what_an_iteration_may_have():
    case = Case((0.0,), (150,), (1,))
    w = assert_same(case)
    pairs = [64 * 65 / 2, 64 * 64 + 64 * 65 / 2, 22 * 128 + 22 * 23 / 2]
    expected = [
        price(case, n, 1, pairs=p, prompts=1.0) for n, p in zip((64, 64, 22), pairs, strict=True)
    ]
    assert w.requests["finish_s"][0] == pytest.approx(sum(expected), rel=1e-12)
    assert w.replicas["total_iterations"][0] == 3


def test_answers_of_one_token_wait_as_in_a_queue_with_one_server():
    rng = np.random.default_rng(3)
    arrival_s = np.cumsum(rng.exponential(0.02, 60))
    case = Case(tuple(arrival_s), (20,) * 60, (1,) * 60, rules=RULES._replace(max_sequences=1))
    w = assert_same(case)
    service_s = price(case, 20, 1, pairs=210, prompts=1.0)
    end_s, expected = 0.0, []
    for moment in arrival_s:  # Lindley
        end_s = max(end_s, moment) + service_s
        expected.append(end_s)
    np.testing.assert_allclose(w.requests["finish_s"], expected, rtol=1e-12)


def test_whole_prompts_go_before_decoding():
    rules = RULES._replace(chunked=False)
    case = Case((0.0, 0.05), (30, 40), (9, 2), rules=rules)
    w = assert_same(case)
    first, second = w.requests
    prompt_s = price(case, 40, 1, pairs=40 * 41 / 2, prompts=1.0)
    assert second["first_s"] == pytest.approx(second["admitted_s"] + prompt_s, rel=1e-12)
    assert first["finish_s"] > second["first_s"]


def test_the_last_admitted_gives_way_when_memory_is_full():
    rules = RULES._replace(capacity=100 * GRAIN)
    case = Case((0.0, 0.001), (40, 40), (30, 30), rules=rules)
    for swap in (False, True):
        w = assert_same(replace(case, rules=rules._replace(swap=swap, swap_s=1e-4)))
        assert list(w.requests["preemptions"]) == [0, 1]
        assert w.requests["finish_s"][0] < w.requests["finish_s"][1]
        assert w.replicas["peak"][0] <= rules.capacity


def test_the_urgent_go_first_and_give_way_last():
    rules = RULES._replace(capacity=130 * GRAIN, max_sequences=2)
    output = (25, 10, 25, 25)
    case = Case((0.0, 0.0, 0.0, 0.001), (30,) * 4, output, (1, 1, 1, 0), rules=rules)
    requests = assert_same(case).requests
    assert requests["admitted_s"][3] < requests["admitted_s"][2]


def test_a_request_longer_than_the_cache_is_rejected_and_nobody_waits_for_it():
    case = Case((0.0, 0.0), (390, 10), (12, 3), rules=RULES._replace(capacity=400 * GRAIN))
    w = assert_same(case)
    assert list(w.requests["outcome"]) == [REJECTED, SERVED]
    fits = assert_same(replace(case, output_tokens=(11, 3)))
    assert list(fits.requests["outcome"]) == [SERVED, SERVED]


def test_who_waits_too_long_is_shed():
    rules = RULES._replace(max_sequences=1, patience_s=0.2)
    case = Case((0.0, 0.01, 0.02), (10, 10, 10), (30, 5, 5), rules=rules)
    w = assert_same(case)
    assert list(w.requests["outcome"]) == [SERVED, SHED, SHED]
    assert w.requests["finish_s"][1] >= 0.21


def test_a_horizon_leaves_requests_where_they_are():
    rules = RULES._replace(max_sequences=1)
    case = Case((0.0, 0.01, 9.0), (10,) * 3, (100,) * 3, rules=rules, until_s=0.3)
    w = assert_same(case)
    assert list(w.requests["outcome"]) == [RUNNING, QUEUED, QUEUED]
    assert w.replicas["busy_s"][0] <= 0.3


def test_an_iteration_made_up_ahead_takes_in_what_came_before_the_last_one():
    plain = Case((0.0, 0.045), (10, 10), (40, 2))
    ahead = replace(plain, rules=RULES._replace(ahead=True))
    soon, later = (assert_same(case).requests for case in (plain, ahead))
    assert later["admitted_s"][0] == soon["admitted_s"][0] == 0.0
    gap_s = later["admitted_s"][1] - soon["admitted_s"][1]
    assert 0.013 < gap_s < 0.02  # one iteration of one sequence


@pytest.mark.parametrize("levels", [(1, 1, 0), (0, 0, 0), (0, 0, 1)])
def test_held_prompts_go_as_soon_as_there_is_one_for_each_group(levels):
    requests = assert_same(replace(HELD, levels=levels)).requests
    decoding_s = [price(HELD, 1, 1, contexts=5 + k) for k in range(1, 20)]
    ends_s = requests["first_s"][0] + np.cumsum(decoding_s)
    assert requests["admitted_s"][1] == pytest.approx(ends_s[ends_s >= 0.2][0], rel=1e-12)


def test_nobody_waits_for_an_iteration_that_will_not_be():
    plain = Case((0.0, 0.001), (10, 10), (1, 1))
    ahead = replace(plain, rules=RULES._replace(ahead=True))
    assert (
        assert_same(plain).requests["admitted_s"][1] == assert_same(ahead).requests["admitted_s"][1]
    )


def test_a_cached_prefix_is_not_computed_again():
    rules = RULES._replace(block_tokens=8)
    blocks = ((1, 2, 3), (1, 2, 4), (5, 6, 7))
    case = Case((0.0, 1.0, 2.0), (30,) * 3, (2,) * 3, blocks=blocks, rules=rules)
    w = assert_same(case)
    assert list(w.requests["hit"]) == [0, 16, 0]
    rest_s = price(case, 14, 1, pairs=14 * 16 + 14 * 15 / 2, prompts=1.0)
    assert w.requests["first_s"][1] == pytest.approx(1.0 + rest_s, rel=1e-12)


def test_the_last_token_of_a_cached_prompt_is_computed():
    rules = RULES._replace(block_tokens=8)
    case = Case((0.0, 1.0), (16, 16), (2, 2), blocks=((1, 2), (1, 2)), rules=rules)
    assert list(assert_same(case).requests["hit"]) == [0, 8]


def test_unused_blocks_go_oldest_and_deepest_first_when_the_room_is_needed():
    rules = RULES._replace(block_tokens=8, capacity=48 * GRAIN)
    blocks = ((1, 2), (3, 4), (5, 6), (1, 2), (5, 6))
    case = Case((0.0, 1.0, 2.0, 3.0, 4.0), (18,) * 5, (2,) * 5, blocks=blocks, rules=rules)
    w = assert_same(case)
    assert list(w.requests["hit"]) == [0, 0, 0, 8, 16]


def test_keys_and_values_that_come_along_spare_the_prompt():
    case = Case((0.5,), (30,), (4,), ready=True)
    (request,) = assert_same(case).requests
    decoding_s = sum(price(case, 1, 1, contexts=30 + k) for k in range(1, 4))
    assert request["first_s"] == 0.5
    assert request["finish_s"] == pytest.approx(0.5 + decoding_s, rel=1e-12)


def test_attention_with_a_span_costs_no_more_beyond_it():
    near = Case((0.0,), (5,), (100,), limits=(20,))
    w = assert_same(near)
    whole = fast(replace(near, limits=(4000,)))
    assert w.requests["finish_s"][0] < whole.requests["finish_s"][0]


def test_prompts_follow_their_prefix_until_that_is_far_worse():
    count = 120
    rng = np.random.default_rng(9)
    arrival_s = tuple(
        np.cumsum(rng.exponential(1e-3, count)) + np.where(np.arange(count) > 0, 1, 0)
    )
    rules = RULES._replace(block_tokens=8, capacity=100_000 * GRAIN)
    blocks = tuple((1, 2, 3, 1000 + k) for k in range(count))
    case = Case(
        arrival_s, (32,) * count, (40,) * count, blocks=blocks, rules=rules, replicas=3,
        policy=dispatch.AFFINITY,
    )  # fmt: skip
    replicas = assert_same(case).requests["replica"]
    assert np.bincount(replicas, minlength=3)[replicas[0]] > dispatch.PASS_OVER_MORE
    assert len(set(replicas[dispatch.PASS_OVER_MORE + 5 :])) == 3


@pytest.mark.parametrize("policy", range(5))
def test_a_busy_hour_in_miniature_is_the_same_under_every_policy(policy):
    rng = np.random.default_rng(policy)
    count = 250
    case = Case(
        tuple(np.cumsum(rng.exponential(0.012, count))), tuple(rng.integers(1, 120, count)),
        tuple(rng.geometric(0.03, count)), tuple(rng.integers(0, 2, count)), replicas=5,
        policy=policy, rules=RULES._replace(capacity=600 * GRAIN), limits=(48,),
    )  # fmt: skip
    w = assert_same(case)
    assert w.replicas["preemptions"].sum() > 0


def test_the_shortest_queue_beats_turns():
    rng = np.random.default_rng(2)
    count = 400
    case = Case(
        tuple(np.cumsum(rng.exponential(0.03, count))), (20,) * count,
        tuple(np.where(rng.random(count) < 0.1, 300, 3)), replicas=4,
    )  # fmt: skip
    waits = [
        np.mean(fast(replace(case, policy=p)).requests["first_s"] - np.array(case.arrival_s))
        for p in (dispatch.SHORTEST, dispatch.ROUND_ROBIN)
    ]
    assert waits[0] < waits[1]


def test_the_record_over_time_folds_and_loses_nothing():
    count = 40
    case = Case(tuple(0.1 * np.arange(count)), (20,) * count, (30,) * count, replicas=2)
    w = fast(case)
    assert w.bin_s[0] > 0.1
    assert w.series[:, BUSY_S].sum() == pytest.approx(w.replicas["busy_s"].sum(), rel=1e-12)
    assert w.series[:, DYNAMIC_S].sum() == pytest.approx(w.replicas["dynamic_s"].sum(), rel=1e-12)
    decoded = sum(r["finish_s"] - r["admitted_s"] for r in w.requests)
    assert w.series[:, BATCH_S].sum() == pytest.approx(decoded, rel=1e-9)


def test_power_is_what_iterations_draw():
    w = fast(CASE_ALONE)
    share = w.replicas["dynamic_s"][0] / w.replicas["busy_s"][0]
    assert share == pytest.approx(0.35, rel=1e-3)  # nearly the same in all


CASE_ALONE = Case((0.0,), (30,), (12,))


def test_memory_counts_parts_of_tokens_exactly():
    case = Case((0.0,), (10,), (24,), rules=RULES._replace(verified=4), emitted=2.3)
    assert int(case.trace.steps[0]) == 10
    w = assert_same(case)
    assert w.replicas["total_iterations"][0] == 11
    assert w.replicas["peak"][0] == 10 * GRAIN + 10 * (23 * GRAIN // 10)


def test_no_requests_and_no_time_are_no_problem():
    w = fast(Case((), (), ()))
    assert w.replicas["busy_s"][0] == 0.0
