"""The page on measured against simulated: every row, every source, every constant, honest counts."""

import dataclasses

import pandas as pd
import pytest

from simulator.reports import validation
from simulator.reports.run import Run


@pytest.fixture
def table(week):
    return week.tables["validation"]


def page(week, **tables):
    return validation.page(Run([dataclasses.replace(week, tables=week.tables | tables)]))


def frames(made):
    return [spec.frame for spec in made.tables]


def test_the_finding_counts_what_could_not_be_simulated(week):
    made = page(week)
    assert made.title == (
        "3 published training figures, a compact set, are met with a median error of 20 %, nine in ten within "
        "32 %; 1 could not be simulated"
    )


def test_the_farthest_rows_are_listed_with_their_source(week, table):
    _, rows, sources, _ = frames(page(week))
    assert len(rows) == min(len(table), validation.FARTHEST) and set(rows["Source"]) <= {"[1]", "[2]"}
    assert rows["Error"][0] == rows["Simulated"][0] == "–"
    shown = [abs(float(e.replace("−", "-").split("\u00a0")[0])) for e in rows["Error"][1:] if e != "–"]
    assert shown == sorted(shown, reverse=True)
    assert sources["Source"][0].startswith("A paper")


def test_every_row_keeps_its_source_in_the_data(week, table):
    data = validation.comparison(Run([week])).data
    assert len(data) == len(table) and data["source"].notna().all()


def test_searched_plans_are_a_topic_of_their_own(week):
    summary = frames(page(week))[0]
    topics = [t for t in summary["Topic"] if t]
    assert topics == ["training", "training (plan searched)", "collective", "goodput"]
    whole = summary.iloc[0]
    assert (whole["On"], whole["Rows"], whole["Not simulated"]) == ("all", 3, 1)
    assert list(summary["On"][1:3]) == ["stack-1, H100", "stack-2, GB200"]


def test_parts_of_one_row_are_told_together(week, table):
    own = table[table["topic"] == "training"].iloc[:1]
    many = pd.concat([table, *(own.assign(group=f"stack-{i}, H200") for i in range(3, 6))], ignore_index=True)
    summary = frames(page(week, validation=many))[0]
    assert summary["Rows"][summary["On"].str.contains("one row each")].tolist() == [4]
    assert summary["Rows"].iloc[0] == 6 and "stack-3, H200" not in set(summary["On"])


def test_constants_are_counted_by_stack_and_by_evidence(week):
    rests = frames(page(week))[3].set_index("Of")
    assert rests["Constants"].sum() == len(week.tables["constants"])
    assert rests.loc["stack-1", "Measured"] == 1
    assert rests.loc["the models, for every stack", "Assumed"] == 1


def test_a_table_of_which_nothing_could_be_simulated_still_renders(week, table):
    none = table.assign(simulated=float("nan"), error_pct=float("nan"))
    made = page(week, validation=none)
    assert made.title == "None of 3 published training figures could be simulated"
    assert made.figures[0].fig.axes


def test_shares_reach_what_was_simulated(week):
    _, right = validation.comparison(Run([week])).fig.axes
    lines = {line.get_label(): line for line in right.get_lines()}
    assert lines["training (3)"].get_ydata()[-1] == pytest.approx(200.0 / 3.0)
    assert lines["goodput (1)"].get_ydata()[-1] == 100.0
