"""Equal elements in parallel that share their load: lines, transformers, feeders, UPS modules."""

from typing import Annotated

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.components.power.loss import LossCurve
from simulator.units import ApparentPower, Positive


class Bank(Spec):
    """`count` equal elements in parallel."""

    count: Annotated[int, Field(ge=1, le=10_000)]
    rating: Annotated[ApparentPower, Positive()]
    """Continuous rating of one element."""
    loss: LossCurve = LossCurve()

    def capacity_va(self, out: int = 0) -> float:
        """Return the capacity in VA with `out` elements out of service."""
        return max(self.count - out, 0) * self.rating
