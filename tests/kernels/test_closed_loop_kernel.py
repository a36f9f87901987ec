"""Closed loops of users: the same as iteration after iteration, and right where the answer is known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import examples
from test_batching_kernel import RULES, TOLERANCE, cost_of

from simulator.kernels import closed_loop, closed_loop_reference, speculation
from simulator.kernels.batching_state import GRAIN, REJECTED, SERVED, Trace, world

UNTIED_S = 1e-6
"""Longest of the random times on the way: with none at all, replicas that do the same work from the same moment
end together but for rounding, which then decides who comes first."""


def trace_of(inputs, outputs, emitted=1.0, levels=None):
    """Return requests that have not been sent."""
    count = len(inputs)
    zeros = np.zeros(count, np.int64)
    outputs = np.asarray(outputs, np.int64)
    steps = speculation.expected_steps(outputs, emitted)
    return Trace(
        np.full(count, math.inf), np.asarray(inputs, np.int64), steps,
        speculation.rates(outputs, steps), zeros if levels is None else levels, zeros, False,
    )  # fmt: skip


def starting(users):
    """Return when users start: at once if told how many there are, else as told."""
    return np.zeros(users) if isinstance(users, int) else np.asarray(users, float)


def together(trace, users, replicas=1, rules=RULES, limits=(), gate_s=None):
    """Return the world of replicas that do both, after comparing it, and when requests were sent."""
    count = len(trace.steps)
    gate_s, sent_s = np.zeros(count) if gate_s is None else gate_s, np.full(count, np.nan)
    w = world(trace, replicas, rules, cost_of(limits))
    closed_loop.serve_users(w, starting(users), gate_s, sent_s)
    requests, fleet, expected_s = closed_loop_reference.serve_users(
        trace, replicas, rules, cost_of(limits), starting(users), gate_s
    )
    compare(w, requests, fleet)
    np.testing.assert_allclose(sent_s, expected_s, rtol=TOLERANCE)
    return w, sent_s


def apart(trace, users, replicas=(1, 1), rules=(RULES, RULES), way_s=None, gate_s=None, limits=()):
    """Return the worlds of both pools, after comparing them."""
    costs, count = (cost_of(limits, 1), cost_of(limits, 2)), len(trace.steps)
    way_s = np.zeros(count) if way_s is None else way_s
    gate_s, sent_s = np.zeros(count) if gate_s is None else gate_s, np.full(count, np.nan)
    nothing = np.zeros_like(trace.steps)
    p = world(trace._replace(steps=nothing), replicas[0], rules[0], costs[0])
    d = world(trace._replace(ready=True), replicas[1], rules[1], costs[1])
    closed_loop.serve_users_apart(p, d, starting(users), gate_s, way_s, sent_s)
    *expected, expected_s = closed_loop_reference.serve_users_apart(
        trace, replicas, rules, costs, starting(users), gate_s, way_s
    )
    for w, (requests, fleet) in zip((p, d), expected, strict=True):
        compare(w, requests, fleet)
    np.testing.assert_allclose(sent_s, expected_s, rtol=TOLERANCE)
    return p, d


def compare(w, requests, fleet):
    """Compare every request and every replica."""
    for name in ("outcome", "replica", "preemptions"):
        assert [int(v) for v in w.requests[name]] == [getattr(r, name) for r in requests], name
    for name in ("arrival_s", "admitted_s", "first_s", "finish_s"):
        expected = [getattr(r, name) for r in requests]
        np.testing.assert_allclose(w.requests[name], expected, rtol=TOLERANCE, err_msg=name)
    for r, plain in zip(w.replicas, fleet, strict=True):
        assert int(r["total_iterations"]) == plain.iterations
        assert int(r["held"]) == plain.held() == 0
        np.testing.assert_allclose(r["busy_s"], plain.busy_s, rtol=TOLERANCE)


@st.composite
def loops(draw):
    """Small loops under every mixture of rules."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count, verified = draw(st.integers(1, 30)), draw(st.sampled_from([1, 1, 4]))
    longest = draw(st.sampled_from([8, 60, 150]))
    inputs = rng.integers(1, longest + 1, count)
    outputs = rng.integers(2, draw(st.sampled_from([3, 20, 90])) + 1, count)
    rules = RULES._replace(
        capacity=draw(st.sampled_from([150, 400, 4000])) * GRAIN,
        max_sequences=draw(st.sampled_from([1, 3, 8])),
        max_tokens=draw(st.sampled_from([32, 64, 200])),
        chunked=draw(st.booleans()),
        ahead=draw(st.booleans()),
        verified=verified,
        groups=draw(st.sampled_from([1, 1, 4])),
        hold=draw(st.sampled_from([0, 0, 7])),
        poll=draw(st.sampled_from([1, 1, 4])),
    )
    emitted = draw(st.sampled_from([1.0, 2.3])) if verified > 1 else 1.0
    levels = rng.integers(0, draw(st.integers(1, 2)), count)
    return trace_of(inputs, outputs, emitted, levels), rules, draw(st.integers(1, 12)), rng


