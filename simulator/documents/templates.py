"""`templates:` are named partial trees; `template: NAME` in a mapping starts from one of them."""

from __future__ import annotations

from simulator.documents.merging import Overlay
from simulator.documents.nodes import MOST_LEVELS, Node, branch, joined
from simulator.errors import Problem, nearest


class Templates:
    """The templates of one document, each opened at most once."""

    def __init__(self, templates: Node | None, problems: list[Problem]) -> None:
        self._named = templates.entries if templates else {}
        self._problems = problems
        self._overlay = Overlay(problems, dotted=False)
        self._opened: dict[str, Node] = {}
        self._open: list[str] = []
        self._level = 0
        if templates is not None and not templates.is_mapping:
            told = "'templates' are 'name: {keys}' lines"
            problems.append(templates.place.problem("templates", told))

    def expand(self, node: Node, path: str = "") -> Node:
        """Return the tree with every `template:` replaced by what the template holds."""
        self._level += 1
        opened = self._expand(node, path) if self._level <= 2 * MOST_LEVELS else None
        self._level -= 1
        if opened is None:
            told = f"templates within templates are more than {2 * MOST_LEVELS} levels deep"
            self._problems.append(node.place.problem(path, told))
        return opened or node

    def _expand(self, node: Node, path: str) -> Node:
        if node.is_mapping:
            entries = {
                key: self.expand(child, joined(path, key))
                for key, child in node.entries.items()
                if key != "template"
            }
            own = branch(entries, node.place)
            asked = node.entries.get("template")
            base = self._base(asked, joined(path, "template")) if asked else None
            return self._overlay.lay(base, own, path).at(node.place) if base else own
        if node.items:
            items = [self.expand(item, joined(path, i)) for i, item in enumerate(node.items)]
            return branch(items, node.place)
        return node

    def _base(self, asked: Node, path: str) -> Node | None:
        """Return the opened template of a `template: NAME`, None when there is none."""
        name = str(asked.value)
        if name not in self._named:
            told = f"unknown template '{name}'{nearest(name, self._named)}"
        elif name in self._open:
            told = f"templates inherit in a circle: {' -> '.join([*self._open, name])}"
        elif len(self._open) >= MOST_LEVELS:
            told = f"templates inherit more than {MOST_LEVELS} levels deep"
        else:
            return self._template(name, asked)
        self._problems.append(asked.place.problem(path, told))
        return None

    def _template(self, name: str, asked: Node) -> Node:
        if name not in self._opened:
            self._open.append(name)
            node = self.expand(self._named[name], joined("templates", name))
            self._open.pop()
            self._opened[name] = node
            if not node.is_mapping:
                told = f"template '{name}' must hold keys"
                self._problems.append(asked.place.problem(joined("templates", name), told))
            if node.too_big:
                told = f"template '{name}' {node.too_big}"
                self._problems.append(node.place.problem(joined("templates", name), told))
                self._opened[name] = branch({}, node.place)
        return self._opened[name]
