"""The list of layers adds up to the model, for every kind of layer the catalog knows."""

import pytest

from simulator import catalog
from simulator.components.from_catalog import language_model
from simulator.components.language_model import LanguageModel
from simulator.performance import layers, transformer

MODELS = catalog.names("models")
HYBRIDS = [name for name in MODELS if language_model(name).state_space]
LATENT = {"kv_rank": 1, "rope_dimension": 1, "nope_dimension": 1, "value_dimension": 1}
LOW_RANK = {"query_rank": 1, "output_rank": 1, "output_groups": 1}
each = pytest.mark.parametrize("name", MODELS)


def kind(name: str, wanted: str) -> layers.LayerKind:
    return next(k for k in layers.kinds(language_model(name)) if k.name == wanted)


@each
def test_flops_of_all_layers_are_those_of_the_model(name: str) -> None:
    model = language_model(name)
    for attended in (1.0, 100.0, 5_000.0, 100_000.0):
        summed = sum(
            k.count * k.flops(k.attention.span(attended) if k.attention else 0.0, attended)
            for k in (*layers.kinds(model), layers.output(model))
        )
        assert summed == pytest.approx(transformer.forward_flops(model, attended), rel=1e-12)


@each
def test_training_is_three_forwards_with_prediction(name: str) -> None:
    model = language_model(name)
    plain = model.model_copy(update={"mtp_layers": 0})
    assert transformer.train_flops(plain, 4096, causal=False) == pytest.approx(
        3.0 * transformer.forward_flops(model, 4096.0)
    )
    more = transformer.train_flops(model, 4096) - transformer.train_flops(plain, 4096)
    assert (more > 0) == (model.mtp_layers > 0)


@each
def test_layers_hold_all_weights_beside_tables_and_encoder(name: str) -> None:
    model = language_model(name)
    held = sum(k.count * k.stored_weights for k in layers.kinds(model))
    tables = (1 if model.tied_embeddings else 2) * model.vocabulary + model.positions
    coder = layers.encoder(model)
    held += tables * model.hidden + (coder.count * coder.stored_weights if coder else 0.0)
    assert held == pytest.approx(transformer.parameters(model), rel=1e-12)


@each
def test_every_layer_is_listed_once(name: str) -> None:
    model = language_model(name)
    counts = {"mixer": 0, "network": 0}
    for found in layers.kinds(model):
        counts["mixer" if found.attention or found.state else "network"] += found.count
    states = model.state_space.layers if model.state_space else 0
    assert counts["mixer"] == model.attention_layers + states
    assert counts["network"] == model.ffn_layers
    if model.layout:
        assert sum(counts.values()) == model.layers
    else:
        assert counts == {"mixer": model.layers, "network": model.layers}


# Closed forms


def test_a_plain_layer_is_twelve_hidden_squared() -> None:
    model = language_model("gpt-3-175b")
    products = [p for k in layers.kinds(model) for p in k.products]
    assert {p.part for p in products} == {"qkv", "out", "up", "down"}
    assert sum(p.stored_weights for p in products) == 12 * model.hidden**2


def test_mamba_2_projections_are_those_of_the_paper() -> None:
    # In: gate, values, keys, queries, a step per head; out: values (Dao and Gu, section 8).
    found = kind("nemotron-3-super", "state space")
    inner, keys = 128 * 64, 8 * 128
    assert [(p.k, p.n) for p in found.products] == [
        (4096, 2 * inner + 2 * keys + 128),
        (inner, 4096),
    ]
    assert found.state and found.state.flops == 4 * inner * 128


def test_latent_experts_work_in_the_reduced_width() -> None:
    found = {p.part: p for p in kind("nemotron-3-super", "experts").products}
    assert (found["expert_up"].k, found["expert_down"].n) == (1024, 1024)
    assert (found["latent_down"].k, found["latent_up"].n) == (4096, 4096)
    assert found["shared_up"].k == 4096
    assert found["expert_up"].stored == 512 and found["expert_up"].times == 22


