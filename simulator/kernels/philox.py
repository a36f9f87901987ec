"""Philox 4x32-10, the counter-based generator: the same key and counter give the same draw
anywhere.

References
----------
J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC'11. doi:10.1145/2063384.2063405
"""

import math

import numpy as np
from numba import njit

_M0 = np.uint64(0xD2511F53)
_M1 = np.uint64(0xCD9E8D57)
_W0 = np.uint64(0x9E3779B9)
_W1 = np.uint64(0xBB67AE85)
_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_DRAW = "float64(int64, int64, int64, int64, int64, int64)"
"""Told, for else Numba makes each anew for every number that a caller writes out."""


@njit(cache=True, inline="always")
def block(key0, key1, c0, c1, c2, c3):
    """Return four 32-bit words (as uint64) for a key of two and a counter of four words."""
    k0, k1 = np.uint64(key0) & _MASK, np.uint64(key1) & _MASK
    x0, x1 = np.uint64(c0) & _MASK, np.uint64(c1) & _MASK
    x2, x3 = np.uint64(c2) & _MASK, np.uint64(c3) & _MASK
    for _ in range(10):
        p0 = _M0 * x0
        p1 = _M1 * x2
        x0, x1, x2, x3 = (
            ((p1 >> _SHIFT) ^ x1 ^ k0) & _MASK,
            p1 & _MASK,
            ((p0 >> _SHIFT) ^ x3 ^ k1) & _MASK,
            p0 & _MASK,
        )
        k0 = (k0 + _W0) & _MASK
        k1 = (k1 + _W1) & _MASK
    return x0, x1, x2, x3


@njit(_DRAW, cache=True)
def uniform(key0, key1, c0, c1, c2, c3):
    """Return a float64 in (0, 1) with 53 random bits."""
    x0, x1, _, _ = block(key0, key1, c0, c1, c2, c3)
    bits = (x0 << np.uint64(21)) ^ (x1 >> np.uint64(11))
    return (np.float64(bits) + 0.5) / 9007199254740992.0


@njit(_DRAW, cache=True)
def exponential(key0, key1, c0, c1, c2, c3):
    """Return a unit exponential."""
    return -math.log(uniform(key0, key1, c0, c1, c2, c3))


@njit(_DRAW, cache=True)
def normal(key0, key1, c0, c1, c2, c3):
    """Return a standard normal (Box-Muller on the two halves of one block)."""
    x0, x1, x2, x3 = block(key0, key1, c0, c1, c2, c3)
    u = (np.float64((x0 << np.uint64(21)) ^ (x1 >> np.uint64(11))) + 0.5) / 9007199254740992.0
    v = (np.float64((x2 << np.uint64(21)) ^ (x3 >> np.uint64(11))) + 0.5) / 9007199254740992.0
    return math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * v)
