"""Racks over a step against closed forms and sums."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import pod_site, resting

from simulator.components import from_catalog
from simulator.engine import capping
from simulator.engine.state import Load
from simulator.kernels import block_caps, load_account, rack_control, rack_moves
from simulator.kernels import columns as c
from simulator.kernels import racks as kernel

DT_S = 60.0
A, B = 2, 3  # loads beside idle and down
LOADS = (Load("a", "batch", 0), Load("b", "batch", 0), Load("sync", "training", 0, synchronous=True))


class Racks:
    """The pod's racks and loads, stepped by hand."""

    def __init__(self, leakage: bool = True) -> None:
        self.site = pod_site()
        self.state = resting(self.site, LOADS)
        self.rows = self.site.rows
        if not leakage:
            self.rows = self.rows._replace(leakage_w_k=np.zeros_like(self.rows.leakage_w_k))
        self.racks, self.loads, self.blocks = (
            self.state.racks, self.state.loads, self.state.blocks
        )
        self.loads.on[:] = 1.0
        self.now_s = 0.0

    def move(self, chosen, load, at_s, up=1.0):
        chosen = np.atleast_1d(np.array(chosen))
        rack_moves.move_racks(
            chosen, np.full(chosen.size, load), np.full(chosen.size, up), at_s, self.rows,
            self.racks, self.loads, self.state.down_load,
        )

    def step(self, clear=True):
        self.now_s += DT_S
        load_account.complete_loads(self.loads, self.now_s)
        found = kernel.integrate(
            self.rows, self.racks, self.loads, self.blocks, self.state.heat, self.state.hall_air_c,
            self.state.scratch, DT_S,
        )
        if clear:
            load_account.clear_loads(self.loads)
        return found

    @property
    def controlled(self):
        state = self.state
        return self.rows, self.racks, self.loads, self.blocks, state.hall_air_c, state.scratch

    def cap_blocks(self):
        active = block_caps.cap_blocks(
            self.rows, self.racks, self.loads, self.blocks, self.state.scratch, DT_S
        )
        load_account.clear_loads(self.loads)
        return active


def chip_w(it, dynamic, junction_c, on=1.0):
    """Return what a chip draws by its specification."""
    chip, leakage_w_k = it.site.chips[0], it.rows.leakage_w_k[0]
    leakage_w = leakage_w_k * (np.asarray(junction_c) - chip.leakage_reference)
    return on * (chip.idle + leakage_w) + dynamic * (chip.tdp - chip.idle)


def input_w(site, chip_w, dynamic, on=1.0):
    """Return what a rack draws by its specification."""
    rack = site.rack_types[0]
    dc_w = rack.accelerators * chip_w + on * rack.host_idle
    dc_w += dynamic * (rack.host_max - rack.host_idle)
    return dc_w + rack.power_shelf.loss_w(dc_w, rack.power_shelf_rating)


@pytest.mark.parametrize("dynamic", [0.0, 0.4, 1.0])
def test_a_step_is_the_closed_form_of_the_thermal_circuit(dynamic):
    it = Racks()
    chip = it.site.chips[0]
    it.loads.dynamic_frac[:] = dynamic
    before_c = it.racks.junction_c.copy()
    hottest_c, _, _ = it.step()
    watts = chip_w(it, dynamic, before_c)
    settled_c = it.blocks.coolant_c[0] + it.racks.resistance_k_w * watts
    tau_s = chip.thermal_resistance * chip.heat_capacity
    expected_c = settled_c + (before_c - settled_c) * math.exp(-DT_S / tau_s)
    np.testing.assert_allclose(it.racks.junction_c, expected_c, rtol=1e-13)
    assert hottest_c == it.racks.junction_c.max()


def test_ten_steps_are_one_of_ten_times_the_length():
    it = Racks(leakage=False)
    it.loads.dynamic_frac[:] = 0.8
    before_c = it.racks.junction_c.copy()
    for _ in range(10):
        it.step()
    chip = it.site.chips[0]
    settled_c = it.blocks.coolant_c[0] + it.racks.resistance_k_w * chip_w(it, 0.8, before_c)
    tau_s = chip.thermal_resistance * chip.heat_capacity
    expected_c = settled_c + (before_c - settled_c) * math.exp(-10 * DT_S / tau_s)
    np.testing.assert_allclose(it.racks.junction_c, expected_c, rtol=1e-12)


