"""Levels by design and per replicate: even, correlated, and independent of other keys."""

import numpy as np
import pytest
from scipy import stats

from simulator.studies import sampling

KEYS = ["a", "b", "c"]


def test_a_latin_hypercube_has_one_level_in_each_slice():
    found = sampling.by_design("lhs", 50, KEYS, [], 1)
    assert all(sorted((column * 50).astype(int)) == list(range(50)) for column in found.T)


def test_a_sobol_sequence_is_balanced():
    found = sampling.by_design("sobol", 64, KEYS, [], 1)
    assert (((found < 0.5).sum(axis=0)) == 32).all()
    # Better than chance at an integral: the product of the means.
    assert abs(found.prod(axis=1).mean() - 0.125) < 0.01


def test_a_seed_gives_the_same_design():
    one, two, other = (sampling.by_design("sobol", 16, KEYS, [], s) for s in (1, 1, 2))
    assert (one == two).all() and (one != other).any()


def test_a_copula_keeps_levels_uniform_and_correlates_scores():
    found = sampling.by_design("sobol", 4096, KEYS, [("a", "c", 0.7)], 1)
    scores = stats.norm.ppf(found)
    assert np.corrcoef(scores[:, 0], scores[:, 2])[0, 1] == pytest.approx(0.7, abs=0.02)
    assert abs(np.corrcoef(scores[:, 0], scores[:, 1])[0, 1]) < 0.02
    assert all(stats.kstest(column, "uniform").pvalue > 0.2 for column in found.T)


def test_correlations_that_cannot_hold_together_are_refused():
    pairs = [("a", "b", 0.9), ("b", "c", 0.9), ("a", "c", -0.9)]
    with pytest.raises(ValueError, match="cannot all hold together"):
        sampling.mixing(KEYS, pairs)


def test_another_key_moves_no_other_draw():
    few = sampling.of_replicate(3, ["a", "b"], [], 1)
    many = sampling.of_replicate(3, ["x", "a", "y", "b"], [], 1)
    assert list(few) == [many[1], many[3]]
    assert few[0] != sampling.of_replicate(4, ["a"], [], 1)[0]


def test_draws_of_replicates_are_uniform_and_correlated():
    found = np.array([sampling.of_replicate(k, KEYS, [("a", "b", -0.5)], 7) for k in range(2000)])
    assert all(stats.kstest(column, "uniform").pvalue > 0.01 for column in found.T)
    scores = stats.norm.ppf(found)
    assert np.corrcoef(scores[:, 0], scores[:, 1])[0, 1] == pytest.approx(-0.5, abs=0.05)
