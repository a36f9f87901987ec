"""Heat exchangers by effectiveness and number of transfer units (NTU).

References: Incropera et al., Fundamentals of Heat and Mass Transfer, ch. 11, tables 11.3-11.4.
`ntu` is UA / C_min, `ratio` is C_min / C_max (0 to 1), effectiveness is q / (C_min dT_inlets).
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def counterflow(ntu: ArrayLike, ratio: ArrayLike) -> Array:
    """Return the effectiveness of a counterflow exchanger (limits: 1-e^-N at 0, N/(1+N) at 1)."""
    n, c = np.broadcast_arrays(np.asarray(ntu, dtype=float), np.asarray(ratio, dtype=float))
    decay = np.exp(-n * (1.0 - c))
    with np.errstate(invalid="ignore", divide="ignore"):
        unbalanced = (1.0 - decay) / (1.0 - c * decay)
    return np.where(np.abs(1.0 - c) < 1e-9, n / (1.0 + n), unbalanced)


def crossflow(ntu: ArrayLike, ratio: ArrayLike) -> Array:
    """Return the effectiveness of a crossflow exchanger, both fluids unmixed (finned coils)."""
    n = np.maximum(np.asarray(ntu, dtype=float), 1e-12)
    c = np.maximum(np.asarray(ratio, dtype=float), 1e-9)
    return np.asarray(-np.expm1(n**0.22 / c * np.expm1(-c * n**0.78)))


@lru_cache(maxsize=1024)
def ntu_of(
    effectiveness: float, ratio: float, law: Callable[[ArrayLike, ArrayLike], Array]
) -> float:
    """Return the NTU that gives `effectiveness` under `law`; ValueError when no size can."""
    low, high = 1e-9, 200.0
    if not 0.0 < effectiveness < float(law(high, ratio)):
        raise ValueError(f"no heat exchanger reaches an effectiveness of {effectiveness:.3f}")
    for _ in range(80):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if law(middle, ratio) < effectiveness else (low, middle)
    return float(high)
