"""Equal elements in parallel that share their load: lines, transformers, feeders, UPS modules."""

from typing import Annotated

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.components.power.loss import LossCurve
from simulator.units import ApparentPower, Positive


class Bank(Spec):
    """`count` equal elements in parallel."""

    count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Blank: as many as carry the design load at their rating, racks at nameplate or what their blocks
    feed and plants on their design day, and `spare` more."""
    spare: Annotated[int, Field(ge=0, le=100)] = 1
    """Elements beyond those that carry the design load, where `count` is blank."""
    rating: Annotated[ApparentPower, Positive()]
    """Continuous rating of one element."""
    loss: LossCurve = LossCurve()

    @property
    def units(self) -> int:
        """Elements that are built; ValueError as long as they are not counted (`scenario.provision`)."""
        if self.count is None:
            raise ValueError("how many of them are needed is not known yet")
        return self.count

    def capacity_va(self, out: int = 0) -> float:
        """Return the capacity in VA with `out` elements out of service."""
        return max(self.units - out, 0) * self.rating
