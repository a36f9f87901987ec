"""Pools of a run beside each other: scaling by policy, chips by priority, spill, cold starts."""

import numpy as np
import pytest
from small import load_tree, pod_tree

from simulator import simulation
from simulator.components.failure_class import FailureClass
from simulator.engine import state
from simulator.metrics import balance, kpis
from simulator.metrics import inference as inference_metrics
from simulator.simulation import simulate
from simulator.workloads import inference, pools

NEVER = FailureClass(name="never", per="rack", rate="0 /s", effect="interrupt", repair="1 min")
FLAT = {"daily_swing": 0.0, "weekend": 1.0, "variability": 0.0}


def run(folder, monkeypatch, *pools, hours=8, classes=(NEVER,)):
    """Run the pod with pools, each the changes to its own; no batch work."""
    tree = pod_tree()
    tree["period"] = {"start": "2027-07-12T00:00:00-04:00", "duration": f"{hours} h"}
    served = tree["workloads"][0] | {"most_accelerators": 576}
    tree["workloads"] = [served | pool for pool in pools]
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: classes)
    return simulate(load_tree(tree, folder))


def pool(name, rate, **changes):
    return {"name": name, "demand": {"rate": f"{rate} /s", **FLAT}, **changes}


def hourly(results, name):
    rows = results.timeseries["pool"]
    return rows[rows["element"] == name].reset_index(drop=True)


def capacity_of(results, name):
    """Return the requests/s of one accelerator."""
    row = results.tables["pools"].set_index("pool").loc[name]
    return row["capacity_per_replica_s"] / row["replica_accelerators"]


def test_the_pool_of_higher_priority_gets_the_chips_both_want(tmp_path, monkeypatch):
    results = run(
        tmp_path, monkeypatch,
        pool("low", 1e5, priority=10, least_accelerators=72), pool("high", 1e5, priority=20),
    )  # fmt: skip
    assert np.all(hourly(results, "high")["accelerators"] == 504.0)
    assert np.all(hourly(results, "low")["accelerators"] == 72.0)
    assert max(balance.checks(results).values()) <= 1e-9


def test_priority_takes_no_more_than_is_wanted_and_says_so(tmp_path, monkeypatch):
    table = [{"hour": 0, "accelerators": 72}, {"hour": 3, "accelerators": 288}]
    results = run(
        tmp_path, monkeypatch,
        pool("low", 1e5, priority=10),
        pool("high", 1.0, priority=20, scaling={"policy": "schedule", "schedule": table}),
    )  # fmt: skip
    held = {name: hourly(results, name)["accelerators"].to_numpy() for name in ("low", "high")}
    assert held["low"][0] == 504.0
    assert held["high"][-1] == 288.0
    assert held["low"][-1] == 288.0
    taken = results.events[results.events["kind"] == "racks_taken"]
    assert taken["element"].tolist() == ["low"]
    assert taken["cause"].tolist() == ["high"]
    row = results.tables["pools"].set_index("pool").loc["low"]
    assert row["retried"] == row["lost"] == 0.0


@pytest.mark.parametrize("order", [1, -1])
def test_equal_priorities_take_nothing_from_each_other(order, tmp_path, monkeypatch):
    pools = [pool("a", 1e5), pool("b", 1e5)][::order]
    results = run(tmp_path, monkeypatch, *pools, hours=4)
    first = pools[0]["name"]
    assert np.all(hourly(results, first)["accelerators"] == 576.0)


def test_a_fixed_pool_holds_what_it_may(tmp_path, monkeypatch):
    results = run(
        tmp_path, monkeypatch,
        pool("chat", 1.0, most_accelerators=288, scaling={"policy": "fixed"}), hours=3,
    )  # fmt: skip
    assert np.all(hourly(results, "chat")["accelerators"] == 288.0)


