"""Levels of probability for inputs that are not known: by design, or drawn once per replicate."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import special

from simulator import rng
from simulator.kernels import philox

Sampled = Literal["lhs", "sobol"]
Correlation = tuple[str, str, float]
EDGE = 1e-12
"""Levels keep this distance from 0 and 1, where quantile functions end."""


def by_design(
    kind: Sampled, samples: int, keys: Sequence[str], correlations: Sequence[Correlation], seed: int
) -> np.ndarray:
    """Return levels (samples, keys) that fill the cube evenly.

    `lhs` is a Latin hypercube: each key has one level in each of `samples` equal slices. `sobol` is
    a scrambled Sobol sequence, balanced for powers of two. Correlation bends both.
    """
    from scipy.stats import qmc  # half a second that other commands need not pay

    if kind == "sobol":
        found = qmc.Sobol(len(keys), scramble=True, rng=seed).random(samples)
    else:
        found = qmc.LatinHypercube(len(keys), rng=seed).random(samples)
    return correlated(found, keys, correlations)


def of_replicate(
    replicate: int, keys: Sequence[str], correlations: Sequence[Correlation], seed: int
) -> np.ndarray:
    """Return one level per key, of a stream of the key's own: another key moves no other draw."""
    drawn = [philox.uniform(*rng.key(seed, replicate, f"uncertain/{key}"), 0, 0, 0, 0) for key in keys]
    return np.asarray(correlated(np.array([drawn]), keys, correlations)[0])


def correlated(
    levels: np.ndarray, keys: Sequence[str], correlations: Sequence[Correlation]
) -> np.ndarray:
    """Return levels (rows, keys) with the given correlations of their normal scores.

    A Gaussian copula: scores are mixed by the Cholesky factor of their correlation matrix, so each
    level stays uniform.
    """
    levels = np.clip(levels, EDGE, 1.0 - EDGE)
    if not correlations:
        return levels
    mixed = special.ndtri(levels) @ mixing(keys, correlations).T
    return np.asarray(np.clip(special.ndtr(mixed), EDGE, 1.0 - EDGE))


def mixing(keys: Sequence[str], correlations: Sequence[Correlation]) -> np.ndarray:
    """Return the Cholesky factor of the correlation matrix; ValueError where there is none."""
    matrix = np.eye(len(keys))
    for one, other, value in correlations:
        i, j = keys.index(one), keys.index(other)
        matrix[i, j] = matrix[j, i] = value
    if len(keys) and np.linalg.eigvalsh(matrix)[0] <= 0.0:
        raise ValueError(f"the correlations of {', '.join(keys)} cannot all hold together")
    return np.asarray(np.linalg.cholesky(matrix))
