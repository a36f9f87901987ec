"""Indicators of routing and distillation against the invented tables they come from."""

import dataclasses

import pytest

from simulator.metrics import distillation, routing
from simulator.results import empty


def value(kpis, name):
    return next(kpi.value for kpi in kpis if kpi.name == name)


def test_requests_by_role(week):
    kpis, streams = routing.kpis(week), week.tables["streams"]
    asked = streams[streams["class"] == "ask"].set_index("role")["arrived"]
    assert value(kpis, "routing.ask.escalated") == pytest.approx(asked["escalation"])
    assert value(kpis, "routing.ask.spilled") == 0.0
    assert value(kpis, "routing.think.spilled") == pytest.approx(
        0.1 * value(kpis, "routing.think.requests"))
    assert value(kpis, "routing.ask.served") == pytest.approx(value(kpis, "routing.ask.requests"))


def test_quality_is_the_mean_of_answers_kept_and_null_where_one_is_unknown(week):
    found = routing.quality(week)
    assert found["ask"] == pytest.approx(0.5 * 0.84 + 0.3 * 0.8 + 0.2 * 0.78)
    assert found["think"] is None
    table = routing.answers(week)
    assert table.groupby("class")["share"].sum().tolist() == pytest.approx([1.0, 1.0])


def test_times_of_all_pools_on_the_way_add_up(week):
    assert routing.latency_s(week)["ask"] == pytest.approx(2.0 + 0.7 * 3.0 + 0.3 * 4.0 + 0.2 * 5.0)
    assert routing.latency_s(week)["think"] == pytest.approx(0.9 * 6.0 + 0.1 * 7.0)


def test_what_pools_cost_is_split_by_work_and_nothing_is_left_over(week):
    table = routing.costs(week)
    hours = week.tables["hours"].groupby("load")["accelerator_hours"].sum()
    for pool, own in table.groupby("pool"):
        assert own["accelerator_hours"].sum() == pytest.approx(hours[pool])
    streams = week.tables["streams"]
    both = streams[streams["pool"] == "reasoning"].set_index("class")
    work = both["served"] * both["work"]
    share = table[table["pool"] == "reasoning"].set_index("class")["accelerator_hours"]
    assert share["ask"] / share["think"] == pytest.approx(work["ask"] / work["think"])


def test_thoughts_and_traces_are_counted_of_those_who_have_them(week):
    kpis = routing.kpis(week)
    streams = week.tables["streams"]
    cut = streams[(streams["class"] == "think") & (streams["role"] == "first")].iloc[0]
    assert value(kpis, "routing.think.thoughts_cut") == pytest.approx(0.15 * cut["served"])
    assert value(kpis, "routing.ask.thoughts_cut") == 0.0
    names = {kpi.name for kpi in kpis}
    assert "routing.think.traces_held" in names
    assert "routing.ask.traces_held" not in names
    written, held = (value(kpis, f"routing.think.traces_{k}") for k in ("written", "held"))
    assert held == pytest.approx(written * 10.0 / 9.0)


def test_flows_by_period_add_up_to_the_run(week):
    daily = routing.flows(week, every="D").groupby(["class", "stage", "pool"])["arrived"].sum()
    whole = routing.flows(week).groupby(["class", "stage", "pool"])["arrived"].sum()
    assert daily.tolist() == pytest.approx(whole.tolist())


def test_a_distillation_pays_back_by_what_was_taken_over(week):
    (row,) = distillation.payback(week).to_dict("records")
    assert row["requests"] == pytest.approx(7500.0 * 3600.0 / 0.25)
    assert row["days"] == pytest.approx(row["requests"] / 300.0 / 86_400.0)
    kpis = distillation.kpis(week)
    saved = value(kpis, "distillation.distil.saved_accelerator_hours")
    assert saved == pytest.approx(row["taken_over"] * 0.25 / 3600.0)
    assert value(kpis, "distillation.distil.paid_back") == pytest.approx(saved / 7500.0)
    assert value(kpis, "distillation.distil.saved_energy") == pytest.approx(
        row["taken_over"] * 260.0 / 3.6e9)


def test_what_an_unfinished_job_costs_is_its_plan(week):
    tables = week.tables | {"distillations": week.tables["distillations"].assign(ready=None)}
    (row,) = distillation.payback(dataclasses.replace(week, tables=tables)).to_dict("records")
    assert row["cost_h"] == pytest.approx(288 * 9e4 / 3600.0)


def test_without_traffic_there_is_nothing_to_say(week):
    names = ("classes", "streams", "routes", "distillations")
    bare = dataclasses.replace(week, tables=week.tables | {n: empty(n) for n in names})
    assert routing.kpis(bare) == []
    assert distillation.kpis(bare) == []