def test_reactive_scaling_follows_what_came(tmp_path, monkeypatch):
    demand = {"rate": "600 /s", "daily_swing": 0.8, "weekend": 1.0, "variability": 0.0}
    changes = {"demand": demand, "scaling": {"policy": "reactive", "every": "10 min"}}
    results = run(tmp_path, monkeypatch, pool("chat", 1.0) | changes, hours=24)
    rows, row = hourly(results, "chat"), results.tables["pools"].iloc[0]
    assert rows["accelerators"].max() > rows["accelerators"].min()
    assert row["shed"] == 0.0
    assert np.corrcoef(rows["arrivals_per_s"], rows["accelerators"])[0, 1] > 0.9


def test_a_full_pool_spills_to_the_one_named_for_it(tmp_path, monkeypatch):
    held = {"most_accelerators": 72, "scaling": {"policy": "fixed"}}
    tried = run(tmp_path, monkeypatch, pool("a", 1.0, **held), hours=1)
    limit = 72.0 * capacity_of(tried, "a")
    results = run(
        tmp_path, monkeypatch,
        pool("a", 1.5 * limit, **held, spill={"to": "b"}),
        pool("b", 0.1 * limit, **(held | {"most_accelerators": 144})), hours=6,
    )  # fmt: skip
    table = results.tables["pools"].set_index("pool")
    a, b = table.loc["a"], table.loc["b"]
    assert a["spilled"] == pytest.approx(0.5 * limit * 6 * 3600.0, rel=0.01)
    assert b["received"] == pytest.approx(a["spilled"])
    assert a["shed"] == pytest.approx(0.0, abs=0.01 * a["spilled"])
    outcomes = table[["served", "shed", "lost", "queued_end"]].to_numpy().sum()
    assert balance.checks(results)["request_balance_rel"] <= 1e-9
    assert outcomes == pytest.approx(table["requests"].sum(), rel=1e-12)
    assert b["served"] == pytest.approx(b["requests"] + a["spilled"] - b["queued_end"], rel=1e-9)
    assert hourly(results, "b")["received_per_s"].iloc[2] == pytest.approx(0.5 * limit, rel=1e-6)


def test_what_spilled_counts_where_it_arrived(tmp_path, monkeypatch):
    held = {"most_accelerators": 72, "scaling": {"policy": "fixed"}}
    limit = 72.0 * capacity_of(run(tmp_path, monkeypatch, pool("a", 1.0, **held), hours=1), "a")
    wide, full = held | {"most_accelerators": 288}, held | {"ttft_limit": "20 s", "patience": "6 s"}
    alone = run(tmp_path, monkeypatch, pool("a", 1.6 * limit, **full), hours=4)
    results = run(
        tmp_path, monkeypatch, pool("a", 1.6 * limit, **full, spill={"to": "b"}),
        pool("b", 0.4 * limit, **wide), pool("c", 0.4 * limit, **wide), hours=4,
    )  # fmt: skip
    table = results.tables["pools"].set_index("pool")
    a, b, c = (table.loc[name] for name in "abc")
    assert b["received"] > 0.3 * a["requests"]
    assert a["served"] < 0.65 * a["requests"]
    elsewhere = a["within_slo"] - alone.tables["pools"].iloc[0]["within_slo"]
    assert elsewhere == pytest.approx(a["spilled"], rel=0.02)
    told = inference_metrics.attainment(results).set_index("pool")["slo_attainment_frac"]
    assert told["a"] == pytest.approx(a["within_slo"] / a["requests"]) and told.max() <= 1.0
    assert b["within_slo"] == pytest.approx(c["within_slo"], rel=0.02)
    assert b["within_slo"] <= b["requests"]
    assert kpis.kpis(results).set_index("kpi")["value"][
        "inference.a.slo_attainment"] == pytest.approx(told["a"])


