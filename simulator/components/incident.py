"""A scripted incident: one failure at a chosen element and moment, whatever the draws say."""

from typing import Annotated

from simulator.components.kinds import Spec
from simulator.units import Duration, NonNegative, Positive


class Incident(Spec):
    """One failure that happens in every replicate, beside those that are drawn."""

    cause: str
    """Failure class of the fleet (`reliability.fleet`); its effect strikes."""
    element: str
    """What it strikes, named as in `events.parquet`: `train-03/r0017`, `train-03/b02`,
    `train/leaf 4`, `train-03/warm/unit 2`, `lines/1`, `main transformers/2`."""
    at: Annotated[Duration, NonNegative()]
    """After the start of the run."""
    lasts: Annotated[Duration, Positive()] | None = None
    """Until the element is back; blank: the median repair of its class. Not for a class that takes
    nothing out (effect `interrupt`)."""
