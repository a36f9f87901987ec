"""A report drawn from a run folder says what the report of the run itself said."""

import dataclasses

from simulator.metrics.kpis import dumps, summary
from simulator.reports import document
from simulator.reports.run import Run
from simulator.results import load_tables, save_tables


def test_summary_survives_the_folder(week, tmp_path):
    save_tables([week], tmp_path)
    assert dumps(summary(load_tables(tmp_path))) == dumps(summary([week]))


def test_pages_survive_the_folder(replicates, tmp_path):
    save_tables(replicates, tmp_path)
    again = document.pages(Run(load_tables(tmp_path)))
    assert [page.title for page in again] == [
        page.title for page in document.pages(Run(replicates))
    ]


def test_a_campus_without_jobs_and_pools_survives_the_folder(week, tmp_path):
    without = (
        "waveform", "jobs", "scale", "pools", "latency", "steps", "classes", "streams", "routes",
        "distillations",
    )
    tables = week.tables | {n: week.tables[n].iloc[:0] for n in without}
    series = week.timeseries | {n: week.timeseries[n].iloc[:0] for n in ("job", "pool")}
    save_tables([dataclasses.replace(week, tables=tables, timeseries=series)], tmp_path)
    loaded = load_tables(tmp_path)
    assert "inference.chat-large.requests" not in summary(loaded)["kpis"]
    assert len(document.pages(Run(loaded))) == 15


def test_names_kept_once_are_written_and_told_like_names_in_every_row(week, tmp_path):
    series = {
        level: frame.assign(element=frame["element"].astype("category")) for level, frame in week.timeseries.items()
    }
    once = dataclasses.replace(week, timeseries=series)
    for name, results in (("plain", week), ("once", once)):
        (tmp_path / name).mkdir()
        save_tables([results], tmp_path / name)
    told = [(tmp_path / name / "timeseries.parquet").read_bytes() for name in ("plain", "once")]
    assert told[0] == told[1]
    assert dumps(summary([once])) == dumps(summary([week]))
