"""Pools over a step: replicas that load weights, requests that move on, replicas that fail."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import pod_site, resting

from simulator.engine.state import Load, Pool
from simulator.kernels import serving
from simulator.kernels.serving import INPUT, LOAD_FRAC, LOADING, OUTPUT, REQUESTS, RESTART, WORK

DT_S = 60.0
GRID = np.linspace(0.0, 1.0, 6)
FIRST = 2
"""Load of the first pool, behind the idle and the down of the pod's chip."""


def fleet_of(*pools):
    """Return pools and loads; each pool is the changes to a plain one of 100 replicas."""
    made, loads = [], []
    for i, changes in enumerate(pools):
        plain = {
            "load": f"p{i}", "rate_per_s": np.full(3, 100.0), "replica_accelerators": 1,
            "capacity_per_s": 2.0, "patience_s": 30.0, "dynamic_frac": 0.1 + 0.8 * GRID,
            "batch": 10.0 * GRID, "input_tokens": 1000.0, "output_tokens": 200.0,
        }
        changes = dict(changes)
        loads.append((f"p{i}", changes.pop("replicas", 100)))
        made.append(Pool(**(plain | changes)))
    state = resting(pod_site(), tuple(Load(name, "inference", 0) for name, _ in loads), tuple(made))
    for i, (_, replicas) in enumerate(loads):
        state.loads.count[FIRST + i] = replicas
    return state.pools, state.loads


def step(pools, loads, minutes=1):
    for _ in range(minutes):
        serving.prepare(pools, loads, 0, 0.5, DT_S)


def unbalanced(pools):
    """Return requests by pool that are missing or too many."""
    come = pools.arrived + pools.received
    gone = pools.served[:, REQUESTS] + pools.shed + pools.spilled + pools.lost
    return come - gone - pools.queue[:, REQUESTS] - pools.inbound[:, REQUESTS]


# Lengths


def test_requests_of_twice_the_work_take_twice_the_room():
    pools, loads = fleet_of({"rate_per_s": np.full(3, 150.0)})
    pools.work_frac[:] = 2.0
    step(pools, loads)
    assert pools.step[0, LOAD_FRAC] == 1.0
    assert pools.step[0, serving.SERVED] == pytest.approx(100.0 * DT_S)
    assert pools.queue[0, WORK] == pytest.approx(2.0 * pools.queue[0, REQUESTS])


def test_tokens_follow_the_lengths_of_the_hour():
    pools, loads = fleet_of({})
    pools.input_tokens[:] = [[1000.0, 3000.0, 3000.0]]
    pools.output_tokens[:] = 50.0
    step(pools, loads)
    assert pools.served[0, INPUT] == pytest.approx(2000.0 * pools.arrived[0])
    assert pools.served[0, OUTPUT] == pytest.approx(50.0 * pools.arrived[0])


def test_a_rate_written_ahead_counts_from_its_hour():
    pools, loads = fleet_of({})
    pools.rate_per_s[0, 1:] = 20.0
    serving.prepare(pools, loads, 1, 0.5, DT_S)
    assert pools.arrived[0] == pytest.approx(20.0 * DT_S)


# Cold starts


def test_a_run_begins_with_replicas_that_are_ready():
    pools, loads = fleet_of({"cold_s": 600.0})
    step(pools, loads)
    assert pools.step[0, LOADING] == 0.0
    assert pools.step[0, LOAD_FRAC] == pytest.approx(0.5)


@pytest.mark.parametrize(("cold_s", "steps"), [(0.0, 0), (60.0, 0), (61.0, 1), (300.0, 4)])
def test_new_replicas_serve_when_their_weights_are_there(cold_s, steps):
    pools, loads = fleet_of({"cold_s": cold_s, "rate_per_s": np.full(3, 1e4)})
    step(pools, loads)
    loads.count[FIRST] = 150.0
    for _ in range(steps):
        step(pools, loads)
        assert pools.step[0, LOADING] == pytest.approx(50.0)
        assert pools.step[0, serving.SERVED] == pytest.approx(100 * 2.0 * DT_S)
    step(pools, loads)
    assert pools.step[0, LOADING] == pytest.approx(0.0, abs=1e-9)
    assert pools.step[0, serving.SERVED] == pytest.approx(150 * 2.0 * DT_S)


