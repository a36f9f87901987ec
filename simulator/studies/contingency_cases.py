"""Which single failures are tried: every element that a failure class can strike."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import NamedTuple

import numpy as np

from simulator.components.failure_class import FailureClass
from simulator.engine import maintenance, network_parts, populations, sides
from simulator.engine.elements import elements
from simulator.engine.populations import ON_RACKS
from simulator.engine.rates import YEAR_S
from simulator.engine.shop import FALSE_ALARM
from simulator.errors import nearest
from simulator.simulation import Run
from simulator.site import Site
from simulator.studies import StudyError

NEAREST = 3
"""Names that are told where none is like the one asked for."""
KINDS = ("electrical", "cooling", "network", "rack")
NOTHING_OUT = ("interrupt", "corrupt", "push")
"""Effects of software and of wrong numbers: no element is out that could be named."""
INTERCHANGEABLE = (
    "line", "transformer", "feeder", "ups", "generator", "plant_unit", "plant_fan", "flow", "pump",
    "battery_unit", "rack_battery", "loop_pump", "air_unit", "mechanical",
)
"""Effects that treat all units of a target alike: which of them fails is in its name only."""
BANKS = ("line", "transformer")
"""Of these, what stands on buses of its own where there is a medium-voltage network."""
COOLING = ("flow", "pump", "plant_unit", "plant_fan", "loop_pump", "air_unit")
"""Effects on what cools, whoever works on it."""
MECHANICAL_POWER = ("generator",)
"""Populations that a mechanical crew repairs and that are nevertheless part of the power supply."""


class Hit(NamedTuple):
    """One element out."""

    element: str
    cls: FailureClass
    target: int
    unit: int


@dataclass(frozen=True)
class Case:
    """One contingency: what is hit, and how often that happens."""

    hits: tuple[Hit, ...]
    kind: str
    level: str
    classes: tuple[FailureClass, ...]
    """All that strike it so."""
    rates_year: tuple[float, ...]
    """Failures a year of the element, by class."""
    count: int = 1
    """Elements like it for which the row stands, itself included."""
    alike: tuple[object, ...] = ()
    """All that the effects look at of what is hit (`contingency_alike.taken`); blank: a simulation of its
    own."""
    group: tuple[str, int] | None = None
    """The units that stand in for each other with it, where it is of the plant."""
    common_year: float = 0.0
    """How often a year all of them fail by one cause, where that is the case."""
    rule: str = ""
    """Why several are tried together."""
    planned_s: tuple[float, float] | None = None
    """Of planned work: time to empty the element, and time of the work; None: a failure."""

    @property
    def name(self) -> str:
        """Return the elements."""
        return " + ".join(hit.element for hit in self.hits)

    @property
    def rate_year(self) -> float:
        """Failures a year."""
        return sum(self.rates_year)


@dataclass(frozen=True)
class Wanted:
    """Which elements: those of these kinds whose name matches any of the patterns; all where blank."""

    patterns: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    each: bool = False
    """Have racks and switches rows of their own, and units of one target simulations of their own."""
    without: tuple[Hit, ...] = ()
    """What is out already: it cannot fail, nor can its breaker or its parts."""

    def takes(self, name: str) -> bool:
        """Return whether an element is asked for."""
        return not self.patterns or any(fnmatchcase(name, p) for p in self.patterns)


def singles(run: Run, wanted: Wanted) -> list[Case]:
    """Return every single failure asked for, in the order of the classes and of the site, and behind
    them the planned work of the scenario's operations.

    Raises
    ------
    StudyError
        If nothing matches.
    """
    found: list[Case] = []
    for classes in _told_apart(run):
        kind = kind_of(classes[0])
        if not wanted.kinds or kind in wanted.kinds:
            found += _of_classes(run, classes, kind, wanted)
    found += _planned(run, wanted)
    if not found:
        raise _nothing(run, wanted)
    return found


def _planned(run: Run, wanted: Wanted) -> list[Case]:
    """Return the elements that maintenance takes out in turn, as often as it does."""
    operations, found = run.scenario.spec.operations, []
    for plan in operations.maintenance if operations is not None else ():
        lasting = {"rate": 1.0 / plan.every, "repair_spread": 0.0}
        cls = maintenance.class_of(plan).model_copy(update=lasting)
        kind = kind_of(cls)
        if not wanted.kinds or kind in wanted.kinds:
            emptied_s = maintenance.drain_of(plan, operations.drain)  # type: ignore[union-attr]
            found += [
                replace(case, group=None, planned_s=(emptied_s, plan.lasts))
                for case in _of_classes(run, (cls,), kind, wanted)
            ]
    return found


def check(run: Run, wanted: Wanted) -> None:
    """Refuse what matches nothing, before anything is simulated; StudyError with the nearest names."""
    asked = [
        cls for cls, *_ in _told_apart(run) if not wanted.kinds or kind_of(cls) in wanted.kinds
    ]
    if not any(wanted.takes(name) for cls in asked for name in elements(run.world.site, cls)):
        raise _nothing(run, wanted)


def _nothing(run: Run, wanted: Wanted) -> StudyError:
    """Return the error that says that nothing matches, with the nearest names of the first pattern."""
    known = {name: None for cls in run.fleet for name in elements(run.world.site, cls)}
    pattern = next(iter(wanted.patterns), "")
    cure = nearest(pattern, known)
    if pattern and not cure:
        near = get_close_matches(pattern, _one_of_each(known), NEAREST, 0.0)
        cure = f"; the nearest names are {', '.join(near)}"
    what = " or ".join(wanted.patterns) or "anything"
    return StudyError(f"no element of {' or '.join(wanted.kinds or KINDS)} is called {what}{cure}")


def _one_of_each(names: Iterable[str]) -> list[str]:
    """Return the first of the names that differ by their numbers only."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(re.sub(r"[0-9]+", "0", name), name)
    return list(first.values())


