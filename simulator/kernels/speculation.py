"""Decode steps of requests whose engine drafts tokens ahead and verifies them in one step."""

import numpy as np
from numba import njit

from simulator.kernels import philox
from simulator.kernels.batching_state import GRAIN


@njit(cache=True)
def expected_steps(output_tokens, emitted):
    """Return the decode steps after the first token, each giving `emitted` tokens on average."""
    steps = np.empty(output_tokens.size, np.int64)
    for i in range(output_tokens.size):
        steps[i] = int(np.ceil((output_tokens[i] - 1) / emitted))
    return steps


@njit(cache=True)
def drawn_steps(output_tokens, drafted, accept_frac, key0, key1):
    """Return decode steps where each drafted token is right with a chance, up to the first wrong.

    A step gives the tokens accepted and one more. The draw of a request's step depends only on the
    key and the two numbers.
    """
    steps = np.empty(output_tokens.size, np.int64)
    for i in range(output_tokens.size):
        left, step = output_tokens[i] - 1, 0
        while left > 0:
            u = philox.uniform(key0, key1, i, step, 0, 0)
            given, chance = 1, accept_frac
            while given <= drafted and u < chance:
                given += 1
                chance *= accept_frac
            left -= given
            step += 1
        steps[i] = step
    return steps


@njit(cache=True)
def rates(output_tokens, steps):
    """Return the units of tokens that each step gives, so that all steps give all tokens."""
    rate = np.empty(steps.size, np.int64)
    for i in range(steps.size):
        rate[i] = GRAIN
        if steps[i] > 0:
            rate[i] = (output_tokens[i] - 1) * GRAIN // steps[i]
    return rate
