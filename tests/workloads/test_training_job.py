"""A synchronous job in the event engine against closed forms."""

import csv
import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from small import load_tree, pod_tree

from simulator import simulation
from simulator.components.failure_class import FailureClass
from simulator.engine import power
from simulator.engine.alarm import Alarm
from simulator.metrics import balance
from simulator.policies.checkpointing import INTERVALS
from simulator.simulation import simulate
from simulator.site import compile_site
from simulator.workloads import jobs, step, training_run

RACKS, DAY_S = 2, 86_400.0
PUBLISHED = Path(__file__).parents[3] / "shared" / "validation" / "goodput.csv"
# Mean time between failures, checkpoint stall, restart, interval: rows of Daly's complete model at
# 16,384, 32,768 and 100,000 accelerators with 6.5 or 2.34 failures per 1,000 node-days.
CASES = {
    "DALY-16384-6.5-30-600": (6490.4, 30.0, 600.0, 624.038),
    "DALY-32768-6.5-2-120": (3245.2, 2.0, 120.0, 113.933),
    "DALY-100000-2.34-30-600": (2953.8, 30.0, 600.0, 420.988),
}


def tree_of(days, restart_s=600.0, stall_s=30.0, **checkpoint):
    tree = pod_tree()
    tree["topology"]["halls"][0] |= {"blocks": 1, "racks_per_block": RACKS, "support": []}
    tree["workloads"] = [{
        "kind": "training", "name": "job", "model": "llama-3.1-70b", "accelerator": "GB300",
        "accelerators": 72 * RACKS, "tokens": 1e15,
        "plan": {"tp": 4, "pp": 2, "global_batch_sequences": 288, "sequence_length": 8192},
        "checkpoint": {"stall": f"{stall_s} s", "restart": f"{restart_s} s", **checkpoint},
    }]
    tree["period"]["duration"] = f"{days} d"
    return tree


def fixed(interval_s):
    return {"policy": "fixed", "interval": f"{interval_s} s"}


def interrupts(mttf_s):
    """Return a fleet whose racks only ever interrupt the job."""
    return (FailureClass(name="interrupt", per="rack", rate=f"{1.0 / mttf_s / RACKS!r} /s",
                         effect="interrupt", repair="1 min"),)


def run(tree, folder, monkeypatch, classes=None, replicate=0):
    """Return the results and the row of the job."""
    monkeypatch.setattr(simulation, "_failure_classes", lambda scenario: classes or interrupts(math.inf))
    results = simulate(load_tree(tree, folder), replicate)
    return results, results.tables["jobs"].iloc[0]


def daly_ettr(mttf_s, stall_s, restart_s, interval_s):
    """Return useful over wall time; failures strike during checkpoints and restarts too.

    J. T. Daly, FGCS 22 (2006), complete model: T = M e^{R/M} (e^{(tau+delta)/M} - 1) T_s / tau.
    """
    cycle = math.exp(restart_s / mttf_s) * math.expm1((interval_s + stall_s) / mttf_s)
    return interval_s / (mttf_s * cycle)


def published():
    """Return the cases as published where the validation tables are at hand."""
    found = {}
    if PUBLISHED.is_file():
        for row in csv.DictReader(PUBLISHED.read_text().splitlines()):
            if row["id"] in CASES:
                nodes = float(row["n_accelerators"]) / float(row["accelerators_per_node"])
                rate = float(row["failures_per_1000_node_days"]) / 1000.0 * nodes
                found[row["id"]] = (
                    DAY_S / rate, float(row["checkpoint_stall_s"]), float(row["restart_s"]),
                    float(row["checkpoint_interval_s"]), float(row["measured"]))
    return found


@pytest.mark.parametrize("name", CASES)
def test_time_to_train_is_dalys_complete_model(name, tmp_path, monkeypatch):
    mttf_s, stall_s, restart_s, interval_s = CASES[name]
    expected = daly_ettr(*CASES[name])
    if name in published():
        assert published()[name] == pytest.approx((*CASES[name], expected), rel=1e-3)
    tree = tree_of(20, restart_s, stall_s, **fixed(interval_s))
    rows = [run(tree, tmp_path, monkeypatch, interrupts(mttf_s), k)[1] for k in range(6)]
    ettr = np.array([row["ettr"] for row in rows])
    assert ettr.mean() == pytest.approx(expected, abs=0.01)
    count = sum(row["interruptions"] for row in rows)
    assert count == pytest.approx(6 * 20 * DAY_S / mttf_s, rel=4 * (mttf_s / 120 / DAY_S) ** 0.5)


