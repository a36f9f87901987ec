"""Fill hall after hall, so that a job spans as few fault domains and fabric hops as it can."""

import numpy as np

DOMAIN = "hall"


def choose(
    candidates: np.ndarray, rack_hall: np.ndarray, wanted: int, favoured: np.ndarray, group: int = 1
) -> np.ndarray:
    """Return `wanted` of the candidate racks, or none if there are too few.

    Halls that the load already occupies come first, then halls with most candidates; inside a hall
    racks are taken in order, so neighbours share blocks and switches.

    Parameters
    ----------
    candidates : int64 (n,)
        Racks that may be taken, ascending.
    rack_hall : int64 (racks,)
        Hall of every rack; racks stand hall by hall.
    favoured : int64
        Racks the load already holds.
    group : int
        Racks that belong together; here they stand together anyhow.
    """
    if wanted <= 0 or candidates.size < wanted:
        return np.zeros(0, np.int64)
    if wanted == 1:
        return _next_one(candidates, rack_hall, favoured)
    edges = np.searchsorted(rack_hall[candidates], np.arange(int(rack_hall[-1]) + 2))
    held = np.bincount(rack_hall[favoured], minlength=edges.size - 1)
    taken: list[np.ndarray] = []
    for hall in np.lexsort((edges[:-1] - edges[1:], -held)):
        taken.append(candidates[edges[hall] : edges[hall + 1]][:wanted])
        wanted -= taken[-1].size
        if wanted == 0:
            break
    return np.concatenate(taken)


def _next_one(candidates: np.ndarray, rack_hall: np.ndarray, favoured: np.ndarray) -> np.ndarray:
    """Return the one that comes first: what most replacements ask for, without sorting halls."""
    halls = int(rack_hall[-1]) + 1
    hall = rack_hall[candidates]
    held = np.bincount(rack_hall[favoured], minlength=halls)
    room = np.bincount(hall, minlength=halls)
    first = (held * (candidates.size + 1) + room)[hall].argmax()
    return candidates[first : first + 1]
