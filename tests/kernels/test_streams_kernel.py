"""Routed requests in the pools: nothing is lost between stages, whatever the pools can do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import pod_site, resting

from simulator.engine import state as states
from simulator.engine.state import Load, Pool, Streams
from simulator.kernels import serving
from simulator.kernels.streams import ARRIVED, LOST, PASSED, SERVED, SHED, USER, WAITING

DT_S = 60.0
GRID = np.linspace(0.0, 1.0, 6)
FIRST = 2
"""Loads of the pools come after idle and down of the one chip."""


def streams_of(rates, pools, stages, work, after, kept):
    """Return streams that begin at stage 0 with a rate on each of two hour boundaries."""
    rate_per_s = np.zeros((len(after), 2))
    rate_per_s[0] = rates
    amounts = np.array([(1.0, w, 100.0, 10.0) for w in work])
    return Streams(
        np.array(pools), np.array(stages), amounts, rate_per_s, np.array(after), np.array(kept)
    )


def pools_of(streams, replicas, retries=True, patience_s=30.0, capacity_per_s=2.0):
    names = [f"p{k}" for k in range(len(replicas))]
    pools = tuple(
        Pool(n, np.zeros(2), 1, capacity_per_s, patience_s, GRID, batch=4.0 * GRID,
             retries=retries, by_router=True)
        for n in names
    )
    loads = tuple(Load(n, "inference", 0) for n in names)
    world = states.build(pod_site(), list(loads), list(pools), 1, 0, streams)
    world.loads.count[FIRST:] = replicas
    return world.pools, world.loads


def cascade(rate=30.0, passed=0.4, work=(1.0, 1.0), replicas=(100, 100), **pool):
    """Return two pools, the second of which gets a share of what the first answers."""
    streams = streams_of(rate, (0, 1), (0, 1), work, (1, USER), (USER, USER))
    pools, loads = pools_of(streams, replicas, **pool)
    pools.streams.share[:] = 1.0
    pools.streams.onward[:] = passed, 0.0
    return pools, loads


def run(pools, loads, minutes):
    for minute in range(minutes):
        serving.prepare(pools, loads, 0, (minute + 0.5) / 60.0, DT_S)


def begun(pools):
    return pools.streams.hours[0, pools.streams.stage == 0, ARRIVED].sum()


def ended(pools):
    """Return requests by what became of them; they add up to those that began."""
    streams = pools.streams
    hour = streams.hours[0]
    last = streams.kept[streams.stage] == USER
    done = (hour[last, SERVED] - hour[last, PASSED]).sum()
    waiting = hour[:, WAITING].sum() + streams.entering.sum()
    return np.array([done, hour[:, SHED].sum(), hour[:, LOST].sum(), waiting])


def test_a_cascade_passes_on_a_minute_later():
    pools, loads = cascade()
    run(pools, loads, 1)
    np.testing.assert_allclose(pools.streams.hours[0, :, SERVED], [1800.0, 0.0])
    assert pools.streams.entering[1] == pytest.approx(720.0)
    run(pools, loads, 1)
    np.testing.assert_allclose(pools.streams.hours[0, :, SERVED], [3600.0, 720.0])
    np.testing.assert_allclose(ended(pools), [2 * 1080.0 + 720.0, 0.0, 0.0, 720.0])


def test_what_a_pool_sheds_is_not_passed_on():
    pools, loads = cascade(replicas=(10, 100), patience_s=60.0)
    run(pools, loads, 30)
    hour = pools.streams.hours[0]
    assert hour[0, SERVED] == pytest.approx(30 * 20.0 * DT_S)
    assert hour[0, SHED] == pytest.approx(30 * 10.0 * DT_S - 20.0 * 60.0)
    assert hour[1, ARRIVED] == pytest.approx(0.4 * 29 * 20.0 * DT_S)
    assert ended(pools).sum() == pytest.approx(begun(pools))


def test_streams_of_one_pool_share_its_fate_and_its_work():
    streams = streams_of(0.0, (0, 0), (0, 1), (1.0, 3.0), (USER, USER), (USER, USER))
    streams.rate_per_s[:] = [[10.0, 10.0], [5.0, 5.0]]
    pools, loads = pools_of(streams, (10,), patience_s=1e9)
    pools.streams.share[:] = 1.0
    run(pools, loads, 1)
    served = 20.0 / (10.0 + 15.0)  # of the work of a second
    np.testing.assert_allclose(
        pools.streams.hours[0, :, SERVED], [600.0 * served, 300.0 * served])
    np.testing.assert_allclose(
        pools.streams.hours[0, :, WAITING], [600.0 * (1 - served), 300.0 * (1 - served)])
    assert pools.step[0, serving.LOAD_FRAC] == pytest.approx(1.0)


def test_shares_split_a_stage_and_rates_are_interpolated_inside_the_hour():
    streams = streams_of((10.0, 20.0), (0, 1), (0, 0), (1.0, 1.0), (USER,), (USER,))
    pools, loads = pools_of(streams, (100, 100))
    pools.streams.share[:] = 0.25, 0.75
    serving.prepare(pools, loads, 0, 0.5, DT_S)
    np.testing.assert_allclose(pools.streams.hours[0, :, ARRIVED], [225.0, 675.0])
    np.testing.assert_allclose(pools.arrived, [225.0, 675.0])


def test_moderation_takes_what_is_kept_as_well_as_what_is_passed_on():
    """Guard, model, guard: pool 1 sees every request twice, before and after pool 0."""
    streams = streams_of(
        10.0, (1, 0, 1), (0, 1, 2), (0.1, 1.0, 0.2), (1, USER, USER), (USER, 2, USER))
    pools, loads = pools_of(streams, (100, 100))
    pools.streams.share[:] = 1.0
    pools.streams.onward[:] = 1.0, 0.0, 0.0
    run(pools, loads, 5)
    np.testing.assert_allclose(pools.streams.hours[0, :, SERVED], [3000.0, 2400.0, 1800.0])
    np.testing.assert_allclose(ended(pools), [1800.0, 0.0, 0.0, 1200.0])
    assert pools.arrived[1] == pytest.approx(4800.0)


@pytest.mark.parametrize("retries", [True, False])
def test_requests_of_failed_replicas_come_again_or_are_counted_lost(retries):
    pools, loads = cascade(replicas=(30, 100), retries=retries)
    run(pools, loads, 5)
    loads.count[FIRST] = 20
    run(pools, loads, 10)
    done, shed, lost, waiting = ended(pools)
    struck = pools.retried[0] if retries else pools.lost[0]
    assert struck > 1.0
    assert lost == pytest.approx(0.0 if retries else struck)
    assert done + shed + lost + waiting == pytest.approx(begun(pools), rel=1e-12)


def test_pools_agree_with_the_sum_of_their_streams():
    pools, loads = cascade(rate=45.0, work=(1.4, 0.6), replicas=(25, 5), patience_s=90.0)
    run(pools, loads, 40)
    hour = pools.streams.hours[0]
    np.testing.assert_allclose(hour[:, ARRIVED], pools.arrived)
    np.testing.assert_allclose(hour[:, SERVED], pools.served[:, serving.REQUESTS])
    np.testing.assert_allclose(hour[:, SHED], pools.shed)
    np.testing.assert_allclose(
        hour[:, WAITING], pools.queue[:, 0] + pools.inbound[:, 0], atol=1e-9)


def test_a_pool_with_demand_of_its_own_is_untouched_by_streams_of_others():
    streams = streams_of(10.0, (0,), (0,), (1.0,), (USER,), (USER,))
    loads = (Load("p0", "inference", 0), Load("p1", "inference", 0))
    pools = (Pool("p0", np.zeros(2), 1, 2.0, 30.0, GRID, by_router=True),
             Pool("p1", np.full(2, 7.0), 1, 2.0, 30.0, GRID))
    world = states.build(pod_site(), list(loads), list(pools), 1, 0, streams)
    world.loads.count[FIRST:] = 50
    world.pools.streams.share[:] = 1.0
    run(world.pools, world.loads, 3)
    np.testing.assert_allclose(world.pools.arrived, [1800.0, 1260.0])


def test_a_site_without_a_router_has_no_streams():
    pools = resting(pod_site()).pools
    assert pools.streams.pool.size == 0


fractions = st.floats(0.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.0, 200.0), st.lists(st.floats(0.0, 3.0), min_size=3, max_size=3), fractions,
    fractions, st.lists(st.integers(0, 60), min_size=2, max_size=2), st.booleans(),
    st.lists(st.integers(0, 60), min_size=3, max_size=3))
def test_served_shed_lost_and_waiting_are_what_arrived(
    rate, work, split, passed, replicas, retries, later
):
    streams = streams_of(rate, (0, 1, 1), (0, 0, 1), work, (1, USER), (USER, USER))
    pools, loads = pools_of(streams, replicas, retries)
    pools.streams.share[:] = split, 1.0 - split, 1.0
    pools.streams.onward[:] = passed, 0.5 * passed, 0.0
    for count in later:
        run(pools, loads, 4)
        loads.count[FIRST] = count
    run(pools, loads, 4)
    found = ended(pools)
    assert found.min() >= 0.0
    assert found.sum() == pytest.approx(begun(pools), rel=1e-9, abs=1e-9)
