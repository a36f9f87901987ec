"""Crews: shifts as a change of time, promises as tails and gaps.

Time spent between shifts does not count: in shift time (`worked`) crews work without pause, and every
rule about queues holds as it does round the clock.
"""

import math

import numpy as np

from simulator.kernels.compiled import entry

WEEK_S = 604_800.0


@entry
def worked(opens_s, closes_s, at_s):
    """Return the seconds of shift from the first Monday until a time of the week clock.

    Parameters
    ----------
    opens_s, closes_s : float64 (shifts,)
        Shifts of a week in order, without overlap, s from Monday 00:00.
    at_s : float
        Time since some Monday 00:00; may be many weeks.
    """
    weeks = math.floor(at_s / WEEK_S)
    in_week_s, done_s = at_s - weeks * WEEK_S, 0.0
    for i in range(opens_s.size):
        length_s = closes_s[i] - opens_s[i]
        done_s += weeks * length_s + min(max(in_week_s - opens_s[i], 0.0), length_s)
    return done_s


@entry
def clock(opens_s, closes_s, worked_s, begins):
    """Return the time of the week clock at which so many seconds of shift are over.

    Between two shifts that is a whole stretch of time: its end where work `begins`, which is when the
    next shift does, and its start where work ends.
    """
    week_s = 0.0
    for i in range(opens_s.size):
        week_s += closes_s[i] - opens_s[i]
    weeks = math.floor(worked_s / week_s)
    left_s = worked_s - weeks * week_s
    if left_s == 0.0 and not begins and weeks > 0:
        weeks, left_s = weeks - 1, week_s
    for i in range(opens_s.size):
        length_s = closes_s[i] - opens_s[i]
        if left_s < length_s or (left_s == length_s and not begins):
            return weeks * WEEK_S + opens_s[i] + left_s
        left_s -= length_s
    return (weeks + 1) * WEEK_S + opens_s[0] + left_s


@entry
def offer(tails, gap_from, gap_to, gaps, ready, length):
    """Return when some crew can begin work, first come first served, and where.

    A crew works without pause but for its gaps: appointments that begin later than it is free, because
    what it is to repair is not found yet or waits for a part. Work that fits into a gap fills it, so
    nobody waits for a crew that stands idle long enough.

    Parameters
    ----------
    tails : float64 (crews,)
        When each has done all it promised.
    gap_from, gap_to : float64 (capacity,)
        The first `gaps` are in use.
    ready, length : float
        When the work can begin at the earliest, and how much it is; s of shift, as are all times here.

    Returns
    -------
    (float, int)
        The start, and the gap that it is in, or -1 - crew for the end of a crew's promises.
    """
    crew = int(np.argmin(tails))
    start, where = max(tails[crew], ready), -1 - crew
    for g in range(gaps):
        begins = max(gap_from[g], ready)
        if begins < start and begins + length <= gap_to[g]:
            start, where = begins, g
    return start, where


@entry
def accept(tails, gap_from, gap_to, gaps, now, start, length, where):
    """Promise the work of an `offer`; return how many gaps there are then.

    Gaps that are past are dropped, and a new one where there is no room for it.
    """
    ends, opens, closes = start + length, 0.0, 0.0
    if where < 0:
        crew = -1 - where
        opens, closes = max(tails[crew], now), start
        tails[crew] = ends
    else:
        opens, closes = ends, gap_to[where]
        gap_to[where] = start
    left = 0
    for g in range(gaps):
        if gap_to[g] > max(gap_from[g], now):
            gap_from[left], gap_to[left] = gap_from[g], gap_to[g]
            left += 1
    if closes > opens and left < gap_from.size:
        gap_from[left], gap_to[left] = opens, closes
        left += 1
    return left
