"""Rear-door heat exchangers: a coil in the back of each rack takes its air's heat there."""

from typing import Annotated, Literal

import numpy as np

from simulator.components.cooling._base import LOAD_FRAC, Array
from simulator.components.cooling.air_side import AirSide
from simulator.units import Duration, Fraction, Power, TemperatureDelta, Within


class RearDoor(AirSide):
    """Air leaves a rack through a coil and enters the hall as it came; nothing hot reaches the room.

    `unit` is the air heat of one door, and the most that a rack may give to air.
    """

    kind: Literal["rear_door"] = "rear_door"
    fans: Literal["active", "passive"] = "active"
    """`active`: fans in the door; `passive`: the servers' own fans push the air through, without
    power of the hall."""
    approach: Annotated[TemperatureDelta, Within("0.1 K", "20 K")] = 3.0
    """Air behind the coil minus chilled water supply (2-5 K, assumed)."""
    fan: Annotated[Fraction, Within(0.0, 0.2)] = 0.012
    """Fan power of active doors over air heat at design (0.01-0.02, assumed)."""
    unit: Annotated[Power, Within("1 kW", "10 MW")] = 50e3
    """Air heat of one door at design (30-80 kW, assumed)."""
    mass: Annotated[Duration, Within("1 s", "1 h")] = 240.0
    """Thermal mass of the hall's air and of what it touches, in seconds of design airflow (assumed)."""

    @property
    def passive(self) -> bool:
        """Return whether the racks' own fans move the air."""
        return self.fans == "passive"

    def power_frac(self, load_frac: Array = LOAD_FRAC) -> Array:
        """Return fan power per W of design heat at each load: none of passive doors."""
        return np.zeros(len(load_frac)) if self.passive else super().power_frac(load_frac)
