"""The failure front: one process for the fleet that draws, waits for and inflicts every failure."""

import heapq
import math
from collections.abc import Generator
from typing import Any

import numpy as np

from simulator import rng
from simulator.components.failure_class import FailureClass
from simulator.engine import effects, hazards
from simulator.engine.world import World
from simulator.kernels import failures as kernel

WINDOW_S = 4 * 3600.0
"""Temperatures and the share in service are those of a window's start: they move slowly against it."""
ROOM = 65_536


class Front:
    """Draws failures window by window and hands each to its effect."""

    def __init__(self, world: World, classes: tuple[FailureClass, ...], age_s: float) -> None:
        self.world = world
        self.classes = classes
        self.fleet = hazards.build(world.site, classes, age_s)
        self.key = rng.key(world.seed, world.replicate, "failures")
        self.outcome_key = rng.key(world.seed, world.replicate, "failure outcome")
        self.replaced: list[tuple[float, int]] = []
        """When which entity has a new unit; a heap."""
        kernel.first_budgets(self.fleet.hazards, *self.key)

    def run(self) -> Generator[Any, Any, None]:
        """Wait for each failure in turn."""
        env, racks, fleet = self.world.env, self.world.state.racks, self.fleet
        found_s, found, found_k = np.zeros(ROOM), np.zeros(ROOM, np.int64), np.zeros(ROOM, np.int64)
        chance, spread, common = np.zeros(ROOM), np.zeros(ROOM), np.zeros(ROOM)
        while env.now < self.world.end_s:
            start_s = env.now
            window_s = min(WINDOW_S, self.world.end_s - start_s)
            self._renew(start_s)
            n = kernel.draw(
                fleet.hazards, fleet.classes, racks.up_frac, hazards.temperatures_c(self.world.state),
                *self.key, float(start_s), float(window_s), found_s, found, found_k,
            )
            if n > ROOM:
                raise RuntimeError(f"{n} failures within four hours: check the failure rates")
            kernel.outcomes(
                fleet.hazards, found[:n], found_k[:n], *self.outcome_key, chance, spread, common
            )
            for i in range(n):
                at_s = float(found_s[i])
                if at_s > env.now:
                    yield env.timeout(at_s - env.now)
                entity = int(found[i])
                together = common[i] < fleet.common[entity]
                for hit in self._group(entity) if together else (entity,):
                    self._strike(int(hit), float(chance[i]), float(spread[i]), together)
            yield env.timeout(start_s + window_s - env.now)

    def _group(self, entity: int) -> np.ndarray:
        """Return the units that stand in for each other with one, itself included."""
        cls, group = self.fleet.hazards.cls, self.fleet.group
        return np.flatnonzero((cls == cls[entity]) & (group == group[entity]))

    def _renew(self, now_s: float) -> None:
        """Count the units that came new since the last window began."""
        columns, units = self.fleet.hazards, self.fleet.units
        while self.replaced and self.replaced[0][0] <= now_s:
            back_s, entity = heapq.heappop(self.replaced)
            grown = math.exp((back_s - now_s) / self.classes[columns.cls[entity]].infant_decay)
            before = 0.0 if columns.single[entity] == 1 else columns.fresh[entity]
            columns.fresh[entity] = before + grown / units[entity]

    def _strike(self, entity: int, chance: float, spread: float, together: bool = False) -> None:
        world, columns = self.world, self.fleet.hazards
        cls = self.classes[columns.cls[entity]]
        rack = int(columns.rack[entity])
        if rack >= 0 and world.state.racks.up_frac[rack] == 0.0:
            return  # a rack that is switched off wears nothing out
        target, unit = int(self.fleet.target[entity]), int(columns.unit[entity])
        single = columns.single[entity] == 1
        if single and world.env.now < world.repaired_s.get((cls.name, target, unit), 0.0):
            return  # nor does a unit of plant that is under repair
        transient = chance < cls.transient
        if cls.effect == "interrupt":
            lasts_s = 0.0
        elif transient:
            lasts_s = cls.reset
        else:
            lasts_s = cls.repair * math.exp(cls.repair_spread * spread)
        if single:
            world.repaired_s[cls.name, target, unit] = world.env.now + lasts_s
        if not transient:
            self._replace(entity, cls, world.env.now + lasts_s)
        element = effects.EFFECTS[cls.effect](world, cls, target, unit, lasts_s)
        detail = "reset" if transient else "repair"
        world.log("failure", element, cls.name, lasts_s, detail + (", common cause" if together else ""))

    def _replace(self, entity: int, cls: FailureClass, back_s: float) -> None:
        """Note that a new unit comes: an entity of one unit is born again, one of many is as old as
        before (minimal repair) but for the infancy of the new unit."""
        if self.fleet.hazards.single[entity] == 1:
            self.fleet.hazards.born_s[entity] = back_s
        if cls.infant > 0.0:
            heapq.heappush(self.replaced, (back_s, entity))
