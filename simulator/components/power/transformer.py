"""Heating of a transformer: top oil and hot spot, how long an overload is allowed, loss of life.

The exponential model of IEEE C57.91 clause 7 and IEC 60076-7: top oil and winding gradient each
approach what their load settles at with one time constant, so a step of any length is exact.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from simulator.kernels import heating as kernel

# Arrhenius law of thermally upgraded paper: IEEE C57.91, life 180,000 h at 110 degC (derived).
AGEING_K = 15_000.0
AGEING_REFERENCE_K = 383.0
NORMAL_LIFE_S = 180_000.0 * 3600.0
CELSIUS_K = 273.0  # as the standard writes it


class Temperatures(NamedTuple):
    """State of a transformer."""

    top_oil_k: float
    """Top oil above ambient."""
    gradient_k: float
    """Hot spot above top oil."""

    def hot_spot_c(self, ambient_c: float) -> float:
        """Return the temperature of the hottest spot of the winding."""
        return ambient_c + self.top_oil_k + self.gradient_k


class Heating(NamedTuple):
    """Thermal constants of a transformer at its rating."""

    top_oil_k: float
    """Top oil above ambient."""
    gradient_k: float
    """Hot spot above top oil."""
    loss_ratio: float
    """Load loss over no-load loss."""
    oil_exponent: float
    winding_exponent: float
    """Of loading; twice the m of IEEE."""
    oil_s: float
    winding_s: float

    def settled(self, loading: float) -> Temperatures:
        """Return what a constant `loading` (of the rating) settles at."""
        losses = (loading * loading * self.loss_ratio + 1.0) / (self.loss_ratio + 1.0)
        return Temperatures(
            self.top_oil_k * losses**self.oil_exponent,
            self.gradient_k * loading**self.winding_exponent,
        )

    def after(self, before: Temperatures, loading: float, seconds: float) -> Temperatures:
        """Return the state after `seconds` at constant `loading`, exactly."""
        to = self.settled(loading)
        oil, winding = math.exp(-seconds / self.oil_s), math.exp(-seconds / self.winding_s)
        return Temperatures(
            to.top_oil_k + (before.top_oil_k - to.top_oil_k) * oil,
            to.gradient_k + (before.gradient_k - to.gradient_k) * winding,
        )


class Limit(NamedTuple):
    """What an emergency may reach."""

    loading: float
    hot_spot_c: float
    top_oil_c: float
    longest_s: float


class Class(NamedTuple):
    """Thermal constants and emergency limits of a cooling class."""

    heating: Heating
    long_time: Limit
    short_time: Limit


# IEC 60076-7 (and IEC 60354 before it): constants of forced-oil power transformers and of ONAN
# distribution transformers, emergency limits of large and of distribution transformers. A long-time
# emergency may last weeks by the standard; one day here. Assumed: quoted from memory.
LARGE = Class(
    Heating(56.0, 22.0, 6.0, 1.0, 1.3, 90.0 * 60.0, 7.0 * 60.0),
    Limit(1.3, 140.0, 115.0, 86_400.0),
    Limit(1.5, 160.0, 115.0, 1_800.0),
)
DISTRIBUTION = Class(
    Heating(55.0, 23.0, 5.0, 0.8, 1.6, 180.0 * 60.0, 4.0 * 60.0),
    Limit(1.8, 140.0, 115.0, 86_400.0),
    Limit(2.0, 160.0, 115.0, 1_800.0),
)
# Ventilated dry type of the 220 degC insulation system (IEEE C57.96): hottest spot 180 K above ambient
# at the rating, rising with loading to the power of 1.6 (m of 0.8), one time constant for all. That is
# 220 degC in air of 40 degC, so that every overload costs life; 15 K above that for 4 h and 40 K for
# an hour are taken for an emergency. Assumed, quoted from memory: no text of the standard was to be
# found. Ranges: time constant 30 min to 2 h, to which times are proportional; exponent 1.4 to 2.0; 5 to
# 20 K for 4 h and 20 to 60 K for an hour. The 60, 33, 22, 17 min that follow at 120 to 150 % stand beside
# 60, 45, 32, 18 min of Chinese practice (DL/T 572, from memory likewise).
DRY = Class(
    Heating(0.0, 180.0, 6.0, 1.0, 1.6, 60.0 * 60.0, 60.0 * 60.0),
    Limit(1.3, 235.0, math.inf, 14_400.0),
    Limit(2.0, 260.0, math.inf, 3_600.0),
)

TIME_PRECISION_S = 1e-6

# Emergency times are counted from full load on a hot day. Assumed.
DESIGN_AMBIENT_C = 40.0
DESIGN_PRELOAD = 1.0


def emergency_s(
    kind: Class, loading: float,
    ambient_c: float = DESIGN_AMBIENT_C, preload: float = DESIGN_PRELOAD,
) -> float:  # fmt: skip
    """Return how long a transformer settled at `preload` may carry `loading`; infinite at or below
    its rating."""
    if loading <= 1.0:
        return math.inf
    return max(
        within_s(kind.heating, limit, loading, ambient_c, preload)
        for limit in (kind.long_time, kind.short_time)
    )


def within_s(
    heating: Heating, limit: Limit, loading: float, ambient_c: float, preload: float
) -> float:
    """Return how long `loading` stays within a limit after `preload`: 0 above its loading."""
    if loading > limit.loading:
        return 0.0
    start = heating.settled(preload)

    def over(seconds: float) -> float:
        now = heating.after(start, loading, seconds)
        return max(
            now.hot_spot_c(ambient_c) - limit.hot_spot_c,
            ambient_c + now.top_oil_k - limit.top_oil_c,
        )

    if over(0.0) >= 0.0:
        return 0.0
    if over(limit.longest_s) <= 0.0:
        return limit.longest_s
    return _crossing(over, limit.longest_s)


def _crossing(rising: Callable[[float], float], longest_s: float) -> float:
    """Return the last time at which a rising function is not above zero, by bisection."""
    low, high = 0.0, longest_s
    while high - low > TIME_PRECISION_S:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if rising(middle) <= 0.0 else (low, middle)
    return low


def ageing(hot_spot_c: float) -> float:
    """Return how many times faster than at 110 degC the insulation ages (F_AA of IEEE C57.91)."""
    return math.exp(AGEING_K / AGEING_REFERENCE_K - AGEING_K / (hot_spot_c + CELSIUS_K))


class Course(NamedTuple):
    """What a course of loading does to a transformer."""

    hot_spot_c: np.ndarray
    """(steps,) At the end of each."""
    lives: float
    """Share of the normal insulation life used."""


def lives_used(
    heating: Heating, loading: np.ndarray, step_s: float, ambient_c: np.ndarray,
    start: Temperatures | None = None,
) -> Course:  # fmt: skip
    """Return hot spot and loss of life over steps of constant loading and ambient.

    Parameters
    ----------
    loading, ambient_c : (steps,)
        Loadings are not negative.
    start : Temperatures, optional
        State before the first step; settled at its loading if not given.
    """
    before = heating.settled(float(loading[0])) if start is None else start
    hot_spot_c = np.empty(len(loading))
    kernel.follow(
        np.asarray(loading, float), np.asarray(ambient_c, float), float(step_s),
        (heating.top_oil_k, heating.gradient_k, heating.loss_ratio),
        (heating.oil_s, heating.winding_s), (heating.oil_exponent, heating.winding_exponent),
        (before.top_oil_k, before.gradient_k), hot_spot_c,
    )  # fmt: skip
    faster = np.exp(AGEING_K / AGEING_REFERENCE_K - AGEING_K / (hot_spot_c + CELSIUS_K))
    return Course(hot_spot_c, float(faster.sum()) * step_s / NORMAL_LIFE_S)
