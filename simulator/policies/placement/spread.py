"""Deal racks out over all domains, so that the loss of one takes as few as can be."""

import numpy as np

DOMAIN = "block"


def choose(
    candidates: np.ndarray, rack_domain: np.ndarray, wanted: int, favoured: np.ndarray, group: int = 1
) -> np.ndarray:
    """Return `wanted` of the candidate racks, or none if there are too few.

    One after the other is taken from the domain in which the load then holds least.

    Parameters
    ----------
    candidates : int64 (n,)
        Racks that may be taken, ascending.
    rack_domain : int64 (racks,)
        Fault domain of every rack; racks stand domain by domain.
    favoured : int64
        Racks the load already holds.
    group : int
        Racks that belong together; here they are dealt out like the others.
    """
    if wanted <= 0 or candidates.size < wanted:
        return np.zeros(0, np.int64)
    domain = rack_domain[candidates]
    held = np.bincount(rack_domain[favoured], minlength=int(rack_domain[-1]) + 1)
    first = np.searchsorted(domain, domain)
    nth = np.arange(candidates.size) - first + held[domain]
    return candidates[np.lexsort((domain, nth))[:wanted]]
