"""Racks that heat switched off: they are inspected, and start again once something cools them."""

import numpy as np

from simulator.engine import coolant, heat_limits, held, outage, plant_power
from simulator.engine.world import World
from simulator.kernels.cooling_columns import DryMaps, WaterState
from simulator.kernels.rack_side import PUMP

LOOK_S = 1800.0
"""From one look whether such a block is cooled again to the next (15-60 min, assumed)."""
AIR_LOOK_S = 300.0
"""The same whether the chilled plant of a hall, whose fans were switched off, works again (1-15 min, assumed)."""


class HotTrips:
    """Takes blocks out for heat; knows which loops give heat off, with or without water."""

    def __init__(self, world: World, water: WaterState, dry: DryMaps) -> None:
        self.world, self.water, self.dry = world, water, dry
        self.events: dict[int, int] = {}
        """Of the blocks that are out: the place of their trip in the log."""

    def trip(self, block: int, why: str, at_s: float) -> None:
        """Take out a block whose chips or racks switched themselves off, at a time in the step that has ended. Where
        nothing cools its water its pumps are switched off as well, for they alone would warm it for ever; so is the
        air side of its hall."""
        world, inspected_s = self.world, self.world.site.topology.cooling.inspection
        self.events[block] = len(world.events)
        world.log("trip", world.site.block_names[block], "heat", inspected_s, why, at_s)
        self._hold(block, inspected_s)
        if not self._rejects(self._warm(block)):
            self._pumps(block, False)
        self.still(int(world.site.block_hall[block]))

    def still(self, hall: int) -> None:
        """Switch fans and chilled pumps of a hall off whose chilled plant rejects nothing and whose racks are all
        off: they would only warm its water and air."""
        world, plants = self.world, self.world.plants
        loop = int(world.site.halls.air_loop[hall])
        if plants.stilled[hall] or self._works(hall) or self._rejects(loop):
            return
        plants.stilled[hall] = True
        plant_power.settle(world, loop)
        world.log("air_off", world.site.hall_names[hall], "heat", detail="fans and chilled pumps: nothing cools them")
        outage.after(world, AIR_LOOK_S, lambda: self._wake(hall))

    def _wake(self, hall: int) -> None:
        """Switch them on again once there is something to carry the heat to."""
        world, loop = self.world, int(self.world.site.halls.air_loop[hall])
        if not self._rejects(loop):
            outage.after(world, AIR_LOOK_S, lambda: self._wake(hall))
            return
        world.plants.stilled[hall] = False
        plant_power.settle(world, loop)
        world.log("air_on", world.site.hall_names[hall], "heat")

    def finish(self) -> None:
        """Close the account at the end of the run."""
        for block in list(self.events):
            self._told(block, self.world.end_s)

    def _told(self, block: int, until_s: float) -> None:
        """Note how long a block was off: as long as its inspection, or as nothing cooled it."""
        if block in self.events:
            self.world.close(self.events.pop(block), until_s)

    def _hold(self, block: int, lasts_s: float) -> None:
        held.hold(self.world, self._racks(block), "heat", lasts_s, lambda: self._look(block))

    def _look(self, block: int) -> None:
        """Let a block start, or hold it back where its chips would trip again."""
        if self._cooled(block):
            self._pumps(block, True)
            held.start(self.world, self._racks(block), "heat")
            self._told(block, self.world.env.now + held.AHEAD_S)
        else:
            self._hold(block, LOOK_S)

    def _cooled(self, block: int) -> bool:
        """Return whether idle chips of a block keep clear of their limit, its racks of hot air, and what cools
        its chips gives its heat off."""
        world, rows = self.world, self.world.site.rows
        row = int(np.flatnonzero(rows.block == block)[0])
        rise_k = rows.chip_idle_w[row] * float(world.state.racks.resistance_k_w[self._racks(block)].max())
        if heat_limits.coolant_c(world)[row] + rise_k >= rows.throttle_start_c[row]:
            return False
        loop = self._warm(block) if rows.liquid_cooled[row] else int(world.site.halls.air_loop[rows.hall[row]])
        return self._rejects(loop) and float(world.state.hall_air_c[rows.hall[row]]) < float(rows.intake_c[row])

    def _works(self, hall: int) -> bool:
        """Return whether any rack of a hall is on, of chips or without."""
        site, state = self.world.site, self.world.state
        alone_w = (state.blocks.support_w * state.blocks.support_share)[site.block_hall == hall]
        return bool(alone_w.any() or (state.racks.up_frac[site.rack_hall == hall] > 0.0).any())

    def rejects(self, loops: np.ndarray) -> np.ndarray:
        """Return which of some loops flow to a plant that works, or would if their pumps were switched on:
        boolean, as `loops`."""
        state = self.world.state
        flow = [plant_power.flows(self.world, int(loop)) for loop in loops]
        works: np.ndarray = (state.loops.units_up[loops] * np.array(flow)) > 0.0
        if self.water.dry[0] == 1:  # without water some plants reject nothing
            works = works & (self.dry.rejects[state.loops.plant[loops]] == 1)
        return works

    def _rejects(self, loop: int) -> bool:
        return bool(self.rejects(np.array([loop]))[0])

    def _racks(self, block: int) -> np.ndarray:
        return np.flatnonzero(self.world.site.rack_block == block)

    def _warm(self, block: int) -> int:
        site = self.world.site
        return int(site.halls.liquid_loop[site.block_hall[block]])

    def _pumps(self, block: int, run: bool) -> None:
        """Start the pumps of a block's coolant units and of its loop, or stop them: the loop's with those of the
        last block that it serves."""
        world, loop, blocks = self.world, self._warm(block), self.world.state.blocks
        if run:
            coolant.changed(world, block, "heat")
        else:
            blocks.pump_w[block] = 0.0
            blocks.by_load[block, PUMP] = 0.0  # pumps that follow the load look here at each step
        served = (world.site.block_hall == world.site.block_hall[block]) & (world.site.block_coolant_units > 0)
        stand = not blocks.pump_w[served].any()
        world.state.loops.pump_w[loop] = 0.0 if stand else world.site.loops[loop].pump_w
