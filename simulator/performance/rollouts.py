"""Many answers of spread lengths, generated at once: how long until the last one ends.

A batch of rollouts is not a queue in a steady state. All begin together (as many as memory holds),
the short ones end, the batch thins out, and the longest decides.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from simulator.performance import transformer
from simulator.performance.replica import Replica
from simulator.performance.serving import MAX_BATCH
from simulator.performance.training import WAITING_POWER

POINTS = 129
"""Lengths at which the thinning batch is looked at."""
EULER_GAMMA = 0.5772156649015329
ALIKE = 1e-3
"""Coefficient of variation below which answers are of one length."""


@dataclass(frozen=True)
class Lengths:
    """Output lengths in tokens: lognormal with a mean and a coefficient of variation, cut at the
    longest allowed (an answer that reaches it is cut off, and counts as that long)."""

    mean: float
    cv: float
    longest: float

    def survival(self, tokens: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of answers longer than each length."""
        if self.cv < ALIKE:
            return (tokens <= self.mean).astype(float)
        above = ndtr((self._mu - np.log(np.maximum(tokens, 1e-9))) / self._sigma)
        return np.where(tokens <= self.longest, above, 0.0)

    def largest(self, count: float) -> float:
        """Return the expected longest of `count` answers (Gumbel: the quantile at which
        exp(-gamma) of them are expected beyond), cut at the longest allowed."""
        if self.cv < ALIKE:
            return self.mean
        beyond = min(math.exp(-EULER_GAMMA) / count, 0.5)
        longest = math.exp(self._mu - self._sigma * float(ndtri(beyond)))
        return min(longest, self.longest)

    @property
    def _sigma(self) -> float:
        return math.sqrt(math.log1p(self.cv**2))

    @property
    def _mu(self) -> float:
        return math.log(self.mean) - 0.5 * self._sigma**2


@dataclass(frozen=True)
class Generation:
    """One batch of rollouts on several replicas."""

    seconds: float
    """Until the longest answer ends."""
    dynamic_power_frac: float
    """Chip power between idle and TDP, averaged over time and replicas, finished ones included."""
    clock_bound_frac: float
    """Share of the time that follows the core clock: products, not memory or launches."""
    output_tokens: float
    """Mean length of an answer, those cut off included."""
    longest_tokens: float


def generate(
    replica: Replica, replicas: float, prompts: float, samples: float, input_tokens: float,
    lengths: Lengths,
) -> Generation:
    """Return the time and power of `prompts` x `samples` answers; ValueError if one does not fit.

    Each replica reads its prompts once (samples share their keys and values), keeps its batch full
    while answers wait for a seat, and then decodes what is left of it: at length t the answers
    that are longer than t. A replica whose answers have all ended waits for the others.
    """
    each = prompts * samples / replicas
    longest = lengths.largest(prompts * samples)
    tokens = np.linspace(0.0, longest, POINTS)
    alive = lengths.survival(tokens)
    mean = float(np.trapezoid(alive, tokens))
    seats = min(float(replica.sequences(input_tokens + mean)), MAX_BATCH, each)
    read_s = max(prompts / replicas, 1.0) * replica.prefill_s(input_tokens)
    full = _iterations(replica, np.array([seats]), np.array([input_tokens + 0.5 * mean]))
    full_s = (each / seats - 1.0) * mean * full.seconds[0] if seats else 0.0
    busy = 1.0 - (1.0 - alive) ** seats
    thin = _iterations(replica, np.maximum(seats * alive / np.maximum(busy, 1e-12), 1.0),
                       input_tokens + tokens)
    thin_s = float(np.trapezoid(thin.seconds, tokens))
    thin_j = float(np.trapezoid(
        thin.seconds * (busy * thin.power_frac + (1.0 - busy) * WAITING_POWER), tokens))
    total_s = read_s + full_s + thin_s
    bound_s = read_s + full_s * full.clock_bound_frac[0]
    bound_s += float(np.trapezoid(thin.seconds * thin.clock_bound_frac, tokens))
    drawn_j = read_s * replica.prefill_power(input_tokens) + full_s * full.power_frac[0] + thin_j
    return Generation(
        float(total_s), float(drawn_j / total_s), float(bound_s / total_s), mean, longest
    )


def score_s(
    replica: Replica, replicas: float, sequences: float, sequence_tokens: float
) -> float:
    """Return the time to pass whole sequences once through a model and score every token."""
    each_s = replica.prefill_s(sequence_tokens) + replica.scores_s(sequence_tokens)
    return sequences / replicas * each_s


def forward_flops(replica: Replica, tokens: float) -> float:
    """Return the FLOPs per token of reading or writing a sequence of so many tokens."""
    return transformer.forward_flops(replica.model, transformer.causal_span(tokens))


@dataclass(frozen=True)
class _Iterations:
    seconds: NDArray[np.float64]
    power_frac: NDArray[np.float64]
    clock_bound_frac: NDArray[np.float64]


def _iterations(
    replica: Replica, batch: NDArray[np.float64], context: NDArray[np.float64]
) -> _Iterations:
    """Return time, power and the share that follows the clock, at each batch and context."""
    pairs = [(np.array([b]), float(c)) for b, c in zip(batch, context, strict=True)]
    seconds, power, bound = (
        np.array([float(of(b, c)[0]) for b, c in pairs])
        for of in (replica.decode_s, replica.decode_power, replica.clock_bound_frac)
    )
    return _Iterations(seconds, power, bound)
