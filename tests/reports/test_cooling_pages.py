"""Pages on cooling, water and the coolant's map: findings that stay true for dry sites, short runs,
older folders and replicates."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from synthetic import campus

from simulator.metrics import derating, thermal
from simulator.reports import coolant_map, cooling, document, water
from simulator.reports.run import Run
from simulator.results import NO_FLOW, NO_REJECTION


@pytest.fixture(scope="module")
def run(week):
    return Run([week])


@pytest.fixture(scope="module")
def many(replicates):
    return Run(replicates)


def changed(results, level, **columns):
    """Return results with columns of a level overwritten (None takes one away)."""
    series = results.timeseries[level].drop(columns=[c for c, v in columns.items() if v is None])
    series = series.assign(**{c: v for c, v in columns.items() if v is not None})
    return dataclasses.replace(results, timeseries=results.timeseries | {level: series})


def names(page):
    return [spec.name for spec in page.figures]


def test_the_worst_hour_of_the_title_is_that_of_the_data(run, week):
    table = derating.derating(week)
    title = cooling.page(run).title
    assert f"{table['pue'].max():.3f} in the worst hour" in title
    assert f"{table['usable_it_w'].min() / 1e6:.0f}\u00a0MW" in title


def test_modes_are_drawn_where_a_compressor_ran(run, week):
    drawn = cooling.page(run).figures[-1]
    assert drawn.name == "cooling-modes" and "The warm loops never ran a compressor" in drawn.caption
    per_bar = drawn.data.groupby(["kind", "time"])[["free_h", "partial_h", "mechanical_h"]].sum().sum(axis=1)
    assert per_bar.to_numpy() == pytest.approx(24.0)
    free = changed(week, "loop", mechanical_frac=0.0)
    assert "cooling-modes" not in names(cooling.page(Run([free])))


def test_a_dry_site_has_no_page_on_water_and_says_so(run, week):
    dry = Run([changed(week, "site", evaporation_kg_s=0.0, blowdown_kg_s=0.0)])
    assert not document.has(dry, water.page) and document.has(run, water.page)
    assert "takes no water" in cooling.page(dry).text[1]
    assert "takes no water" not in cooling.page(run).text[1]


def test_the_peak_day_of_water_is_the_indicator(run):
    told = run.value("cooling.water_peak_day")
    days = water.withdrawn(run, "D")["withdrawn_m3"]
    assert days.max() == pytest.approx(told)
    at = days.idxmax()
    assert f"{at.day} {at:%B %Y}" in water.page(run).title


def test_loops_share_the_water_they_take(run, week):
    table = water.page(run).tables[0].frame
    shares = [float(text.split("\u00a0")[0]) for text in table["Share"]]
    assert sum(shares) == pytest.approx(100.0, abs=1.0)
    flow = week.timeseries["loop"].query("element == 'warm liquid'")["evaporation_kg_s"]
    assert table.loc[0, "Consumed"] == f"{flow.sum() * 3.6:,.0f} m³"


def test_a_drought_is_told(run, week):
    event = pd.DataFrame({"time": [week.events["time"].iloc[0]], "kind": "drought", "element": "site",
                          "cause": "daily limit", "duration_s": 7200.0, "detail": ""})  # fmt: skip
    short = dataclasses.replace(week, events=pd.concat([week.events, event], ignore_index=True))
    assert len(water.page(run).text) == 1
    assert "short 1.00 times, 2.00 hours" in water.page(Run([short])).text[1]


def test_hours_without_water_are_told_and_drawn(week):
    site, start = week.timeseries["site"], week.events["time"].iloc[0].floor("h")
    gone = (site["time"] >= start) & (site["time"] < start + pd.Timedelta(hours=30))
    event = pd.DataFrame({"time": [start], "kind": "drought", "element": "site", "cause": "water",
                          "duration_s": 30 * 3600.0, "detail": f"{NO_REJECTION} warm"})  # fmt: skip
    off = changed(week, "site", it_w=site["it_w"].where(~gone, 0.0))
    page = cooling.page(Run([dataclasses.replace(off, events=pd.concat([off.events, event], ignore_index=True))]))
    hours = derating.derating(off)
    left = hours[hours["working"]]
    assert "for 30 hours plants without water carry none" in page.title
    assert f"worst of the {len(left)} of {len(hours)} hours in which racks work" in page.title
    mean = (left["pue"] * left["it_w"]).sum() / left["it_w"].sum()
    assert f"PUE is {mean:.3f} on average and {left['pue'].max():.3f}" in page.title
    drawn = page.figures[-1]
    assert drawn.data.groupby("kind", sort=False)["dry_h"].sum()["warm"] == 30.0
    assert "reject nothing in 13.9\u00a0% for want of water" in drawn.alt


def test_bands_are_of_all_replicates(many):
    data = water.by_time(many).data
    assert (data["p10_m3"] < data["p90_m3"]).all()
    curve = cooling.duration(many).data
    assert (curve["p10_w"] <= curve["p50_w"]).all() and (curve["p10_w"] < curve["p90_w"]).any()
    assert "means of 3 replicates" in cooling.page(many).figures[0].caption


def test_the_map_names_the_loop_and_hall_that_went_furthest(run, week):
    loops = week.timeseries["loop"].query("element == 'warm liquid'")
    margins = thermal.margins(week)
    title = coolant_map.page(run).title
    worst = margins.loc[margins["margin_k"].idxmin()]
    assert f"{loops['supply_max_c'].max():.1f} °C, of warm liquid" in title
    assert f"{worst['element']} come closest to throttling" in title
    hot = changed(week, "hall", junction_max_c=week.timeseries["hall"]["junction_max_c"] + 30.0)
    assert "K beyond where they throttle" in coolant_map.page(Run([hot])).title


def test_the_colours_of_a_map_reach_the_worst_hour(week):
    halls = week.timeseries["hall"]
    hit = (halls["element"] == "gb300-02") & (halls["time"] == pd.Timestamp("2027-07-28T05:00:00Z"))
    hot = Run([changed(week, "hall", junction_max_c=halls["junction_max_c"].where(~hit, 100.0))])
    worst_k = coolant_map.tightest_hours(hot)["margin_k"].min()
    fig = next(drawn for drawn in coolant_map.page(hot).figures if drawn.name == "margin-by-hour").fig
    assert worst_k == pytest.approx(-13.0)
    assert fig.axes[0].collections[0].get_clim()[0] <= worst_k


def test_a_block_without_coolant_is_left_out_of_the_margin(week):
    halls = week.timeseries["hall"]
    at = pd.Timestamp("2027-07-28T05:10:00Z")
    hit = (halls["element"] == "gb300-02") & (halls["time"] == at.floor("h"))
    boiled = changed(week, "hall", junction_max_c=halls["junction_max_c"].where(~hit, 120.0))
    trip = pd.DataFrame({"time": [at], "kind": "trip", "element": "gb300-02/b01", "cause": "coolant_unit",
                         "duration_s": 600.0, "detail": NO_FLOW})  # fmt: skip
    told = dataclasses.replace(boiled, events=pd.concat([week.events, trip], ignore_index=True))
    assert thermal.margins(boiled)["margin_k"].min() == pytest.approx(-33.0)
    assert thermal.margins(told)["margin_k"].min() > 0.0
    assert len(thermal.margins(told)) == len(thermal.margins(week)) - 1


def test_a_short_run_of_one_hall_has_no_map():
    day = campus(days=1)
    one = day.timeseries["hall"].query("element == 'gb300-01'")
    pod = Run([dataclasses.replace(day, timeseries=day.timeseries | {"hall": one})])
    assert not document.has(pod, coolant_map.page)
    assert document.has(Run([day]), coolant_map.page)
    assert "coolant-map" in names(coolant_map.page(Run([day])))
    assert "hour that takes most" in water.page(pod).title and cooling.page(pod).figures


def test_few_halls_get_the_hours_of_the_day(week):
    one = week.timeseries["hall"].query("element == 'gb300-01'")
    hall = Run([dataclasses.replace(week, timeseries=week.timeseries | {"hall": one})])
    assert names(coolant_map.page(hall)) == ["coolant-by-hour", "margin-by-hour"]


def test_a_steady_run_is_told_and_not_drawn_as_one_colour(week):
    one = week.timeseries["hall"].query("element == 'gb300-01'")
    still = week.timeseries["loop"].assign(supply_max_c=38.0)
    page = coolant_map.page(Run([dataclasses.replace(week, timeseries=week.timeseries | {"hall": one, "loop": still})]))
    assert names(page) == ["margin-by-hour"]
    assert page.text[1] == "No map of hours is drawn of warmest coolant: 98 % of hours lie within 0.2 K."
    level = one.assign(junction_max_c=60.0)
    steady = Run([dataclasses.replace(week, timeseries=week.timeseries | {"hall": level, "loop": still})])
    assert not document.has(steady, coolant_map.page)


def test_a_folder_of_an_older_version_is_drawn_without_what_it_lacks(week):
    older = changed(week, "loop", setpoint_c=None, mechanical_frac=None)
    racks = week.tables["racks"].drop(columns="throttle_c")
    run = Run([dataclasses.replace(older, tables=week.tables | {"racks": racks})])
    assert "not recorded" in coolant_map.page(run).title
    assert "cooling-modes" not in names(cooling.page(run))


def test_a_run_in_the_dark_has_a_page(week):
    dark = Run([changed(week, "site", it_w=0.0)])
    assert np.isfinite(cooling.working(dark)["usable_it_w"]).all()
    assert cooling.page(dark).title.startswith("PUE is")