@pytest.mark.parametrize(("policy", "first"), [("young", 1.0), ("daly", None)])
def test_interval_policies(policy, first, tmp_path, monkeypatch):
    mttf_s, stall_s = 20_000.0, 60.0
    _, row = run(tree_of(1, stall_s=stall_s, policy=policy), tmp_path, monkeypatch,
                 interrupts(mttf_s))
    young_s = math.sqrt(2.0 * stall_s * mttf_s)
    x = math.sqrt(stall_s / (2.0 * mttf_s))
    daly_s = young_s * (1.0 + x / 3.0 + x * x / 9.0) - stall_s
    assert row["checkpoint_interval_s"] == pytest.approx(young_s if first else daly_s)


def test_dalys_interval_is_near_the_best_and_better_than_its_neighbours():
    mttf_s, stall_s, restart_s = 6000.0, 60.0, 300.0
    best_s = INTERVALS["daly"](stall_s, mttf_s)
    at = lambda s: daly_ettr(mttf_s, stall_s, restart_s, s)  # noqa: E731
    grid = np.linspace(0.2, 5.0, 2000) * best_s
    assert at(best_s) == pytest.approx(max(at(s) for s in grid), rel=1e-4)
    assert at(best_s) > max(at(0.5 * best_s), at(2.0 * best_s))


def planned(tree, folder):
    """Return the step time and tokens per step of the job as planned."""
    spec = load_tree(tree, folder).spec
    step = jobs.step_of(spec.workloads[0], compile_site(spec.topology))
    return step.step_time_s, step.tokens_per_step


def test_without_failures_the_job_ends_after_tokens_over_tokens_per_second(tmp_path, monkeypatch):
    tree = tree_of(1, restart_s=120.0, stall_s=10.0, **fixed(590.0))
    step_s, per_step = planned(tree, tmp_path)
    steps = 30_000.0 / step_s
    tree["workloads"][0]["tokens"] = steps * per_step
    results, row = run(tree, tmp_path, monkeypatch)
    wall_s = 120.0 + 30_000.0 * 600.0 / 590.0
    finish = results.events[results.events["kind"] == "job_finish"]["time"].iloc[0]
    elapsed_s = (finish - results.timeseries["site"]["time"].iloc[0]).total_seconds()
    assert elapsed_s == pytest.approx(wall_s, abs=0.01)
    assert row["tokens"] == pytest.approx(steps * per_step, rel=1e-9)
    assert row["ettr"] == pytest.approx(30_000.0 / wall_s, rel=1e-6)
    assert row["step_time_s"] == pytest.approx(step_s)
    assert row["finish"] is not None
    hours = results.tables["hours"].groupby("category")["accelerator_hours"].sum()
    assert hours["useful"] == pytest.approx(72 * RACKS * 30_000.0 / 3600.0, rel=1e-9)
    assert hours["lost_restart"] == pytest.approx(72 * RACKS * 120.0 / 3600.0)


@pytest.mark.parametrize("policy", ["young", "daly"])
def test_a_fleet_that_never_fails_saves_only_at_the_end(policy, tmp_path, monkeypatch):
    tree = tree_of(1, restart_s=60.0, stall_s=10.0, policy=policy)
    step_s, per_step = planned(tree, tmp_path)
    tree["workloads"][0]["tokens"] = 36_000.0 / step_s * per_step
    results, row = run(tree, tmp_path, monkeypatch)
    assert row["ettr"] == pytest.approx(36_000.0 / 36_070.0, rel=1e-6)
    jobs = results.tables["jobs"]
    assert not jobs.drop(columns=["finish", "mttf_h"]).isna().any().any()
    assert jobs["mttf_h"].isna().all()  # no interruption, no mean time between them


