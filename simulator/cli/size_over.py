"""`gigawatt size --over KEY=V,V`: the largest or smallest value of one input for every value of others."""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.cli.exits import INFEASIBLE
from simulator.cli.run import Given
from simulator.cli.size import Asked, folder_of, searched, stopped_by
from simulator.cli.text import table
from simulator.errors import ScenarioError, display_name
from simulator.studies import StudyError
from simulator.studies.distributions import parts_of
from simulator.studies.progress import say
from simulator.studies.size_folder import SizeFolder
from simulator.studies.written import write_table


def size_over(
    given: Given, asked: Asked, over: tuple[str, ...], output: Path | None, as_json: bool
) -> None:
    """Carry out the command: one search for every combination, the last key fastest."""
    axes = dict(_axis(text) for text in over)
    folder = SizeFolder(folder_of(given, output))
    folder.open()
    rows = [_row(given, asked, dict(zip(axes, values, strict=True)), folder)
            for values in product(*axes.values())]  # fmt: skip
    write_table(pd.DataFrame(rows), folder.path / "frontier.parquet")
    print(json.dumps(rows, indent=1) if as_json else "\n".join(_told(rows, asked, folder)))
    if all(row["value"] is None for row in rows):
        raise SystemExit(INFEASIBLE)


def _axis(text: str) -> tuple[str, list[str]]:
    """Return key and values of `KEY=V,V`."""
    key, equals, listed = text.partition("=")
    values = [value.strip() for value in listed.split(",")]
    if not equals or not key.strip() or not all(values):
        raise StudyError(f"--over '{text}': write KEY=V,V, e.g. 'topology.cooling.supply=36 degC,40 degC'")
    return key.strip(), values


def _row(given: Given, asked: Asked, chosen: dict[str, str], folder: SizeFolder) -> dict[str, Any]:
    """Return the others' values, and what the search found with them."""
    sets = tuple(f"{key}={value}" for key, value in chosen.items())
    say(", ".join(sets))
    try:
        answer, _ = searched(replace(given, sets=(*given.sets, *sets)), asked, folder)
    except ScenarioError as error:
        return {**chosen, "value": None, "next": None, "stopped_by": error.problems[0].message}
    value, beyond = (c.value if c else None for c in (answer.best, answer.beyond))
    return {**chosen, "value": value, "next": beyond, "stopped_by": stopped_by(answer)}


def _told(rows: list[dict[str, Any]], asked: Asked, folder: SizeFolder) -> Iterator[str]:
    key, direction = asked.key
    header = list(rows[0])
    shown = [key if name == "value" else name.replace("_", " ") for name in header]
    yield from table(shown, [["none" if row[name] is None else str(row[name]) for name in header] for row in rows])
    known = [row for row in rows if row["value"] is not None]
    if known:
        outermost = (max if direction == "max" else min)(known, key=lambda row: parts_of(row["value"])[0])
        at = ", ".join(f"{name} = {outermost[name]}" for name in header[:-3])
        yield f"\n{'largest' if direction == 'max' else 'smallest'} {key}: {outermost['value']} with {at}"
    yield f"\ntable: {display_name(str(folder.path / 'frontier.parquet'))}"
