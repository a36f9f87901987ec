"""Which policy tells a plant how warm its water is to be, and within what."""

from typing import Annotated

from simulator.components.kinds import Spec
from simulator.units import Fraction, Temperature, TemperatureDelta, Within

DEFAULT_BELOW_K = 10.0
"""A policy goes at most so far below the fixed set temperature, unless `lowest` says how far."""


class Setpoint(Spec):
    """A set-point policy by name, with its parameters; policies are in `policies/setpoint`."""

    policy: str = "fixed"
    """`fixed`, `wet_bulb_reset` or `load_coordinated`."""
    approach: Annotated[TemperatureDelta, Within("0.5 K", "30 K")] = 6.0
    """Of `wet_bulb_reset`: set temperature minus wet bulb, or dry bulb for dry plants (assumed, range
    3-10 K). Small costs fan energy, large leaves the water warm."""
    lowest: Annotated[Temperature, Within("4 degC", "100 degC")] | None = None
    """The policy sets nothing colder; blank: 10 K below the fixed set temperature (assumed)."""
    uneven: Annotated[Fraction, Within("0 %", "2000 %")] | None = None
    """Of `load_coordinated`: heat of a hall's fullest block over the mean of its blocks, less one. Blank: as
    much as the hall's blocks allow, so that no rack is ever supplied warmer than asked for; a figure saves
    more energy, and supplies blocks that are fuller than it says too warm."""

    def lowest_c(self, fixed_c: float) -> float:
        """Return the coldest set temperature in degC."""
        return fixed_c - DEFAULT_BELOW_K if self.lowest is None else self.lowest
