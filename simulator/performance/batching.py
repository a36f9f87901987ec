"""A replica as the batching kernel takes it: its cost in plain arrays, its moves of keys and values."""

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.batching_state import CONTEXT, LIMITED, PAIR, PROMPTS, SEQUENCE, Cost
from simulator.performance import serving_memory
from simulator.performance.collectives import send_s
from simulator.performance.iteration import IterationCost, ReplicaCost
from simulator.performance.serving_setting import ServingSetting

# Bandwidth between a chip and its host's memory that an engine reaches when it swaps blocks of keys
# and values: PCIe 5.0 x16 gives 63 GB/s, pinned copies of blocks less. Assumed, range 20e9-55e9.
HOST_BYTES_S = 40e9

Floats = NDArray[np.float64]


def kernel_cost(cost: ReplicaCost, max_tokens: int) -> Cost:
    """Return time and work of iterations of up to `max_tokens` tokens."""
    grid = np.arange(max_tokens + 1.0)
    limits = cost.time.limits
    each = np.zeros((LIMITED + 2 * len(limits), 3))
    for k, form in enumerate(cost.forms):
        each[PROMPTS, k], each[SEQUENCE, k] = form.prompt_s, form.sequence_s
        each[CONTEXT, k], each[PAIR, k] = form.context_s, form.pair_s
        each[LIMITED::2, k] = form.limited_context_s
        each[LIMITED + 1 :: 2, k] = form.limited_pair_s
    table = np.stack([_by_tokens(form, grid) for form in cost.forms], axis=1)
    return Cost(table, each, np.ceil(limits).astype(np.int64))


def _by_tokens(form: IterationCost, grid: Floats) -> Floats:
    """Return seconds by tokens; beyond the form's own grid in proportion."""
    beyond = np.maximum(grid / form.tokens[-1], 1.0)
    return np.asarray(np.interp(grid, form.tokens, form.tokens_s) * beyond)


def swap_s(setting: ServingSetting) -> float:
    """Return the time to move one token's keys and values between the chips and their hosts."""
    return _sent_bytes(setting, 2.0, 1.0) / HOST_BYTES_S


def transfer_s(setting: ServingSetting, tokens: NDArray[np.int64]) -> Floats:
    """Return how long keys and values of prompts are on their way to another replica.

    Every chip of a group sends its share over its own port of the scale-out network; time is linear
    in bytes, and bytes in tokens but for attention that sees the nearest positions only.
    """
    beyond, mean = (
        setting.chip.scaleup_domain,
        max(float(tokens.mean()), 1.0) if len(tokens) else 1.0,
    )
    start_s = send_s(setting.fabric, 0.0, beyond)
    whole_s = send_s(setting.fabric, serving_memory.sequence_bytes(setting, mean), beyond)
    return np.asarray(start_s + (whole_s - start_s) / mean * tokens)


def _sent_bytes(setting: ServingSetting, context: float, before: float) -> float:
    """Return what a chip keeps of the tokens between two contexts."""
    more = serving_memory.sequence_bytes(setting, context)
    return more - serving_memory.sequence_bytes(setting, before)
