"""Chains of thought under a budget: what is still written, and how many are cut."""

import math

from scipy.special import ndtr


def within_budget(mean: float, cv: float, budget: float | None) -> tuple[float, float]:
    """Return the mean tokens of a chain of thought that stops at `budget`, and the share cut there.

    Lengths are lognormal with this mean and coefficient of variation before the cut; the mean
    after it is the limited expected value E[min(X, b)] = m Phi(z - s) + b (1 - Phi(z)) with
    z = (ln b - mu) / s (Klugman, Panjer and Willmot, Loss Models, app. A.4).
    """
    if budget is None or mean == 0.0:
        return mean, 0.0
    if cv == 0.0:
        return min(mean, budget), float(mean > budget)
    sigma = math.sqrt(math.log1p(cv * cv))
    z = (math.log(budget) - math.log(mean)) / sigma + 0.5 * sigma
    cut = float(ndtr(-z))
    return mean * float(ndtr(z - sigma)) + budget * cut, cut
