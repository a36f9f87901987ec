"""What a load is told when something under it fails."""

from dataclasses import dataclass, field

import numpy as np

from simulator.engine.shop import FALSE_ALARM


@dataclass(frozen=True, eq=False)
class Alarm:
    """One failure, as the job or test above it sees it."""

    cause: str
    racks: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    """Racks that were hit: out, or with a part out; none where the network or the supply failed."""
    unnoticed_s: float = 0.0
    """Time from the failure until it is noticed, in which the load does nothing of use."""
    silent_s: float | None = None
    """For corruption that nobody saw: how long ago it began. Work since then is wrong."""
    transient: bool = True
    """Whether a restart in place cures it; otherwise what was hit is out for repair."""
    diagnosis_s: float = 0.0
    """Time from when it is noticed until it is known what to leave out; the load waits for that."""
    planned: bool = False
    """Announced, as maintenance is: the load saved just before it and loses nothing but time."""

    @property
    def kind(self) -> str:
        """What stops the load: a failure, `planned` work, or a `false_alarm` under which nothing failed."""
        if self.planned:
            return "planned"
        return "false_alarm" if self.cause == FALSE_ALARM else "failure"
