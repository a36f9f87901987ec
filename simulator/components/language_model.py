"""The language model: its published shapes, from which every cost follows."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.components.kinds import Spec

Count = Annotated[int, Field(ge=1)]
Precision = Literal["bf16", "fp8", "fp4", "int8"]
Modality = Literal["text", "images", "speech"]
PRECISION_BYTES = {
    "bf16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    "fp4": 0.5625,
}  # fp4: 16 share a scale


class LatentAttention(Spec):
    """Multi-head latent attention: keys and values are kept as one low-rank vector per token."""

    query_rank: Count | None = None
    """Blank: queries are projected at full rank."""
    kv_rank: Count
    rope_dimension: Count
    nope_dimension: Count
    value_dimension: Count


class LowRankAttention(Spec):
    """One vector per token is key and value of all heads; queries and output are low-rank."""

    query_rank: Count
    output_rank: Count
    """Rank of each group's output."""
    output_groups: Count
    """Groups of heads that are projected apart before their outputs are joined."""


class SparseAttention(Spec):
    """Attention layers that look at chosen positions only: an index scores all, the best stay."""

    layers: Count | None = None
    """Layers of this sort; blank: all with attention."""
    merged: Count = 1
    """Neighbouring positions merged into one key and value; beside the merged ones, the last
    `window` positions of the model are seen as they are."""
    overlap: bool = False
    """Merged spans overlap their neighbours: two vectors per position are computed."""
    kept: Count | None = None
    """Positions (merged ones, where they are) that a token attends to; blank: all."""
    index_heads: Annotated[int, Field(ge=0)] = 0
    """Heads of the index that scores positions, if there is one."""
    index_dimension: Annotated[int, Field(ge=0)] = 0
    """Dimensions of an index head and of the key it keeps per position."""


class StateSpace(Spec):
    """Layers with a recurrence in place of attention: Mamba-2, or linear attention."""

    layers: Count
    heads: Count
    head_dimension: Count
    """Values that a head writes per token."""
    state: Count
    """Keys of a head: it keeps `head_dimension` x `state` numbers per sequence."""
    groups: Count
    """Groups of heads with common keys and queries."""
    convolution: Count = 4
    """Tokens that the short convolution in front sees."""
    delta: bool = False
    """Gated delta rule: what a key held is read and erased before it is written again."""
    gate_rank: Count | None = None
    """Rank of gates that differ by key and value (Kimi Delta Attention); blank: full rank."""


class Layout(Spec):
    """Layers by what they hold, where not each has attention and a feed-forward network."""

    attention: Annotated[int, Field(ge=0)]
    """Layers with attention."""
    ffn: Annotated[int, Field(ge=0)]
    """Layers with a feed-forward network, dense or of experts."""


class Experts(Spec):
    """Mixture of experts in place of the feed-forward network."""

    count: Count
    active: Count
    """Routed experts per token."""
    shared: Annotated[int, Field(ge=0)] = 0
    """Experts that every token passes."""
    ffn: Count
    """Hidden width of one expert."""
    shared_ffn: Count | None = None
    """Hidden width of a shared expert; blank: as a routed one."""
    latent: Count | None = None
    """Width that routed experts work in, reached by one projection down and left by one up
    (latent mixture of experts); blank: the width of the model."""
    dense_layers: Annotated[int, Field(ge=0)] = 0
    """Layers that keep the dense feed-forward network of width `ffn` of the model."""


class Encoder(Spec):
    """Encoder of images or speech, in front of the language layers."""

    reads: tuple[Literal["images", "speech"], ...] = ("images",)

    layers: Count
    hidden: Count
    ffn: Count
    heads: Count = 16
    """Heads; those of SigLIP, Qwen and Llama encoders are 16."""
    gated: bool = False
    """Three matrices in its feed-forward network instead of two."""
    tokens_per_image: Count
    """Tokens that one typical image adds to the prompt."""
    patches_per_token: Annotated[float, Field(ge=1)] = 4.0
    """Encoder positions merged into one token."""


