"""What the reader chooses on top of the files: a scenario (a list of overrides) and `--set`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from simulator.documents.figures import is_figure
from simulator.documents.merging import Overlay, not_a_kind, split_key
from simulator.documents.nodes import MOST_LEVELS, Node, Place, branch, by_name, from_plain, joined
from simulator.documents.yaml_text import read_text
from simulator.errors import Problem, nearest, nearest_of

SET = "--set"
_WEATHER_SOURCES = ("epw", "tmy3", "csv", "station")
_WEATHER_FILES = ("epw", "tmy3", "csv")
_SERIES_FILES = ("economics.prices.file", "economics.emissions.file")


def chosen_overrides(tree: Node, scenario: str | None, problems: list[Problem]) -> list[Node]:
    """Return the override trees of a scenario in the order they are laid on.

    All scenarios are checked for names that do not exist, chosen or not.
    """
    overrides, scenarios = tree.entries.get("overrides"), tree.entries.get("scenarios")
    known = overrides.entries if overrides else {}
    lists = scenarios.entries if scenarios else {}
    for part, node in (("overrides", overrides), ("scenarios", scenarios)):
        if node is not None and not node.is_mapping:
            problems.append(node.place.problem(part, f"'{part}' are 'name: ...' lines"))
    named = _Scenarios(lists, known, problems)
    for name in lists:
        named.overrides(name)
    if scenario is None:
        return []
    if scenario not in lists:
        told = f"no scenario '{scenario}'{nearest_of(scenario, lists, 'scenarios')}"
        place = scenarios.place if scenarios else tree.place
        problems.append(place.problem("scenarios", told))
        return []
    return [known[name] for name in named.overrides(scenario)]


class _Scenarios:
    """The lists under `scenarios:`, each resolved once to the overrides it means."""

    def __init__(
        self, lists: dict[str, Node], known: dict[str, Node], problems: list[Problem]
    ) -> None:
        self._lists = lists
        self._known = known
        self._problems = problems
        self._done: dict[str, list[str]] = {}

    def overrides(self, scenario: str, above: tuple[str, ...] = ()) -> list[str]:
        """Return the overrides of a scenario, those of scenarios it names included, each once."""
        if scenario not in self._done:
            given, found = self._lists[scenario], []
            for item in given.items if isinstance(given.value, list) else [given]:
                found += self._meant(item, (*above, scenario))
            self._done[scenario] = list(dict.fromkeys(found))
        return self._done[scenario]

    def _meant(self, item: Node, above: tuple[str, ...]) -> list[str]:
        """Return what one entry of a scenario's list stands for."""
        name = str(item.value)
        if name in self._known:
            return [name]
        if name in self._lists and name not in above and len(above) < MOST_LEVELS:
            return self.overrides(name, above)
        if name in self._lists:
            told = f"scenarios name each other: {' -> '.join((*above, name))}"
        elif item.value is None:
            return []
        else:
            told = f"no override '{name}'{nearest(name, [*self._known, *self._lists])}"
        self._problems.append(item.place.problem(joined("scenarios", above[-1]), told))
        return []


def split_templates(patch: Node) -> tuple[list[Node], Node]:
    """Return what an override changes in `templates:`, and the rest of it."""
    changes, rest = [], {}
    for key, child in patch.entries.items():
        first, _, deeper = key.partition(".")
        if first == "templates":
            changes.append(branch({deeper: child}, child.place) if deeper else child)
        else:
            rest[key] = child
    return changes, branch(rest, patch.place) if patch.is_mapping else patch


def apply_sets(tree: Node, sets: Iterable[str | tuple[str, Any]], overlay: Overlay) -> Node:
    """Return the tree with every `a.b=value` laid on, kinds first, in order."""
    told = [_split(given, Place(SET, number, 1), overlay.problems) for number, given in enumerate(sets, start=1)]
    for key, value in sorted((found for found in told if found), key=not_a_kind):
        tree = _set(tree, key, value, overlay)
    return tree


def _split(
    given: str | tuple[str, Any], place: Place, problems: list[Problem]
) -> tuple[str, Node] | None:
    """Return (dotted key, value node) of one `--set`, None when it cannot be read."""
    if isinstance(given, tuple):
        return given[0], from_plain(given[1], place)
    key, equals, text = given.partition("=")
    if not equals or not key.strip():
        problems.append(place.problem("", f"'{given}': write key=value, e.g. a.b='3 MW'"))
        return None
    value = read_text(text, SET, problems, place)
    return (key.strip(), value) if value else None


def _set(tree: Node, key: str, value: Node, overlay: Overlay) -> Node:
    """Return the tree with one value set; an unknown way to it is a problem."""
    if key.startswith("weather."):
        source = key.removeprefix("weather.")
        if source in _WEATHER_FILES and isinstance(value.value, str):
            value = Node(str(Path(value.value).expanduser().absolute()), value.place)
        if source in _WEATHER_SOURCES:
            whole = branch({source: value}, value.place)
            return branch({**tree.entries, "weather": whole}, tree.place)
    if key in _SERIES_FILES and isinstance(value.value, str):
        value = Node(str(Path(value.value).expanduser().absolute()), value.place)
    told = "items of lists stand after a dot, by name or number: a.b.0=X" if "[" in key else _dead_end(tree, key)
    if told:
        overlay.problems.append(value.place.problem(key, told))
        return tree
    return overlay.lay(tree, branch({key: value}, value.place))


def _dead_end(tree: Node, key: str) -> str:
    """Return why a dotted key leads nowhere; nothing when it does, or when the schema must judge.

    A key not written in the files may still be one the schema knows, with a default, however like a
    written one it looks; the schema also knows the nearest of all keys that may stand there.
    """
    if key.count(".") >= MOST_LEVELS:
        return f"the key has more than {MOST_LEVELS} parts"
    node, rest = tree, key
    while rest:
        names = by_name(node)
        first, rest = split_key(rest, node.entries if names is None else names)
        child = _child(node, first)
        if child is None:
            told = f"no item '{first}' in this list{nearest_of(first, names or (), 'names')}"
            return "" if node.is_mapping else told
        single = is_figure(child) or not isinstance(child.value, dict | list | None)
        if rest and single:
            return f"'{first}' is a single value and has no '{rest}'"
        node = child
    return ""


def _child(node: Node, key: str) -> Node | None:
    """Return the child of a mapping by key, of a list by item name or index."""
    if node.is_mapping:
        return node.entries.get(key)
    names = by_name(node) or {}
    index = names.get(key, int(key) if key.isdecimal() else len(node.items))
    return node.items[index] if index < len(node.items) else None
