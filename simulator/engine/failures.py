"""The failure front: one process for the fleet that draws, waits for and inflicts every failure."""

from collections.abc import Generator
from typing import Any

import numpy as np

from simulator import rng
from simulator.components.failure_class import FailureClass
from simulator.engine import effects, hazards
from simulator.engine.world import World
from simulator.kernels import failures as kernel

WINDOW_S = 3600.0
"""Hazards are constant inside a window: temperatures move slowly against it."""
ROOM = 65_536


class Front:
    """Draws failures window by window and hands each to its effect."""

    def __init__(self, world: World, classes: tuple[FailureClass, ...], age_s: float) -> None:
        self.world = world
        self.classes = classes
        self.fleet = hazards.build(world.site, classes, age_s)
        self.key = rng.key(world.seed, world.replicate, "failures")
        self.outcome = world.stream("failure outcome")
        kernel.first_budgets(self.fleet.hazards, *self.key)

    def run(self) -> Generator[Any, Any, None]:
        """Wait for each failure in turn."""
        env, racks = self.world.env, self.world.state.racks
        found_s, found = np.zeros(ROOM), np.zeros(ROOM, np.int64)
        while True:
            start_s = env.now
            n = kernel.draw(
                self.fleet.hazards, racks.up_frac, racks.junction_c, *self.key,
                start_s, WINDOW_S, found_s, found,
            )
            if n > ROOM:
                raise RuntimeError(f"{n} failures within an hour: check the failure rates")
            for at_s, entity in zip(found_s[:n].tolist(), found[:n].tolist(), strict=True):
                if at_s > env.now:
                    yield env.timeout(at_s - env.now)
                self._strike(entity)
            yield env.timeout(start_s + WINDOW_S - env.now)

    def _strike(self, entity: int) -> None:
        world, columns = self.world, self.fleet.hazards
        cls = self.classes[columns.cls[entity]]
        rack = int(columns.rack[entity])
        if rack >= 0 and world.state.racks.up_frac[rack] == 0.0:
            return  # a rack that is switched off wears nothing out
        word, unit = int(columns.word[entity]), int(columns.unit[entity])
        drawn = int(columns.drawn[entity])
        transient = self.outcome.uniform(word, unit, drawn, 1) < cls.transient
        if cls.effect == "interrupt":
            lasts_s = 0.0
        elif transient:
            lasts_s = cls.reset
        else:
            lasts_s = self.outcome.lognormal(cls.repair, cls.repair_spread, word, unit, drawn, 2)
        target = int(self.fleet.target[entity])
        element = effects.EFFECTS[cls.effect](world, cls, target, unit, lasts_s)
        detail = "reset" if transient else "repair"
        world.log("failure", element, cls.name, lasts_s, detail)
