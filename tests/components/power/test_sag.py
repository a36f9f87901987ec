"""What loads draw through voltage sags, against integrals and times by hand."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from simulator.components.from_catalog import grid_rule
from simulator.components.power.bbu import BatteryBackup
from simulator.components.power.ride_through import RideThrough, Withstand
from simulator.components.power.sag import (
    Course,
    sags,
    through_machines,
    through_supplies,
    through_ups,
)
from simulator.components.power.ups import Ups

LOADS = RideThrough()
BACKUP = BatteryBackup.model_validate({"power": "100 kW", "hold_up": "90 s", "recharge": "5 kW"})


def ups(**given_):
    return Ups.model_validate({"loss": {}, "ride_through": "5 min", "walk_in": "10 s"} | given_)


COUNTS = {"sag_counter": {"count": 3, "within": "60 s", "manual": "2 h"}}


def test_the_itic_curve():
    holds = LOADS.supplies.holds_s
    assert [holds(v) for v in (0.0, 0.69, 0.7, 0.79, 0.8, 0.89, 0.9, 1.0)] == [
        0.02, 0.02, 0.5, 0.5, 10.0, 10.0, math.inf, math.inf]  # fmt: skip


def test_a_curve_must_rise():
    for below, time in ((["80 %", "70 %"], ["1 s", "2 s"]), (["70 %", "80 %"], ["2 s", "1 s"])):
        with pytest.raises(ValidationError, match="must rise, and times must not fall"):
            Withstand.model_validate({"below": below, "time": time})


def test_sags_that_overlap_are_none():
    assert [s.start_s for s in sags(0.5, 0.2, 3, 14.0)] == [0.0, 14.0, 28.0]
    with pytest.raises(ValueError, match="overlap"):
        sags(0.5, 0.2, 2, 0.1)


def test_a_ups_draws_nothing_in_the_sag_and_ramps_back():
    answer = through_ups(sags(0.5, 0.2), ups())
    course = answer.course
    assert course.at(0.1) == 0.0 and course.at(0.2) == 0.0
    assert course.at(5.2) == pytest.approx(0.5)
    assert course.missing_s(100.0) == pytest.approx(0.2 + 10.0 / 2.0)
    assert course.back_s(0.9) == pytest.approx(0.2 + 9.0)
    assert answer.served and answer.outcome == "walks in"


def test_the_next_sag_cuts_the_ramp():
    row = sags(0.5, 1.0, 2, 6.0)
    course = through_ups(row, ups()).course
    assert course.at(6.0, before=True) == pytest.approx(0.5)
    assert course.at(6.0) == 0.0
    # 1 s off, 5 s of a ramp to a half, 1 s off, the whole ramp.
    by_hand = 1.0 + 5.0 * 0.75 + 1.0 + 5.0
    assert course.missing_s(1e3) == pytest.approx(by_hand)
    assert through_ups(row, ups(ride_through=f"{by_hand + 0.01} s")).served
    assert not through_ups(row, ups(ride_through=f"{by_hand - 0.01} s")).served


def carried_s(row, holds_s, walk_in_s, limit, step_s=0.002):
    """What batteries of a load give, by marching: in a sag all beyond `holds_s`, then a ramp."""
    input_, given_s, engaged = 1.0, 0.0, False
    for t in np.arange(0.5 * step_s, row[-1].end_s + walk_in_s, step_s):
        inside = next((s for s in row if s.start_s <= t < s.end_s), None)
        if inside is None:
            input_ = min(1.0, input_ + step_s / walk_in_s)
        elif t < inside.start_s + holds_s:
            input_ = min(input_, limit) if engaged else 1.0
        else:
            input_, engaged = 0.0, True
        engaged = engaged and input_ < 1.0
        given_s += (1.0 - input_) * step_s
    return given_s


@settings(max_examples=15, deadline=None)
@given(st.floats(0.1, 3.0), st.integers(1, 4), st.floats(3.2, 20.0))
def test_what_is_not_drawn_came_out_of_the_batteries(lasts_s, repeat, every_s):
    row = sags(0.5, lasts_s, repeat, every_s)
    by_ups = carried_s(row, 0.0, 10.0, 0.0)
    assert through_ups(row, ups(ride_through=f"{by_ups + 0.05:.3f} s")).served
    assert not through_ups(row, ups(ride_through=f"{by_ups - 0.05:.3f} s")).served
    by_racks = carried_s(row, 0.02, 5.0, 0.5 / LOADS.full_power)
    for spare_s in (0.05, -0.05):
        backup = BACKUP.model_copy(update={"hold_up": by_racks + spare_s})
        assert through_supplies(row, LOADS, 0.3, backup, 100e3).served == (spare_s > 0.0)


def test_racks_go_dark_where_their_batteries_are_empty_on_the_ramp():
    backup = BACKUP.model_copy(update={"hold_up": 2.0})
    answer = through_supplies(sags(0.0, 1.02), LOADS, 0.3, backup, 100e3)
    # One second in the sag, one on the ramp: x - x2/10 = 1.
    dark_s = 1.02 + 5.0 - math.sqrt(15.0)
    assert answer.outcome == "restarts" and not answer.served
    assert answer.course.at(dark_s - 1e-6) == pytest.approx((dark_s - 1.02) / 5.0, abs=1e-6)
    assert answer.dark_s == pytest.approx(dark_s)
    assert answer.course.at(dark_s + 2.9) == 0.0
    assert answer.course.at(dark_s + 3.1) == 0.3  # there is voltage: they boot
    assert answer.course.back_s() == pytest.approx(dark_s + 480.0 + 600.0)


def test_a_blink_on_the_ramp_is_carried_by_the_batteries():
    row = [*sags(0.4, 1.02), *sags(0.4, 0.02)]
    row[1] = row[1]._replace(start_s=4.0)
    # From 0.596 of the ramp to the half that supplies draw at 40 %: a blink of 20 ms takes 0.1 of it.
    gives_s = 1.0 + 2.5 + 0.02 * ((4.01 - 1.02) / 5.0 - 0.5)
    for hold_up, served in ((gives_s + 1e-6, True), (gives_s - 1e-6, False)):
        backup = BACKUP.model_copy(update={"hold_up": hold_up})
        assert through_supplies(row, LOADS, 0.3, backup, 100e3).served == served


def test_batteries_carry_a_counted_load_until_generators_do():
    row = sags(0.5, 0.1, 3, 16.4)
    before_s = 2 * (0.1 + 5.0)  # two sags, and the whole ramps after them
    for ride_through, served in ((before_s + 12.01, True), (before_s + 11.99, False)):
        told = ups(ride_through=f"{ride_through} s", **COUNTS)
        assert through_ups(row, told, 12.0).served == served


def test_a_counter_transfers_at_the_third_sag_of_a_minute():
    answer = through_ups(sags(0.5, 0.1, 6, 16.4), ups(**COUNTS))
    assert answer.outcome == "manual return"
    assert answer.course.back_s() == pytest.approx(2 * 16.4 + 0.1 + 7200.0 + 10.0)
    assert answer.served
    alone = through_ups(sags(0.5, 0.1, 6, 16.4), ups(**COUNTS), math.inf)
    assert not alone.served  # its batteries last five minutes, not two hours
    slow = through_ups(sags(0.5, 0.1, 6, 31.0), ups(**COUNTS))
    assert slow.outcome == "walks in"
    shallow = through_ups(sags(0.95, 0.1, 6, 16.4), ups(**COUNTS))
    assert shallow.outcome == "stays" and shallow.course.missing_s(100.0) == 0.0


def test_in_eco_mode_the_load_must_hold_up_until_the_inverter_carries_it():
    eco = ups(mode="eco", eco_transfer="8 ms")
    assert through_ups(sags(0.5, 0.1), eco, held_up_s=0.02).served
    assert not through_ups(sags(0.5, 0.1), eco, held_up_s=0.005).served
    assert through_ups(sags(0.95, 0.1), eco, held_up_s=0.005).served  # it never left the bypass
    assert through_ups(sags(0.5, 0.1), ups(), held_up_s=0.005).served


def test_supplies_bear_a_blink_at_their_current_limit():
    answer = through_supplies(sags(0.4, 0.02), LOADS, 0.3)
    assert answer.outcome == "blinks" and answer.served
    assert answer.course.missing_s(10.0) == pytest.approx(0.02 * 0.5)
    assert through_supplies(sags(0.85, 5.0), LOADS, 0.3).outcome == "stays"


@pytest.mark.parametrize("restart_s", [None, 360.0])
def test_beyond_the_curve_racks_boot_and_their_work_starts_again(restart_s):
    loads = LOADS.model_copy(update={"boot_draw": 0.5})
    answer, works_s = through_supplies(sags(0.4, 0.2), loads, 0.3, restart_s=restart_s), restart_s or 600.0
    assert answer.outcome == "restarts" and not answer.served
    course = answer.course
    assert course.at(0.02) == 0.0 and course.at(3.1) == 0.0 and course.at(3.3) == 0.15
    assert course.at(0.2 + 480.0) == 0.3
    assert course.back_s() == pytest.approx(0.2 + 480.0 + works_s)
    by_hand = 0.02 * 0.5 + 0.18 + 3.0 + 477.0 * 0.85 + works_s * 0.7
    assert course.missing_s(1e4) == pytest.approx(by_hand)


def test_rack_batteries_carry_what_they_hold_and_no_more():
    kept = through_supplies(sags(0.0, 60.0), LOADS, 0.3, BACKUP, 100e3)
    assert kept.served and kept.outcome == "walks in"
    assert kept.course.missing_s(1e3) == pytest.approx(59.98 + 0.02 + 2.5)
    assert not through_supplies(sags(0.0, 60.0, 2, 70.0), LOADS, 0.3, BACKUP, 100e3).served
    assert not through_supplies(sags(0.0, 1.0), LOADS, 0.3, BACKUP, 120e3).served


def test_a_blink_while_walking_in_keeps_the_ramp():
    row = [*sags(0.4, 0.2), *[s._replace(start_s=3.0, lasts_s=0.01) for s in sags(0.4, 0.01)]]
    answer = through_supplies(row, LOADS, 0.3, BACKUP, 50e3)
    assert answer.served
    assert answer.course.at(3.005) == pytest.approx(0.5)
    assert answer.course.back_s() == pytest.approx(5.2)


def test_machines_drop_out_and_start_one_by_one():
    course = through_machines(sags(0.4, 0.1), LOADS).course
    assert course.at(0.01) == 1.0 and course.at(0.03) == 0.0
    assert course.missing_s(1e3) == pytest.approx(0.08 + 60.0 + 120.0 / 2.0)
    assert through_machines(sags(0.85, 9.0), LOADS).outcome == "stays"


@settings(deadline=None)
@given(
    st.floats(0.0, 1.0), st.floats(0.001, 5.0), st.integers(1, 8), st.floats(5.1, 60.0),
    st.sampled_from(("ups", "counts", "racks", "backed", "machines")),
)  # fmt: skip
def test_shares_stay_between_nothing_and_all_and_come_back(voltage, lasts_s, repeat, every_s, kind):
    row = sags(voltage, lasts_s, repeat, every_s)
    answer = {
        "ups": lambda: through_ups(row, ups()),
        "counts": lambda: through_ups(row, ups(**COUNTS)),
        "racks": lambda: through_supplies(row, LOADS, 0.3),
        "backed": lambda: through_supplies(row, LOADS, 0.3, BACKUP, 50e3),
        "machines": lambda: through_machines(row, LOADS),
    }[kind]()
    course: Course = answer.course
    assert course.time_s == sorted(course.time_s)
    assert all(-1e-12 <= share <= 1.0 + 1e-12 for share in course.share)
    assert course.share[-1] == 1.0 and math.isfinite(course.back_s())
    assert -1e-9 <= course.missing_s(1e5) <= course.back_s() + 1e-9


def test_what_ercot_asks():
    rule = grid_rule("ERCOT-NOGRR282")
    assert rule.asks(0.1, 0.15) and not rule.asks(0.1, 0.16)
    assert rule.asks(0.6, 0.5) and not rule.asks(0.6, 0.51)
    assert rule.asks(0.95, 1e9) and not rule.counting
