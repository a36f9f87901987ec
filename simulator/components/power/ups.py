"""Uninterruptible supply for what must not blink: network, storage, controls, pumps."""

from typing import Annotated

from simulator.components.kinds import Spec
from simulator.components.power.loss import LossCurve
from simulator.units import Duration, Fraction, Within


class Ups(Spec):
    """Double-conversion UPS, sized on the design load it carries."""

    loss: LossCurve
    margin: Annotated[Fraction, Within("0 %", "200 %")] = 0.25
    """Rating above design load."""
    modules: Annotated[int, Within(1, 1000)] = 5
    """Equal modules that share the rating: 5 at a margin of 25 % are one more than the load needs
    (derived)."""
    ride_through: Annotated[Duration, Within("0 s", "24 h")]
    """Battery time at design load."""
