"""The tree of a document while it is being put together: every node knows where it was written.

Nodes are never changed, so templates and YAML aliases share them; `size` counts what the node
would be when written out, which is how a "YAML bomb" is seen without exploding it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from simulator.errors import Problem, display_name

MOST_NODES = 200_000
MOST_LEVELS = 64

Scalar = str | int | float | bool | None
Path = tuple[str | int, ...]


class Place(NamedTuple):
    """Where something was written; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{display_name(self.file)}:{self.line}:{self.column}"

    def problem(self, path: str, message: str) -> Problem:
        """Return a problem at this place."""
        return Problem(*self, path, message)


@dataclass(frozen=True, slots=True)
class Node:
    """A mapping, a list or a scalar; below a mapping its place is that of its key."""

    value: dict[str, Node] | list[Node] | Scalar
    place: Place
    size: int = 1
    levels: int = 1

    @property
    def entries(self) -> dict[str, Node]:
        """The children of a mapping; nothing for other nodes."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """The items of a list; nothing for other nodes."""
        return self.value if isinstance(self.value, list) else []

    @property
    def is_mapping(self) -> bool:
        """Whether the node has keys."""
        return isinstance(self.value, dict)

    @property
    def too_big(self) -> str:
        """Why the node must not be written out; nothing if it may."""
        if self.size > MOST_NODES:
            return f"grows to {self.size} values; at most {MOST_NODES} are read"
        if self.levels > MOST_LEVELS:
            return f"is nested {self.levels} levels deep; at most {MOST_LEVELS} are read"
        return ""

    def at(self, place: Place) -> Node:
        """Return the same content as written at another place."""
        return replace(self, place=place)


def branch(value: dict[str, Node] | list[Node], place: Place) -> Node:
    """Return a mapping or list node over its children."""
    children = value.values() if isinstance(value, dict) else value
    size = 1 + sum(child.size for child in children)
    levels = 1 + max((child.levels for child in children), default=0)
    return Node(value, place, size, levels)


def from_plain(value: Any, place: Place) -> Node:
    """Return the node of a plain Python value, all of it at one place."""
    if isinstance(value, dict):
        return branch({str(key): from_plain(item, place) for key, item in value.items()}, place)
    if isinstance(value, list | tuple):
        return branch([from_plain(item, place) for item in value], place)
    return Node(value, place)


def to_plain(node: Node) -> Any:
    """Return the plain dicts, lists and scalars of a node."""
    if isinstance(node.value, dict):
        return {key: to_plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [to_plain(child) for child in node.value]
    return node.value


def same(one: Node, other: Node) -> bool:
    """Return whether two nodes say the same (`1` and `true` differ)."""
    return one is other or repr(to_plain(one)) == repr(to_plain(other))


def name_of(item: Node) -> str | None:
    """Return the `name` by which a list item is addressed, if it has one."""
    name = item.entries.get("name")
    return str(name.value) if name and isinstance(name.value, str | int) else None


def by_name(node: Node) -> dict[str, int] | None:
    """Return name -> index of a list of mappings that all have their own `name`, else None."""
    names = [name_of(item) for item in node.items]
    if not names or None in names or len(set(names)) < len(names):
        return None
    return {str(name): index for index, name in enumerate(names)}


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """Yield every node below `node`, itself first, with its path."""
    yield path, node
    if isinstance(node.value, dict):
        for key, child in node.value.items():
            yield from walk(child, (*path, key))
    elif isinstance(node.value, list):
        for index, child in enumerate(node.value):
            yield from walk(child, (*path, index))


def joined(*path: object) -> str:
    """Return a dotted path of the parts that say something."""
    return ".".join(str(part) for part in path if str(part))
