"""What layers keep: the published formula, and what precision, dropout and kernels change."""

import pytest

from simulator import catalog
from simulator.components.from_catalog import language_model
from simulator.performance import activations, layers
from simulator.performance.activations import Keeping, Kept

OLD = Keeping(fused_attention=False, dropout=True)
NAMES = catalog.names("models")


@pytest.mark.parametrize("name", ["gpt-22b", "gpt-3-175b", "gpt-529.6b", "gpt-1008b"])
def test_a_plain_layer_keeps_what_korthikanti_counts(name: str) -> None:
    # arXiv:2205.05198, equations 1 and 2: s b h (10 + 24/t) + 5 a s^2 b / t.
    model = language_model(name)
    kept = activations.of_stage(model, 1, OLD)
    per_layer = model.layers * model.hidden
    assert kept.split / per_layer == pytest.approx(24.0)
    assert kept.spread / per_layer == pytest.approx(10.0)
    assert kept.score == 5.0 * model.heads * model.layers


def test_a_fused_layer_keeps_no_scores_but_their_sums() -> None:
    model = language_model("gpt-3-175b")
    fused, old = (activations.of_stage(model, 1, k) for k in (Keeping(dropout=True), OLD))
    assert fused.score == 0.0
    assert fused.split - old.split == 4.0 * model.heads * model.layers


def test_a_gated_layer_by_hand() -> None:
    # Llama 3 70B: norm in and out twice, queries with keys and values, output, gate and up, product.
    model = language_model("llama-3.1-70b")
    kept = activations.of_stage(model, 1, Keeping())
    h, wide = model.hidden, model.ffn
    by_hand = 2 * (2 * 2 * h) + 2 * (h + 2048) + 2 * h + 4 * 64 + 2 * 2 * wide + 2 * wide
    assert kept.split + kept.spread == pytest.approx(model.layers * by_hand)
    assert kept.working == 2 * 3 * wide


@pytest.mark.parametrize("name", NAMES)
def test_fewer_bits_keep_less_but_not_by_their_ratio(name: str) -> None:
    model = language_model(name)
    wide, half, quarter = (
        activations.of_stage(model, 1, Keeping(precision)) for precision in ("bf16", "fp8", "fp4")
    )
    sums = [kept.split + kept.spread for kept in (wide, half, quarter)]
    assert sums[0] > sums[1] > sums[2] > 0.4 * sums[0]
    assert wide.working == half.working


@pytest.mark.parametrize("name", NAMES)
def test_what_is_cheap_to_make_again_is_part_of_what_is_kept(name: str) -> None:
    kept = activations.of_stage(language_model(name), 1, Keeping())
    assert 0 < kept.cheap_split < kept.split
    assert 0 < kept.cheap_spread < kept.spread


def test_routed_tokens_are_kept_once_per_expert() -> None:
    model = language_model("qwen3-30b-a3b")
    found = next(k for k in layers.kinds(model) if k.name == "experts")
    kept = activations.of_layer(model, found, Keeping())
    each = 2 * 2048 + 2 * 2 * 768 + 2 * 768
    assert kept.split == 8 * each


def test_latent_experts_keep_the_reduced_width() -> None:
    model = language_model("nemotron-3-super")
    found = next(k for k in layers.kinds(model) if k.name == "experts")
    kept = activations.of_layer(model, found, Keeping())
    shared = 2 * 5376 + 2 * 5376
    assert kept.split == 22 * (2 * 1024 + 2 * 2688 + 2 * 2688) + shared


def test_hyper_connections_keep_every_stream() -> None:
    model = language_model("deepseek-v4-flash")
    one = model.model_copy(update={"residual_streams": 1})
    more = activations.of_stage(model, 1, Keeping()).spread
    more -= activations.of_stage(one, 1, Keeping()).spread
    parts = 2 * model.layers + 2 * model.mtp_layers
    assert more == pytest.approx(parts * 3 * 2 * model.hidden)


def test_prediction_keeps_about_one_layer_more() -> None:
    model = language_model("deepseek-v3")
    plain = model.model_copy(update={"mtp_layers": 0})
    kept = [activations.of_stage(m, 1, Keeping()) for m in (plain, model)]
    more = sum(kept[1].split + k.spread for k in kept[1:]) - (kept[0].split + kept[0].spread)
    assert 1.0 < more / ((kept[0].split + kept[0].spread) / 61) < 1.2


def test_an_encoder_keeps_what_a_plain_layer_does() -> None:
    model = language_model("gemma-3-27b")
    kept = activations.of_encoder(model, Keeping())
    h, wide, heads = 1152, 4304, 16
    by_hand = 2 * (2 + 2) * h + 2 * 3 * h + 2 * h + 4 * heads + 2 * 2 * wide
    assert kept.split + kept.spread == pytest.approx(27 * by_hand)
    assert activations.of_encoder(language_model("llama-2-7b"), Keeping()) == Kept()


def test_kept_adds_up_and_works_on_one_layer_at_a_time() -> None:
    a, b = Kept(1.0, 2.0, 3.0, 0.5, 0.25, 7.0), Kept(split=1.0, working=9.0)
    assert a.plus(b) == Kept(2.0, 2.0, 3.0, 0.5, 0.25, 9.0)
    assert a.times(2.0) == Kept(2.0, 4.0, 6.0, 1.0, 0.5, 7.0)
