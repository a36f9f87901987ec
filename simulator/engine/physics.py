"""The continuous half of the clock: hands the kernel whole stretches between decisions."""

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from simulator.components.cooling import HourlyWeather
from simulator.engine import (
    capping,
    draw,
    drought,
    energised,
    heat_limits,
    hot_trips,
    overload,
    pick_up,
    plant_power,
    settled,
    supply,
    support_feed,
    warm_coolant,
)
from simulator.engine.cooling import outdoor_air, plant_maps, thin_air
from simulator.engine.setpoint import Deciders
from simulator.engine.world import World
from simulator.kernels import columns, serving, site_step, strikes
from simulator.kernels.columns import Records
from simulator.kernels.cooling_columns import Outdoors
from simulator.kernels.entry import entry_of
from simulator.kernels.gathering import THROTTLE, TRIP

STEP_S = site_step.STEP_S
INTAKES = ("support_back", "support_hot", "support_off")
"""Events of racks without accelerators in a hall's air, by `BlockState.support_hot`."""
LEAST_SPEED = 0.01
"""A chip whose settled speed is lower is at its shutdown temperature."""


class Physics:
    """Advances the site to a time, step by step, and acts on what the kernel reports."""

    def __init__(
        self, world: World, weather: HourlyWeather, records: Records, decide: capping.Capping,
        setpoints: Deciders, start_hour: int,
    ) -> None:
        state, site = world.state, world.site
        self.world = world
        world.decide, world.supply_changed = decide, partial(overload.changed, world)
        world.power_changed = self._power_changed
        world.may_import_w = float(state.supply.limit_w[0])
        ramp_w_s = site.topology.ride_through.ramp
        world.pick_up = None if ramp_w_s is None else pick_up.PickUp(world, ramp_w_s)
        state.racks.resistance_k_w[:] *= thin_air(site, weather)
        state.loads.rank[:] = capping.ranks(decide, state.priority, state.kinds)
        self.steps = records.site.shape[0]
        self.step = 0
        self._flags = np.zeros(3, np.int64)
        self._records = records
        self.maps = plant_maps(site, weather, setpoints)
        self.outdoors = Outdoors(weather.dry_bulb_c, weather.wet_bulb_c, outdoor_air(site, weather))
        world.outdoor_c = self._outdoor_c
        world.watch.ratings_w = draw.ratings_w(world)
        self.water = drought.columns(
            site, self.maps, self.outdoors.air, weather, start_hour, records.hall.shape[0]
        )
        self.droughts = drought.Droughts(world, self.water, self.maps.dry)
        self.coolant = warm_coolant.WarmCoolant(world)
        self.trips = hot_trips.HotTrips(world, self.water, self.maps.dry)
        self._arguments = (
            self._flags, site.rows, site.halls, state.racks, state.loads, state.blocks, state.loops,
            state.tree, state.pools, state.supply, state.hall_air_c, state.plant_w, state.queue,
            world.shop, (state.servers_down, site.rack_servers, state.out, state.down_load),
            state.limits, state.heat, self.water, self.maps,
            self.outdoors, records, state.scratch,
        )

        self._advance = entry_of(site_step.advance, 0, 1, 1.0, *self._arguments)

    def _power_changed(self, cause: str) -> None:
        """Look what is energised, and what has power of all that is no lineup of accelerator racks."""
        energised.settle(self.world)
        plant_power.changed(self.world, cause)
        support_feed.changed(self.world, cause)

    def _outdoor_c(self) -> float:
        dry_c = self.outdoors.dry_bulb_c
        return float(np.interp(self.world.env.now / drought.HOUR_S, np.arange(dry_c.size), dry_c))

    def start(self) -> None:
        """Set what the pools do in the first step, once the loads have their racks, and the temperatures
        to which that settles."""
        middle = 0.5 / site_step.HOUR_STEPS
        serving.prepare(self.world.state.pools, self.world.state.loads, 0, middle, STEP_S)
        settled.settle(self.world, self.maps, self.outdoors)

    def finish(self) -> None:
        """Close the accounts of what lasts to the end of the run."""
        for open_ended in (self.droughts, self.coolant, self.trips):
            open_ended.finish()

    def advance(self, to_s: float) -> None:
        """Integrate every step that ends by `to_s`, with the failures and repairs of racks up to
        then; return early when a decision falls due."""
        stop = min(int(to_s // STEP_S), self.steps)
        before_s, queue = math.nextafter(to_s, math.inf), self.world.state.queue
        while self.step < stop or queue.due_s[0] < before_s:
            self._heed()
            self.step, status = self._advance(self.step, stop, before_s, *self._arguments)
            if status != site_step.RUNNING and (
                self._respond(status) or self.world.env.peek() < to_s
            ):
                return

    def _heed(self) -> None:
        """Say which failures and repairs someone is to be told of."""
        world, queue = self.world, self.world.state.queue
        queue.watched[:] = 0
        for load in world.alarms:
            queue.watched[load] = 1
        queue.waiting[0] = world.racks_freed is not None and not world.racks_freed.triggered

    def _respond(self, status: int) -> bool:
        """Act on a report; return whether an event now waits."""
        if status in (strikes.STRIKE, strikes.WAKE):
            self._pass_on(status)
            return True
        at_s = self.step * STEP_S
        self._tell_throttling()
        self.coolant.look(at_s)
        went_off = self._tell_intakes()
        inspected_s = self.world.site.topology.cooling.inspection
        for block in went_off:
            self._at(at_s, partial(supply.lose_hot_switches, self.world, block, inspected_s))
            self._at(at_s, partial(self.trips.still, int(self.world.site.block_hall[block])))
        tripped: list[tuple[int, str]] = []
        if status == site_step.TRIP:
            tripped = [(int(b), "chip shutdown") for b in self._tripped()]
            known = {b for b, _ in tripped}
            tripped += [(int(b), "hot air") for b in self._in_hot_air() if b not in known]
        for block, why in tripped:
            met_s = float(self.world.state.heat.row_met_s[block, TRIP])
            tripped_s = at_s - STEP_S + met_s if math.isfinite(met_s) else at_s
            self._at(at_s, partial(self.trips.trip, block, why, tripped_s))
        switched: list[int] = []
        if status == site_step.OVERLOAD or self._pressed():
            switched = overload.at_step_end(self.world, at_s, bool(self.world.state.limits.over[0]))
        for load in switched:
            self._at(at_s, lambda load=load: capping.switch(self.world, load))  # type: ignore[misc]
        return bool(len(tripped) or switched or went_off)

    def _pressed(self) -> bool:
        """Return whether something is above its limit or held below it after a step that was reported for
        another reason: chips that are dead and hot would have the caps decided anew every minute."""
        state, watch = self.world.state, self.world.watch
        there = state.supply
        return bool(
            watch.over or watch.held_w or self.world.overloaded or self.world.fuel_short
            or state.blocks.partial[0] == 1 or state.limits.over[0] == 1
            or (state.loads.cap < 1.0).any() or there.deficit_w[0] > 0.0
            or state.tree.charge.asked_w[0] > there.limit_w[0] * (1.0 - there.margin)
        )  # fmt: skip

    def _pass_on(self, status: int) -> None:
        """Have a failure applied, or those woken who wait for racks, at its time."""
        world, queue = self.world, self.world.state.queue
        if status == strikes.WAKE:
            self._at(float(queue.happened_s[0]), world.wake_waiting)
            return
        i = int(queue.drawn[0]) - 1
        assert world.strike is not None
        self._at(float(queue.at_s[i]), partial(world.strike, i))

    def _tell_throttling(self) -> None:
        """Log when the hottest chip crossed its throttle point, to the second.

        A junction approaches its end point exponentially inside a step, so the temperatures at the
        step's two ends and the share of the way covered give the moment in closed form; where chips that are off
        stand hotter, the end of the step.
        """
        flags, world = self._flags, self.world
        if flags[1] == flags[2]:
            return
        flags[2] = flags[1]
        site, rows, hottest_c = world.site, world.site.rows, world.state.blocks.hottest_c
        limits_c = heat_limits.throttle_c(world)
        on = np.bincount(site.rack_row, world.state.racks.up_frac, limits_c.size) > 0.0
        row = int(np.argmax(np.where(on, hottest_c[rows.block] - limits_c, -np.inf)))
        limit_c, covered = float(limits_c[row]), float(rows.decay[row])
        column = self._records.site[:, columns.JUNCTION_MAX_C]
        after_c = float(hottest_c[rows.block[row]])
        before_c = float(column[self.step - 2]) if self.step > 1 else after_c
        end_c = before_c + (after_c - before_c) / covered
        in_step_s = min(float(self.world.state.heat.row_met_s[:, THROTTLE].min()), STEP_S)
        alone = on[row] and after_c == float(column[self.step - 1])
        if in_step_s == STEP_S and alone and (end_c - limit_c) * (before_c - limit_c) < 0.0:
            tau_s = -STEP_S / math.log1p(-covered)
            in_step_s = min(tau_s * math.log((end_c - before_c) / (end_c - limit_c)), STEP_S)
        world.log(
            "throttle" if flags[1] else "throttle_end", world.site.block_names[rows.block[row]],
            "heat", detail=f"hottest chip {after_c:.1f} degC" if on[row] else "all chips are off",
            at_s=(self.step - 1) * STEP_S + in_step_s,
        )

    def _at(self, at_s: float, act: Callable[[], None]) -> None:
        env = self.world.env
        env.timeout(at_s - env.now).callbacks.append(lambda _: act())

    def _tripped(self) -> np.ndarray:
        """Return the blocks in service with chips past their shutdown temperature that no lower
        clock would save: a chip slows within milliseconds, the controls here once a step; and those that met it
        inside the step, however cool they are by now. Those whose coolant stands still trip when `coolant.py` says."""
        site, racks = self.world.site, self.world.state.racks
        (slow,) = ((racks.clock < LEAST_SPEED) & (racks.up_frac > 0.0)).nonzero()
        block, row = site.rack_block[slow], site.rack_row[slow]
        over = racks.junction_c[slow] >= heat_limits.shutdown_c(self.world)[row]
        found = block[over & (self.world.state.blocks.flow[block] > 0.0)]
        return np.union1d(found, np.flatnonzero(np.isfinite(self.world.state.heat.row_met_s[:, TRIP])))

    def _in_hot_air(self) -> np.ndarray:
        """Return the blocks in service whose racks take in air too hot for them, be their chips in it or on
        coolant."""
        site, state = self.world.site, self.world.state
        hot = state.hall_air_c[site.rows.hall] >= site.rows.intake_c
        return np.unique(site.rack_block[hot[site.rack_row] & (state.racks.up_frac > 0.0)])

    def _tell_intakes(self) -> list[int]:
        """Log where support racks began to slow in hot air, are all off, or work again; return the blocks of
        which all are."""
        blocks, world = self.world.state.blocks, self.world
        if (blocks.support_hot == blocks.support_told).all():
            return []
        off = np.flatnonzero((blocks.support_hot == supply.ALL_OFF) & (blocks.support_hot != blocks.support_told))
        for b in np.flatnonzero(blocks.support_hot != blocks.support_told):
            told, hall = INTAKES[int(blocks.support_hot[b])], world.site.block_hall[b]
            world.log(told, world.site.block_names[b], "heat", at_s=(self.step - 1) * STEP_S,
                      detail=f"intake {world.state.hall_air_c[hall]:.1f} degC")  # fmt: skip
        blocks.support_told[:] = blocks.support_hot
        return [int(b) for b in off]

