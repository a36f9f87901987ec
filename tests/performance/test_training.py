"""A training step: published anchors, ablations that bend the right way, refusals."""

from typing import Any

import pytest

from simulator.components.from_catalog import accelerator, language_model
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance.collectives import fabric_of
from simulator.performance.training import (
    DEFAULT_STACK,
    TrainingStep,
    estimate,
    estimate_unchecked,
)

BASE: dict[str, Any] = {
    "tp": 8,
    "pp": 16,
    "virtual_stages": 4,
    "global_batch_sequences": 2048,
    "sequence_length": 8192,
    "sharding": "gradients",
    "recompute": "selective",
}


def step(
    accelerators: int = 16_384,
    model: str = "llama-3.1-405b",
    chip: str = "H100-SXM-80GB",
    scaleout_left: float = 1.0,
    **changes: Any,
) -> TrainingStep:
    made = accelerator(chip)
    plan = ParallelPlan(**BASE | changes)
    fabric = fabric_of(made, degraded=scaleout_left)
    return estimate(language_model(model), made, accelerators, plan, fabric)


@pytest.mark.parametrize(("accelerators", "tflops"), [(8192, 430), (16_384, 400)])
def test_llama_3_405b_runs_at_the_published_rate(accelerators: int, tflops: float) -> None:
    # The Llama 3 Herd of Models, table 4; virtual stages are not published.
    assert step(accelerators, stack="llama3-2024").mfu * 989 == pytest.approx(tflops, rel=0.15)


def test_parts_make_the_step() -> None:
    made = step()
    bubble_s = made.bubble_frac * made.step_time_s
    parts_s = made.compute_s + made.exposed_communication_s + bubble_s
    assert parts_s == pytest.approx(made.step_time_s)
    assert min(made.compute_s, made.exposed_communication_s, bubble_s) > 0
    assert made.tokens_per_step == 2048 * 8192
    assert made.data_parallel == 128
    assert 0.6 < made.dynamic_power_frac < made.compute_power_frac <= 1
    assert made.checkpoint_bytes == pytest.approx(14 * 405.85e9, rel=1e-3)


def test_bubble_is_the_textbook_one() -> None:
    # (p - 1) / (v m) of the work, here with one stage's micro-batches m = 2048 / 128.
    made = step()
    work_s = made.step_time_s * (1 - made.bubble_frac)
    assert made.bubble_frac * made.step_time_s / work_s == pytest.approx(15 / (4 * 16), rel=0.06)


@pytest.mark.parametrize(
    ("slower", "faster"),
    [
        ({"recompute": "full"}, {"recompute": "selective"}),
        ({"virtual_stages": 1}, {"virtual_stages": 4}),
        ({"precision": "bf16"}, {"precision": "fp8"}),
        ({"scaleout_left": 0.25}, {"scaleout_left": 1.0}),
        ({"accelerators": 8192}, {"accelerators": 16_384}),
        ({"chip": "H100"}, {"chip": "GB200"}),
    ],
)
def test_ablations_bend_the_right_way(slower: dict[str, Any], faster: dict[str, Any]) -> None:
    assert step(**slower).step_time_s > 1.01 * step(**faster).step_time_s


def test_full_recompute_costs_about_a_third_of_the_products_and_saves_memory() -> None:
    kept, again = step(recompute="selective"), step(recompute="full")
    assert again.compute_s / kept.compute_s == pytest.approx(1.33, abs=0.04)
    assert again.memory_bytes < 0.5 * kept.memory_bytes


def test_strong_scaling_loses_to_bubbles() -> None:
    few, many = step(8192), step(16_384)
    assert 1.6 < few.step_time_s / many.step_time_s < 2.0
    assert few.mfu > many.mfu


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tp": 3}, "128 heads do not divide over tp 3"),
        ({"accelerators": 16_010}, "does not divide 16010 accelerators"),
        ({"global_batch_sequences": 2000}, "do not divide into micro-batches"),
        ({"pp": 256}, "layers are too few"),
        (
            {"pp": 1, "tp": 1, "virtual_stages": 1, "global_batch_sequences": 16_384},
            "does not fit H100-SXM-80GB: weights 811.7 GB, gradients",
        ),
        ({"ep": 8}, "1 experts do not divide over ep 8"),
        (
            {"precision": "fp4", "chip": "A100"},
            "A100-SXM-80GB multiplies in bf16, int8, not in fp4",
        ),
    ],
)
def test_impossible_plans_say_why(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        step(**changes)


def test_experts_cost_their_active_share() -> None:
    plan: dict[str, Any] = {"tp": 2, "pp": 14, "virtual_stages": 6, "precision": "fp8"}
    plan |= {"global_batch_sequences": 3600 * 14, "ep": 72}
    made = step(100_800, "frontier-moe-2t", "GB300", **plan)
    assert 0.1 < made.mfu < 0.5
    assert made.step_time_s < 10
    assert made.checkpoint_bytes == pytest.approx(28.4e12, rel=0.01)


def test_a_slower_clock_slows_the_share_that_products_take() -> None:
    full, half = step(), estimate_at(0.5)
    share = full.clock_bound_frac
    assert 0.6 < share < 0.95
    assert half.step_time_s / full.step_time_s == pytest.approx(share / 0.5 + 1.0 - share, rel=0.05)


def estimate_at(clock_frac: float) -> TrainingStep:
    made = accelerator("H100-SXM-80GB")
    return estimate(
        language_model("llama-3.1-405b"), made, 16_384, ParallelPlan(**BASE), clock_frac=clock_frac
    )


def test_what_ran_somewhere_is_timed_though_it_does_not_fit() -> None:
    plan = ParallelPlan(**BASE | {"pp": 1, "virtual_stages": 1, "tp": 8})
    model, chip = language_model("llama-3.1-405b"), accelerator("H100-SXM-80GB")
    with pytest.raises(ValueError, match="does not fit"):
        estimate(model, chip, 16_384, plan)
    assert estimate_unchecked(model, chip, 16_384, plan).memory_bytes > chip.memory


def test_the_step_tells_whose_constants_it_used() -> None:
    assert step().stack == DEFAULT_STACK
    assert step(stack="llama3-2024").stack == "llama3-2024"
    with pytest.raises(KeyError, match="no 'torch' in stacks"):
        step(stack="torch")


def test_deepseek_v3_takes_its_published_days_per_trillion_tokens() -> None:
    """180,000 hours of H800 per trillion tokens on 2,048 of them are 3.66 days; 16 stages, 64-way
    experts, sequences of 4,096, 15,360 a batch (DeepSeek-V3, arXiv:2412.19437, sections 1, 3.2, 4.2)."""
    plan = ParallelPlan(
        pp=16, ep=64, schedule="zero_bubble", precision="fp8", recompute="selective",
        sequence_length=4096, global_batch_sequences=15_360, stack="deepseek-2024",
    )  # fmt: skip
    made = estimate(language_model("deepseek-v3"), accelerator("H800-SXM-80GB"), 2048, plan)
    days = 1e12 / (15_360 * 4096) * made.step_time_s / 86_400
    assert days == pytest.approx(180e3 / 2048 / 24, rel=0.15)
