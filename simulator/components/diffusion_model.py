"""A diffusion transformer: its published shapes, from which the cost of an image or video follows."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from simulator.components.kinds import Spec

Count = Annotated[int, Field(ge=1)]
Layers = Annotated[int, Field(ge=0)]


class DiffusionModel(Spec):
    """One transformer that denoises latents of an image or a video, step by step."""

    name: str
    developer: str
    task: Literal["image", "video"]
    hidden: Count
    heads: Count
    ffn: Count
    """Hidden width of the feed-forward network."""
    double_layers: Layers = 0
    """Layers with weights of their own for text and for latents, which attend to each other."""
    single_layers: Layers = 0
    """Layers in which text and latents share weights, attention and feed-forward side by side."""
    cross_layers: Layers = 0
    """Layers in which latents attend to themselves, then to the text."""
    extra_layers: Layers = 0
    """Of the double layers, those whose latents attend to themselves once more."""
    text_tokens: Count
    """Tokens of the prompt that the transformer sees."""
    compression: Count = 8
    """Pixels per latent position, along each side."""
    frame_compression: Count = 1
    """Frames per latent frame, the first apart."""
    patch: Count = 2
    """Latent positions per token, along each side."""
    passes: Annotated[int, Field(ge=1, le=2)] = 1
    """Passes per step: two with classifier-free guidance (with and without the prompt)."""
    steps: Count
    """Denoising steps of its published settings."""
    parameters_published: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _has_layers(self) -> "DiffusionModel":
        if not self.layers:
            raise ValueError("give double_layers, single_layers or cross_layers")
        if self.hidden % self.heads:
            raise ValueError(f"{self.heads} heads do not share a width of {self.hidden}")
        if self.extra_layers > self.double_layers:
            raise ValueError("more extra_layers than double_layers")
        return self

    @property
    def layers(self) -> int:
        """All layers."""
        return self.double_layers + self.single_layers + self.cross_layers

    def tokens(self, height: int, width: int, frames: int = 1) -> int:
        """Return the tokens of an image or video of so many pixels and frames."""
        side = self.compression * self.patch
        latent_frames = 1 + -(-(frames - 1) // self.frame_compression)
        return latent_frames * -(-height // side) * -(-width // side)
