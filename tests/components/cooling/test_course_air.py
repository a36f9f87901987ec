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
FLOW_W_K, TANK_S = 20e3, 300.0


def air(support_w=SUPPORT_W, outdoors=0.0, support_c=(40.0, 50.0), walls_w_k=0.0):
    water = Water(20.0, FLOW_W_K * TANK_S, FLOW_W_K, lambda heat_w, share: 20.0)
    return Air(24.0, MASS_J_K, 240.0, Heat(RACKS_W, 0.0), support_w, 1.0, support_c, 50.0, 0.0, 0.0, water, 20.0,
               lambda heat_w: 4.0, 1000.0, outdoors, walls_w_k, 24.0)  # fmt: skip


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


def test_a_valve_that_opens_holds_the_air_until_its_water_is_too_warm():
    told = replace(air(), told_c=24.0, open_k=lambda heat_w: 1.0)
    course = follow(hall(told), Failure(air=AirFailure(plant=NEVER)), 300.0)
    water_k = (RACKS_W + SUPPORT_W) * 300.0 / (FLOW_W_K * TANK_S)
    assert course.air_c[-1] == pytest.approx(max(24.0, 20.0 + water_k + 1.0), rel=1e-3)
    assert course.air_c[len(course.air_c) // 4] == 24.0


def test_without_chillers_the_loop_warms_first():
    course = follow(hall(air()), Failure(air=AirFailure(plant=NEVER)), 300.0)
    assert course.air_c[-1] - 24.0 == pytest.approx((RACKS_W + SUPPORT_W) * 300.0 / (FLOW_W_K * TANK_S), rel=1e-3)


def test_what_moves_again_gives_back_what_it_held():
    """All that racks made is in the air or was given on, none of it twice."""
    back = AirFailure(fans=((0.0, 0.0), (200.0, 1.0)))
    beside = air(support_c=(1e3, 2e3))
    given_w = []
    told = Water(20.0, 1.0, 1.0, lambda heat_w, share: given_w.append(heat_w) or 20.0)
    now = HallAir(replace(beside, water=told), back)
    for k in range(2000):
        now.advance(float(k), 1.0, RACKS_W)
    assert sum(given_w) + now.held_k * MASS_J_K == pytest.approx(2000 * (RACKS_W + SUPPORT_W), rel=1e-12)
    course = follow(hall(beside), Failure(air=back), 2000.0)
    assert max(course.air_c) == pytest.approx(24.0 + 200.0 * 120e3 / MASS_J_K, abs=0.1)
    assert course.air_c[-1] == pytest.approx(24.0, abs=0.1)
    assert np.isfinite(course.rises_s(5.0)) and math.isinf(course.rises_s(10.0))


def test_racks_stay_in_service_in_hot_air_that_something_carries_away():
    """As in the engine: only where nothing moves, rejects or flows do they go."""
    warm = AirFailure(warmer_k=30.0)
    course = follow(hall(air()), Failure(air=warm), 600.0)
    assert course.throttle_s < 1.0 and math.isinf(course.trip_s)
