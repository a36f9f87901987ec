"""Battery backup in a rack or a row: carries what is behind it through a short loss of supply."""

import math
from typing import Annotated

from simulator.components.kinds import Spec
from simulator.units import Duration, Fraction, NonNegative, Positive, Power, Within


class BatteryBackup(Spec):
    """Battery units of one rack."""

    power: Annotated[Power, Positive()]
    """Most that they deliver."""
    hold_up: Annotated[Duration, Within("1 s", "24 h")] = 90.0
    """Time at that power (assumed, 90-240 s)."""
    round_trip: Annotated[Fraction, Within("30 %", "100 %")] = 0.9
    """Over a charge and discharge (assumed)."""
    walk_in: Annotated[Duration, Within("0 s", "10 min")] = 5.0
    """Ramp back to full input once the voltage is back (assumed, 1-30 s)."""
    recharge: Annotated[Power, NonNegative()]
    """Most that they draw to fill again."""

    @property
    def energy_j(self) -> float:
        """Energy that a full set delivers."""
        return self.power * self.hold_up

    def holds_s(self, load_w: float) -> float:
        """Return how long they carry a load when full: nothing above their power."""
        if load_w > self.power:
            return 0.0
        return math.inf if load_w <= 0.0 else self.energy_j / load_w
