"""Speculative decoding: what a step verifies, costs and gives."""

import pytest

from simulator.components.from_catalog import accelerator, engine, language_model
from simulator.performance.collectives import fabric_of
from simulator.performance.iteration import replica_cost_of
from simulator.performance.serving_setting import ReplicaPlan, ServingSetting
from simulator.performance.speculation import Drafts, speculated


def setting(model: str) -> ServingSetting:
    chip = accelerator("B200")
    return ServingSetting(
        language_model(model), chip, ReplicaPlan(8, 1, 8), "fp8", engine("trtllm-1.0"),
        fabric_of(chip), 1.0,
    )  # fmt: skip


def test_a_step_costs_more_and_gives_more() -> None:
    made = setting("deepseek-v3")
    plain = replica_cost_of(made).time
    drafted = speculated(made, plain, Drafts(3, 2.5))
    assert (drafted.verified, drafted.emitted) == (4.0, 2.5)
    for batch in (1.0, 16.0, 128.0):
        slower = float(drafted.decode_s(batch, 2000.0) / plain.decode_s(batch, 2000.0))
        assert 1.0 < slower < 4.0
    assert float(drafted.decode_s(4, 2000.0)) / 2.5 < float(plain.decode_s(4, 2000.0))


def test_more_drafts_cost_more() -> None:
    made = setting("deepseek-v3")
    plain = replica_cost_of(made).time
    times = [float(speculated(made, plain, Drafts(n, 1.5)).decode_s(8, 1000.0)) for n in (1, 2, 4)]
    assert times == sorted(times) and times[0] < times[2]


def test_a_model_without_prediction_layers_cannot_draft() -> None:
    made = setting("llama-3.1-70b")
    with pytest.raises(ValueError, match="no layer of multi-token prediction"):
        speculated(made, replica_cost_of(made).time, Drafts(1, 1.5))
