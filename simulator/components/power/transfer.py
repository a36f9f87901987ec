"""Transfer switches: how long what is behind them is without supply."""

from typing import Annotated

from simulator.components.kinds import Spec
from simulator.units import Duration, Within


class StaticTransfer(Spec):
    """Thyristor switch between two live sources."""

    transfer: Annotated[Duration, Within("0 s", "1 s")] = 0.006
    """Sensing included: a quarter to half a cycle (assumed, 4-8 ms)."""

    def gap_s(self) -> float:
        """Return the time without supply when one source fails and the other is live."""
        return self.transfer


class AutomaticTransfer(Spec):
    """Mechanical switch between the utility and a source that may have to be started."""

    sensing: Annotated[Duration, Within("0 s", "60 s")] = 2.0
    """Loss that is waited out before the other source is called (assumed, 1-3 s)."""
    transfer: Annotated[Duration, Within("0 s", "10 s")] = 0.15
    """Open transition of the mechanism (assumed, 50-300 ms)."""
    retransfer: Annotated[Duration, Within("0 s", "4 h")] = 300.0
    """Good voltage that is waited for before going back (assumed, 5-30 min)."""

    def gap_s(self, start_s: float = 0.0) -> float:
        """Return the time without supply when the utility fails and the other source needs
        `start_s`."""
        return self.sensing + start_s + self.transfer