def named(run: Run, name: str) -> Hit:
    """Return what an element's name means; StudyError with the nearest name if there is none."""
    known: list[str] = []
    for classes in _told_apart(run):
        for cls in classes:
            there = elements(run.world.site, cls)
            if name in there:
                return Hit(name, cls, *there[name])
            known += there
    raise StudyError(f"--maintenance {name}: there is no such element{nearest(name, known)}")


def striking(run: Run, hit: Hit) -> list[Case]:
    """Return the failures that take a given element out: its own, and those of its breakers."""
    key, found = same(hit.cls, hit.target, hit.unit), list[Case]()
    for classes in _told_apart(run):
        if classes[0].effect == hit.cls.effect:
            found += _of_classes(run, classes, kind_of(classes[0]), Wanted(each=True))
    return [case for case in found if same(*case.hits[0][1:]) == key]


def kind_of(cls: FailureClass) -> str:
    """Return the kind of element that a class strikes; by its crew where it is of the plant."""
    if cls.per in network_parts.POPULATIONS:
        return "network"
    if cls.per in ON_RACKS or cls.per == "support_server":
        return "rack"
    mechanical = cls.effect in COOLING or (cls.crew == "mechanical" and cls.per not in MECHANICAL_POWER)
    return "cooling" if mechanical else "electrical"


def level_of(site: Site, cls: FailureClass, name: str) -> str:
    """Return where an element stands: site, hall, block, rack or fabric."""
    if cls.per in network_parts.POPULATIONS:
        return "fabric"
    if cls.per in ON_RACKS:
        return "rack"
    parts = name.split("/")
    if "/".join(parts[:2]) in site.block_names:
        return "block"
    return "hall" if parts[0] in site.hall_names else "site"


def _told_apart(run: Run) -> Iterator[tuple[FailureClass, ...]]:
    """Yield the classes whose failures are cases of their own. Those that take the same out of the same
    element are one, led by the one that comes most often on all elements together: its repair is the
    one that is simulated, and each counts by how often it happens and how long it lasts."""
    same: dict[tuple[str, str], list[FailureClass]] = {}
    for cls in run.fleet:
        if cls.effect not in NOTHING_OUT:
            on = "rack" if cls.per in ON_RACKS else cls.per
            same.setdefault((on, cls.effect), []).append(cls)
    for classes in same.values():
        yield tuple(sorted(classes, key=lambda cls: -cls.rate * float(_many(run.world.site, cls).sum())))


def _of_classes(
    run: Run, classes: tuple[FailureClass, ...], kind: str, wanted: Wanted
) -> list[Case]:
    """Return the cases of classes that do the same to the same elements."""
    site = run.world.site
    there = elements(site, classes[0])
    many = [_many(site, cls) for cls in classes]
    group = group_of(site, classes[0])
    groups = {} if wanted.each else _groups(run, classes[0], there)
    cases: dict[tuple[object, ...], Case] = {}
    alike: Counter[tuple[object, ...]] = Counter()
    gone = {same(hit.cls, hit.target, hit.unit) for hit in wanted.without}
    for place, (name, (target, unit)) in enumerate(there.items()):
        if not wanted.takes(name) or _is_out(run, classes[0], target, unit, gone):
            continue
        key = groups.get(name, ("element", name))
        alike[key] += 1
        if key in cases:
            continue
        cases[key] = Case(
            (Hit(name, classes[0], target, unit),), kind, level_of(site, classes[0], name), classes,
            tuple(cls.rate * YEAR_S * float(m[place]) for cls, m in zip(classes, many, strict=True)),
            alike=() if wanted.each else taken(site, classes[0], target, unit),
            group=(classes[0].name, int(group[place])) if group.size else None,
        )
    return [replace(case, count=alike[key]) for key, case in cases.items()]


