"""What n replicates can tell: intervals of a mean, of a quantile, of a share, and what they cannot.

Replicates are independent draws of one distribution. Nothing here assumes more of it than that,
except Student's t for the mean.
"""

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

CONFIDENCE = 0.95
"""Of every interval, unless told otherwise."""
MOST = 100_000
"""More replicates than anybody will run: a difference that needs more is none."""
Interval = tuple[float, float]


def of_mean(values: ArrayLike, confidence: float = CONFIDENCE) -> Interval | None:
    """Return Student's interval of the mean; None for fewer than two values."""
    sample = np.asarray(values, float)
    if len(sample) < 2:
        return None
    half = t_quantile(len(sample), confidence) * sample.std(ddof=1) / math.sqrt(len(sample))
    return float(sample.mean() - half), float(sample.mean() + half)


def of_quantile(
    values: ArrayLike, share: float, confidence: float = CONFIDENCE
) -> Interval | None:
    """Return an interval of a quantile from two of the sorted values; None where n cannot tell.

    It holds for any distribution (H. A. David, Order Statistics, section 7.1).
    """
    sample = np.sort(np.asarray(values, float))
    ranks = quantile_ranks(len(sample), share, confidence)
    return None if ranks is None else (float(sample[ranks[0] - 1]), float(sample[ranks[1] - 1]))


@cache
def quantile_ranks(
    n: int, share: float, confidence: float = CONFIDENCE
) -> tuple[int, int] | None:
    """Return ranks (l, u), from 1, such that the l-th and u-th of n sorted values enclose the
    quantile with the confidence: P(l <= K <= u - 1) for the number K below it, binomial (n, share).

    Of all such pairs the closest, and of these the one that covers most; None where not even the
    smallest and the largest value do.
    """
    if n < 2 or _coverage(n, share, 1, n) < confidence:
        return None
    pairs = [
        (upper - lower, -_coverage(n, share, lower, upper), lower, upper)
        for lower in range(1, n)
        if (upper := _partner(n, share, lower, confidence)) is not None
    ]
    return min(pairs)[2:]


@cache
def needed(share: float, confidence: float = CONFIDENCE) -> int:
    """Return the fewest replicates that can enclose a quantile: 1 - p^n - (1-p)^n >= confidence.

    P90 and P10 need 29, the median 6, P99 299 (S. S. Wilks, Ann. Math. Stat. 12, 1941).
    """
    n = 2
    while _coverage(n, share, 1, n) < confidence:
        n += 1
    return n


def of_share(hits: float, n: int, confidence: float = CONFIDENCE) -> Interval:
    """Return the exact interval of a probability from `hits` of n (C. Clopper, E. Pearson, 1934).

    A tie may count half: the interval of a fractional count lies between those of its neighbours.
    """
    tail = 0.5 * (1.0 - confidence)
    low = 0.0 if hits <= 0.0 else float(special.betaincinv(hits, n - hits + 1.0, tail))
    high = 1.0 if hits >= n else float(special.betaincinv(hits + 1.0, n - hits, 1.0 - tail))
    return low, high


def t_quantile(n: int, confidence: float = CONFIDENCE) -> float:
    """Return Student's two-sided factor for the mean of n values."""
    return float(special.stdtrit(n - 1, 0.5 + 0.5 * confidence))


def resolving(mean: float, deviation: float, confidence: float = CONFIDENCE) -> float:
    """Return how many values bring the half-width of the interval of their mean down to the mean
    itself, to 4 %; infinity where `MOST` do not, NaN for a mean of zero."""
    if mean == 0.0:
        return math.nan
    counts = np.unique(np.geomspace(2, MOST, 300).astype(int))
    factors = special.stdtrit(counts - 1, 0.5 + 0.5 * confidence)
    enough = counts[factors * deviation <= abs(mean) * np.sqrt(counts)]
    return float(enough[0]) if len(enough) else math.inf


def _coverage(n: int, share: float, lower: int, upper: int) -> float:
    """Return P(lower <= K <= upper - 1) of a binomial count K."""
    return float(special.bdtr(upper - 1, n, share) - special.bdtr(lower - 1, n, share))


def _partner(n: int, share: float, lower: int, confidence: float) -> int | None:
    """Return the smallest upper rank that covers with a lower one."""
    below = special.bdtr(lower - 1, n, share)
    covered = special.bdtr(np.arange(lower, n), n, share) - below
    enough = np.flatnonzero(covered >= confidence)
    return lower + 1 + int(enough[0]) if len(enough) else None