def test_requests_longer_than_the_context_are_rejected_and_counted(tmp_path, monkeypatch):
    results = run(
        tmp_path, monkeypatch,
        pool("old", 100.0, model="llama-2-70b", tensor_parallel=4, input_tokens=1500,
             output_tokens=400), hours=2,
    )  # fmt: skip
    row, rows = results.tables["pools"].iloc[0], hourly(results, "old")
    served = load_tree(pod_tree(), tmp_path).spec.workloads[0].model_copy(update={
        "model": "llama-2-70b", "input_tokens": 1500.0, "output_tokens": 400.0, "tensor_parallel": 4,
        "accelerator": "GB300"})
    asked, given = inference.lengths(served, np.random.default_rng(0).uniform(size=(2, 100_000)))
    long = float((asked + given > 4096).mean())
    assert row["rejected"] == pytest.approx(long * row["requests"], rel=0.03)
    assert row["served"] == pytest.approx((1.0 - row["rejected"] / row["requests"]) * row["requests"])
    np.testing.assert_allclose(rows["rejected_per_s"], rows["arrivals_per_s"] - rows["served_per_s"])
    told = kpis.kpis(results).set_index("kpi")["value"]
    assert told["inference.old.unserved"] == told["inference.old.rejected"] == row["rejected"]
    assert told["inference.old.slo_attainment"] < 1.0 - long + 0.01
    assert balance.checks(results)["request_balance_rel"] <= 1e-9


def test_a_request_that_gets_lost_shows(tmp_path, monkeypatch):
    sound = state.build

    def build(*arguments):
        built = sound(*arguments)
        built.pools.queue[0, 0] = -1.0  # one that arrives is never served
        return built

    monkeypatch.setattr(state, "build", build)
    results = run(tmp_path, monkeypatch, pool("chat", 1.0), hours=1)
    lost = balance.checks(results)["request_balance_rel"]
    assert lost == pytest.approx(1.0 / results.tables["pools"].iloc[0]["requests"])
    assert lost > 1e-4


def test_replicas_that_load_weights_serve_nothing_yet(tmp_path, monkeypatch):
    table = [{"hour": 0, "accelerators": 72}, {"hour": 2, "accelerators": 576}]
    changes = {
        "scaling": {"policy": "schedule", "schedule": table},
        "cold_start": {"start_up": "30 min"},
    }
    results = run(tmp_path, monkeypatch, pool("chat", 1e5, **changes), hours=4)
    rows = hourly(results, "chat")
    assert rows["loading"].iloc[1] == 0.0
    assert rows["loading"].iloc[2] == pytest.approx(504.0 * 31 / 60, rel=0.05)
    assert rows["capacity_per_s"].iloc[3] == pytest.approx(8.0 * rows["capacity_per_s"].iloc[1])
    hours = results.tables["hours"].set_index(["load", "category"])["accelerator_hours"]
    assert hours["chat", "lost_restart"] == pytest.approx(504.0 * 0.5, rel=0.05)
    assert max(balance.checks(results).values()) <= 1e-9


def test_a_cold_start_is_the_weights_over_the_bandwidth_and_the_start_up(tmp_path):
    tree = pod_tree()
    tree["workloads"][0]["cold_start"] = {"bandwidth": "1 GB/s", "start_up": "10 s"}
    served = load_tree(tree, tmp_path).spec.workloads[0]
    weights_s = pools.cold_start_s(served) - 10.0
    assert weights_s == pytest.approx(70.6e9 / served.tensor_parallel / 1e9, rel=0.05)


@pytest.mark.parametrize(("answer", "column"), [("retry", "retried"), ("lose", "lost")])
def test_failures_strike_the_requests_in_their_replicas(answer, column, tmp_path, monkeypatch):
    broken = FailureClass(name="rack", per="rack", rate="0.05 /h", effect="rack", repair="1 h")
    results = run(
        tmp_path, monkeypatch,
        pool("chat", 500.0, on_failure=answer, scaling={"policy": "fixed"}),
        hours=24, classes=(broken,),
    )  # fmt: skip
    row = results.tables["pools"].iloc[0]
    assert (results.events["kind"] == "failure").sum() >= 2
    assert row[column] > 0.0
    assert row["retried"] + row["lost"] == row[column]
    total = row[["served", "shed", "lost", "queued_end"]].sum()
    assert total == pytest.approx(row["requests"], rel=1e-12)
    assert max(balance.checks(results).values()) <= 1e-9


