"""A replica as the batching kernel takes it: rules, cost in plain arrays, moves of keys and values."""

import math

import numpy as np
from numpy.typing import NDArray

from simulator.kernels.batching_state import (
    CONTEXT,
    GRAIN,
    LIMITED,
    PAIR,
    PROMPTS,
    SEQUENCE,
    Cost,
    Rules,
)
from simulator.performance import serving_memory
from simulator.performance.collectives import send_s
from simulator.performance.encoding import image_token_work
from simulator.performance.iteration import ReplicaCost
from simulator.performance.serving_setting import ServingSetting
from simulator.performance.serving_work import DRAWN, TIME

# Bandwidth between a chip and its host's memory that an engine reaches when it swaps blocks of keys
# and values: PCIe 5.0 x16 gives 63 GB/s, pinned copies of blocks less. Assumed, range 20e9-55e9.
HOST_BYTES_S = 40e9

Floats = NDArray[np.float64]


def kernel_cost(cost: ReplicaCost, max_tokens: int) -> Cost:
    """Return time and draw of iterations of up to `max_tokens` tokens."""
    grid = np.arange(max_tokens + 1.0)
    limits, forms = cost.time.limits, (cost.time, cost.drawn)
    each = np.zeros((LIMITED + 2 * len(limits), len(forms)))
    for k, form in enumerate(forms):
        each[PROMPTS, k], each[SEQUENCE, k] = form.prompt_s, form.sequence_s
        each[CONTEXT, k], each[PAIR, k] = form.context_s, form.pair_s
        each[LIMITED::2, k] = form.limited_context_s
        each[LIMITED + 1 :: 2, k] = form.limited_pair_s
    table = np.stack([_by_tokens(form.tokens, form.tokens_s, grid) for form in forms], axis=1)
    parts = [
        np.zeros_like(grid) if form.local_s is None else _by_tokens(form.tokens, form.local_s, grid)
        for form in forms
    ]
    return Cost(table, each, np.ceil(limits).astype(np.int64), np.stack(parts, axis=1))


def _by_tokens(tokens: Floats, seconds: Floats, grid: Floats) -> Floats:
    """Return seconds by tokens; beyond those known in proportion."""
    beyond = np.maximum(grid / tokens[-1], 1.0)
    return np.asarray(np.interp(grid, tokens, seconds) * beyond)


def rules_of(setting: ServingSetting, kv_tokens: int, drafts: int = 0) -> Rules:
    """Return how a replica's engine batches by itself: recompute, no prefix cache, endless patience.

    Groups that take their own sequences, and the parts of the batch that follow each other through
    stages, are counted together, seats, budget and memory; a prompt is computed by one of them.
    """
    engine, dp, pp, verified = setting.engine, setting.plan.dp, setting.plan.pp, 1 + drafts
    images = image_token_work(setting)
    tokens = engine.chunk_tokens * dp * pp
    return Rules(
        capacity=kv_tokens * GRAIN,
        max_sequences=min(engine.max_sequences * dp, tokens // verified),
        max_tokens=tokens,
        chunked=engine.mixes,
        ahead=engine.ahead,
        swap=False,
        swap_s=swap_s(setting),
        verified=verified,
        block_tokens=0,
        patience_s=math.inf,
        groups=dp * pp,
        hold=engine.balance_iterations if dp > 1 else 0,
        image_s=float(images[TIME]),
        image_drawn_s=float(images[DRAWN]) / pp,
    )


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
