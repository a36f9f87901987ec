"""Levels of probability for inputs that are not known: by design, or drawn once per replicate."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from scipy import special

from simulator import rng
from simulator.kernels import philox

Sampled = Literal["lhs", "sobol", "tornado", "morris", "saltelli"]
Correlation = tuple[str, str, float]
EDGE = 1e-12
"""Levels keep this distance from 0 and 1, where quantile functions end."""
LOW, HIGH = 0.1, 0.9
"""Levels between which a tornado and the trajectories of Morris move an input."""


def by_design(
    kind: Sampled, samples: int, keys: Sequence[str], correlations: Sequence[Correlation], seed: int
) -> np.ndarray:
    """Return levels (designs, keys) that fill the cube evenly, or move in it as a method asks.

    `lhs` is a Latin hypercube: each key has one level in each of `samples` equal slices. `sobol` is
    a scrambled Sobol sequence, balanced for powers of two. `tornado` is the middle of all, then each
    key alone at its 10 % and its 90 %. `morris` makes `samples` trajectories that move one key at a
    time (Morris, Technometrics 33, 1991), `saltelli` the `samples` x (keys + 2) points that Sobol's
    indices need (Saltelli, Computer Physics Communications 181, 2010). Correlation bends `lhs` and
    `sobol`.
    """
    return correlated(_LEVELS[kind](samples, len(keys), seed), keys, correlations)


def _lhs(samples: int, keys: int, seed: int) -> np.ndarray:
    from scipy.stats import qmc  # half a second that other commands need not pay

    return np.asarray(qmc.LatinHypercube(keys, rng=seed).random(samples))


def _sobol(samples: int, keys: int, seed: int) -> np.ndarray:
    from scipy.stats import qmc

    return np.asarray(qmc.Sobol(keys, scramble=True, rng=seed).random(samples))


def _tornado(samples: int, keys: int, seed: int) -> np.ndarray:
    levels = np.full((1 + 2 * keys, keys), 0.5)
    for key in range(keys):
        levels[1 + 2 * key, key], levels[2 + 2 * key, key] = LOW, HIGH
    return levels


def _morris(samples: int, keys: int, seed: int) -> np.ndarray:
    from SALib.sample import morris  # an extra: two seconds

    return LOW + (HIGH - LOW) * np.asarray(morris.sample(unit_problem(keys), samples, seed=seed))


def _saltelli(samples: int, keys: int, seed: int) -> np.ndarray:
    from SALib.sample import sobol

    found = sobol.sample(unit_problem(keys), samples, calc_second_order=False, seed=seed)
    return np.asarray(found)


_LEVELS = {
    "lhs": _lhs, "sobol": _sobol, "tornado": _tornado, "morris": _morris, "saltelli": _saltelli,
}


def unit_problem(keys: int) -> dict[str, Any]:
    """Return the unit cube as SALib describes it."""
    names = [str(key) for key in range(keys)]
    return {"num_vars": keys, "names": names, "bounds": [[0.0, 1.0]] * keys}


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
