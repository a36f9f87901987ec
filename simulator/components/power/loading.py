"""Loading by current of elements whose load is told in real power.

Ratings of lines, cables and transformers are currents. An element whose voltage sags as it is loaded takes more
current a watt the more it carries: i = z (1 - s (1 - z)), with i the current over the rated one, z the
real power over that at rated current, and s the `sag` between no load and rating. Without a sag current and
power are in proportion.
"""

from typing import NamedTuple

import numpy as np

from simulator.kernels.columns import Floats

LEAST = 0.05
"""Of a nominal rating: less does not tell what current a watt takes, as reactive power may be most of it."""
TELLING = 0.25
"""Of a nominal rating: less does not tell what happens at the rating, as magnetising currents bend it."""


class Law(NamedTuple):
    """Shape (elements,)."""

    rating_w: Floats
    """Real power at rated current."""
    sag: Floats


def current(share: np.ndarray | float, sag: np.ndarray | float) -> np.ndarray:
    """Return the current over the rated one of elements that carry `share` of their rating in real power."""
    return np.asarray(share * (1.0 - sag * (1.0 - share)))


def power(loading: np.ndarray | float, sag: np.ndarray | float) -> np.ndarray:
    """Return the real power over the rating at which elements carry `loading` of their rated current."""
    rest = 1.0 - sag
    return np.asarray(2.0 * loading / (rest + np.sqrt(rest * rest + 4.0 * sag * loading)))


def fitted(carried_w: np.ndarray, loading: np.ndarray, nominal_w: np.ndarray, kind: np.ndarray) -> Law:
    """Return the law of elements that carry `carried_w` at `loading` of their rated current in two states,
    each (2, elements), the first that of more load.

    Elements that carry little have no sag. Those that carry next to nothing have the mean law, over their nominal
    rating (elements,), of the others of their `kind` (elements,), or their nominal rating where there are none.
    """
    told = carried_w[0] > LEAST * nominal_w
    rating_w, sag = nominal_w.astype(float), np.zeros(nominal_w.size)
    a_watt = loading[:, told] / carried_w[:, told]
    slope = (a_watt[0] - a_watt[1]) / (carried_w[0] - carried_w[1])[told]
    slope[carried_w[0, told] < TELLING * nominal_w[told]] = 0.0
    start = a_watt[0] - slope * carried_w[0, told]
    rating_w[told] = 2.0 / (start + np.sqrt(start * start + 4.0 * slope))
    sag[told] = slope * rating_w[told] ** 2
    for k in np.flatnonzero(~told):
        alike = told & (kind == kind[k])
        if alike.any():
            rating_w[k] *= (rating_w[alike] / nominal_w[alike]).mean()
            sag[k] = sag[alike].mean()
    return Law(rating_w, sag)
