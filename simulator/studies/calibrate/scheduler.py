"""A scheduler's list of jobs as accelerators at work, and work that waits, interval by interval."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.components.kinds import Spec

Array = NDArray[np.float64]
BUSY, WAITING = "busy", "waiting"
"""Columns that a list of jobs gives: accelerators at work, mean of the interval; accelerator-hours of
submitted jobs still to be done, likewise."""
SECONDS_PER_HOUR = 3600.0


class JobLog(Spec):
    """Rows are jobs that have ended; columns of `time` tell when each began."""

    size: str
    """Column of accelerators that the job held."""
    end: str | None = None
    """Column of its end, written like its beginning."""
    duration: str | None = None
    """Column of its seconds from beginning to end, instead of `end`."""
    submit: str | None = None
    """Column of when it was submitted; blank: when it began, so that nothing waits."""


class Jobs(NamedTuple):
    """Jobs as arrays: submitted, begun and ended in s, and the accelerators held."""

    submit_s: Array
    start_s: Array
    end_s: Array
    size: Array


def observed(jobs: Jobs, interval_s: float) -> dict[str, Array]:
    """Return `start_s` of every interval from the first submission to the last end, `busy` and
    `waiting`; both are exact means, whatever begins or ends within an interval."""
    first = np.floor(jobs.submit_s.min() / interval_s)
    edges = (first + np.arange(np.ceil(jobs.end_s.max() / interval_s) - first + 1.0)) * interval_s
    zero = edges[0]
    begun, ended = (_integrals(at - zero, jobs.size) for at in (jobs.start_s, jobs.end_s))
    work = jobs.size * (jobs.end_s - jobs.start_s)
    came = _integrals(jobs.submit_s - zero, work)
    t = edges - zero
    done = begun(t, 1) - ended(t, 1)
    of_done = np.diff(begun(t, 2) - ended(t, 2)) / interval_s
    arrived = np.diff(came(t, 1)) / interval_s
    return {
        "start_s": edges[:-1], BUSY: np.diff(done) / interval_s,
        WAITING: np.maximum(arrived - of_done, 0.0) / SECONDS_PER_HOUR,
    }  # fmt: skip


def _integrals(at_s: Array, weight: Array) -> Callable[[Array, int], Array]:
    """Return f(t, n): the sum over events before t of weight (t - at)^n / n!, the n-th integral of steps
    of `weight` at `at_s`."""
    order = np.argsort(at_s, kind="stable")
    sorted_s, w = at_s[order], weight[order]
    sums = [np.concatenate([[0.0], np.cumsum(w * sorted_s**k)]) for k in range(3)]

    def f(t: Array, n: int) -> Array:
        k = np.searchsorted(sorted_s, t)
        if n == 1:
            return np.asarray(t * sums[0][k] - sums[1][k])
        return np.asarray(0.5 * (t * t * sums[0][k] - 2.0 * t * sums[1][k] + sums[2][k]))

    return f
