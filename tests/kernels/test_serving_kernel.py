"""The fluid queue of a pool against conservation and its limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import pod_site, resting

from simulator.engine.state import Load, Pool
from simulator.kernels import serving

DT_S = 60.0
GRID = np.linspace(0.0, 1.0, 6)


def pool_of(rate_per_s, replicas, patience_s=30.0, capacity_per_s=2.0):
    """Return the pools and loads of one pool with that many replicas of one accelerator."""
    rates = np.atleast_1d(np.asarray(rate_per_s, float))
    rates = np.repeat(rates, 2) if rates.size == 1 else rates
    pool = Pool("p", rates, 1, capacity_per_s, patience_s, 0.1 + 0.8 * GRID)
    state = resting(pod_site(), (Load("p", "inference", 0),), (pool,))
    state.loads.count[2] = replicas
    return state.pools, state.loads


def test_with_replicas_to_spare_all_is_served_at_once():
    pools, loads = pool_of(30.0, 100)
    serving.prepare(pools, loads, 0, 0.5, DT_S)
    np.testing.assert_allclose(pools.step[0, :4], [1800.0, 1800.0, 0.0, 30.0 / 200.0])
    assert pools.queue[0, serving.REQUESTS] == 0.0
    assert loads.dynamic_frac[2] == pytest.approx(0.1 + 0.8 * 0.15)
    assert loads.busy[2] == pytest.approx(0.15)
    assert pools.load_requests[0].sum() == pytest.approx(1800.0)


def test_in_overload_capacity_is_served_and_only_what_outlasts_patience_is_shed():
    pools, loads = pool_of(30.0, 10, patience_s=90.0)
    rate, shed = 20.0, 0.0
    for minute in range(6):
        serving.prepare(pools, loads, 0, 0.5, DT_S)
        assert pools.step[0, 1] == pytest.approx(rate * DT_S)
        expected = min(10.0 * DT_S * (minute + 1), rate * 90.0)
        assert pools.queue[0, serving.REQUESTS] == pytest.approx(expected)
        assert (pools.step[0, 2] > 0.0) == (10.0 * DT_S * (minute + 1) > rate * 90.0)
        shed += pools.step[0, 2]
    assert pools.shed[0] == pytest.approx(shed)
    assert pools.wait_requests[0].sum() > 0.0
    assert loads.busy[2] == pytest.approx(1.0)


def test_without_replicas_everything_is_shed():
    pools, loads = pool_of(30.0, 0)
    serving.prepare(pools, loads, 0, 0.5, DT_S)
    assert pools.shed[0] == pools.arrived[0] == pytest.approx(1800.0)
    assert loads.dynamic_frac[2] == pytest.approx(0.1)


def test_demand_is_interpolated_inside_the_hour():
    pools, loads = pool_of([10.0, 20.0], 100)
    serving.prepare(pools, loads, 0, 0.25, DT_S)
    assert pools.arrived[0] == pytest.approx(12.5 * DT_S)


@pytest.mark.parametrize(("column", "factor"), [("clock", 0.5), ("on", 0.0), ("cap", 0.5)])
def test_slowed_replicas_serve_less(column, factor):
    pools, loads = pool_of(1000.0, 100)
    getattr(loads, column)[2] = factor
    serving.prepare(pools, loads, 0, 0.5, DT_S)
    speed = factor ** (1 / 2.5) if column == "cap" else factor
    assert pools.step[0, 1] == pytest.approx(200.0 * DT_S * speed)


def test_a_partial_replica_serves_nothing():
    pools, loads = pool_of(1000.0, 0)
    pools.replica_accelerators[0], loads.count[2] = 8.0, 31.0
    serving.prepare(pools, loads, 0, 0.5, DT_S)
    assert pools.step[0, 1] == pytest.approx(3 * 2.0 * DT_S)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 100.0), st.integers(0, 60)), min_size=1, max_size=20),
       st.floats(1.0, 600.0))
def test_arrived_is_served_shed_or_waiting(minutes, patience_s):
    pools, loads = pool_of(1.0, 0, patience_s)
    for rate, replicas in minutes:
        pools.rate_per_s[:] = rate
        loads.count[2] = replicas
        serving.prepare(pools, loads, 0, 0.5, DT_S)
        assert pools.queue[0, serving.REQUESTS] <= replicas * 2.0 * patience_s + 1e-6
        assert 0.0 <= pools.step[0, 3] <= 1.0 + 1e-12
    total = pools.served[0, serving.REQUESTS] + pools.shed[0] + pools.queue[0, serving.REQUESTS]
    assert total == pytest.approx(pools.arrived[0], rel=1e-12, abs=1e-9)
    counted = pools.load_requests.sum() + pools.wait_requests.sum()
    assert counted == pytest.approx(pools.served[0, serving.REQUESTS], rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("rejected", [0.0, 0.3, 1.0])
def test_what_no_replica_holds_is_rejected_and_takes_nothing(rejected):
    pools, loads = pool_of(30.0, 100)
    held = 1.0 - rejected
    pools.rejected_frac[:], pools.work_frac[:] = rejected, held
    serving.prepare(pools, loads, 0, 0.5, DT_S)
    assert pools.arrived[0] == pytest.approx(1800.0)
    assert pools.rejected[0] == pytest.approx(1800.0 * rejected)
    assert pools.served[0, serving.REQUESTS] == pytest.approx(1800.0 * held)
    assert pools.step[0, serving.LOAD_FRAC] == pytest.approx(0.15 * held)


def test_wait_bins_are_logarithmic():
    edges = serving.WAIT_FIRST_S * serving.WAIT_RATIO ** np.arange(serving.WAIT_BINS)
    assert [serving.wait_bin(e * 1.001) for e in edges] == list(range(serving.WAIT_BINS))
    assert serving.wait_bin(1e12) == serving.WAIT_BINS - 1
    assert serving.wait_bin(1e-9) == 0
