"""The air beside chips on coolant against its closed forms."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.components.cooling.course import Failure, Hall, follow
from simulator.components.cooling.course_air import Air, AirFailure, HallAir
from simulator.components.cooling.course_parts import NEVER, Heat, Water
from simulator.components.cooling.hot_chip import Chip

MASS_J_K, RACKS_W, SUPPORT_W = 4.0e6, 80e3, 40e3
RANGE_K, DESIGN_W = 12.0, 200e3
"""A mass of 240 s of their airflow."""
FLOW_W_K, TANK_S = 20e3, 300.0


def air(support_w=SUPPORT_W, outdoors=0.0, support_c=(40.0, 50.0), walls_w_k=0.0):
    water = Water(20.0, FLOW_W_K * TANK_S, FLOW_W_K, lambda heat_w, share: 20.0)
    return Air(
        intake_c=24.0, told_c=24.0, mixed_k=0.0, mass_j_k=MASS_J_K, range_k=RANGE_K, design_w=DESIGN_W, full=1.1,
        racks=Heat(RACKS_W, 0.0), support_w=support_w, support_share=1.0, support_c=support_c, off_c=50.0,
        fans_w=lambda heat_w, fans: 0.0, pumps_w=0.0, water=water, open_k=open_k, outdoor_c=1000.0, outdoors=outdoors,
        envelope_w_k=walls_w_k, loses_above_c=24.0)  # fmt: skip


def open_k(heat_w, fans, flow):
    """4 K at design heat of the units that run."""
    return 4.0 * heat_w / DESIGN_W / fans


def hall(beside):
    """Return a hall whose chips draw nothing and lie cold on their coolant."""
    cold = Chip(0.03, 500.0, 0.0, 0.0, 2.0, 85.0, 90.0, 95.0)
    calm = Water(30.0, 1e6, 1e4, lambda heat_w, share: 30.0)
    return Hall(cold, cold, 30.0, 30.0, Heat(1.0, 0.0), 1e5, 0.0, 1.0, Heat(1.0, 0.0), calm, air=beside)


@given(st.floats(0.0, 0.9))
@settings(max_examples=15, deadline=None)
def test_air_that_stands_warms_at_its_heat_over_its_mass(outdoors):
    """Until the first support racks slow; outdoor air takes its share only while fans turn."""
    slope = (RACKS_W + SUPPORT_W) / MASS_J_K
    course = follow(hall(air(outdoors=outdoors)), Failure(air=AirFailure(fans=NEVER)), 3600.0)
    assert course.throttle_s == pytest.approx(16.0 / slope, rel=1e-6)
    assert course.trip_s > 26.0 / slope
    assert (course.throttled_by, course.tripped_by) == ("intake", "intake")
    turning = follow(hall(air(outdoors=outdoors)), Failure(air=AirFailure(water=NEVER)), 300.0)
    settled_k = (1.0 - outdoors) * slope * 300.0
    assert turning.air_c[-1] - 24.0 <= 1.001 * settled_k  # a step of 0.1 s
    if outdoors == 0.0:
        assert turning.air_c[-1] - 24.0 == pytest.approx(settled_k, rel=1e-3)


def test_support_racks_that_go_off_leave_less_heat():
    """Without other heat the air nears the intake at which the last is off: dT/dt falls with it."""
    alone = replace(air(), racks=Heat(0.0, 0.0))
    course = follow(hall(alone), Failure(air=AirFailure(fans=NEVER)), 3600.0)
    assert math.isinf(course.trip_s) and 48.0 < course.air_c[-1] < 50.0
    assert math.isinf(course.recovered_s())


def test_walls_lose_what_holds_the_air_below_its_limit():
    """T = T_0 + (T_inf - T_0) (1 - e^(-t G / C)) with T_inf = 24 + q / G."""
    walls_w_k = (RACKS_W + SUPPORT_W) / 15.0
    course = follow(hall(air(walls_w_k=walls_w_k)), Failure(air=AirFailure(fans=NEVER)), 900.0)
    exact_c = 24.0 + 15.0 * -math.expm1(-900.0 * walls_w_k / MASS_J_K)
    assert course.air_c[-1] == pytest.approx(exact_c, abs=0.02) and math.isinf(course.throttle_s)


def test_without_chillers_loop_and_air_share_the_heat():
    """The valve opens first; then the air follows its water, behind it by its own mass, and nothing is lost."""
    now = HallAir(air(support_c=(1e3, 2e3)), AirFailure(plant=NEVER))
    for k in range(900):
        now.advance(float(k), 1.0, RACKS_W)
        supply_c = now.water_c + open_k(RACKS_W + SUPPORT_W, 1.0, 1.0)
        assert 24.0 <= now.intake_c <= max(24.0, supply_c)
        if supply_c < 24.0:
            assert now.intake_c == 24.0
    stored_j = (now.water_c - 20.0) * FLOW_W_K * TANK_S + now.over_k * MASS_J_K
    assert stored_j == pytest.approx(900.0 * (RACKS_W + SUPPORT_W), rel=1e-9)
    assert now.intake_c > 30.0


def test_what_moves_again_gives_back_what_it_held():
    """All that racks made is in the air or was given on, none of it twice."""
    back = AirFailure(fans=((0.0, 0.0), (200.0, 1.0)))
    beside = air(support_c=(1e3, 2e3))
    given_w = []
    told = Water(20.0, 1.0, 1.0, lambda heat_w, share: given_w.append(heat_w) or 20.0)
    now = HallAir(replace(beside, water=told), back)
    for k in range(2000):
        now.advance(float(k), 1.0, RACKS_W)
    assert sum(given_w) + now.over_k * MASS_J_K == pytest.approx(2000 * (RACKS_W + SUPPORT_W), rel=1e-12)
    course = follow(hall(beside), Failure(air=back), 2000.0)
    assert max(course.air_c) == pytest.approx(24.0 + 200.0 * 120e3 / MASS_J_K, abs=0.1)
    assert course.air_c[-1] == pytest.approx(24.0, abs=0.1)
    assert np.isfinite(course.rises_s(5.0)) and math.isinf(course.rises_s(10.0))


def warms_k(left, minutes, water_c=20.0):
    """Return how much warmer the air is, minute by minute, with a share of the fans, whatever it is."""
    beside = air(support_c=(1e3, 2e3))
    warm = replace(beside.water, supply_c=water_c, plant_c=lambda heat_w, share: water_c)
    now = HallAir(replace(beside, water=warm), AirFailure(fans=((0.0, left),)))
    found = []
    for k in range(minutes):
        now.advance(60.0 * k, 60.0, RACKS_W)
        found.append(now.over_k)
    return np.array(found)


@given(st.floats(0.01, 0.6), st.floats(0.0, 0.3), st.floats(5.0, 24.0))
@settings(max_examples=25, deadline=None)
def test_to_lose_some_fans_warms_no_air_faster_than_to_lose_more(left, more, water_c):
    """Nor faster than heat over mass; nor is a step a matter of accuracy."""
    none, some, most = (warms_k(share, 30, water_c) for share in (0.0, left, left + more))
    slope_k = 60.0 * (RACKS_W + SUPPORT_W) / MASS_J_K
    assert np.all(most <= some + 1e-9) and np.all(some <= none + 1e-9)
    assert np.diff(some, prepend=0.0).max() <= slope_k * (1.0 + 1e-9)
    assert none == pytest.approx(slope_k * np.arange(1, 31))


@pytest.mark.parametrize("left", [0.1, 0.3, 0.5])
def test_air_of_some_fans_settles_where_they_carry_its_heat(left):
    """T = T* (1 - e^(-t / tau)) with exhaust mixed in and the coil over its set point; tau by what both carry."""
    heat_w = RACKS_W + SUPPORT_W
    mixed_k = RANGE_K * (heat_w / DESIGN_W / (1.1 * left) - 1.0)
    coil_k = open_k(heat_w, left, 1.0)
    moved_w_k = 1.1 * left * DESIGN_W / RANGE_K
    by_coil_w_k = moved_w_k / (1.0 + moved_w_k * coil_k / heat_w)
    end_k = mixed_k + 24.0 - 24.0 + coil_k  # its water at the supply that is told
    found = warms_k(left, 240, water_c=24.0)
    tau_s = MASS_J_K / by_coil_w_k
    assert found == pytest.approx(end_k * -np.expm1(-60.0 * np.arange(1, 241) / tau_s), rel=1e-9)


def test_racks_switch_off_in_hot_air_whatever_still_turns():
    """Support racks go first; the hall of a tenth of its fans trips later than one without any, but it does."""
    some, none = (follow(hall(air()), Failure(air=AirFailure(fans=((0.0, left),))), 3600.0) for left in (0.1, 0.0))
    assert none.trip_s < some.trip_s < 3600.0
    assert (some.throttled_by, some.tripped_by) == ("intake", "intake") and none.throttle_s < some.throttle_s


def test_chips_in_air_switch_off_with_their_racks():
    """Far from their own limits."""
    cold = replace(hall(air(support_w=0.0)), in_air=True)
    course = follow(cold, Failure(air=AirFailure(fans=NEVER)), 3600.0)
    assert course.tripped_by == "intake" and course.coolant_c == course.air_c
    assert course.trip_s == pytest.approx(26.0 * MASS_J_K / RACKS_W, rel=1e-4)
    assert math.isinf(course.throttle_s)
