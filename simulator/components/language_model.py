"""The language model: its published shapes, from which every cost follows."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.components.kinds import Spec

Count = Annotated[int, Field(ge=1)]
Precision = Literal["bf16", "fp8", "fp4", "int8"]
PRECISION_BYTES = {
    "bf16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    "fp4": 0.5625,
}  # fp4: 16 share a scale


class LatentAttention(Spec):
    """Multi-head latent attention: keys and values are kept as one low-rank vector per token."""

    query_rank: Count
    kv_rank: Count
    rope_dimension: Count
    nope_dimension: Count
    value_dimension: Count


class Experts(Spec):
    """Mixture of experts in place of the feed-forward network."""

    count: Count
    active: Count
    """Routed experts per token."""
    shared: Annotated[int, Field(ge=0)] = 0
    """Experts that every token passes."""
    ffn: Count
    """Hidden width of one expert."""
    dense_layers: Annotated[int, Field(ge=0)] = 0
    """Layers that keep the dense feed-forward network of width `ffn` of the model."""


class Encoder(Spec):
    """Encoder of images, in front of the language layers."""

    layers: Count
    hidden: Count
    ffn: Count
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
    latent: LatentAttention | None = None
    experts: Experts | None = None
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
        if self.window_layers > self.layers:
            raise ValueError("more layers have a window than there are layers")
        return self

    @property
    def moe_layers(self) -> int:
        """Layers with experts."""
        return self.layers - self.experts.dense_layers if self.experts else 0

    @property
    def dense_layers(self) -> int:
        """Layers with a dense feed-forward network."""
        return self.layers - self.moe_layers
