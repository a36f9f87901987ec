"""What an image or a video costs on a chip: steps x passes x layers, by shape and resolution.

Shapes of the layers: Scaling Rectified Flow Transformers, arXiv:2403.03206 (double layers); Flux's
and Wan's released code (single and cross layers). Text encoders and the decoder of latents are left
out: a few per cent of an image's time. A chip makes one picture at a time: a batch takes as many times
longer (measured: ML.ENERGY leaderboard v3, within 5 % from 1 to 16).
"""

from dataclasses import dataclass
from functools import cached_property

from simulator.components.accelerator import Accelerator
from simulator.components.diffusion_model import DiffusionModel
from simulator.performance import chip as chips
from simulator.performance.attention import attention_s
from simulator.performance.operators import operator_s
from simulator.performance.products import product_s

# Element-wise kernels of a pipeline that is not fused: each norm, modulation and gate is its own.
# Passes over a token's width per layer, counted on the released code of Flux and Wan. Derived, range
# 8-20.
PASSES_OVER_WIDTH = 14.0

# Share of the speed of large products and fused attention that published pipelines, run eagerly, keep
# on the whole: 0.50-0.56 on H100 by Flux, HunyuanVideo, Wan 2.1 and Stable Diffusion 3.5 Large, 0.40 by
# its Medium (ML.ENERGY leaderboard v3). Measured, range 0.4-0.8: compiled pipelines keep more.
PIPELINE_SHARE = 0.53

WEIGHT_BYTES = {"bf16": 2.0, "fp8": 1.0}


@dataclass(frozen=True)
class Picture:
    """What is asked for."""

    height: int
    width: int
    frames: int = 1
    steps: int | None = None
    """None: as the model's published settings."""


@dataclass(frozen=True)
class Denoising:
    """One model making pictures of one kind, one at a time, on one accelerator."""

    model: DiffusionModel
    chip: Accelerator
    picture: Picture
    precision: str = "bf16"
    clock_frac: float = 1.0

    @property
    def latents(self) -> int:
        """Tokens of one picture."""
        return self.model.tokens(self.picture.height, self.picture.width, self.picture.frames)

    @property
    def steps(self) -> int:
        """Denoising steps."""
        return self.picture.steps or self.model.steps

    @cached_property
    def seconds(self) -> float:
        """Time of one picture."""
        each_s = self._products_s() + self._attention_s() / self.clock_frac + self._elements_s()
        return self.steps * self.model.passes * each_s / PIPELINE_SHARE

    def flops(self) -> float:
        """Return the FLOPs of one picture."""
        model, latents, text = self.model, self.latents, self.model.text_tokens
        products = sum(2.0 * m * n * k * count for m, n, k, count in self._products())
        both = (latents + text) ** 2.0
        scores = (model.double_layers + model.single_layers) * both
        scores += (model.cross_layers + model.extra_layers) * float(latents) ** 2
        scores += model.cross_layers * float(latents) * text
        return self.steps * model.passes * (products + 4.0 * model.hidden * scores)

    @property
    def power_frac(self) -> float:
        """Dynamic power share of the chip while it denoises."""
        peak = self.chip.peak[chips.compute_precision(self.chip, self.precision)]
        share = self.flops() / self.seconds / peak
        return float(chips.kernel_power_frac(share, 0.0, share))

    @cached_property
    def weight_bytes(self) -> float:
        """Bytes of weights."""
        return WEIGHT_BYTES[self.precision] * self.model.parameters_published

    def _products(self) -> list[tuple[float, int, int, int]]:
        """Return (rows, columns, depth, how often) of all products of a pass of the transformer."""
        model = self.model
        width, ffn = model.hidden, model.ffn
        latents, text = float(self.latents), float(model.text_tokens)
        made: list[tuple[float, int, int, int]] = []
        for rows in (latents, text):
            made += [
                (rows, 3 * width, width, model.double_layers),
                (rows, width, width, model.double_layers),
                (rows, ffn, width, model.double_layers),
                (rows, width, ffn, model.double_layers),
            ]
        made += [
            (latents + text, 3 * width + ffn, width, model.single_layers),
            (latents + text, width, width + ffn, model.single_layers),
            (latents, 3 * width, width, model.cross_layers + model.extra_layers),
            (latents, width, width, model.cross_layers + model.extra_layers),
            (latents, width, width, 2 * model.cross_layers),
            (text, 2 * width, width, model.cross_layers),
            (latents, ffn, width, model.cross_layers),
            (latents, width, ffn, model.cross_layers),
        ]
        return [product for product in made if product[3]]

    def _products_s(self) -> float:
        return sum(
            count
            * product_s(
                self.chip, self.precision, rows, columns, depth, clock_frac=self.clock_frac
            )
            for rows, columns, depth, count in self._products()
        )

    def _attention_s(self) -> float:
        model, latents = self.model, float(self.latents)
        head, both = model.hidden // model.heads, latents + model.text_tokens

        def one(queries: float, keys: float) -> float:
            return attention_s(
                self.chip, "bf16", 1.0, model.heads, model.heads, queries, keys, head, causal=False
            )

        total = (model.double_layers + model.single_layers) * one(both, both)
        total += (model.cross_layers + model.extra_layers) * one(latents, latents)
        return total + model.cross_layers * one(latents, float(model.text_tokens))

    def _elements_s(self) -> float:
        model = self.model
        tokens = float(self.latents + model.text_tokens)
        moved = 4.0 * tokens * model.hidden * PASSES_OVER_WIDTH
        each = chips.stream_s(self.chip, moved, PASSES_OVER_WIDTH)
        return model.layers * (each + operator_s(self.chip, "activation", tokens * model.ffn))
