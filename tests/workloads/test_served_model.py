"""Pools and batch work on shared racks: who takes, who gives back, and what is counted."""

from datetime import datetime

import numpy as np
import pytest
from small import load_tree, pod_tree

from simulator import simulation
from simulator.components.failure_class import FailureClass
from simulator.engine.world import Stream
from simulator.metrics import balance
from simulator.simulation import simulate
from simulator.workloads.demand import Demand, hourly_rate

MONDAY = datetime.fromisoformat("2027-07-12T00:00:00-04:00")
NEVER = FailureClass(name="never", per="rack", rate="0 /s", effect="interrupt", repair="1 min")


def tree_of(rate, days=2, batch=True, **pool):
    tree = pod_tree()
    tree["period"] = {"start": "2027-07-12T00:00:00-04:00", "duration": f"{days} d"}
    served = tree["workloads"][0]
    served["most_accelerators"] = 576
    served["demand"] = {"rate": f"{rate} /s", "daily_swing": 0.8, "variability": 0.0}
    served |= pool
    if not batch:
        tree["workloads"].pop()
    return tree


def run(tree, folder, monkeypatch, classes=(NEVER,)):
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: classes)
    return simulate(load_tree(tree, folder))


def hourly(results, level, element):
    rows = results.timeseries[level]
    return rows[rows["element"] == element].reset_index(drop=True)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A pool that needs a few racks by day and hardly any by night; batch work gets the rest."""
    with pytest.MonkeyPatch.context() as patch:
        return run(tree_of(600.0), tmp_path_factory.mktemp("shared"), patch)


def test_the_pool_follows_its_demand(shared):
    pool = hourly(shared, "pool", "llama-3.1-70b")
    row = shared.tables["pools"].iloc[0]
    replicas = pool["accelerators"] // row["replica_accelerators"]
    ahead = pool["arrivals_per_s"].rolling(2, min_periods=1).max()
    enough = replicas * row["capacity_per_replica_s"]
    assert np.all(enough[1:] >= ahead[1:] - 1e-9)
    assert row["shed"] == 0.0
    assert pool["accelerators"].min() < 0.6 * pool["accelerators"].max()
    assert pool["load_frac"].max() <= 0.85
    assert np.all(pool["accelerators"] % 72 == 0.0)


def test_batch_work_gets_what_the_pool_leaves(shared):
    pool = hourly(shared, "pool", "llama-3.1-70b")["accelerators"]
    batch = hourly(shared, "job", "batch.GB300")["accelerators"]
    np.testing.assert_allclose(pool + batch, 576.0)
    assert max(balance.checks(shared).values()) <= 1e-9


def test_requests_are_counted_once_everywhere(shared):
    row = shared.tables["pools"].iloc[0]
    assert row["served"] + row["shed"] + row["queued_end"] == pytest.approx(row["requests"])
    assert row["output_tokens"] == pytest.approx(row["served"] * 220.0)
    assert 0.0 <= row["within_slo"] <= row["served"] * (1 + 1e-12)
    latency = shared.tables["latency"].groupby("quantity")["requests"].sum()
    assert latency["ttft"] == pytest.approx(row["served"])
    assert latency["tpot"] == pytest.approx(row["served"])
    pool = hourly(shared, "pool", "llama-3.1-70b")
    assert pool["arrivals_per_s"].sum() * 3600.0 == pytest.approx(row["requests"])


@pytest.mark.parametrize("rate", [0.5, 3.0])
def test_a_pool_that_needs_less_than_a_rack_gets_one(rate, tmp_path, monkeypatch):
    results = run(tree_of(rate, days=0.25), tmp_path, monkeypatch)
    row = results.tables["pools"].iloc[0]
    assert row["served"] == pytest.approx(row["requests"])
    assert np.all(hourly(results, "pool", "llama-3.1-70b")["accelerators"] == 72.0)


@pytest.mark.parametrize(("least", "most", "held"), [(288, 576, 288.0), (0, 144, 144.0)])
def test_a_pool_stays_within_its_bounds(least, most, held, tmp_path, monkeypatch):
    rate = 1.0 if least else 1e5
    tree = tree_of(rate, days=0.25, least_accelerators=least, most_accelerators=most)
    results = run(tree, tmp_path, monkeypatch)
    assert np.all(hourly(results, "pool", "llama-3.1-70b")["accelerators"] == held)
    row = results.tables["pools"].iloc[0]
    if not least:
        assert row["shed"] > 0.5 * row["requests"]
        limit = held / 8 * row["capacity_per_replica_s"]
        assert row["served"] == pytest.approx(limit * 0.25 * 86_400.0, rel=1e-6)
        assert row["within_slo"] < row["served"]


def test_batch_work_stops_when_its_backlog_is_done(tmp_path, monkeypatch):
    tree = tree_of(0.5, days=1)
    tree["workloads"][1]["backlog"] = "2000 h"
    results = run(tree, tmp_path, monkeypatch)
    held = hourly(results, "job", "batch.GB300")["accelerators"]
    done_h = held.sum()
    assert 2000.0 <= done_h <= 2000.0 + 504.0
    assert held.iloc[0] == 504.0
    assert held.iloc[-1] == 0.0


def test_arriving_batch_work_is_done_at_the_rate_it_arrives(tmp_path, monkeypatch):
    tree = tree_of(0.5, days=4)
    tree["workloads"][1] |= {"backlog": "0 h", "arrival": 100.0}
    results = run(tree, tmp_path, monkeypatch)
    held = hourly(results, "job", "batch.GB300")["accelerators"]
    assert held.sum() == pytest.approx(100.0 * 96.0, abs=504.0)


def test_batch_work_leaves_the_spares_of_a_job_idle(tmp_path, monkeypatch):
    tree = tree_of(0.5, days=0.5)
    tree["workloads"][0] = {
        "kind": "training", "name": "job", "model": "llama-3.1-70b", "accelerator": "GB300",
        "accelerators": 288, "plan": {"tp": 4, "pp": 2, "global_batch_sequences": 288,
                                      "sequence_length": 8192},
        "tokens": 1e15, "checkpoint": {"stall": "5 s", "restart": "60 s"}, "spares": 2,
    }
    results = run(tree, tmp_path, monkeypatch)
    assert np.all(hourly(results, "job", "batch.GB300")["accelerators"] == 144.0)
    assert np.all(hourly(results, "job", "job")["accelerators"] == 288.0)
    hours = results.tables["hours"]
    idle = hours[(hours["load"] == "idle") & (hours["category"] == "idle")]
    assert idle["accelerator_hours"].sum() == pytest.approx(144.0 * 12.0)


def test_broken_racks_are_made_good_from_batch_work(tmp_path, monkeypatch):
    tree = tree_of(600.0, days=2)
    tree["workloads"][0]["demand"]["daily_swing"] = 0.0
    broken = FailureClass(name="rack", per="rack", rate="0.01 /h", effect="rack", repair="24 h")
    results = run(tree, tmp_path, monkeypatch, (broken,))
    assert (results.events["kind"] == "failure").sum() >= 2
    row = results.tables["pools"].iloc[0]
    assert row["served"] > 0.9 * row["requests"]
    assert max(balance.checks(results).values()) <= 1e-9


def demand(**figures):
    return Demand.model_validate({"rate": "100 /s", "variability": 0.0} | figures)


STREAM = Stream(1, 2)


def test_demand_has_its_daily_and_weekly_shape():
    rate = hourly_rate(demand(daily_swing=0.4, peak_hour=15, weekend=0.5), MONDAY, 168, STREAM)
    assert rate.size == 169
    assert rate[:24].mean() == pytest.approx(100.0)
    assert rate[15] == pytest.approx(140.0)
    assert rate[3] == pytest.approx(60.0)
    assert rate[5 * 24 + 15] == pytest.approx(70.0)
    assert rate[168] == pytest.approx(rate[0])


def test_demand_grows_by_the_year():
    rate = hourly_rate(demand(daily_swing=0.0, weekend=1.0, growth=0.5), MONDAY, 8766, STREAM)
    assert rate[-1] / rate[0] == pytest.approx(1.5)


def test_demand_noise_has_its_spread_and_persistence():
    rate = hourly_rate(
        demand(daily_swing=0.0, weekend=1.0, variability=0.2, persistence=0.7), MONDAY, 20_000, STREAM)
    log = np.log(rate / 100.0)
    assert rate.mean() == pytest.approx(100.0, rel=0.02)
    assert log.std() == pytest.approx(0.2, rel=0.05)
    assert np.corrcoef(log[1:], log[:-1])[0, 1] == pytest.approx(0.7, abs=0.03)


def test_the_first_hours_of_demand_are_as_noisy_as_the_rest():
    figures = demand(daily_swing=0.0, weekend=1.0, variability=0.2, persistence=0.9)
    first = [hourly_rate(figures, MONDAY, 1, Stream(k, 7))[0] for k in range(4000)]
    assert np.mean(first) == pytest.approx(100.0, rel=0.012)
    assert np.log(first).std() == pytest.approx(0.2, rel=0.06)
