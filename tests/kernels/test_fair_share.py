"""Max-min fair share: closed forms, the definition itself, and linear programmes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from simulator.kernels.fair_share import fair_share


def solve(uses, capacity, limit):
    """Return rates; `uses` is (flows, trunks): load per unit of rate."""
    uses = np.asarray(uses, float)
    flow, trunk = np.nonzero(uses)
    start = np.searchsorted(flow, np.arange(uses.shape[0] + 1)).astype(np.int64)
    rate = np.zeros(uses.shape[0])
    fair_share(start, trunk.astype(np.int64), uses[flow, trunk], np.asarray(limit, float),
               np.asarray(capacity, float), rate)
    return rate


def by_linear_programmes(uses, capacity, limit):
    """Raise the smallest rate of the flows not fixed yet as far as it goes; fix who cannot grow."""
    uses, flows = np.asarray(uses, float), len(limit)
    fixed = np.full(flows, np.nan)
    while np.isnan(fixed).any():
        growing = np.isnan(fixed)
        bounds = [(0 if g else f, u if g else f)
                  for g, f, u in zip(growing, fixed, limit, strict=True)]
        level = _most(uses, capacity, [*bounds, (0, None)], growing)
        at_least = [(level * (1 - 1e-9) if g else f, u if g else f)
                    for g, f, u in zip(growing, fixed, limit, strict=True)]
        for f in np.flatnonzero(growing):
            goal = np.zeros(flows)
            goal[f] = -1.0
            best = -linprog(goal, A_ub=uses.T, b_ub=capacity, bounds=at_least).fun
            if best <= level * (1 + 1e-6) + 1e-12:
                fixed[f] = level
    return fixed


def _most(uses, capacity, bounds, growing):
    flows = uses.shape[0]
    goal = np.append(np.zeros(flows), -1.0)
    below = np.hstack([-np.eye(flows)[growing], np.ones((growing.sum(), 1))])
    full = np.hstack([uses.T, np.zeros((uses.shape[1], 1))])
    found = linprog(goal, A_ub=np.vstack([full, below]),
                    b_ub=np.append(capacity, np.zeros(growing.sum())), bounds=bounds)
    return -found.fun


@pytest.mark.parametrize(("uses", "capacity", "limit", "rate"), [
    ([[1], [1]], [10], [99, 99], [5, 5]),
    ([[1], [1]], [10], [2, 99], [2, 8]),
    ([[1], [3]], [12], [99, 99], [3, 3]),  # fair per accelerator, not per job
    ([[1, 1], [1, 0], [0, 1]], [10, 4], [99] * 3, [2, 8, 2]),  # the classic line of two links
    ([[1, 0], [0, 1]], [10, 4], [99, 3], [10, 3]),
    ([[0], [1]], [10], [7, 99], [7, 10]),
    ([[1], [1]], [0], [5, 5], [0, 0]),
    ([[2.0], [2.0]], [1e15], [50e9, 25e9], [50e9, 25e9])])
def test_water_fills_as_by_hand(uses, capacity, limit, rate):
    np.testing.assert_allclose(solve(uses, capacity, limit), rate, rtol=1e-12)


def cases(most_flows):
    flows, trunks = st.integers(1, most_flows), st.integers(1, 4)
    return st.tuples(flows, trunks, st.integers(0, 2**32 - 1)).map(_case)


def _case(drawn):
    flows, trunks, seed = drawn
    rng = np.random.default_rng(seed)
    uses = rng.integers(0, 5, (flows, trunks)) * (rng.random((flows, trunks)) < 0.7)
    return uses, rng.integers(1, 50, trunks).astype(float), rng.integers(1, 20, flows).astype(float)


@given(cases(8))
@settings(max_examples=200, deadline=None)
def test_every_flow_is_at_its_limit_or_largest_on_a_full_trunk(case):
    """The bottleneck property, which only the max-min fair allocation has."""
    uses, capacity, limit = case
    rate = solve(uses, capacity, limit)
    load = rate @ uses
    assert np.all(load <= capacity * (1 + 1e-9))
    assert np.all((rate >= 0) & (rate <= limit * (1 + 1e-9)))
    for f in range(rate.size):
        full = [e for e in np.flatnonzero(uses[f]) if load[e] >= capacity[e] * (1 - 1e-9)]
        largest = any(rate[f] >= rate[uses[:, e] > 0].max() * (1 - 1e-9) for e in full)
        assert rate[f] >= limit[f] * (1 - 1e-9) or largest


@given(cases(4))
@settings(max_examples=25, deadline=None)
def test_as_linear_programmes_find_it(case):
    np.testing.assert_allclose(solve(*case), by_linear_programmes(*case), rtol=1e-5, atol=1e-7)


@given(cases(6), st.floats(0.1, 1e12))
@settings(max_examples=50, deadline=None)
def test_units_do_not_matter(case, scale):
    uses, capacity, limit = case
    np.testing.assert_allclose(
        solve(uses, capacity * scale, limit * scale), solve(uses, capacity, limit) * scale, rtol=1e-9)


@given(cases(6))
@settings(max_examples=50, deadline=None)
def test_more_capacity_never_lowers_the_smallest_rate(case):
    uses, capacity, limit = case
    assert solve(uses, capacity * 1.5, limit).min() >= solve(uses, capacity, limit).min() * (1 - 1e-9)
