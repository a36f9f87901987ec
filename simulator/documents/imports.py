"""Files that import files: read each once, unite what they say, refuse circles."""

from __future__ import annotations

from pathlib import Path

from simulator.documents.merging import unite
from simulator.documents.nodes import MOST_LEVELS, Node, Place, branch
from simulator.documents.yaml_text import read_file
from simulator.errors import Problem, display_name


class Imports:
    """The files read for one document, in the order they were finished."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        self.done: dict[Path, Node] = {}
        self._open: list[Path] = []

    def load(self, path: Path, place: Place) -> Node | None:
        """Return a file united with all it imports; None if it could not be read."""
        try:
            path = path.resolve()
        except (ValueError, OSError, RuntimeError):  # a NUL in the name, links in a circle
            told = f"{str(path)!r} is not a file name that can be followed"
            self.problems.append(place.problem("", told))
            return None
        if path in self._open:
            circle = [*self._open[self._open.index(path) :], path]
            told = " -> ".join(display_name(str(file)) for file in circle)
            self.problems.append(place.problem("import", f"files import each other: {told}"))
            return None
        if path in self.done:
            return self.done[path]
        if len(self._open) >= MOST_LEVELS:
            told = f"files import each other more than {MOST_LEVELS} levels deep"
            self.problems.append(place.problem("import", told))
            return None
        self._open.append(path)
        node = self._load(path, place)
        self._open.pop()
        return node

    def _load(self, path: Path, place: Place) -> Node | None:
        own = read_file(path, place, self.problems)
        if own is None:
            return None
        self.done[path] = own  # counts as read; replaced below by the united tree
        whole: Node | None = None
        for item in _listed(own, self.problems):
            part = self.load(path.parent / str(item.value), item.place)
            if part is not None:
                whole = unite(whole, part, self.problems) if whole else part
        entries = {key: child for key, child in own.entries.items() if key != "import"}
        rest = branch(entries, own.place)
        self.done[path] = unite(whole, rest, self.problems) if whole else rest
        return self.done[path]


def _listed(node: Node, problems: list[Problem]) -> list[Node]:
    """Return the file names under `import:`, each a node with its place."""
    given = node.entries.get("import")
    if given is None:
        return []
    names = given.items if isinstance(given.value, list) else [given]
    for item in names:
        if not isinstance(item.value, str):
            problems.append(item.place.problem("import", "give a file name, or a list of them"))
    return [item for item in names if isinstance(item.value, str)]