@pytest.mark.parametrize("dynamic", [0.0, 0.3, 1.0])
def test_a_rack_draws_what_its_specification_says(dynamic):
    it = Racks()
    it.loads.dynamic_frac[:] = dynamic
    watts = chip_w(it, dynamic, it.racks.junction_c)
    it.step()
    expected_w = [input_w(it.site, w, dynamic) for w in watts]
    np.testing.assert_allclose(it.racks.power_w, expected_w, rtol=1e-13)
    by_block = np.bincount(it.site.rack_block, it.racks.power_w, it.blocks.it_w.size)
    np.testing.assert_allclose(it.blocks.it_w, by_block + it.blocks.support_w, rtol=1e-13)
    np.testing.assert_allclose(
        it.blocks.liquid_w + it.blocks.air_w, it.blocks.it_w, rtol=1e-13)


@settings(max_examples=15, deadline=None)
@given(found=st.lists(st.tuples(st.sampled_from([A, B]), st.sampled_from([1.0, 0.5, 0.0])), max_size=8))
def test_racks_of_a_row_in_any_order_of_loads_each_follow_their_own(found):
    it = Racks()
    it.loads.dynamic_frac[A], it.loads.dynamic_frac[B] = 0.3, 0.9
    for rack, (load, up) in enumerate(found[: it.racks.load.size]):
        it.move(rack, load, 0.0, up)
    it.step()  # in which they moved
    before_c, energy_j = it.racks.junction_c.copy(), it.loads.energy_j.copy()
    hottest_c, _, _ = it.step()
    dynamic, up = it.loads.dynamic_frac[it.racks.load], it.racks.up_frac
    watts = chip_w(it, dynamic, before_c)
    power_w = np.where(up > 0.0, input_w(it.site, up * watts, up * dynamic, up), 0.0)
    rise_k = np.where(up > 0.0, it.racks.resistance_k_w * watts, 0.0)
    after_c = before_c + it.rows.decay[0] * (it.blocks.coolant_c[0] + rise_k - before_c)
    np.testing.assert_allclose(it.racks.junction_c, after_c, rtol=1e-13)
    np.testing.assert_allclose(it.racks.power_w, power_w, rtol=1e-12, atol=1e-9)
    drawn_j = np.bincount(it.racks.load, power_w, it.loads.on.size) * DT_S
    np.testing.assert_allclose(it.loads.energy_j - energy_j, drawn_j, rtol=1e-9, atol=1e-3)
    np.testing.assert_allclose(it.blocks.it_w.sum() - it.blocks.support_w.sum(), power_w.sum(), rtol=1e-12)
    assert hottest_c == it.racks.junction_c.max()


def test_a_load_that_is_off_draws_nothing():
    it = Racks()
    it.loads.on[:] = 0.0
    it.step()
    assert np.all(it.racks.power_w == 0.0)


def test_a_rack_moved_within_a_step_draws_the_mean_of_both_loads():
    it = Racks(leakage=False)
    it.loads.dynamic_frac[[A, B]] = 0.2, 0.9
    it.move(np.arange(8), A, 0.0)
    it.step()
    it.move([1], B, 60.0 + 25.0)
    it.step(clear=False)
    dynamic = np.full(8, 0.2)
    dynamic[1] = (25.0 * 0.2 + 35.0 * 0.9) / 60.0
    watts = chip_w(it, dynamic, np.zeros(8))
    expected_w = [input_w(it.site, w, d) for w, d in zip(watts, dynamic, strict=True)]
    np.testing.assert_allclose(it.racks.power_w, expected_w, rtol=1e-13)
    assert it.loads.member_s[A] == pytest.approx(72 * (7 * 60.0 + 25.0))
    assert it.loads.member_s[B] == pytest.approx(72 * 35.0)


