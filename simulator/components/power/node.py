"""One element of the power tree."""

from dataclasses import dataclass

from simulator.components.power.loss import LossCurve
from simulator.kernels.columns import STAGES

LINES, TRANSFORMERS, FEEDERS, SUBSTATIONS, BUSWAYS, UPS = range(len(STAGES))
SIDES = 2
"""Of a block of support racks: each a substation, a UPS and a busway that carry all of it alone."""


@dataclass(frozen=True)
class Node:
    """One element of the radial power tree, or equal ones in parallel."""

    name: str
    parent: int
    stage: int
    kind: str
    """Of equipment, as its tolerance curve is named (`components/power/tolerance.py`)."""
    rating_w: float
    loss: LossCurve
    """Over its rated real power."""
    count: int = 1
    firm_w: float = 0.0
    ride_through_s: float = 0.0
    """Battery time at its rating, of a UPS."""
    recharge_w: float = 0.0
    """Most that its battery takes, of a UPS."""
    serves: str = ""
    """What hangs below: `racks`, `support`, `mechanical`; blank above them."""
    continuous: float = 1.0
    """Share of the rating that may be carried for ever."""
    design_w: float = 0.0
    """What it delivers on the design day, of mechanical substations."""
    cooling: str = ""
    """`dry` for a transformer that air cools."""

    @property
    def tolerance(self) -> str:
        """Return the name of the curve of what it carries beyond its rating."""
        return "transformer_dry" if self.cooling == "dry" else self.kind
