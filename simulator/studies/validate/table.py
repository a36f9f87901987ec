"""Validation tables: CSV in, rows out; what is wrong with a file is told all at once."""

import csv
import io
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from simulator.errors import Problem, ScenarioError, nearest
from simulator.studies.validate import exchange_table, reference_tables
from simulator.studies.validate.topic import Cells

NEEDED = ("topic", "measured")
"""Columns without which a table says nothing; every other may be absent."""
FOREIGN = (
    (exchange_table.HEADER, "topic", exchange_table.halves),
    (reference_tables.MLPERF, "topic", reference_tables.mlperf),
    (reference_tables.FIGURES, "measured", reference_tables.figure),
)
"""Tables in other forms: the columns by which one is known, the one it lacks, and what its rows become."""
_NO_LIMIT = 2**31 - 1


@dataclass(frozen=True)
class Row:
    """One published measurement and the configuration it was taken in."""

    file: str
    line: int
    cells: dict[str, str]
    """By column name, without surrounding blanks; a blank cell means "not given"."""
    measured: float | None
    """In the row's unit; None where the row is to be predicted blind."""

    @property
    def topic(self) -> str:
        """What is measured, and so which columns configure it."""
        return self.cells["topic"]

    @property
    def id(self) -> str:
        """The row's name; its place in the file where it has none."""
        return self.cells.get("id") or f"{Path(self.file).name}:{self.line}"


def read(paths: Iterable[Path]) -> list[Row]:
    """Return the rows of all tables in order; ScenarioError holds every problem of every one."""
    rows: list[Row] = []
    problems: list[Problem] = []
    for path in paths:
        for found in _parsed(path):
            (problems if isinstance(found, Problem) else rows).append(found)  # type: ignore[arg-type]
    if problems:
        raise ScenarioError(problems)
    return rows


def _parsed(path: Path) -> Iterator[Row | Problem]:
    """Yield the rows of one file, and a problem for each that cannot be read."""
    file = str(path)
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        told = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        yield Problem(file, 0, 0, "", f"cannot be read: {told}")
        return
    csv.field_size_limit(_NO_LIMIT)
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(lines, [])]
        wrong = list(_of_header(header, file))
        yield from wrong
        for cells in () if wrong else lines:
            if any(cell.strip() for cell in cells):
                yield from _rows(header, cells, file, lines.line_num)
    except csv.Error as error:
        yield Problem(file, lines.line_num, 0, "", f"not CSV: {error}")


def _of_header(header: list[str], file: str) -> Iterator[Problem]:
    """Yield what is wrong with the names of the columns."""
    for name in NEEDED:
        if name not in header and _form(header) is None:
            near = nearest(name, header)
            yield Problem(file, 1, 0, name, f"the table has no column '{name}'{near}")
    for name in sorted({n for n in header if n and header.count(n) > 1}):
        yield Problem(file, 1, 0, name, f"{header.count(name)} columns are called '{name}'")


def _form(header: list[str]) -> Callable[[Cells, str], Iterator[dict[str, str]]] | None:
    """Return what makes rows of a table in another form; None for a table as this reads them."""
    for known, lacking, convert in FOREIGN:
        if lacking not in header and set(header) >= known:
            return convert
    return None


def _rows(header: list[str], cells: list[str], file: str, line: int) -> Iterator[Row | Problem]:
    """Yield the rows that a line holds: one, or those that a table in another form makes of it."""
    if len(cells) != len(header):
        told = f"{len(cells)} cells under {len(header)} columns: a comma unquoted or left out"
        yield Problem(file, line, 0, "", told)
        return
    by_name = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    convert = _form(header)
    made = convert(by_name, f"{Path(file).name}:{line}") if convert else [by_name]
    for named in made:
        yield _row(named, file, line)


def _row(by_name: dict[str, str], file: str, line: int) -> Row | Problem:
    if not by_name["topic"]:
        return Problem(file, line, 0, "topic", "not given")
    measured = _number(by_name["measured"])
    if measured is not None and not math.isfinite(measured):
        return Problem(file, line, 0, "measured", f"'{by_name['measured']}' is not a number")
    return Row(file, line, by_name, measured)


def _number(cell: str) -> float | None:
    """Return the number of a cell, None for a blank one, NaN for anything else."""
    if not cell:
        return None
    try:
        return float(cell)
    except ValueError:
        return math.nan
