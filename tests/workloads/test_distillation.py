"""A teacher writes, a student learns and takes over: what the job holds, and from when on it pays."""

import numpy as np
import pytest
from pydantic import TypeAdapter
from test_routed_traffic import ASK, LARGE, NEVER, SMALL, THINKER, run, traffic, tree_of

from simulator.components.failure_class import FailureClass
from simulator.metrics import distillation
from simulator.workloads import Distillation, jobs
from simulator.workloads.distillation import step_of, texts_tokens

JOB = {
    "kind": "distillation", "name": "distil", "teacher": "llama-3.1-70b", "model": "llama-3.1-8b",
    "accelerator": "GB300", "accelerators": 72, "epochs": 2,
    "rollouts": {"prompts": 400_000, "input_tokens": 500, "output_tokens": 300, "longest_output": 2000,
                 "tensor_parallel": 4, "weight_precision": "fp8"},
    "plan": {"global_batch_sequences": 144, "sequence_length": 4096},
    "checkpoint": {"stall": "2 s", "restart": "5 min"},
}  # fmt: skip
TAKES = {"request_class": "ask", "pool": "small", "share": 0.6, "deploy": "2 h"}
BY_TASK = {"kind": "by_task", "pools": {"talk": "large"}}
FLAT = {"demand": ASK["demand"] | {"daily_swing": 0.0}}


def job(**changes):
    return TypeAdapter(Distillation).validate_python(JOB | changes)


def test_the_student_is_trained_on_every_text_in_every_epoch():
    written, trained = texts_tokens(job())
    assert written == pytest.approx(400_000 * 300, rel=0.05)
    assert trained == pytest.approx(2 * (written + 400_000 * 500))


def test_writing_comes_first_and_then_training():
    step = step_of(job())
    parts = [phase.part for phase in step.phases]
    assert parts[0] == "generation"
    assert set(parts[1:]) == {"training"}
    assert step.steps == 1.0
    more = step_of(job(epochs=4))
    assert more.phases[0] == step.phases[0]
    longer = [s.step_time_s - s.phases[0].seconds for s in (more, step)]
    assert longer[0] == pytest.approx(2.0 * longer[1])


def test_more_texts_take_in_proportion_longer_and_a_prompt_is_read_once_for_all_its_answers():
    plain, prompts, samples = (
        step_of(job(rollouts=JOB["rollouts"] | more)).step_time_s
        for more in ({}, {"prompts": 1_200_000}, {"samples": 3})
    )
    assert prompts == pytest.approx(3.0 * plain, rel=0.05)
    assert 2.0 * plain < samples < prompts


def test_a_larger_teacher_writes_longer_and_the_student_trains_as_long():
    larger = job(teacher="deepseek-v3", rollouts=JOB["rollouts"] | {"tensor_parallel": 8})
    big, small = step_of(larger), step_of(job())
    assert big.phases[0].seconds > 1.2 * small.phases[0].seconds
    assert [p.seconds for p in big.phases[1:]] == pytest.approx(
        [p.seconds for p in small.phases[1:]], rel=0.1)
    assert 0.0 < big.mfu < 1.0


def test_the_plan_of_the_student_is_what_must_divide():
    with pytest.raises(ValueError, match=r"llama-3\.1-8b"):
        jobs.optimizer_step(job(plan={"global_batch_sequences": 144, "sequence_length": 524_288}))


