"""The continuous half of the clock: hands the kernel whole stretches between decisions."""

from collections.abc import Callable

import numpy as np

from simulator.components.cooling import HourlyWeather
from simulator.engine import effects, power
from simulator.engine.cooling import plant_maps
from simulator.engine.world import World
from simulator.kernels import site_step
from simulator.kernels.columns import Outdoors, Records
from simulator.kernels.entry import entry_of

STEP_S = site_step.STEP_S
TRIP_RESET_S = 4 * 3600.0
"""Inspection and restart of a block whose chips switched themselves off (assumed)."""


class Physics:
    """Advances the site to a time, step by step, and acts on what the kernel reports."""

    def __init__(
        self, world: World, weather: HourlyWeather, records: Records, capping: power.Capping
    ) -> None:
        state, site = world.state, world.site
        self.world = world
        self.capping = capping
        self.steps = records.site.shape[0]
        self.step = 0
        self._flags = np.zeros(1, np.int64)
        self._arguments = (
            self._flags, (site.rows, site.halls),
            (state.racks, state.loads, state.blocks, state.loops, state.tree, state.pools,
             state.supply, state.hall_air_c, state.plant_w),
            plant_maps(site, weather), Outdoors(weather.dry_bulb_c, weather.wet_bulb_c), records,
        )

        self._advance = entry_of(site_step.advance, 0, 1, *self._arguments)

    def start(self) -> None:
        """Set what the pools do in the first step, once the loads have their racks."""
        site_step.prepare_pools(self.world.state.pools, self.world.state.loads, 0)

    def advance(self, to_s: float) -> None:
        """Integrate every step that ends by `to_s`; return early when a decision falls due."""
        stop = min(int(to_s // STEP_S), self.steps)
        while self.step < stop:
            self.step, status = self._advance(self.step, stop, *self._arguments)
            if status != site_step.RUNNING and self._respond(status):
                return

    def _respond(self, status: int) -> bool:
        """Act on a report; return whether an event now waits at the step's end."""
        at_s = self.step * STEP_S
        if status == site_step.TRIP:
            self._at(at_s, self._trip)
            return True
        switched = power.control(self.world, self.capping, at_s)
        for load in switched:
            self._at(at_s, lambda load=load: power.switch(self.world, load))  # type: ignore[misc]
        return bool(switched)

    def _at(self, at_s: float, act: Callable[[], None]) -> None:
        env = self.world.env
        env.timeout(at_s - env.now).callbacks.append(lambda _: act())

    def _trip(self) -> None:
        """Take out the blocks whose chips passed their shutdown temperature."""
        world, site = self.world, self.world.site
        state = world.state
        over = state.racks.junction_c >= site.rows.shutdown_c[site.rack_row]
        for block in np.unique(site.rack_block[over & (state.racks.up_frac > 0.0)]):
            racks = np.flatnonzero(site.rack_block == block)
            world.log("trip", site.block_names[block], "heat", TRIP_RESET_S, "chip shutdown")
            effects.take_out(world, racks, "heat", TRIP_RESET_S)
