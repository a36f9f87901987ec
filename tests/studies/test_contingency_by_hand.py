"""Every column of a row against a calculation by hand: one block of a pod on which a job, a served model and
batch work share eight racks."""

import math

import numpy as np
import pytest
from small import load_tree, pod_tree

from simulator.components.power.ride_through import RideThrough
from simulator.engine.rates import YEAR_S
from simulator.simulation import build
from simulator.studies import contingency
from simulator.studies import contingency_moment as moments
from simulator.studies.contingency_cases import Wanted
from simulator.studies.contingency_columns import COLUMNS
from simulator.studies.contingency_summary import summary

RACK = 72.0
SAVED_EVERY_S, STALL_S, RESTART_S = 600.0, 1.0, 300.0
LOAD = 0.75
"""Of the served model: its four racks do what three could."""


def tree(rate_per_s):
    """Return a pod of which the job has the first two racks, the model four, batch work the last two."""
    given = pod_tree()
    served, batch = given["workloads"]
    job = {
        "kind": "training", "name": "job", "model": "llama-3.1-70b", "accelerator": "GB300", "accelerators": 144,
        "plan": {"tp": 4, "pp": 2, "global_batch_sequences": 288, "sequence_length": 8192}, "tokens": 1e15,
        "checkpoint": {"stall": f"{STALL_S} s", "restart": f"{RESTART_S} s", "policy": "fixed",
                       "interval": f"{SAVED_EVERY_S} s"},
    }  # fmt: skip
    demand = {"rate": f"{rate_per_s} /s", "daily_swing": 0.0, "weekend": 1.0, "variability": 0.0}
    given["workloads"] = [job, served | {"demand": demand, "priority": 20, "scaling": {"policy": "fixed"}}, batch]
    given["period"]["duration"] = "4 h"
    return given


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("by_hand")
    first = build(load_tree(tree(1.0), folder), disturbed=False)
    first.advance(600.0)
    replicas = 4 * RACK / 8.0
    given = load_tree(tree(LOAD * replicas * float(first.world.state.pools.capacity_per_s[0])), folder)
    asked = contingency.Asked(1, "2 h", 60, Wanted(("pod/b01", "pod/feeders/1")))
    return contingency.study(given, asked, 1), moments.bring(given, "2 h", 60).run


@pytest.fixture(scope="module")
def block(told):
    table = told[0].table
    return table[(table["case"] == "pod/b01") & (table["class"] == "busway")].iloc[0]


def busway(run):
    return next(cls for cls in run.fleet if cls.name == "busway")


def test_what_is_shed_is_what_the_racks_drew_by_class(block, told):
    drawn_w = told[1].world.state.racks.power_w
    assert block["shed_training_mw"] == pytest.approx(drawn_w[:2].sum() / 1e6, rel=1e-9)
    assert block["shed_inference_mw"] == pytest.approx(drawn_w[2:4].sum() / 1e6, rel=1e-9)
    assert block["shed_batch_mw"] == block["shed_support_mw"] == 0.0  # batch work gives way, its racks go on
    assert block["shed_mw"] == pytest.approx(drawn_w[:4].sum() / 1e6, rel=1e-9)


def test_accelerators_jobs_and_what_is_dark(block):
    assert block["accelerators_lost"] == 4 * RACK and block["dark"] == "1 block"
    assert (block["jobs"], block["severity"], block["out"]) == ("job", "job lost", "busway")


def test_a_pool_that_lacks_a_quarter_of_what_it_needs_misses_in_every_minute(block):
    assert block["slo_minutes"] == 60


def test_loads_are_back_when_the_busway_is_and_the_racks_have_started(block, told):
    rules = RideThrough()
    assert block["repair_s"] == busway(told[1]).repair
    assert block["recovery_s"] == block["repair_s"] + rules.boot + rules.restart
    assert not block["recovered"] and block["back_by"] == "repair"


def test_lost_work_each_time_and_a_year(block, told):
    """The job repeats its work since the last save and restarts, once; two racks of batch work give way to it,
    and the model serves two racks' worth instead of three, until the busway is back; its racks then start."""
    cls, rules = busway(told[1]), RideThrough()
    since_s = (7200.0 - RESTART_S) % (SAVED_EVERY_S + STALL_S)
    once_h = 2 * RACK * (since_s + RESTART_S) / 3600.0
    lasting = 2 * RACK + (4 * LOAD - 2) * RACK
    assert block["lost_hours"] == pytest.approx(once_h + lasting, rel=0.01)
    out_h = cls.repair / 3600.0 * math.exp(0.5 * cls.repair_spread**2)
    starts_h = 2 * RACK * (rules.boot + rules.restart) / 3600.0
    assert block["hours_per_failure"] == pytest.approx(once_h + lasting * out_h + starts_h, rel=0.01)
    assert block["rate_per_year"] == pytest.approx(cls.rate * YEAR_S)
    assert block["state_share"] == 1.0 and block["count"] == 1
    yearly = block["rate_per_year"] * block["hours_per_failure"]
    assert block["hours_per_year"] == block["hours_per_year_all"] == pytest.approx(yearly)


def test_one_of_two_feeders_carries_what_both_did(told):
    table, run = told[0].table, told[1]
    one = table[(table["case"] == "pod/feeders/1")].iloc[0]
    node = next(i for i, node in enumerate(run.world.site.nodes) if node.name == "pod/feeders")
    output_w, rating_w = run.world.state.tree.output_w[node], run.world.site.nodes[node].rating_w
    assert (one["tightest"], one["limit"]) == ("pod/feeders", "rating")
    assert one["pre_loading"] == pytest.approx(output_w / rating_w, rel=1e-9)
    assert one["post_loading"] == pytest.approx(2.0 * one["pre_loading"], rel=1e-2)
    assert one["minutes_over"] == one["seconds_over"] == one["tolerance_used"] == 0.0
    assert np.isnan(one["tolerance_s"]) and one["first_limit"] == "" and one["severity"] == "none"


def test_rows_stand_by_what_they_cost_a_year_and_every_column_has_its_meaning(told):
    table = told[0].table
    assert list(table["hours_per_year"][1:]) == sorted(table["hours_per_year"][1:], reverse=True)
    assert list(table["rank"]) == list(range(len(table)))
    assert list(table.columns) == list(COLUMNS) == list(summary(table, told[0].told)["columns"])