@pytest.fixture(scope="module")
def taken(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        tree = tree_of(LARGE, SMALL, traffic(BY_TASK, FLAT), JOB | {"takes_over": TAKES}, days=1)
        return run(tree, tmp_path_factory.mktemp("taken"), patch)[0]


def test_the_student_takes_its_share_from_the_day_it_is_ready(taken):
    row = taken.tables["distillations"].iloc[0]
    ready_s = row["generation_s"] + row["training_s"]
    switch_s = 300.0 + ready_s + 7200.0  # start-up, the job, deployment
    routes = taken.tables["routes"].merge(taken.tables["streams"][["stream", "role"]], on="stream")
    student = routes[routes["role"] == "student"].set_index("time")["arrived"]
    first = int(switch_s // 3600)
    assert np.all(student.iloc[:first] == 0.0)
    whole = routes.groupby("time")["arrived"].sum()
    np.testing.assert_allclose(student.iloc[first + 1 :] / whole.iloc[first + 1 :], 0.6, rtol=1e-9)


def test_nothing_is_shed_when_the_student_takes_over(taken):
    assert taken.tables["classes"]["shed"].sum() == 0.0


def test_the_job_holds_its_accelerators_and_then_none(taken):
    row = taken.tables["distillations"].iloc[0]
    planned_h = 72 * (row["generation_s"] + row["training_s"] + 300.0) / 3600.0
    assert row["accelerator_hours"] == pytest.approx(planned_h, rel=0.02)
    assert row["written_tokens"] == pytest.approx(row["target_written_tokens"])
    assert row["trained_tokens"] == pytest.approx(row["target_trained_tokens"])
    assert row["ready"] is not None
    assert len(taken.tables["jobs"]) == 0


def test_break_even_is_cost_over_what_a_token_saves(taken):
    row = distillation.payback(taken).iloc[0]
    saved_s = row["policy_accelerator_s"] - row["student_accelerator_s"]
    assert saved_s > 0.0
    assert row["requests"] * saved_s == pytest.approx(row["accelerator_hours"] * 3600.0)
    rate = 300.0 * 0.6
    assert row["days"] == pytest.approx(row["requests"] / rate / 86_400.0, rel=1e-6)
    rows = {kpi.name: kpi.value for kpi in distillation.kpis(taken)}
    assert rows["distillation.distil.break_even_tokens"] == pytest.approx(row["requests"] * 150.0)
    student = taken.tables["streams"].query("role == 'student'")["served"].sum()
    assert rows["distillation.distil.taken_over"] == pytest.approx(student)
    assert rows["distillation.distil.paid_back"] == pytest.approx(
        student * saved_s / row["accelerator_hours"] / 3600.0)


def test_a_student_that_saves_nothing_never_pays(tmp_path, monkeypatch):
    dearer = {"request_class": "ask", "pool": "large", "share": 0.5, "deploy": "1 h"}
    small_first = {"kind": "by_task", "pools": {"talk": "small"}}
    long = JOB["rollouts"] | {"prompts": 40_000_000}
    student = JOB | {"model": "llama-3.1-70b", "takes_over": dearer, "rollouts": long,
                     "plan": JOB["plan"] | {"tp": 4, "pp": 2}}  # fmt: skip
    tree = tree_of(LARGE, SMALL, traffic(small_first, FLAT), student, days=0.1)
    results, _ = run(tree, tmp_path, monkeypatch)
    rows = {kpi.name: kpi.value for kpi in distillation.kpis(results)}
    assert rows["distillation.distil.break_even_tokens"] is None
    assert rows["distillation.distil.ready"] is None
    assert rows["distillation.distil.taken_over"] == 0.0


def test_a_failure_sends_the_job_back_to_its_last_checkpoint(tmp_path, monkeypatch):
    often = FailureClass(name="often", per="rack", rate="1 /h", effect="interrupt", repair="1 min")
    long = JOB | {"rollouts": JOB["rollouts"] | {"prompts": 2_000_000}}
    small = {"kind": "by_task", "pools": {"talk": "small"}}
    tree = tree_of(SMALL, traffic(small, FLAT), long, days=0.5)
    broken, _ = run(tree, tmp_path, monkeypatch, (often,))
    whole, _ = run(tree, tmp_path, monkeypatch, (NEVER,))
    lost, plain = (r.tables["distillations"].iloc[0] for r in (broken, whole))
    assert lost["interruptions"] >= 1
    assert lost["accelerator_hours"] > plain["accelerator_hours"]
    assert np.isnan(plain["policy_accelerator_s"])
    assert distillation.payback(whole)["requests"].isna().all()


def test_a_student_can_stand_beside_a_policy_that_follows_the_load(tmp_path, monkeypatch):
    spill = {"kind": "spill", "order": ["large", "thinker"]}
    takes = TAKES | {"deploy": "10 min"}
    quick = JOB | {"rollouts": JOB["rollouts"] | {"prompts": 20_000}, "takes_over": takes}
    tree = tree_of(LARGE, SMALL, THINKER, traffic(spill, FLAT, interval="5 min"), quick, days=0.3)
    results, outcome = run(tree, tmp_path, monkeypatch)
    roles = results.tables["streams"].groupby("role")["served"].sum()
    assert 0.0 < roles["student"] < 0.6 * outcome.at["ask", "arrived"]
