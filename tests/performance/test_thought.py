"""Chains of thought under a budget, against sampling and limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.performance.thought import within_budget


@pytest.mark.parametrize(("mean", "cv", "budget"), [(4000.0, 1.0, 2000.0), (800.0, 0.5, 1500.0),
                                                    (6000.0, 2.0, 16000.0)])
def test_mean_and_share_cut_are_those_of_draws(mean, cv, budget):
    sigma = np.sqrt(np.log1p(cv**2))
    draws = np.random.default_rng(1).lognormal(np.log(mean) - sigma**2 / 2, sigma, 400_000)
    kept, cut = within_budget(mean, cv, budget)
    assert kept == pytest.approx(np.minimum(draws, budget).mean(), rel=5e-3)
    assert cut == pytest.approx((draws > budget).mean(), abs=3e-3)


@pytest.mark.parametrize(
    ("mean", "cv", "budget", "found"),
    [(500.0, 1.0, None, (500.0, 0.0)), (0.0, 1.0, 100.0, (0.0, 0.0)),
     (500.0, 0.0, 400.0, (400.0, 1.0)), (500.0, 0.0, 600.0, (500.0, 0.0))])
def test_without_budget_thought_or_spread(mean, cv, budget, found):
    assert within_budget(mean, cv, budget) == found


@given(st.floats(1.0, 1e5), st.floats(0.01, 4.0), st.floats(1.0, 1e5), st.floats(1.01, 10.0))
def test_a_larger_budget_cuts_less_and_keeps_more(mean, cv, budget, factor):
    kept, cut = within_budget(mean, cv, budget)
    more, fewer = within_budget(mean, cv, factor * budget)
    assert 0.0 <= kept <= min(mean, budget) * (1 + 1e-9)
    assert more >= kept * (1 - 1e-9)
    assert fewer <= cut + 1e-12
