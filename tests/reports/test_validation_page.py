"""The page on measured against simulated: every row, every source, every constant, honest counts."""

import dataclasses

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


def test_every_row_is_listed_with_its_source(week, table):
    _, rows, _, _, sources = frames(page(week))
    assert len(rows) == len(table) and set(rows["Source"]) == {"[1]"}
    assert [s.split(",")[0] for s in sources["Source"]] == ["A paper", "A second paper"]
    by_id = rows.set_index("Row")
    assert by_id.loc["run-b", "Error"] == "−35.0\u00a0%"
    assert by_id.loc["run-c", "Simulated"] == by_id.loc["run-c", "Error"] == "–"
    assert by_id.loc["closed form", "Measured"] == "0.8300"


def test_searched_plans_are_a_topic_of_their_own(week):
    summary = frames(page(week))[0]
    topics = [t for t in summary["Topic"] if t]
    assert topics == ["training", "training (plan searched)", "collective", "goodput"]
    whole = summary.iloc[0]
    assert (whole["On"], whole["Rows"], whole["Not simulated"]) == ("all", 3, 1)
    assert list(summary["On"][1:3]) == ["stack-1, H100", "stack-2, GB200"]


def test_constants_stand_by_stack_and_by_model(week):
    stacks, models = frames(page(week))[2:4]
    assert list(models["Range"]) == ["0.65-0.85"]
    assert list(models["Evidence and meaning"]) == ["assumed: What layers keep."]
    assert list(stacks["Stack"]) == ["stack-1"]
    assert stacks["Constants"][0] == "bf16 0.8 (measured [2])"


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
