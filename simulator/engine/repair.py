"""The shop: who repairs what failed, with which part, until when."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from simulator import rng
from simulator.components.failure_class import FailureClass
from simulator.components.operations import Operations
from simulator.engine import outage, shop
from simulator.engine.outage_log import NEIGHBOUR, STAGES, Repair, of_one_stage
from simulator.engine.world import World
from simulator.kernels import repair as kernel
from simulator.kernels.columns import Hazards

MEDIAN = (-1, -1, -1)
"""Counter words that stand for no draw: the median of everything."""
_REPAIR = tuple(STAGES.index(s) for s in (
    "unnoticed", "diagnosis", "waiting_part", "waiting_crew", "repair", "burn_in"))
_RESET = tuple(STAGES.index(s) for s in ("unnoticed", "reset"))


@dataclass(frozen=True)
class Practice:
    """What a shop is built from."""

    operations: Operations
    planned: tuple[FailureClass, ...]
    """The classes with the rates that crews and stocks are sized for: the catalog's, whatever this
    replicate drew."""
    start: datetime
    """Of the run, by the campus's clock, which shifts keep."""


class AllIn:
    """Repairs of a scenario without `operations`: the class's own times tell all of it."""

    def plan(
        self, cls: FailureClass, at_s: float, transient: bool, spread: float,
        entity: tuple[int, int, int] = MEDIAN,
    ) -> Repair:
        """Return the repair of a failure at `at_s`."""
        lasts_s = cls.reset if transient else cls.repair * math.exp(cls.repair_spread * spread)
        return self.told(cls, at_s, transient, (at_s + lasts_s,))

    def told(
        self, cls: FailureClass, at_s: float, transient: bool, until_s: Sequence[float]
    ) -> Repair:
        """Return a repair of which the last moment is known."""
        return of_one_stage("reset" if transient else "repair", until_s[-1], transient)

    def evicts(self, cls: FailureClass, entity: tuple[int, int, int]) -> bool:
        """Return False: only what failed leaves service."""
        return False

    def evict_neighbours(self, rack: int, cls: FailureClass) -> None:
        """Leave them where they are."""


class Shop:
    """Repairs by crews and spare parts."""

    def __init__(
        self, world: World, practice: Practice, classes: tuple[FailureClass, ...], hazards: Hazards
    ) -> None:
        self.operations = practice.operations
        rates_s = shop.permanent_rates_s(classes, practice.planned, hazards)
        self.columns = shop.columns_of(
            practice.operations, classes, rates_s, practice.start, world.end_s
        )
        self.key = rng.key(world.seed, world.replicate, "repair")
        self._index = {cls.name: i for i, cls in enumerate(classes)}
        self._times = np.zeros(kernel.TIMES)
        self._world = world

    def plan(
        self, cls: FailureClass, at_s: float, transient: bool, spread: float,
        entity: tuple[int, int, int] = MEDIAN,
    ) -> Repair:
        """Return the repair of a failure at `at_s`, with crews and parts promised to it.

        Parameters
        ----------
        spread : standard normal of the work's length
        entity : counter words of what failed and the how-manieth time
        """
        times = self._times
        arguments = (
            self.columns, self._index[cls.name], at_s, transient, spread, self.key, entity, times,
        )
        self._world.entry(kernel.book, *arguments)(*arguments)
        return self.told(cls, at_s, transient, times.tolist())

    def told(
        self, cls: FailureClass, at_s: float, transient: bool, until_s: Sequence[float]
    ) -> Repair:
        """Return a repair of which all moments are known (`kernels.repair.book`)."""
        unnoticed_s = until_s[0] - at_s
        if transient:
            return Repair(_RESET, tuple(until_s[:2]), True, unnoticed_s)
        looked_for = cls.crew in ("it", "network") and cls.name != shop.FALSE_ALARM
        diagnosis_s = until_s[1] - until_s[0] if looked_for else 0.0
        return Repair(_REPAIR, tuple(until_s), False, unnoticed_s, diagnosis_s)

    def evicts(self, cls: FailureClass, entity: tuple[int, int, int]) -> bool:
        """Return whether healthy racks leave with what failed, to be tested."""
        if cls.effect not in ("server", "rack") or cls.name == shop.FALSE_ALARM:
            return False
        share = self.operations.diagnosis.over_eviction
        return bool(kernel.evicts(share, self.key, entity))

    def evict_neighbours(self, rack: int, cls: FailureClass) -> None:
        """Take healthy racks of the same load and block out with one that failed, and test them.

        Only what must be told of failures is so careful; racks of other loads go on. The load was
        told of the failure already: this is no other.
        """
        world, diagnosis = self._world, self.operations.diagnosis
        load = int(world.state.racks.load[rack])
        if load not in world.alarms:
            return
        block = np.flatnonzero(world.site.rack_block == world.site.rack_block[rack])
        beside = np.roll(block, -1 - int(np.searchsorted(block, rack)))[:-1]
        with_it = beside[world.state.racks.load[beside] == load][: diagnosis.neighbours]
        if with_it.size:
            test_s = self.operations.monitoring.test
            tested = of_one_stage("diagnosis", world.env.now + test_s)
            servers = world.site.rack_servers[with_it]
            outage.servers_out(world, with_it, servers, cls.name, test_s, tested, NEIGHBOUR)


def as_practised(
    operations: Operations, classes: tuple[FailureClass, ...]
) -> tuple[FailureClass, ...]:
    """Return the classes as a campus has them that is run so: with false alarms, and with the whole
    rack of a broken server out where nothing less is isolated."""
    if operations.diagnosis.isolates == "rack":
        classes = tuple(
            cls.model_copy(update={"effect": "rack"}) if cls.effect == "server" else cls
            for cls in classes
        )
    return (*classes, false_alarms(operations))


def false_alarms(operations: Operations) -> FailureClass:
    """Return the class of healthy servers that are taken out and tested."""
    watch = operations.monitoring
    given = {
        "name": shop.FALSE_ALARM, "per": "server", "rate": watch.false_alarms, "effect": "server",
        "repair": watch.test, "repair_spread": 0.0,
    }
    return FailureClass.model_validate(given, context={"si": True})
