"""Two ways to put trees together: `unite` (equals, a contradiction is an error) and `Overlay`
(one wins, because the author said so: an override, a template's user, `--set`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Container
from dataclasses import dataclass

from simulator.documents.figures import is_figure
from simulator.documents.nodes import (
    Node,
    branch,
    by_name,
    joined,
    name_of,
    same,
    to_plain,
)
from simulator.errors import Problem, nearest_of

REPLACE, KIND = "_REPLACE_", "kind"
Carried = Callable[[str, str | None, str], Container[str] | None]
"""Of a dotted path, the kind of thing there and that which takes its place: the keys that go on to it; None: all."""
_DOTTED = re.compile(r"(?:[A-Za-z_][\w-]*\.|\d+\.)+[A-Za-z_][\w-]*")


def unite(one: Node, other: Node, problems: list[Problem], path: str = "") -> Node:
    """Return what two files say together; saying different things is a problem of the second."""
    if one.is_mapping and other.is_mapping:
        entries = dict(one.entries)
        for key, child in other.entries.items():
            here = entries.get(key)
            entries[key] = unite(here, child, problems, joined(path, key)) if here else child
        return branch(entries, other.place)
    if by_name(one) is not None and by_name(other) is not None:
        return _unite_lists(one, other, problems, path)
    if not same(one, other):
        told = f"given as {_brief(other)} here and as {_brief(one)} at {one.place}"
        cure = "keep one, or put the change under 'overrides:'"
        problems.append(other.place.problem(path, f"{told}; {cure}"))
    return one


def _unite_lists(one: Node, other: Node, problems: list[Problem], path: str) -> Node:
    """Return two lists of named mappings as one, items of the same name united."""
    items, index = list(one.items), by_name(one) or {}
    for item in other.items:
        name = str(name_of(item))
        if name in index:
            at = index[name]
            items[at] = unite(items[at], item, problems, joined(path, name))
        else:
            items.append(item)
    return branch(items, one.place)


@dataclass(frozen=True)
class Overlay:
    """Lays a patch over a base: mappings and named lists merge, everything else is replaced.

    A mapping with `_REPLACE_: true` replaces too. With `dotted`, a key `a.b.c` of the patch is
    short for nested keys. Where the patch names another `kind`, only what `carried` says stays of the base.
    """

    problems: list[Problem]
    dotted: bool = True
    carried: Carried | None = None

    def lay(self, base: Node | None, patch: Node, path: str = "") -> Node:
        """Return `base` changed by `patch`; without a base the patch with its marks taken out."""
        if patch.is_mapping:
            return self._lay_mapping(base, patch, path)
        if base is not None and by_name(base) is not None and by_name(patch) is not None:
            return self._lay_named(base, patch, path)
        if patch.items:
            items = [self.lay(None, it, joined(path, i)) for i, it in enumerate(patch.items)]
            return branch(items, patch.place)
        return patch

    def _lay_mapping(self, base: Node | None, patch: Node, path: str) -> Node:
        merges = not self._replaces(patch, path) and not is_figure(patch)
        if base is not None and merges:
            if base.is_mapping and not (is_figure(base) and "value" in patch.entries):
                return self._lay_keys(base, patch, path)
            if _addresses(patch, base):
                return self._lay_items(base, patch, path)
        return self._lay_keys(branch({}, patch.place), patch, path)

    def _lay_keys(self, base: Node, patch: Node, path: str) -> Node:
        base = self._of_kind(base, patch, path)
        entries = dict(base.entries)
        for key, child in sorted(patch.entries.items(), key=not_a_kind):
            if key == REPLACE:
                continue
            first, rest = split_key(key, entries) if self.dotted else (key, "")
            child = branch({rest: child}, child.place) if rest else child
            entries[first] = self.lay(entries.get(first), child, joined(path, first))
        return branch(entries, base.place)

    def _of_kind(self, base: Node, patch: Node, path: str) -> Node:
        """Return what of a mapping stays under the `kind` that the patch names, placed where it is named."""
        named, before = patch.entries.get(KIND), base.entries.get(KIND)
        if self.carried is None or named is None or not isinstance(named.value, str):
            return base
        kept = self.carried(path, str(before.value) if before else None, named.value)
        if kept is None:
            return base
        return branch({key: child for key, child in base.entries.items() if key in kept}, named.place)

    def _lay_items(self, base: Node, patch: Node, path: str) -> Node:
        """Return a named list changed by a mapping of item name (or index) -> changes."""
        items, names = list(base.items), by_name(base) or {}
        for key, child in patch.entries.items():
            first, rest = split_key(key, names) if self.dotted else (key, "")
            at = names.get(first, int(first) if first.isdecimal() else len(items))
            if at >= len(items):
                told = f"no item '{first}' in this list{nearest_of(first, names, 'names')}"
                self.problems.append(child.place.problem(joined(path, first), told))
                continue
            child = branch({rest: child}, child.place) if rest else child
            items[at] = self.lay(items[at], child, joined(path, first))
        return branch(items, base.place)

    def _lay_named(self, base: Node, patch: Node, path: str) -> Node:
        """Return a named list with the items of another laid over those of the same name."""
        items, index = list(base.items), by_name(base) or {}
        for item in patch.items:
            name = str(name_of(item))
            here = joined(path, name)
            if name in index:
                items[index[name]] = self.lay(items[index[name]], item, here)
            else:
                items.append(self.lay(None, item, here))
        return branch(items, base.place)

    def _replaces(self, patch: Node, path: str) -> bool:
        """Return whether the patch asks to replace; anything but `true` is a problem."""
        mark = patch.entries.get(REPLACE)
        if mark is not None and mark.value is not True:
            told = f"'{REPLACE}' can only be true"
            self.problems.append(mark.place.problem(joined(path, REPLACE), told))
        return mark is not None


def not_a_kind(entry: tuple[str, object]) -> bool:
    """Return whether an entry sets something else than a kind: of several, kinds go first."""
    return entry[0].rpartition(".")[2] != KIND


def split_key(key: str, known: Container[str]) -> tuple[str, str]:
    """Return (first key, dotted rest): the longest known start, else the first word.

    A key such as `llama-3.1-70b`, which is not made of dotted words, is one key.
    """
    parts = key.split(".")
    for cut in range(len(parts), 0, -1):
        if ".".join(parts[:cut]) in known:
            return ".".join(parts[:cut]), ".".join(parts[cut:])
    if _DOTTED.fullmatch(key):
        return parts[0], ".".join(parts[1:])
    return key, ""


def _addresses(patch: Node, base: Node) -> bool:
    """Return whether a mapping laid on a list means its items, by name or by index."""
    if by_name(base) is not None:
        return True
    by_index = all(key.split(".")[0].isdecimal() for key in patch.entries)
    return isinstance(base.value, list) and by_index


def _brief(node: Node) -> str:
    """Return a value short enough for a message."""
    text = repr(to_plain(node)) if node.size < 20 else f"{node.size} values"
    return text if len(text) <= 60 else f"{text[:57]}..."
