"""Windows of a run looked at sample by sample, as their author asks for them."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from simulator.components.kinds import Spec
from simulator.components.power.smoothing import Smoothing
from simulator.units import Duration, Within

SAMPLE_S = 0.01
"""Length of a sample."""


class Waveform(Spec):
    """Stretches of the run whose power is drawn at 10 ms, from the phases of the jobs' steps."""

    windows: Annotated[tuple[AwareDatetime, ...], Field(max_length=100)] = ()
    """Starts, at whole minutes of the run."""
    length: Annotated[Duration, Within("1 min", "1 h")] = 60.0
    """Of every window: whole minutes."""
    job: str | None = None
    """Synchronous job that is resolved, by name; blank: all of them. Everything else keeps its minute
    means."""
    smoothing: tuple[Smoothing, ...] = ()  # type: ignore[valid-type]
    """What takes the swings out: inside the racks of the jobs, and at the site."""
    masks: tuple[str, ...] = ()
    """Limits the draw is held against, from the catalog; blank: all of them."""
