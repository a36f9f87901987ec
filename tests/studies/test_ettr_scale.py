"""Effective training time against scale."""

import dataclasses

import pytest

from simulator.reports import comparison, document, goodput
from simulator.reports.run import Run
from simulator.results import SCALE, load_tables, save_tables
from simulator.studies import clockwork
from simulator.studies import ettr_scale as study
from simulator.studies.run import scaled

ONE_S = clockwork.mttf_s(1, 8, 6.5)


@pytest.fixture(scope="module")
def table():
    return study.table(ONE_S, 30.0, 600.0, policy="young").set_index("accelerators")


def test_the_two_formulas_at_a_hundred_thousand(table):
    row = table.loc[100_000]
    assert row["first_order"] == pytest.approx(0.555, abs=5e-4)
    assert row["complete"] == pytest.approx(0.444, abs=5e-4)
    assert row["ettr"] == pytest.approx(0.444, abs=1e-3)
    assert row["interval_s"] == pytest.approx(252.593, abs=0.01)


def test_the_clockwork_is_within_a_hundredth_of_the_complete_model_at_every_scale(table):
    assert (table["ettr"] - table["complete"]).abs().max() < 0.01
    assert (table["high"] - table["low"]).max() < 0.002


def test_everything_falls_with_scale_and_bands_are_in_order(table):
    for column in ("first_order", "complete", "ettr", "interval_s", "mttf_h"):
        assert table[column].is_monotonic_decreasing
    assert (table["p10"] < table["p50"]).all() and (table["p50"] < table["p90"]).all()
    assert (table["first_order"] > table["complete"]).all()


def test_a_run_places_its_own_job_on_the_curve(week):
    jobs = week.tables["jobs"]
    hit = jobs[jobs["interruptions"] > 0]
    found = study.of_results([week])
    assert set(found["job"]) == set(hit["job"])
    for name, rows in found.groupby("job"):
        job = hit.set_index("job").loc[name]
        assert (rows["own_accelerators"] == job["accelerators"]).all()
        assert (rows["own_ettr"] == job["ettr"]).all()
        hours = week.tables["hours"].query("load == @name and category in @study.STOPPED")
        stop_min = hours["accelerator_hours"].sum() / job["accelerators"] * 60.0
        stops = job["interruptions"] + job["planned_stops"] + job["false_alarms"]
        between_min = (job["running_h"] * 60.0 + stop_min) / stops
        assert rows["own_lost_min"].iloc[0] == pytest.approx((1.0 - job["ettr"]) * between_min)
        assert len(rows) == len(study.SCALES)
        apart_h = (job["running_h"] + stop_min / 60.0) / job["interruptions"]
        assert (rows["mttf_h"] * rows["accelerators"]).to_numpy() == pytest.approx(
            apart_h * job["accelerators"])


def test_planned_stops_do_not_grow_with_the_job(week):
    """More of them with as many hours stopped: shorter stops, failures as far apart."""
    more = week.tables["jobs"].assign(planned_stops=100, false_alarms=10)
    found = study.of_results([dataclasses.replace(week, tables=week.tables | {"jobs": more})])
    was = study.of_results([week])
    assert found["mttf_h"].to_numpy() == pytest.approx(was["mttf_h"].to_numpy())
    assert (found["own_lost_min"] < was["own_lost_min"]).all()


def test_a_replicate_without_failures_still_counts_its_running_time(week):
    jobs = week.tables["jobs"]
    calm = jobs.assign(interruptions=0, mttf_h=float("nan"))
    quiet = dataclasses.replace(week, tables=week.tables | {"jobs": calm})
    one, two = study.of_results([week]), study.of_results([week, quiet])
    assert two["mttf_h"].to_numpy() == pytest.approx(2.0 * one["mttf_h"].to_numpy())


def test_a_run_that_was_never_interrupted_has_no_curve(week):
    calm = week.tables["jobs"].assign(interruptions=0)
    none = dataclasses.replace(week, tables=week.tables | {"jobs": calm})
    assert study.of_results([none]).empty
    assert list(study.of_results([none]).columns) == list(SCALE)


def test_a_run_keeps_its_table_and_gets_its_page(replicates, tmp_path):
    run = Run(scaled(replicates))
    assert document.has(run, goodput.page)
    page = goodput.page(run)
    assert page.tables[0].frame["Job"].tolist() == list(run.first.tables["scale"]["job"].unique())
    save_tables(run.results, tmp_path)
    again = load_tables(tmp_path)[-1].tables["scale"]
    assert again.equals(run.first.tables["scale"])
    without = {name: rows for name, rows in run.first.tables.items() if name != "scale"}
    assert not document.has(Run([dataclasses.replace(run.first, tables=without)]), goodput.page)


def test_the_page_names_the_scale_where_the_formula_is_most_wrong(table, tmp_path):
    page = goodput.scale_page(table.reset_index())
    gap = table["first_order"] - table["ettr"]
    assert gap.idxmax() == 262_144
    assert page.title.startswith("At 262,144 accelerators 15.0\xa0% of the time is effective")
    assert page.title.endswith("says 34.9\xa0%")
    assert comparison.write(page, tmp_path)[0].is_file()
