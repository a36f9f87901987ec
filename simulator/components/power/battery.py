"""Battery storage on the medium-voltage bus."""

from typing import Annotated

from simulator.components.kinds import Spec
from simulator.units import Energy, Fraction, NonNegative, Positive, Power, Within


class Battery(Spec):
    """A battery plant that bridges supply losses until generators carry what they can."""

    power: Annotated[Power, Positive()]
    energy: Annotated[Energy, Positive()]
    round_trip: Annotated[Fraction, Within("30 %", "100 %")] = 0.86
    """AC to AC efficiency of a full cycle."""
    auxiliary: Annotated[Power, NonNegative()] = 0.0
    """Standing draw of controls and thermal management."""
    recharge: Annotated[Power, NonNegative()]
    """Largest recharge draw."""
