"""What takes swings out of the draw of synchronous jobs, one file per kind, from the chip outwards."""

import sys

from simulator.components.kinds import kinds_of, union_of
from simulator.components.power.smoothing._base import OFF, Smoother

SMOOTHERS = kinds_of(sys.modules[__name__], Smoother)

Smoothing = union_of(SMOOTHERS)
"""Any of them, told apart by its `kind`."""

__all__ = ["OFF", "SMOOTHERS", "Smoother", "Smoothing"]
