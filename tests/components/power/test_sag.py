"""What loads draw through voltage sags, against integrals and times by hand."""

import math

import pytest
from hypothesis import given
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
    course = through_ups(sags(0.5, 1.0, 2, 6.0), ups()).course
    assert course.at(6.0, before=True) == pytest.approx(0.5)
    assert course.at(6.0) == 0.0
    # 1 s off, 5 s of a ramp to a half, 1 s off, the whole ramp.
    assert course.missing_s(1e3) == pytest.approx(1.0 + 5.0 * 0.75 + 1.0 + 5.0)


def test_a_counter_transfers_at_the_third_sag_of_a_minute():
    answer = through_ups(sags(0.5, 0.1, 6, 16.4), ups(**COUNTS))
    assert answer.outcome == "manual return"
    assert answer.course.back_s() == pytest.approx(2 * 16.4 + 0.1 + 7200.0 + 10.0)
    assert answer.served
    alone = through_ups(sags(0.5, 0.1, 6, 16.4), ups(**COUNTS), on_generators=False)
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


def test_beyond_the_curve_racks_boot_and_their_work_starts_again():
    answer = through_supplies(sags(0.4, 0.2), LOADS, 0.3)
    assert answer.outcome == "restarts" and not answer.served
    course = answer.course
    assert course.at(0.02) == 0.0
    assert course.at(0.2 + 480.0) == 0.3
    assert course.back_s() == pytest.approx(0.2 + 480.0 + 600.0)
    by_hand = 0.02 * 0.5 + (0.18 + 480.0) + 600.0 * 0.7
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
