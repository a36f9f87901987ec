"""What plants with compressors share: how few of them run, how little they carry, how they restart."""

from typing import Annotated

import numpy as np

from simulator.components.cooling._base import Array
from simulator.components.cooling.staging import Staged
from simulator.units import Duration, Fraction, Within


class Compressors(Staged):
    """A plant of several chillers."""

    stages: Annotated[int, Within(1, 20)] = 1
    """Groups of chillers that start one after another as their heat rises, and share it; 1: all run
    always. Towers, exchangers and condenser pumps serve all of them."""
    minimum_load: Annotated[Fraction, Within("0 %", "90 %")] = 0.0
    """Load over capacity of a running chiller below which it gets hot gas past its evaporator: its
    work falls no further. 0: it cycles, work is proportional to heat (10-25 % usual, assumed)."""
    restart: Annotated[Duration, Within("0 s", "1 h")] = 180.0
    """From the return of power, or from when heat asks for a chiller that stood, until it cools (assumed,
    30-90 s with quick restart, 3-5 min to full load without)."""

    def loaded_frac(self, chilled_frac: Array, limit_frac: Array) -> Array:
        """Return the heat that running chillers work for, per W of capacity: not below their least.

        Parameters
        ----------
        chilled_frac : heat of all chillers per W of capacity
        limit_frac : what all of them carry at most
        """
        on = self.chillers_on(chilled_frac, limit_frac)
        least = self.minimum_load * limit_frac * on * (chilled_frac > 0.0)
        return np.asarray(np.maximum(chilled_frac, least))

    def chillers_on(self, chilled_frac: Array, limit_frac: Array) -> Array:
        """Return the share of the chillers that run."""
        return self.running(chilled_frac / limit_frac)
