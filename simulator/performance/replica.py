"""One serving replica: how long an iteration takes and how many sequences fit its memory."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from simulator.components.accelerator import Accelerator
from simulator.components.language_model import LanguageModel
from simulator.performance import collectives, layers, transformer
from simulator.performance.chip import Sustained, sustained

# Share of memory that engines take for weights and keys and values (vLLM's default). Vendor.
MEMORY_SHARE = 0.90

# Host work per iteration: scheduling, sampling, launch of a captured graph. Assumed, 0.5-3 ms.
ITERATION_OVERHEAD_S = 1.0e-3

# Time a layer takes beyond its bytes and operations: gaps between about eight short kernels of a
# captured graph. Assumed, 10-40 us.
LAYER_OVERHEAD_S = 20e-6

# The same for the further kernels of a layer with experts: routing, sorting, two grouped products,
# and quantisation between them. Assumed, 20-80 us.
EXPERT_LAYER_OVERHEAD_S = 40e-6

# Host work per sequence and iteration: sampling and text. Assumed, 5-40 us.
SEQUENCE_OVERHEAD_S = 15e-6

# Expert parallelism: a token goes to its experts in 8 bits and comes back in 16. Vendor (DeepEP).
DISPATCH_BYTES, COMBINE_BYTES = 1.0, 2.0

# An all-reduce of few bytes inside the scale-up domain, twice per layer. Assumed, 6-20 us;
# AIConfigurator uses 10 us between NVLink peers.
SMALL_ALL_REDUCE_S = 10e-6


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

    @cached_property
    def rates(self) -> Sustained:
        """What each chip sustains."""
        return sustained(self.chip, self.weight_precision)

    @cached_property
    def attention_chips(self) -> int:
        """Chips that share one sequence's attention."""
        if not self.model.experts:
            return self.chips
        return 1 if self.model.latent else min(self.chips, self.model.kv_heads)

    @cached_property
    def weight_bytes(self) -> float:
        """Bytes of weights on all chips, repeated attention included."""
        copies = self.chips / self.attention_chips - 1.0
        repeated = copies * transformer.attention_bytes(self.model, self.weight_precision)
        return transformer.weight_bytes(self.model, self.weight_precision) + repeated

    @cached_property
    def kv_room_bytes(self) -> float:
        """Memory left for keys and values; ValueError if the weights leave none."""
        memory = MEMORY_SHARE * self.chip.memory * self.chips
        if self.weight_bytes >= memory:
            raise ValueError(
                f"{self.model.name} needs {self.weight_bytes / 1e9:.0f} GB for "
                f"{self.weight_precision} weights; {self.chips} x {self.chip.name} offer "
                f"{memory / 1e9:.0f} GB"
            )
        return memory - self.weight_bytes

    @cached_property
    def blocks(self) -> float:
        """Pairs of a mixer and a feed-forward network: the layers of a plain transformer."""
        return 0.5 * sum(kind.count for kind in layers.kinds(self.model))

    @cached_property
    def decode_overhead_s(self) -> float:
        """Time of a decode iteration that depends on nothing."""
        exchanges = 2 * self.blocks * SMALL_ALL_REDUCE_S if self.chips > 1 else 0.0
        kernels = self.blocks * LAYER_OVERHEAD_S + self.model.moe_layers * EXPERT_LAYER_OVERHEAD_S
        return ITERATION_OVERHEAD_S + kernels + exchanges

    def weights_s(self, batch: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the time in s to read the weights that each batch touches, once."""
        copies = self.chips / self.attention_chips - 1.0
        shared = transformer.shared_bytes(self.model, self.weight_precision)
        shared += copies * transformer.attention_bytes(self.model, self.weight_precision)
        experts = transformer.expert_bytes(self.model, self.weight_precision)
        touched = experts * transformer.distinct_experts(self.model, batch)
        read_s = shared / self.rates.weight_bytes_s + touched / self.rates.expert_bytes_s
        return np.broadcast_to(read_s / self.chips, batch.shape)

    def sequence_memory_s(self, context: float) -> float:
        """Return the time in s that one sequence adds to a decode iteration by its own memory.

        Keys and values are read; recurrent states are read and written.
        """
        moved = self.kv_bytes(context) + transformer.state_bytes(self.model)
        return moved / (self.chips * self.rates.kv_bytes_s)

    def sequence_matrix_s(self, context: float) -> float:
        """Return the time in s that one sequence adds to a decode iteration by its products."""
        flops = transformer.forward_flops(self.model, context)
        return flops / (self.chips * self.rates.layer_flop_s)

    def decode_s(self, batch: NDArray[np.float64], context: float) -> NDArray[np.float64]:
        """Return the time in s of one decode iteration.

        Overhead, weights read once, and per sequence its keys and values, its products and its
        share of the host's work. The parts add up: an iteration is hundreds of short kernels,
        each bound by one of them.
        """
        each = self.sequence_memory_s(context) + self.sequence_matrix_s(context)
        each += SEQUENCE_OVERHEAD_S + self._exchange_s(1.0)
        return self.decode_overhead_s + self.weights_s(batch) + batch * each

    def prefill_s(self, tokens: float, cached: float = 0.0) -> float:
        """Return the time in s that a prompt of `tokens` adds, `cached` of them held already.

        Products at the rate of whole layers, the vocabulary only for the last position, and the
        exchange of activations between the chips.
        """
        fresh = tokens - cached
        attended = cached + transformer.causal_span(fresh)
        flops = fresh * transformer.forward_flops(self.model, attended)
        flops -= (fresh - 1.0) * 2.0 * self.model.vocabulary * self.model.hidden
        return flops / (self.chips * self.rates.layer_flop_s) + self._exchange_s(fresh)

    def kv_bytes(self, context: float) -> float:
        """Return bytes that one sequence keeps over all chips.

        A chip cannot keep less than one key-value head, so more chips than heads keep copies;
        recurrent states have heads enough.
        """
        copies = max(1.0, self.attention_chips / self.model.kv_heads)
        kept = transformer.kv_bytes(self.model, context) * copies
        return kept + transformer.state_bytes(self.model)

    def sequences(self, context: float) -> int:
        """Return how many sequences of `context` tokens fit; ValueError if none does."""
        kept = self.kv_bytes(context)
        if kept > self.kv_room_bytes:
            raise ValueError(
                f"one sequence of {context:.0f} tokens of {self.model.name} keeps "
                f"{kept / 1e9:.1f} GB; {self.chips} x {self.chip.name} have "
                f"{self.kv_room_bytes / 1e9:.1f} GB beside the weights"
            )
        return int(self.kv_room_bytes // kept)

    def _exchange_s(self, tokens: float) -> float:
        """Return the time in s that `tokens` spend between chips, beyond the start-ups.

        Two all-reduces per layer where chips share a sequence; out to the experts and back where
        they are dealt out over more chips than that.
        """
        fabric, model = collectives.fabric_of(self.chip), self.model
        groups = self.chips / self.attention_chips
        message = tokens / groups * model.hidden * 2.0
        sent = 2 * self.blocks * _wire_s(fabric, self.attention_chips, message)
        if model.experts and groups > 1:
            width = model.experts.latent or model.hidden
            per_token = model.experts.active * width * (DISPATCH_BYTES + COMBINE_BYTES)
            local = collectives.local_ranks(fabric, self.chips)
            rate = fabric.scaleup_rate if local == self.chips else fabric.scaleout_rate
            sent += model.moe_layers * tokens / self.chips * per_token / rate
        return sent


def _wire_s(fabric: collectives.Fabric, ranks: int, message_bytes: float) -> float:
    """Return the part of an all-reduce that grows with the message."""
    start = collectives.all_reduce_s(fabric, ranks, 0.0)
    return collectives.all_reduce_s(fabric, ranks, message_bytes) - start
