"""The block: one unit substation with its busways, a row of racks and their coolant unit."""

from typing import Annotated, Literal

from simulator.components.kinds import Spec
from simulator.components.power.loss import LossCurve
from simulator.units import ApparentPower, Fraction, Positive, Within


class Block(Spec):
    """What feeds one group of racks."""

    rating: Annotated[ApparentPower, Positive()]
    """Unit substation rating."""
    continuous: Annotated[Fraction, Within("10 %", "100 %")] = 1.0
    """Share of the rating usable continuously (0.8 for 80 %-rated breakers)."""
    substation: LossCurve
    """Loss of the unit substation, of its rating."""
    busway: LossCurve
    """Loss of busways and panels, of the substation rating."""
    cooling: Literal["dry", "liquid"] = "liquid"
    """Of the unit substation's transformer; it tells how much more than its rating it carries for how
    long (`topology.tolerances`)."""
