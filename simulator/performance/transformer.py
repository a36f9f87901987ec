"""Parameters, floating-point operations and bytes of a model: sums over its layers."""

from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from simulator.components.language_model import PRECISION_BYTES, LanguageModel
from simulator.performance import layers
from simulator.performance.layers import LayerKind, causal_span

Number = TypeVar("Number", float, NDArray[np.float64])
KV_BYTES = 2.0  # keys and values are kept in 16 bits unless the caller says otherwise
WIDE_BYTES = 2.0  # tables, routers and norms stay in 16 bits

# Recurrent states are kept in 32 bits, the last inputs of their convolutions in 16 (configuration
# files of Nemotron 3: mamba_ssm_cache_dtype float32). Vendor.
STATE_BYTES, CONVOLUTION_BYTES = 4.0, 2.0

# Keys of a sparse attention's index are kept in 8 bits (DeepSeek-V3.2, section 2). Vendor.
INDEX_BYTES = 1.0


@lru_cache(maxsize=512)
def parameters(model: LanguageModel) -> float:
    """Return the number of weights, embeddings and encoder included; multi-token prediction is
    counted apart.
    """
    stored = sum(kind.count * kind.stored_weights for kind in layers.kinds(model))
    return stored + _embeddings(model) + _encoder_weights(model)


@lru_cache(maxsize=512)
def active_parameters(model: LanguageModel) -> float:
    """Return the weights that one token of text passes, embeddings included."""
    passed = sum(kind.count * kind.passed_weights for kind in layers.kinds(model))
    return passed + _embeddings(model)


@lru_cache(maxsize=512)
def routed_parameters(model: LanguageModel) -> float:
    """Return the weights of all routed experts."""
    return sum(kind.count * kind.routed_weights for kind in layers.kinds(model))


def multiplied_parameters(model: LanguageModel) -> float:
    """Return the weights that a token is multiplied with: active ones without table look-ups."""
    lookups = (0 if model.tied_embeddings else model.vocabulary) + model.positions
    return active_parameters(model) - lookups * model.hidden


def forward_flops(model: LanguageModel, attended: float) -> float:
    """Return FLOPs to pass one token forward while it attends to `attended` positions.

    Two per weight and token, per layer two for scores and two for values per attended
    position, head and dimension (Narayanan et al., SC21, appendix; Kaplan et al., 2020), and the
    products of a recurrence with its state.
    """
    mixed = attention_flops(model, attended) + state_flops(model)
    return 2.0 * multiplied_parameters(model) + mixed


def attention_flops(model: LanguageModel, attended: float) -> float:
    """Return FLOPs of scores, values and indexes per token over all layers."""
    return sum(
        kind.count * kind.attention.flops(kind.attention.span(attended), attended)
        for kind in layers.kinds(model)
        if kind.attention
    )


def state_flops(model: LanguageModel) -> float:
    """Return FLOPs of recurrences per token over all layers."""
    return sum(kind.count * kind.state.flops for kind in layers.kinds(model) if kind.state)


def train_flops(model: LanguageModel, sequence_length: int, causal: bool = True) -> float:
    """Return model FLOPs to train on one token: forward once, backward twice that; multi-token
    prediction included.

    With `causal` a token attends to half the sequence on average, as a kernel computes it;
    without, to all of it, as Megatron-LM counts (F = 72 B L s h^2 (1 + s/6h + V/12Lh)).
    """
    every = [*layers.kinds(model), layers.output(model), layers.predictions(model)]
    indexed = causal_span(sequence_length) if causal else float(sequence_length)
    return 3.0 * sum(
        kind.count * kind.flops(span(kind, sequence_length, causal), indexed)
        for kind in every
        if kind
    )


def span(kind: LayerKind, sequence_length: float, causal: bool = True) -> float:
    """Return the positions that a token attends to in a layer while a sequence is trained on."""
    core = kind.attention
    if core is None:
        return 0.0
    return core.mean_span(sequence_length) if causal else core.span(sequence_length)


def kv_width(model: LanguageModel) -> float:
    """Return the values kept per token and layer with attention."""
    if model.latent:
        return model.latent.kv_rank + model.latent.rope_dimension
    both = 1.0 if model.low_rank else 2.0
    return both * model.kv_heads * model.head_dimension


