"""The pipeline: the textbook bubble, its remedies, sends that overlap or not."""

from typing import Any

import pytest

from simulator.components.from_catalog import accelerator, language_model, stack
from simulator.components.parallel_plan import ParallelPlan
from simulator.components.stack import Stack
from simulator.performance.layer import stage_time
from simulator.performance.pipeline import PipelineTime, pipeline_time
from simulator.performance.setting import Setting
from simulator.performance.training import setting_of


def setting(dp: int = 4, changes: dict[str, Any] | None = None, **plan: Any) -> Setting:
    asked = ParallelPlan(**{"global_batch_sequences": 256, "sequence_length": 4096, "tp": 8} | plan)
    made: Stack = stack("mlperf-v3.1").model_copy(update=changes or {})
    return setting_of(language_model("llama-3.1-70b"), accelerator("H100"), asked, dp, None, made)


def lost(made: Setting) -> PipelineTime:
    return pipeline_time(made, stage_time(made))


def test_one_stage_loses_nothing() -> None:
    assert lost(setting()) == PipelineTime(0.0, 0.0)


@pytest.mark.parametrize(("pp", "chunks"), [(2, 1), (4, 1), (4, 5), (8, 2)])
def test_bubble_is_other_stages_over_chunks(pp: int, chunks: int) -> None:
    made = setting(pp=pp, virtual_stages=chunks)
    stage = stage_time(made)
    plain_s = stage.total_s - stage.top.total_s
    assert lost(made).bubble_s == pytest.approx((pp - 1) / chunks * plain_s)


def test_zero_bubble_leaves_a_third() -> None:
    plain, zero = setting(pp=8), setting(pp=8, schedule="zero_bubble")
    assert lost(zero).bubble_s == pytest.approx(lost(plain).bubble_s / 3)


def test_interleaving_trades_bubble_for_sends() -> None:
    few, many = lost(setting(pp=8)), lost(setting(pp=8, virtual_stages=10))
    assert many.bubble_s == pytest.approx(few.bubble_s / 10)
    assert many.sends_s > 3 * few.sends_s


def test_a_stack_that_overlaps_sends_shows_fewer() -> None:
    exposed = stack("mlperf-v3.1").exposed
    bare = lost(setting(pp=8, changes={"exposed": exposed.model_copy(update={"pipeline": 1.0})}))
    hidden = lost(setting(pp=8, changes={"exposed": exposed.model_copy(update={"pipeline": 0.0})}))
    assert hidden.bubble_s == bare.bubble_s
    assert 0.0 < hidden.sends_s < 0.5 * bare.sends_s
