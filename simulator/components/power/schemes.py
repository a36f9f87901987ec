"""Redundancy schemes: how the blocks of a hall share the lineups that stand in for each other."""

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np

DISTRIBUTED = {"2N": 2, "3N/2": 3, "4N/3": 4, "5N/4": 5, "6N/5": 6}
"""Lineups of a group by scheme, kN/(k-1): every pair of them feeds one block, k(k-1)/2 in all, so
that the load of a lost lineup falls on all others alike."""


@dataclass(frozen=True)
class Group:
    """Lineups that stand in for each other, and the blocks that hang on them."""

    share: np.ndarray
    """(blocks, lineups) Of each block's draw with everything in service; sums to one by block."""
    wired: np.ndarray
    """(blocks, lineups) Whether a lineup can feed a block; one that is wired without a share is its
    reserve."""
    survives: bool
    """Whether blocks are sized so that the loss of any one lineup overloads no other."""

    @property
    def blocks(self) -> int:
        """Blocks of one group."""
        return self.share.shape[0]

    @property
    def lineups(self) -> int:
        """Lineups of one group."""
        return self.share.shape[1]

    def states(self) -> list[np.ndarray]:
        """Return the shares with everything in service, then with each lineup out that must be
        survived."""
        out = np.eye(self.lineups, dtype=bool)[: self.lineups if self.survives else 0]
        return [self.share, *(self.without(lost) for lost in out)]

    def without(self, lost: np.ndarray) -> np.ndarray:
        """Return the shares (blocks, lineups) with some lineups (boolean) out."""
        rows = [
            reshared(share, wired & ~lost)
            for share, wired in zip(self.share, self.wired, strict=True)
        ]
        return np.array(rows)

    @cached_property
    def worst_load(self) -> float:
        """Largest load of a lineup over that of a block, over all `states`."""
        return max(float(share.sum(axis=0).max()) for share in self.states())

    @property
    def usable_frac(self) -> float:
        """Load of the blocks over the ratings of the lineups when the worst state fills a lineup."""
        return self.blocks / (self.lineups * self.worst_load)


def reshared(share: np.ndarray, live: np.ndarray) -> np.ndarray:
    """Return a block's shares over the feeds that are left.

    They keep their proportions; where only reserves are left, these share alike. Without any feed
    the shares stay: the block draws nothing.

    Parameters
    ----------
    share : (feeds,) with everything in service
    live : boolean (feeds,)
    """
    if not live.any() or live.all():
        return share.copy()
    left = np.where(live, share, 0.0)
    return left / left.sum() if left.sum() > 0.0 else live / live.sum()


def group_of(scheme: str, duty: int, share_a: float) -> Group:
    """Return the group of a scheme; ValueError for one that is not known.

    Parameters
    ----------
    duty : lineups beside the spare one, of N+1 and block_redundant
    share_a : of a block's draw on the first of its two feeds, of kN/(k-1)
    """
    if scheme == "N":
        return _wired(np.ones((1, 1)), survives=False)
    if scheme == "N+1":
        return _wired(np.full((duty, duty + 1), 1.0 / (duty + 1)))
    if scheme == "block_redundant":
        share = np.hstack([np.eye(duty), np.zeros((duty, 1))])
        return Group(share, np.hstack([np.eye(duty) > 0.0, np.ones((duty, 1), bool)]), True)
    if scheme in DISTRIBUTED:
        return _wired(_pairs(DISTRIBUTED[scheme], share_a))
    raise ValueError(f"unknown scheme {scheme}")


def _wired(share: np.ndarray, survives: bool = True) -> Group:
    return Group(share, share > 0.0, survives)


def _pairs(k: int, share_a: float) -> np.ndarray:
    """Return the shares of the k(k-1)/2 blocks, side A going round so that no lineup has more of
    that side than another by more than one."""
    share = np.zeros((k * (k - 1) // 2, k))
    for block, (i, j) in enumerate(combinations(range(k), 2)):
        a, b = (i, j) if 2 * (j - i) <= k else (j, i)
        share[block, a], share[block, b] = share_a, 1.0 - share_a
    return share
