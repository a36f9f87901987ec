"""Downtime, repairs, crews and spares from the tables of a run."""

import dataclasses

import pytest

from simulator.metrics import fleet, operations
from simulator.metrics.kpis import kpis, summary
from simulator.results import empty


def test_downtime_by_anything_sums_to_down(week):
    down = fleet.hours(week).set_index("category").at["down", "accelerator_hours"]
    for by in ("stage", "cause", "reach", "accelerator", ["cause", "stage"]):
        table = operations.downtime(week, by)
        assert table["accelerator_hours"].sum() == pytest.approx(down, rel=1e-12)
        assert table["accelerator_hours"].is_monotonic_decreasing


def test_time_to_return_is_the_sum_of_its_stages(week):
    table = operations.repairs(week).set_index("cause")
    assert "false_alarm" not in table.index
    assert table.at["gpu", "mttr_h"] == pytest.approx(0.02 + 0.1 + 0.5 + 0.4 + 4.5 + 12.0)
    assert table.at["gpu", "wait_h"] == pytest.approx(0.9)


def test_indicators_weigh_classes_by_their_repairs(week):
    told = kpis(week).set_index("kpi")["value"]
    gpu, feeder = 17.52, 12.62
    assert told["operations.mttr"] == pytest.approx((120 * gpu + 2 * feeder) / 122)
    assert told["operations.repair_wait_mean"] == pytest.approx((120 * 0.9 + 2 * 0.1) / 122)
    assert told["operations.spares_fill_rate"] == pytest.approx(1.0 - 6 / 122)
    assert told["operations.spares_stockouts"] == 6.0
    hours = week.info["duration_s"] / 3600.0
    assert told["operations.crew_utilization"] == pytest.approx((3 * hours + 24) / (6.3 * hours))


def test_stages_add_up_to_what_is_down(week):
    told = kpis(week).set_index("kpi")["value"]
    stages = [value for name, value in told.items() if name.startswith("operations.down_hours.")]
    assert sum(stages) == pytest.approx(told["fleet.hours.down"], rel=1e-12)


def test_without_operations_there_are_no_such_indicators(week):
    bare = week.tables | {name: empty(name) for name in ("repairs", "crews", "spares")}
    names = kpis(dataclasses.replace(week, tables=bare))["kpi"]
    assert not [name for name in names if name.startswith("operations.")]


def test_a_folder_of_an_older_version_still_reads(week):
    new = ("downtime", "repairs", "crews", "spares")
    old = {name: table for name, table in week.tables.items() if name not in new}
    document = summary([dataclasses.replace(week, tables=old)])
    assert "downtime_rel" not in document["checks"]
    assert "operations.mttr" not in document["kpis"]


def test_without_repairs_means_are_null(week):
    none = week.tables | {"repairs": empty("repairs"), "spares": week.tables["spares"].iloc[:0]}
    told = kpis(dataclasses.replace(week, tables=none)).set_index("kpi")["value"]
    assert told["operations.mttr"] is None
    assert told["operations.spares_fill_rate"] is None
