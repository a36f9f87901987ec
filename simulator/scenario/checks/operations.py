"""Operations: crews and parts for everything that fails, planned work that fits and has a place."""

from collections.abc import Iterator

from simulator import catalog
from simulator.components import from_catalog
from simulator.components.failure_class import FailureClass
from simulator.components.operations import Maintenance, Operations
from simulator.documents import TreePath
from simulator.engine import maintenance
from simulator.errors import nearest
from simulator.scenario.checks.plant import Plant
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble
from simulator.site import compile_site

DAY_S = 86_400.0
SHOWN = 4
"""Names listed at most."""


def missing_crews(parts: Parts) -> Iterator[Trouble]:
    """Trades that something needs and nobody has."""
    if parts.operations is None:
        return
    there = {group.trade for group in parts.operations.crews}
    for trade in dict.fromkeys(cls.crew for cls in _classes(parts)):
        if trade not in there:
            of_trade = [cls for cls in _classes(parts) if cls.crew == trade]
            # Those at a rate of zero come only as scripted incidents: they are the last to be named.
            causes = [cls.name for cls in sorted(of_trade, key=lambda cls: cls.rate == 0.0)]
            told = f"no crews of trade '{trade}', which repair {', '.join(causes[:3])}"
            yield ("operations", "crews"), f"{told}; add a group with 'trade: {trade}'"


def odd_parts(parts: Parts) -> Iterator[Trouble]:
    """Parts that a repair takes and nobody stocks, or that no repair of any fleet takes."""
    if parts.operations is None or not _classes(parts):
        return
    stocked = [stock.name for stock in parts.operations.spares]
    taken = list(dict.fromkeys(cls.part for cls in _classes(parts) if cls.part is not None))
    missing = [f"'{part}'" for part in taken if part not in stocked]
    if missing:
        told = f"no stock of {_listed(missing)}, which repairs take"
        yield ("operations", "spares"), f"{told}; give its 'stock' (0 for none) and 'lead_time'"
    known = [*taken, *_of_practice(parts.operations, "spares")]
    for name in stocked:
        if name not in known:
            cure = nearest(name, known) or f"; parts are {', '.join(taken)}"
            yield _path(parts, "spares", name), f"no failure class takes a part '{name}'{cure}"


def repeated(parts: Parts) -> Iterator[Trouble]:
    """Crews or parts told twice; planned work under the name of other work or of a failure class."""
    if parts.operations is None:
        return
    causes = {cls.name: "a failure class" for cls in _classes(parts)}
    for key, seen in (("crews", {}), ("spares", {}), ("maintenance", causes), ("upgrades", causes)):
        for item in getattr(parts.operations, key):
            if item.name in seen:
                told = f"'{item.name}' is the name of {seen[item.name]} too"
                yield _path(parts, key, item.name), f"{told}; tables tell them apart by name"
            seen[item.name] = "another item"


def too_late(parts: Parts) -> Iterator[Trouble]:
    """Planned work after the end of the run."""
    if parts.operations is None or parts.period is None:
        return
    end_s = parts.period.duration
    begun = [("maintenance", w.name, "first", w.first) for w in parts.operations.maintenance]
    begun += [("upgrades", w.name, "at", w.at) for w in parts.operations.upgrades]
    for key, name, field, at_s in begun:
        if at_s >= end_s:
            told = f"{at_s:g} s is not before the end of the run, {end_s:g} s after its start"
            yield (*_path(parts, key, name), field), told


def unknown_halls(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Halls of an upgrade that are not built."""
    known = [g.hall.name for g in plant.groups]
    for work in parts.operations.upgrades if parts.operations else ():
        for k, name in enumerate(work.halls):
            if name not in known:
                cure = nearest(name, known) or f"; there are {', '.join(known)}"
                path = (*_path(parts, "upgrades", work.name), "halls", k)
                yield path, f"unknown hall '{name}'{cure}"


def endless_turns(parts: Parts, plant: Plant) -> Iterator[Trouble]:
    """Maintenance of more elements than there is time for, or of elements that are not there."""
    if parts.operations is None or any(g.per_block == 0 for g in plant.groups):
        return
    for work in parts.operations.maintenance:
        order = maintenance.turns(compile_site(plant.topology), work)
        path = _path(parts, "maintenance", work.name)
        if not order:
            told = f"there is nothing here of kind '{work.on}' to be maintained"
            yield (*path, "on"), told
        told = _too_many(parts.operations, work, len(order))
        if told:
            yield (*path, "every"), told


def _too_many(operations: Operations, work: Maintenance, turns: int) -> str:
    """Return why not every element can have its turn in time, nothing if it can."""
    each_s = work.lasts + (operations.drain if work.on in maintenance.EMPTIED else 0.0)
    if turns * each_s <= work.every:
        return ""
    at_once = -(-work.at_once * turns * each_s // work.every)
    return (
        f"{turns} turns of {each_s / DAY_S:.3g} days, one after the other, are more than "
        f"{work.every / DAY_S:g} days; take {at_once:.0f} 'at_once', or give more time"
    )


def _listed(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _classes(parts: Parts) -> tuple[FailureClass, ...]:
    """Return the classes of the fleet, none if it is not known."""
    if parts.reliability is None:
        return ()
    try:
        return from_catalog.failure_classes(parts.reliability.fleet)
    except KeyError:
        return ()


def _of_practice(operations: Operations, key: str) -> list[str]:
    """Return the names of the items that the practice itself lists."""
    return [str(item["name"]) for item in catalog.load("operations", operations.practice)[key]]


def _path(parts: Parts, key: str, name: str) -> TreePath:
    """Return where the document writes an item: by its place in a list, else by its name."""
    given = parts.tree.get("operations")
    items = given.get(key) if isinstance(given, dict) else None
    if isinstance(items, list):
        places = [i for i, x in enumerate(items) if isinstance(x, dict) and x.get("name") == name]
        return ("operations", key, *places[:1])
    return ("operations", key, name)
