"""A low-voltage breaker: what it carries for ever, and when it opens beyond that."""

import math
from typing import Annotated

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import Duration, Fraction, Positive, Within

CONTINUOUS_LOAD_S = 3.0 * 3600.0
"""Loads of three hours and more are continuous (NEC article 100)."""
LONG_TIME_AT = 6.0
"""Multiple of the rating at which long-time delays are stated."""


class Breaker(Spec):
    """Electronic trip: long-time inverse square, then instantaneous."""

    continuous: Annotated[Fraction, Within("10 %", "100 %")] = 0.8
    """Share of the rating that is allowed for ever: 80 % unless listed for 100 % (NEC 210, 215)."""
    pickup: Annotated[Fraction, Within("100 %", "130 %")] = 1.05
    """Lowest current at which the long-time element may open (assumed, 105-120 %)."""
    long_time: Annotated[Duration, Positive()] = 12.0
    """Time to open at 6 times the rating (assumed, settings 2-24 s)."""
    instantaneous: Annotated[float, Field(gt=1, le=20)] = 10.0
    """Multiple of the rating from which it opens at once (assumed, settings 2-12)."""

    def opens_s(self, loading: float) -> float:
        """Return when it opens at a loading of its rating: infinite up to `pickup`, then
        I²t = constant, nothing from `instantaneous` on."""
        if loading <= self.pickup:
            return math.inf
        if loading >= self.instantaneous:
            return 0.0
        return self.long_time * (LONG_TIME_AT / loading) ** 2

    def allowed(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return loadings and seconds of its tolerance: three hours between the continuous and the
        full rating, then the long-time curve. Straight in log-log, as an inverse square is."""
        at_pickup_s, last_s = (
            self.long_time * (LONG_TIME_AT / x) ** 2 for x in (self.pickup, self.instantaneous)
        )
        return (1.0, self.pickup, self.instantaneous), (CONTINUOUS_LOAD_S, at_pickup_s, last_s)
