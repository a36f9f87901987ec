"""A battery on the medium-voltage bus that holds back the swings of the whole site."""

from dataclasses import dataclass
from math import inf, sqrt
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulator.components.power.smoothing._base import Smoother
from simulator.kernels import smoothing
from simulator.units import Duration, Energy, Fraction, Positive, Power, RampRate, Within

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Followed:
    """A load behind a battery; arrays (samples,)."""

    grid_w: Floats
    charge_j: Floats
    """After each sample; half of the capacity before the first."""
    loss_j: float


class BatteryPlant(Smoother):
    """A battery that shows the grid a slow image of the load and gives or takes the rest."""

    kind: Literal["battery_plant"]
    power: Annotated[Power, Positive()]
    energy: Annotated[Energy, Positive()]
    """Usable; it starts half charged."""
    round_trip: Annotated[Fraction, Within("30 %", "100 %")] = 0.86
    """AC to AC efficiency of a full cycle: LFP. Assumed, 82-90 %."""
    response: Annotated[Duration, Within("0 s", "10 s")] = 0.05
    """Time constant from command to power: 20-250 ms. Assumed."""
    follows: Annotated[Duration, Within("10 ms", "1 h")] = 30.0
    """Time constant with which the grid's draw follows the load."""
    ramp: Annotated[RampRate, Positive()] | None = None
    """Largest ramp that the grid is to see; blank: none but that."""
    centre: Annotated[Duration, Field(gt=0)] = 600.0
    """Time in which its charge is led back to half."""

    def behind(self, load_w: Floats, dt_s: float) -> Followed:
        """Return what the grid sees of a load in W sampled every `dt_s`."""
        grid_w, charge_j = np.empty_like(load_w), np.empty_like(load_w)
        store = (self.power, self.energy, sqrt(self.round_trip), self.response)
        control = (self.follows, self.ramp or inf, self.centre)
        loss_j = smoothing.follow(load_w, dt_s, store, control, grid_w, charge_j)
        return Followed(grid_w, charge_j, float(loss_j))
