"""YAML files -> one plain tree that remembers where everything was written.

`read` puts a document together in one straight line: the file and its `import`s are united, the
chosen scenario's `overrides` may change `templates`, templates are opened, overrides and `--set`
are laid on, figures with evidence are taken out into a register. It knows nothing of the
simulator; every problem found on the way is told at once, with its place and a cure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.documents.choices import SET, apply_sets, chosen_overrides, split_templates
from simulator.documents.figures import Figure, take_figures
from simulator.documents.imports import Imports
from simulator.documents.merging import Carried, Overlay
from simulator.documents.nodes import Node, Place, branch, joined, to_plain, walk
from simulator.documents.nodes import Path as TreePath
from simulator.documents.templates import Templates
from simulator.errors import Problem, ScenarioError

__all__ = ["Document", "Figure", "Place", "TreePath", "gather", "of_another_kind", "read"]
_ABOUT_THE_TEXT = ("templates", "overrides", "scenarios")


@dataclass(frozen=True)
class Document:
    """A document as read: the plain tree, the place of every path, the figures, the files."""

    tree: dict[str, Any]
    places: dict[TreePath, Place]
    figures: tuple[Figure, ...]
    files: tuple[Path, ...]
    scenarios: tuple[str, ...] = field(default=())

    def place_of(self, path: TreePath) -> Place:
        """Return the nearest known place of a path; parts the tree does not have are skipped."""
        return self.places[self._known(path)[0]]

    def problem(self, path: TreePath, message: str) -> Problem:
        """Return a problem at the nearest known place, with the path as `--set` would write it."""
        known, rest = self._known(path)
        return self.places[known].problem(joined(self.dotted(known), *rest), message)

    def folder_of(self, path: TreePath) -> Path:
        """Return the folder to which a file name at this path is relative."""
        file = self.place_of(path).file
        return Path.cwd() if file == SET else Path(file).parent

    def dotted(self, path: TreePath) -> str:
        """Return a path as dotted text, list items by their `name` where they have one."""
        node: Any = self.tree
        parts: list[object] = []
        for part in path:
            node = node[part]
            name = node.get("name") if isinstance(node, dict) and isinstance(part, int) else None
            parts.append(part if name is None else name)
        return joined(*parts)

    def _known(self, path: TreePath) -> tuple[TreePath, TreePath]:
        """Return the longest path of the tree found along `path`, and the last part if it is new.

        Validators put tags of unions between keys; these are in no tree and are left out.
        """
        known: TreePath = ()
        for part in path:
            if (*known, part) in self.places:
                known = (*known, part)
        new = path[-1:] if path and (not known or known[-1] != path[-1]) else ()
        return known, new


def read(
    path: str | Path,
    sets: Iterable[str | tuple[str, Any]] = (),
    scenario: str | None = None,
) -> Document:
    """Return the document of a YAML file; ScenarioError holds every problem found.

    Parameters
    ----------
    path : the file to start from
    sets : `a.b=3 MW` texts as on the command line, or (dotted key, plain value) pairs
    scenario : a name under `scenarios:` whose overrides are laid on
    """
    document, problems = gather(path, sets, scenario)
    if problems or document is None:
        raise ScenarioError(problems)
    return document


KINDS = {"scenario": ("topology", "run"), "sweep": ("axes", "sweep"), "calibration": ("telemetry", "calibrate")}
"""What a document may be: the key that tells, and the command that takes it."""


def of_another_kind(document: Document, kind: str) -> list[Problem]:
    """Return the one problem of a document that is plainly of another kind, in place of one for each of its keys."""
    if KINDS[kind][0] in document.tree:
        return []
    other = next((name for name, (key, _) in KINDS.items() if key in document.tree), None)
    if other is None:
        return []
    file = document.place_of(()).file
    told = f"this is a {other}, not a {kind}; for it there is gigawatt {KINDS[other][1]}"
    return [Problem(file, 1, 1, "", told)]


def gather(
    path: str | Path,
    sets: Iterable[str | tuple[str, Any]] = (),
    scenario: str | None = None,
    carried: Carried | None = None,
) -> tuple[Document | None, list[Problem]]:
    """Return what can be made of a file, and every problem found; see `read`. `carried` says what stays where an
    override names another kind.

    With problems the document may lack what a failed import or an unknown template would have
    brought; without a document nothing could be read.
    """
    problems: list[Problem] = []
    imports = Imports(problems)
    whole = imports.load(Path(path), Place(str(path), 1, 1))
    tree = _assembled(whole, sets, scenario, Overlay(problems, carried=carried)) if whole else None
    if whole is None or tree is None:
        return None, problems
    if tree.too_big:
        problems.append(tree.place.problem("", f"the document {tree.too_big}"))
        return None, problems
    tree, figures = take_figures(tree, problems)
    places = {path: node.place for path, node in walk(tree)}
    names = tuple(whole.entries["scenarios"].entries) if "scenarios" in whole.entries else ()
    return Document(to_plain(tree), places, figures, tuple(imports.done), names), problems


def _assembled(
    whole: Node,
    sets: Iterable[str | tuple[str, Any]],
    scenario: str | None,
    overlay: Overlay,
) -> Node:
    """Return the tree with templates opened, overrides and sets laid on."""
    problems = overlay.problems
    named, patches = whole.entries.get("templates"), []
    for override in chosen_overrides(whole, scenario, problems):
        changes, patch = split_templates(override)
        patches.append(patch)
        for change in changes:
            named = overlay.lay(named, change, "templates")
    templates = Templates(named, problems)
    kept = {key: child for key, child in whole.entries.items() if key not in _ABOUT_THE_TEXT}
    tree = templates.expand(branch(kept, whole.place))
    for patch in patches:
        tree = overlay.lay(tree, templates.expand(patch))
    return apply_sets(tree, sets, overlay)
