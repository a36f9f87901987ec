"""Small networks against hand calculation and conservation laws."""

import numpy as np

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
