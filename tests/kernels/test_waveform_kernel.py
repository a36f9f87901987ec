"""Power inside a minute against closed forms."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.kernels import smoothing, waveform
from simulator.kernels.waveform import Lags, Members, Slots, Spans, Tools

DT_S = 0.01
OFF = Tools(0.0, math.inf, math.inf, 0.0, 0.0, 1.0, 1.0)
QUICK = Lags(1e-9, 1e-9)


def spans(*rows):
    """(start, stop, stepping, place, stretch, scale, level, on, held)"""
    columns = zip(Spans._fields, zip(*rows, strict=True), strict=True)
    return Spans(*(np.array(c, np.int64 if n == "stepping" else float) for n, c in columns))


def slots(*rows):
    """(busy, level, wait, level) of one stage"""
    return Slots(np.array([0, len(rows)]), *np.array(rows, float).T.copy())


NONE = slots((1.0, 0.0, 0.0, 0.0))


def rack(**changes):
    """One rack of 10 chips of 100 to 1,100 W that never warm up, without host and losses."""
    values = {
        "stage": 0, "pace": 1.0, "cap": 1.0, "chips": 10.0, "junction_c": 50.0, "coolant_c": 30.0,
        "resistance_k_w": 0.02, "heat_capacity_j_k": 500.0, "static_w": 100.0, "leakage_w_k": 0.0,
        "dynamic_w": 1000.0, "host_idle_w": 0.0, "host_dynamic_w": 0.0, "shelf_fixed_w": 0.0,
        "shelf_linear": 1.0, "shelf_load_per_w": 0.0,
    } | changes  # fmt: skip
    return Members(*(np.array([values[n]], np.int64 if n == "stage" else float) for n in Members._fields))


def drawn(given_spans, given_slots=NONE, member=None, tools=OFF, lags=QUICK, samples=1000):
    plain, smooth, account = np.empty(samples), np.empty(samples), np.empty(waveform.ACCOUNTS)
    waveform.draw(
        DT_S, given_spans, given_slots, member or rack(), tools, lags, plain, smooth, account
    )
    return plain, smooth, account


def steps(count, length_s, held=1.0):
    return spans(*(
        (n * length_s, (n + 1) * length_s, 1, 0.0, 1.0, 1.0, 0.0, 1.0, held) for n in range(count)
    ))


def test_a_constant_level_is_the_rack_law():
    member = rack(host_idle_w=500.0, host_dynamic_w=1000.0, shelf_fixed_w=50.0, shelf_linear=1.01,
                  shelf_load_per_w=2e-6)
    plain, smooth, _ = drawn(spans((0.0, 10.0, 0, 0.0, 1.0, 1.0, 0.5, 1.0, 0.0)), member=member)
    out_w = 10 * (100.0 + 0.5 * 1000.0) + 500.0 + 0.5 * 1000.0
    assert plain == pytest.approx(50.0 + 1.01 * out_w + 2e-6 * out_w**2)
    assert np.array_equal(plain, smooth)


@given(st.floats(0.013, 0.9), st.floats(0.02, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_energy_does_not_depend_on_sampling(busy_s, wait_s, high, low):
    length_s = busy_s + wait_s
    count = int(9.99 / length_s)
    plain, _, _ = drawn(steps(count, length_s), slots((busy_s, high, wait_s, low)))
    dynamic_j = (plain.sum() * DT_S - 10 * 100.0 * count * length_s) / (10 * 1000.0)
    assert dynamic_j == pytest.approx(count * (busy_s * high + wait_s * low), abs=1e-9)


def test_a_step_cut_by_the_window_goes_on_where_it_was():
    table = slots((0.5, 1.0, 0.3, 0.2), (0.0, 0.0, 0.2, 0.6))
    whole, _, _ = drawn(steps(2, 1.0), table, samples=200)
    late, _, _ = drawn(
        spans((0.0, 0.6, 1, 0.4, 1.0, 1.0, 0.0, 1.0, 0.0), (0.6, 1.6, 1, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0)),
        table, samples=160,
    )  # fmt: skip
    assert late == pytest.approx(whole[40:])


def test_what_is_faster_waits_longer():
    table = slots((0.5, 1.0, 0.5, 0.0))
    for pace in (0.9, 1.1):
        plain, _, _ = drawn(steps(10, 1.0), table, rack(pace=pace))
        assert plain.mean() == pytest.approx(10 * (100.0 + 1000.0 * 0.5 * pace))
    plain, _, _ = drawn(steps(10, 1.0), table, rack(pace=3.0))  # there is no more than all of it
    assert plain.mean() == pytest.approx(10 * 1100.0)


def test_a_lag_takes_the_edge_off_and_no_energy():
    table = slots((0.5, 1.0, 0.5, 0.0))
    sharp, _, _ = drawn(steps(10, 1.0), table)
    soft, _, _ = drawn(steps(10, 1.0), table, lags=Lags(0.1, 1.0))
    assert soft.mean() == pytest.approx(sharp.mean(), rel=0.02)
    gone = 10 * 1000.0 * math.exp(-0.1 / 0.1)  # one time constant behind a fall
    assert soft[559] - 1000.0 == pytest.approx(gone, rel=0.01)


def test_leakage_warms_the_chip_exponentially():
    member = rack(leakage_w_k=1.0, static_w=50.0, junction_c=30.0, resistance_k_w=0.02)
    plain, _, _ = drawn(spans((0.0, 60.0, 0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0)), member=member, samples=6000)
    k = 1.0 - 0.02 * 1.0  # P = 1050 + T, T = 30 + R P
    settled_w, tau_s = (1050.0 + 30.0) / k, 0.02 * 500.0 / k
    at_s = 20.0
    expected_w = settled_w + (1080.0 - settled_w) * math.exp(-at_s / tau_s)
    assert plain[round(at_s / DT_S)] / 10 == pytest.approx(expected_w, rel=1e-4)


def test_the_overhead_of_a_floor():
    table = slots((0.6, 1.0, 0.4, 0.2))
    floor_w = 800.0
    _, smooth, account = drawn(steps(10, 1.0), table, tools=OFF._replace(floor_w=floor_w))
    assert smooth.min() == pytest.approx(10 * floor_w)
    assert account[waveform.ADDED_J] == pytest.approx(10 * 10 * 0.4 * (floor_w - 300.0))
    assert account[waveform.WITHHELD_J] == 0.0


def test_a_floor_holds_only_where_it_is_held():
    given_spans = spans(
        (0.0, 5.0, 0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0), (5.0, 10.0, 0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0)
    )
    _, smooth, _ = drawn(given_spans, tools=OFF._replace(floor_w=800.0))
    assert smooth[:500] == pytest.approx(8000.0) and smooth[501:] == pytest.approx(1000.0)


def test_ramps_are_kept_both_ways():
    given_spans = spans(
        (0.0, 2.0, 0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0), (2.0, 6.0, 0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0),
        (6.0, 10.0, 0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0),
    )  # fmt: skip
    _, smooth, account = drawn(given_spans, tools=OFF._replace(up_w_s=500.0, down_w_s=1000.0))
    change_w_s = np.diff(smooth) / DT_S / 10
    assert change_w_s.max() == pytest.approx(500.0) and change_w_s.min() == pytest.approx(-1000.0)
    assert account[waveform.WITHHELD_J] == pytest.approx(10 * 0.5 * 1000.0 * 2.0, rel=0.01)
    assert account[waveform.ADDED_J] == pytest.approx(10 * 0.5 * 1000.0 * 1.0, rel=0.01)


def test_chips_that_are_off_draw_nothing():
    member = rack(host_idle_w=500.0, shelf_fixed_w=50.0)
    plain, _, _ = drawn(spans((0.0, 10.0, 0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0)), member=member)
    assert np.all(plain == 0.0)


def test_rack_storage_conserves():
    table = slots((0.05, 1.0, 0.05, 0.0))
    tools = OFF._replace(store_j=65.0, store_w=1100.0, store_efficiency=0.95, store_memory_s=2.0)
    plain, smooth, account = drawn(steps(100, 0.1), table, tools=tools)
    taken_j = (smooth - plain).sum() * DT_S
    assert taken_j == pytest.approx(account[waveform.STORED_J] + account[waveform.STORAGE_LOSS_J])
    assert 0.0 <= account[waveform.CHARGE_LEAST] < account[waveform.CHARGE_MOST] <= 1.0
    later = slice(500, None)
    assert np.ptp(smooth[later]) < 0.5 * np.ptp(plain[later])


@pytest.mark.parametrize(("period_s", "depth_w", "energy_j"), [
    (1.0, 400.0, 100.0), (1.0, 400.0, 150.0), (2.0, 400.0, 100.0), (4.0, 300.0, 60.0), (0.5, 200.0, 5.0),
])  # fmt: skip
def test_storage_shaves_a_square_wave_as_far_as_its_energy_goes(period_s, depth_w, energy_j):
    at_s = (np.arange(round(10 * period_s / DT_S)) + 0.5) * DT_S
    load_w = np.where(at_s % period_s < 0.5 * period_s, 1000.0, 1000.0 - depth_w)
    seen_w, charge_j = np.empty(load_w.size), np.empty(load_w.size)
    first_j, loss_j = smoothing.shave(
        load_w, DT_S, (1e4, energy_j, 1.0), 2.0 * period_s, seen_w, charge_j
    )
    bound_w = min(0.5 * depth_w, 2.0 * energy_j / period_s)
    step_w = 1000.0 / smoothing.LEVELS
    assert bound_w - step_w - 1e-6 <= 1000.0 - seen_w.max() <= bound_w + 1e-6
    assert loss_j == pytest.approx(0.0, abs=1e-6)
    assert (load_w - seen_w).sum() * DT_S == pytest.approx(first_j - charge_j[-1], abs=1e-6)
    assert charge_j.min() >= 0.0 and charge_j.max() <= energy_j


@given(st.lists(st.floats(0.0, 2e3), min_size=50, max_size=50), st.floats(0.0, 500.0), st.floats(0.5, 1.0))
@settings(max_examples=20, deadline=None)
def test_storage_never_draws_more_than_the_load_did(steps_w, energy_j, efficiency):
    load_w = np.repeat(np.array(steps_w), 10)
    seen_w, charge_j = np.empty(load_w.size), np.empty(load_w.size)
    first_j, loss_j = smoothing.shave(
        load_w, DT_S, (500.0, energy_j, efficiency), 1.0, seen_w, charge_j
    )
    assert seen_w.max() <= load_w.max() * (1.0 + 1e-12) and seen_w.min() >= 0.0
    taken_j = (seen_w - load_w).sum() * DT_S
    assert taken_j == pytest.approx(charge_j[-1] - first_j + loss_j, abs=1e-6)


@given(st.floats(-2e3, 2e3), st.floats(0.0, 1.0), st.floats(0.5, 1.0))
def test_storage_keeps_its_limits_and_its_books(wanted_w, charge, efficiency):
    capacity_j, power_w = 100.0, 1e3
    before_j = charge * capacity_j
    given_w, after_j, loss_j = smoothing.exchange(
        wanted_w, before_j, capacity_j, power_w, efficiency, DT_S
    )
    assert abs(given_w) <= power_w and given_w * wanted_w >= 0.0
    assert 0.0 <= after_j <= capacity_j and loss_j >= -1e-9
    assert given_w * DT_S + after_j - before_j + loss_j == pytest.approx(0.0, abs=1e-9)


def test_a_battery_conserves_and_flattens():
    at_s = np.arange(6000) * DT_S
    load_w = 100e6 + 20e6 * np.sign(np.sin(2.0 * np.pi * at_s / 2.0))
    grid_w, charge_j = np.empty(6000), np.empty(6000)
    store, control = (50e6, 1e9, 0.93, 0.0), (30.0, math.inf, 600.0)
    loss_j = smoothing.follow(load_w, DT_S, store, control, grid_w, charge_j)
    taken_j = (grid_w - load_w).sum() * DT_S
    assert taken_j == pytest.approx(charge_j[-1] - 0.5e9 + loss_j, rel=1e-9)
    assert np.ptp(grid_w[3000:]) < 0.1 * np.ptp(load_w)


def test_a_battery_without_power_changes_nothing():
    load_w = np.linspace(1e6, 2e6, 500)
    grid_w, charge_j = np.empty(500), np.empty(500)
    store, control = (0.0, 1e9, 0.93, 0.05), (30.0, 1e3, 600.0)
    assert smoothing.follow(load_w, DT_S, store, control, grid_w, charge_j) == 0.0
    assert np.array_equal(grid_w, load_w)
