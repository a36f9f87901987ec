"""AC flows of small networks against hand calculation and conservation laws; taps and capacitors at rest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.components.power import ac_flow, loading, newton
from simulator.components.power.flow_network import BASE_VA, FlowNetwork
from simulator.components.power.loss import LossCurve
from simulator.kernels import power_flow

SQUARE = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])


def branches(ends, impedance, shunt=0.0, on=True, ratio=1.0):
    ones = np.ones(len(ends))
    return newton.Branches(ends, impedance * ones, shunt * ones, ones * on > 0.0, ratio * ones)


def solved(told, drawn, bank=0.0):
    buses = len(drawn)
    live = power_flow.reached(buses, told.ends, told.on, np.array([0]))
    matrix = newton.admittance(told, np.full(buses, bank) * (np.arange(buses) > 0))
    free = np.flatnonzero(live & (np.arange(buses) > 0))
    return newton.voltages(matrix, np.asarray(drawn), free, live.astype(complex)), matrix


@pytest.mark.parametrize("ratio", [1.0, 0.95, 1.025])
def test_one_transformer_is_the_quadratic_by_hand(ratio):
    """|V|^2 solves v^2 + (2 (rp + xq) - b^2) v + |z|^2 |s|^2 = 0 for a load s behind z, b = 1 / ratio."""
    z, s = 0.02 + 0.1j, 0.8 + 0.3j
    told = branches(np.array([[0, 1]]), z, ratio=ratio)
    voltage, _ = solved(told, [0, s])
    b = 1.0 / ratio**2 - 2.0 * (z.real * s.real + z.imag * s.imag)
    v2 = 0.5 * (b + np.sqrt(b * b - 4.0 * abs(z) ** 2 * abs(s) ** 2))
    assert abs(voltage[1]) ** 2 == pytest.approx(v2, rel=1e-9)
    loss, current = newton.carried(told, voltage)
    assert loss[0] == pytest.approx(z.real * abs(s) ** 2 / v2, rel=1e-9)
    assert current[0] == pytest.approx(abs(s) / np.sqrt(v2), rel=1e-9)


def test_more_than_the_network_carries_is_said():
    with pytest.raises(ArithmeticError, match="no solution"):
        solved(branches(np.array([[0, 1]]), 0.02 + 0.1j), [0, 9.0 + 3.0j])


loads = st.lists(st.floats(0.0, 0.5), min_size=4, max_size=4)


@settings(max_examples=60, deadline=None)
@given(loads, st.integers(0, 15), st.floats(0.0, 0.01), st.floats(0.95, 1.05), st.floats(0.0, 0.1))
def test_powers_add_up_at_every_bus(drawn, mask, shunt, ratio, bank):
    closed = np.array([bool(mask >> k & 1) for k in range(4)])
    live = power_flow.reached(4, SQUARE, closed, np.array([0]))
    told = branches(SQUARE, 0.01 + 0.05j, shunt, closed & live[SQUARE[:, 0]], ratio)
    load = np.where(live, np.array(drawn) * (1.0 + 0.2j), 0.0)
    load[0] = 0.0
    voltage, matrix = solved(told, load, bank)
    injected = voltage * np.conj(matrix @ voltage)
    np.testing.assert_allclose(injected[1:], -load[1:], atol=1e-8)
    loss, _ = newton.carried(told, voltage)
    assert injected.sum().real == pytest.approx(loss.sum(), abs=1e-9)


def station(buses, load_w, tie_closed=True):
    """Two lines, a main transformer a bus, a tie between the first two, a load on each bus."""
    net = FlowNetwork(power_factor=0.97)
    net.bus("utility", 138e3)
    net.bus("campus", 138e3)
    for k in range(2):
        net.branch(f"lines/{k}", "line", (0, 1), BASE_VA, LossCurve(load=0.004), 0.08)
    for k in range(buses):
        bus = net.bus(f"bus {k}", 34.5e3, 1.0 / buses)
        net.branch(f"main/{k}", "transformer_main", (1, bus), BASE_VA, LossCurve(load=0.003, no_load=0.0005), 0.12)
        net.load(f"load {k}", bus, load_w[k], 0.95)
    net.branch("tie", "feeder", (2, 3), BASE_VA, LossCurve(load=0.003), 0.01, tie_closed)
    return net


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(5e6, 80e6), min_size=3, max_size=3), st.booleans())
def test_taps_hold_the_set_point_and_capacitors_the_power_factor(load_w, tied):
    net = station(3, load_w, tied)
    flow = ac_flow.solve(net, np.array(net.closed))
    size = np.abs(flow.voltage)
    groups = [[2, 3], [4]] if tied else [[2], [3], [4]]
    for group in groups:
        assert size[group].mean() == pytest.approx(ac_flow.SET_POINT, abs=1e-7)
        assert np.ptp(flow.ratio[group]) == 0.0  # branch of a bus has its number here
    first = newton.Branches(
        np.array(net.ends), np.array(net.resistance) + 1j * np.array(net.reactance), np.array(net.shunt),
        np.array(net.closed), flow.ratio)
    matrix = newton.admittance(first, flow.bank_va / BASE_VA)
    taken = flow.voltage[0] * np.conj((matrix @ flow.voltage)[0])
    assert taken.real / abs(taken) == pytest.approx(0.97, abs=1e-7)
    assert flow.bank_va[2:] == pytest.approx(np.full(3, flow.bank_va.sum() / 3))


def test_capacitors_do_not_absorb_what_loads_give():
    """With loads better than the factor that is held there is nothing to give, and nothing is taken."""
    net = station(2, [1e6, 1e6])
    net.power_factor = 0.5
    flow = ac_flow.solve(net, np.array(net.closed))
    assert flow.bank_va.sum() == 0.0


def test_taps_end_where_they_end():
    net = station(2, [40e6, 40e6])
    net.load("far too reactive", 2, 20e6, 0.5)
    closed = np.array(net.closed)
    closed[[1, 3]] = False
    net.bank = [0.0] * len(net.bank)
    flow = ac_flow.solve(net, closed)
    assert flow.ratio[2] == 1.0 - ac_flow.TAP_RANGE
    assert np.abs(flow.voltage[2]) < ac_flow.SET_POINT


@settings(deadline=None)
@given(st.floats(-0.1, 0.3), st.floats(0.01, 1.5))
def test_power_is_the_inverse_of_current(sag, level):
    assert float(loading.current(loading.power(level, sag), sag)) == pytest.approx(level, rel=1e-9)
    assert float(loading.current(1.0, sag)) == 1.0
    assert float(loading.power(level, 0.0)) == level


def test_a_law_goes_through_both_states():
    nominal_w, kind = np.array([100.0, 100.0, 50.0, 10.0]), np.array(["a", "a", "a", "b"])
    carried_w = np.array([[80.0, 60.0, 0.5, 0.0], [24.0, 18.0, 0.1, 0.0]])
    currents = np.array([[0.84, 0.61, 0.4, 0.0], [0.24, 0.18, 0.4, 0.0]])
    law = loading.fitted(carried_w, currents, nominal_w, kind)
    for row in (0, 1):
        assert loading.current(carried_w[row] / law.rating_w, law.sag)[:2] == pytest.approx(currents[row, :2])
    assert law.rating_w[2] / 50.0 == pytest.approx((law.rating_w[:2] / 100.0).mean())
    assert (law.rating_w[3], law.sag[3]) == (10.0, 0.0)
