"""Measured against simulated: the contract's document, errors in the row's unit, no row lost."""

import json
import math

import numpy as np
import pytest

from simulator.studies.validate import study
from simulator.studies.validate.table import Row
from simulator.studies.validate.topic import (
    Simulated,
    Topic,
    count,
    in_unit,
    number,
    topic,
    topics,
)


def answer(row):
    """Return what the row's `says` cell says, for rows of a topic that needs no model."""
    if row["says"] == "nothing":
        raise ValueError("it does not fit")
    if row["says"] == "defect":
        raise TypeError("of the code")
    return Simulated(float(row["says"]), row.get("plan") == "searched", row.get("note", ""))


@pytest.fixture
def rows(monkeypatch):
    known = study.topic
    made = Topic(answer, "time")
    monkeypatch.setattr(study, "topic", lambda name: made if name == "test" else known(name))

    def make(*cells):
        return [
            Row("t.csv", line, {"topic": "test", "unit": "s", **row}, row.get("measured", 10.0))
            for line, row in enumerate(cells, 2)
        ]

    return make


def test_the_document_is_the_contracts_to_the_letter(rows):
    document = study.as_json(study.validate(rows({"says": "11"}, {"says": "nothing"})))
    assert list(document) == ["rows", "topics"]
    keys = ["topic", "id", "quantity", "unit", "measured", "simulated", "error_pct", "reason"]
    assert [list(row)[:8] for row in document["rows"]] == [keys] * 2
    assert list(document["topics"]) == ["test"]
    stats = ["n", "n_failed", "median_abs_error_pct", "p90_abs_error_pct"]
    assert list(document["topics"]["test"]) == stats
    json.dumps(document, allow_nan=False)


def test_error_is_relative_to_measured_and_null_where_nothing_is_simulated(rows):
    table = study.validate(rows({"says": "11"}, {"says": "8"}, {"says": "nothing"}))
    assert list(table["error_pct"][:2]) == pytest.approx([10.0, -20.0])
    assert table.loc[2, "simulated"] is None and table.loc[2, "error_pct"] is None
    assert table.loc[2, "reason"] == "it does not fit" and table.loc[0, "reason"] is None


def test_quantity_and_unit_are_the_rows_or_the_topics(rows):
    table = study.validate(rows({"says": "1"}, {"says": "1", "quantity": "bytes", "unit": "GB"}))
    assert list(table["quantity"]) == ["time", "bytes"] and list(table["unit"]) == ["s", "GB"]


@pytest.mark.parametrize("says", ["nothing", "defect", "nan", "inf"])
def test_a_row_that_cannot_be_simulated_costs_no_other(rows, says):
    table = study.validate(rows({"says": "1"}, {"says": says}, {"says": "3"}))
    assert len(table) == 3 and list(table["simulated"]) == [1.0, None, 3.0]
    assert table.loc[1, "reason"]


def test_an_unknown_topic_is_a_reason_with_the_nearest_name(rows):
    (record,) = study.validate(rows({"topic": "trainig", "says": ""})).to_dict("records")
    assert "no topic 'trainig' (did you mean 'training'" in record["reason"]
    assert record["simulated"] is None


@pytest.mark.parametrize("measured", [None, 0.0])
def test_without_a_measurement_there_is_a_value_but_no_error(rows, measured):
    table = study.validate(rows({"says": "7", "measured": measured}))
    assert table.loc[0, "simulated"] == 7.0 and table.loc[0, "error_pct"] is None
    stats = study.summary(table).loc[0]
    assert stats["n"] == 1 and stats["n_failed"] == 0 and stats["median_abs_error_pct"] is None


def test_rows_whose_plan_was_searched_are_marked_and_summarised_apart(rows):
    table = study.validate(rows({"says": "11"}, {"says": "15", "plan": "searched", "note": "tp 8"}))
    assert list(table["searched"]) == [False, True] and table.loc[1, "note"] == "tp 8"
    found = study.as_json(table)["topics"]
    assert found["test"]["n"] == 1 and found["test"]["median_abs_error_pct"] == pytest.approx(10)
    assert found["test (plan searched)"]["median_abs_error_pct"] == pytest.approx(50)


def test_summary_counts_failures_and_takes_absolute_errors(rows):
    says = ["9", "11", "12", "nothing"]
    stats = study.summary(study.validate(rows(*({"says": s} for s in says)))).loc[0]
    assert (stats["n"], stats["n_failed"]) == (4, 1)
    assert stats["median_abs_error_pct"] == pytest.approx(10.0)
    assert stats["p90_abs_error_pct"] == pytest.approx(np.percentile([10, 10, 20], 90))


def test_groups_are_stack_and_chip(rows):
    cells = {"says": "10", "stack": "s", "accelerator": "c"}
    table = study.validate(rows(cells, cells | {"stack": "r"}, {"says": "10"}))
    assert list(table["group"]) == ["s, c", "r, c", ""]
    assert list(study.summary(table, ("topic", "group"))["n"]) == [1, 1, 1]


def test_no_rows_make_an_empty_document():
    assert study.as_json(study.validate([])) == {"rows": [], "topics": {}}


def test_progress_is_told_row_by_row(rows):
    told = []
    study.validate(rows({"says": "1"}, {"says": "2"}), told.append)
    assert told == [1, 2]


# Topics and cells


def test_every_module_with_a_simulation_is_a_topic():
    assert {"training", "goodput", "serving_load"} <= topics().keys()
    assert not {"table", "study", "topic"} & topics().keys()
    assert topic("training").quantity == "step_time"


@pytest.mark.parametrize("name", ["", "study", "no.such", "../x", "größe"])
def test_what_is_no_topic_is_refused(name):
    with pytest.raises(KeyError, match="no topic"):
        topic(name)


@pytest.mark.parametrize("cell", ["", "x", "nan", "-1", "inf"])
def test_a_cell_that_is_no_number_is_told_by_its_column(cell):
    with pytest.raises(ValueError, match="tp is"):
        number({"tp": cell}, "tp")


def test_counts_are_whole_and_blanks_take_the_default():
    assert count({"tp": "8.0"}, "tp") == 8 and count({}, "tp", 2) == 2
    for cell in ("0", "1.5"):
        with pytest.raises(ValueError, match="whole number"):
            count({"tp": cell}, "tp")


def test_values_are_given_in_the_rows_unit():
    assert in_unit(0.25, "s", {"unit": "ms"}) == pytest.approx(250.0)
    assert in_unit(7200.0, "s", {"unit": "h"}) == pytest.approx(2.0)
    assert in_unit(5.0, "tokens/s", {"unit": "tokens/s"}) == 5.0
    assert in_unit(5.0, "s", {}) == 5.0
    with pytest.raises(ValueError, match="W"):
        in_unit(5.0, "s", {"unit": "W"})
    assert not math.isnan(in_unit(1.0, "1", {"unit": "1"}))