def kv_bytes(model: LanguageModel, tokens: float, bytes_per_value: float = KV_BYTES) -> float:
    """Return bytes of keys, values and index keys that one sequence keeps, windows and merged
    positions taken into account; recurrent states are `state_bytes`.
    """
    near = min(tokens, model.window) if model.window else tokens
    kept = model.whole_layers * tokens + model.window_layers * near
    indexed = 0.0
    for sort in model.sparse:
        count, rows = sort.layers or model.attention_layers, tokens / sort.merged
        kept += count * (rows + (near if sort.merged > 1 else 0.0))
        indexed += count * rows * (sort.index_dimension if sort.index_heads else 0)
    return kept * kv_width(model) * bytes_per_value + indexed * INDEX_BYTES


def state_bytes(model: LanguageModel) -> float:
    """Return bytes of recurrent states and convolution inputs of one sequence, at any length."""
    total = 0.0
    for kind in layers.kinds(model):
        if kind.state:
            inputs = (kind.state.convolution - 1) * kind.state.channels
            total += kind.count * (STATE_BYTES * kind.state.kept + CONVOLUTION_BYTES * inputs)
    return total


def weight_bytes(model: LanguageModel, precision: str) -> float:
    """Return bytes of all weights; embeddings and the attention of fp4 models stay in 16 bits."""
    experts = model.experts.count + _shared_experts(model) if model.experts else 0.0
    mixture = expert_bytes(model, precision) * experts
    return shared_bytes(model, precision) + mixture + WIDE_BYTES * _lookups(model)


@lru_cache(maxsize=512)
def shared_bytes(model: LanguageModel, precision: str) -> float:
    """Return bytes of what every iteration reads: all but experts and tables of look-ups."""
    narrow, wide = 0.0, float(model.vocabulary * model.hidden)
    for kind in layers.kinds(model):
        wide += kind.count * kind.other_weights
        if kind.attention or kind.state:
            continue
        for product in kind.products:
            weights = kind.count * product.stored_weights
            if product.part == "router":
                wide += weights
            elif not _of_experts(product.part):
                narrow += weights
    width = PRECISION_BYTES[precision]
    return attention_bytes(model, precision) + narrow * width + wide * WIDE_BYTES


@lru_cache(maxsize=512)
def attention_bytes(model: LanguageModel, precision: str) -> float:
    """Return bytes of the products of attention and state spaces of all layers."""
    narrow = PRECISION_BYTES[precision]
    return sum(
        kind.count
        * sum(product.stored_weights for product in kind.products)
        * (WIDE_BYTES if kind.attention and precision == "fp4" else narrow)
        for kind in layers.kinds(model)
        if kind.attention or kind.state
    )


def expert_bytes(model: LanguageModel, precision: str) -> float:
    """Return bytes of one routed expert in each layer that has experts."""
    if model.experts is None:
        return 0.0
    return routed_parameters(model) / model.experts.count * PRECISION_BYTES[precision]


def encode_flops(model: LanguageModel, images: float) -> float:
    """Return FLOPs to encode `images` typical images."""
    kind = layers.encoder(model)
    if kind is None:
        return 0.0
    positions = encoder_positions(model)
    return images * positions * kind.count * kind.flops(positions, 0.0)


def encoder_positions(model: LanguageModel) -> float:
    """Return the positions of a typical image in the encoder."""
    made = model.encoder
    return made.tokens_per_image * made.patches_per_token if made else 0.0


def _of_experts(part: str) -> bool:
    """Tell whether a product belongs to experts, routed or shared."""
    return part.startswith(("expert_", "shared_"))


def _shared_experts(model: LanguageModel) -> float:
    """Return the weight of a layer's shared experts in routed ones."""
    made = model.experts
    if made is None or not made.shared:
        return 0.0
    wider = (made.shared_ffn or made.ffn) / made.ffn
    return made.shared * wider * model.hidden / (made.latent or model.hidden)


def _embeddings(model: LanguageModel) -> float:
    tables = model.vocabulary * (1 if model.tied_embeddings else 2) + model.positions
    return float(tables * model.hidden)


def _lookups(model: LanguageModel) -> float:
    """Return the weights beside the layers and the output matrix: tables and the encoder."""
    tables = _embeddings(model) - model.vocabulary * model.hidden
    return tables + _encoder_weights(model)


def _encoder_weights(model: LanguageModel) -> float:
    kind = layers.encoder(model)
    return kind.count * kind.stored_weights if kind else 0.0
