"""Figures with evidence: `{value: 750 W, source: ..., evidence: vendor, range: [..], note: ...}`.

Wherever a value may stand, such a mapping may stand; the value goes into the tree, the rest into a
register that ends in the run folder and in the report.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.documents.nodes import Node, Path, branch, joined, name_of, to_plain
from simulator.errors import Problem, nearest

EVIDENCE = ("measured", "vendor", "derived", "assumed")
_KEYS = frozenset(("value", "source", "evidence", "range", "note"))


@dataclass(frozen=True)
class Figure:
    """One sourced value: where it is used, what it says, who says so, how sure that is."""

    path: str
    text: str
    source: str
    evidence: str
    range: tuple[str, str] | None
    note: str
    file: str
    line: int


def is_figure(node: Node) -> bool:
    """Return whether a mapping is a figure: it has `value` and nothing but a figure's keys."""
    return "value" in node.entries and _KEYS.issuperset(node.entries)


def take_figures(node: Node, problems: list[Problem]) -> tuple[Node, tuple[Figure, ...]]:
    """Return the tree with plain values, and the figures that stood there."""
    figures: list[Figure] = []
    return _plain(node, (), figures, problems), tuple(figures)


def _plain(node: Node, path: Path, figures: list[Figure], problems: list[Problem]) -> Node:
    if is_figure(node):
        figures.append(_figure(node, joined(*path), problems))
        return node.entries["value"].at(node.place)
    if node.is_mapping:
        entries = {
            key: _plain(child, (*path, key), figures, problems)
            for key, child in node.entries.items()
        }
        return branch(entries, node.place)
    if node.items:
        items = [
            _plain(item, (*path, name_of(item) or index), figures, problems)
            for index, item in enumerate(node.items)
        ]
        return branch(items, node.place)
    return node


def _figure(node: Node, path: str, problems: list[Problem]) -> Figure:
    """Return a checked figure; what is missing or wrong goes to the problems."""
    value = node.entries["value"]
    if value.is_mapping or value.value is None:
        problems.append(value.place.problem(path, "the 'value' of a figure is one value or a list"))
    source, evidence = _word(node, "source"), _word(node, "evidence")
    if not source:
        told = "a figure needs its 'source' (text or link)"
        problems.append(node.place.problem(path, told))
    if evidence not in EVIDENCE:
        told = f"'{evidence}' is no evidence{nearest(evidence, EVIDENCE)}" if evidence else ""
        told = told or "a figure needs its 'evidence'"
        place = node.entries.get("evidence", node).place
        problems.append(place.problem(path, f"{told}; one of {', '.join(EVIDENCE)}"))
    return Figure(
        path,
        _text(value),
        source,
        evidence,
        _range(node, path, problems),
        _word(node, "note"),
        node.place.file,
        node.place.line,
    )


def _range(node: Node, path: str, problems: list[Problem]) -> tuple[str, str] | None:
    given = node.entries.get("range")
    if given is None or given.value is None:
        return None
    if len(given.items) != 2:
        problems.append(given.place.problem(path, "a 'range' is [lowest, highest]"))
        return None
    low, high = given.items
    return _text(low), _text(high)


def _word(node: Node, key: str) -> str:
    child = node.entries.get(key)
    return "" if child is None or child.value is None else _text(child)


def _text(node: Node) -> str:
    """Return a value as it would stand in YAML."""
    plain = to_plain(node)
    if isinstance(plain, bool):
        return str(plain).lower()
    return plain if isinstance(plain, str) else str(plain)
