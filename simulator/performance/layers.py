"""The layers of a model as operators: products with weights, attention cores, recurrences.

A layer here is one mixer (attention or state space) or one feed-forward network, each with its norm
and residual: a plain transformer layer is two of them, a layer of Nemotron one. Everything that
`transformer` and `memory` count is a sum over this list.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from simulator.components.language_model import LanguageModel, SparseAttention, StateSpace

Split = Literal["columns", "rows", "whole", "experts"]


@dataclass(frozen=True)
class Product:
    """Products of a token's vectors with weight matrices of one shape."""

    part: str
    k: int
    """Width of what goes in."""
    n: int
    """Width of what comes out."""
    split: Split
    """How chips share the matrix: tensor-parallel ranks by columns or rows, or each has it whole;
    or experts are dealt out."""
    times: int = 1
    """Matrices of this shape that one token passes."""
    stored: int = 1
    """Matrices of this shape that there are."""

    @property
    def passed_weights(self) -> float:
        """Weights that one token is multiplied with."""
        return float(self.k * self.n * self.times)

    @property
    def stored_weights(self) -> float:
        """Weights that are kept."""
        return float(self.k * self.n * self.stored)


@dataclass(frozen=True)
class AttentionCore:
    """Scores and values of one layer."""

    heads: int
    kv_heads: int
    """Heads of keys and values; latent attention expands to as many as heads in training."""
    qk_dimension: int
    value_dimension: int
    window: int | None = None
    """Latest positions that are seen as they are; None: all."""
    sparse: SparseAttention | None = None
    causal: bool = True
    """Positions see those before them only."""

    def span(self, attended: float) -> float:
        """Return the positions a token sees when `attended` are there to see."""
        return self._seen(attended, min)

    def mean_span(self, sequence: float) -> float:
        """Return the positions a token of a causal sequence sees on average."""
        return self._seen(sequence, causal_span)

    def _seen(self, length: float, reach: Callable[[float, float], float]) -> float:
        if self.sparse is None:
            return reach(length, self.window or math.inf)
        merged, kept = self.sparse.merged, self.sparse.kept or math.inf
        near = reach(length, self.window) if self.window else 0.0
        return reach(length, merged * kept) / merged + near

    def flops(self, span: float, indexed: float) -> float:
        """Return FLOPs per token: two per position, head and dimension of scores and of values,
        and two per position, head and dimension of the index.
        """
        core = 2.0 * self.heads * (self.qk_dimension + self.value_dimension) * span
        return core + (_index_flops(self.sparse) * indexed if self.sparse else 0.0)


@dataclass(frozen=True)
class StateCore:
    """Recurrence of one layer: each head keeps `head_dimension` x `state` numbers."""

    heads: int
    head_dimension: int
    state: int
    groups: int
    convolution: int
    delta: bool

    @property
    def kept(self) -> float:
        """Numbers kept per sequence."""
        return float(self.heads * self.head_dimension * self.state)

    @property
    def channels(self) -> int:
        """Width of what the short convolution sees: values, keys and queries."""
        return self.heads * self.head_dimension + 2 * self.groups * self.state

    @property
    def flops(self) -> float:
        """FLOPs per token of the recurrence itself: one product with the state to write, one to
        read (Dao and Gu, arXiv:2405.21060), one more to erase (Yang et al., arXiv:2412.06464).
        """
        return 2.0 * (3.0 if self.delta else 2.0) * self.kept


@dataclass(frozen=True)
class LayerKind:
    """Layers of one kind and what one of them does."""

    name: str
    count: int
    products: tuple[Product, ...]
    other_weights: float
    """Weights of one layer beside products: norms, convolutions, mixing of residual streams."""
    attention: AttentionCore | None = None
    state: StateCore | None = None

    @property
    def stored_weights(self) -> float:
        """Weights of one layer."""
        return sum(p.stored_weights for p in self.products) + self.other_weights

    @property
    def passed_weights(self) -> float:
        """Weights of one layer that a token passes."""
        return sum(p.passed_weights for p in self.products) + self.other_weights

    @property
    def routed_weights(self) -> float:
        """Weights of all routed experts of one layer."""
        return sum(p.stored_weights for p in self.products if p.split == "experts")

    def flops(self, span: float, indexed: float) -> float:
        """Return forward FLOPs of one layer per token, by the span and positions indexed."""
        total = 2.0 * self.passed_weights
        if self.attention:
            total += self.attention.flops(span, indexed)
        return total + (self.state.flops if self.state else 0.0)


@lru_cache(maxsize=512)
def kinds(model: LanguageModel) -> tuple[LayerKind, ...]:
    """Return the kinds of layers that text passes, in no order; the output matrix is apart."""
    listed = [*_attentions(model), *_state_spaces(model), *_networks(model)]
    return tuple(kind for kind in listed if kind.count)


