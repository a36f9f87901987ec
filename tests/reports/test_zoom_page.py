"""What the page of every accelerator says of the plan it is set beside."""

import pandas as pd

from simulator.reports.zoom import _hottest, against_plan


def test_less_power_is_leakage_and_more_is_what_the_plan_slows():
    less, more = against_plan(-0.0055, slows=False), against_plan(0.0059, slows=True)
    assert "differs by -0.55 % from the plan's" in less and "leak like the hottest" in less
    assert "differs by +0.59 % from the plan's" in more and "slow down" in more and "leak" not in more


def test_leakage_is_told_where_the_plan_slows_but_draws_more():
    assert "leak" in against_plan(-0.01, slows=True)


def test_no_cause_is_told_without_a_difference_or_without_slowing():
    assert against_plan(0.00004, slows=True) == against_plan(0.0, slows=False) == "Racks draw the power of the plan."
    assert against_plan(0.002, slows=False).endswith("+0.20 % from the plan's.")


def test_the_hottest_are_told_with_month_and_day_in_utc():
    at = pd.Timestamp("2027-07-31T22:30:00-04:00")
    row = {"server": "hall/r1/s1", "junction_max_c": 74.0, "hbm_max_c": 77.0, "slowed_h": 0.0, "lost_h": 0.0}
    shown = _hottest(pd.DataFrame([row | {"site_time": at, "time": at.tz_convert("UTC")}]))
    assert list(shown["UTC"]) == ["08-01 02:30"] and list(shown["When, at the site"]) == ["2027-07-31 22:30"]
