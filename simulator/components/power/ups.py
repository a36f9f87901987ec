"""Uninterruptible supply for what must not blink: network, storage, controls, pumps."""

from simulator.components.kinds import Spec
from simulator.components.power.loss import LossCurve
from simulator.units import Duration, Fraction


class Ups(Spec):
    """Double-conversion UPS, sized on the design load it carries."""

    loss: LossCurve
    margin: Fraction = 0.25
    """Rating above design load."""
    ride_through: Duration
    """Battery time at design load."""
