"""A battery on the medium-voltage bus that holds back the swings of the whole site."""

from dataclasses import dataclass
from math import inf, sqrt
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulator.components.power.battery import Battery
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
    """A battery that shows the grid a slow image of the load and gives or takes the rest.

    What it is made of is told once, at `topology.battery`; power and energy of its own make it
    another one, which only smooths.
    """

    kind: Literal["battery_plant"]
    power: Annotated[Power, Positive()] | None = None
    """Blank: that of `topology.battery`."""
    energy: Annotated[Energy, Positive()] | None = None
    """Usable; it starts half charged. Blank: that of `topology.battery` between its limits of charge."""
    round_trip: Annotated[Fraction, Within("30 %", "100 %")] | None = None
    """AC to AC efficiency of a full cycle. Blank: that of `topology.battery`, and where there is none that
    which it has by default."""
    response: Annotated[Duration, Within("0 s", "10 s")] = 0.05
    """Time constant from command to power: 20-250 ms. Assumed."""
    follows: Annotated[Duration, Within("10 ms", "1 h")] = 30.0
    """Time constant with which the grid's draw follows the load."""
    ramp: Annotated[RampRate, Positive()] | None = None
    """Largest ramp that the grid is to see; blank: none but that."""
    centre: Annotated[Duration, Field(gt=0)] = 600.0
    """Time in which its charge is led back to half."""

    def of_site(self, battery: Battery | None) -> "BatteryPlant":
        """Return it with what it leaves blank taken from the site's battery; ValueError if there is none
        that has it."""
        given = {"round_trip": Battery.model_fields["round_trip"].default}
        if battery is not None:
            given = {
                "power": battery.power, "energy": battery.usable_j, "round_trip": battery.round_trip,
            }  # fmt: skip
        blank = {n: v for n, v in given.items() if getattr(self, n) is None}
        full = self.model_copy(update=blank)
        if full.power is None or full.energy is None:
            raise ValueError("it has no power or energy of its own, and the site has no battery")
        return full

    def behind(self, load_w: Floats, dt_s: float) -> Followed:
        """Return what the grid sees of a load in W sampled every `dt_s`; of a battery whose power, energy
        and efficiency are known (`of_site`)."""
        assert self.power is not None and self.energy is not None and self.round_trip is not None
        grid_w, charge_j = np.empty_like(load_w), np.empty_like(load_w)
        store = (self.power, self.energy, sqrt(self.round_trip), self.response)
        control = (self.follows, self.ramp or inf, self.centre)
        loss_j = smoothing.follow(load_w, dt_s, store, control, grid_w, charge_j)
        return Followed(grid_w, charge_j, float(loss_j))
