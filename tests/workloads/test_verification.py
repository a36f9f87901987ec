"""Windows served again request by request: which hours, how many requests, how far off."""

import numpy as np
import pandas as pd
import pytest
from small import load_tree, pod_tree

from simulator import simulation
from simulator.components.failure_class import FailureClass
from simulator.metrics import kpis
from simulator.simulation import simulate
from simulator.workloads import inference, verified_answers
from simulator.workloads.verified_answers import later_quantile
from simulator.workloads.verified_hour import Hour, Sort

NEVER = FailureClass(name="never", per="rack", rate="0 /s", effect="interrupt", repair="1 min")
QUANTITIES = ["ttft_p50", "ttft_p99", "tpot_p50", "tpot_p99", "throughput", "power"]


def run(folder, monkeypatch, verify=None, rate=600.0, hours=24, **changes):
    tree = pod_tree()
    tree["period"] = {"start": "2027-07-12T00:00:00-04:00", "duration": f"{hours} h"}
    tree["workloads"] = [tree["workloads"][0] | {
        "name": "chat", "most_accelerators": 576,
        "demand": {"rate": f"{rate} /s", "daily_swing": 0.5, "variability": 0.0},
    } | changes]  # fmt: skip
    if verify is not None:
        tree["verify"] = verify
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: (NEVER,))
    return simulate(load_tree(tree, folder))


def test_a_run_verifies_its_busiest_and_its_quietest_hour(tmp_path, monkeypatch):
    results = run(tmp_path, monkeypatch)
    table = results.tables["verify"]
    assert table["quantity"].tolist() == QUANTITIES * 2
    pool = results.timeseries["pool"]
    at = [pd.Timestamp(t) for t in table["time"].unique()]
    busiest = pool.loc[pool["arrivals_per_s"].idxmax(), "time"]
    quietest = pool.loc[pool["arrivals_per_s"].idxmin(), "time"]
    assert at == [busiest, quietest]


def test_the_surface_is_near_the_kernel_it_was_measured_on(tmp_path, monkeypatch):
    table = run(tmp_path, monkeypatch, {"windows": 4}).tables["verify"]
    off = table.set_index("quantity")["deviation_frac"].abs()
    assert off["power"].max() < 0.05
    assert off["throughput"].max() < 0.05
    assert off[["ttft_p50", "tpot_p50"]].max() < 0.10
    assert off[["ttft_p99", "tpot_p99"]].max() < 0.25
    rows = table[["surface", "kernel"]].to_numpy(float)
    np.testing.assert_allclose(rows[:, 0] / rows[:, 1] - 1.0, table["deviation_frac"])


def test_indicators_tell_the_largest_deviation(tmp_path, monkeypatch):
    results = run(tmp_path, monkeypatch)
    table = results.tables["verify"].set_index("quantity")["deviation_frac"]
    told = kpis.kpis(results).set_index("kpi")["value"]
    for quantity in QUANTITIES:
        worst = table[quantity].iloc[table[quantity].abs().to_numpy().argmax()]
        assert told[f"inference.chat.verify_{quantity}"] == pytest.approx(worst)


@pytest.mark.parametrize(("windows", "found"), [(0, 0), (1, 1), (3, 3), (24, 4)])
def test_as_many_windows_as_are_asked_for_and_there_are_hours(windows, found, tmp_path, monkeypatch):
    table = run(tmp_path, monkeypatch, {"windows": windows}, hours=4).tables["verify"]
    assert table["time"].nunique() == found


def test_an_hour_with_a_backlog_is_served_with_what_waits(tmp_path, monkeypatch):
    results = run(tmp_path, monkeypatch, {"windows": 3}, rate=4000.0, hours=3, most_accelerators=72)
    table = results.tables["verify"]
    assert table["quantity"].tolist() == [*QUANTITIES, "shed_frac"] * 3
    rows = table.set_index("quantity")
    assert (rows.loc["ttft_p50", "surface"].sort_values()[1:] > 10.0).all()
    off = rows["deviation_frac"].abs()
    assert off[["ttft_p50", "ttft_p99", "tpot_p50", "power", "shed_frac"]].max() < 0.05
    assert off["throughput"].max() < 0.10


def test_a_queue_that_is_worked_off_is_waited_for_less_and_less():
    sorts = (Sort(1.0, (1.0, 1.0)),)
    hour = Hour(0.0, 10.0, 0.5, 0.75, 0.75, 1.0, (900.0, 0.0), 0.0, 200.0, sorts)
    waits_s = hour.waits_s(3600.0)
    assert hour.backlog and hour.full_s == 1.0
    assert waits_s[0] == pytest.approx(885.0)
    np.testing.assert_allclose(np.diff(waits_s[:30]), -30.0)
    np.testing.assert_allclose(waits_s[30:], 0.0)


def test_a_queue_grows_until_the_run_sheds():
    sorts = (Sort(1.0, (1.0, 1.0)),)
    hour = Hour(0.0, 10.0, 1.5, 1.0, 1.0, 1.0, (0.0, 30.0), 0.4, 200.0, sorts)
    assert hour.waits_s(3600.0).max() == pytest.approx(30.0)
    assert hour.shed_frac(60.0) == pytest.approx(0.0, abs=1e-12)
    assert hour.shed_frac(3600.0) == pytest.approx(1.0 / 3.0 - 30.0 / 5400.0)


@pytest.mark.parametrize("frac", [0.5, 0.99])
def test_a_latency_and_a_wait_add_up(frac):
    ranks, known_s = np.linspace(0.0, 1.0, 101), np.linspace(0.0, 2.0, 101)
    waits_s = np.linspace(0.0, 3.0, 2001)
    draws = np.random.default_rng(3)
    drawn = draws.uniform(0.0, 2.0, 200_000) + draws.uniform(0.0, 3.0, 200_000)
    found = later_quantile(known_s, ranks, waits_s, frac)
    assert found == pytest.approx(np.quantile(drawn, frac), rel=0.01)
    assert later_quantile(known_s, ranks, np.full(5, 1.5), frac) == pytest.approx(2.0 * frac + 1.5)


def test_a_window_has_no_more_requests_than_tell_something(tmp_path, monkeypatch):
    monkeypatch.setattr(verified_answers, "MOST_REQUESTS", 2000)
    table = run(tmp_path, monkeypatch, {"length": "1 h"}, hours=2).tables["verify"]
    assert table["requests"].between(1500, 2500).all()


def test_a_run_verifies_the_same_windows_alike(tmp_path, monkeypatch):
    first, again = (run(tmp_path, monkeypatch, hours=2).tables["verify"] for _ in range(2))
    pd.testing.assert_frame_equal(first, again)


@pytest.mark.parametrize("pace", [0.5, 0.9, 1.0])
def test_the_clock_of_a_pace_gives_that_pace(pace, tmp_path):
    pool = load_tree(pod_tree(), tmp_path).spec.workloads[0]
    clock, bound = verified_answers._clock(pool, pace), inference.clock_bound_frac(pool)
    again = 1.0 / (bound / clock + 1.0 - bound)
    assert again == pytest.approx(pace) or clock == 0.05