def test_loading_replicas_draw_idle_power_and_are_booked_as_restarting():
    pools, loads = fleet_of({"cold_s": 180.0})
    step(pools, loads)
    loads.count[FIRST] = 400.0
    step(pools, loads)
    assert loads.share[FIRST, 0] == pytest.approx(0.25)
    assert loads.share[FIRST, RESTART] == pytest.approx(0.75)
    assert loads.share[FIRST].sum() == pytest.approx(1.0, rel=1e-15)
    assert loads.dynamic_frac[FIRST] == pytest.approx(0.25 * (0.1 + 0.8 * 0.5))
    assert loads.busy[FIRST] == pytest.approx(0.5)


def test_what_is_lost_goes_in_proportion_of_ready_and_loading():
    pools, loads = fleet_of({"cold_s": 180.0})
    step(pools, loads)
    loads.count[FIRST] = 200.0
    step(pools, loads)
    loads.count[FIRST] = 100.0
    step(pools, loads)
    assert pools.step[0, LOADING] == pytest.approx(50.0)


def test_replicas_that_were_switched_off_load_their_weights_again():
    pools, loads = fleet_of({"cold_s": 120.0})
    step(pools, loads)
    loads.on[FIRST] = 0.0
    share = loads.share[FIRST].copy()
    step(pools, loads)
    assert np.array_equal(loads.share[FIRST], share)
    assert pools.step[0, serving.SERVED] == 0.0
    loads.on[FIRST] = 1.0
    step(pools, loads)
    assert pools.step[0, LOADING] == pytest.approx(100.0)


# Spill


def test_what_would_wait_too_long_moves_to_a_pool_with_room():
    full = {"rate_per_s": np.full(3, 300.0), "spill_to": "p1", "spill_after_s": 1.0}
    pools, loads = fleet_of(full, {"rate_per_s": np.full(3, 50.0)})
    step(pools, loads)  # a pool has room to offer once it has served a step
    step(pools, loads, 30)
    assert pools.step[0, serving.SPILLED] == pytest.approx(100.0 * DT_S)
    assert pools.step[1, serving.RECEIVED] == pytest.approx(100.0 * DT_S)
    assert pools.step[1, LOAD_FRAC] == pytest.approx(0.75)
    assert pools.shed[1] == 0.0
    np.testing.assert_allclose(unbalanced(pools), 0.0, atol=1e-6)


def test_spill_takes_only_the_room_beside_the_other_pools_own_demand():
    full = {"rate_per_s": np.full(3, 500.0), "spill_to": "p1"}
    pools, loads = fleet_of(full, {"rate_per_s": np.full(3, 150.0)})
    step(pools, loads, 20)
    assert pools.step[0, serving.SPILLED] == pytest.approx(50.0 * DT_S)
    assert pools.step[0, serving.SHED] == pytest.approx(250.0 * DT_S)
    assert pools.shed[1] == 0.0
    assert pools.step[1, LOAD_FRAC] == pytest.approx(1.0)


def test_spilled_requests_are_as_much_work_as_they_are_there():
    full = {"rate_per_s": np.full(3, 240.0), "spill_to": "p1", "spill_work": 2.5}
    pools, loads = fleet_of(full, {"rate_per_s": np.full(3, 0.0)})
    step(pools, loads, 10)
    assert pools.step[1, LOAD_FRAC] == pytest.approx(40.0 * 2.5 / 200.0)
    assert pools.step[1, serving.SERVED] == pytest.approx(40.0 * DT_S)


def test_two_pools_can_spill_to_each_other():
    pools, loads = fleet_of(
        {"rate_per_s": np.full(3, 500.0), "spill_to": "p1"},
        {"rate_per_s": np.full(3, 500.0), "spill_to": "p0"},
    )
    step(pools, loads, 10)
    np.testing.assert_allclose(pools.spilled, 0.0)
    np.testing.assert_allclose(unbalanced(pools), 0.0, atol=1e-6)