def test_a_job_that_was_slowed_ends_when_its_work_is_done(tmp_path, monkeypatch):
    """Half speed from a restart on, then full speed again: the wait is not the one of half speed."""
    tree = tree_of(1, restart_s=60.0, stall_s=10.0, **fixed(590.0))
    step_s, per_step = planned(tree, tmp_path)
    tree["workloads"][0]["tokens"] = 30_000.0 / step_s * per_step
    started = training_run.TrainingRun.run

    def slowed(self):
        speed = self.world.state.loads.clock
        for at_s, act in ((6001.0, lambda: speed.fill(0.5)), (12_001.0, lambda: speed.fill(1.0)),
                          (6031.0, lambda: self.world.alarm(self.load, Alarm("test")))):
            self.world.env.timeout(at_s).callbacks.append(lambda _, act=act: act())
        yield from started(self)

    monkeypatch.setattr(training_run.TrainingRun, "run", slowed)
    results, row = run(tree, tmp_path, monkeypatch)
    hours = results.tables["hours"].groupby("category")["accelerator_hours"].sum() / (72 * RACKS)
    assert row["finish"] is not None
    assert hours["useful"] * 3600.0 == pytest.approx(30_000.0, rel=0.01)
    finish = results.events[results.events["kind"] == "job_finish"]["time"].iloc[0]
    elapsed_s = (finish - results.timeseries["site"]["time"].iloc[0]).total_seconds()
    assert elapsed_s == pytest.approx(30_000.0 * 600 / 590 + 3000.0 + 120.0, abs=700.0)


def during(monkeypatch, *acts):
    """Call acts on the run at times: (seconds, act)."""
    started = training_run.TrainingRun.run

    def run_with(self):
        for at_s, act in acts:
            self.world.env.timeout(at_s).callbacks.append(lambda _, act=act: act(self))
        yield from started(self)

    monkeypatch.setattr(training_run.TrainingRun, "run", run_with)


def clocked(clock):
    return lambda run: run.world.state.loads.clock.fill(clock)


def elapsed_s(results, kind="job_finish", element="job"):
    events = results.events.query("kind == @kind and element == @element")
    start = results.timeseries["site"]["time"].iloc[0]
    return (events["time"].iloc[0] - start).total_seconds()


def test_a_throttled_job_ends_later_by_what_its_clock_bound_part_lost(tmp_path, monkeypatch):
    """A clock of 0.6 from minute 100 to minute 300; closed form to the second."""
    tree = tree_of(1, restart_s=60.0, stall_s=10.0, **fixed(590.0))
    step_s, per_step = planned(tree, tmp_path)
    tree["workloads"][0]["tokens"] = 30_000.0 / step_s * per_step
    during(monkeypatch, (6000.0, clocked(0.6)), (18_000.0, clocked(1.0)))
    results, row = run(tree, tmp_path, monkeypatch)
    phases = results.tables["phases"]
    bound = float((phases["share"] * phases["clock_bound_frac"]).sum())
    assert 0.5 < bound < 1.0
    lost_s = 12_000.0 * (1.0 - 1.0 / (bound / 0.6 + 1.0 - bound)) * 590.0 / 600.0
    assert elapsed_s(results) == pytest.approx(60.0 + (30_000.0 + lost_s) * 600.0 / 590.0, abs=1.0)
    hours = results.tables["hours"].groupby("category")["accelerator_hours"].sum() / (72 * RACKS)
    assert hours["useful"] * 3600.0 == pytest.approx(30_000.0, rel=1e-9)
    slowdown = hours[["lost_throttle", "lost_power_cap"]].sum() * 3600.0
    assert slowdown == pytest.approx(lost_s, rel=1e-9)
    assert row["step_time_s"] / step_s == pytest.approx((30_000.0 + lost_s) / 30_000.0, rel=1e-6)
    assert max(balance.checks(results).values()) <= 1e-9


@pytest.mark.parametrize("longer", [1.25, 2.0])
def test_a_job_on_a_degraded_network_ends_later_by_its_longer_steps(longer, tmp_path, monkeypatch):
    tree = tree_of(1, restart_s=60.0, stall_s=10.0, **fixed(590.0))
    step_s, per_step = planned(tree, tmp_path)
    tree["workloads"][0]["tokens"] = 30_000.0 / step_s * per_step

    def degrade(run):
        run.change_step(dataclasses.replace(
            run.planned, phases=step.scaled(run.planned.phases, longer)))

    during(monkeypatch, (6010.5, degrade), (18_033.25, lambda run: run.change_step(run.planned)))
    results, row = run(tree, tmp_path, monkeypatch)
    lost_s = 12_022.75 * (1.0 - 1.0 / longer) * 590.0 / 600.0
    assert elapsed_s(results) == pytest.approx(60.0 + (30_000.0 + lost_s) * 600.0 / 590.0, abs=0.01)
    hours = results.tables["hours"].groupby("category")["accelerator_hours"].sum() / (72 * RACKS)
    assert hours["useful"] * 3600.0 == pytest.approx(30_000.0, rel=1e-9)
    assert hours["lost_network"] * 3600.0 == pytest.approx(lost_s, rel=1e-9)
    assert row["mfu"] * row["step_time_s"] == pytest.approx(
        results.tables["steps"]["mfu"].iloc[0] * step_s, rel=1e-9)
    assert max(balance.checks(results).values()) <= 1e-9


