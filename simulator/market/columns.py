"""Times and one column of values out of a CSV or Parquet file, of one zone."""

import csv
import gzip
import io
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from simulator.errors import nearest

Text = Sequence[object]
"""Cells as the file has them: text, or what Parquet keeps."""
TIMES = ("time", "datetime_utc")
ZONES = ("zone_key", "zone", "site")


class MarketError(ValueError):
    """All problems of one file."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def of_file(name: str, content: bytes, column: str, zone: str | None) -> tuple[Text, Text]:
    """Return the times and the values of a zone's rows."""
    table = _parquet(content) if name.lower().endswith(".parquet") else _csv(name, content)
    time = next((key for key in TIMES if key in table), None)
    problems = [] if time else [f"column '{TIMES[0]}' or '{TIMES[1]}' is missing"]
    if column not in table:
        problems.append(f"there is no column '{column}'{nearest(column, table)}")
    if problems or time is None:
        raise MarketError(problems)
    rows = _rows_of(table, zone)
    stamps = [table[time][i] for i in rows]
    if time == "datetime_utc":
        stamps = [f"{s}Z" if isinstance(s, str) and _bare(s) else s for s in stamps]
    return stamps, [table[column][i] for i in rows]


def times(cells: Text) -> NDArray[np.datetime64]:
    """Return times in UTC to the minute; those without an offset are an error."""
    known = [_parsed(cell) for cell in cells]
    bad = [str(cell) for cell, time in zip(cells, known, strict=True) if time is None]
    if bad:
        raise MarketError([f"'{bad[0]}' is no time with an offset from UTC, like 2023-07-14T15:00Z"])
    return np.array([t.astimezone(UTC).replace(tzinfo=None) for t in known if t], dtype="datetime64[m]")


def numbers(cells: Text, column: str) -> NDArray[np.float64]:
    """Return values; blank ones as NaN."""
    try:
        return np.array([np.nan if c in ("", None) else float(c) for c in cells])  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise MarketError([f"column '{column}' holds what is no number"]) from None


def _csv(name: str, content: bytes) -> dict[str, Text]:
    try:
        content = gzip.decompress(content) if name.lower().endswith(".gz") else content
        rows = [row for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) if row]
    except (EOFError, zlib.error, UnicodeDecodeError, csv.Error):
        raise MarketError(["not a CSV file, or a packed one that is damaged"]) from None
    header = [cell.strip() for cell in rows[0]] if rows else []
    short = [i + 2 for i, row in enumerate(rows[1:]) if len(row) != len(header)]
    if short:
        raise MarketError([f"line {short[0]} does not have {len(header)} cells"])
    return {key: [row[i].strip() for row in rows[1:]] for i, key in enumerate(header)}


def _parquet(content: bytes) -> dict[str, Text]:
    import pyarrow  # a third of a second, for runs with such a file only
    from pyarrow import parquet

    try:
        table = parquet.read_table(io.BytesIO(content))
    except pyarrow.ArrowInvalid:
        raise MarketError(["not a Parquet file"]) from None
    return {name: table[name].to_pylist() for name in table.column_names}


def _rows_of(table: dict[str, Text], zone: str | None) -> Sequence[int]:
    """Return the rows of a zone by number."""
    key = next((key for key in ZONES if key in table), None)
    count = len(next(iter(table.values())))
    if key is None:
        if zone is not None:
            raise MarketError([f"there is no column {', '.join(ZONES)} to find '{zone}' in"])
        return range(count)
    known = list(dict.fromkeys(str(cell) for cell in table[key]))
    if zone is None and len(known) > 1:
        raise MarketError([f"rows of several zones: give zone, one of {', '.join(known)}"])
    if zone is not None and zone not in known:
        raise MarketError([f"there is no zone '{zone}'{nearest(zone, known)}"])
    return [i for i, cell in enumerate(table[key]) if zone is None or str(cell) == zone]


def _bare(text: str) -> bool:
    time = _as_iso(text)
    return time is not None and time.tzinfo is None


def _parsed(cell: object) -> datetime | None:
    time = cell if isinstance(cell, datetime) else _as_iso(str(cell))
    return None if time is None or time.tzinfo is None else time


def _as_iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
