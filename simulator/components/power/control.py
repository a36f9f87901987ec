"""How a campus keeps its elements within their ratings: what sees an overload, how fast, who gives way."""

from typing import Annotated

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.units import Duration, Fraction, NonNegative, Within


class Oversubscription(Spec):
    """How far the nameplate below a level may exceed what the level carries with one unit out. As many
    racks are installed as all levels take; where `racks_per_block` is written, `gigawatt check` refuses
    more."""

    feeders: Annotated[Fraction, Within("0 %", "200 %")] | None = None
    """Racks over the feeders of their hall; blank: no more than `topology.oversubscription` over them,
    and more is refused."""
    connection: Annotated[Fraction, Within("0 %", "200 %")] | None = None
    """Racks over lines, main transformers and the import contract; blank: not looked at."""


class Control(Spec):
    """Power capping. Delays are those that Microsoft's POLCA reports of its fleets (arXiv
    2308.12908, table 1)."""

    policy: str = "priority"
    """Who gives way when an element carries too much: `priority`, `proportional`, `training_first`,
    `inference_first`, `emergency_brake`."""
    telemetry: Annotated[Duration, NonNegative()] = 2.0
    """From an overload until it is seen: 2 s (measured, POLCA)."""
    actuation: Annotated[Duration, NonNegative()] = 40.0
    """From there until caps hold: 40 s for out-of-band commands (measured, POLCA)."""
    brake: Annotated[Duration, NonNegative()] | None = 5.0
    """The same for the emergency brake, which brings every load below the element to its lowest
    power: 5 s (measured, POLCA). It is pulled where the element would not last until caps hold;
    blank (`null`): there is none."""
    margin: Annotated[Fraction, Within("0 %", "20 %")] = 0.01
    """Caps aim this far below the continuous rating, so that what grows in the next minute fits
    (assumed, range 0-5 %). At the interconnection `topology.power_margin` counts."""
    hold: Annotated[Duration, Within("1 min", "1 d")] = 900.0
    """Racks that are switched off stay so at least this long (assumed, range 5 min to 1 h)."""
    reset: Annotated[Duration, Within("1 min", "30 d")] = 14_400.0
    """Inspection and reset of an element whose protection opened (assumed, range 1 h to 8 h)."""
    oversubscription: Oversubscription = Field(default_factory=Oversubscription)

    @property
    def delay_s(self) -> float:
        """From an overload until caps hold."""
        return self.telemetry + self.actuation