def test_a_lost_spine_makes_steps_longer_until_it_is_back(tmp_path, monkeypatch):
    tree = tree_of(1, restart_s=60.0, stall_s=10.0, **fixed(590.0))
    tree["topology"]["halls"][0]["racks_per_block"] = 4
    tree["topology"]["halls"][0]["blocks"] = 2
    tree["workloads"][0] |= {"accelerators": 576, "plan": {
        "tp": 4, "global_batch_sequences": 144, "sequence_length": 8192}}
    tree["topology"]["fabric"] |= {"radix": 36, "oversubscription": 5}  # 20 leaves of 30 + 6
    tree["incidents"] = [{"cause": "spine_switch", "element": "pod/spine 1", "at": "6 h", "lasts": "2 h"}]
    tree["reliability"] = {"rate_scale": 0}
    results = simulate(load_tree(tree, tmp_path))
    steps = results.tables["steps"]
    assert steps["network_frac"].tolist() == [1.0, 0.75, 1.0]  # one of four
    assert steps["step_time_s"].iloc[1] > steps["step_time_s"].iloc[0] == steps["step_time_s"].iloc[2]
    assert steps["mfu"].iloc[1] < steps["mfu"].iloc[0]
    lost = results.tables["hours"].query("category == 'lost_network'")["accelerator_hours"].sum()
    pace = float(steps["step_time_s"].iloc[0] / steps["step_time_s"].iloc[1])
    assert lost == pytest.approx(576 * 2.0 * (1.0 - pace) * 590.0 / 600.0, rel=1e-6)
    told = results.events.query("kind == 'fabric'")["detail"]
    assert told.str.contains("step from").sum() == 2


def test_work_is_conserved_through_failures(tmp_path, monkeypatch):
    """What was computed is retained or counted as rework, in time and in accelerator-hours."""
    tree = tree_of(10, restart_s=300.0, stall_s=20.0, **fixed(900.0))
    results, row = run(tree, tmp_path, monkeypatch, interrupts(5000.0))
    hours = results.tables["hours"].groupby("category")["accelerator_hours"].sum() / (72 * RACKS)
    step_s, per_step = planned(tree, tmp_path)
    assert row["tokens"] / per_step * step_s == pytest.approx(hours["useful"] * 3600.0, rel=1e-9)
    assert hours["lost_rework"] > 0.0
    computing = hours["useful"] + hours["lost_rework"]
    assert hours["lost_checkpoint"] == pytest.approx(computing * 20.0 / 900.0, rel=1e-9)
    assert hours.sum() == pytest.approx(240.0, rel=1e-12)
    spent_h = 240.0
    assert row["ettr"] == pytest.approx(hours["useful"] / spent_h, rel=1e-6)
    assert row["mttf_h"] * row["interruptions"] == pytest.approx(
        computing + hours["lost_checkpoint"], rel=1e-6)


def test_work_lost_with_a_rack_is_lost_on_that_rack_too(tmp_path, monkeypatch):
    tree = tree_of(10, restart_s=300.0, stall_s=20.0, **fixed(900.0))
    broken = FailureClass(name="rack", per="rack", rate="0.1 /h", effect="rack", repair="20 min")
    results, row = run(tree, tmp_path, monkeypatch, (broken,))
    step_s, per_step = planned(tree, tmp_path)
    hours = results.tables["hours"].groupby("category")["accelerator_hours"].sum()
    assert row["interruptions"] > 10
    assert hours["useful"] * 3600.0 == pytest.approx(
        row["tokens"] / per_step * step_s * 72 * RACKS, rel=1e-9)


def test_the_wait_before_the_first_start_is_not_held_against_the_job(tmp_path, monkeypatch):
    """One rack too few until a server is repaired: the wait is queueing, not lost efficiency."""
    tree = tree_of(1, restart_s=60.0, stall_s=10.0, **fixed(600.0))
    tree["workloads"][0]["start"] = "2 h"
    _, row = run(tree, tmp_path, monkeypatch)
    assert row["queued_s"] == 0.0
    assert row["ettr"] == pytest.approx(600.0 / 610.0, rel=2e-3)
    first = FailureClass(name="rack", per="rack", rate="1 /h", effect="rack", repair="3 h",
                         repair_spread=0.0)
    results, row = run(tree, tmp_path, monkeypatch, (first,))
    failed = results.events[results.events["kind"] == "failure"]
    assert len(failed) > 0
    assert row["queued_s"] > 0.0
    start = results.events[results.events["kind"] == "job_start"]
    assert row["queued_s"] == pytest.approx(start["duration_s"].iloc[0])


