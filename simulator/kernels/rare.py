"""One group of units that stand in for each other over a year, made to fail more often than it does."""

import math

from numba import njit

from simulator.kernels import philox

EXPONENTIAL = -1.0
"""In place of the log-standard deviation of a repair time: exponential with the same mean."""


@njit(cache=True)
def follow(key0, key1, replicate, group, repair, tilt, common_tilt, back_s):
    """Follow the units of a group; return (reached, hours short, units short, log weight).

    Units fail one by one, and with the common share of failures all at once; each is repaired on
    its own. While `down` of them are out and the combination has not been reached, failures come
    `tilt[down]` times as often as they do, and are common with `common_tilt`. The weight is the
    likelihood of the history over that under which it was drawn: means of what is found times the
    weight are means of the untilted group. Once the combination is reached nothing is tilted.

    Parameters
    ----------
    group : (units, together, duty, rate_s, common, end_s)
        How many; how many out make the combination; how many carry everything; failures of one
        unit per second, whether alone or with the group; share of them that are common; length.
    repair : (transient, reset_s, median_s, spread)
        Share cured by a restart, its length, median repair, its log-standard deviation or
        `EXPONENTIAL` (then `median_s` is the mean).
    tilt : float64 (together,)
    back_s : float64 (units,), overwritten

    Returns
    -------
    reached : 0 or 1
    out_s : seconds with `together` or more out
    short_s : integral of the share of duty that no unit carries, in seconds
    log_weight : logarithm of the likelihood ratio
    """
    units, together, duty, rate_s, common, end_s = group
    # A common failure strikes the group at common x rate, beside those of single units.
    now_s, log_weight, out_s, short_s, reached, draws = 0.0, 0.0, 0.0, 0.0, 0, 0
    back_s[:] = 0.0
    while True:
        down, next_back_s = _out(back_s, now_s, end_s)
        at_once_s = common * rate_s
        total_s = (units - down) * (1.0 - common) * rate_s + (at_once_s if down < units else 0.0)
        open_ = reached == 0 and down < together
        times = tilt[down] if open_ else 1.0
        share = at_once_s / total_s if total_s > 0.0 else 0.0
        tilted = max(share, common_tilt) if open_ and 0.0 < share < 1.0 else share
        gap_s = end_s
        if total_s > 0.0:
            gap_s = philox.exponential(key0, key1, replicate, draws, 0, 0) / (total_s * times)
        until_s = min(now_s + gap_s, next_back_s)
        log_weight += (times - 1.0) * total_s * (until_s - now_s)
        if down >= together:
            out_s += until_s - now_s
            short_s += (until_s - now_s) * max(0.0, 1.0 - (units - down) / duty)
        now_s = until_s
        if now_s >= end_s:
            return reached, out_s, short_s, log_weight
        if now_s < next_back_s:
            together_hit = philox.uniform(key0, key1, replicate, draws, 1, 0) < tilted
            log_weight -= math.log(times)
            if tilted > 0.0 and tilted < 1.0:
                log_weight += math.log(share / tilted if together_hit else (1.0 - share) / (1.0 - tilted))
            down += _fail(key0, key1, replicate, draws, together_hit, now_s, repair, back_s)
            reached = max(reached, int(down >= together))
        draws += 1


@njit(cache=True)
def _out(back_s, now_s, end_s):
    """Return how many units are out, and when the first of them is back."""
    down, next_back_s = 0, end_s
    for i in range(back_s.size):
        if back_s[i] > now_s:
            down += 1
            next_back_s = min(next_back_s, back_s[i])
    return down, next_back_s


@njit(cache=True)
def _fail(key0, key1, replicate, draws, together, now_s, repair, back_s):
    """Let the first unit that runs fail, or all that run; return how many did."""
    hit = 0
    for i in range(back_s.size):
        if back_s[i] <= now_s and (together or hit == 0):
            back_s[i] = now_s + _lasts_s(key0, key1, replicate, draws, i, repair)
            hit += 1
    return hit


@njit(cache=True)
def _lasts_s(key0, key1, replicate, draws, unit, repair):
    """Return how long a unit is out."""
    transient, reset_s, median_s, spread = repair
    if philox.uniform(key0, key1, replicate, draws, 2, unit) < transient:
        return reset_s
    if spread == EXPONENTIAL:
        return median_s * philox.exponential(key0, key1, replicate, draws, 3, unit)
    return median_s * math.exp(spread * philox.normal(key0, key1, replicate, draws, 3, unit))


@njit(cache=True)
def replicates(
    key0, key1, first, group, repair, tilt, common_tilt, back_s, reached, out_s, short_s, log_weight
):
    """Fill the last four arrays, (replicates,) each, from the replicates `first` on."""
    for i in range(reached.size):
        reached[i], out_s[i], short_s[i], log_weight[i] = follow(
            key0, key1, first + i, group, repair, tilt, common_tilt, back_s
        )
