"""Heat that electricity leaves in a building outside its racks, and that its air has to carry away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from simulator.components.kinds import Spec
from simulator.units import Fraction, Within

if TYPE_CHECKING:
    from simulator.components.power.node import Node


class IndoorHeat(Spec):
    """Share of what each kind of equipment of a hall loses that reaches the hall's air side.

    The rest leaves without the plants: equipment in the yard, rooms that fresh air cools. Feeders, main
    transformers and lines stand outdoors.
    """

    house: Annotated[Fraction, Within("0 %", "100 %")] = 1.0
    """Of lights, controls and offices (0-100 %, assumed)."""
    ups: Annotated[Fraction, Within("0 %", "100 %")] = 1.0
    """Of the losses of UPS, whose batteries want a cool room (50-100 %, assumed)."""
    busways: Annotated[Fraction, Within("0 %", "100 %")] = 1.0
    """Of busways, which run above the racks (80-100 %, assumed)."""
    substations: Annotated[Fraction, Within("0 %", "100 %")] | None = None
    """Of unit substations; blank: all of dry types, which stand in the building, and none of liquid-filled
    ones, which stand in the yard (assumed)."""

    def share(self, node: Node) -> float:
        """Return the share of an element's loss that warms the air of its hall."""
        if node.kind == "ups":
            return self.ups
        if node.kind == "busway":
            return self.busways
        if node.kind == "transformer_unit":
            own = 1.0 if node.cooling == "dry" else 0.0
            return own if self.substations is None else self.substations
        return 0.0
