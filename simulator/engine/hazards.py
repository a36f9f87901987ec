"""The fleet's hazards as columns: one entity per failure class and rack, or per unit of plant."""

import math
from dataclasses import dataclass

import numpy as np

from simulator import rng
from simulator.components.failure_class import FailureClass
from simulator.engine import populations
from simulator.engine.populations import NOTHING, ON_RACKS, SITE
from simulator.engine.state import State
from simulator.kernels.columns import HazardClasses, Hazards
from simulator.site import Site


@dataclass(frozen=True)
class Fleet:
    """The entities. Every array is (entities,)."""

    hazards: Hazards
    classes: HazardClasses
    target: np.ndarray
    """What the effect takes: a rack, block, hall, loop ..."""
    group: np.ndarray
    """Number of the group of units that stand in for each other, within the class."""
    units: np.ndarray
    """How many equal units an entity stands for."""
    common: np.ndarray
    """Chance that a failure takes the whole group."""


@dataclass(frozen=True)
class _Members:
    """The population of a class, all arrays (entities,)."""

    target: np.ndarray
    rack: np.ndarray  # or -1
    hall: np.ndarray  # or SITE
    words: np.ndarray
    unit: np.ndarray
    many: np.ndarray
    group: np.ndarray
    redundant: np.ndarray  # units of the group


def build(site: Site, classes: tuple[FailureClass, ...], age_s: float = 0.0) -> Fleet:
    """Return the entities of all classes, budgets not drawn yet.

    A class counted per accelerator, server or optic stands once per rack with the rate of all its
    units: for hazards with minimal repair the superposition is exact.

    Parameters
    ----------
    age_s : age at the start of what stands in no hall or in a hall without an age of its own
    """
    parts = [_entities(site, i, cls, age_s) for i, cls in enumerate(classes)]
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    target, group, units, common, *given = columns
    zeros = np.zeros(target.size), np.zeros(target.size, np.int64)  # budget, drawn
    return Fleet(Hazards(*given, *zeros), shared(classes), target, group, units, common)  # type: ignore[call-arg]


def shared(classes: tuple[FailureClass, ...]) -> HazardClasses:
    """Return what the entities of each class share."""
    return HazardClasses(
        shape=np.array([cls.shape for cls in classes]),
        age_reference_s=np.array([cls.age_reference for cls in classes]),
        infant=np.array([cls.infant for cls in classes]),
        infant_decay_s=np.array([cls.infant_decay for cls in classes]),
        exposure=np.zeros(len(classes)),
    )


def temperatures_c(state: State) -> np.ndarray:
    """Return what speeds hazards up: junctions of all racks, air of all halls, coolant of all blocks."""
    return np.concatenate([state.racks.junction_c, state.hall_air_c, state.blocks.coolant_c])


def _entities(site: Site, index: int, cls: FailureClass, age_s: float) -> tuple[np.ndarray, ...]:
    """Return target, group, units, common and the given columns of `Hazards` of one class."""
    of = _members(site, cls)
    # A group of n fails together at beta x rate: n units that each start it with chance p, at a
    # rate that leaves the failures of one unit, alone or with the group, at the class's.
    beta, n = cls.common_cause, of.redundant
    rate_s = cls.rate * of.many * (1.0 - beta + beta / n)
    common = (beta / n) / (1.0 - beta + beta / n)
    kept = rate_s > 0.0
    born_s = _born_s(site, of.hall, age_s)
    single = ((of.rack < 0) & (of.many == 1.0)).astype(np.int64)
    columns = (
        of.target, of.group, of.many, common, np.full(kept.size, index), of.rack, of.words, of.unit,
        rate_s, _sensors(site, cls, of), np.full(kept.size, cls.doubling or math.inf),
        np.full(kept.size, cls.temperature_reference), born_s, np.exp(born_s / cls.infant_decay),
        single,
    )
    return tuple(column[kept] for column in columns)


def _members(site: Site, cls: FailureClass) -> _Members:
    if cls.per in ON_RACKS:
        racks = np.arange(site.rack_row.size)
        words = _words(cls.name, site.hall_names)[site.rack_hall]
        many = populations.per_rack(site, cls.per)
        return _Members(racks, racks, site.rack_hall, words, site.rack_number, many, racks,
                        np.ones(racks.size))  # fmt: skip
    of = populations.units(site, cls.per)
    first = of.first or [0] * len(of.counts)
    unit = np.concatenate(
        [NOTHING, *(f + np.arange(k) for f, k in zip(first, of.counts, strict=True))]
    )
    size = unit.size
    spread = lambda given: np.repeat(np.asarray(given, np.int64), np.asarray(of.counts, np.int64))  # noqa: E731
    return _Members(
        spread(of.targets), np.full(size, -1), spread(of.halls), spread(_words(cls.name, of.names)),
        unit, np.ones(size) if of.many is None else of.many,
        spread(np.arange(len(of.counts))), spread(of.counts).astype(float),
    )  # fmt: skip


def _born_s(site: Site, halls: np.ndarray, age_s: float) -> np.ndarray:
    """Return the birth of what stands in these halls, before the start of the run."""
    ages_s = np.array([age_s if h.age is None else h.age for h in site.hall_spec])
    return -np.where(halls == SITE, age_s, ages_s[halls.astype(int)])


def _sensors(site: Site, cls: FailureClass, of: _Members) -> np.ndarray:
    """Return the index of each entity's temperature in `temperatures_c`, or -1 for none."""
    none = np.full(of.target.size, -1)
    if cls.doubling is None:
        return none
    racks, halls = site.rack_row.size, len(site.hall_names)
    if cls.temperature == "air":
        return np.where(of.hall == SITE, -1, racks + of.hall)
    if cls.per not in ON_RACKS:
        return none
    return of.rack if cls.temperature == "junction" else racks + halls + site.rack_block[of.rack]


def _words(cls: str, names: tuple[str, ...] | list[str]) -> np.ndarray:
    return np.array([rng.word(f"{cls}/{name}") for name in names], dtype=np.int64)