def test_delta_rule_reads_before_it_writes() -> None:
    mamba, delta = (
        kind(name, "state space").state for name in ("nemotron-3-nano", "qwen3-next-80b-a3b")
    )
    assert mamba and delta
    assert mamba.flops / mamba.kept == 4 and delta.flops / delta.kept == 6


def test_prediction_joins_two_vectors_and_reads_out_once_more() -> None:
    made = layers.predictions(language_model("deepseek-v3"))
    assert made is not None
    found = {p.part: p for p in made.products}
    assert (found["join"].k, found["join"].n) == (2 * 7168, 7168)
    assert found["output"].stored == 0
    # The released checkpoint holds 14 B for it, embeddings and output matrix counted again.
    again = 2 * 129280 * 7168
    assert made.stored_weights + again == pytest.approx(14e9, rel=0.05)


# Spans


@pytest.mark.parametrize(
    "name", ["llama-2-7b", "gpt-oss-120b", "deepseek-v3.2", "deepseek-v4-flash"]
)
@pytest.mark.parametrize("sequence", [1, 100, 4096])
def test_mean_span_is_the_mean_of_spans(name: str, sequence: int) -> None:
    for found in layers.kinds(language_model(name)):
        if found.attention:
            spans = [found.attention.span(n) for n in range(1, sequence + 1)]
            mean = sum(spans) / sequence
            assert found.attention.mean_span(sequence) == pytest.approx(mean, rel=1e-9)


def test_chosen_positions_bound_the_core_but_not_the_index() -> None:
    model = language_model("deepseek-v3.2")
    core = layers.kinds(model)[0].attention
    assert core and core.span(1000) == 1000 and core.span(1e6) == 2048
    more = transformer.attention_flops(model, 2e6) - transformer.attention_flops(model, 1e6)
    assert more == pytest.approx(61 * 2 * 64 * 128 * 1e6)


def test_merged_positions_shrink_what_is_kept() -> None:
    # DeepSeek-V4 keeps about a tenth of what V3.2 keeps at a million tokens (its model card).
    old, new = (language_model(n) for n in ("deepseek-v3.2", "deepseek-v4-pro"))
    assert 0.05 < transformer.kv_bytes(new, 1e6) / transformer.kv_bytes(old, 1e6) < 0.2


@pytest.mark.parametrize("name", HYBRIDS)
def test_states_are_kept_at_any_length(name: str) -> None:
    model = language_model(name)
    made = model.state_space
    assert made
    numbers = made.layers * made.heads * made.head_dimension * made.state
    assert 4 * numbers < transformer.state_bytes(model) < 4.2 * numbers
    per_token = model.attention_layers * transformer.kv_width(model) * 2
    assert transformer.kv_bytes(model, 1000) == pytest.approx(1000 * per_token)


def test_an_encoder_is_a_transformer_of_its_own() -> None:
    model = language_model("gemma-3-27b")
    made = layers.encoder(model)
    assert made and made.count == 27
    positions = transformer.encoder_positions(model)
    assert positions == 4096
    flops = 2 * made.count * made.stored_weights + 4 * 27 * 1152 * positions
    assert transformer.encode_flops(model, 2.0) == pytest.approx(2 * positions * flops)
    assert layers.encoder(language_model("llama-2-7b")) is None


def test_contradictions_are_refused() -> None:
    base = language_model("nemotron-3-nano").model_dump()
    for change, told in (
        ({"layout": {"attention": 6, "ffn": 60}}, "do not fill"),
        ({"layout": {"attention": 40, "ffn": 12}}, "do not fill"),
        ({"latent": LATENT, "low_rank": LOW_RANK}, "not both"),
        ({"window": 128, "window_layers": 7}, "more layers have a window"),
        ({"sparse": [{"merged": 4}]}, "need a window"),
        ({"sparse": [{"layers": 7, "kept": 64}]}, "more than the layers"),
    ):
        with pytest.raises(ValueError, match=told):
            LanguageModel.model_validate(base | change)
