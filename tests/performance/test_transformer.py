"""Shapes reproduce published counts and textbook identities."""

import pytest

from simulator import catalog
from simulator.components.from_catalog import language_model
from simulator.performance import transformer


@pytest.mark.parametrize("name", catalog.names("models"))
def test_shapes_reproduce_the_published_parameter_count(name: str) -> None:
    model = language_model(name)
    assert transformer.parameters(model) == pytest.approx(model.parameters_published, rel=0.015)


@pytest.mark.parametrize(
    ("name", "active"),
    [("deepseek-v3", 37e9), ("qwen3-235b-a22b", 22e9), ("llama-4-maverick", 17e9)],
)
def test_active_parameters_are_the_published_ones(name: str, active: float) -> None:
    assert transformer.active_parameters(language_model(name)) == pytest.approx(active, rel=0.02)


@pytest.mark.parametrize("sequence", [2048, 8192])
def test_train_flops_are_megatrons_formula(sequence: int) -> None:
    model = language_model("gpt-3-175b")
    layers, hidden, vocabulary = model.layers, model.hidden, model.vocabulary
    formula = 72 * layers * hidden**2
    formula *= 1 + sequence / (6 * hidden) + vocabulary / (12 * layers * hidden)
    assert transformer.train_flops(model, sequence, causal=False) == pytest.approx(
        formula, rel=2e-4
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("llama-2-70b", 2 * 80 * 8 * 128 * 2),
        ("deepseek-v3", 61 * (512 + 64) * 2),
        ("gpt-3-175b", 2 * 96 * 12288 * 2),
    ],
)
def test_a_token_keeps_keys_and_values_in_every_layer(name: str, expected: float) -> None:
    assert transformer.kv_bytes(language_model(name), 1) == expected


def test_windows_bound_what_is_kept_and_attended() -> None:
    model = language_model("gpt-oss-120b")
    full = transformer.kv_bytes(model, 1)
    assert transformer.kv_bytes(model, 100) == pytest.approx(100 * full)
    assert transformer.kv_bytes(model, 100_000) == pytest.approx(50_064 * full)
    assert transformer.attention_flops(model, 100_000) < 0.51 * 100_000 * (
        transformer.attention_flops(model, 1)
    )


def test_weight_bytes_follow_precision() -> None:
    dense = language_model("llama-2-70b")
    assert transformer.weight_bytes(dense, "bf16") == pytest.approx(138e9, rel=0.005)
    assert transformer.weight_bytes(dense, "fp8") == pytest.approx(69e9, rel=0.01)
    released = transformer.weight_bytes(language_model("gpt-oss-120b"), "fp4")
    assert released == pytest.approx(65e9, rel=0.07)  # 60.8 GiB checkpoint
