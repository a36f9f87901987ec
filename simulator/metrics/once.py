"""A metric that several others need is worked out once for a run."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import wraps

import pandas as pd

from simulator.results import Results


def once(metric: Callable[[Results], pd.Series]) -> Callable[[Results], pd.Series]:
    """Return the metric, kept as long as the results it is of; who asks gets a copy of their own."""
    kept: dict[int, pd.Series] = {}

    @wraps(metric)
    def known(results: Results) -> pd.Series:
        place = id(results)
        if place not in kept:
            kept[place] = metric(results)
            weakref.finalize(results, kept.pop, place, None)
        return kept[place].copy()

    return known
