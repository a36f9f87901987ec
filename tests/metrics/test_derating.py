"""What weather leaves of the firm import: hours by hand, hours that do not count, and a round trip."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from simulator.metrics import derating, thermal
from simulator.metrics.kpis import kpis


def with_site(week, **columns):
    """Return the week with minutes of the site overwritten."""
    site = week.timeseries["site"].assign(**columns)
    return dataclasses.replace(week, timeseries=week.timeseries | {"site": site})


@pytest.fixture(scope="module")
def flat(week):
    """100 MW of racks that need 20 MW of cooling, 5 MW of losses and 2 MW for the house, always."""
    return with_site(week, it_w=100e6, cooling_w=20e6, losses_w=5e6, house_w=2e6)


def test_an_hour_by_hand(flat):
    table = derating.derating(flat)
    assert len(table) == 9 * 24
    assert table["pue"].to_numpy() == pytest.approx(1.27)
    assert table["usable_it_w"].to_numpy() == pytest.approx((980e6 - 2e6) / 1.25)


def test_usable_power_with_what_it_needs_is_the_firm_import(week):
    table = derating.derating(week)
    rest = (table["cooling_w"] + table["losses_w"]) / table["it_w"]
    back = table["usable_it_w"] * (1.0 + rest) + table["house_w"]
    assert back.to_numpy() == pytest.approx(week.info["firm_w"])


def test_hours_in_which_racks_are_off_do_not_count(flat):
    it_w = np.full(9 * 1440, 100e6)
    it_w[600:660] = 1e6  # an hour of PUE 28
    told = kpis(with_site(flat, it_w=it_w)).set_index("kpi")["value"]
    assert told["power.pue_peak"] == pytest.approx(1.27)
    dark = kpis(with_site(flat, it_w=0.0)).set_index("kpi")["value"]
    assert "power.pue_peak" not in dark and "cooling.usable_it_min" not in dark


def test_the_hottest_hours_leave_least(week):
    table, told = derating.derating(week), kpis(week).set_index("kpi")["value"]
    assert told["cooling.usable_it_min"] == pytest.approx(table["usable_it_w"].min() / 1e6)
    below = (table["usable_it_w"] / 1e6 < told["cooling.usable_it_p5"]).mean()
    assert below == pytest.approx(0.05, abs=0.005)
    assert table.loc[table["usable_it_w"].idxmin(), "dry_bulb_c"] > table["dry_bulb_c"].quantile(0.9)


def test_the_last_hour_of_a_run_may_be_short(week):
    site = week.timeseries["site"].iloc[:90]
    table = derating.derating(dataclasses.replace(week, timeseries=week.timeseries | {"site": site}))
    assert table["it_w"].tolist() == pytest.approx([site["it_w"][:60].mean(), site["it_w"][60:].mean()])


def test_peak_water_is_that_of_the_day_and_hour_that_took_most(week):
    flow = np.zeros(9 * 1440)
    flow[3 * 1440 : 3 * 1440 + 60] = 1000.0 / 3600.0
    told = kpis(with_site(week, evaporation_kg_s=flow, blowdown_kg_s=flow * 0.5)).set_index("kpi")["value"]
    assert told["cooling.water_peak_hour"] == pytest.approx(1.5)
    assert told["cooling.water_peak_day"] == pytest.approx(1.5)
    assert told["cooling.water_consumed"] == pytest.approx(1.0)


def test_margin_is_what_lies_below_the_throttle_point(week):
    margins = thermal.margins(week)
    hottest_c = week.timeseries["hall"]["junction_max_c"].max()
    assert margins["margin_k"].min() == pytest.approx(87.0 - hottest_c)
    racks = week.tables["racks"].drop(columns="throttle_c")
    older = dataclasses.replace(week, tables=week.tables | {"racks": racks})
    assert thermal.margins(older).empty and "thermal.throttle_margin_min" not in set(kpis(older)["kpi"])


def test_throttled_minutes_count_minutes(week):
    slowed = pd.Series(np.zeros(9 * 1440))
    slowed[10:25] = 3.0
    told = kpis(with_site(week, throttled_accelerators=slowed)).set_index("kpi")["value"]
    assert told["thermal.throttled_minutes"] == 15.0
    assert told["thermal.throttled_accelerator_hours"] == pytest.approx(45.0 / 60.0)
