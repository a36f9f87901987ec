"""Small networks against hand calculation and conservation laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.kernels import power_flow as flow

SQUARE = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
ALL = np.ones(4, bool)


def test_a_loop_shares_by_reactance():
    """What bus 1 draws comes directly over 1 of 4 equal reactances, or the long way over 3."""
    factors = flow.transfer_factors(4, SQUARE, np.ones(4), ALL, 0)
    np.testing.assert_allclose(factors[:, 1], [0.75, -0.25, -0.25, -0.25], atol=1e-12)
    np.testing.assert_allclose(factors[:, 2], [0.5, 0.5, -0.5, -0.5], atol=1e-12)
    np.testing.assert_allclose(factors[:, 0], 0.0)


def test_an_open_loop_is_radial():
    closed = np.array([True, True, False, True])
    factors = flow.transfer_factors(4, SQUARE, np.array([1.0, 2.0, 3.0, 4.0]), closed, 0)
    np.testing.assert_allclose(factors[:, 2], [1, 1, 0, 0], atol=1e-12)
    np.testing.assert_allclose(factors[:, 3], [0, 0, 0, -1], atol=1e-12)


def test_what_nothing_reaches_carries_nothing():
    closed = np.array([True, False, False, False])
    np.testing.assert_array_equal(
        flow.reached(4, SQUARE, closed, np.array([0])), [True, True, False, False])
    factors = flow.transfer_factors(4, SQUARE, np.ones(4), closed, 0)
    np.testing.assert_array_equal(factors[:, 2:], 0.0)


def test_open_points_close_in_order_and_only_where_a_bus_is_dark():
    normal, gone = np.array([True, False, True, True]), np.zeros(4, bool)
    sources = np.array([0])
    np.testing.assert_array_equal(
        flow.close_open_points(4, SQUARE, normal, gone, sources), normal)
    gone[3] = True  # buses 2 and 3 hang on it
    np.testing.assert_array_equal(
        flow.close_open_points(4, SQUARE, normal, gone, sources), [True, True, True, False])


def test_one_line_is_the_quadratic_by_hand():
    """|V|^2 solves v^2 + 2 v (rp + xq) - v + |z|^2 |s|^2 = 0 for a load s behind z."""
    z, s = 0.02 + 0.1j, 0.8 + 0.3j
    ends, on = np.array([[0, 1]]), np.array([True])
    matrix = flow.admittance(2, ends, np.array([z]), np.zeros(1), on)
    voltage = flow.ac_voltages(matrix, np.array([0, s]), np.array([True, True]), 0)
    b = 1.0 - 2.0 * (z.real * s.real + z.imag * s.imag)
    v2 = 0.5 * (b + np.sqrt(b * b - 4.0 * abs(z) ** 2 * abs(s) ** 2))
    assert abs(voltage[1]) ** 2 == pytest.approx(v2, rel=1e-9)
    loss, current = flow.branch_powers(voltage, ends, np.array([z]), np.zeros(1), on)
    assert loss[0] == pytest.approx(z.real * abs(s) ** 2 / v2, rel=1e-9)
    assert current[0] == pytest.approx(abs(s) / np.sqrt(v2), rel=1e-9)


def test_more_than_the_network_carries_is_said():
    ends, on, z = np.array([[0, 1]]), np.array([True]), np.array([0.02 + 0.1j])
    matrix = flow.admittance(2, ends, z, np.zeros(1), on)
    with pytest.raises(ArithmeticError, match="no solution"):
        flow.ac_voltages(matrix, np.array([0, 9.0 + 3.0j]), np.array([True, True]), 0)


loads = st.lists(st.floats(0.0, 0.5), min_size=4, max_size=4)


@settings(max_examples=60, deadline=None)
@given(loads, st.integers(0, 15), st.floats(0.0, 0.01))
def test_powers_add_up_at_every_bus(drawn, mask, shunt):
    closed = np.array([bool(mask >> k & 1) for k in range(4)])
    live = flow.reached(4, SQUARE, closed, np.array([0]))
    z, g = np.full(4, 0.01 + 0.05j), np.full(4, shunt)
    on = closed & live[SQUARE[:, 0]]
    matrix = flow.admittance(4, SQUARE, z, g, on)
    load = np.where(live, np.array(drawn) * (1.0 + 0.2j), 0.0)
    load[0] = 0.0
    voltage = flow.ac_voltages(matrix, load, live, 0)
    injected = voltage * np.conj(matrix @ voltage)
    np.testing.assert_allclose(injected[1:], -load[1:], atol=1e-8)
    loss, _ = flow.branch_powers(voltage, SQUARE, z, g, on)
    assert injected.sum().real == pytest.approx(loss.sum(), abs=1e-9)
    factors = flow.transfer_factors(4, SQUARE, z.imag, closed, 0)
    into = np.zeros(4)
    np.add.at(into, SQUARE[:, 1], factors @ load.real)
    np.add.at(into, SQUARE[:, 0], -(factors @ load.real))
    np.testing.assert_allclose(into[1:], load.real[1:], atol=1e-9)
