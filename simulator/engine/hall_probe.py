"""What a plan run does to the racks of one hall in a window, minute by minute."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.engine.heat_limits import coolant_c
from simulator.engine.world import World
from simulator.kernels.site_step import STEP_S

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """The racks of a hall; arrays (minutes, racks)."""

    racks: NDArray[np.int64]
    power_w: Floats
    """Mean of the minute."""
    up_frac: Floats
    """At its end; as the rest, at its start, those in force through it."""
    junction_c: Floats
    power_cap: Floats
    heat_clock: Floats
    coolant_c: Floats
    resistance_frac: Floats


class HallProbe:
    """Watches the racks of a hall without touching them."""

    def __init__(self, world: World, hall: int, start_s: float, minutes: int) -> None:
        self.world, self.start_s, self.minutes = world, start_s, minutes
        self.racks = np.flatnonzero(world.site.rack_hall == hall)
        self._kept = np.empty((7, minutes, self.racks.size))
        self._minute = -1

    def watch(self) -> Generator[Any, Any, None]:
        """Note every minute of the window; a process of the run."""
        yield self.world.env.timeout(self.start_s - self.world.env.now)
        for k in range(self.minutes):
            self._begin(k)
            yield self.world.env.timeout(STEP_S)
            self._end()

    def seen(self) -> Seen:
        """Return the window, once the run has come to its end."""
        if self._minute == self.minutes - 1:  # what ends with the run is not told to its processes
            self._end()
        return Seen(self.racks, *self._kept)

    def _begin(self, k: int) -> None:
        self._minute = k
        state, site = self.world.state, self.world.site
        racks, row = self.racks, site.rack_row[self.racks]
        now = (
            state.racks.junction_c[racks], state.racks.power_cap[racks],
            state.racks.heat_clock[racks], coolant_c(self.world)[row],
            state.blocks.resistance_frac[site.rack_block[racks]],
        )  # fmt: skip
        for column, values in enumerate(now, start=2):
            self._kept[column, k] = values

    def _end(self) -> None:
        racks = self.world.state.racks
        self._kept[0, self._minute] = racks.power_w[self.racks]
        self._kept[1, self._minute] = racks.up_frac[self.racks]
