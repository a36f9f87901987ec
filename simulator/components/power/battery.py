"""Battery storage on the medium-voltage bus."""

from typing import Annotated

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import Energy, Fraction, Power


class Battery(Spec):
    """A battery plant that bridges supply losses until generators carry what they can."""

    power: Power
    energy: Energy
    round_trip: Annotated[Fraction, Field(gt=0, le=1)] = 0.86
    """AC to AC efficiency of a full cycle."""
    auxiliary: Power = 0.0
    """Standing draw of controls and thermal management."""
    recharge: Power
    """Largest recharge draw."""