class LanguageModel(Spec):
    """One transformer, served or trained."""

    name: str
    aliases: tuple[str, ...] = ()
    """Other spellings, fine-tunes of equal shape included."""
    developer: str
    first_party: bool = False
    """Developed by the operator itself."""
    reasoning: bool = False
    """Writes a long chain of thought before it answers."""
    layers: Count
    hidden: Count
    heads: Count
    kv_heads: Count
    head_dimension: Count
    ffn: Count
    """Hidden width of the dense feed-forward network."""
    gated: bool = True
    """Three matrices in the feed-forward network (SwiGLU) instead of two."""
    vocabulary: Count
    tied_embeddings: bool = False
    """Input and output embeddings are one matrix."""
    positions: Annotated[int, Field(ge=0)] = 0
    """Learned position embeddings, if any."""
    context: Count
    """Longest sequence."""
    window: Count | None = None
    """Span of the layers with sliding-window or chunked attention."""
    window_layers: Annotated[int, Field(ge=0)] = 0
    """Layers with that span; the others attend to everything before."""
    attention_gate: bool = False
    """Attention's output is multiplied by a gate as wide as the queries."""
    latent: LatentAttention | None = None
    low_rank: LowRankAttention | None = None
    sparse: tuple[SparseAttention, ...] = ()
    state_space: StateSpace | None = None
    layout: Layout | None = None
    """Blank: every layer has attention (or a state space) and a feed-forward network."""
    residual_streams: Count = 1
    """Residual streams that hyper-connections mix before and after each part of a layer."""
    experts: Experts | None = None
    mtp_layers: Annotated[int, Field(ge=0)] = 0
    """Layers of multi-token prediction, used in training only: each joins two vectors into one,
    passes attention and feed-forward network, and reads out over the whole vocabulary."""
    mtp_shared: bool = False
    """The layers of multi-token prediction are one set of weights."""
    encoder: Encoder | None = None
    weight_precision: Precision = "bf16"
    """Precision in which the weights were released."""
    parameters_published: Annotated[float, Field(gt=0)]
    """Parameter count as its developer states it; the shapes must reproduce it."""

    @model_validator(mode="after")
    def _consistent(self) -> "LanguageModel":
        if self.heads % self.kv_heads:
            raise ValueError(f"{self.heads} heads do not share {self.kv_heads} key-value heads")
        if self.experts and self.experts.active > self.experts.count:
            raise ValueError("more experts are active than there are")
        if self.window_layers > self.attention_layers:
            raise ValueError("more layers have a window than there are layers with attention")
        if any(sort.merged > 1 for sort in self.sparse) and not self.window:
            raise ValueError("merged positions need a window of positions as they are")
        if self.latent and self.low_rank:
            raise ValueError("attention is latent or low-rank, not both")
        if min(self.whole_layers, self.moe_layers) < 0:
            raise ValueError("the kinds of layers are more than the layers")
        mixers, layers = self.attention_layers + self.state_layers, self.layers
        if max(mixers, self.ffn_layers) > layers or mixers + self.ffn_layers < layers:
            raise ValueError(
                f"{mixers} layers that mix positions and {self.ffn_layers} feed-forward networks "
                f"do not fill {layers} layers"
            )
        return self

    @property
    def modalities(self) -> tuple[Modality, ...]:
        """What it reads."""
        return ("text", *(self.encoder.reads if self.encoder else ()))

    @property
    def state_layers(self) -> int:
        """Layers with a state space."""
        return self.state_space.layers if self.state_space else 0

    @property
    def attention_layers(self) -> int:
        """Layers with attention."""
        if self.layout:
            return self.layout.attention
        return self.layers - self.state_layers

    @property
    def sparse_layers(self) -> int:
        """Layers that attend to chosen positions."""
        return sum(sort.layers or self.attention_layers for sort in self.sparse)

    @property
    def whole_layers(self) -> int:
        """Layers that attend to everything before."""
        return self.attention_layers - self.window_layers - self.sparse_layers

    @property
    def ffn_layers(self) -> int:
        """Layers with a feed-forward network, dense or of experts."""
        return self.layout.ffn if self.layout else self.layers

    @property
    def moe_layers(self) -> int:
        """Layers with experts."""
        return self.ffn_layers - self.experts.dense_layers if self.experts else 0

    @property
    def dense_layers(self) -> int:
        """Layers with a dense feed-forward network."""
        return self.ffn_layers - self.moe_layers
