"""Decisions by themselves: placement, scaling, capping, checkpointing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.engine.capping import LoadView
from simulator.policies import placement
from simulator.policies.capping import CAPPINGS, priority
from simulator.policies.checkpointing import INTERVALS
from simulator.policies.pool_view import PoolView
from simulator.policies.scaling import SCALERS

HALLS = np.repeat([0, 1, 2], [4, 6, 5])
NOBODY = np.zeros(0, np.int64)


@pytest.mark.parametrize(
    ("free", "wanted", "held", "chosen"),
    [(range(15), 3, [], [4, 5, 6]),  # the hall with most room
     (range(15), 3, [0], [0, 1, 2]),  # the hall it already holds
     (range(15), 8, [], [4, 5, 6, 7, 8, 9, 10, 11]),  # then the next fullest
     ([1, 2, 5], 3, [14], [1, 2, 5]),
     ([1, 2], 3, [], []), (range(15), 0, [], [])],
)
def test_placement_packs(free, wanted, held, chosen):
    found = placement.choose(
        np.array(free), HALLS, wanted, np.array(held, np.int64) if held else NOBODY)
    np.testing.assert_array_equal(np.sort(found), chosen)


@given(st.sets(st.integers(0, 14)), st.integers(0, 16), st.sets(st.integers(0, 14), max_size=4))
def test_placement_gives_as_many_as_wanted_or_none(free, wanted, held):
    candidates = np.array(sorted(free - held), np.int64)
    found = placement.choose(candidates, HALLS, wanted, np.array(sorted(held), np.int64))
    assert found.size == (wanted if wanted <= candidates.size else 0)
    assert set(found) <= set(candidates)
    assert len(set(found)) == found.size


def seen(**figures):
    plain = {
        "capacity_per_s": 2.0, "replicas": 10, "most": 40, "arrivals_per_s": 16.0,
        "ahead_per_s": 16.0, "queue": 0.0, "every_s": 300.0, "target_load": 0.8, "hour_of_day": 9,
        "schedule": {8: 30, 18: 5},
    }
    return PoolView(**(plain | figures))


@pytest.mark.parametrize(
    ("ahead", "count"), [(0.0, 0), (8.0, 5), (8.01, 6), (100.0, 63)])
def test_scaling_aims_at_its_load(ahead, count):
    assert SCALERS["target_load"](seen(ahead_per_s=ahead)) == count


@pytest.mark.parametrize(
    ("figures", "count"),
    [({}, 10), ({"arrivals_per_s": 32.0}, 20), ({"ahead_per_s": 1e6}, 10),
     ({"queue": 3000.0}, 15), ({"arrivals_per_s": 15.0}, 10), ({"arrivals_per_s": 14.0}, 9),
     ({"arrivals_per_s": 0.0}, 0)],
)
def test_reactive_scaling_sees_the_last_minute_and_the_queue(figures, count):
    assert SCALERS["reactive"](seen(**figures)) == count


@pytest.mark.parametrize(("hour", "count"), [(7, 5), (8, 30), (17, 30), (18, 5), (23, 5), (0, 5)])
def test_a_schedule_holds_until_its_next_hour(hour, count):
    assert SCALERS["schedule"](seen(hour_of_day=hour)) == count


def test_a_fixed_pool_holds_all_it_may():
    assert SCALERS["fixed"](seen()) == 40


@given(st.floats(0.1, 1e3), st.floats(0.1, 1.0), st.floats(0.0, 1e5))
def test_no_policy_answers_less_than_it_is_asked_for(capacity, target, rate):
    view = seen(capacity_per_s=capacity, target_load=target, ahead_per_s=rate, arrivals_per_s=rate)
    for name in ("target_load", "reactive"):
        assert SCALERS[name](view) * capacity * target >= rate * (1.0 - 1e-6) - 1e-6


def view(load, priority, dynamic_w=100.0, idle_w=50.0, cap=1.0, on=True):
    return LoadView(load, priority, on, cap, dynamic_w, idle_w)


def test_with_room_nothing_is_capped():
    assert priority.decide([view(0, 1), view(1, 2)], 300.0, 300.0) == [1.0, 1.0]


def test_the_lowest_priority_is_capped_first_and_just_enough():
    assert priority.decide([view(0, 9), view(1, 1)], 300.0, 270.0) == [1.0, pytest.approx(0.7)]
    caps = priority.decide([view(0, 9), view(1, 1)], 300.0, 150.0)
    assert caps == [pytest.approx(0.45), pytest.approx(0.05)]


def test_what_caps_cannot_take_is_switched_off_in_order():
    caps = priority.decide([view(0, 9), view(1, 1)], 300.0, 80.0)
    assert caps[1] == 0.0
    assert 0.0 < caps[0] <= 1.0


def test_a_load_that_is_off_comes_back_when_it_fits_with_slack():
    off = view(1, 1, on=False)
    assert priority.decide([view(0, 9), off], 150.0, 300.0 + 5.0)[1] < 1.0
    assert priority.decide([view(0, 9), off], 150.0, 311.0)[1] == 1.0


def test_a_load_that_would_not_fit_whole_comes_back_capped():
    """It was off for ever where all of its dynamic power did not fit: 150 W, of which 120 are free."""
    off = view(1, 1, on=False)
    caps = priority.decide([view(0, 9), off], 150.0, 270.0)
    assert caps == [1.0, pytest.approx(0.6)]  # 50 + 0.6 x 100, and 10 W to spare
    assert priority.decide([view(0, 9), off], 150.0, 210.0)[1] == 0.0


views = st.lists(
    st.tuples(st.integers(0, 5), st.floats(1.0, 1e3), st.floats(0.0, 1e3), st.floats(0.05, 1.0)),
    min_size=1, max_size=6)


@pytest.mark.parametrize("policy", CAPPINGS)
@settings(max_examples=100)
@given(views, st.floats(0.0, 1.2))
def test_caps_bring_demand_under_the_limit_wherever_they_can(policy, given_views, share):
    loads = [view(i, p, d, w, cap) for i, (p, d, w, cap) in enumerate(given_views)]
    demand_w = sum(v.idle_w + v.dynamic_w * v.cap for v in loads)
    limit_w = share * sum(v.idle_w + v.dynamic_w for v in loads)
    caps = CAPPINGS[policy](loads, demand_w, limit_w)
    after_w = sum(
        v.idle_w + v.dynamic_w * cap if cap > 0.0 else 0.0
        for v, cap in zip(loads, caps, strict=True))
    assert all(0.0 <= cap <= 1.0 for cap in caps)
    assert after_w <= limit_w + 1.0 + 1e-6


def test_proportional_takes_the_same_share_of_all():
    caps = CAPPINGS["proportional"]([view(0, 9), view(1, 1, dynamic_w=50.0)], 250.0, 190.0)
    assert caps == [pytest.approx(0.6), pytest.approx(0.6)]


@pytest.mark.parametrize(("policy", "cut"), [("training_first", 0), ("inference_first", 1)])
def test_a_kind_gives_way_before_priority_counts(policy, cut):
    loads = [
        LoadView(0, 9, True, 1.0, 100.0, 50.0, "training"),
        LoadView(1, 9, True, 1.0, 100.0, 50.0, "inference"),
        LoadView(2, 0, True, 1.0, 100.0, 50.0, "batch"),
    ]
    caps = CAPPINGS[policy](loads, 450.0, 400.0)
    assert [i for i, cap in enumerate(caps) if cap < 1.0] == [cut]


def test_the_brake_knows_two_positions():
    decide = CAPPINGS["emergency_brake"]
    assert decide([view(0, 9), view(1, 1)], 300.0, 299.0) == [0.05, 0.05]
    assert decide([view(0, 9, cap=0.05), view(1, 1, cap=0.05)], 110.0, 299.0) == [0.05, 0.05]
    assert decide([view(0, 9, cap=0.05), view(1, 1, cap=0.05)], 110.0, 300.0) == [1.0, 1.0]


@pytest.mark.parametrize(("stall_s", "mttf_s"), [(5.0, 1e4), (30.0, 6490.0), (600.0, 3600.0)])
def test_intervals(stall_s, mttf_s):
    young_s, daly_s = (INTERVALS[name](stall_s, mttf_s) for name in ("young", "daly"))
    assert young_s == pytest.approx(math.sqrt(2.0 * stall_s * mttf_s))
    grid = np.linspace(0.3, 3.0, 20_000) * young_s
    best_s = grid[np.argmin(np.expm1((grid + stall_s) / mttf_s) / grid)]
    assert daly_s == pytest.approx(best_s, rel=0.02)


def test_a_stall_longer_than_twice_the_time_to_failure():
    assert INTERVALS["daly"](1000.0, 400.0) == 400.0
