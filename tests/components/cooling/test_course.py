"""Masses in series against their closed forms, and against what is published of lost cooling."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.components import from_catalog
from simulator.components.cooling.course import Failure, Hall, follow
from simulator.components.cooling.course_parts import ALWAYS, NEVER, Heat, Water
from simulator.components.cooling.hot_chip import Chip

GB300 = from_catalog.accelerator("GB300")
RACK_W, ROW_J_K = 130e3, 260e3
"""A rack with 60 L of coolant and 40 kg of copper."""


def chip(dynamic_w=GB300.tdp - GB300.idle, static_w=GB300.idle, **more):
    return Chip(
        GB300.thermal_resistance, GB300.heat_capacity, static_w, dynamic_w, GB300.power_exponent,
        GB300.throttle_start, GB300.throttle_full, GB300.shutdown, **more)


def hall(supply_c=37.0, tank_s=300.0, dynamic_frac=1.0, plant_c=None):
    """Return a hall of racks at full power whose plant holds `supply_c` while it runs."""
    one, approach = chip(), 3.0 / RACK_W
    static_w = RACK_W * GB300.idle / GB300.tdp
    heat = Heat(static_w, RACK_W - static_w)
    start_c = supply_c + approach * RACK_W + one.resistance_k_w * one.power_w(1.0)
    flow_w_k = RACK_W / 10.0
    return Hall(one, one, start_c, start_c, heat, ROW_J_K, approach, ROW_J_K * approach, heat,
                Water(supply_c, flow_w_k * tank_s, flow_w_k, plant_c or (lambda heat_w, share: supply_c)))


def test_at_rest_nothing_moves():
    course = follow(hall(), Failure(), 600.0)
    assert max(course.chip_c) - min(course.chip_c) < 1e-9
    assert math.isinf(course.throttle_s) and math.isinf(course.trip_s)


def test_without_flow_a_chip_heats_at_power_over_capacity_until_it_slows():
    course, start = follow(hall(), Failure(coolant=NEVER), 60.0), hall()
    exact_s = (GB300.throttle_start - start.chip_c) * GB300.heat_capacity / GB300.tdp
    assert course.throttle_s == pytest.approx(exact_s, abs=0.05)
    assert course.trip_s == pytest.approx(start.hottest.seconds_dry(start.chip_c, GB300.shutdown, 40.0), rel=0.02)
    assert course.trip_s > (GB300.shutdown - start.chip_c) * GB300.heat_capacity / GB300.tdp


@given(st.floats(1.0, 1.4), st.floats(0.2, 2.5), st.floats(0.0, 3.0))
@settings(max_examples=20, deadline=None)
def test_with_less_flow_a_chip_settles_behind_its_resistance_and_leakage(resistance, approach, leak_w_k):
    """T = T_c + r R (P + leak (T - T_0)), solved for T; the row's heat stays."""
    start = hall(supply_c=10.0)
    leaking = replace(start.hottest, leakage_w_k=leak_w_k, static_c=start.chip_c)
    course = follow(
        replace(start, hottest=leaking), Failure(approach=approach, resistance=resistance), 300.0)
    coolant_c, r = 10.0 + 3.0 * approach, resistance * GB300.thermal_resistance
    settled_c = (coolant_c + r * (GB300.tdp - leak_w_k * start.chip_c)) / (1.0 - r * leak_w_k)
    assert settled_c < GB300.throttle_start
    assert course.coolant_c[-1] == pytest.approx(coolant_c)
    assert course.chip_c[-1] == pytest.approx(settled_c, abs=0.01)


def test_published_seconds_after_flow_is_lost():
    """A chip at 1,200 W warms by 2.4 K/s; throttling after 5-10 s, shutdown after 10-20 s."""
    busy = chip(dynamic_w=1200.0 - GB300.idle)
    assert 1200.0 / GB300.heat_capacity == pytest.approx(2.4)
    from_c = 37.0 + 3.0 + GB300.thermal_resistance * 1200.0
    assert 5.0 <= busy.seconds_dry(from_c, GB300.throttle_start, 40.0) <= 10.0
    assert 10.0 <= busy.seconds_dry(from_c, GB300.shutdown, 40.0) <= 20.0


