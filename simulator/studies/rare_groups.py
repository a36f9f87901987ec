"""The groups of a site whose units stand in for each other, and how many of each may be out."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from simulator.components import from_catalog
from simulator.components.failure_class import FailureClass
from simulator.engine import populations
from simulator.engine.populations import SITE, Units
from simulator.kernels.rare import EXPONENTIAL
from simulator.policies.checkpointing import daly
from simulator.scenario import Scenario
from simulator.site import Site, compile_site
from simulator.workloads import SynchronousJob
from simulator.workloads.exposure import SPARING

SNAPSHOT_S, RESTART_S = 1.0, 600.0
"""Pause for a save in memory, and restart, of a job that states neither (assumed)."""


@dataclass(frozen=True)
class Group:
    """Equal units of which so many carry everything, and what makes the combination."""

    name: str
    cause: str
    units: int
    together: int
    """Units out at once that make the combination."""
    duty: int
    """Units that carry everything behind them at full load."""
    rate_s: float
    """Failures of one unit, alone or with its group."""
    common: float
    """Share of them that take the whole group."""
    transient: float
    reset_s: float
    repair_s: float
    """Median; the mean where the spread is `kernels.rare.EXPONENTIAL`."""
    repair_spread: float
    groups: int = 1
    """How many such groups there are."""
    accelerators: int = 0
    """Behind one group."""
    example: str = ""
    """Name of the first of them."""

    @property
    def mean_repair_s(self) -> float:
        """Mean time that a unit is out."""
        spread = self.repair_spread
        mean_s = self.repair_s * (1.0 if spread == EXPONENTIAL else math.exp(0.5 * spread**2))
        return self.transient * self.reset_s + (1.0 - self.transient) * mean_s


def of_scenario(scenario: Scenario) -> list[Group]:
    """Return the groups of a scenario's plant, equal ones once.

    The combination is one unit more out than there are to spare. Rates are those at reference
    temperature, at the fleet's age in the middle of the year, scaled as the scenario says.
    """
    site = compile_site(scenario.spec.topology)
    reliability = scenario.spec.reliability
    classes = [
        cls.model_copy(
            update={"rate": cls.rate * reliability.rate_scale * ageing(cls, reliability.age)}
        )
        for cls in from_catalog.failure_classes(reliability.fleet)
    ]
    found: dict[tuple[object, ...], Group] = {}
    for cls in classes:
        for group in _of_class(site, cls) if cls.per in SPARES and cls.rate > 0.0 else ():
            key = tuple(v for k, v in vars(group).items() if k not in ("groups", "example"))
            before = found.get(key)
            found[key] = group if before is None else replace(before, groups=before.groups + 1)
    peers = [
        _peers(site, classes, work)
        for work in scenario.spec.workloads
        if isinstance(work, SynchronousJob) and work.checkpoint.peer is not None
    ]
    return [*found.values(), *(group for group in peers if group.rate_s > 0.0)]


def ageing(cls: FailureClass, age_s: float, year_s: float = 31_557_600.0) -> float:
    """Return the hazard of a class in the middle of the year over its rate."""
    return float(((age_s + 0.5 * year_s) / cls.age_reference) ** (cls.shape - 1.0))


def _of_class(site: Site, cls: FailureClass) -> list[Group]:
    """Return the groups of one class; none where a group has no unit to spare."""
    units = populations.units(site, cls.per)
    words, spares_of = SPARES[cls.per]
    behind = _behind(site, cls.per, units)
    groups = []
    for place, count in enumerate(units.counts):
        spares = spares_of(site, int(units.targets[place]), count)
        if 0 < spares < count:
            groups.append(Group(
                words.format(n=spares + 1, all=count), cls.name, count, spares + 1, count - spares,
                cls.rate, cls.common_cause, cls.transient, cls.reset, cls.repair, cls.repair_spread,
                accelerators=int(behind[place]), example=units.names[place],
            ))  # fmt: skip
    return groups


def _peers(site: Site, classes: list[FailureClass], job: SynchronousJob) -> Group:
    """Return the racks of a job, each with the one that keeps its saves in memory: with both lost
    before a new save stands, the job falls back on remote storage."""
    chip = from_catalog.accelerator(job.accelerator)
    racks = np.flatnonzero(site.rack_chip == site.chips.index(chip))
    rate_s = sum(
        cls.rate * float(populations.per_rack(site, cls.per)[racks].mean())
        for cls in classes
        if cls.per in populations.ON_RACKS and cls.effect not in SPARING
    )
    pairs = max(1, round(job.accelerators / float(site.rack_accelerators[racks].mean())))
    given = job.checkpoint
    tier_s = given.peer.interval if given.peer is not None else None
    mttf_s = 1.0 / (rate_s * pairs) if rate_s > 0.0 else math.inf
    save_s = tier_s or given.interval or daly.interval_s(given.stall or SNAPSHOT_S, mttf_s)
    open_s = (RESTART_S if given.restart is None else given.restart) + save_s
    return Group(
        f"a rack of {job.name} and the peer of its saves", "racks", 2, 2, 1, rate_s, 0.0, 0.0, 0.0,
        open_s, 0.0, pairs, job.accelerators, job.name,
    )  # fmt: skip


def _behind(site: Site, per: str, units: Units) -> np.ndarray:
    """Return the accelerators behind each group."""
    racks = site.rack_accelerators
    if per in ("coolant_unit", "coolant_pump"):
        of_block = np.bincount(site.rack_block, racks, minlength=len(site.block_names))
        share = 1.0
        if per == "coolant_pump":
            share = 1.0 / np.maximum(site.block_coolant_units[units.targets], 1)
        return of_block[units.targets] * share
    of_hall = np.bincount(site.rack_hall, racks, minlength=len(site.hall_names))
    return np.array([racks.sum() if hall == SITE else of_hall[hall] for hall in units.halls])


def _one(site: Site, target: int, count: int) -> int:
    """Return one spare: the bank is firm with one unit out."""
    return min(1, count - 1)


def _plant(site: Site, loop: int, count: int) -> int:
    return count - site.loops[loop].duty_units


def _pumps(site: Site, block: int, count: int) -> int:
    return site.topology.cooling.coolant_unit.spare_pumps


def _coolant_units(site: Site, block: int, count: int) -> int:
    return site.topology.cooling.coolant_unit.spare_units


SPARES: dict[str, tuple[str, Callable[[Site, int, int], int]]] = {
    "line": ("{n} of {all} lines", _one),
    "transformer": ("{n} of {all} main transformers", _one),
    "feeder": ("{n} of {all} feeders of a hall", _one),
    "liquid_plant_unit": ("{n} of {all} units of a warm loop", _plant),
    "air_plant_unit": ("{n} of {all} units of a chilled loop", _plant),
    "coolant_pump": ("{n} of {all} pumps of a coolant unit", _pumps),
    "coolant_unit": ("{n} of {all} coolant units of a block", _coolant_units),
}
"""Populations in groups that have spare units: what a combination is called, and how many it takes."""
