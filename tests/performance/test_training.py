"""A training step: published anchors, ablations that bend the right way, refusals."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from simulator.components.from_catalog import accelerator, language_model
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance.collectives import fabric_of
from simulator.performance.training import TrainingStep, estimate

Rows = list[dict[str, str]]
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
    assert step(accelerators).mfu * 989 == pytest.approx(tflops, rel=0.15)


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
        ({"accelerators": 16_010}, "not 16010 accelerators"),
        ({"global_batch_sequences": 2000}, "do not divide into micro-batches"),
        ({"pp": 256}, "layers are too few"),
        (
            {"pp": 1, "tp": 1, "global_batch_sequences": 16_384},
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
    plan |= {"global_batch_sequences": 3600 * 16, "ep": 72}
    made = step(100_800, "frontier-moe-2t", "GB300", **plan)
    assert 0.1 < made.mfu < 0.5
    assert made.step_time_s < 10
    assert made.checkpoint_bytes == pytest.approx(28.4e12, rel=0.01)


def test_published_steps_with_published_plans(validation_rows: Callable[[str], Rows]) -> None:
    """Dense rows whose plan is complete, no constant fitted to a row: the error, all told."""
    errors = []
    for row in validation_rows("training.csv"):
        if not row["stack"].startswith("megatron-202") and row["stack"] != "megascale-2024":
            continue
        if not row["micro_batch"] or row["sharding"] or not row["tp"].isdigit():
            continue
        errors.append(_error(row))
    assert len(errors) > 25
    assert np.median(np.abs(errors)) < 0.15


def _error(row: dict[str, str]) -> float:
    degrees = {name: int(float(row[name] or 1)) for name in ("tp", "pp", "cp", "micro_batch")}
    model = language_model("gpt-3-175b").model_copy(
        update={
            "layers": int(float(row["layers"])),
            "hidden": int(float(row["hidden"])),
            "heads": int(float(row["heads"])),
            "kv_heads": int(float(row["heads"])),
            "head_dimension": int(float(row["hidden"])) // int(float(row["heads"])),
            "ffn": int(float(row["ffn"] or 4 * float(row["hidden"]))),
        }
    )
    plan = ParallelPlan(
        **degrees,
        virtual_stages=int(float(row["vpp"] or 1)),
        global_batch_sequences=int(float(row["global_batch"])),
        sequence_length=int(float(row["seq_len"])),
        recompute=(row["recompute"] or "none").split()[0],
    )
    chips = int(float(row["n_accelerators"]))
    made = estimate(model, accelerator(row["accelerator"]), chips, plan)
    return made.step_time_s / float(row["measured"]) - 1