# Failures


def test_requests_of_failed_replicas_are_asked_again():
    pools, loads = fleet_of({})
    step(pools, loads)
    loads.count[FIRST] = 96.0
    step(pools, loads)
    assert pools.retried[0] == pytest.approx(4 * 10.0 * 0.5)
    assert pools.lost[0] == 0.0
    step(pools, loads)
    assert pools.served[0, REQUESTS] == pytest.approx(3 * 100.0 * DT_S)
    np.testing.assert_allclose(unbalanced(pools), 0.0, atol=1e-9)


def test_requests_of_failed_replicas_are_lost_where_nobody_asks_again():
    pools, loads = fleet_of({"retries": False, "replica_accelerators": 8, "replicas": 800})
    step(pools, loads)
    loads.count[FIRST] = 796.0
    step(pools, loads)
    assert pools.lost[0] == pytest.approx(10.0 * 0.5)  # half a replica's chips stop all of it
    np.testing.assert_allclose(unbalanced(pools), 0.0, atol=1e-9)


def test_racks_handed_back_take_no_requests_with_them():
    pools, loads = fleet_of({})
    step(pools, loads)
    loads.count[FIRST], pools.released[0] = 60.0, 40.0
    step(pools, loads)
    assert pools.retried[0] == pools.lost[0] == 0.0


def test_a_cap_takes_capacity_in_proportion_of_what_follows_the_clock():
    pools, loads = fleet_of({"rate_per_s": np.full(3, 1e4)})
    loads.cap[FIRST], loads.clock_bound_frac[FIRST] = 0.5, 0.25
    step(pools, loads)
    clock = 0.5 ** (1.0 / loads.power_exponent[FIRST])
    pace = 1.0 / (0.25 / clock + 0.75)
    assert pools.step[0, serving.SERVED] == pytest.approx(200.0 * DT_S * pace)


# Whatever happens

MINUTE = st.tuples(
    st.floats(0.0, 400.0), st.floats(0.0, 400.0), st.integers(0, 150), st.integers(0, 150),
    st.floats(0.2, 4.0), st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(MINUTE, min_size=1, max_size=25), st.integers(0, 4), st.booleans(), st.booleans(),
    st.sampled_from([None, "p0"]), st.floats(0.3, 3.0),
)
def test_every_request_is_somewhere(minutes, cold, first_retries, second_retries, back, work):
    pools, loads = fleet_of(
        {"cold_s": 60.0 * cold, "spill_to": "p1", "spill_after_s": 5.0, "retries": first_retries,
         "spill_work": work},
        {"spill_to": back, "retries": second_retries, "patience_s": 90.0},
    )  # fmt: skip
    for first, second, some, others, work_frac, on in minutes:
        pools.rate_per_s[0], pools.rate_per_s[1] = first, second
        pools.work_frac[0] = work_frac
        loads.count[FIRST], loads.count[FIRST + 1] = some, others
        loads.on[FIRST] = float(on)
        step(pools, loads)
        assert np.all(pools.queue >= 0.0)
        assert np.all(pools.inbound >= 0.0)
        assert np.all(pools.step[:, LOAD_FRAC] <= 1.0 + 1e-12)
        assert loads.share[FIRST].sum() == pytest.approx(1.0, rel=1e-12)
        assert -1e-9 <= pools.step[0, LOADING] <= loads.count[FIRST] + 1e-9
    scale = pools.arrived.sum() + 1.0
    np.testing.assert_allclose(unbalanced(pools) / scale, 0.0, atol=1e-12)
    assert pools.spilled.sum() == pytest.approx(pools.received.sum(), rel=1e-12)
    counted = pools.load_requests.sum() + pools.wait_requests.sum()
    assert counted == pytest.approx(pools.served[:, REQUESTS].sum(), rel=1e-9, abs=1e-6)
