"""Evaluations and safety tests: beside a job and in its pauses, undisturbed and hit."""

import pytest
from small import load_tree, pod_tree

from simulator.metrics import balance
from simulator.simulation import simulate
from simulator.workloads.evaluation import Evaluation
from simulator.workloads.model_test import test_of as planned_test
from simulator.workloads.safety_test import SafetyTest
from simulator.workloads.training import TrainingJob

ROLLOUTS = {
    "prompts": 4000, "input_tokens": 800, "output_tokens": 900, "longest_output": 5000,
    "tensor_parallel": 4, "weight_precision": "fp8",
}
JOB = {
    "kind": "training", "name": "job", "model": "llama-3.1-70b", "accelerator": "GB300",
    "accelerators": 288, "tokens": 1e13,
    "plan": {"tp": 4, "pp": 2, "global_batch_sequences": 288, "sequence_length": 8192},
    "checkpoint": {"stall": "10 s", "restart": "1 min", "policy": "fixed", "interval": "590 s"},
}
TEST = {"kind": "evaluation", "name": "bench", "job": "job", "rollouts": ROLLOUTS}


def ran(folder, *workloads, incidents=(), rate_scale=0, duration="1 d"):
    tree = pod_tree()
    tree["workloads"] = list(workloads)
    tree["reliability"] = {"rate_scale": rate_scale}
    tree["incidents"] = list(incidents)
    tree["period"]["duration"] = duration
    results = simulate(load_tree(tree, folder))
    assert max(balance.checks(results).values()) <= 1e-9
    return results


def useful_h(results, load):
    table = results.tables["hours"]
    return table[(table["load"] == load) & (table["category"] == "useful")]["accelerator_hours"].sum()


def job_s(results):
    """Return the seconds of work of the job that were kept."""
    row = results.tables["jobs"].iloc[0]
    return row["tokens"] / row["target_tokens"] * (1e13 / 288 / 8192) * row["planned_step_time_s"]


