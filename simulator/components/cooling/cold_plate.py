"""Cold plates and heat sinks: how thermal resistance and pressure drop follow the flow.

Between junction and coolant lie conduction (die, interface, base plate), which does not know the
flow, and the film on the fins, which does:

    R(f) = R_rated ((1 - c - w) + c f^-n + w / f),    dp(f) = dp_rated f^2,    f = flow over rated flow.

The last term is the coolant's own warming: the resistance is taken to the supply, and half of the
warming, Q / (2 m cp), lies before the middle of a rack's chips.

Rated flow is the one at which the coolant warms by `RATED_RANGE_K` under the rack's liquid heat,
1.5 L/min per kW of PG25 (OCP OAI guideline, vendor).

c = 0.4 of cold plates is assumed, between two sources that disagree: 0.63 by the usual rule of thumb
(0.017 of 0.027 K/W), 0.19 by a CFD study of a GB300-class plate, whose front of 17 geometries at one
flow follows 29.9 K + 22 K (dp / kPa)^-0.3 at 1,400 W. That front compares geometries at 20 L/min, not
flows through one plate, so it bounds c from below and calibrates nothing here.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from simulator.components.cooling.coil import SEA_LEVEL_PA
from simulator.components.kinds import Spec
from simulator.units import Fraction, Positive, Pressure, Within

RATED_RANGE_K = 10.0
"""Warming of the coolant at rated flow (OCP: 1.5 L/min per kW at no more than 10 K, vendor)."""
RATED_FLOW_M3_J = 1.5e-3 / 60.0 / 1000.0
"""1.5 L/min per kW, in m3/s per W."""
LEAST_FLOW_M3_J = 1.16e-3 / 60.0 / 1000.0
"""Least flow over chip power: a GB300 tray's 8 L/min for 6.9 kW, the lowest published (vendor)."""


class ColdPlate(Spec):
    """How the resistance of a rack's chips follows the coolant through it, and what that takes."""

    convection: Annotated[Fraction, Within("0 %", "95 %")] = 0.4
    """Share of the chips' thermal resistance that is the film of the coolant at rated flow (0.19-0.63,
    assumed)."""
    exponent: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Film resistance ~ flow ** -exponent (0.6-0.8, assumed)."""
    warming: Annotated[Fraction, Within("0 %", "50 %")] = 0.13
    """Share of that resistance that is the mean warming of the coolant at rated flow: 5 K of the 37 K by
    which a GB300 stands over its supply (0.1-0.2 of other chips, derived)."""
    pressure_drop: Annotated[Pressure, Positive()] = 100e3
    """Across the rack at rated flow: plates (20 kPa or less, vendor), couplings and manifolds
    (50-150 kPa, assumed)."""

    @model_validator(mode="after")
    def _shares_of_one_resistance(self) -> Self:
        if self.convection + self.warming > 1.0:
            raise ValueError("convection and warming are shares of one resistance: more than all of it")
        return self

    def resistance_frac(self, flow: float, film: float = 1.0) -> float:
        """Return the resistance over that at rated flow; `film` scales the film's share (fluids)."""
        fixed = 1.0 - self.convection - self.warming
        return fixed + self.convection * film * flow**-self.exponent + self.warming / flow

    def drop_pa(self, flow: float) -> float:
        """Return the pressure drop across the rack at a share of rated flow."""
        return self.pressure_drop * flow**2


HEAT_SINK = ColdPlate().model_copy(
    update={"convection": 0.7, "exponent": 0.65, "warming": 0.13, "pressure_drop": 100.0}
)
"""Finned heat sinks in the servers' air: mostly film (0.5-0.85), exponent of forced flow over fins
(0.5-0.8), air warming like a plate's coolant; all assumed."""


def thin_air_frac(sink: ColdPlate, pressure_pa: float) -> float:
    """Return the resistance of a heat sink over that at sea level: servers' fans move the same volume, which
    holds less air the higher a site lies."""
    return sink.resistance_frac(pressure_pa / SEA_LEVEL_PA)
