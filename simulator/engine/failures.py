"""The failure front: draws every failure of the fleet, window by window, and inflicts them.

Failures of racks under nothing that must be told are applied by the kernel between minutes
(`kernels/strikes.py`) and logged window by window; the others come here at their time.
"""

from collections.abc import Generator
from typing import Any

import numpy as np

from simulator import rng
from simulator.components.failure_class import FailureClass
from simulator.engine import effects, hazards
from simulator.engine.world import World
from simulator.kernels import failures as kernel
from simulator.kernels import strikes

WINDOW_S = 4 * 3600.0
"""Hazards are constant inside a window: temperatures and repairs move slowly against it."""


class Front:
    """Draws failures window by window and hands each to its effect."""

    def __init__(self, world: World, classes: tuple[FailureClass, ...], age_s: float) -> None:
        self.world = world
        self.classes = classes
        self.age_s = age_s
        self.fleet = hazards.build(world.site, classes)
        self.key = rng.key(world.seed, world.replicate, "failures")
        self.outcome_key = rng.key(world.seed, world.replicate, "failure outcome")
        self.effect = np.array([effects.IN_KERNEL.get(cls.effect, strikes.ASK) for cls in classes])
        self.lasts = kernel.Lasts(
            transient=np.array([cls.transient for cls in classes]),
            reset_s=np.array([_of_part(cls, cls.reset) for cls in classes]),
            repair_s=np.array([_of_part(cls, cls.repair) for cls in classes]),
            spread=np.array([cls.repair_spread for cls in classes]),
        )
        room = world.state.queue.at_s.size
        self._kth = np.zeros(room, np.int64)
        self._transient = np.zeros(room, np.bool_)
        world.strike = self.strike
        kernel.first_budgets(self.fleet.hazards, *self.key)

    def run(self) -> Generator[Any, Any, None]:
        """Draw the failures of each window in turn."""
        while True:
            self._draw()
            yield self.world.env.timeout(WINDOW_S)
            self.tell()

    def _draw(self) -> None:
        """Put the failures of the window that begins now in the queue."""
        racks, queue, columns = self.world.state.racks, self.world.state.queue, self.fleet.hazards
        start_s = float(self.world.env.now)
        n = kernel.draw(
            columns, racks.up_frac, racks.junction_c, *self.key, start_s, WINDOW_S,
            self._ageing(start_s + 0.5 * WINDOW_S), queue.at_s, queue.entity, self._kth,
        )
        if n > queue.at_s.size:
            raise RuntimeError(f"{n} failures within four hours: check the failure rates")
        found = queue.entity[:n]
        cls = columns.cls[found]
        kernel.outcomes(
            columns, found, self._kth[:n], *self.outcome_key, self.lasts, self._transient,
            queue.lasts_s,
        )
        queue.rack[:n] = columns.rack[found]
        queue.effect[:n] = self.effect[cls]
        queue.applied[:n] = 0
        queue.drawn[:] = 0, n
        strikes.set_due(queue)

    def _ageing(self, at_s: float) -> np.ndarray:
        """Return the ageing factor of each class: (age / reference age)^(shape - 1)."""
        return np.array([
            ((self.age_s + at_s) / cls.age_reference) ** (cls.shape - 1.0) for cls in self.classes
        ])

    def strike(self, i: int) -> None:
        """Apply a failure of the queue, now."""
        world, queue = self.world, self.world.state.queue
        entity, lasts_s = int(queue.entity[i]), float(queue.lasts_s[i])
        cls = self._class_of(entity)
        target, unit = int(self.fleet.target[entity]), int(self.fleet.hazards.unit[entity])
        if queue.rack[i] < 0:
            if world.env.now < world.repaired_s.get((cls.name, target, unit), 0.0):
                return  # a unit of plant that is under repair wears nothing out
            world.repaired_s[cls.name, target, unit] = world.env.now + lasts_s
        element = effects.EFFECTS[cls.effect](world, cls, target, unit, lasts_s)
        world.log("failure", element, cls.name, lasts_s, self._cure(i))

    def tell(self) -> None:
        """Log the failures that the kernel applied since it was last asked."""
        world, queue = self.world, self.world.state.queue
        done = np.flatnonzero(queue.applied[: queue.drawn[0]])
        queue.applied[done] = 0
        for i in done.tolist():
            world.log(
                "failure", world.rack_name(queue.rack[i]), self._class_of(queue.entity[i]).name,
                float(queue.lasts_s[i]), self._cure(i), float(queue.at_s[i]),
            )

    def _class_of(self, entity: int) -> FailureClass:
        return self.classes[self.fleet.hazards.cls[entity]]

    def _cure(self, i: int) -> str:
        return "reset" if self._transient[i] else "repair"


def _of_part(cls: FailureClass, lasts_s: float) -> float:
    """Return how long what failed is out: a failure that takes nothing out is over at once."""
    return 0.0 if cls.effect == "interrupt" else lasts_s
