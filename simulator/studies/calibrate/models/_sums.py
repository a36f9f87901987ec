"""Sums of rows by what they belong to."""

import numpy as np
from numpy.typing import NDArray

from simulator.studies.calibrate.models._base import Array


def add_rows(total: Array, places: NDArray[np.int_], rows: Array) -> None:
    """Add each of `rows`, (rows, intervals), to the row of `total` that `places` names.

    The sums of `numpy.add.at` in its order, which takes ten times as long over rows of a year's hours.
    """
    for place, row in zip(places.tolist(), rows, strict=True):
        total[place] += row
