"""Tanks over a step: exact at any step size, nothing lost, a boiling point held and left."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.components.cooling.rack_side import Bath
from simulator.components.cooling.tank import Tank
from simulator.kernels import rack_side

MASS, APPROACH = 4e6, 5.0 / 200e3


class Filled:
    """A tank as production passes it to the kernel, under a heat and behind an exchanger.

    A type of this file would stay in the kernel's cache on disk, where no other process can load it.
    """

    def __init__(self, of, heat_w, approach):
        self.of = of
        self.liquid_w, self.approach_k_w = np.array([heat_w]), np.array([approach])

    def __getattr__(self, column):
        return getattr(self.of, column)


def tank(coolant_c=40.0, heat_w=200e3, approach=APPROACH, boiling_c=-273.15, latent_j=0.0):
    return Filled(Tank.of(Bath(MASS, latent_j, boiling_c), coolant_c, 0.0), heat_w, approach)


def step(it, facility_c, dt_s, times=1):
    heat_w, approach = float(it.liquid_w[0]), float(it.approach_k_w[0])
    return [rack_side.exchange(it.of, 0, heat_w, facility_c, approach, dt_s) for _ in range(times)][-1]


def closes(it, start_c):
    kept_j = MASS * (it.coolant_c[0] - start_c) + it.vapour_j[0]
    assert it.received_j[0] - it.given_j[0] == pytest.approx(kept_j, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.floats(10.0, 45.0), st.floats(20.0, 90.0), st.floats(0.0, 400e3), st.integers(1, 40))
def test_oil_is_the_closed_form_at_any_step(facility_c, start_c, heat_w, parts):
    it = tank(start_c, heat_w)
    step(it, facility_c, 1800.0 / parts, parts)
    end_c = facility_c + heat_w * APPROACH
    expected_c = end_c + (start_c - end_c) * math.exp(-1800.0 / (APPROACH * MASS))
    assert it.coolant_c[0] == pytest.approx(expected_c, rel=1e-11)
    closes(it, start_c)


def test_without_pumps_oil_warms_at_heat_over_mass_and_gives_nothing():
    it = tank(approach=math.inf)
    assert step(it, 35.0, 60.0) == pytest.approx(0.0, abs=1e-6)
    assert it.coolant_c[0] == pytest.approx(40.0 + 200e3 * 60.0 / MASS)


def boiling(coolant_c=49.0, **more):
    return tank(coolant_c, boiling_c=49.0, latent_j=12e6, **more)


def test_a_fluid_boils_at_one_temperature_while_its_condenser_carries_the_heat():
    it = boiling()
    assert step(it, 40.0, 60.0, 30) == pytest.approx(200e3)
    assert (it.coolant_c[0], it.vapour_j[0]) == (49.0, 0.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 30), st.floats(44.5, 48.9))
def test_vapour_fills_first_then_the_fluid_warms_whatever_the_step(parts, facility_c):
    it = boiling()
    surplus_w = 200e3 - (49.0 - facility_c) / APPROACH
    full_s = 12e6 / surplus_w
    step(it, facility_c, full_s / parts, parts)
    assert it.coolant_c[0] == pytest.approx(49.0, abs=1e-6)
    step(it, facility_c, 600.0 / parts, parts)
    end_c = facility_c + 200e3 * APPROACH
    expected_c = end_c + (49.0 - end_c) * math.exp(-600.0 / (APPROACH * MASS))
    assert it.coolant_c[0] == pytest.approx(expected_c, rel=1e-7)
    closes(it, 49.0)


def test_cold_water_brings_it_back_through_warmth_and_vapour():
    it = boiling(58.0)
    it.vapour_j[0] = 12e6
    temperatures = []
    for _ in range(60):
        step(it, 30.0, 60.0)
        temperatures.append(float(it.coolant_c[0]))
    assert temperatures == sorted(temperatures, reverse=True)
    assert temperatures[-1] == 49.0 and it.vapour_j[0] == 0.0
    kept_j = MASS * (49.0 - 58.0) - 12e6
    assert it.received_j[0] - it.given_j[0] == pytest.approx(kept_j, abs=1e-2)
