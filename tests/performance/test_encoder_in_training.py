"""Images in training: the encoder's work is counted, stands on the first stage, and needs an encoder."""

from typing import Any

import pytest

from simulator.components.from_catalog import accelerator, language_model
from simulator.components.parallel_plan import ParallelPlan
from simulator.performance import layer, plan_faults, transformer
from simulator.performance.plan_search import search
from simulator.performance.setting import Setting
from simulator.performance.training import estimate, setting_of

SEES = "qwen2.5-vl-72b"
BASE: dict[str, Any] = {"global_batch_sequences": 64, "sequence_length": 8192, "tp": 8}


def setting(**plan: Any) -> Setting:
    made = ParallelPlan(**BASE | plan)
    return setting_of(language_model(SEES), accelerator("H100"), made, 8)


def test_the_encoder_computes_no_faster_than_its_flops_allow() -> None:
    made = setting(images=4)
    flops = transformer.encode_flops(made.model, 4.0) / made.plan.tp
    there, back = layer.encoder_time(made)
    ideal_s = flops / made.chip.peak["bf16"]
    assert ideal_s < there.product_s < 5.0 * ideal_s
    assert 2.0 * ideal_s < back.product_s < 10.0 * ideal_s


def test_half_as_many_images_take_half_the_time() -> None:
    one, half = layer.encoder_time(setting(images=1)), layer.encoder_time(setting(images=0.5))
    assert half[0].total_s == pytest.approx(0.5 * one[0].total_s)
    shared = layer.encoder_time(setting(images=2, cp=2))
    assert shared[0].total_s == pytest.approx(one[0].total_s)


def test_the_fullest_stage_has_the_images_or_the_output() -> None:
    plain, some, many = (layer.stage_time(setting(pp=2, images=n)) for n in (0, 0.5, 6))
    assert some.total_s == plain.total_s  # the last stage is still the slower one
    assert many.total_s > plain.total_s
    on_one = [layer.stage_time(setting(images=n)).total_s for n in (0, 6)]
    there, back = layer.encoder_time(setting(images=6))
    assert on_one[1] - on_one[0] == pytest.approx(there.total_s + back.total_s)


def test_images_lengthen_the_step_and_count_as_useful_work() -> None:
    model, chip = language_model(SEES), accelerator("H100")
    steps = [
        estimate(model, chip, 64, ParallelPlan(**BASE, recompute="selective", sharding="full", images=n))
        for n in (0.0, 4.0)
    ]
    assert steps[1].step_time_s > steps[0].step_time_s
    work = [s.mfu * s.step_time_s * 64 * chip.peak["bf16"] for s in steps]
    more = 3.0 * 4.0 * 64 * transformer.encode_flops(model, 1.0)
    assert work[1] - work[0] == pytest.approx(more, rel=1e-6)


@pytest.mark.parametrize(("name", "images"), [("llama-3.1-70b", 1.0), (SEES, 7.0)])
def test_images_need_an_encoder_and_room(name: str, images: float) -> None:
    plan = ParallelPlan(**BASE | {"images": images})
    (fault,) = plan_faults.undivided(language_model(name), 64, plan)
    assert fault[0] == "images" and "has room for" in fault[1]


def test_the_search_finds_what_trying_every_plan_finds() -> None:
    model, chip = language_model(SEES), accelerator("H100")
    given = {
        "global_batch_sequences": 64, "sequence_length": 8192, "precision": "bf16", "images": 4.0,
        "micro_batch": 1, "cp": 1, "ep": 1, "virtual_stages": 1,
    }  # fmt: skip
    found = search(model, chip, 128, given, top=1).plans[0].step.step_time_s
    every = [
        made.step.step_time_s
        for tp in (1, 2, 4, 8)
        for pp in (1, 2, 4, 8, 16)
        for made in search(model, chip, 128, {**given, "tp": tp, "pp": pp}, top=1).plans
    ]
    assert found == pytest.approx(min(every))
