"""Names: known to the catalog, of the right kind, different from each other, usable as KPIs."""

import re
from collections.abc import Collection, Iterable, Iterator

from simulator import catalog
from simulator.documents import TreePath
from simulator.errors import nearest
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble
from simulator.workloads import BatchWork, ServedModel, TrainingJob

KINDS = {
    "accelerators": "accelerator",
    "racks": "rack type",
    "models": "model",
    "failures": "failure fleet",
}
"""What an author calls the kinds of the catalog."""
USABLE = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)
RESERVED = ("idle", "down")
"""Words the account of accelerator-hours uses itself."""


def unknown(parts: Parts) -> Iterator[Trouble]:
    """Names the catalog and the document do not have, or have as something else."""
    for path, kind, name in (*_of_plant(parts), *_of_work(parts)):
        told = _not_in_catalog(kind, name, parts.rack_names if kind == "racks" else ())
        if told:
            yield path, told


def duplicate(parts: Parts) -> Iterator[Trouble]:
    """Names used twice where results are told apart by them."""
    yield from _repeated("workload", ("workloads",), _named(parts.workloads))
    yield from _repeated("rack type", ("topology", "racks"), _named(parts.racks))
    halls = [
        (i, f"{h.name}{n}")
        for i, h in parts.halls.items()
        for n in (("",) if h.count == 1 else ("", *(f"-{k + 1:02d}" for k in range(h.count))))
    ]
    yield from _repeated("hall", ("topology", "halls"), halls)


def unusable(parts: Parts) -> Iterator[Trouble]:
    """Names that could not stand in the name of a KPI."""
    named = [(("workloads", i, "name"), w.name) for i, w in parts.workloads.items()]
    named += [(("topology", "halls", i, "name"), h.name) for i, h in parts.halls.items()]
    for path, name in named:
        if not USABLE.fullmatch(name):
            told = "use letters, digits, '-', '_' and '.', at most 64, no blank"
            yield path, f"'{name}' cannot stand in the name of a result: {told}"
        elif name.split(".")[0] in RESERVED and path[0] == "workloads":
            yield path, f"'{name}' is a word of the account of hours; choose another name"


def _of_plant(parts: Parts) -> Iterator[tuple[TreePath, str, str]]:
    """Yield (path, kind, name) of every catalog name the plant uses."""
    for i, rack in parts.racks.items():
        if rack.accelerator is not None:
            yield ("topology", "racks", i, "accelerator"), "accelerators", rack.accelerator
    for i, hall in parts.halls.items():
        yield ("topology", "halls", i, "rack"), "racks", hall.rack
        for k, support in enumerate(hall.support):
            yield ("topology", "halls", i, "support", k, "rack"), "racks", support.rack
    if parts.reliability is not None:
        yield ("reliability", "fleet"), "failures", parts.reliability.fleet


def _of_work(parts: Parts) -> Iterator[tuple[TreePath, str, str]]:
    """Yield (path, kind, name) of every catalog name the workloads use."""
    for i, work in parts.workloads.items():
        if isinstance(work, TrainingJob | ServedModel):
            yield ("workloads", i, "model"), "models", work.model
            yield ("workloads", i, "accelerator"), "accelerators", work.accelerator
        elif isinstance(work, BatchWork):
            for k, name in enumerate(work.accelerators):
                yield ("workloads", i, "accelerators", k), "accelerators", name


def _not_in_catalog(kind: str, name: str, own: Collection[str]) -> str:
    """Return why a name cannot be used, nothing if it can."""
    if name in own or _has(kind, name):
        return ""
    other = next((k for k in KINDS if k != kind and _has(k, name)), None)
    if other is not None:
        return f"'{name}' is a {KINDS[other]}; here stands the name of {_a(KINDS[kind])}"
    known = [*own, *catalog.names(kind)]
    cure = nearest(name, known) or f"; 'gigawatt catalog {kind}' lists those there are"
    return f"unknown {KINDS[kind]} '{name}'{cure}"


def _has(kind: str, name: str) -> bool:
    try:
        return bool(catalog.load(kind, name))
    except KeyError:
        return False


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _named(things: object) -> list[tuple[int, str]]:
    return [(index, thing.name) for index, thing in things.items()]  # type: ignore[attr-defined]


def _repeated(what: str, where: TreePath, named: Iterable[tuple[int, str]]) -> Iterator[Trouble]:
    """Yield a problem at every name that an earlier item has already."""
    first: dict[str, int] = {}
    told: set[int] = set()
    for index, name in named:
        if first.setdefault(name, index) != index and index not in told:
            told.add(index)
            yield (*where, index, "name"), f"a second {what} is called '{name}'; rename one"
