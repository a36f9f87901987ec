"""Iterations of post-training: their parts, their pools, and how a run follows them."""

import numpy as np
import pytest
from small import load_tree, pod_tree

from simulator.components import from_catalog
from simulator.metrics import balance
from simulator.performance import transformer
from simulator.performance.training import WAITING_POWER, estimate
from simulator.simulation import simulate
from simulator.workloads.rl_post_training import RlPostTraining, step_of
from simulator.workloads.rollouts import generation_of

ROLLOUTS = {
    "prompts": 512, "samples": 8, "input_tokens": 800, "output_tokens": 3000, "length_cv": 0.8,
    "longest_output": 12_000, "tensor_parallel": 4, "weight_precision": "fp8",
}
PLAN = {"tp": 4, "global_batch_sequences": 72, "sequence_length": 8192}


def job(**changes):
    return RlPostTraining.model_validate({
        "kind": "rl_post_training", "name": "reason", "model": "llama-3.1-70b",
        "accelerator": "GB300", "accelerators": 288, "iterations": 5, "rollouts": ROLLOUTS,
        "plan": PLAN, "checkpoint": {"stall": "5 s", "restart": "1 min"}, **changes})


def seconds(step, *names):
    return sum(p.seconds for p in step.phases if p.name in names)


TRAINING = ("compute", "bubble", "communication")


def test_a_synchronous_iteration_is_the_sum_of_its_parts():
    it, step = job(), step_of(job())
    written = generation_of(it.rollouts, it.model, it.accelerator, 288)
    assert seconds(step, "generation") == pytest.approx(written.seconds)
    tokens = 512 * 8 * (800 + written.output_tokens)
    one = estimate(from_catalog.language_model(it.model), from_catalog.accelerator("GB300"), 288,
                   it.plan)
    trained_s = tokens / one.tokens_per_step * one.step_time_s
    assert seconds(step, *TRAINING) == pytest.approx(trained_s)
    assert step.tokens_per_step == pytest.approx(tokens)
    assert step.steps == 5.0
    assert seconds(step, "weight_sync") > 0.0


def test_epochs_repeat_training_only():
    once, thrice = step_of(job()), step_of(job(epochs=3))
    assert seconds(thrice, *TRAINING) == pytest.approx(3.0 * seconds(once, *TRAINING))
    assert seconds(thrice, "generation") == seconds(once, "generation")


def test_a_rule_scores_in_no_time_and_a_reward_model_reads_everything():
    bare = step_of(job(reference=False))
    assert seconds(bare, "scoring") == 0.0
    one = step_of(job())
    two = step_of(job(reward_model="llama-3.1-70b"))
    assert seconds(two, "scoring") == pytest.approx(2.0 * seconds(one, "scoring"))


def test_one_step_off_takes_the_longer_of_the_two_pools():
    together = step_of(job(generators=144))
    ahead = step_of(job(generators=144, asynchronous=True))
    written_s = seconds(together, "generation", "scoring")
    trained_s = seconds(together, *TRAINING)
    sync_s = seconds(together, "weight_sync")
    assert ahead.step_time_s == pytest.approx(max(written_s, trained_s) + sync_s)
    assert ahead.tokens_per_step == together.tokens_per_step


def test_pools_side_by_side_draw_the_same_energy_above_waiting():
    """What two pools draw beyond a waiting chip does not depend on whether they overlap."""
    def above_j(step):
        return step.step_time_s * (step.dynamic_power_frac - WAITING_POWER)

    together = step_of(job(generators=144))
    ahead = step_of(job(generators=144, asynchronous=True))
    assert above_j(ahead) == pytest.approx(above_j(together))
    shared = step_of(job())
    assert shared.phases[0].dynamic_power_frac > together.phases[0].dynamic_power_frac


def test_writing_draws_less_than_training_and_hardly_follows_the_clock():
    step = step_of(job())
    power = {p.name: p.dynamic_power_frac for p in step.phases}
    bound = {p.name: p.clock_bound_frac for p in step.phases}
    assert power["generation"] < power["compute"]
    assert bound["generation"] < 0.3 < bound["compute"]


def test_model_flops_count_each_token_written_scored_and_trained():
    it = job(epochs=2)
    step, model = step_of(it), from_catalog.language_model(it.model)
    tokens = step.tokens_per_step / 2
    forward = transformer.forward_flops(model, transformer.causal_span(tokens / 4096))
    flops = step.mfu * step.step_time_s * 288 * from_catalog.accelerator("GB300").peak["bf16"]
    assert flops == pytest.approx(tokens * forward * (1 + 1 + 2 * 3), rel=1e-6)


LONG = ROLLOUTS | {"prompts": 4096, "output_tokens": 6000, "longest_output": 24_000}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Forty iterations of many minutes each, in which nothing fails."""
    tree = pod_tree()
    given = job(iterations=40, rollouts=LONG).model_dump(mode="json", exclude_none=True)
    given["checkpoint"] |= {"policy": "fixed", "interval": "1 h"}
    tree["workloads"], tree["reliability"] = [given], {"rate_scale": 0}
    return simulate(load_tree(tree, tmp_path_factory.mktemp("reason")))


def test_the_run_ends_after_its_iterations(ran):
    row = ran.tables["jobs"].iloc[0]
    finish = ran.events.query("kind == 'job_finish'")["time"].iloc[0]
    elapsed_s = (finish - ran.timeseries["site"]["time"].iloc[0]).total_seconds()
    work_s = 40 * row["planned_step_time_s"]
    assert elapsed_s == pytest.approx(60.0 + work_s * 3605.0 / 3600.0, abs=0.1)
    assert row["tokens"] == pytest.approx(row["target_tokens"], rel=1e-12)
    assert row["generation_frac"] == pytest.approx(
        ran.tables["phases"].query("part in ('generation', 'scoring')")["share"].sum())
    assert max(balance.checks(ran).values()) <= 1e-9


def test_the_minutes_show_low_writing_and_high_training(ran):
    """Minutes wholly inside the two long parts differ by their powers; the job restarts first."""
    seconds = ran.tables["phases"].groupby("part", sort=False)["seconds"].sum()
    period_s, write_s = float(seconds.sum()), float(seconds["generation"])
    train_s = float(seconds["training"])
    assert min(write_s, train_s) > 240.0
    minute = np.arange(2, int(40 * period_s / 60.0))
    place_s = (minute * 60.0 - 60.0) * 3600.0 / 3605.0 % period_s
    it_w = ran.timeseries["site"]["it_w"].to_numpy()[minute]
    writing = it_w[(place_s > 60.0) & (place_s < write_s - 120.0)]
    training = it_w[(place_s > period_s - train_s + 60.0) & (place_s < period_s - 120.0)]
    assert min(writing.size, training.size) > 50
    assert writing.max() < training.min()
    power = ran.tables["phases"].assign(j=lambda p: p["seconds"] * p["dynamic_power_frac"])
    power = power.groupby("part")["j"].sum() / power.groupby("part")["seconds"].sum()
    chip = from_catalog.accelerator("GB300")
    rack = from_catalog.rack("GB300-NVL72")
    full_w = 288 * (chip.tdp - chip.idle) + 4 * (rack.host_max - rack.host_idle)
    gap_w = full_w * (power["training"] - power["generation"])
    supplied = (training.mean() - writing.mean()) / gap_w
    assert 1.0 < supplied < 1.1  # shelf losses and leakage on top
