"""The failure front: draws every failure of the fleet, window by window, and inflicts them.

Failures of racks under nothing that must be told are applied by the kernel between minutes
(`kernels/strikes.py`) and logged window by window; the others come here at their time.
"""

import heapq
import math
from collections.abc import Generator
from operator import attrgetter
from typing import Any

import numpy as np

from simulator import rng
from simulator.components.failure_class import FailureClass
from simulator.engine import effects, hazards
from simulator.engine.outage_log import Repair
from simulator.engine.repair import AllIn, Practice, Shop
from simulator.engine.world import World
from simulator.kernels import failures as kernel
from simulator.kernels import strikes
from simulator.kernels.repair import BACK, all_in
from simulator.kernels.repair import AllIn as AllInLasts

WINDOW_S = 4 * 3600.0
"""Temperatures and the share in service are those of a window's start: they move slowly against it."""


class Front:
    """Draws failures window by window and hands each to its effect."""

    def __init__(
        self, world: World, classes: tuple[FailureClass, ...], age_s: float,
        practice: Practice | None = None,
    ) -> None:
        self.world = world
        self.classes = classes
        self.fleet = hazards.build(world.site, classes, age_s)
        self.shop: AllIn | Shop = AllIn()
        if practice is not None:
            self.shop = Shop(world, practice, classes, self.fleet.hazards)
            world.shop = self.shop.columns
        self.servers = np.array([effects.IN_KERNEL.get(cls.effect, strikes.ASK) for cls in classes])
        self.transient = np.array([cls.transient for cls in classes])
        self.lasts = AllInLasts(*(
            np.array([float(get(cls)) for cls in classes])
            for get in (attrgetter("reset"), attrgetter("repair"), attrgetter("repair_spread"))
        ))
        self._together = np.zeros(0, np.bool_)
        world.strike = self.strike
        world.state.queue.key[:] = rng.key(world.seed, world.replicate, "repair")
        self.key = rng.key(world.seed, world.replicate, "failures")
        self.outcome_key = rng.key(world.seed, world.replicate, "failure outcome")
        self.replaced: list[tuple[float, int]] = []
        """When which entity has a new unit; a heap."""
        kernel.first_budgets(self.fleet.hazards, *self.key)

    def run(self) -> Generator[Any, Any, None]:
        """Draw the failures of each window in turn."""
        env, end_s = self.world.env, self.world.end_s
        while env.now < end_s:
            window_s = min(WINDOW_S, end_s - env.now)
            self._draw(window_s)
            yield env.timeout(window_s)
            self.tell()

    def _draw(self, window_s: float) -> None:
        """Put the failures of the window that begins now in the queue."""
        world, fleet, queue = self.world, self.fleet, self.world.state.queue
        start_s = float(world.env.now)
        self._renew(start_s)
        n = kernel.draw(
            fleet.hazards, fleet.classes, world.state.racks.up_frac,
            hazards.temperatures_c(world.state), *self.key, start_s, float(window_s),
            queue.at_s, queue.entity, queue.kth,
        )
        if n > queue.at_s.size:
            raise RuntimeError(f"{n} failures within four hours: check the failure rates")
        found, spread = queue.entity[:n], queue.spread[:n]
        chance, common = np.zeros(n), np.zeros(n)
        kernel.outcomes(
            fleet.hazards, found, queue.kth[:n], *self.outcome_key, chance, spread, common
        )
        for column in ("cls", "word", "unit", "rack"):
            getattr(queue, column)[:n] = getattr(fleet.hazards, column)[found]
        cls = queue.cls[:n]
        self._together = common < fleet.common[found]
        queue.servers[:n] = np.where(self._together, strikes.ASK, self.servers[cls])
        queue.transient[:n] = chance < self.transient[cls]
        all_in(self.lasts, cls, queue.at_s, queue.transient, spread, queue.until_s[:n, BACK])
        queue.applied[:n] = 0
        queue.drawn[:] = 0, n
        strikes.set_due(queue)

    def strike(self, i: int) -> None:
        """Apply a failure of the queue, now, and to the whole group if it has a common cause."""
        entity, together = int(self.world.state.queue.entity[i]), bool(self._together[i])
        for hit in self._group(entity) if together else (entity,):
            self._strike(int(hit), i, together)

    def tell(self) -> None:
        """Log the failures that the kernel applied since it was last asked, and what they took."""
        world, queue = self.world, self.world.state.queue
        done = np.flatnonzero(queue.applied[: queue.drawn[0]])
        if not done.size:
            return
        queue.applied[done] = 0
        classes = [self.classes[c] for c in queue.cls[done].tolist()]
        at_s, servers = queue.at_s[done].tolist(), queue.servers[done]
        repairs = [
            self.shop.told(cls, start_s, transient, until_s)
            for cls, start_s, transient, until_s in zip(
                classes, at_s, queue.transient[done].tolist(), queue.until_s[done].tolist(),
                strict=True,
            )
        ]
        racks, entities = queue.rack[done].tolist(), queue.entity[done].tolist()
        for entity, cls, rack, start_s, repair in zip(entities, classes, racks, at_s, repairs, strict=True):
            lasts_s = 0.0 if cls.effect == "interrupt" else repair.back_s - start_s
            world.log("failure", world.rack_name(rack), cls.name, lasts_s, _how(repair), start_s)
            self._replace(entity, cls, repair)
        took = np.flatnonzero(servers > 0.0)
        world.outages.note_own(
            queue.rack[done][took], servers[took], [at_s[i] for i in took],
            [classes[i].name for i in took], [repairs[i] for i in took],
        )

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

    def _strike(self, entity: int, i: int, together: bool) -> None:
        """Apply failure `i` of the queue to an entity."""
        world, columns, queue = self.world, self.fleet.hazards, self.world.state.queue
        cls, now_s = self.classes[queue.cls[i]], world.env.now
        rack = int(columns.rack[entity])
        if rack >= 0 and world.state.racks.up_frac[rack] == 0.0:
            return  # a rack that is switched off wears nothing out
        target, unit = int(self.fleet.target[entity]), int(columns.unit[entity])
        single = columns.single[entity] == 1
        if single and now_s < world.repaired_s.get((cls.name, target, unit), 0.0):
            return  # nor does a unit of plant that is under repair
        drawn = (int(columns.word[entity]), unit, int(queue.kth[i]))
        repair = self.shop.plan(cls, now_s, bool(queue.transient[i]), float(queue.spread[i]), drawn)
        if single:
            world.repaired_s[cls.name, target, unit] = repair.back_s
        remark = ", common cause" if together else ""
        effects.inflict(world, cls, target, unit, repair, _how(repair) + remark)
        self._replace(entity, cls, repair)
        if self.shop.evicts(cls, drawn):
            self.shop.evict_neighbours(rack, cls)

    def _replace(self, entity: int, cls: FailureClass, repair: Repair) -> None:
        """Note that a new unit comes, unless a reset cures the old one: an entity of one unit is born again,
        one of many is as old as before (minimal repair) but for the infancy of the new unit."""
        if repair.transient:
            return
        if self.fleet.hazards.single[entity] == 1:
            self.fleet.hazards.born_s[entity] = repair.back_s
        if cls.infant > 0.0:
            heapq.heappush(self.replaced, (repair.back_s, entity))


def _how(repair: Repair) -> str:
    return "reset" if repair.transient else "repair"