@settings(max_examples=examples(120), deadline=None)
@given(loops(), st.integers(1, 3), st.sampled_from([(), (17,)]), st.booleans())
def test_users_meet_the_same_as_iteration_after_iteration(loop, replicas, limits, slow):
    trace, rules, users, rng = loop
    gate_s = rng.random(len(trace.steps)) * (0.02 if slow else UNTIED_S)
    starts_s = np.sort(rng.random(users)) * (0.4 if slow else 0.0)
    w, sent_s = together(trace, starts_s, replicas, rules, limits, gate_s)
    assert set(w.requests["outcome"]) <= {SERVED, REJECTED}
    assert in_flight(sent_s, w.requests["finish_s"]) <= users
    assert (np.diff(w.requests["arrival_s"]) >= gate_s[1:] - 1e-12).all(), "one after the other"


@settings(max_examples=examples(120), deadline=None)
@given(loops(), loops(), st.integers(1, 3), st.integers(1, 3), st.booleans())
def test_two_pools_are_the_same_as_iteration_after_iteration(loop, other, before, after, far):
    trace, rules, users, rng = loop
    roomy = rules.capacity, max(rules.capacity, other[1].capacity)
    pools = rules, other[1]._replace(capacity=roomy[1], verified=rules.verified)
    way_s = rng.random(len(trace.steps)) * (0.3 if far else UNTIED_S)
    gate_s = rng.random(len(trace.steps)) * (0.01 if far else UNTIED_S)
    fits = trace.input_tokens * GRAIN + trace.steps * trace.rate <= min(roomy)
    trace = Trace(*(column[fits] for column in trace[:6]), trace.ready)
    if not fits.any():
        return
    starts_s = np.sort(rng.random(users)) * (0.4 if far else 0.0)
    _, d = apart(trace, starts_s, (before, after), pools, way_s[fits], gate_s[fits])
    assert set(d.requests["outcome"]) == {SERVED}


def in_flight(sent_s, answered_s):
    """Return the most requests under way at once, answers before what they let go."""
    events = [(t, 1) for t in sent_s] + [(t, 0) for t in answered_s]
    most = now = 0
    for _, sent in sorted(events):
        now += 1 if sent else -1
        most = max(most, now)
    return most


def test_one_user_is_served_again_and_again():
    w, _ = together(trace_of([30] * 5, [12] * 5), 1)
    whole_s = np.diff(w.requests["finish_s"])
    np.testing.assert_allclose(whole_s, w.requests["finish_s"][0], rtol=1e-12)
    np.testing.assert_allclose(w.requests["arrival_s"][1:], w.requests["finish_s"][:-1])


def test_users_beyond_the_seats_wait_by_littles_law():
    rules = RULES._replace(max_sequences=4, capacity=10_000 * GRAIN)
    w, _ = together(trace_of([10] * 300, [40] * 300), 8, rules=rules)
    r = w.requests[20:-20]
    in_line = (r["admitted_s"] - r["arrival_s"]).mean()
    in_seat = (r["finish_s"] - r["admitted_s"]).mean()
    assert in_line == pytest.approx(in_seat, rel=0.02), "half the users sit"


def test_a_pool_without_seats_holds_up_the_one_before():
    narrow = RULES._replace(max_sequences=1, capacity=200 * GRAIN)
    before = RULES._replace(capacity=120 * GRAIN)
    p, d = apart(trace_of([50] * 12, [40] * 12), 6, rules=(before, narrow))
    wait_s = p.requests["admitted_s"] - p.requests["arrival_s"]
    later = d.requests["finish_s"]
    assert wait_s[5] > later[0], (
        "two prompts fit before, one decodes: the sixth waits for an answer"
    )
    roomy, _ = apart(trace_of([50] * 12, [40] * 12), 6, rules=(RULES, narrow))
    assert (roomy.requests["admitted_s"] - roomy.requests["arrival_s"])[5] < wait_s[5]


def test_the_way_between_pools_is_in_the_answer():
    trace = trace_of([30], [12])
    near, far = (
        apart(trace, 1, way_s=np.array([s]))[1].requests["finish_s"][0] for s in (0.0, 0.7)
    )
    assert far - near == pytest.approx(0.7, rel=1e-9)
