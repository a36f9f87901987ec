"""Metrics over periods and elements agree with each other and with the tables."""

import dataclasses

import numpy as np
import pytest

from simulator.metrics import cost, failures, fleet, headroom, power, thermal, training


def test_hours_and_months_keep_the_mean(week):
    whole = power.power(week)["poi_w"].iloc[0]
    assert power.power(week, every="h")["poi_w"].mean() == pytest.approx(whole)
    months = power.monthly(week)
    assert len(months) == 2
    assert months["peak_1min_w"].max() == week.timeseries["site"]["poi_w"].max()
    assert (months["peak_w"] <= months["peak_1min_w"]).all()


def test_halls_add_up(week):
    total = power.power(week, every="D")
    split = power.power(week, by="element", every="D").groupby("time")["it_w"].sum()
    halls = week.timeseries["hall"].groupby("time")["it_w"].sum()
    assert split.mean() == pytest.approx(halls.mean())
    assert len(total) == 9


def test_load_duration_falls_and_spans_the_run(week):
    curve = power.load_duration(week)
    assert (np.diff(curve["power_w"]) <= 0).all()
    assert len(curve) == 9 * 96
    assert curve["power_w"].mean() == pytest.approx(week.timeseries["site"]["poi_w"].mean())


def test_headroom_names_the_tightest_of_each_level(week):
    tight = headroom.headroom(week, by="level").set_index("level")
    assert {"poi", "feeder", "block", "loop"} <= set(tight.index)
    assert tight.at["block", "firm_loading_frac"] == pytest.approx(
        tight.at["block", "loading_frac"]
    )
    assert len(headroom.headroom(week, every="D")) == 9


def test_stranded_power_is_what_free_places_cannot_take(week):
    room = headroom.headroom(week)["firm_headroom_w"].iloc[0]
    assert 0 < headroom.stranded(week)["power_w"].sum() <= room
    places = week.tables["places"].copy()
    places[["built_w", "rated_w", "limit_w"]] *= 2
    places[["cooled_w", "joined_w"]] = np.inf
    roomy = dataclasses.replace(week, tables=week.tables | {"places": places})
    assert headroom.stranded(roomy)["power_w"].sum() == 0


def test_water_by_month_adds_up(week):
    total = thermal.water(week)["consumed_m3"].iloc[0]
    assert thermal.water(week, every="MS")["consumed_m3"].sum() == pytest.approx(total)
    assert set(thermal.cooling(week, by="element", every="D")["element"]) == {
        "warm liquid", "chilled air",
    }  # fmt: skip


def test_failures_by_cause_and_day_add_up(week):
    total = failures.failures(week)["count"].iloc[0]
    assert failures.failures(week, by="cause")["count"].sum() == total
    assert failures.failures(week, every="D")["count"].sum() == total


def test_utilization_by_chip_weighs_to_the_whole(week):
    by_chip = fleet.utilization(week, by="accelerator").set_index("accelerator")
    whole = fleet.utilization(week)["utilization_frac"].iloc[0]
    weights = [fleet.installed(week, chip) for chip in by_chip.index]
    assert np.average(by_chip["utilization_frac"], weights=weights) == pytest.approx(whole)
    assert len(fleet.service(week, by="element", every="D")) == 24 * 9


def test_cost_by_load_adds_up(week):
    loads = cost.cost(week, by="load")
    assert loads["energy_usd"].sum() == pytest.approx(cost.energy_cost(week))
    months = cost.cost(week)
    assert months[["energy_usd", "demand_usd"]].to_numpy().sum() == pytest.approx(
        cost.energy_cost(week)
    )


def test_work_ends_on_its_last_value(week):
    daily = training.progress(week, every="D")
    assert daily["work_s"].iloc[-1] == week.timeseries["job"]["work_s"].iloc[-1]