def test_a_failure_takes_capacity(tmp_path, monkeypatch):
    broken = FailureClass(name="rack", per="rack", rate="0.02 /h", effect="rack", repair="500 h")
    results = run(
        tmp_path, monkeypatch, pool("chat", 1e5, scaling={"policy": "fixed"}), hours=24,
        classes=(broken,),
    )  # fmt: skip
    rows = hourly(results, "chat")
    per_chip = capacity_of(results, "chat")
    assert rows["accelerators"].iloc[-1] < 576.0
    assert rows["capacity_per_s"].iloc[-1] == pytest.approx(
        rows["accelerators"].iloc[-1] * per_chip, rel=0.01)


def test_longer_answers_are_more_work_and_shorter_ones_less(tmp_path):
    served = load_tree(pod_tree(), tmp_path).spec.workloads[0]
    same = inference.work_frac(served, served.input_tokens, served.output_tokens)
    double = inference.work_frac(served, served.input_tokens, 2.0 * served.output_tokens)
    half = inference.work_frac(served, served.input_tokens, 0.5 * served.output_tokens)
    assert same == pytest.approx(1.0, rel=1e-12)
    assert half < 1.0 < double < 2.0
    longer = inference.surface_of(
        served.model_copy(update={"output_tokens": 2.0 * served.output_tokens}))
    rated = inference.surface_of(served).capacity_requests_s / longer.capacity_requests_s
    assert double == pytest.approx(rated, rel=0.05)


def test_clocks_bind_prompts_more_than_answers(tmp_path):
    served = load_tree(pod_tree(), tmp_path).spec.workloads[0]
    reads = served.model_copy(update={"input_tokens": 4000.0, "output_tokens": 20.0})
    writes = served.model_copy(update={"input_tokens": 100.0, "output_tokens": 1000.0})
    assert 0.0 < inference.clock_bound_frac(writes) < inference.clock_bound_frac(reads) <= 1.0


@pytest.mark.parametrize(("priority", "held"), [(40, (0.0, 288.0)), (20, (144.0, 144.0))])
@pytest.mark.parametrize(("cause", "element"), [("busway", "pod/b01"), ("coolant_unit", "pod/b01/cdu 1")])
def test_racks_that_are_left_go_by_priority_whatever_took_the_others(cause, element, priority, held, tmp_path):
    """A block with two racks of a job and two of a pool is lost; batch work holds the last two."""
    tree = pod_tree()
    served, batch = tree["workloads"]
    job = {
        "kind": "training", "name": "job", "model": "llama-3.1-70b", "accelerator": "GB300", "accelerators": 144,
        "plan": {"tp": 4, "pp": 2, "global_batch_sequences": 288, "sequence_length": 8192},
        "tokens": 1e15, "checkpoint": {"stall": "1 s", "restart": "5 min", "policy": "fixed", "interval": "10 min"},
    }  # fmt: skip
    scaling = {"policy": "fixed", "every": "1 h"}
    tree["workloads"] = [job, served | pool("served", 1.0, priority=priority, scaling=scaling), batch]
    tree["period"]["duration"] = "4 h"
    tree |= {"reliability": {"rate_scale": 0},
             "incidents": [{"cause": cause, "element": element, "at": "2 h", "lasts": "20 h"}]}  # fmt: skip
    results = simulate(load_tree(tree, tmp_path))
    jobs = results.timeseries["job"]
    last = jobs[jobs["element"] == "job"].iloc[-1]
    assert (last["accelerators"], hourly(results, "served")["accelerators"].iloc[-1]) == held
    assert last["productive_frac"] == pytest.approx(1.0 if priority == 20 else 0.0, abs=0.01)
    assert max(balance.checks(results).values()) <= 1e-9
