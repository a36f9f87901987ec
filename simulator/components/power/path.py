"""The conversions between the grid and the chip, as one named chain."""

import math
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.components.power.loss import LossCurve
from simulator.units import Fraction, Within


def in_row(curves: Iterable[LossCurve]) -> LossCurve:
    """Return the loss of stages of equal rating one after the other, each at the same loading."""
    held = list(curves)
    return LossCurve(
        no_load=math.fsum(curve.no_load for curve in held),
        linear=math.fsum(curve.linear for curve in held),
        load=math.fsum(curve.load for curve in held),
    )


class PathStage(Spec):
    """One conversion or run of conductors."""

    name: str
    place: Literal["campus", "hall", "rack", "board"]
    """Whose losses: lines and main transformers, what stands in the hall, the rack's own, or those
    below the accelerator's rated power. The power tree of a run has the first two; a rack's shelf is
    the third; the last are part of a chip's power."""
    stage: Literal["lines", "transformers", "feeders", "substations", "busways", "ups", "shelf", "board"]
    """Row of the table of losses."""
    loss: LossCurve


class PowerPath(Spec):
    """A named chain from the point of interconnection to the chip."""

    name: str
    voltage: str
    """Of distribution in the hall, in words."""
    published: Annotated[Fraction, Within("50 %", "100 %")] | None = None
    """Efficiency of the whole chain as published for this kind of path."""
    stages: Annotated[tuple[PathStage, ...], Field(min_length=1)]

    def at(self, *places: str) -> tuple[PathStage, ...]:
        """Return the stages at some places, from the grid down."""
        return tuple(stage for stage in self.stages if stage.place in places)

    def loss_of(self, stage: str) -> LossCurve | None:
        """Return the loss of all parts of a stage in hall and rack together; None if it has none."""
        found = [s.loss for s in self.at("hall", "rack") if s.stage == stage]
        return in_row(found) if found else None

    def efficiencies(self, loading: float) -> Iterator[tuple[str, float]]:
        """Yield (stage, efficiency) with every stage at `loading` of its own rating."""
        for stage in self.stages:
            yield stage.name, loading / (loading + stage.loss.loss_w(loading, 1.0))

    def efficiency(self, loading: float) -> float:
        """Return grid to chip with every stage at `loading` of its own rating."""
        return math.prod(eta for _, eta in self.efficiencies(loading))
