"""The page on goodput: steps that connect, shares that add up, stops and recoveries counted."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from simulator.metrics import fleet, training
from simulator.reports import job_hours
from simulator.reports.run import Run

NO_STOPS = dict.fromkeys(training.STOPS, 0)


@pytest.fixture
def run(week):
    return Run([week])


def shares(**given):
    return pd.Series({"useful": 1.0 - sum(given.values()), **given})


def test_steps_lead_from_held_to_kept():
    data = job_hours.waterfall("job", shares(lost_rework=0.1, lost_restart=0.05, lost_queue=0.01)).data
    assert list(data["step"]) == ["held", "repeated work", "restarts", "queueing", "kept as work"]
    lost = data[data["kind"] == "lost"]
    tops = lost["below"] + lost["share"]
    assert np.allclose(tops.to_numpy(), [1.0, *lost["below"].iloc[:-1]])
    assert lost["below"].iloc[-1] == pytest.approx(data["share"].iloc[-1])


def test_many_causes_share_the_last_step():
    given = {f"lost_{i}": 0.01 + 0.001 * i for i in range(job_hours.STEPS + 3)}
    data = job_hours.waterfall("job", shares(**given)).data
    assert len(data) == job_hours.STEPS + 3 and data["step"].iloc[-2] == "other causes"
    assert data.loc[data["kind"] != "held", "share"].sum() == pytest.approx(1.0)


def test_a_job_that_lost_nothing_still_has_its_page():
    data = job_hours.waterfall("job", shares()).data
    assert list(data["share"]) == [1.0, 1.0]


def test_the_page_says_what_the_table_of_hours_says(run, week):
    made = job_hours.page(run)
    hours = fleet.hours(week, by="load")
    own = hours[hours["load"] == "frontier"].set_index("category")["accelerator_hours"]
    kept = made.figures[0].data.set_index("step").at["kept as work", "share"]
    assert kept == pytest.approx(own["useful"] / own.sum())
    assert f"{100 * kept:.1f}" in made.title


def test_stops_are_counted_by_cause(run, week):
    stops = job_hours.page(run).tables[1].frame
    events = week.events
    mine = events[(events["kind"].astype(str) == "interruption") & (events["element"].astype(str) == "frontier")]
    assert len(stops) == min(mine["cause"].nunique(), job_hours.CAUSES + 1)


def test_recoveries_are_told_where_from(run):
    jobs = job_hours.page(run).tables[0].frame.set_index("Job")
    told = jobs.loc["frontier", "Came back"]
    assert "from the memory of other servers" in told and told.count("%") == 3


def test_costs_of_a_stop_are_means_over_stops(week):
    other = week.tables["jobs"].assign(lost_work_mean_s=0.0, **NO_STOPS)
    both = Run([week, dataclasses.replace(week, tables=week.tables | {"jobs": other})])
    alone = job_hours.page(Run([week])).text[0]
    assert "10.7" in alone or "640" in alone
    assert alone.split("; a stop cost")[1] == job_hours.page(both).text[0].split("; a stop cost")[1]


def test_the_page_names_what_stopped_the_job(run, week):
    jobs = week.tables["jobs"].set_index("job")
    failures = jobs.at["frontier", "interruptions"]
    made = job_hours.page(run)
    assert f"stopped {failures + 5:,} times, {failures:,} by failures (one every 6.4" in made.text[0]
    assert "4 planned, 1 by false alarms; a stop cost" in made.text[0]
    row = made.tables[0].frame.set_index("Job").loc["frontier"]
    assert (row["Stops"], row["Of them failures"]) == (f"{failures + 5:,}", f"{failures:,}")


def test_a_job_that_only_plans_stopped_has_no_time_between_failures(week):
    calm = week.tables["jobs"].assign(interruptions=0, false_alarms=0, mttf_h=np.nan)
    text = job_hours.page(Run([dataclasses.replace(week, tables=week.tables | {"jobs": calm})])).text[0]
    assert "stopped 4 times, 0 by failures, 4 planned; a stop cost 10.7" in text


def test_a_folder_of_an_older_version_counts_what_it_has(week):
    old = week.tables["jobs"].drop(columns=["planned_stops", "false_alarms"])
    assert training.stops(old).tolist() == old["interruptions"].tolist()
    page = job_hours.page(Run([dataclasses.replace(week, tables=week.tables | {"jobs": old})]))
    assert "planned" not in page.text[0]


def test_a_run_without_stops_says_so(week):
    quiet = week.tables["jobs"].assign(**NO_STOPS)
    made = job_hours.page(Run([dataclasses.replace(week, tables=week.tables | {"jobs": quiet})]))
    assert "Nothing stopped the job" in made.text[0]