def test_rows_warm_by_half_a_kelvin_a_second_without_facility_water():
    """130 kW over 260 kJ/K is 0.5 K/s, as published; +10 K after 20 s, shutdown within two minutes."""
    course = follow(hall(), Failure(water=NEVER), 300.0)
    assert course.rises_s(10.0) == pytest.approx(10.0 * ROW_J_K / RACK_W, abs=0.3)
    assert 20.0 < course.throttle_s < 60.0
    assert course.throttle_s < course.trip_s


def test_a_ramp_reaches_the_chip_after_its_time_constant():
    """T(t) = T_0 + r (t - tau (1 - e^(-t / tau))) for coolant that warms at r."""
    start = hall(supply_c=20.0)
    course = follow(start, Failure(water=NEVER), 60.0)
    tau_s, rate = GB300.thermal_resistance * GB300.heat_capacity, RACK_W / ROW_J_K
    at = int(np.searchsorted(course.time_s, 40.0 - 1e-6))
    exact_c = start.chip_c + rate * (40.0 + tau_s * math.expm1(-40.0 / tau_s))
    assert course.chip_c[at] == pytest.approx(exact_c, abs=0.1)


@pytest.mark.parametrize("tank_s", [60.0, 300.0])
def test_a_tank_of_seconds_of_flow_lasts_so_long_for_its_range(tank_s):
    """7.2 m3/MW hold 5 min at 10 K: without a plant a loop warms by its range in its tank's time."""
    course = follow(hall(supply_c=20.0, tank_s=tank_s), Failure(plant=NEVER), 400.0)
    assert course.rises_s(10.0) == pytest.approx(tank_s, abs=1.1)
    tank_j = 7.2 * 998.0 * 4180.0 * 10.0  # m3/MW of water, by 10 K
    assert tank_j / 1e6 == pytest.approx(300.0, rel=0.01)


def test_work_that_stops_before_the_limit_avoids_the_trip_of_a_warming_tank():
    start = hall(tank_s=300.0)
    dark = Failure(plant=NEVER)
    assert follow(start, dark, 1800.0).trip_s > follow(start, dark, 1800.0).throttle_s
    assert math.isinf(follow(start, dark.shed(42.0), 1800.0).trip_s)


def test_a_plant_that_is_back_in_time_is_ridden_through():
    back = Failure(plant=((0.0, 0.0), (60.0, 0.5), (120.0, 1.0)))
    course = follow(hall(supply_c=30.0), back, 3600.0)
    assert math.isinf(course.throttle_s) and course.recovered_s() == 0.0
    assert course.loop_c[-1] == pytest.approx(30.0, abs=0.01)
    assert max(course.loop_c) == pytest.approx(30.0 + 60.0 / 300.0 * 10.0, abs=0.3)


@settings(max_examples=25, deadline=None)
@given(st.floats(20.0, 45.0), st.floats(30.0, 600.0), st.booleans())
def test_warmer_water_and_smaller_tanks_never_last_longer(supply_c, tank_s, pumps):
    failure = Failure(plant=NEVER, water=ALWAYS if pumps else NEVER)
    base = follow(hall(supply_c=supply_c, tank_s=tank_s), failure, 300.0)
    warmer = follow(hall(supply_c=supply_c + 1.0, tank_s=tank_s), failure, 300.0)
    larger = follow(hall(supply_c=supply_c, tank_s=1.2 * tank_s), failure, 300.0)
    assert warmer.throttle_s <= base.throttle_s <= larger.throttle_s + 1e-9
    assert base.throttle_s <= base.trip_s


def test_a_chip_never_runs_past_its_shutdown():
    course = follow(replace(hall(supply_c=50.0)), Failure(water=NEVER), 300.0)
    assert max(course.chip_c) <= GB300.shutdown + 0.2