def _is_out(
    run: Run, cls: FailureClass, target: int, unit: int, gone: Collection[tuple[str, int, int]]
) -> bool:
    """Return whether what a class would strike is out at the moment, or part of what is: fans of a plant unit,
    pumps of a coolant unit, racks out of service, links of a trunk that carries nothing."""
    world = run.world
    if same(cls, target, unit) in gone:
        return True
    if cls.effect == "plant_fan":
        return ("plant_unit", target, unit) in gone
    if cls.effect == "pump":
        return ("flow", target, unit // world.site.topology.cooling.coolant_unit.pumps) in gone
    if cls.per in ON_RACKS:
        return bool(world.state.racks.up_frac[target] == 0.0)
    if cls.effect == "uplink":
        live = world.network.live[target]
        return bool(live.capacity_bytes_s[live.laid.graph.trunks[unit]] <= 0.0)
    return False


def same(cls: FailureClass, target: int, unit: int) -> tuple[str, int, int]:
    """Return what a class takes out, whatever the class is called: an element and its breaker are one, and
    both breakers of a branch are the branch."""
    return cls.effect, target, 0 if cls.effect == "mv_branch" else unit


def taken(site: Site, cls: FailureClass, target: int, unit: int) -> tuple[object, ...]:
    """Return all that an effect looks at of a class and of what it strikes, the repair left out."""
    apart = site.mesh is not None and cls.effect in BANKS
    if cls.effect == "ups" and site.nodes[target].serves == "support":
        unit, apart = sides.of_module(site, target, unit), True
    which = -1 if cls.effect in INTERCHANGEABLE and not apart else unit
    tier = cls.per if cls.effect == "switch" else ""
    return cls.effect, tier, target, which, cls.reset, cls.voltage, cls.name == FALSE_ALARM


def _many(site: Site, cls: FailureClass) -> np.ndarray:
    """Return how many units that fail each element stands for, in the order of `elements`."""
    if cls.per in ON_RACKS:
        return populations.per_rack(site, cls.per)
    of = populations.units(site, cls.per)
    return np.ones(sum(of.counts)) if of.many is None else of.many


def group_of(site: Site, cls: FailureClass) -> np.ndarray:
    """Return the number of each element's group, in the order of `elements`; nothing where elements
    stand for themselves."""
    if cls.per in ON_RACKS or cls.per in network_parts.POPULATIONS:
        return populations.NOTHING
    counts = populations.units(site, cls.per).counts
    return np.repeat(np.arange(len(counts)), counts)


def _groups(
    run: Run, cls: FailureClass, there: dict[str, tuple[int, int]]
) -> dict[str, tuple[object, ...]]:
    """Return which racks, switches and links are alike: racks of a type under the same load in one
    group of halls; parts of a fabric with the same links and the same loads below them."""
    if cls.per in ON_RACKS:
        return _rack_groups(run, there)
    if cls.per in network_parts.POPULATIONS:
        return _fabric_groups(run, cls, there)
    return {}


def _rack_groups(run: Run, there: dict[str, tuple[int, int]]) -> dict[str, tuple[object, ...]]:
    site, racks = run.world.site, run.world.state.racks
    groups = [site.hall_spec.index(spec) for spec in site.hall_spec]
    return {
        name: (
            groups[site.rack_hall[r]], int(site.rack_type[r]), int(racks.load[r]), float(racks.up_frac[r])
        )
        for name, (r, _) in there.items()
    }


def _fabric_groups(
    run: Run, cls: FailureClass, there: dict[str, tuple[int, int]]
) -> dict[str, tuple[object, ...]]:
    site = run.world.site
    below = [_below(run, index) for index in range(len(site.fabrics))]
    groups: dict[str, tuple[object, ...]] = {}
    for name, (index, unit) in there.items():
        graph, tier = site.fabrics[index].graph, network_parts.TIER_OF.get(cls.per)
        node = int(graph.trunks[unit]) if tier is None else graph.node_of(tier, unit)
        of_node = (int(column[node]) for column in (graph.tier, graph.switches, graph.links))
        groups[name] = (index, *of_node, below[index][node])
    return groups


def _below(run: Run, index: int) -> list[bytes]:
    """Return for each node of a fabric what hangs on it: accelerators in service, by load."""
    laid, racks = run.world.site.fabrics[index], run.world.state.racks
    loads = np.unique(racks.load[laid.racks])
    under = np.array([
        laid.accelerators_under(laid.racks[racks.load[laid.racks] == load]) for load in loads
    ])  # fmt: skip
    return [column.tobytes() for column in np.ascontiguousarray(under.round(6).T)]
