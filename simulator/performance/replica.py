"""One serving replica of the plan engine: iterations, power and room, from the iteration model."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulator.components import from_catalog
from simulator.components.accelerator import Accelerator
from simulator.components.engine import Engine
from simulator.components.language_model import LanguageModel
from simulator.performance import serving_memory, serving_operators
from simulator.performance.collectives import fabric_of
from simulator.performance.encoding import image_token_work
from simulator.performance.iteration import IterationCost, ReplicaCost, replica_cost_of
from simulator.performance.serving_setting import ReplicaPlan, ServingSetting

ENGINE = "vllm-0.12"
"""Serving engine of plans that name none."""

# Core clock at which the share of time that follows it is taken. Assumed, 0.6-0.9.
PROBED_CLOCK = 0.8

# Sequences that decode beside a prompt, where the time that it adds is taken. Assumed, 8-128.
PROMPT_COMPANY = 32.0


@dataclass(frozen=True)
class Replica:
    """A model on `chips` accelerators that serve one batch together.

    Dense layers are split over all chips. The attention of a model with experts is split over as
    many chips as there are key-value heads (none for latent attention) and repeated on the rest,
    which take other sequences; experts are dealt out over all chips.
    """

    model: LanguageModel
    chip: Accelerator
    chips: int
    weight_precision: str
    engine: Engine | None = None
    """None: that of the catalog for plans."""

    @cached_property
    def plan(self) -> ReplicaPlan:
        """How the chips share the model."""
        if not self.model.experts:
            return ReplicaPlan(tp=self.chips)
        together = 1 if self.model.latent else min(self.chips, self.model.kv_heads)
        return ReplicaPlan(together, self.chips // together, self.chips)

    @cached_property
    def setting(self) -> ServingSetting:
        """What an iteration is made on."""
        return ServingSetting(
            self.model, self.chip, self.plan, self.weight_precision,
            self.engine or from_catalog.engine(ENGINE), fabric_of(self.chip), 2.0,
        )  # fmt: skip

    @cached_property
    def cost(self) -> ReplicaCost:
        """Time and work of an iteration."""
        return replica_cost_of(self.setting)

    def decode_s(self, batch: NDArray[np.float64], context: float) -> NDArray[np.float64]:
        """Return the time in s of one decode iteration."""
        return self.cost.time.decode_s(batch, context)

    def prefill_s(self, tokens: float, cached: float = 0.0) -> float:
        """Return the time in s that a prompt of `tokens` adds, `cached` of them held already."""
        return self._prefill(self.cost.time, tokens, cached)

    def decode_power(self, batch: NDArray[np.float64], context: float) -> NDArray[np.float64]:
        """Return a chip's dynamic power share while `batch` sequences decode."""
        return self.cost.drawn.decode_s(batch, context) / self.decode_s(batch, context)

    def prefill_power(self, tokens: float, cached: float = 0.0) -> float:
        """Return it while a prompt is processed."""
        drawn_s = self._prefill(self.cost.drawn, tokens, cached)
        return drawn_s / self.prefill_s(tokens, cached)

    def clock_bound_frac(self, batch: NDArray[np.float64], context: float) -> NDArray[np.float64]:
        """Return the share of a decode iteration that follows the core clock."""
        slower = self._slow.decode_s(batch, context) / self.decode_s(batch, context) - 1.0
        return np.clip(slower / (1.0 / PROBED_CLOCK - 1.0), 0.0, 1.0)

    def prefill_clock_bound_frac(self, tokens: float, cached: float = 0.0) -> float:
        """Return the share of a prompt's time that follows the core clock."""
        slower = self._prefill(self._slow, tokens, cached) / self.prefill_s(tokens, cached) - 1.0
        return min(max(slower / (1.0 / PROBED_CLOCK - 1.0), 0.0), 1.0)

    def scores_s(self, tokens: float) -> float:
        """Return the time of scores over the vocabulary for so many tokens beyond the first."""
        few, many = serving_operators.output_work(self.setting, np.array([1.0, tokens]))[0]
        return float(many - few)

    @cached_property
    def image_token_s(self) -> float:
        """Time to encode what gives one token of an image; 0 for a model that reads none."""
        return float(image_token_work(self.setting)[0])

    @cached_property
    def weight_bytes(self) -> float:
        """Bytes of weights on all chips, repeated ones included."""
        return serving_memory.weight_bytes(self.setting) * self.chips

    @cached_property
    def kv_room_bytes(self) -> float:
        """Memory left for keys and values; ValueError if the weights leave none."""
        return serving_memory.room_bytes(self.setting) * self.chips

    @cached_property
    def _slow(self) -> IterationCost:
        return replica_cost_of(replace(self.setting, clock_frac=PROBED_CLOCK)).time

    def sequences(self, context: float) -> int:
        """Return how many sequences of `context` tokens fit; ValueError if none does."""
        return serving_memory.seats(self.setting, context)

    def _prefill(self, form: IterationCost, tokens: float, cached: float) -> float:
        """Return what a prompt adds, in the engine's chunks.

        Where prompts come often they share iterations, and so what one waits for its host.
        """
        chunk = float(self.setting.engine.chunk_tokens)
        done, total = cached, 0.0
        while done < tokens:
            part = min(tokens - done, chunk)
            shared_s = form.prompt_s * part / (chunk * self.plan.dp)
            total += form.added_s(part, PROMPT_COMPANY, done) - form.prompt_s + shared_s
            done += part
        return total