@lru_cache(maxsize=512)
def output(model: LanguageModel) -> LayerKind:
    """Return the output matrix over the vocabulary, as a layer."""
    head = Product("output", model.hidden, model.vocabulary, "columns")
    return LayerKind("output", 1, (head,), 0.0)


@lru_cache(maxsize=512)
def predictions(model: LanguageModel) -> LayerKind | None:
    """Return the layers of multi-token prediction, or None.

    Each joins the embedding of the next token to the vector of this one, passes attention and
    feed-forward network, and reads out with the model's own output matrix (DeepSeek-V3, section
    2.2): that matrix is multiplied but not stored again.
    """
    if not model.mtp_layers:
        return None
    mixer = next(_attentions(model))
    network = _experts(model) if model.experts else _dense(model)
    join = Product("join", 2 * model.hidden, model.hidden, "columns")
    head = Product("output", model.hidden, model.vocabulary, "columns", stored=0)
    products = (join, *mixer.products, *network.products, head)
    norms = mixer.other_weights + network.other_weights + 3.0 * model.hidden
    return LayerKind("prediction", model.mtp_layers, products, norms, mixer.attention)


@lru_cache(maxsize=512)
def encoder(model: LanguageModel) -> LayerKind | None:
    """Return the layers of the image encoder, passed once per position of an image, or None."""
    made = model.encoder
    if made is None:
        return None
    core = AttentionCore(made.heads, made.heads, *2 * (made.hidden // made.heads,), causal=False)
    products = (
        Product("qkv", made.hidden, 3 * made.hidden, "columns"),
        Product("out", made.hidden, made.hidden, "rows"),
        *_feed_forward(made.hidden, made.ffn, made.gated),
    )
    return LayerKind("encoder", made.layers, products, 0.0, core)


def _attentions(model: LanguageModel) -> Iterator[LayerKind]:
    """Yield attention that sees everything, that sees a window, and the sparse sorts."""
    window, products = model.window, _attention_products(model)
    sorts: list[tuple[str, int, int | None, SparseAttention | None]] = [
        ("attention", model.whole_layers, None, None),
        ("window attention", model.window_layers, window, None),
    ]
    for sort in model.sparse:
        near = window if sort.merged > 1 else None
        sorts.append(("sparse attention", sort.layers or model.attention_layers, near, sort))
    for name, count, near, sparse in sorts:
        if count:
            index = _index_products(model, sparse) if sparse else ()
            core = _core(model, near, sparse)
            yield LayerKind(name, count, (*products, *index), _norm(model), core)


def _core(
    model: LanguageModel, window: int | None, sparse: SparseAttention | None
) -> AttentionCore:
    if model.latent is None:
        width = model.head_dimension
        return AttentionCore(model.heads, model.kv_heads, width, width, window, sparse)
    wide = model.latent
    scores = wide.nope_dimension + wide.rope_dimension
    return AttentionCore(model.heads, model.heads, scores, wide.value_dimension, window, sparse)


def _attention_products(model: LanguageModel) -> tuple[Product, ...]:
    """Return the products of one attention layer."""
    if model.latent:
        return _latent_products(model)
    if model.low_rank:
        return _low_rank_products(model)
    h, queries = model.hidden, model.heads * model.head_dimension
    together = queries * (2 if model.attention_gate else 1)
    together += 2 * model.kv_heads * model.head_dimension
    return (Product("qkv", h, together, "columns"), Product("out", queries, h, "rows"))


def _latent_products(model: LanguageModel) -> tuple[Product, ...]:
    h, heads, wide = model.hidden, model.heads, model.latent
    assert wide is not None
    scores = wide.nope_dimension + wide.rope_dimension
    values = heads * wide.value_dimension
    query: tuple[Product, ...] = (Product("q", h, heads * scores, "columns"),)
    if wide.query_rank:
        query = (
            Product("q_down", h, wide.query_rank, "whole"),
            Product("q_up", wide.query_rank, heads * scores, "columns"),
        )
    gate = (Product("gate", h, values, "columns"),) if model.attention_gate else ()
    return (
        *query,
        Product("kv_down", h, wide.kv_rank + wide.rope_dimension, "whole"),
        Product("kv_up", wide.kv_rank, heads * wide.nope_dimension + values, "columns"),
        *gate,
        Product("out", values, h, "rows"),
    )


def _low_rank_products(model: LanguageModel) -> tuple[Product, ...]:
    h, queries, rank = model.hidden, model.heads * model.head_dimension, model.low_rank
    assert rank is not None
    groups = rank.output_groups
    return (
        Product("q_down", h, rank.query_rank, "whole"),
        Product("q_up", rank.query_rank, queries, "columns"),
        Product("kv", h, model.kv_heads * model.head_dimension, "whole"),
        Product("out_down", queries // groups, rank.output_rank, "columns", groups, groups),
        Product("out_up", groups * rank.output_rank, h, "rows"),
    )


def _index_products(model: LanguageModel, sparse: SparseAttention) -> tuple[Product, ...]:
    """Return the products that merge positions and that score them for choice.

    Merging multiplies by a value and a weight matrix, twice as wide where spans overlap
    (DeepSeek-V4); the index takes its queries from the low-rank ones (DeepSeek-V3.2).
    """
    h, wide = model.hidden, 2 * (2 if sparse.overlap else 1)
    rank = model.latent or model.low_rank
    found = []
    if sparse.merged > 1:
        found.append(Product("merge", h, wide * model.kv_heads * model.head_dimension, "whole"))
    if sparse.index_heads:
        source = rank.query_rank if rank and rank.query_rank else h
        width = sparse.index_heads * sparse.index_dimension
        keys = sparse.index_dimension * (wide if sparse.merged > 1 else 1)
        found.append(Product("index_q", source, width, "whole"))
        found.append(Product("index_k", h, keys + sparse.index_heads, "whole"))
    return tuple(found)


def _state_spaces(model: LanguageModel) -> Iterator[LayerKind]:
    made = model.state_space
    if made is None:
        return
    inner = made.heads * made.head_dimension
    core = StateCore(
        made.heads, made.head_dimension, made.state, made.groups, made.convolution, made.delta
    )
    products = (
        *_state_gates(model.hidden, made, inner),
        Product("out", inner, model.hidden, "rows"),
    )
    other = _norm(model) + made.convolution * core.channels + 3.0 * made.heads + inner
    yield LayerKind("state space", made.layers, products, other, state=core)


def _state_gates(h: int, made: StateSpace, inner: int) -> tuple[Product, ...]:
    """Return the products into a state space: values, keys, queries, and their gates.

    Mamba-2 has a gate per value and a step per head; the delta rule a decay and a strength per
    head; Kimi Delta Attention a decay per key and a gate per value, both of low rank.
    """
    keys = made.groups * made.state
    if made.gate_rank is None:
        steps = (2 if made.delta else 1) * made.heads
        return (Product("in", h, 2 * inner + 2 * keys + steps, "columns"),)
    rank = made.gate_rank
    return (
        Product("in", h, inner + 2 * keys + made.heads, "columns"),
        Product("gate_down", h, 2 * rank, "whole"),
        Product("gate_up", rank, made.heads * made.state + inner, "columns"),
    )


def _networks(model: LanguageModel) -> Iterator[LayerKind]:
    yield _dense(model)
    if model.experts:
        yield _experts(model)


def _dense(model: LanguageModel) -> LayerKind:
    products = _feed_forward(model.hidden, model.ffn, model.gated)
    return LayerKind("dense network", model.dense_layers, products, _norm(model))


def _experts(model: LanguageModel) -> LayerKind:
    """Return a layer of experts; the shared ones are one network as wide as all of them."""
    made, h = model.experts, model.hidden
    assert made is not None
    inside, up = made.latent or h, (2 if model.gated else 1) * made.ffn
    products = [
        Product("router", h, made.count, "whole"),
        Product("expert_up", inside, up, "experts", made.active, made.count),
        Product("expert_down", made.ffn, inside, "experts", made.active, made.count),
    ]
    if made.latent:
        products.append(Product("latent_down", h, inside, "whole"))
        products.append(Product("latent_up", inside, h, "whole"))
    if made.shared:
        width = made.shared * (made.shared_ffn or made.ffn)
        products.extend(_feed_forward(h, width, model.gated, "shared_"))
    return LayerKind("experts", model.moe_layers, tuple(products), _norm(model))


def _feed_forward(h: int, ffn: int, gated: bool, name: str = "") -> tuple[Product, Product]:
    return (
        Product(f"{name}up", h, (2 if gated else 1) * ffn, "columns"),
        Product(f"{name}down", ffn, h, "rows"),
    )


def _norm(model: LanguageModel) -> float:
    """Return the weights of a layer's norm and, of several residual streams, their mixing.

    Hyper-connections read, write and mix n streams by n (n + 2) numbers computed from all of
    them (DeepSeek-V4; Zhu et al., arXiv:2409.19606).
    """
    n = model.residual_streams
    mixing = n * model.hidden * n * (n + 2) if n > 1 else 0
    return float(model.hidden + mixing)


def _index_flops(sparse: SparseAttention) -> float:
    """Return FLOPs of the index per position before the token."""
    return 2.0 * sparse.index_heads * sparse.index_dimension / sparse.merged


def causal_span(sequence: float, limit: float = math.inf) -> float:
    """Return the mean over a causal sequence of positions seen, the token's own included, of which
    it sees `limit` at most.
    """
    if limit >= sequence:
        return 0.5 * (sequence + 1.0)
    return limit - limit * (limit - 1.0) / (2.0 * sequence)
