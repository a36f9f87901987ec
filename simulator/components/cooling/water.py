"""How much water a site may take: by day, and in droughts."""

from typing import Annotated, Literal

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

    What an hour takes is foretold: the plants' water at design heat in its weather, times what the last
    hour with water took of that. An hour that might pass the day's limit is run dry: pads are off,
    thermosyphons work alone, towers and their chillers reject nothing.
    """

    daily_limit: Annotated[VolumeFlow, NonNegative()] | None = None
    """On any day of the site's clock, for example `3000 m3/d`; blank: no limit."""
    droughts: tuple[Drought, ...] = ()
    rationing: Literal["first_come", "hottest_first"] = "first_come"
    """Which hours of a limited day get water: the first ones, or the hottest, for which enough of what is
    left of the day's limit is held back by the weather of its hours."""

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

    def wanted_kg(self, need_kg: Array, dry_bulb_c: Array, start_hour: int) -> Array:
        """Return the water that must be left for an hour to get some, (hours,): its own need, and with
        `hottest_first` that of the later hours of its day that are hotter.

        Parameters
        ----------
        need_kg : (hours,) what plants take at design heat
        dry_bulb_c : (hours,)
        start_hour : hour of the site's clock at which the run starts
        """
        wanted = need_kg.copy()
        if self.rationing == "first_come":
            return wanted
        day = (start_hour + np.arange(need_kg.size)) // HOURS_PER_DAY
        for hour in range(need_kg.size):
            later = slice(hour + 1, int(np.searchsorted(day, day[hour], side="right")))
            wanted[hour] += need_kg[later][dry_bulb_c[later] > dry_bulb_c[hour]].sum()
        return wanted
