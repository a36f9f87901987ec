"""The pipeline: the textbook bubble, its remedies, sends that overlap or not."""

from typing import Any

import pytest

from simulator.components.fabric import Ends
from simulator.components.fabric.clos import Clos
from simulator.components.fabric.tier import Tier
from simulator.components.from_catalog import accelerator, language_model, stack
from simulator.components.parallel_plan import ParallelPlan, SiteSync
from simulator.components.stack import Stack
from simulator.performance.collectives import Fabric, fabric_of
from simulator.performance.layer import stage_time
from simulator.performance.pipeline import PipelineTime, pipeline_time
from simulator.performance.setting import Setting
from simulator.performance.training import estimate, setting_of


def setting(
    dp: int = 4, changes: dict[str, Any] | None = None, fabric: Fabric | None = None, **plan: Any
) -> Setting:
    asked = ParallelPlan(**{"global_batch_sequences": 256, "sequence_length": 4096, "tp": 8} | plan)
    made: Stack = stack("mlperf-v3.1").model_copy(update=changes or {})
    return setting_of(language_model("llama-3.1-70b"), accelerator("H100"), asked, dp, fabric, made)


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


def tiered(core: float, kind: str = "scaleout") -> Fabric:
    """Return pods of 64 H100 under a core, or in sites, at a share of their rate."""
    chip = accelerator("H100")
    rate = chip.scaleout_bandwidth
    pod = Tier("spine", "scaleout", 64, rate, 3e-6)
    return fabric_of(chip, (pod, Tier("top", kind, 256, core * rate, 5e-6)))


@pytest.mark.parametrize("kind", ["scaleout", "wan"])
def test_a_pipeline_keeps_the_pace_of_its_slowest_boundary(kind: str) -> None:
    # Stages of 32 chips: every other boundary lies inside a pod of 64, the others cross the top.
    sends_s = [lost(setting(fabric=tiered(core, kind), pp=8)).sends_s for core in (1, 0.5, 0.1)]
    assert sends_s[0] < sends_s[1] < sends_s[2]
    assert sends_s[2] > 5 * sends_s[0]


def test_a_pipeline_in_one_pod_does_not_feel_the_core() -> None:
    slow, fast = (lost(setting(fabric=tiered(core), pp=2)) for core in (0.1, 1.0))
    assert slow == fast


def test_stages_stay_in_a_site() -> None:
    # Four sites of 64 chips, each with a rank of data parallelism and its eight stages.
    slow, fast = (
        lost(setting(fabric=tiered(core, "wan"), pp=8, sites=SiteSync(sites=4)))
        for core in (0.01, 1.0)
    )
    assert slow == fast
    assert 0.0 < slow.sends_s < lost(setting(fabric=tiered(0.01, "wan"), pp=8)).sends_s


def test_an_oversubscribed_core_slows_the_step_of_a_large_job() -> None:
    model, chip = language_model("llama-3.1-405b"), accelerator("H100")
    plan = ParallelPlan(
        tp=8, pp=16, global_batch_sequences=512, sequence_length=8192, recompute="full",
        sharding="full",
    )  # fmt: skip
    steps_s = []
    for over in (1.0, 7.0, 31.0):
        core = Clos.model_validate({
            "radix": 32, "core_oversubscription": over, "port_bandwidth": "400 Gb/s",
            "hop_latency": "600 ns", "switch_power": "1 kW", "optic_power": "10 W",
        })  # fmt: skip
        tiers = core.tiers(Ends(2048, 2048, chip.scaleout_bandwidth, 8))
        steps_s.append(estimate(model, chip, 2048, plan, fabric_of(chip, tiers)).step_time_s)
    assert 1.01 * steps_s[0] < steps_s[1] < steps_s[2]
    assert steps_s[2] > 1.05 * steps_s[0]