def test_beside_the_job_tests_come_every_so_many_steps_and_cost_it_nothing(tmp_path):
    alone = ran(tmp_path, JOB)
    results = ran(tmp_path, JOB, TEST | {"every_steps": 1000, "accelerators": 72})
    row = results.tables["tests"].iloc[0]
    steps = results.tables["jobs"].iloc[0]["tokens"] / (288 * 8192)
    assert row["completed"] == int(steps // 1000) > 5
    assert row["skipped"] == 0
    assert job_s(results) == pytest.approx(job_s(alone), rel=1e-9)
    assert row["test_time_s"] == pytest.approx(row["planned_test_time_s"])
    expected_h = row["completed"] * 72 * row["planned_test_time_s"] / 3600.0
    assert row["accelerator_hours"] == pytest.approx(expected_h)
    assert useful_h(results, "bench") == pytest.approx(expected_h)


def test_in_pauses_the_job_loses_the_tests_and_a_save_each(tmp_path):
    alone = ran(tmp_path, JOB)
    results = ran(tmp_path, JOB, TEST | {"interval": "2 h"})
    row = results.tables["tests"].iloc[0]
    assert row["completed"] == 11
    lost_s = 11 * (row["planned_test_time_s"] + 10.0) * 590.0 / 600.0
    assert job_s(alone) - job_s(results) == pytest.approx(lost_s, rel=1e-6)
    expected_h = 11 * 288 * row["planned_test_time_s"] / 3600.0
    assert row["accelerator_hours"] == pytest.approx(expected_h)
    assert useful_h(results, "job") == pytest.approx(job_s(results) * 288 / 3600.0, rel=1e-9)
    assert results.tables["jobs"].iloc[0]["ettr"] == pytest.approx(
        alone.tables["jobs"].iloc[0]["ettr"], abs=2e-3)


def test_a_test_that_is_hit_is_rework_and_the_job_restarts_without_loss(tmp_path):
    """A rack fails half-way through the first test in a pause."""
    quiet = ran(tmp_path, JOB, TEST | {"interval": "6 h"})
    first = quiet.events.query("kind == 'test'").iloc[0]
    start = quiet.timeseries["site"]["time"].iloc[0]
    half_s = (first["time"] - start).total_seconds() - 0.5 * first["duration_s"]
    hit = {"cause": "leak", "element": "pod/r0001", "at": f"{half_s} s", "lasts": "1 h"}
    results = ran(tmp_path, JOB, TEST | {"interval": "6 h"}, incidents=[hit])
    tests, job = results.tables["tests"].iloc[0], results.tables["jobs"].iloc[0]
    assert (tests["completed"], job["interruptions"]) == (2, 1)
    hours = results.tables["hours"].set_index(["load", "category"])["accelerator_hours"]
    assert hours["bench", "lost_rework"] == pytest.approx(
        0.5 * 288 * first["duration_s"] / 3600.0, rel=1e-4)
    assert hours["job", "lost_rework"] == pytest.approx(0.0, abs=1e-9)
    assert hours["job", "lost_restart"] == pytest.approx(288 * 2 * 60.0 / 3600.0)


def test_beside_the_job_a_test_that_is_hit_begins_again(tmp_path):
    quiet = ran(tmp_path, JOB, TEST | {"interval": "6 h", "accelerators": 72})
    first = quiet.events.query("kind == 'test'").iloc[0]
    start = quiet.timeseries["site"]["time"].iloc[0]
    half_s = (first["time"] - start).total_seconds() - 0.5 * first["duration_s"]
    hit = {"cause": "leak", "element": "pod/r0005", "at": f"{half_s} s", "lasts": "1 h"}
    results = ran(tmp_path, JOB, TEST | {"interval": "6 h", "accelerators": 72}, incidents=[hit])
    again = results.events.query("kind == 'test'").iloc[0]
    late_s = (again["time"] - first["time"]).total_seconds()
    assert late_s == pytest.approx(0.5 * first["duration_s"], abs=1e-2)
    assert results.tables["tests"].iloc[0]["completed"] == 3
    assert results.tables["jobs"].iloc[0]["interruptions"] == 0
    assert (results.events["kind"] == "interruption").sum() == 1


def test_tests_take_racks_from_batch_work_and_wait_for_those_that_lack(tmp_path):
    batch = {"kind": "batch", "name": "fill", "backlog": "1e6 h"}
    results = ran(tmp_path, JOB, batch, TEST | {"interval": "3 h", "accelerators": 288})
    assert results.tables["tests"].iloc[0]["completed"] == 7
    broken = {"cause": "busway", "element": "pod/b02", "at": "2 h", "lasts": "3 h"}
    late = ran(tmp_path, JOB, TEST | {"interval": "3 h", "accelerators": 288}, incidents=[broken])
    first = late.events.query("kind == 'test'").iloc[0]
    assert (first["time"] - late.timeseries["site"]["time"].iloc[0]).total_seconds() >= 5 * 3600.0


def test_tests_survive_a_fleet_that_fails_often(tmp_path):
    results = ran(
        tmp_path, JOB, TEST | {"interval": "1 h", "accelerators": 72},
        {**TEST, "name": "red", "kind": "safety_test", "judge": "llama-3.1-8b", "every_steps": 500},
        rate_scale=100, duration="3 d")
    assert results.tables["jobs"].iloc[0]["interruptions"] > 10
    assert (results.tables["tests"]["completed"] > 10).all()


def test_a_judge_reads_what_was_written():
    job = TrainingJob.model_validate(JOB)
    given = TEST | {"interval": "1 h"}
    alone = planned_test(Evaluation.model_validate(given), job)
    judged = planned_test(SafetyTest.model_validate(
        given | {"kind": "safety_test", "judge": "llama-3.1-70b"}), job)
    assert judged.seconds > alone.seconds
    assert judged.dynamic_power_frac > alone.dynamic_power_frac
    assert judged.clock_bound_frac > alone.clock_bound_frac
    assert judged.tokens == alone.tokens
