"""What changed in the inputs of two runs: their resolved documents by dotted path, and their files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from simulator.studies.folders import FolderError
from simulator.studies.run import MANIFEST

RESOLVED = "scenario.resolved.yaml"
ABSENT = ""
"""A path that a document does not have."""
_BESIDE = ("source", "evidence", "range", "note")
"""Keys of a figure that say where its value comes from."""


def changed(a: Path, b: Path) -> pd.DataFrame:
    """Return one row per path whose value differs: path, a, b (blank where a run lacks the path).

    Paths are those that `--set` takes; items of lists go by their `name`. Input files that have
    other bytes under the same name stand below as `inputs.<name>`.
    """
    left, right = _flat(a), _flat(b)
    pairs = {path: (left.get(path, ABSENT), right.get(path, ABSENT)) for path in {**left, **right}}
    ours, theirs = _files(a), _files(b)
    pairs |= {name: (ours[name], theirs[name]) for name in ours if name in theirs}
    rows = [(path, one, other) for path, (one, other) in pairs.items() if one != other]
    return pd.DataFrame(rows, columns=["path", "a", "b"])


def _flat(folder: Path) -> dict[str, str]:
    """Return the value of every path of a run's inputs, as text."""
    path = folder / RESOLVED
    if not path.is_file():
        raise FolderError(f"{folder} is not a run folder: it has no {RESOLVED}")
    return dict(_leaves("", yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)))


def _files(folder: Path) -> dict[str, str]:
    """Return the first figures of the hash of every file that decided the run, documents aside:
    what they say stands in the resolved one."""
    entries = json.loads((folder / MANIFEST).read_text())["inputs"]
    return {
        f"inputs.{Path(e['path']).name}": e["sha256"][:12] for e in entries if e["kind"] != "document"
    }


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and "value" in value and set(value) <= {"value", *_BESIDE}:
        yield from _leaves(path, value["value"])
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), child)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for place, item in enumerate(value):
            name = item.get("name", place) if isinstance(item, dict) else place
            yield from _leaves(f"{path}.{name}", item)
    else:
        yield path, json.dumps(value) if isinstance(value, list) else str(value)
