"""How much water a site may take: by day, and in droughts."""

from typing import Annotated

import numpy as np

from simulator.components.cooling._base import Array
from simulator.components.kinds import Spec
from simulator.units import Duration, NonNegative, Positive, VolumeFlow

DAY_S = 86_400.0
HOURS_PER_DAY = 24


class Drought(Spec):
    """A time in which less may be taken."""

    at: Annotated[Duration, NonNegative()]
    """Its begin after the start of the run; every day that it touches is limited."""
    lasts: Annotated[Duration, Positive()]
    daily_limit: Annotated[VolumeFlow, NonNegative()]
    """Water withdrawn in a day, for example `200 m3/d`; 0: none."""


class Water(Spec):
    """Limits of the water that heat rejection withdraws: evaporation, drift and blowdown.

    An hour that might pass the day's limit, were it to take what the last hour with water took, is run
    dry: pads are off, thermosyphons work alone, towers and their chillers reject nothing.
    """

    daily_limit: Annotated[VolumeFlow, NonNegative()] | None = None
    """On any day of the site's clock, for example `3000 m3/d`; blank: no limit."""
    droughts: tuple[Drought, ...] = ()

    @property
    def scarce(self) -> bool:
        """Whether any day has a limit."""
        return self.daily_limit is not None or bool(self.droughts)

    def limits_m3(self, start_hour: int, hours: int) -> Array:
        """Return the limit of each day that a run touches; infinite where there is none.

        Parameters
        ----------
        start_hour : hour of the site's clock at which the run starts
        hours : of the run
        """
        most = np.inf if self.daily_limit is None else self.daily_limit * DAY_S
        limits = np.full((start_hour + hours - 1) // HOURS_PER_DAY + 1, most)
        for drought in self.droughts:
            begin_s = start_hour * 3600.0 + drought.at
            first, last = int(begin_s // DAY_S), int(-(-(begin_s + drought.lasts) // DAY_S))
            limits[first:last] = np.minimum(limits[first:last], drought.daily_limit * DAY_S)
        return limits
