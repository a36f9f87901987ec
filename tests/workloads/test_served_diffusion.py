"""Pictures as a pool of a run: chips that make one each, beside language models."""

import pytest
from small import load_tree, pod_tree

from simulator import simulation
from simulator.components.failure_class import FailureClass
from simulator.errors import ScenarioError
from simulator.metrics import balance, kpis
from simulator.simulation import simulate
from simulator.workloads import diffusion, pools

NEVER = FailureClass(name="never", per="rack", rate="0 /s", effect="interrupt", repair="1 min")


def tree_of(rate, hours=6, **changes):
    tree = pod_tree()
    tree["period"] = {"start": "2027-07-12T00:00:00-04:00", "duration": f"{hours} h"}
    tree["workloads"].append({
        "kind": "diffusion", "name": "images", "generator": "flux.1-dev", "accelerator": "GB300",
        "picture": {"height": 1024, "width": 1024}, "latency_limit": "10 s",
        "demand": {"rate": f"{rate} /s", "daily_swing": 0.0, "weekend": 1.0, "variability": 0.0},
        "most_accelerators": 144, "priority": 30,
    } | changes)  # fmt: skip
    return tree


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulation, "_failure_classes", lambda scenario: (NEVER,))
        given = load_tree(tree_of(10.0), tmp_path_factory.mktemp("images"))
        return given, simulate(given)


def test_a_chip_serves_a_picture_per_its_time(served):
    given, results = served
    pool = given.spec.workloads[-1]
    row = results.tables["pools"].set_index("pool").loc["images"]
    assert row["capacity_per_replica_s"] == pytest.approx(1.0 / diffusion.denoising_of(pool).seconds)
    assert row["served"] == pytest.approx(row["requests"]) == pytest.approx(10.0 * 6 * 3600.0)
    assert row["within_slo"] == pytest.approx(row["served"])
    assert row["output_tokens"] == 0.0
    assert max(balance.checks(results).values()) <= 1e-9


def test_its_latency_is_the_time_of_the_picture(served):
    given, results = served
    table = kpis.kpis(results).set_index("kpi")["value"]
    made_s = diffusion.denoising_of(given.spec.workloads[-1]).seconds
    assert table["inference.images.ttft_p50"] == pytest.approx(made_s, rel=0.07)
    assert table["inference.images.tpot_p50"] is None
    assert table["inference.images.slo_attainment"] == pytest.approx(1.0)


def test_pictures_are_made_again_one_by_one(served):
    table = served[1].tables["verify"]
    own = table[table["pool"] == "images"].set_index("quantity")
    assert own.index.tolist() == ["ttft_p50", "ttft_p99", "throughput", "power"] * 2
    assert own.loc["ttft_p50", "deviation_frac"].abs().max() < 0.01
    assert own.loc[["throughput", "power"], "deviation_frac"].abs().max() < 0.05
    assert (own["requests"] > 5000).all()
    assert (own.loc["ttft_p99", "deviation_frac"] <= 1e-9).all()


def test_pictures_that_lack_chips_wait_and_are_shed_in_both(tmp_path, monkeypatch):
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: (NEVER,))
    results = simulate(load_tree(tree_of(100.0, hours=2, most_accelerators=72), tmp_path))
    own = results.tables["verify"].query("pool == 'images'").set_index("quantity")
    off = own["deviation_frac"].abs()
    assert own.index.tolist() == ["ttft_p50", "ttft_p99", "throughput", "power", "shed_frac"] * 2
    assert off[["ttft_p50", "throughput", "power", "shed_frac"]].max() < 0.1


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"latency_limit": "10 ms"}, "takes .* s for a picture on GB300; the limit is 0.01 s"),
     ({"generator": "flux.1-def"}, "did you mean 'flux.1-dev'"),
     ({"accelerator": "H100-SXM-80GB"}, "no hall has H100"),
     ({"spill": {"to": "llama-3.1-70b"}}, "makes something else")],
)
def test_what_cannot_be_served_is_refused(changes, told, tmp_path):
    with pytest.raises(ScenarioError, match=told):
        load_tree(tree_of(1.0, **changes), tmp_path)


def test_larger_pictures_spilled_to_smaller_are_more_work(tmp_path):
    tree = tree_of(1.0, spill={"to": "small"})
    tree["workloads"].append(
        tree["workloads"][-1] | {"name": "small", "spill": None,
                                 "picture": {"height": 512, "width": 512}})
    tree["workloads"][-1].pop("spill")
    work = load_tree(tree, tmp_path).spec.workloads
    assert pools.spill_work(work[-2], work[-1]) > 2.5
    assert pools.spill_work(work[-1], work[-1]) == pytest.approx(1.0)


def test_pictures_start_cold_by_their_weights(tmp_path):
    pool = load_tree(tree_of(1.0, cold_start={"bandwidth": "1 GB/s", "start_up": "5 s"}),
                     tmp_path).spec.workloads[-1]  # fmt: skip
    assert pools.cold_start_s(pool) == pytest.approx(5.0 + 24.0)
    assert 0.5 < pools.clock_bound_frac(pool) <= 1.0
