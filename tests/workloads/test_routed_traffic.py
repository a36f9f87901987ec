"""Traffic on the pod: what the router sends where, what it costs the pools, what is counted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from small import load_tree, pod_tree

from simulator import simulation
from simulator.components.failure_class import FailureClass
from simulator.metrics import balance, routing
from simulator.simulation import simulate
from simulator.workloads import ServedModel, Traffic
from simulator.workloads.route_plan import AFTER, BEFORE, plan_of
from simulator.workloads.routed_requests import cost_of, quality_of, request_of, written_tokens

NEVER = FailureClass(name="never", per="rack", rate="0 /s", effect="interrupt", repair="1 min")
POOL = {
    "kind": "inference", "accelerator": "GB300", "weight_precision": "fp8", "input_tokens": 1000,
    "output_tokens": 200, "ttft_limit": "2 s", "tpot_limit": "50 ms", "most_accelerators": 216,
}  # fmt: skip
SMALL = POOL | {"name": "small", "model": "llama-3.1-8b", "tensor_parallel": 1}
LARGE = POOL | {"name": "large", "model": "llama-3.1-70b", "tensor_parallel": 4}
THINKER = POOL | {"name": "thinker", "model": "gpt-oss-20b", "tensor_parallel": 1,
                  "weight_precision": "fp4", "output_tokens": 2000}  # fmt: skip
ASK = {"name": "ask", "task": "talk", "input_tokens": 800, "output_tokens": 150,
       "demand": {"rate": "300 /s", "daily_swing": 0.5, "variability": 0.0}}  # fmt: skip
CASCADE = {"kind": "cascade", "order": ["small", "large"]}
TABLES = {
    "quality": {"talk": {"small": 0.7, "large": 0.9, "thinker": 0.8}},
    "quality_cut": {"talk": {"thinker": 0.5}},
    "escalation": {"talk": {"small": {"share": 0.3, "kept": 0.85, "passed": 0.75}}},
}


def traffic(router, *classes, **more):
    made = {"kind": "traffic", "name": "door", "router": router,
            "classes": [ASK | c for c in classes or ({},)]}  # fmt: skip
    return made | TABLES | more


def tree_of(*workloads, days=0.5):
    """Return the pod with these pools and traffic, whose tables keep to the pools there are."""
    tree, names = pod_tree(), {work["name"] for work in workloads}
    tree["workloads"] = [
        work | {
            key: {task: {n: v for n, v in row.items() if n in names} for task, row in work[key].items()}
            for key in TABLES if key in work
        }
        for work in workloads
    ]
    tree["period"] = {"start": "2027-07-12T06:00:00-04:00", "duration": f"{days} d"}
    return tree


def run(tree, folder, monkeypatch, classes=(NEVER,)):
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: classes)
    results = simulate(load_tree(tree, folder))
    outcome = results.tables["classes"].set_index("class")
    ended = outcome[["served", "shed", "lost", "waiting", "rejected"]].sum(axis=1)
    np.testing.assert_allclose(ended, outcome["arrived"].astype(float), rtol=1e-9)
    assert max(balance.checks(results).values()) <= 1e-9
    return results, outcome


def plan(router, *classes, pools=(SMALL, LARGE, THINKER), **more):
    specs = [TypeAdapter(ServedModel).validate_python(pool) for pool in pools]
    return plan_of([TypeAdapter(Traffic).validate_python(traffic(router, *classes, **more))], specs)


# Streams


def test_a_cascade_with_moderation_has_four_stages_in_a_row():
    made = plan(CASCADE, {"moderation": {"pool": "thinker"}})
    assert [stage.label for stage in made.stages] == [BEFORE, "answer 1", "answer 2", AFTER]
    assert made.after == [1, 2, -1, -1]
    assert made.kept == [-1, 3, 3, -1]
    assert [stage.begins for stage in made.stages] == [True, False, False, False]
    before, *_, after = made.streams
    assert (before.input_tokens, before.output_tokens) == (800.0, 6.0)
    assert after.input_tokens == 800.0 + 150.0
    assert after.work > before.work


def test_classes_of_higher_priority_are_routed_first():
    made = plan(CASCADE, {}, {"name": "urgent", "priority": 5}, {"name": "third"})
    assert [cls.spec.name for cls in made.classes] == ["urgent", "ask", "third"]


def test_a_student_is_one_more_stream_of_the_first_stage():
    spec = TypeAdapter(Traffic).validate_python(traffic(CASCADE))
    pools = [TypeAdapter(ServedModel).validate_python(p) for p in (SMALL, LARGE, THINKER)]
    made = plan_of([spec], pools, {"ask": "thinker"})
    assert [(s.stage, s.role) for s in made.streams] == [
        (0, "first"), (0, "student"), (1, "escalation")]


def test_a_request_of_the_pools_own_lengths_is_one_unit_of_work():
    pool = TypeAdapter(ServedModel).validate_python(LARGE)
    work, accelerator_s, energy_j = cost_of(pool, 1000.0, 200.0)
    assert work == pytest.approx(1.0)
    assert 0.0 < energy_j < accelerator_s * 1500.0
    assert 1.2 < cost_of(pool, 1000.0, 400.0)[0] < 2.0


# Quality and reasoning


def test_only_reasoning_models_think_and_a_budget_bounds_it():
    thinking = {"reasoning": {"tokens": 3000, "budget": 2000}}
    made = plan({"kind": "by_cost"}, thinking)
    cls = made.classes[0].spec
    small, _, thinker = made.pools
    assert written_tokens(cls, small) == 150.0
    assert 150.0 + 1000.0 < written_tokens(cls, thinker) < 150.0 + 2000.0


def test_what_a_budget_cuts_has_the_users_quality_of_cut_answers():
    (cls,) = plan({"kind": "by_cost"}, {"reasoning": {"tokens": 3000, "budget": 2000}}).classes
    pools = plan({"kind": "by_cost"}).pools
    table = request_of(cls.traffic, cls.spec, pools).quality
    cut = plan({"kind": "by_task", "pools": {"talk": "thinker"}},
               {"reasoning": {"tokens": 3000, "budget": 2000}}).streams[0]  # fmt: skip
    assert table[:2] == (0.7, 0.9)
    assert table[2] == pytest.approx(0.8 - 0.3 * cut.cut_frac)
    assert cut.quality == pytest.approx(table[2])
    assert quality_of(cls.traffic.model_copy(update={"quality_cut": {}}), cls.spec, pools[2]) is None


@settings(max_examples=20, deadline=None)
@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_cascades_answers_have_the_quality_of_its_table(share, kept, passed):
    entry = {"share": share, "kept": kept, "passed": passed}
    made = plan(CASCADE, escalation={"talk": {"small": entry}})
    assert [s.quality for s in made.streams] == [kept, passed]
    assert made.classes[0].request.passed_on == (share, 0.0, 0.0)


# On the campus


def test_both_models_of_a_cascade_pay_and_their_times_add_up(tmp_path, monkeypatch):
    results, outcome = run(tree_of(SMALL, LARGE, traffic(CASCADE)), tmp_path, monkeypatch)
    streams = results.tables["streams"].set_index("pool")
    assert outcome.at["ask", "shed"] == 0.0
    assert streams.at["small", "served"] == pytest.approx(outcome.at["ask", "arrived"])
    assert streams.at["large", "arrived"] == pytest.approx(
        0.3 * streams.at["small", "served"], rel=0.01)
    paid = routing.costs(results).set_index("pool")
    hours = results.tables["hours"].groupby("load")["accelerator_hours"].sum()
    for pool in ("small", "large"):
        assert paid.at[pool, "accelerator_hours"] == pytest.approx(hours[pool])
    tables = results.tables["routes"].groupby("stream")
    each = tables.apply(lambda t: np.average(t["latency_s"], weights=t["served"] + 1e-9))
    assert routing.latency_s(results)["ask"] == pytest.approx(each[0] + 0.3 * each[1], rel=0.01)
    assert routing.quality(results)["ask"] == pytest.approx(0.7 * 0.85 + 0.3 * 0.75, abs=1e-3)


def test_requests_of_other_lengths_take_other_replicas(tmp_path, monkeypatch):
    """Answers five times as long hold at least twice the racks, which come whole."""
    router = {"kind": "by_task", "pools": {"talk": "large"}}
    held = []
    for output in (200, 1000):
        demand = {"rate": "700 /s", "daily_swing": 0.0, "variability": 0.0}
        cls = {"input_tokens": 1000, "output_tokens": output, "demand": demand}
        large = LARGE | {"most_accelerators": 576}
        results, _ = run(tree_of(large, traffic(router, cls)), tmp_path, monkeypatch)
        pool = results.timeseries["pool"]
        held.append(pool["accelerators"].mean())
        assert pool["load_frac"].max() <= 0.81
        tokens = results.tables["pools"]["output_tokens"].sum()
        assert tokens == pytest.approx(results.tables["pools"]["served"].sum() * output)
    assert held[1] >= 2.0 * held[0]


def test_spill_fills_the_second_pool_when_the_first_is_at_its_most(tmp_path, monkeypatch):
    router = {"kind": "spill", "order": ["large", "small"], "threshold": 0.9}
    demand = {"rate": "2000 /s", "daily_swing": 0.0, "variability": 0.0}
    large = LARGE | {"most_accelerators": 72, "target_load": 0.95}
    cls = {"input_tokens": 1000, "output_tokens": 200, "demand": demand}
    results, outcome = run(tree_of(large, SMALL, traffic(router, cls)), tmp_path, monkeypatch)
    row = results.tables["pools"].set_index("pool").loc["large"]
    pool = results.timeseries["pool"]
    load = pool.loc[pool["element"] == "large", "load_frac"]
    assert load.max() == pytest.approx(0.9, rel=0.01)
    most = 0.9 * 72 / 4 * row["capacity_per_replica_s"]
    assert row["served"] == pytest.approx(most * 0.5 * 86_400.0, rel=0.01)
    assert outcome.at["ask", "shed"] == 0.0


def test_spill_follows_a_failure_within_its_interval(tmp_path, monkeypatch):
    """A third of the preferred pool is down from hour 3 on: the next decision sends it elsewhere."""
    router = {"kind": "spill", "order": ["large", "small"]}
    demand = {"rate": "900 /s", "daily_swing": 0.0, "variability": 0.0}
    large = LARGE | {"most_accelerators": 216, "least_accelerators": 216}
    tree = tree_of(large, SMALL, traffic(router, {"demand": demand}, interval="5 min"), days=0.25)
    broken = FailureClass(name="rack", per="rack", rate="0.2 /h", effect="rack", repair="24 h")
    results, outcome = run(tree, tmp_path, monkeypatch, (broken,))
    assert (results.events["kind"] == "failure").sum() >= 3
    assert outcome.at["ask", "served"] > 0.97 * outcome.at["ask", "arrived"]


def test_a_tenants_pool_serves_nobody_else(tmp_path, monkeypatch):
    own = LARGE | {"name": "banks", "tenant": "bank"}
    bank = {"name": "bank", "tenant": "bank", "router": {"kind": "by_task", "pools": {"talk": "banks"}}}
    router = {"kind": "by_task", "pools": {"talk": "large"}}
    tree = tree_of(LARGE, own, traffic(router, {}, bank), days=0.25)
    results, outcome = run(tree, tmp_path, monkeypatch)
    pools = results.tables["pools"].set_index("pool")["requests"]
    assert pools["banks"] == pytest.approx(outcome.at["bank", "arrived"])
    assert pools["large"] == pytest.approx(outcome.at["ask", "arrived"])


def test_moderation_takes_capacity_of_its_pool_and_holds_up_answers(tmp_path, monkeypatch):
    guard = SMALL | {"name": "guard", "model": "llama-3.2-1b", "output_tokens": 6}
    router = {"kind": "by_task", "pools": {"talk": "large"}}
    seconds = {}
    for moderation in (None, {"pool": "guard"}):
        tree = tree_of(LARGE, guard, traffic(router, {"moderation": moderation}), days=0.25)
        results, outcome = run(tree, tmp_path, monkeypatch)
        pools = results.tables["pools"].set_index("pool")["requests"]
        passes = 0.0 if moderation is None else 2.0
        assert pools["guard"] == pytest.approx(passes * outcome.at["ask", "arrived"], rel=0.01)
        seconds[bool(moderation)] = routing.latency_s(results)["ask"]
    assert seconds[True] > seconds[False]


def test_traces_are_counted_in_bytes_racks_and_watts(tmp_path, monkeypatch):
    router = {"kind": "by_task", "pools": {"talk": "large"}}
    kept = {"keep": "10 d", "share": 0.5, "bytes_per_token": 4, "bytes_per_request": "1 kB"}
    tree = tree_of(LARGE, traffic(router, {"retention": kept}), days=0.25)
    results, outcome = run(tree, tmp_path, monkeypatch)
    rows = {kpi.name.removeprefix("routing.ask."): kpi.value for kpi in routing.kpis(results)}
    each = 0.5 * (1000.0 + 4.0 * 950.0)
    assert rows["traces_written"] == pytest.approx(outcome.at["ask", "served"] * each / 1e12)
    assert rows["traces_held"] == pytest.approx(rows["traces_written"] * 10 / 0.25)
    assert rows["trace_racks"] == pytest.approx(rows["traces_held"] * 1e12 / 1e16)
    assert 5.0 < rows["trace_power"] / rows["trace_racks"] < 15.0


def test_the_same_inputs_give_the_same_routes(tmp_path, monkeypatch):
    router = {"kind": "spill", "order": ["large", "small"]}
    tree = tree_of(LARGE, SMALL, traffic(router), days=0.1)
    first, second = (run(tree, tmp_path, monkeypatch)[0].tables["routes"] for _ in range(2))
    assert first.equals(second)


def test_requests_too_long_for_the_pool_of_a_route_are_rejected_there(tmp_path, monkeypatch):
    short = POOL | {"name": "short", "model": "llama-2-70b", "tensor_parallel": 4}
    made = traffic({"kind": "by_task", "pools": {"talk": "short"}}, {"input_tokens": 2000})
    results, outcome = run(tree_of(short, made), tmp_path, monkeypatch)
    asked, written = 2000 * np.ones(1), 150
    pool = results.tables["pools"].iloc[0]
    stream = results.tables["streams"].iloc[0]
    assert 0.05 < outcome.at["ask", "rejected"] / outcome.at["ask", "arrived"] < 0.3
    assert pool["rejected"] == pytest.approx(outcome.at["ask", "rejected"])
    assert pool["requests"] == pytest.approx(outcome.at["ask", "arrived"])
    assert stream["input_tokens"] < asked[0] and stream["output_tokens"] < written
    assert pool["input_tokens"] == pytest.approx(pool["served"] * stream["input_tokens"])


def test_images_of_a_class_are_work_and_time(tmp_path, monkeypatch):
    eyes = POOL | {"name": "eyes", "model": "gemma-3-27b", "tensor_parallel": 1}
    shown = {"modality": "images", "input_tokens": 1200, "images": 4}
    router = {"kind": "by_task", "pools": {"talk": "eyes"}}
    blind, seeing = (
        plan(router, shown | {"images": n}, pools=(eyes,)) for n in (0, 4)
    )
    one, other = blind.streams[0], seeing.streams[0]
    assert other.image_frac == pytest.approx(4 * 256 / 1200)
    assert one.image_frac == 0.0 and other.input_tokens == one.input_tokens == 1200
    assert other.work > 1.02 * one.work
    assert seeing.classes[0].request.work[0] == pytest.approx(other.work)
    results, outcome = run(tree_of(eyes, traffic(router, shown)), tmp_path, monkeypatch)
    latency = routing.latency_s(results)["ask"]
    assert outcome.at["ask", "served"] > 0.0 and latency > 0.0
    off = results.tables["verify"].set_index("quantity")["deviation_frac"].abs()
    assert off[["throughput", "tpot_p50"]].max() < 0.1
