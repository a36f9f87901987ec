"""How long an element carries more than its continuous rating before protection opens or it is hurt."""

import math
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Annotated, NamedTuple

from pydantic import Field, model_validator

from simulator.components.kinds import Spec
from simulator.components.power import transformer
from simulator.components.power.breaker import CONTINUOUS, Breaker
from simulator.units import Duration, Fraction, NonNegative, Positive

RECOVERS_S = 1_800.0
"""Heat of cables, busways, lines and electronics, and the thermal memory of trip units (assumed, 10 min to 1 h)."""


@dataclass(frozen=True)
class Tolerance:
    """Allowed time by loading: points of a curve that falls, straight in log-log."""

    loading: tuple[float, ...]
    """Of the rating, rising, above `continuous`."""
    seconds: tuple[float, ...]
    continuous: float = 1.0
    """Loading that is allowed for ever."""
    source: str = ""
    evidence: str = "assumed"
    recovers_s: float = RECOVERS_S
    """Time constant with which what was used of it fades below the limit."""

    def __post_init__(self) -> None:
        """Refuse a curve that is none."""
        if problem := fault(self.loading, self.seconds, self.continuous):
            raise ValueError(problem)

    def seconds_at(self, x: float) -> float:
        """Return the time that a loading is allowed, in s: infinite at or below `continuous`, the
        first point's up to that point, nothing above the last."""
        if x <= self.continuous:
            return math.inf
        if x <= self.loading[0]:
            return self.seconds[0]
        for (x0, x1), (s0, s1) in zip(pairwise(self.loading), pairwise(self.seconds), strict=True):
            if x <= x1:
                slope = math.log(s1 / s0) / math.log(x1 / x0)
                return s0 * (x / x0) ** slope
        return 0.0


def fault(loading: tuple[float, ...], seconds: tuple[float, ...], continuous: float) -> str:
    """Return what is wrong with a curve, or nothing."""
    if not loading or len(loading) != len(seconds):
        return f"{len(loading)} loadings need as many times, not {len(seconds)}; at least one"
    if min(seconds) <= 0.0:
        return "an allowed time of 0 is said by ending the curve before it"
    if loading[0] <= continuous:
        return f"the first loading, {loading[0]:g}, is not above the continuous {continuous:g}"
    if any(b <= a for a, b in pairwise(loading)):
        return "loadings must rise from point to point"
    if any(b > a for a, b in pairwise(seconds)):
        return "allowed times must not rise with loading"
    return ""


class ToleranceCurve(Spec):
    """A tolerance as the document gives it."""

    continuous: Annotated[Fraction, Positive()] = 1.0
    """Loading, of the rating, that is allowed for ever."""
    loading: Annotated[tuple[Annotated[Fraction, Positive()], ...], Field(min_length=1)]
    """Loadings above it, rising; nothing is allowed above the last."""
    time: Annotated[tuple[Annotated[Duration, NonNegative()], ...], Field(min_length=1)]
    """How long each is allowed, falling; straight lines in log-log between."""
    recovery: Annotated[Duration, Positive()] = RECOVERS_S
    """Time constant with which what was used fades below the rating (assumed, 10 min to 1 h)."""

    @model_validator(mode="after")
    def _falls(self) -> "ToleranceCurve":
        if problem := fault(self.loading, self.time, self.continuous):
            raise ValueError(problem)
        return self

    def tolerance(self) -> Tolerance:
        """Return the curve."""
        told = "the scenario's own"
        return Tolerance(self.loading, self.time, self.continuous, told, recovers_s=self.recovery)


def _of_transformer(kind: transformer.Class, source: str, evidence: str = "derived") -> Tolerance:
    """Sample the emergency time of a transformer between its rating and its highest loading."""
    most = kind.short_time.loading
    steps = round((most - 1.0) / 0.05)
    loading = (*(1.0 + 0.05 * i for i in range(1, steps)), most)
    seconds = tuple(map(partial(transformer.emergency_s, kind), loading))
    return Tolerance(loading, seconds, 1.0, source, evidence, kind.heating.oil_s)


