"""Parameters, floating-point operations and bytes of a transformer, from its shapes."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.components.language_model import PRECISION_BYTES, LanguageModel

Number = TypeVar("Number", float, NDArray[np.float64])
KV_BYTES = 2.0  # keys and values are kept in 16 bits unless the caller says otherwise


@dataclass(frozen=True)
class Block:
    """Weights of one layer, by the part of the layer they belong to."""

    attention: float
    dense_ffn: float
    expert: float
    """One expert."""
    router: float
    norms: float


def block(model: LanguageModel) -> Block:
    """Return the weight counts of one layer."""
    matrices = 3 if model.gated else 2
    experts = model.experts
    return Block(
        attention=_attention_weights(model),
        dense_ffn=matrices * model.hidden * model.ffn,
        expert=matrices * model.hidden * experts.ffn if experts else 0.0,
        router=model.hidden * experts.count if experts else 0.0,
        norms=2.0 * model.hidden,
    )


def parameters(model: LanguageModel) -> float:
    """Return the number of weights, embeddings and encoder included."""
    part = block(model)
    experts = model.experts
    mixture = (experts.count + experts.shared) * part.expert + part.router if experts else 0.0
    return _spine(model, part) + model.moe_layers * mixture + _ends(model)


def active_parameters(model: LanguageModel) -> float:
    """Return the weights that one token of text passes, embeddings included."""
    part = block(model)
    experts = model.experts
    mixture = (experts.active + experts.shared) * part.expert + part.router if experts else 0.0
    return _spine(model, part) + model.moe_layers * mixture + _embeddings(model)


def routed_parameters(model: LanguageModel) -> float:
    """Return the weights of all routed experts."""
    count = model.experts.count if model.experts else 0
    return model.moe_layers * count * block(model).expert


def multiplied_parameters(model: LanguageModel) -> float:
    """Return the weights that a token is multiplied with: active ones without table look-ups."""
    lookups = (0 if model.tied_embeddings else model.vocabulary) + model.positions
    return active_parameters(model) - lookups * model.hidden


def forward_flops(model: LanguageModel, attended: float) -> float:
    """Return FLOPs to pass one token forward while it attends to `attended` positions.

    Two per weight and token, and per layer two for scores and two for values per attended
    position, head and dimension (Narayanan et al., SC21, appendix; Kaplan et al., 2020).
    """
    return 2.0 * multiplied_parameters(model) + attention_flops(model, attended)


def attention_flops(model: LanguageModel, attended: float) -> float:
    """Return FLOPs of scores and values per token over all layers."""
    whole = model.layers - model.window_layers
    near = min(attended, model.window) if model.window else attended
    return 2.0 * _score_width(model) * (whole * attended + model.window_layers * near)


def train_flops(model: LanguageModel, sequence_length: int, causal: bool = True) -> float:
    """Return model FLOPs to train on one token: forward once, backward twice that.

    With `causal` a token attends to half the sequence on average, as a kernel computes it;
    without, to all of it, as Megatron-LM counts (F = 72 B L s h^2 (1 + s/6h + V/12Lh)).
    """
    return 3.0 * forward_flops(model, causal_span(sequence_length) if causal else sequence_length)


def causal_span(sequence_length: float) -> float:
    """Return the mean number of positions a token attends to, itself included."""
    return 0.5 * (sequence_length + 1.0)


def kv_bytes_per_token(model: LanguageModel, bytes_per_value: float = KV_BYTES) -> float:
    """Return bytes of keys and values that one token leaves behind in all layers."""
    return model.layers * kv_width(model) * bytes_per_value


def kv_width(model: LanguageModel) -> float:
    """Return the values kept per token and layer."""
    if model.latent:
        return model.latent.kv_rank + model.latent.rope_dimension
    return 2.0 * model.kv_heads * model.head_dimension


def kv_bytes(model: LanguageModel, tokens: float, bytes_per_value: float = KV_BYTES) -> float:
    """Return bytes of keys and values of one sequence, windows taken into account."""
    near = min(tokens, model.window) if model.window else tokens
    kept = (model.layers - model.window_layers) * tokens + model.window_layers * near
    return kept * kv_width(model) * bytes_per_value


def weight_bytes(model: LanguageModel, precision: str) -> float:
    """Return bytes of all weights; embeddings and the attention of fp4 models stay in 16 bits."""
    experts = model.experts.count + model.experts.shared if model.experts else 0
    mixture = expert_bytes(model, precision) * experts
    return shared_bytes(model, precision) + mixture + 2.0 * _lookups(model)


def shared_bytes(model: LanguageModel, precision: str) -> float:
    """Return bytes of what every iteration reads: all but experts and tables of look-ups."""
    part = block(model)
    dense = model.dense_layers * part.dense_ffn * PRECISION_BYTES[precision]
    wide = model.moe_layers * part.router + model.layers * part.norms
    wide += model.vocabulary * model.hidden
    return attention_bytes(model, precision) + dense + 2.0 * wide


def attention_bytes(model: LanguageModel, precision: str) -> float:
    """Return bytes of the attention weights of all layers."""
    narrow = 2.0 if precision == "fp4" else PRECISION_BYTES[precision]
    return model.layers * block(model).attention * narrow


def expert_bytes(model: LanguageModel, precision: str) -> float:
    """Return bytes of one expert in each layer that has experts."""
    return model.moe_layers * block(model).expert * PRECISION_BYTES[precision]


def distinct_experts(model: LanguageModel, tokens: Number) -> Number:
    """Return the expected number of experts of a layer that `tokens` tokens touch.

    Each token picks `active` of `count`: count (1 - (1 - active/count)^tokens) distinct ones,
    uniform routing assumed, beside the shared ones.
    """
    experts = model.experts
    if experts is None:
        return 0.0 * tokens
    touched: Number = experts.count * (1.0 - (1.0 - experts.active / experts.count) ** tokens)
    return touched + experts.shared


def _attention_weights(model: LanguageModel) -> float:
    h, latent = model.hidden, model.latent
    if latent is None:
        queries, keys = (
            model.heads * model.head_dimension,
            model.kv_heads * model.head_dimension,
        )
        return 2.0 * h * (queries + keys)
    query = latent.query_rank * (h + model.heads * (latent.nope_dimension + latent.rope_dimension))
    down = h * (latent.kv_rank + latent.rope_dimension)
    up = latent.kv_rank * model.heads * (latent.nope_dimension + latent.value_dimension)
    return float(query + down + up + model.heads * latent.value_dimension * h)


def _score_width(model: LanguageModel) -> float:
    """Return the dimensions multiplied per attended position: of scores and of values."""
    if model.latent is None:
        return 2.0 * model.heads * model.head_dimension
    wide = model.latent
    return float(model.heads * (wide.nope_dimension + wide.rope_dimension + wide.value_dimension))


def _spine(model: LanguageModel, part: Block) -> float:
    """Return what all layers have but experts."""
    return model.layers * (part.attention + part.norms) + model.dense_layers * part.dense_ffn


def _embeddings(model: LanguageModel) -> float:
    tables = model.vocabulary * (1 if model.tied_embeddings else 2) + model.positions
    return float(tables * model.hidden)


def _ends(model: LanguageModel) -> float:
    return _embeddings(model) + _encoder_weights(model)


def _lookups(model: LanguageModel) -> float:
    """Return the weights beside the layers and the output matrix: tables and the encoder."""
    return _ends(model) - model.vocabulary * model.hidden


def _encoder_weights(model: LanguageModel) -> float:
    encoder = model.encoder
    if encoder is None:
        return 0.0
    matrices = 3 if encoder.gated else 2
    return float(encoder.layers * encoder.hidden * (4 * encoder.hidden + matrices * encoder.ffn))


def encode_flops(model: LanguageModel, images: float) -> float:
    """Return FLOPs to encode `images` typical images."""
    encoder = model.encoder
    if encoder is None:
        return 0.0
    positions = encoder.tokens_per_image * encoder.patches_per_token
    attention = 4.0 * encoder.layers * encoder.hidden * positions
    return images * positions * (2.0 * _encoder_weights(model) + attention)
