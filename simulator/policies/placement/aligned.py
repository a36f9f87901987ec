"""Keep racks that belong together in one domain, so that the loss of one costs few groups."""

import numpy as np

from simulator.policies.placement import packed

DOMAIN = "block"


def choose(
    candidates: np.ndarray, rack_domain: np.ndarray, wanted: int, favoured: np.ndarray, group: int = 1
) -> np.ndarray:
    """Return `wanted` of the candidate racks, or none if there are too few.

    First every domain gives the whole groups it has room for, those with most room first; what is
    still wanted is filled up as `packed` does.

    Parameters
    ----------
    candidates : int64 (n,)
        Racks that may be taken, ascending.
    rack_domain : int64 (racks,)
        Fault domain of every rack; racks stand domain by domain.
    favoured : int64
        Racks that those wanted belong to.
    group : int
        Racks of a group, e.g. of a data-parallel replica.
    """
    if wanted <= 0 or candidates.size < wanted:
        return np.zeros(0, np.int64)
    edges = np.searchsorted(rack_domain[candidates], np.arange(int(rack_domain[-1]) + 2))
    taken: list[np.ndarray] = []
    left = wanted
    for domain in np.argsort(-np.diff(edges), kind="stable"):
        room = int(edges[domain + 1] - edges[domain])
        whole = min(room, left) // group * group
        taken.append(candidates[edges[domain] : edges[domain] + whole])
        left -= whole
    chosen = np.concatenate(taken)
    rest = np.setdiff1d(candidates, chosen)
    joined = np.concatenate([favoured, chosen])
    return np.concatenate([chosen, packed.choose(rest, rack_domain, left, joined)])
