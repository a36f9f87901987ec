"""Fill hall after hall, so that a job spans as few fault domains and fabric hops as it can."""

import numpy as np


def choose(
    candidates: np.ndarray, rack_hall: np.ndarray, wanted: int, favoured: np.ndarray
) -> np.ndarray:
    """Return `wanted` of the candidate racks, or none if there are too few.

    Halls that the load already occupies come first, then halls with most candidates; inside a hall
    racks are taken in order, so neighbours share blocks and switches.

    Parameters
    ----------
    candidates : int64 (n,)
        Racks that may be taken, ascending.
    rack_hall : int64 (racks,)
    favoured : int64
        Racks the load already holds.
    """
    if wanted <= 0 or candidates.size < wanted:
        return np.zeros(0, np.int64)
    halls = rack_hall[candidates]
    free = np.bincount(halls, minlength=int(rack_hall.max()) + 1)
    held = np.bincount(rack_hall[favoured], minlength=free.size)
    rank = np.lexsort((-free, -held))
    order = np.empty(free.size, np.int64)
    order[rank] = np.arange(free.size)
    return candidates[np.argsort(order[halls], kind="stable")][:wanted]
