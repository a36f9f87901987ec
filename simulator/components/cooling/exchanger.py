"""Heat exchangers by effectiveness and number of transfer units (NTU).

References: Incropera et al., Fundamentals of Heat and Mass Transfer, ch. 11, tables 11.3-11.4.
`ntu` is UA / C_min, `ratio` is C_min / C_max (0 to 1), effectiveness is q / (C_min dT_inlets).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Law = Callable[[ArrayLike, ArrayLike], Array]
"""(NTU, capacity ratio) -> effectiveness."""


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


MOST_NTU = 20.0
"""Beyond it nobody builds (assumed: finned coils have 1-5 transfer units, plates 2-10, the closest some 15)."""


@lru_cache(maxsize=1024)
def ntu_of(effectiveness: float, ratio: float, law: Law) -> float:
    """Return the NTU that gives `effectiveness` under `law`; ValueError when none that is built can."""
    low, high = 1e-9, MOST_NTU
    if not 0.0 < effectiveness < float(law(high, ratio)):
        raise ValueError(f"no heat exchanger reaches an effectiveness of {effectiveness:.3f}")
    for _ in range(80):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if law(middle, ratio) < effectiveness else (low, middle)
    return float(high)


@dataclass(frozen=True)
class Rated:
    """An exchanger known by its rated point: what it does at any flows of its two sides.

    Its resistance is that of both films, 1 / UA = s hot^-m + (1 - s) cold^-n over that at rated flows.
    """

    hot_range_k: float
    """Cooling of the hot side at rated heat and flow."""
    cold_range_k: float
    """Warming of the cold side there."""
    approach_k: float
    """Hot side leaving minus cold side entering there."""
    law: Law
    hot_share: float
    """Share s of the resistance that is the hot side's film at rated flows."""
    hot_exponent: float
    cold_exponent: float

    def ntu(self) -> float:
        """Return UA / C_min at the rated point; ValueError where no size of exchanger meets it."""
        least, most = sorted((1.0 / self.hot_range_k, 1.0 / self.cold_range_k))
        return ntu_of(1.0 / (least * (self.approach_k + self.hot_range_k)), least / most, self.law)

    def approach_at_k(self, hot_flow: ArrayLike, cold_flow: ArrayLike) -> Array:
        """Return hot side leaving minus cold side entering at rated heat, in K; it is proportional to heat.

        q = eff C_min (T_hot,in - T_cold,in) and T_hot,out = T_hot,in - q / C_hot, so that
        T_hot,out - T_cold,in = q (1 / (eff C_min) - 1 / C_hot). Flows are over the rated ones.
        """
        hot_flow, cold_flow = np.asarray(hot_flow, dtype=float), np.asarray(cold_flow, dtype=float)
        hot, cold = hot_flow / self.hot_range_k, cold_flow / self.cold_range_k
        least, most = np.minimum(hot, cold), np.maximum(hot, cold)
        share = self.hot_share
        films = share * hot_flow**-self.hot_exponent + (1.0 - share) * cold_flow**-self.cold_exponent
        conductance = self.ntu() * min(1.0 / self.hot_range_k, 1.0 / self.cold_range_k) / films
        return np.asarray(1.0 / (self.law(conductance / least, least / most) * least) - 1.0 / hot)
