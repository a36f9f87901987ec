"""Requests that a replica can hold: the others are rejected as they arrive, and counted.

A request is held from its first token to its last: prompt and answer together must fit the keys and
values that a replica has room for, and the positions its model knows.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.performance import serving_memory
from simulator.performance.queueing import Demand
from simulator.performance.replica import Replica

Ints = NDArray[np.int64]


class Held(NamedTuple):
    """Of requests, those that a replica can hold."""

    share: float
    input_tokens: float
    """Mean of those; of all where none is held."""
    output_tokens: float


def most_tokens(replica: Replica, demand: Demand) -> int:
    """Return the longest request, in tokens, that a replica with contexts of this demand can hold."""
    room = int(serving_memory.kv_tokens(replica.setting, demand.context))
    return min(room, replica.model.context)


def held(asked: Ints, given: Ints, means: tuple[float, float], most: int) -> Held:
    """Return what is held of requests drawn with these mean prompts and answers."""
    fits = asked + given <= most
    if fits.all() or not fits.any():
        return Held(float(fits.any()), *means)
    shorter = (float(side[fits].mean() / side.mean()) for side in (asked, given))
    return Held(float(fits.mean()), means[0] * next(shorter), means[1] * next(shorter))
