"""The failure front: one process for the fleet that draws, waits for and inflicts every failure."""

from collections.abc import Generator
from datetime import datetime
from typing import Any

import numpy as np

from simulator import rng
from simulator.components.failure_class import FailureClass
from simulator.components.operations import Operations
from simulator.engine import effects, hazards
from simulator.engine.repair import AllIn, Shop
from simulator.engine.world import World
from simulator.kernels import failures as kernel

WINDOW_S = 4 * 3600.0
"""Hazards are constant inside a window: temperatures and repairs move slowly against it."""
ROOM = 65_536


class Front:
    """Draws failures window by window and hands each to its effect."""

    def __init__(
        self, world: World, classes: tuple[FailureClass, ...], age_s: float,
        operations: Operations | None = None, start: datetime | None = None,
    ) -> None:
        """`start` is that of the run by the campus's clock, which shifts keep."""
        self.world = world
        self.classes = classes
        self.age_s = age_s
        self.fleet = hazards.build(world.site, classes)
        self.shop: AllIn | Shop = AllIn()
        if operations is not None and start is not None:
            self.shop = Shop(world, operations, classes, self.fleet.hazards, start)
        self.key = rng.key(world.seed, world.replicate, "failures")
        self.outcome_key = rng.key(world.seed, world.replicate, "failure outcome")
        kernel.first_budgets(self.fleet.hazards, *self.key)

    def run(self) -> Generator[Any, Any, None]:
        """Wait for each failure in turn."""
        env, racks, columns = self.world.env, self.world.state.racks, self.fleet.hazards
        found_s, found, found_k = np.zeros(ROOM), np.zeros(ROOM, np.int64), np.zeros(ROOM, np.int64)
        chance, spread = np.zeros(ROOM), np.zeros(ROOM)
        while True:
            start_s = env.now
            n = kernel.draw(
                columns, racks.up_frac, racks.junction_c, *self.key, float(start_s), WINDOW_S,
                self._ageing(start_s + 0.5 * WINDOW_S), found_s, found, found_k,
            )
            if n > ROOM:
                raise RuntimeError(f"{n} failures within four hours: check the failure rates")
            kernel.outcomes(columns, found[:n], found_k[:n], *self.outcome_key, chance, spread)
            for i in range(n):
                at_s = float(found_s[i])
                if at_s > env.now:
                    yield env.timeout(at_s - env.now)
                self._strike(int(found[i]), int(found_k[i]), float(chance[i]), float(spread[i]))
            yield env.timeout(start_s + WINDOW_S - env.now)

    def _ageing(self, at_s: float) -> np.ndarray:
        """Return the ageing factor of each class: (age / reference age)^(shape - 1)."""
        return np.array([
            ((self.age_s + at_s) / cls.age_reference) ** (cls.shape - 1.0) for cls in self.classes
        ])

    def _strike(self, entity: int, k: int, chance: float, spread: float) -> None:
        world, columns = self.world, self.fleet.hazards
        cls = self.classes[columns.cls[entity]]
        rack = int(columns.rack[entity])
        if rack >= 0 and world.state.racks.up_frac[rack] == 0.0:
            return  # a rack that is switched off wears nothing out
        target, unit = int(self.fleet.target[entity]), int(columns.unit[entity])
        if rack < 0 and world.env.now < world.repaired_s.get((cls.name, target, unit), 0.0):
            return  # nor does a unit of plant that is under repair
        drawn = (int(columns.word[entity]), unit, k)
        repair = self.shop.plan(cls, world.env.now, chance < cls.transient, spread, drawn)
        if rack < 0:
            world.repaired_s[cls.name, target, unit] = repair.back_s
        element = effects.inflict(world, cls, target, unit, repair)
        lasts_s = 0.0 if cls.effect == "interrupt" else repair.back_s - world.env.now
        world.log("failure", element, cls.name, lasts_s, "reset" if repair.transient else "repair")
        if self.shop.evicts(cls, drawn):
            self.shop.evict_neighbours(rack, cls)
