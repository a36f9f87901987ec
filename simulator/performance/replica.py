"""One serving replica: how long an iteration takes and how many sequences fit its memory."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.performance import chip as chips
from simulator.performance import collectives, transformer

# Share of memory that engines take for weights and keys and values (vLLM's default). Vendor.
MEMORY_SHARE = 0.90

# Host work per iteration: scheduling, sampling, launch of a captured graph. Assumed, 0.5-3 ms.
ITERATION_OVERHEAD_S = 1.0e-3

# Time a layer takes beyond its bytes and operations: gaps between about eight short kernels of a
# captured graph. Assumed, 10-40 us.
LAYER_OVERHEAD_S = 20e-6

# An all-reduce of few bytes inside the scale-up domain, twice per layer. Assumed, 6-20 us;
# AIConfigurator uses 10 us between NVLink peers.
SMALL_ALL_REDUCE_S = 10e-6


@dataclass(frozen=True)
class Replica:
    """A model on `chips` accelerators that work on each token together."""

    model: LanguageModel
    chip: Accelerator
    chips: int
    weight_precision: str

    @cached_property
    def rates(self) -> chips.Sustained:
        """What each chip sustains."""
        return chips.sustained(self.chip, self.weight_precision)

    @cached_property
    def kv_tokens(self) -> float:
        """Tokens of keys and values that fit beside the weights; ValueError if none do."""
        memory = MEMORY_SHARE * self.chip.memory * self.chips
        weights = transformer.weight_bytes(self.model, self.weight_precision)
        if weights >= memory:
            raise ValueError(
                f"{self.model.name} needs {weights / 1e9:.0f} GB for {self.weight_precision} "
                f"weights; {self.chips} x {self.chip.name} offer {memory / 1e9:.0f} GB"
            )
        return (memory - weights) / self._kv_bytes_per_token

    @cached_property
    def decode_overhead_s(self) -> float:
        """Time of a decode iteration that depends on nothing."""
        reduces = 2 * self.model.layers * SMALL_ALL_REDUCE_S if self.chips > 1 else 0.0
        return ITERATION_OVERHEAD_S + self.model.layers * LAYER_OVERHEAD_S + reduces

    def weights_s(self, batch: np.ndarray) -> np.ndarray:
        """Return the time in s to read the weights that a batch touches, once."""
        read = [
            transformer.weights_read_bytes(self.model, self.weight_precision, float(tokens))
            for tokens in (batch if self.model.experts else batch[:1])
        ]
        return np.broadcast_to(
            np.array(read) / (self.chips * self.rates.weight_bytes_s), batch.shape
        )

    def sequence_memory_s(self, context: float) -> float:
        """Return the time in s that one sequence adds to a decode iteration by its own memory."""
        kept = self._shared_out(transformer.kv_bytes(self.model, context))
        return kept / (self.chips * self.rates.kv_bytes_s)

    def sequence_matrix_s(self, context: float) -> float:
        """Return the time in s that one sequence adds to a decode iteration by its products."""
        flops = transformer.forward_flops(self.model, context)
        return flops / (self.chips * self.rates.matrix_flop_s)

    def decode_s(self, batch: np.ndarray, context: float) -> np.ndarray:
        """Return the time in s of one decode iteration.

        Overhead, weights read once, and per sequence its keys and values and its products. The
        parts add up: an iteration is hundreds of short kernels, each bound by one of them.
        """
        per_sequence = self.sequence_memory_s(context) + self.sequence_matrix_s(context)
        return self.decode_overhead_s + self.weights_s(batch) + batch * per_sequence

    def prefill_s(self, tokens: float, cached: float = 0.0) -> float:
        """Return the time in s that a prompt of `tokens` adds, `cached` of them held already.

        Products at the rate of whole layers, then two all-reduces of the activations per layer.
        """
        fresh = tokens - cached
        attended = cached + transformer.causal_span(fresh)
        flops = fresh * transformer.forward_flops(self.model, attended)
        flops -= (fresh - 1.0) * 2.0 * self.model.vocabulary * self.model.hidden
        fabric = collectives.fabric_of(self.chip)
        message = fresh * self.model.hidden * 2.0
        reduce_s = collectives.all_reduce_s(fabric, self.chips, message)
        return flops / (self.chips * self.rates.layer_flop_s) + 2 * self.model.layers * reduce_s

    def _shared_out(self, kv_bytes: float) -> float:
        """Return bytes over all chips: a chip cannot hold less than one key-value head.

        The one vector of latent attention is not split but shared out by sequence.
        """
        copies = 1.0 if self.model.latent else max(1.0, self.chips / self.model.kv_heads)
        return kv_bytes * copies

    @property
    def _kv_bytes_per_token(self) -> float:
        return self._shared_out(transformer.kv_bytes_per_token(self.model))

    def sequences(self, peak_context: float) -> int:
        """Return how many sequences of `peak_context` tokens fit; ValueError if none does."""
        kept = self._shared_out(transformer.kv_bytes(self.model, peak_context))
        room = self.kv_tokens * self._kv_bytes_per_token
        if kept > room:
            raise ValueError(
                f"one sequence of {peak_context:.0f} tokens of {self.model.name} keeps "
                f"{kept / 1e9:.1f} GB; {self.chips} x {self.chip.name} have {room / 1e9:.1f} GB "
                "beside the weights"
            )
        return int(room // kept)
