"""Single accelerators against closed forms: rest, exact steps, the coolant's path, clocks."""

import math

import numpy as np
import pytest

from simulator.kernels import rack_control
from simulator.kernels import zoom as kernel

LIMITS, HBM = (87.0, 89.0, 92.0), (95.0, 97.0, 100.0)
R, PREHEAT, SHAPE = 0.0265, 0.0035, (2, 2, 3)
EDGE_C, BIN_K = 10.0, 0.5


def chip(**changes):
    plain = {
        "static_w": 180.0, "leakage_w_k": 0.0, "dynamic_w": 1220.0, "heat_capacity_j_k": 500.0,
        "exponent": 2.5, "junction_limits_c": LIMITS, "hbm_limits_c": HBM, "hysteresis_k": 0.0,
        "hbm_rise": 1.1, "preheat_k_w": PREHEAT, "host_idle_w": 1000.0, "host_dynamic_w": 500.0,
        "shelf_fixed_w": 50.0, "shelf_linear": 1.02, "shelf_load_per_w": 1e-6,
    }  # fmt: skip
    return kernel.Chip(**plain | changes)


def run(coolant_c, level=1.0, up=1.0, own=None, of=None):
    """Return what is found of two racks of six chips in three paths of two, under given coolant."""
    coolant_c = np.array(coolant_c, float)[:, None] * np.ones(2)
    full = np.ones_like(coolant_c)
    hall = kernel.Hall(full, level * full, up * full, coolant_c, full)
    found = kernel.Found(
        np.zeros(coolant_c.shape), np.zeros(coolant_c.shape), np.full(SHAPE, -273.15), np.zeros(SHAPE),
        np.full(SHAPE, -273.15), np.zeros(SHAPE), np.zeros(SHAPE), np.zeros(200),
    )  # fmt: skip
    own = np.full(SHAPE, R) if own is None else own
    kernel.run(hall, of or chip(), own, found, EDGE_C, BIN_K, 60.0)
    return found


def test_chips_at_rest_stand_over_the_coolant_that_those_before_them_warmed():
    found = run([40.0] * 20)
    watts = 180.0 + 1220.0
    np.testing.assert_allclose(found.peak_c[:, 0], 40.0 + R * watts, rtol=1e-9)
    np.testing.assert_allclose(found.peak_c[:, 1], 40.0 + (PREHEAT + R) * watts, rtol=1e-9)
    inlet_c = 40.0 + PREHEAT * watts
    np.testing.assert_allclose(found.hbm_peak_c[:, 1], inlet_c + 1.1 * R * watts, rtol=1e-9)
    out_w = 6 * watts + 1500.0
    np.testing.assert_allclose(found.power_w, 50.0 + 1.02 * out_w + 1e-6 * out_w**2, rtol=1e-12)
    assert found.counts.sum() == 2 * 12 and found.slowed_s.sum() == 0.0  # two samples of every chip


def test_a_step_of_the_coolant_is_followed_exactly():
    found = run([30.0] * 3 + [45.0] * 3)
    settled = 1400.0 * (R + PREHEAT)
    decay = math.exp(-60.0 / (R * 500.0))
    expected = [30.0 + settled] * 3 + [45.0 + settled - 15.0 * decay**n for n in (1, 2, 3)]
    np.testing.assert_allclose(found.hot_c[:, 0], expected, rtol=1e-9)
    assert np.all(found.peak_minute == 5.0)


def test_hot_chips_settle_on_the_clock_that_their_place_allows_and_others_go_on():
    own = np.full(SHAPE, 0.02)
    own[0, 0, 0] = 0.032
    found = run([45.0] * 60, own=own)
    clock = rack_control.settled_clock(45.0, 0.032, 180.0, 1220.0, 2.5, LIMITS)
    assert clock < 1.0
    assert found.lost_s[0, 0, 0] == pytest.approx(3600.0 * (1.0 - clock), rel=1e-6)
    assert found.slowed_s[0, 0, 0] == 3600.0
    assert found.lost_s.sum() == found.lost_s[0, 0, 0]
    assert found.peak_c[0, 1, 0] < found.peak_c[0, 1, 1]  # its slower upstream warms it less
    assert np.all(found.power_w[:, 0] < found.power_w[:, 1])


def test_racks_out_of_service_draw_nothing_and_cool():
    found = run([40.0] * 4, level=0.0, up=0.0, of=chip(static_w=0.0))
    assert np.all(found.power_w == 0.0) and found.counts.sum() == 0.0
    np.testing.assert_allclose(found.peak_c, 40.0)


def test_draws_of_a_chip_are_its_own():
    some = kernel.normals(1, 2, 77, np.array([3, 9]), 40)
    np.testing.assert_array_equal(kernel.normals(1, 2, 77, np.array([9]), 40)[0], some[1])
    many = kernel.normals(1, 2, 77, np.arange(300), 72)
    assert abs(many.mean()) < 0.02 and many.std() == pytest.approx(0.99, abs=0.02)
    assert np.abs(many).max() <= 3.0