_BREAKER = Breaker()
TOLERANCES = {
    "line": Tolerance(
        (1.15, 1.3, 1.5, 2.0), (14_400.0, 1_800.0, 600.0, 180.0), 1.0,
        "operators' 4 h and 15-30 min emergency ratings; from 1.5 up a conductor of 12 min heating "
        "from 75 to 100 degC in 40 degC air",
    ),
    "transformer_main": _of_transformer(
        transformer.LARGE,
        "hot-spot model of IEC 60076-7 from full load at 40 degC, emergency limits of large units",
    ),
    "transformer_unit": _of_transformer(
        transformer.DISTRIBUTION,
        "hot-spot model of IEC 60076-7 from full load at 40 degC, liquid-immersed unit",
    ),
    "transformer_dry": _of_transformer(
        transformer.DRY,
        "hot-spot model in the form of IEEE C57.96 from full load at 40 degC, ventilated dry type of 220 degC; "
        "its constants and emergency limits are not from the standard's text",
        "assumed",
    ),
    "feeder": Tolerance(
        (1.25, 1.5, 2.0), (14_400.0, 1_200.0, 420.0), 1.0,
        "cables of 90 degC and 130 degC in emergencies, 30 min heating; a day's emergency held to 4 h",
    ),
    "breaker": Tolerance(
        *_BREAKER.allowed(), CONTINUOUS,
        "80 % for loads of 3 h and more (NEC 210, 215); above that long-time I2t of 12 s at 6 times, "
        "instantaneous at 10 times",
    ),
    "busway": Tolerance(
        (1.1, 1.25, 1.5), (3_600.0, 1_200.0, 300.0), 1.0,
        "heating of enclosed busbars, tens of minutes",
    ),
    "ups": Tolerance(
        (1.1, 1.25, 1.5), (3_600.0, 600.0, 60.0), 1.0,
        "double-conversion modules: 110 % 60 min, 125 % 10 min, 150 % 1 min",
    ),
}  # fmt: skip
"""Default by kind of element; what is not derived is assumed."""


TRANSFORMERS = {
    "transformer_main": transformer.LARGE, "transformer_unit": transformer.DISTRIBUTION,
    "transformer_dry": transformer.DRY,
}  # fmt: skip
"""Heating of each kind."""
INDOORS_C = transformer.DESIGN_AMBIENT_C
"""Air of the room in which dry types stand, whatever the weather (assumed)."""


class Before(NamedTuple):
    """From what an overload of a transformer begins."""

    preload: float = transformer.DESIGN_PRELOAD
    """Of the rating then in service, taken as settled."""
    ambient_c: float = transformer.DESIGN_AMBIENT_C
    """Outdoor air."""


class Tolerances(Spec):
    """Tolerances of a site's own, by kind of element; blank: `TOLERANCES`."""

    line: ToleranceCurve | None = None
    transformer_main: ToleranceCurve | None = None
    transformer_unit: ToleranceCurve | None = None
    """Unit substations whose `cooling` is liquid."""
    transformer_dry: ToleranceCurve | None = None
    """Unit substations whose `cooling` is dry. Blank: assumed, from a time constant of an hour (0.5-2 h, to which
    all times are proportional), an exponent of 1.6 (1.4-2.0), 15 K above 220 degC for 4 h (5-20 K) and 40 K for
    an hour (20-60 K)."""
    feeder: ToleranceCurve | None = None
    breaker: ToleranceCurve | None = None
    """Sections of switchgear; breakers of other elements are `topology.protection`."""
    busway: ToleranceCurve | None = None
    ups: ToleranceCurve | None = None

    def of(self, kind: str) -> Tolerance:
        """Return the tolerance of a kind of element; KeyError if there is no such kind."""
        default, own = TOLERANCES[kind], getattr(self, kind)
        return default if own is None else own.tolerance()

    def seconds(self, kind: str, loading: float, before: Before) -> float:
        """Return how long a kind of element stands a loading, in s: a transformer without a curve of the
        site's own from the heat it began with."""
        heating = TRANSFORMERS.get(kind)
        if heating is None or getattr(self, kind) is not None:
            return self.of(kind).seconds_at(loading)
        ambient_c = INDOORS_C if kind == "transformer_dry" else before.ambient_c
        return transformer.emergency_s(heating, loading, ambient_c, before.preload)
