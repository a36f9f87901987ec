"""The fleet's hazards as columns: one entity per failure class and rack, or per unit of plant."""

from dataclasses import dataclass

import numpy as np

from simulator import rng
from simulator.components.failure_class import FailureClass
from simulator.engine import network_parts
from simulator.kernels.columns import Hazards
from simulator.site import Site

ON_RACKS = ("accelerator", "server", "rack", "optic")


@dataclass(frozen=True)
class Fleet:
    """The entities, and for those that are not racks the index of what they belong to: a block,
    hall or loop."""

    hazards: Hazards
    target: np.ndarray


def build(site: Site, classes: tuple[FailureClass, ...]) -> Fleet:
    """Return the entities of all classes, budgets not drawn yet.

    A class counted per accelerator, server or optic stands once per rack with the rate of all its
    units: for hazards with minimal repair the superposition is exact.
    """
    parts = [_entities(site, i, cls) for i, cls in enumerate(classes)]
    target, *columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    n = target.size
    zeros = (np.zeros(n), np.zeros(n, np.int64))  # budget, drawn
    return Fleet(Hazards(*columns, *zeros), target)  # type: ignore[call-arg]


def _entities(site: Site, index: int, cls: FailureClass) -> tuple[np.ndarray, ...]:
    target, rack, words, unit, multiplicity = _population(site, cls)
    rate_s = cls.rate * multiplicity
    kept = rate_s > 0.0
    n = int(kept.sum())
    temper = 0.0 if cls.doubling is None else cls.doubling
    return (
        target[kept], np.full(n, index, np.int64), rack[kept], words[kept], unit[kept], rate_s[kept],
        np.full(n, temper), np.full(n, cls.temperature_reference),
    )


def _population(site: Site, cls: FailureClass) -> tuple[np.ndarray, ...]:
    """Return target, rack (or -1), counter word, unit and multiplicity of each entity."""
    if cls.per in ON_RACKS:
        racks = np.arange(site.rack_row.size)
        words = _words(cls.name, site.hall_names)[site.rack_hall]
        return racks, racks, words, site.rack_number, _per_rack(site, cls.per)
    targets, names, counts = units(site, cls)
    unit = np.concatenate([np.arange(k) for k in counts]).astype(np.int64)
    words, target = (np.repeat(x, counts) for x in (_words(cls.name, names), targets))
    many = network_parts.links_of(site, target, unit) if cls.per == "uplink" else np.ones(unit.size)
    return target, np.full(unit.size, -1), words, unit, many


def _per_rack(site: Site, per: str) -> np.ndarray:
    chips = site.rack_accelerators
    if per == "accelerator":
        return chips
    if per == "server":
        return site.rack_servers
    if per == "rack":
        return np.ones(chips.size)
    return chips * _optics_per_accelerator(site)[site.rack_hall]


def _optics_per_accelerator(site: Site) -> np.ndarray:
    """Return optical modules of its fabric over accelerators, for each hall."""
    share = np.zeros(len(site.hall_names))
    chips = np.bincount(site.rack_hall, weights=site.rack_accelerators, minlength=share.size)
    for fabric in site.fabrics:
        share[fabric.halls] = fabric.counts.optics / chips[fabric.halls].sum()
    return share


def units(site: Site, cls: FailureClass) -> tuple[np.ndarray, list[str], list[int]]:
    """Return targets, names and unit counts of the population of a class that is not on racks."""
    targets, names, counts = _units(site, cls.per)
    if cls.effect == "flow":  # only where there is liquid to stop
        counts = [k * int(site.block_pump_w[t] > 0.0) for t, k in zip(targets, counts, strict=True)]
    return targets, names, counts


def _units(site: Site, per: str) -> tuple[np.ndarray, list[str], list[int]]:
    """Return targets, names and unit counts of a population that is not racks."""
    grid, halls = site.topology.grid, list(site.hall_names)
    if per == "line":
        return np.array([0]), ["lines"], [grid.lines.count]
    if per == "transformer":
        return np.array([1]), ["main transformers"], [grid.transformers.count]
    if per == "block":
        return _all(site.block_names), list(site.block_names), [1] * len(site.block_names)
    if per == "hall":
        return _all(halls), halls, [1] * len(halls)
    if per in network_parts.POPULATIONS:
        return network_parts.units(site, per)
    kind = "warm" if per == "liquid_plant_unit" else "chilled"
    chosen = np.array([i for i, loop in enumerate(site.loops) if loop.kind == kind])
    loops = [site.loops[i] for i in chosen]
    return chosen, [loop.name for loop in loops], [loop.units for loop in loops]


def _all(names: tuple[str, ...] | list[str]) -> np.ndarray:
    return np.arange(len(names))


def _words(cls: str, names: tuple[str, ...] | list[str]) -> np.ndarray:
    return np.array([rng.word(f"{cls}/{name}") for name in names], dtype=np.int64)