def test_a_rack_out_of_service_for_part_of_a_step_draws_for_the_rest():
    it = Racks(leakage=False)
    it.loads.dynamic_frac[0] = 0.5
    it.move([0], 0, 15.0, up=0.0)
    it.move([0], 0, 45.0, up=1.0)
    it.step(clear=False)
    half_w = input_w(it.site, chip_w(it, 0.25, 0.0, on=0.5), 0.25, on=0.5)
    assert it.racks.power_w[0] == pytest.approx(half_w)
    assert it.loads.member_s[1] == pytest.approx(72 * 30.0)  # down


def test_touching_a_row_without_moving_anything_changes_nothing():
    touched, untouched = Racks(), Racks()
    for it in (touched, untouched):
        it.loads.dynamic_frac[0] = 0.6
    for at_s in (10.0, 40.0):
        touched.move([0, 5], 0, at_s)
    touched.step()
    untouched.step()
    np.testing.assert_allclose(touched.racks.power_w, untouched.racks.power_w, rtol=1e-14)
    assert np.all(touched.racks.row_touched == 0)


moves = st.lists(
    st.tuples(st.integers(0, 7), st.sampled_from([0, A, B]), st.sampled_from([0.0, 0.5, 1.0]),
              st.floats(0.0, 180.0)),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(moves)
def test_energy_by_load_and_time_by_load_add_up(found):
    it = Racks()
    it.loads.dynamic_frac[[0, A, B]] = 0.1, 0.5, 1.0
    it_j, waiting = 0.0, sorted(found, key=lambda m: m[3])
    for _ in range(3):
        while waiting and waiting[0][3] < it.now_s + DT_S:
            rack, load, up, at_s = waiting.pop(0)
            it.move([rack], load, at_s, up)
        it.step(clear=False)
        it_j += float(it.racks.power_w.sum()) * DT_S
        assert it.loads.member_s.sum() == pytest.approx(8 * 72 * DT_S, rel=1e-12)
        load_account.clear_loads(it.loads)
    assert it.loads.energy_j.sum() == pytest.approx(it_j, rel=1e-12)
    counts = np.bincount(it.racks.load, 72 * it.racks.up_frac, it.loads.count.size)
    counts[1] += float((72 * (1.0 - it.racks.up_frac)).sum())
    np.testing.assert_allclose(it.loads.count, counts, atol=1e-9)
    for i in range(it.rows.start.size):
        inside = np.unique(it.racks.load[it.rows.start[i]:it.rows.stop[i]])
        assert it.racks.row_load[i] == (inside[0] if inside.size == 1 else -1)


@pytest.mark.parametrize("flow", [0.0, 0.25, 0.75])
def test_without_flow_chips_heat_at_power_over_capacity(flow):
    it = Racks(leakage=False)
    it.blocks.flow[0] = flow
    it.racks.junction_c[:] = 60.0
    it.step()
    chip = it.site.chips[0]
    settled_c = it.blocks.coolant_c[0] + it.racks.resistance_k_w[:4] * chip.idle
    tau_s = chip.thermal_resistance * chip.heat_capacity
    flowed_c = settled_c + (60.0 - settled_c) * math.exp(-flow * DT_S / tau_s)
    heated_k = chip.idle / chip.heat_capacity * (1.0 - flow) * DT_S
    np.testing.assert_allclose(it.racks.junction_c[:4], flowed_c + heated_k, rtol=1e-12)
    assert np.all(it.racks.junction_c[4:] < 60.0)
    kernel.settle_flow(it.blocks)
    assert list(it.blocks.flow[:2]) == [0.0, 1.0]


def test_a_chip_without_coolant_switches_itself_off_at_its_limit():
    it = Racks()
    it.loads.dynamic_frac[0] = 1.0
    it.blocks.flow[0] = 0.0
    it.racks.junction_c[1] = 95.0
    _, throttling, tripping = it.step()
    np.testing.assert_allclose(it.racks.junction_c[:4], [92.0, 95.0, 92.0, 92.0])
    assert (throttling, tripping) == (True, True)


LIMITS = (87.0, 89.0, 92.0)


@pytest.mark.parametrize(
    ("junction_c", "speed"), [(20.0, 1.0), (87.0, 1.0), (88.0, 0.75), (89.0, 0.5), (90.5, 0.25),
                              (92.0, 0.0), (120.0, 0.0)])
def test_speed_allowed_at_a_temperature(junction_c, speed):
    assert rack_control.allowed_clock(junction_c, *LIMITS) == pytest.approx(speed)


@pytest.mark.parametrize("coolant_c", [40.0, 52.0, 60.0, 75.0, 86.0])
def test_settled_clock_is_where_clock_and_temperature_agree(coolant_c):
    r, static_w, dynamic_w, exponent = 0.0265, 200.0, 1220.0, 2.5
    speed = rack_control.settled_clock(coolant_c, r, static_w, dynamic_w, exponent, LIMITS)
    junction_c = coolant_c + r * (static_w + dynamic_w * speed**exponent)
    assert rack_control.allowed_clock(junction_c, *LIMITS) == pytest.approx(speed, abs=1e-6)


def test_settled_clock_falls_with_the_coolant():
    coolants = np.linspace(30.0, 95.0, 60)
    speeds = [rack_control.settled_clock(t, 0.0265, 200.0, 1220.0, 2.5, LIMITS) for t in coolants]
    assert np.all(np.diff(speeds) <= 1e-9)
    assert speeds[0] == 1.0
    assert speeds[-1] == pytest.approx(0.0, abs=1e-6)


def controlled(coolant_c, hot_resistance=None):
    """Return racks at full work after a step and the controls that follow from it."""
    it = Racks()
    it.loads.dynamic_frac[:] = 1.0
    it.blocks.coolant_c[:] = coolant_c
    it.racks.resistance_k_w[:] = 0.0265
    if hot_resistance:
        it.racks.resistance_k_w[2] = hot_resistance
    it.step()
    rack_control.control(*it.controlled)
    return it


def test_throttled_chips_settle_on_their_limit():
    it = controlled(56.0)
    for _ in range(20):
        it.step()
        rack_control.control(*it.controlled)
    speed = it.racks.clock[0]
    assert 0.5 < speed < 1.0
    allowed = rack_control.allowed_clock(float(it.racks.junction_c[0]), *LIMITS)
    assert allowed == pytest.approx(speed, abs=1e-3)
    assert it.racks.power_cap[0] == pytest.approx(speed**2.5)


def test_a_synchronous_load_takes_the_slowest_speed_and_an_asynchronous_one_the_mean():
    for load, pick in ((A, np.mean), (4, np.min)):
        it = Racks()
        it.loads.dynamic_frac[:] = 1.0
        it.blocks.coolant_c[:] = 51.0
        it.racks.resistance_k_w[:] = 0.02
        it.racks.resistance_k_w[2] = 0.03
        it.move(np.arange(8), load, 0.0)
        it.step()
        rack_control.control(*it.controlled)
        assert it.racks.clock[2] < 1.0
        assert np.all(np.delete(it.racks.clock, 2) == 1.0)
        assert it.loads.clock[load] == pytest.approx(pick(it.racks.clock))
        assert it.loads.heat_share[load] == pytest.approx(1.0)
    waiting = np.delete(it.racks.power_cap, 2)
    assert np.all(waiting < 1.0)  # those who wait for the slowest draw less


def test_release_lifts_everything():
    it = controlled(60.0)
    rack_control.release(it.racks, it.loads)
    assert np.all(it.racks.power_cap == 1.0)
    assert np.all(it.racks.clock == 1.0)
    assert np.all(it.loads.clock == 1.0)


def test_block_caps_settle_the_margin_below_the_rating():
    it = Racks()
    it.loads.dynamic_frac[0] = 1.0
    it.step()
    it.blocks.limit_w[0] = limit_w = 0.9 * it.blocks.it_w[0]
    for minute in range(8):
        it.step(clear=False)
        assert it.cap_blocks()
        rack_control.control(*it.controlled)
        if minute > 0:
            assert it.blocks.it_w[0] <= limit_w
    assert it.blocks.margin[0] == 0.01
    assert it.blocks.it_w[0] == pytest.approx(0.99 * limit_w, rel=1e-4)
    assert np.all(it.blocks.cap[1] == 1.0)
    assert it.racks.clock[0] == pytest.approx(it.blocks.cap[0, 0] ** (1 / 2.5))
    assert it.loads.heat_share[0] == 0.0


@pytest.mark.parametrize(
    ("delay_s", "minutes", "late"), [(0.0, 1, 0.0), (60.0, 1, 0.0), (75.0, 1, 0.25), (210.0, 3, 0.5)]
)
def test_block_caps_hold_from_the_second_at_which_the_controls_delay_is_over(delay_s, minutes, late):
    at_once = over_for_a_minute(0.0)
    at_once.cap_blocks()
    it = over_for_a_minute(delay_s)
    active = [bool(it.cap_blocks())]
    for _ in range(minutes - 1):
        it.step(clear=False)
        active.append(bool(it.cap_blocks()))
    assert active == [False] * (minutes - 1) + [True]
    assert it.blocks.over_s[0] == minutes * DT_S
    whole = at_once.blocks.cap[0, 0]
    assert it.blocks.cap[0, 0] == pytest.approx(late + (1.0 - late) * whole, rel=5e-3)


def over_for_a_minute(delay_s):
    it = Racks()
    it.loads.dynamic_frac[0] = 1.0
    it.step()
    it.blocks.delay_s[0] = delay_s
    it.blocks.limit_w[0] = 0.9 * it.blocks.it_w[0]
    it.step(clear=False)
    return it


def test_block_caps_go_no_further_than_those_above():
    it = Racks()
    it.loads.dynamic_frac[0] = 1.0
    it.step()
    it.blocks.limit_w[0] = 0.1 * it.blocks.it_w[0]  # below what the racks draw at rest
    it.step(clear=False)
    assert it.cap_blocks()
    assert it.blocks.cap[0].min() == capping.FLOOR == 0.05


def test_caps_lift_when_the_rating_is_no_longer_reached():
    it = Racks()
    it.blocks.cap[:2], it.blocks.capped[:2] = 0.5, 1
    it.step(clear=False)
    assert not it.cap_blocks()
    assert np.all(it.blocks.cap == 1.0)


fractions = st.floats(0.0, 1.0)


@settings(max_examples=60, deadline=None)
@given(fractions, fractions, fractions, fractions, st.floats(0.05, 1.0),
       st.lists(fractions, min_size=3, max_size=3))
def test_a_loads_hours_are_its_members_time_whatever_slows_it(busy, clock, bound, heat, cap, mix):
    it = Racks()
    share = np.zeros(len(c.CATEGORIES))
    share[[c.USEFUL, c.CHECKPOINT, c.RESTART]] = np.array(mix) + 1e-6
    it.loads.share[0] = share / share.sum()
    it.loads.busy[0], it.loads.clock[0], it.loads.heat_share[0] = busy, clock, heat
    it.loads.cap[0], it.loads.running[0] = cap, 1.0
    it.loads.clock_bound_frac[0] = bound
    load_account.complete_loads(it.loads, DT_S)
    member_s, productive_s = it.loads.member_s[0], it.loads.step_hours[0, c.USEFUL]
    throttled_s, capped_s = load_account.account_loads(it.loads)
    hours = it.loads.hours[0]
    assert hours.sum() == pytest.approx(member_s, rel=1e-12)
    assert hours.min() >= -1e-6
    pace = load_account.pace_of(clock * cap ** (1 / 2.5), bound)
    useful_s, rounding_s = productive_s * busy * pace, 1e-12 * member_s
    assert hours[c.USEFUL] == pytest.approx(useful_s, rel=1e-9, abs=rounding_s)
    assert hours[c.THROTTLE] == pytest.approx(throttled_s, abs=rounding_s)
    assert hours[c.POWER_CAP] == pytest.approx(capped_s, abs=rounding_s)
    assert it.loads.work_s[0] == pytest.approx(DT_S * pace)


@given(st.floats(0.01, 1.0), st.floats(0.0, 1.0))
def test_pace_adds_the_time_that_follows_the_clock_to_the_time_that_does_not(clock, bound):
    pace = load_account.pace_of(clock, bound)
    assert 1.0 / pace == pytest.approx(bound / clock + 1.0 - bound, rel=1e-12)
    assert clock * (1.0 - 1e-12) <= pace <= 1.0 + 1e-12
    assert load_account.pace_of(clock, 1.0) == clock
    assert load_account.pace_of(clock, 0.0) == load_account.pace_of(1.0, bound) == 1.0


def test_those_who_wait_for_a_slow_member_draw_by_the_pace_not_by_the_clock():
    it = Racks()
    it.loads.dynamic_frac[:] = 1.0
    it.loads.clock_bound_frac[4] = 0.4
    it.blocks.coolant_c[:] = 51.0
    it.racks.resistance_k_w[:] = 0.02
    it.racks.resistance_k_w[2] = 0.03
    it.move(np.arange(8), 4, 0.0)
    it.step()
    rack_control.control(*it.controlled)
    clock = it.loads.clock[4]
    assert clock < 1.0
    assert it.racks.power_cap[0] == pytest.approx(load_account.pace_of(clock, 0.4))
    assert it.racks.power_cap[2] == pytest.approx(clock**2.5)


HBM = (95.0, 97.0, 100.0)
WATTS = (200.0, 1220.0)


def kept(before, coolant_c, hysteresis_k=0.0, rise=1.1):
    r = 0.0265
    limits = (LIMITS, HBM, hysteresis_k)
    return rack_control.kept_clock(before, coolant_c, r, rise * r, WATTS, 2.5, limits)


@pytest.mark.parametrize("coolant_c", [30.0, 50.0, 56.0, 70.0])
def test_the_tighter_of_junction_and_memory_sets_the_clock(coolant_c):
    own = rack_control.settled_clock(coolant_c, 0.0265, *WATTS, 2.5, LIMITS)
    memory = rack_control.settled_clock(coolant_c, 1.6 * 0.0265, *WATTS, 2.5, HBM)
    assert kept(1.0, coolant_c, rise=1.6) == min(own, memory)
    assert kept(1.0, coolant_c, rise=0.5) == own
    assert memory < own or own == 1.0


def test_a_slowed_clock_rises_only_below_its_hysteresis():
    warming = [kept(1.0, t) for t in np.arange(45.0, 62.0, 0.1)]
    slow = warming[-1]
    cooling = []
    for coolant_c in np.arange(62.0, 44.0, -0.1):
        slow = kept(slow, coolant_c, hysteresis_k=4.0)
        cooling.append(slow)
    assert np.all(np.diff(cooling) >= 0.0) and cooling[-1] == 1.0
    falls = 45.0 + 0.1 * next(i for i, c in enumerate(warming) if c < 1.0)
    rises = 62.0 - 0.1 * next(i for i, c in enumerate(cooling) if c == 1.0)
    assert falls - rises == pytest.approx(4.1, abs=0.1 + 1e-9)
    assert kept(0.7, 30.0) == 1.0  # without hysteresis nothing is remembered


def test_memory_stands_over_its_coolant_as_the_junction_does_by_its_share():
    it = Racks()
    it.loads.dynamic_frac[:] = 1.0
    it.step()
    hottest_c, coolant_c = it.blocks.hottest_c[0], it.blocks.coolant_c[0]
    rise = it.site.chips[0].hbm_rise
    assert it.blocks.hbm_hottest_c[0] == pytest.approx(coolant_c + rise * (hottest_c - coolant_c))


def test_memory_past_its_limit_throttles_and_trips_alone():
    it = Racks()
    it.rows = it.rows._replace(hbm_throttle_c=it.rows.hbm_throttle_c - 40.0)
    it.loads.dynamic_frac[:] = 1.0
    assert it.step()[1:] == (True, False)
    it.rows = it.rows._replace(hbm_shutdown_c=it.rows.hbm_shutdown_c - 60.0)
    assert it.step()[1:] == (True, True)


@pytest.mark.parametrize("frac", [0.8, 1.4])
def test_chips_off_rated_flow_follow_their_own_time_constant(frac):
    it = Racks(leakage=False)
    it.loads.dynamic_frac[:] = 0.8
    it.blocks.resistance_frac[0] = frac
    before_c = it.racks.junction_c.copy()
    it.step()
    chip = it.site.chips[0]
    watts = chip_w(it, 0.8, before_c[:4])
    settled_c = it.blocks.coolant_c[0] + frac * it.racks.resistance_k_w[:4] * watts
    decay = math.exp(-DT_S / (frac * chip.thermal_resistance * chip.heat_capacity))
    np.testing.assert_allclose(
        it.racks.junction_c[:4], settled_c + (before_c[:4] - settled_c) * decay, rtol=1e-12)


def test_chips_whose_flow_falls_within_a_step_go_no_further_than_where_they_settle():
    """At full work and 2.5 times their resistance they would stand far beyond their shutdown: they slow on
    the way, and the clock that the controls then find holds them there."""
    it = Racks(leakage=False)
    it.loads.dynamic_frac[:] = 1.0
    it.blocks.resistance_frac[0] = 2.5
    _, throttling, tripping = it.step()
    reached_c = it.racks.junction_c[:4].copy()
    assert throttling and not tripping
    assert np.all((LIMITS[0] < reached_c) & (reached_c < LIMITS[2]))
    for _ in range(3):
        rack_control.control(*it.controlled)
        it.step()
    np.testing.assert_allclose(it.racks.junction_c[:4], reached_c, atol=0.05)


def of_chip(it, name):
    """Give racks the limits, power and thermal resistance of another chip of the catalog."""
    chip, n = from_catalog.accelerator(name), it.rows.start.size
    over_k = chip.hbm_throttle - chip.throttle_start
    told = {
        "throttle_start_c": chip.throttle_start, "throttle_full_c": chip.throttle_full,
        "shutdown_c": chip.shutdown, "hbm_rise": chip.hbm_rise, "hbm_throttle_c": chip.hbm_throttle,
        "hbm_full_c": chip.throttle_full + over_k, "hbm_shutdown_c": chip.shutdown + over_k,
        "chip_idle_w": chip.idle, "chip_dynamic_w": chip.tdp - chip.idle,
    }  # fmt: skip
    it.rows = it.rows._replace(**{column: np.full(n, value) for column, value in told.items()})
    it.racks.resistance_k_w[:] = chip.thermal_resistance
    return chip


def test_memory_that_binds_first_goes_no_further_than_where_it_settles():
    """Of an MI300X in coolant of 40 degC: its memory meets its limit before its junction does."""
    it = Racks(leakage=False)
    chip = of_chip(it, "MI300X")
    it.loads.dynamic_frac[:] = 1.0
    it.blocks.resistance_frac[0], coolant_c = 2.5, float(it.blocks.coolant_c[0])
    _, throttling, tripping = it.step()
    reached_c = float(it.blocks.hbm_hottest_c[0])
    assert coolant_c < 50.0 and throttling and not tripping
    own = rack_control.settled_clock(
        coolant_c, 2.5 * chip.thermal_resistance, chip.idle, chip.tdp - chip.idle, it.rows.power_exponent[0],
        (chip.throttle_start, chip.throttle_full, chip.shutdown))
    watts = chip.idle + (chip.tdp - chip.idle) * own ** it.rows.power_exponent[0]
    by_junction_c = coolant_c + chip.hbm_rise * 2.5 * chip.thermal_resistance * watts
    assert chip.hbm_throttle < reached_c < by_junction_c
    for _ in range(3):
        rack_control.control(*it.controlled)
        it.step()
        assert it.blocks.hbm_hottest_c[0] == pytest.approx(reached_c, abs=0.1)
