"""What opens the circuit of an element that carries too much: trip units of low-voltage breakers, relays of
medium-voltage ones, and how high above the element's rating they are set."""

import math
from typing import Annotated

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import Duration, Fraction, Positive, Within

CONTINUOUS_LOAD_S = 3.0 * 3600.0
"""Loads of three hours and more are continuous (NEC article 100)."""
CONTINUOUS = 0.8
"""Share of its rating that a breaker carries for ever, unless listed for 100 % (NEC 210, 215)."""
LONG_TIME_AT = 6.0
"""Multiple of the rating at which long-time delays are stated."""
VERY_INVERSE_S, VERY_INVERSE_FIXED_S = 19.61, 0.491
"""Constants of the very inverse curve of relays (IEEE C37.112; assumed: quoted from memory)."""


class Breaker(Spec):
    """Electronic trip: long-time inverse square, then instantaneous."""

    setting: Annotated[Fraction, Within("100 %", "250 %")] = 1.0
    """Its own rating over that of the element it stands for: a busway's is that of the busway (assumed, 100-125 %:
    the next size that there is)."""
    pickup: Annotated[Fraction, Within("100 %", "130 %")] = 1.05
    """Lowest current at which the long-time element may open (assumed, 105-120 %)."""
    long_time: Annotated[Duration, Positive()] = 12.0
    """Time to open at 6 times the rating (assumed, settings 2-24 s)."""
    instantaneous: Annotated[float, Field(gt=1, le=20)] = 10.0
    """Multiple of the rating from which it opens at once (assumed, settings 2-12)."""

    def opens_s(self, loading: float) -> float:
        """Return when it opens at a loading of the element's rating, in s: infinite up to `pickup`, then
        I²t = constant, nothing from `instantaneous` on."""
        loading /= self.setting
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


class MainBreaker(Breaker):
    """The same on the low-voltage side of a unit substation."""

    setting: Annotated[Fraction, Within("100 %", "250 %")] = 1.25
    """Its own rating over that of the unit substation (assumed, 100-125 %: NEC 450.3 allows no more where only
    transformers' secondaries are protected so, and up to 250 % in supervised places)."""


class Relay(Spec):
    """Time-overcurrent relay of medium and high voltage, very inverse."""

    pickup: Annotated[Fraction, Within("100 %", "600 %")] = 1.5
    """Loading of the element from which it times (assumed, 125-200 %; NERC PRC-023 wants relays of lines
    and transformers not to act at or below 150 % of the rating)."""
    dial: Annotated[float, Field(ge=0.1, le=30)] = 3.0
    """Time dial (assumed, 1-6)."""

    def opens_s(self, loading: float) -> float:
        """Return when it opens at a loading of the element's rating, in s: infinite up to `pickup`, then by
        the very inverse curve of IEEE C37.112."""
        beyond = (loading / self.pickup) ** 2 - 1.0
        if beyond <= 0.0:
            return math.inf
        return self.dial * (VERY_INVERSE_S / beyond + VERY_INVERSE_FIXED_S)


class Protection(Spec):
    """What opens the circuit of each kind of element; UPS switch over by their own curve."""

    line: Relay = Relay()
    transformer_main: Relay = Relay()
    feeder: Relay = Relay()
    """Of feeders and of branches of a medium-voltage network."""
    transformer_unit: MainBreaker = MainBreaker()
    """Of unit substations."""
    busway: Breaker = Breaker()

    def opens_s(self, kind: str, continuous: float, loading: float) -> float:
        """Return when the breaker of an element opens, in s.

        Parameters
        ----------
        kind : of equipment; what has no breaker of its own never opens
        continuous : share of the rating that may be carried for ever: a breaker that is not listed for
            100 % carries more for three hours at most
        loading : of the element's rating
        """
        limit = getattr(self, kind, None)
        if limit is None:
            return math.inf
        long_s = CONTINUOUS_LOAD_S if continuous < min(1.0, loading) else math.inf
        return min(long_s, limit.opens_s(loading))
