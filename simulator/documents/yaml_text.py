"""YAML text -> nodes with places, by the YAML 1.2 core rules and nothing cleverer.

Only `true` and `false` are booleans (a country code `no` stays text), `12:30` and dates stay text,
`1e3` is a number, a second key of the same name is an error, tags are not allowed. The tree is
built from parser events with its depth checked on the way, because the composer of libyaml
overflows the C stack on deep nesting.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from simulator.documents.nodes import (
    MOST_LEVELS,
    MOST_NODES,
    Node,
    Place,
    Scalar,
    branch,
    joined,
)
from simulator.errors import Problem, display_name, nearest

MOST_BYTES = 8 * 1024 * 1024
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONSTANTS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?\d{1,300}")
_FLOAT = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|[-+]?\.(?:inf|Inf|INF)|\.nan")
_CURES = (
    (r"cannot start any token", r"\\t", "a tab: indent with spaces"),
    (r"cannot start any token", r"[@`%]", "a text starting with @, ` or % must be quoted"),
    (r"mapping values are not allowed", "", "quote a text that contains ': ', or indent the line"),
    (r"could not find expected ':'", "", "a key needs a ':' after it"),
    (r"did not find expected key", "", "check the indentation of this line and quote marks above"),
    (r"did not find expected '-' indicator", "", "list items must be indented alike"),
    (r"did not find expected ',' or", "", "close the bracket or add a comma"),
    (r"unexpected end of stream|while scanning a quoted", "", "close the quote mark"),
)


class _StopReadingError(Exception):
    """Nothing more can be made of this text."""


def read_file(path: Path, place: Place, problems: list[Problem]) -> Node | None:
    """Return the mapping a file holds; problems of the file itself are told at `place`."""
    text = _text_of(path, place, problems)
    if text is None:
        return None
    node = read_text(text, str(path), problems)
    start = Place(str(path), 1, 1)
    if node is not None and not node.is_mapping:
        empty = node.value is None
        kind = "a list" if node.items else f"only the text {node.value!r}"
        told = "the file is empty" if empty else f"the file holds {kind}"
        problems.append(start.problem("", f"{told}; it must hold 'key: value' lines"))
        return None
    return node


def read_text(
    text: str, file: str, problems: list[Problem], first: Place | None = None
) -> Node | None:
    """Return the one document of a text; with `first` every node is told to be at that place."""
    try:
        return _Builder(text, file, problems, first).document()
    except _StopReadingError:
        return None
    except (yaml.YAMLError, UnicodeError) as error:
        problems.append(_syntax_problem(error, text, file, first))
        return None


def _text_of(path: Path, place: Place, problems: list[Problem]) -> str | None:
    """Return the text of a file, or None with the reason among the problems."""
    shown = repr(display_name(str(path)))
    try:
        if path.is_dir():
            problems.append(place.problem("", f"{shown} is a folder; give a YAML file"))
        elif not path.is_file():
            problems.append(place.problem("", f"there is no file {shown}{_files_like(path)}"))
        elif path.stat().st_size > MOST_BYTES:
            problems.append(place.problem("", f"{shown} is larger than 8 MiB"))
        else:
            return _decode(path, problems)
    except OSError as error:
        problems.append(place.problem("", f"{shown} cannot be read: {error.strerror}"))
    return None


def _decode(path: Path, problems: list[Problem]) -> str | None:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        column = error.start - (before.rfind(b"\n") + 1) + 1
        place = Place(str(path), before.count(b"\n") + 1, column)
        byte = f"0x{raw[error.start]:02x}"
        problems.append(place.problem("", f"byte {byte} is not UTF-8; save the file as UTF-8"))
        return None


def _files_like(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return ""
    return nearest(path.name, (f.name for f in folder.iterdir() if f.suffix in (".yaml", ".yml")))


class _Builder:
    """Builds one node tree from the event stream of one text."""

    def __init__(self, text: str, file: str, problems: list[Problem], first: Place | None) -> None:
        self._loader = _Loader(text)
        self._next: Callable[[], Any] = self._loader.get_event
        self._file = file
        self._problems = problems
        self._first = first
        self._anchors: dict[str, Node] = {}

    def document(self) -> Node:
        """Return the only document of the stream; an empty stream is a null."""
        try:
            return self._document()
        finally:
            self._loader.dispose()

    def _document(self) -> Node:
        self._next()  # stream start
        event = self._next()
        if isinstance(event, yaml.StreamEndEvent):
            return Node(None, self._place(event))
        node = self._node(self._next(), "", 1)
        self._next()  # document end
        event = self._next()
        if not isinstance(event, yaml.StreamEndEvent):
            self._tell(event, "", "a second document starts here ('---'); one file holds one")
        return node

    def _node(self, event: Any, path: str, level: int) -> Node:
        if level > MOST_LEVELS:
            self._stop(event, "", f"nested deeper than {MOST_LEVELS} levels")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        if event.tag is not None:
            self._tell(event, path, f"tag '{_short(event.tag)}' is not allowed; leave it out")
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self._scalar(event, path), self._place(event))
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._list(event, path, level)
        else:
            node = self._mapping(event, path, level)
        if node.size > MOST_NODES:
            self._stop(event, path, f"this {node.too_big} (a 'YAML bomb'?)")
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any, path: str) -> Node:
        if event.anchor not in self._anchors:
            known = nearest(event.anchor, self._anchors)
            self._stop(event, path, f"'*{event.anchor}' points to no complete anchor{known}")
        return self._anchors[event.anchor]

    def _list(self, start: Any, path: str, level: int) -> Node:
        items: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, joined(path, len(items)), level + 1))
        return branch(items, self._place(start))

    def _mapping(self, start: Any, path: str, level: int) -> Node:
        entries: dict[str, Node] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            key = self._key(event, path)
            child = self._node(self._next(), joined(path, key), level + 1)
            place = self._place(event)
            if key in entries:
                told = f"duplicate key '{key}': already at {entries[key].place}"
                self._tell(event, joined(path, key), told)
                continue
            entries[key] = child.at(place)
        return branch(entries, self._place(start))

    def _key(self, event: Any, path: str) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self._stop(event, path, "a key must be plain text")
        if event.value == "<<" and event.implicit[0]:
            self._tell(event, path, "'<<' is not merged; use 'template: NAME' and 'templates:'")
        elif event.value == "" and event.implicit[0]:
            self._tell(event, path, "a key is missing before ':'")
        elif event.value.count(".") >= MOST_LEVELS:
            self._stop(event, path, f"a dotted key has more than {MOST_LEVELS} parts")
        return str(event.value)

    def _scalar(self, event: Any, path: str) -> Scalar:
        text: str = event.value
        if not event.implicit[0]:
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text.replace(".inf", "inf").replace(".nan", "nan"))
        return text

    def _place(self, event: Any) -> Place:
        mark = event.start_mark
        return self._first or Place(self._file, mark.line + 1, mark.column + 1)

    def _tell(self, event: Any, path: str, message: str) -> None:
        self._problems.append(self._place(event).problem(path, message))

    def _stop(self, event: Any, path: str, message: str) -> None:
        self._tell(event, path, message)
        raise _StopReadingError


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")


def _syntax_problem(error: Exception, text: str, file: str, first: Place | None) -> Problem:
    """Return a YAML error as place and cure."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    context = getattr(error, "context", None) or ""
    position = getattr(error, "position", None)
    if mark is not None:
        place = Place(file, mark.line + 1, mark.column + 1)
    else:
        before = text[: position or 0]
        place = Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
    line = text.splitlines()[place.line - 1 : place.line]
    here = repr(line[0][place.column - 1 :] if line else "")[1:]
    if "nesting depth" in reason:  # newer parsers stop before we count
        return (first or place).problem("", f"nested deeper than {MOST_LEVELS} levels")
    told = f"not valid YAML: {reason}"
    for pattern, start, cure in _CURES:
        if re.search(pattern, f"{context} {reason}") and re.match(start, here):
            told = f"{told} ({cure})"
            break
    return (first or place).problem("", told)
