"""Rows whose coolant warms within a step: against ramps in closed form, at any step, up to the trip."""

import math

import numpy as np
import pytest
from small import pod_site, resting
from test_rack_kernel import LOADS, A

from simulator.kernels import gathering, load_account
from simulator.kernels import racks as kernel

DT_S = 60.0
COLD_C = 30.0


class Row:
    """The pod's racks at work in a loop whose water stands."""

    def __init__(self, dynamic=0.9, leakage=True, mass=1.0):
        self.site = pod_site()
        self.state = resting(self.site, LOADS)
        self.rows = self.site.rows
        if not leakage:
            self.rows = self.rows._replace(leakage_w_k=np.zeros_like(self.rows.leakage_w_k))
        self.blocks, self.heat, self.racks = self.state.blocks, self.state.heat, self.state.racks
        self.racks.load[:], self.racks.row_load[:] = A, A
        loads = self.state.loads
        loads.on[:], loads.dynamic_frac[:] = 1.0, dynamic
        self.blocks.coolant_c[:], self.heat.row_j_k[:] = COLD_C, self.heat.row_j_k * mass
        self.now_s = 0.0
        self.racks.junction_c[:] = COLD_C

    def step(self, dt_s=DT_S, stands=None):
        """Advance by a step; return what the rows gave to the coolant, in J."""
        begins, ends = (0.0, dt_s) if stands is None else stands
        self.heat.row_stands_s[:, 0], self.heat.row_stands_s[:, 1] = begins, ends
        self.now_s += dt_s
        loads = self.state.loads
        load_account.complete_loads(loads, self.now_s)
        rows = self.rows
        if dt_s != DT_S:
            rows = rows._replace(decay=1.0 - (1.0 - rows.decay) ** (dt_s / DT_S))
        found = kernel.integrate(
            rows, self.racks, loads, self.blocks, self.heat, self.state.hall_air_c, self.state.scratch, dt_s)
        load_account.clear_loads(loads)
        made_j = (self.blocks.liquid_w + self.blocks.pump_w) * (ends - begins)
        self.heat.row_j[:] += made_j
        return found, made_j


def test_a_chip_follows_the_ramp_that_its_own_row_makes():
    """T_row = T_0 + r t, and a chip at rest above it answers r (t - tau (1 - e^(-t / tau)))."""
    it = Row(dynamic=0.3, leakage=False, mass=20.0)
    for _ in range(10):  # to rest, at standing coolant of no time
        it.step(stands=(0.0, 0.0))
    it.racks.junction_c[:] = COLD_C + it.racks.resistance_k_w * chip_w(it, 0.3)
    before_c = it.racks.junction_c.copy()
    it.step()
    ramp_k_s = (it.blocks.liquid_w + it.blocks.pump_w) / it.heat.row_j_k
    tau_s = -DT_S / math.log1p(-it.rows.decay[0])
    follows_s = DT_S - tau_s * -math.expm1(-DT_S / tau_s)
    rise_k = (ramp_k_s * follows_s)[it.site.rack_block]
    np.testing.assert_allclose(it.racks.junction_c - before_c, rise_k, rtol=2e-3)
    np.testing.assert_allclose(it.blocks.coolant_c, COLD_C + ramp_k_s * DT_S, rtol=1e-12)


def chip_w(it, dynamic):
    chip = it.site.chips[0]
    return chip.idle + dynamic * (chip.tdp - chip.idle)


@pytest.mark.parametrize("stands", [(0.0, 60.0), (12.5, 60.0), (20.0, 47.0)])
def test_what_coolant_gains_is_what_racks_and_pumps_gave_while_it_stood(stands):
    it = Row(dynamic=0.5, mass=5.0)
    it.racks.junction_c[:] = 50.0
    cooled = it.blocks.design_w > 0.0
    settle_s = (it.heat.row_j_k * it.blocks.approach_k_w)[cooled]
    it.step(stands=stands)
    peak_k = (it.blocks.liquid_w + it.blocks.pump_w) * (stands[1] - stands[0]) / it.heat.row_j_k
    left = np.exp(-(DT_S - stands[1]) / settle_s)
    # power follows the leakage of chips, and the step's mean is not that of the part in which water stood
    np.testing.assert_allclose((it.blocks.coolant_c - COLD_C)[cooled], peak_k[cooled] * left, rtol=2e-3)


def test_steps_of_half_a_second_are_one_of_sixty():
    one, many = Row(), Row()
    for it in (one, many):
        it.racks.junction_c[:] = 70.0
        it.blocks.coolant_c[:] = 45.0
    one.step()
    assert math.isfinite(one.heat.row_met_s[0, 0])  # chips slow in it
    for _ in range(120):
        many.step(0.5)
    np.testing.assert_allclose(many.racks.junction_c, one.racks.junction_c, atol=0.05)
    np.testing.assert_allclose(many.blocks.coolant_c, one.blocks.coolant_c, atol=0.05)


def test_racks_that_start_warm_the_water_that_stands_around_them():
    plain, starts = Row(dynamic=0.3, leakage=False, mass=20.0), Row(dynamic=0.3, leakage=False, mass=20.0)
    started_w = 20e3
    starts.blocks.started_w[:, 0] = started_w
    for it in (plain, starts):
        it.step()
    cooled, more_k = it.blocks.design_w > 0.0, started_w * DT_S / it.heat.row_j_k
    np.testing.assert_allclose((starts.blocks.coolant_c - plain.blocks.coolant_c)[cooled], more_k[cooled], rtol=1e-6)


def test_a_row_that_is_off_is_told_of_in_the_same_step():
    """Its hottest chip came to rest half of `AT_LIMIT_K` below its shutdown."""
    it = Row(dynamic=0.0, leakage=False, mass=1e9)
    chip = it.site.chips[0]
    rise_k = it.racks.resistance_k_w.max() * chip.idle
    it.blocks.coolant_c[:] = chip.shutdown - 0.5 * gathering.AT_LIMIT_K - rise_k
    it.racks.junction_c[:] = it.blocks.coolant_c[0] + it.racks.resistance_k_w * chip.idle
    (hottest_c, _, tripping), _ = it.step()
    assert hottest_c < chip.shutdown and it.racks.power_w.min() < 0.02 * it.racks.power_w.max()
    assert math.isfinite(it.heat.row_met_s[0, gathering.TRIP]) and tripping


@pytest.mark.parametrize("mass", [0.3, 1.0, 4.0])
def test_no_chip_passes_its_shutdown_and_then_all_are_off(mass):
    it = Row(mass=mass)
    chip, trips_s, throttles_s = it.site.chips[0], math.inf, math.inf
    for k in range(60):
        (hottest_c, throttling, tripping), _ = it.step()
        assert hottest_c <= chip.shutdown + 0.5
        met_s = it.heat.row_met_s.min(axis=0) + DT_S * k
        throttles_s, trips_s = min(throttles_s, met_s[0]), min(trips_s, met_s[1])
        assert throttling or math.isinf(met_s[0])
        if tripping:
            break
    assert throttles_s < trips_s < math.inf
    assert DT_S * k <= trips_s <= DT_S * (k + 1)
    cool = Row(mass=1e6)
    cool.step()
    assert it.racks.power_w.max() < 0.75 * cool.racks.power_w.min()
