"""Tables of requests from files, with the line that each row stands on."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.json as arrow_json
import pyarrow.parquet as pq
from numpy.typing import NDArray

from simulator.errors import Problem, ScenarioError

FIRST_ROW = 2
"""Line of the first row below a header."""


@dataclass(frozen=True)
class Read:
    """A table, and where its rows stand."""

    table: pa.Table
    first_line: int
    """Line of the first row."""
    problems: tuple[Problem, ...] = ()
    lines: Sequence[int] | NDArray[np.int64] | None = None
    """Line of each row, where some lines are no rows."""

    def line(self, row: int) -> int:
        """Return the line of a row."""
        return self.first_line + row if self.lines is None else int(self.lines[row])


def from_csv(path: Path) -> Read:
    """Return a CSV with a header; rows of another number of cells are problems.

    Numbers are read as such; a column in which one is not comes as text.
    """
    strays: list[Any] = []

    def stray(row: Any) -> str:
        strays.append(row)
        return "skip"

    def attempt(**convert: Any) -> pa.Table:
        strays.clear()
        return arrow_csv.read_csv(
            path,
            arrow_csv.ReadOptions(use_threads=False, block_size=1 << 24),
            arrow_csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=stray),
            arrow_csv.ConvertOptions(strings_can_be_null=True, timestamp_parsers=[arrow_csv.ISO8601], **convert),
        )  # fmt: skip

    try:
        table = attempt()
    except pa.ArrowInvalid as error:
        try:
            names = arrow_csv.open_csv(path).schema.names
            table = attempt(column_types=dict.fromkeys(names, pa.string()))
        except pa.ArrowInvalid:
            raise ScenarioError([Problem(str(path), 0, 0, "", f"is no CSV: {error}")]) from None
    problems = tuple(
        Problem(
            str(path), s.number, 0, "", f"has {s.actual_columns} cells, not {s.expected_columns}"
        )
        for s in strays
    )
    return _without_blanks(table, {s.number for s in strays}, problems)


def _without_blanks(table: pa.Table, strays: set[int], problems: tuple[Problem, ...]) -> Read:
    """Return the rows that are not blank lines, with the lines they stand on."""
    blank = pc.is_null(table[0])
    for column in table.columns[1:]:
        blank = pc.and_(blank, pc.is_null(column))
    kept = np.flatnonzero(~np.asarray(blank).astype(bool))
    if len(kept) == table.num_rows and not strays:
        return Read(table, FIRST_ROW)
    last = FIRST_ROW + table.num_rows + len(strays)
    lines = np.array([n for n in range(FIRST_ROW, last) if n not in strays], np.int64)
    return Read(table.take(pa.array(kept)), FIRST_ROW, problems, lines[kept])


def from_jsonl(path: Path) -> Read:
    """Return lines of JSON, one request each."""
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        text = file.read()
    try:
        options = arrow_json.ReadOptions(block_size=1 << 26)
        table = arrow_json.read_json(pa.BufferReader(text), options)
    except pa.ArrowInvalid:
        return _line_by_line(path, text)
    lines = text.count(b"\n") + (not text.endswith(b"\n"))
    return Read(table, 1) if table.num_rows == lines else _line_by_line(path, text)


def _line_by_line(path: Path, text: bytes) -> Read:
    """Return the lines that are objects, and what is wrong with the others."""
    rows: list[dict[str, Any]] = []
    problems, lines = [], []
    for number, line in enumerate(text.decode(errors="replace").split("\n"), 1):
        try:
            row = json.loads(line) if line.strip() else None
            told = "" if isinstance(row, dict) else "is no object"
        except json.JSONDecodeError as error:
            row, told = None, f"is no JSON: {error.msg}"
        if isinstance(row, dict):
            rows.append(row)
            lines.append(number)
        elif line.strip():
            problems.append(Problem(str(path), number, 0, "", told))
    names = dict.fromkeys(name for row in rows for name in row)
    table = pa.table({name: _column([row.get(name) for row in rows]) for name in names})
    return Read(table, 1, tuple(problems), lines)


def _column(values: list[Any]) -> pa.Array:
    """Return an array; as text where the values are not of one kind."""
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if v is None else str(v) for v in values], pa.string())


def from_parquet(path: Path) -> Read:
    """Return a Parquet table; its rows stand for lines."""
    try:
        return Read(pq.read_table(path), 1)
    except pa.ArrowInvalid as error:
        raise ScenarioError([Problem(str(path), 0, 0, "", f"is no Parquet: {error}")]) from None


TEXT: dict[str, Callable[[Path], Read]] = {
    "csv": from_csv,
    "jsonl": from_jsonl,
    "parquet": from_parquet,
}
"""Readers by the ending of the file's name."""
