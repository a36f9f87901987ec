"""Datasheet figures with their sources: one YAML file per thing, one folder per kind.

A figure is a mapping `{value, source, evidence}` with an optional `range` and `note`; `source` is a
key of `sources.yaml`, which holds titles and addresses once. The catalog knows no specs: it hands
out figures, and `simulator.components.from_catalog` makes specs of them.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

from simulator.errors import nearest, squash

FOLDER = Path(__file__).parent
FIGURE_KEYS = frozenset({"value", "source", "evidence", "range", "note"})

# Words at the end of a model's name that say how it was tuned, packed or dated, not what it is.
TUNED = frozenset({"base", "chat", "instruct", "it", "thinking", "hf"})
PACKED = frozenset({"bf16", "fp16", "fp8", "fp4", "nvfp4", "mxfp4", "int8", "int4", "awq", "gptq"})
RELEASE_WORDS = TUNED | PACKED

# Names that fit an error message where none is like the one asked for.
MOST_LISTED = 20

Tree = Any
Figure = tuple[str, Tree, str, str, tuple[Tree, Tree] | None]


def kinds() -> tuple[str, ...]:
    """Return the kinds of thing the catalog lists, by folder name."""
    return tuple(sorted(folder.name for folder in FOLDER.iterdir() if _is_kind(folder)))


def names(kind: str) -> tuple[str, ...]:
    """Return the names of one kind, as their files are called."""
    return tuple(path.stem for path in _files(kind).values())


def load(kind: str, name: str) -> dict[str, Tree]:
    """Return the raw figures of one entry; KeyError carries the nearest names."""
    return _entry(kind, _file_of(kind, name))


def plain(tree: Tree) -> Tree:
    """Return the tree with every figure replaced by its value."""
    if is_figure(tree):
        return plain(tree["value"])
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    return [plain(item) for item in tree] if isinstance(tree, list) else tree


def figures(kind: str, name: str) -> list[Figure]:
    """Return (path, value, source, evidence, range) of every figure of one entry."""
    return [
        (path, f["value"], f["source"], f["evidence"], tuple(f["range"]) if "range" in f else None)
        for path, f in evidenced(kind, name)
    ]


def evidenced(kind: str, name: str) -> list[tuple[str, dict[str, Tree]]]:
    """Return (path, whole figure) of every figure of one entry."""
    return list(_walk(load(kind, name), ""))


def is_figure(tree: Tree) -> bool:
    """Tell whether a mapping is a value with its evidence."""
    return isinstance(tree, dict) and "value" in tree and tree.keys() <= FIGURE_KEYS


@lru_cache(maxsize=1)
def sources() -> dict[str, str]:
    """Return title and address by the short key that figures cite."""
    listed = _parse(FOLDER / "sources.yaml")
    return {key: ", ".join(filter(None, (s["title"], s.get("url")))) for key, s in listed.items()}


def _is_kind(folder: Path) -> bool:
    return folder.is_dir() and not folder.name.startswith((".", "_"))


@cache
def _files(kind: str) -> dict[str, Path]:
    """Return the files of a kind by squashed name: no file is opened for this."""
    if kind not in kinds():
        raise KeyError(f"the catalog has no kind {kind!r}{nearest(kind, kinds())}")
    return {squash(path.stem): path for path in sorted((FOLDER / kind).glob("*.yaml"))}


def _key(name: str) -> str:
    """Return a name without case, organisation, punctuation and a trailing -hf."""
    key = squash(name.rsplit("/", 1)[-1])
    return key.removesuffix("hf") if len(key) > 2 else key


@cache
def _file_of(kind: str, name: str) -> Path:
    """Return the file of a name; aliases are read only when no file is called so, and a model is
    looked for without its release words only when neither knows it.
    """
    found = _known(kind, name)
    if found is None and kind == "models":
        found = _known(kind, _released_as(name))
    if found is None:
        raise KeyError(f"the catalog has no {name!r} in {kind}{_cure(kind, name)}")
    return found


def _cure(kind: str, name: str) -> str:
    """Return the names, else aliases, nearest to an unknown one; all of a small kind if none is."""
    known = names(kind)
    aliases = [a for path in _files(kind).values() for a in _entry(kind, path).get("aliases", ())]
    listed = f"; there are {', '.join(known)}" if len(known) <= MOST_LISTED else ""
    return nearest(name, known) or nearest(name, aliases) or listed


def _known(kind: str, name: str) -> Path | None:
    return _files(kind).get(_key(name)) or _aliases(kind).get(_key(name))


def _released_as(name: str) -> str:
    """Return a model's name without release words and dates (four digits) at its end."""
    words = re.split(r"[-_ ]", name)
    while len(words) > 1 and (words[-1].lower() in RELEASE_WORDS or _is_date(words[-1])):
        words.pop()
    return "-".join(words)


def _is_date(word: str) -> bool:
    return len(word) == 4 and word.isdigit()


@cache
def _aliases(kind: str) -> dict[str, Path]:
    return {
        _key(alias): path
        for path in _files(kind).values()
        for alias in _entry(kind, path).get("aliases", ())
    }


@cache
def _entry(kind: str, path: Path) -> dict[str, Tree]:
    entry: dict[str, Tree] = _cited({"name": path.stem} | _parse(path))
    return entry


def _parse(path: Path) -> dict[str, Tree]:
    tree: dict[str, Tree] = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return tree


def _cited(tree: Tree) -> Tree:
    """Return the tree with each figure's source written out."""
    if is_figure(tree):
        return tree | {
            "source": sources()[tree["source"]],
            "value": _cited(tree["value"]),
        }
    if isinstance(tree, dict):
        return {key: _cited(value) for key, value in tree.items()}
    return [_cited(item) for item in tree] if isinstance(tree, list) else tree


def _walk(tree: Tree, path: str) -> Iterator[tuple[str, dict[str, Tree]]]:
    if is_figure(tree):
        yield path, tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _walk(value, f"{path}.{key}" if path else key)
    elif isinstance(tree, list):
        for number, item in enumerate(tree):
            name = item.get("name", str(number)) if isinstance(item, dict) else str(number)
            yield from _walk(item, f"{path}.{name}" if path else name)
