"""Battery storage on the medium-voltage bus (BESS)."""

import math
from typing import Annotated

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import Energy, Fraction, NonNegative, Positive, Power, Rate, Within


class Battery(Spec):
    """A battery plant that bridges supply losses until generators carry what they can."""

    units: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Equal units of cells and inverter that share power and energy, and fail one by one."""
    power: Annotated[Power, Positive()]
    energy: Annotated[Energy, Positive()]
    """Between empty and full of what the cells hold."""
    c_rate: Annotated[Rate, Positive()] = 10.0 / 3600.0
    """Most that its cells deliver or take in, of their energy (assumed: utility plants 0.25-1 per hour,
    UPS class 4-10 per hour). `gigawatt check` refuses `power` and `recharge` beyond it; a run keeps
    within those, and a unit that is out takes its share of them and of the energy along."""
    lowest: Annotated[Fraction, Within("0 %", "50 %")] = 0.0
    """Charge that is never taken."""
    highest: Annotated[Fraction, Within("50 %", "100 %")] = 1.0
    """Charge that it is filled to."""
    round_trip: Annotated[Fraction, Within("30 %", "100 %")] = 0.86
    """AC to AC efficiency of a full cycle."""
    auxiliary: Annotated[Power, NonNegative()] = 0.0
    """Standing draw of controls and thermal management."""
    recharge: Annotated[Power, NonNegative()]
    """Largest recharge draw."""

    @property
    def usable_j(self) -> float:
        """Energy between the limits of charge."""
        return self.energy * (self.highest - self.lowest)

    @property
    def one_way(self) -> float:
        """Efficiency of charging, and of discharging."""
        return math.sqrt(self.round_trip)