def test_a_job_takes_its_racks_back_from_batch_work_and_spares_replace_broken_ones(
    tmp_path, monkeypatch
):
    tree = tree_of(2, restart_s=300.0, stall_s=10.0, **fixed(600.0))
    tree["topology"]["halls"][0] |= {"blocks": 2, "racks_per_block": 3}
    tree["workloads"][0] |= {"accelerators": 288, "spares": 1}
    tree["workloads"].append({"kind": "batch", "name": "batch", "backlog": "1e6 h"})
    broken = FailureClass(name="host", per="rack", rate="0.05 /h", effect="server", repair="12 h",
                          repair_spread=0.0)
    results, row = run(tree, tmp_path, monkeypatch, (broken,))
    assert row["interruptions"] == (results.events["kind"] == "interruption").sum() >= 2
    job = results.timeseries["job"]
    held = job[job["element"] == "job"]["accelerators"]
    assert held.max() == pytest.approx(288.0)
    assert row["ettr"] > 0.5
    assert max(balance.checks(results).values()) <= 1e-9


def test_a_job_that_was_shed_starts_again_when_supply_returns(tmp_path, monkeypatch):
    """All lines out from 10,000 s to 20,000 s without generators: one interruption, no lost hour."""
    tree = tree_of(1, restart_s=300.0, stall_s=10.0, **fixed(590.0))
    del tree["topology"]["generators"]
    started = training_run.TrainingRun.run

    def through_an_outage(self):
        for at_s, act in ((10_000.0, power.lose_unit), (20_000.0, power.return_unit)):
            for _ in range(2):
                event = self.world.env.timeout(at_s)
                event.callbacks.append(lambda _, act=act: act(self.world, 0))
        yield from started(self)

    monkeypatch.setattr(training_run.TrainingRun, "run", through_an_outage)
    results, row = run(tree, tmp_path, monkeypatch)
    kinds = results.events["kind"].tolist()
    assert [kinds.count(kind) for kind in ("shed", "restored", "interruption")] == [1, 1, 1]
    hours = results.tables["hours"].query("load == 'job'").groupby("category")[
        "accelerator_hours"].sum() * 3600.0 / (72 * RACKS)
    assert hours["lost_power_cap"] == pytest.approx(10_000.0, abs=120.0)
    assert hours["lost_restart"] == pytest.approx(600.0, abs=60.0)
    assert hours.sum() == pytest.approx(86_400.0 - 480.0)  # racks that boot are down
    cut_s = (10_020.0 - 300.0) % 600.0
    assert hours["lost_rework"] == pytest.approx(cut_s * 590.0 / 600.0, abs=60.0)
    assert row["interruptions"] == 1
    assert max(balance.checks(results).values()) <= 1e-9


def test_two_jobs_share_the_spare_racks(tmp_path, monkeypatch):
    tree = tree_of(5, restart_s=120.0, stall_s=5.0, **fixed(600.0))
    tree["topology"]["halls"][0] |= {"blocks": 2, "racks_per_block": 3}
    for bank in ("lines", "transformers"):
        tree["topology"]["grid"][bank]["rating"] = "4 MVA"
    tree["workloads"].append(tree["workloads"][0] | {"name": "other"})
    broken = FailureClass(name="rack", per="rack", rate="0.05 /h", effect="rack", repair="4 h",
                          repair_spread=0.0)
    results, _ = run(tree, tmp_path, monkeypatch, (broken,))
    jobs = results.tables["jobs"].set_index("job")
    assert (jobs["interruptions"] >= 2).all()
    assert (jobs["ettr"] > 0.5).all()
    held = results.timeseries["job"].groupby("element")["accelerators"].max()
    assert (held <= 144.0 + 1e-9).all()
    hours = results.tables["hours"].groupby("category")["accelerator_hours"].sum()
    assert hours["down"] == pytest.approx(
        72.0 * results.events.query("kind == 'failure'")["duration_s"].sum() / 3600.0, rel=0.05)
