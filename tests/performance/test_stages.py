"""Layers dealt out to pipeline stages."""

import pytest

from simulator import catalog
from simulator.components.from_catalog import language_model
from simulator.performance import layers, stages


def test_equal_stages_hold_their_share() -> None:
    assert stages.fullest(language_model("llama-3.1-70b"), 8) == 10


def test_uneven_stages_count_both_ends_as_layers() -> None:
    # Llama 3 405B: 126 layers on 16 stages, the first and the last one short of a layer.
    assert stages.fullest(language_model("llama-3.1-405b"), 16) == 8
    assert stages.fullest(language_model("llama-3.1-8b"), 31) == 2


@pytest.mark.parametrize("name", catalog.names("models"))
def test_one_stage_holds_everything(name: str) -> None:
    model = language_model(name)
    held = {kind.name: 0.0 for kind, _ in stages.mix(model, 1)}
    for kind, count in stages.mix(model, 1):
        held[kind.name] += count
    for kind in layers.kinds(model):
        held[kind.name] -= kind.count
    assert held.pop("prediction", 0.0) == model.mtp_layers
    assert all(left == pytest.approx(0.0) for left in held.values())


def test_stages_behind_dense_layers_hold_experts_only() -> None:
    held = {kind.name: n for kind, n in stages.mix(language_model("deepseek-v2"), 4)}
    assert held == {"attention": 15, "dense network": 0, "experts": 15}


def test_interleaved_experts_are_spread_evenly() -> None:
    held = {kind.name: n for kind, n in stages.mix(language_model("llama-4-maverick"), 4)}
    assert held["dense network"] == held["experts"] == 6
