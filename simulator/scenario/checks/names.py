"""Names: known to the catalog, of the right kind, different from each other, usable as KPIs."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from simulator import catalog
from simulator.documents import TreePath
from simulator.errors import nearest
from simulator.scenario.parts import Parts
from simulator.scenario.wording import Trouble

KINDS = {
    "accelerators": "an accelerator",
    "racks": "a rack type",
    "models": "a model",
    "failures": "a failure fleet",
    "stacks": "a software stack",
    "demand": "a profile of requests",
    "diffusion": "a diffusion model",
    "power_paths": "a chain of conversions",
}
"""What an author calls the kinds of the catalog."""
PLACES: tuple[tuple[TreePath, str], ...] = (
    (("topology", "racks", "*", "accelerator"), "accelerators"),
    (("topology", "halls", "*", "rack"), "racks"),
    (("topology", "halls", "*", "support", "*", "rack"), "racks"),
    (("topology", "halls", "*", "path"), "power_paths"),
    (("workloads", "*", "model"), "models"),
    (("workloads", "*", "teacher"), "models"),
    (("workloads", "*", "reward_model"), "models"),
    (("workloads", "*", "judge"), "models"),
    (("workloads", "*", "accelerator"), "accelerators"),
    (("workloads", "*", "accelerators", "*"), "accelerators"),
    (("workloads", "*", "plan", "stack"), "stacks"),
    (("workloads", "*", "generator"), "diffusion"),
    (("workloads", "*", "requests", "profile"), "demand"),
    (("workloads", "*", "classes", "*", "profile"), "demand"),
    (("reliability", "fleet"), "failures"),
)
"""Where a document names something of the catalog; read from the tree, so that a slip elsewhere in
the same hall or workload does not hide an unknown name."""
USABLE = re.compile(r"[A-Za-z0-9][\w.-]{0,63}", re.ASCII)
RESERVED = ("idle", "down")
"""Words the account of accelerator-hours uses itself."""


def unknown_recorded_halls(parts: Parts) -> Iterator[Trouble]:
    """Halls to record that are not built, by the name of their group or their own."""
    groups = [hall.name for hall in parts.halls.values()]
    singles = [
        f"{hall.name}-{n + 1:02d}"
        for hall in parts.halls.values() if hall.count > 1 for n in range(hall.count)
    ]
    for path, name in _references(parts.tree, ("record", "racks", "*")):
        if name not in groups and name not in singles:
            cure = nearest(name, groups + singles) or f"; there are {', '.join(groups)}"
            yield path, f"unknown hall '{name}'{cure}"


def unknown(parts: Parts) -> Iterator[Trouble]:
    """Names the catalog and the document do not have, or have as something else."""
    for pattern, kind in PLACES:
        own = parts.rack_names if kind == "racks" else frozenset()
        for path, name in _references(parts.tree, pattern):
            told = _not_in_catalog(kind, name, own)
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
    named: list[tuple[TreePath, str]] = []
    named += [(("workloads", i, "name"), work.name) for i, work in parts.workloads.items()]
    named += [(("topology", "halls", i, "name"), hall.name) for i, hall in parts.halls.items()]
    for path, name in named:
        if not USABLE.fullmatch(name):
            told = "use letters, digits, '-', '_' and '.', at most 64, no blank"
            yield path, f"'{name}' cannot stand in the name of a result: {told}"
        elif name.split(".")[0] in RESERVED and path[0] == "workloads":
            yield path, f"'{name}' is a word of the account of hours; choose another name"


def _references(
    tree: Any, pattern: TreePath, path: TreePath = ()
) -> Iterator[tuple[TreePath, str]]:
    """Yield (path, name) of every text at a pattern in which `*` is any item of a list."""
    if not pattern:
        if isinstance(tree, str):
            yield path, tree
    elif pattern[0] == "*":
        for index, item in enumerate(tree if isinstance(tree, list) else ()):
            yield from _references(item, pattern[1:], (*path, index))
    elif isinstance(tree, dict) and pattern[0] in tree:
        yield from _references(tree[pattern[0]], pattern[1:], (*path, pattern[0]))


def _not_in_catalog(kind: str, name: str, own: Collection[str]) -> str:
    """Return why a name cannot be used, nothing if it can."""
    if name in own or _has(kind, name):
        return ""
    other = next((k for k in KINDS if k != kind and _has(k, name)), None)
    if other is not None:
        return f"'{name}' is {KINDS[other]}; here stands the name of {KINDS[kind]}"
    known = [*own, *catalog.names(kind)]
    cure = nearest(name, known) or f"; 'gigawatt catalog {kind}' lists those there are"
    return f"unknown {KINDS[kind].split(' ', 1)[1]} '{name}'{cure}"


def _has(kind: str, name: str) -> bool:
    try:
        return bool(catalog.load(kind, name))
    except KeyError:
        return False


def _named(things: Mapping[int, Any]) -> list[tuple[int, str]]:
    return [(index, thing.name) for index, thing in things.items()]


def _repeated(what: str, where: TreePath, named: Iterable[tuple[int, str]]) -> Iterator[Trouble]:
    """Yield a problem at every name that an earlier item has already."""
    first: dict[str, int] = {}
    told: set[int] = set()
    for index, name in named:
        if first.setdefault(name, index) != index and index not in told:
            told.add(index)
            yield (*where, index, "name"), f"a second {what} is called '{name}'; rename one"
