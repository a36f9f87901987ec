"""The whole document written back: units in the text, defaults and figures with their evidence.

What is written loads again to an equal scenario. The bytes depend on nothing but the inputs. No
path of this machine is in them: a weather file is named relative to the folder of the scenario's
own file, so that a copy of the resolved document beside it reads the same air.
"""

import os
from pathlib import Path
from typing import Any

import yaml

from simulator.documents import Figure
from simulator.scenario.evidence import Assumption, defaults
from simulator.scenario.spec import WEATHER_FILES, Scenario

_HEADER = (
    "# The whole scenario: imports, templates, overrides and --set laid on, defaults written out\n"
)
_WIDTH = 100


def resolved(scenario: Scenario) -> str:
    """Return the whole document as YAML that loads again to an equal scenario."""
    tree = scenario.spec.model_dump(mode="json", exclude_none=True)
    _rename_weather(scenario, tree)
    _rename_series(scenario, tree)
    _rename_traces(scenario, tree)
    for figure in scenario.document.figures:
        _put_back(tree, figure)
    for default in defaults(scenario.spec):
        _put_back(tree, default)
    text = yaml.dump(
        tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH,
        default_flow_style=False,
    )  # fmt: skip
    return _HEADER + text


class _Dumper(yaml.SafeDumper):
    """Writes every mapping in full, and short lists and figures in one line."""

    def ignore_aliases(self, data: Any) -> bool:
        """Return True: a reader should not have to follow anchors."""
        return True


def _sequence(dumper: yaml.SafeDumper, items: Any) -> yaml.Node:
    flow = not any(isinstance(item, dict | list) for item in items)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=flow)


def _mapping(dumper: yaml.SafeDumper, entries: Any) -> yaml.Node:
    flow = "evidence" in entries and "value" in entries
    first = sorted(entries, key=lambda key: key not in ("kind", "name"))  # stable: rest as is
    pairs = [(key, entries[key]) for key in first]
    return dumper.represent_mapping("tag:yaml.org,2002:map", pairs, flow_style=flow)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    """Quote what YAML 1.1 writers leave bare and 1.2 readers take for a number, such as 1e3."""
    plain = not text[:1].isdigit() and text[:1] not in "+-."
    style = None if plain or " " in text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(list, _sequence)
_Dumper.add_representer(dict, _mapping)
_Dumper.add_representer(str, _text)


def _rename_weather(scenario: Scenario, tree: dict[str, Any]) -> None:
    """Name the weather file relative to the folder of the scenario's own file."""
    home = Path(scenario.document.files[0]).parent
    for key in WEATHER_FILES:
        named = tree["weather"].get(key)
        if named is not None:
            path = os.path.relpath(scenario.weather_folder / named, home)
            tree["weather"][key] = Path(path).as_posix()


def _rename_series(scenario: Scenario, tree: dict[str, Any]) -> None:
    """Name the files of prices and carbon likewise."""
    home = Path(scenario.document.files[0]).parent
    for key, series in scenario.series.items():
        path = os.path.relpath(scenario.series_folder(key) / series.file, home)
        tree["economics"][key]["file"] = Path(path).as_posix()


def _rename_traces(scenario: Scenario, tree: dict[str, Any]) -> None:
    """Name the traces of requests likewise."""
    home = Path(scenario.document.files[0]).parent
    for work in tree["workloads"]:
        if work["name"] in scenario.traces:
            path = os.path.relpath(scenario.traces[work["name"]], home)
            work["requests"]["trace"] = Path(path).as_posix()


def _put_back(tree: dict[str, Any], figure: Figure | Assumption) -> None:
    """Replace the value at a figure's path by the figure, if it is still there."""
    holder, key = _find(tree, figure.path)
    if holder is None:
        return
    text = figure.text if isinstance(figure, Figure) else ""
    value = text if text.endswith("%") else holder[key]
    told: dict[str, Any] = {"value": value, "source": figure.source}
    told["evidence"] = figure.evidence
    if figure.range is not None:
        told["range"] = list(figure.range)
    if figure.note:
        told["note"] = figure.note
    holder[key] = told


def _find(node: Any, path: str) -> tuple[Any, Any]:
    """Return (mapping or list, key) of a dotted path; names may have dots themselves."""
    if isinstance(node, dict):
        known = {str(key): key for key in node}
    else:
        items = node if isinstance(node, list) else []
        known = {str(i["name"]) if _named(i) else str(k): k for k, i in enumerate(items)}
    if path in known:
        return node, known[path]
    for name, key in known.items():
        if path.startswith(f"{name}."):
            found = _find(node[key], path[len(name) + 1 :])
            if found[0] is not None:
                return found
    return None, None


def _named(item: Any) -> bool:
    return isinstance(item, dict) and "name" in item
