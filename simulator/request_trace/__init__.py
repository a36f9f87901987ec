"""A trace of requests: CSV, JSONL or Parquet with one row per request, read whole or not at all.

Every problem is told with file and line (with the row where there are no lines). Published traces
are read as they are: Azure's (`TIMESTAMP, ContextTokens, GeneratedTokens`) and Mooncake's
(`timestamp` in ms, `input_length, output_length, hash_ids`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from simulator.errors import Problem, ScenarioError, StudyError, nearest
from simulator.request_trace.text import TEXT, Read

MOST_TOKENS = 10_000_000
"""Longest input or output that is taken for one; no model reads or writes a tenth of it."""
MOST_SECONDS = 100 * 366 * 86_400.0
MOST_LEVELS = 16
SHOWN = 50
"""Lines with the same problem that are told one by one."""
MS_PER_S = 1e3

ARRIVAL = ("arrival_s", "TIMESTAMP", "timestamp")
INPUT = ("input_tokens", "ContextTokens", "input_length")
OUTPUT = ("output_tokens", "GeneratedTokens", "output_length")
BLOCKS = ("hash_ids", "prefix_blocks")
KNOWN = (*ARRIVAL, *INPUT, *OUTPUT, *BLOCKS, "priority", "cached_tokens", "images", "model", "class")
MOST_IMAGES = 10_000
"""Of a prompt; more are taken for a mistake."""
BLOCK_TOKENS = 512
"""Tokens that a number in `hash_ids` stands for, in Mooncake's traces (arXiv:2407.00079)."""

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class RequestTrace:
    """Requests in the order they arrive; arrays of one length."""

    path: Path
    arrival_s: NDArray[np.float64]
    """Seconds; from the first arrival where the file gives dates."""
    input_tokens: Ints
    output_tokens: Ints
    priority: Ints
    """Lower goes first."""
    cached_tokens: Ints
    """Leading tokens of the prompt that the replica holds already."""
    images: Ints | None = None
    """Images that come with the prompt, beside its text; None: none."""
    models: pa.Array | None = None
    classes: pa.Array | None = None
    blocks: tuple[Ints, NDArray[np.int32]] | None = None
    """First block of each request (and the end), and the blocks' numbers from 0."""
    remarks: tuple[str, ...] = ()
    """Columns that are not read, though their names are nearly those of columns that are."""

    @property
    def requests(self) -> int:
        """How many."""
        return len(self.arrival_s)


def read(path: Path) -> RequestTrace:
    """Return a trace; ScenarioError carries every problem, StudyError an unknown kind of file."""
    kind = path.name.removesuffix(".gz").rpartition(".")[2].lower()
    if kind not in TEXT:
        known = ", ".join(f".{name}" for name in TEXT)
        raise StudyError(f"{path.name}: a trace is {known}, text also with .gz behind")
    if not path.is_file():
        raise StudyError(f"there is no file '{path}'")
    try:
        found = TEXT[kind](path)
    except (EOFError, OSError, zlib.error) as error:
        raise ScenarioError([Problem(str(path), 0, 0, "", f"cannot be read: {error}")]) from None
    return _Columns(path, found).trace()


class _Columns:
    """The columns of a table, checked one after the other; problems pile up."""

    def __init__(self, path: Path, found: Read) -> None:
        self.path, self.found, self.table = path, found, found.table
        self.problems = list(found.problems)

    def trace(self) -> RequestTrace:
        names = [self.one_of(wanted) for wanted in (ARRIVAL, INPUT, OUTPUT)]
        if not all(names) or not self.table.num_rows:
            if all(names) and not self.problems:
                self.whole("has no requests")
            raise ScenarioError(self.problems)
        arrival, asked, given = (str(name) for name in names)
        trace = RequestTrace(
            self.path,
            self.arrival(arrival),
            self.whole_numbers(asked, 1, MOST_TOKENS),
            self.whole_numbers(given, 1, MOST_TOKENS),
            self.whole_numbers("priority", 0, MOST_LEVELS - 1),
            self.whole_numbers("cached_tokens", 0, MOST_TOKENS),
            self.whole_numbers("images", 0, MOST_IMAGES) if "images" in self.table.column_names else None,
            self.labels("model"),
            self.labels("class"),
            self.blocks(),
            self.remarks(),
        )
        if self.problems:
            raise ScenarioError(self.problems)
        return trace

    # Problems

    def whole(self, message: str) -> None:
        """Note a problem of the whole file."""
        self.problems.append(Problem(str(self.path), 0, 0, "", message))

    def bad(
        self, column: str, wrong: NDArray[np.bool_], message: Callable[[int], str]
    ) -> NDArray[np.bool_]:
        """Note a problem for each row in which `wrong` holds; many are counted."""
        rows = np.flatnonzero(wrong)
        for row in rows[:SHOWN]:
            line = self.found.line(int(row))
            self.problems.append(Problem(str(self.path), line, 0, column, message(int(row))))
        if len(rows) > SHOWN:
            more, line = len(rows) - SHOWN, self.found.line(int(rows[SHOWN]))
            told = f"and {more} more from this line on: {message(int(rows[SHOWN]))}"
            self.problems.append(Problem(str(self.path), line, 0, column, told))
        return wrong

    # Columns

    def one_of(self, wanted: tuple[str, ...]) -> str | None:
        """Return the column that has one of the names; a problem if none or several have."""
        names = self.table.column_names
        if not any(name in names for name in wanted):
            hint = next(filter(None, (nearest(name, names) for name in wanted)), "")
            self.whole(f"has no column {' or '.join(wanted)}{hint}; it has {', '.join(names)}")
        return self.one_at_most(wanted)

    def one_at_most(self, wanted: tuple[str, ...]) -> str | None:
        """Return the column that has one of the names; a problem if several have."""
        found = [name for name in wanted if name in self.table.column_names]
        if len(found) > 1:
            self.whole(f"has {' and '.join(found)}, which mean the same; keep one")
        return found[0] if len(found) == 1 else None

    def remarks(self) -> tuple[str, ...]:
        """Return what to tell of columns that may be misspelt."""
        unknown = [name for name in self.table.column_names if name not in KNOWN]
        hints = ((name, nearest(name, KNOWN, most=1)) for name in unknown)
        return tuple(f"column '{name}' is not read{hint}" for name, hint in hints if hint)

    def numbers(self, name: str) -> NDArray[np.float64]:
        """Return a column as numbers; what is missing or none is noted and taken for 0."""
        column = self.table[name].combine_chunks()
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            return self.parsed(name, column)
        if not (pa.types.is_integer(column.type) or pa.types.is_floating(column.type)):
            if not pa.types.is_null(column.type):
                self.whole(f"{name}: holds {column.type}, not numbers")
                return np.zeros(len(column))
            column = column.cast(pa.float64())
        missing = _mask(column.is_null())
        values = np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), 0.0))
        self.bad(name, missing, lambda _: "is missing")
        odd = self.bad(name, ~np.isfinite(values), lambda row: f"is {values[row]}")
        return np.where(odd, 0.0, values)

    def parsed(self, name: str, column: Any) -> NDArray[np.float64]:
        """Return text as numbers."""
        text = column.to_pylist()
        values = np.zeros(len(text))
        missing, wrong = np.zeros(len(text), bool), np.zeros(len(text), bool)
        for row, word in enumerate(text):
            if word is None or not word.strip():
                missing[row] = True
                continue
            try:
                values[row] = float(word)
            except ValueError:
                wrong[row] = True
        wrong |= ~np.isfinite(values)
        self.bad(name, missing, lambda _: "is missing")
        self.bad(name, wrong, lambda row: f"is '{text[row]}', not a number")
        return np.where(missing | wrong, 0.0, values)

    def whole_numbers(self, name: str, least: int, most: int) -> Ints:
        """Return a column of whole numbers within limits; `least` where there is no such column."""
        if name not in self.table.column_names:
            return np.full(self.table.num_rows, least)
        before = len(self.problems)
        values = self.numbers(name)
        known = np.ones(len(values), bool) if len(self.problems) == before else values != 0.0

        def told(row: int, why: str) -> str:
            return f"is {values[row]:.10g}{why}"

        self.bad(name, known & (values % 1.0 != 0.0), lambda r: told(r, ", not a whole number"))
        low, high = known & (values < least), values > most
        self.bad(name, low, lambda r: told(r, f"; {least} at least"))
        self.bad(name, high, lambda r: told(r, f"; more than {most:,} is taken for a mistake"))
        return np.where(low | high, least, values).astype(np.int64)

    def arrival(self, name: str) -> NDArray[np.float64]:
        """Return arrivals in seconds, in order."""
        before = len(self.problems)
        column = self.table[name].combine_chunks()
        if name == "TIMESTAMP":
            values = self.dates(name, column)
        else:
            values = self.numbers(name) / (MS_PER_S if name == "timestamp" else 1.0)
        if len(self.problems) > before:
            return values
        self.bad(name, values < 0.0, lambda row: f"is {values[row]:.10g} s, before the start")
        late = values > MOST_SECONDS
        self.bad(name, late, lambda row: f"is {values[row]:.10g} s, more than a hundred years")
        back = np.diff(values, prepend=values[:1]) < 0.0
        self.bad(name, back, lambda _: "arrives before the request above it; sort the trace")
        return values

    def dates(self, name: str, column: Any) -> NDArray[np.float64]:
        """Return dates as seconds from the first."""
        if pa.types.is_string(column.type):
            missing = _mask(pc.or_kleene(column.is_null(), pc.equal(column, "")))
            self.bad(name, missing, lambda _: "is missing")
            stamps = pa.array([_date(word) for word in column.to_pylist()], pa.int64())
            unread = _mask(stamps.is_null()) & ~missing
            self.bad(name, unread, lambda row: f"is '{column[row]}', not a date and time")
            nanoseconds = np.asarray(pc.fill_null(stamps, 0))
        elif pa.types.is_timestamp(column.type):
            missing = self.bad(name, _mask(column.is_null()), lambda _: "is missing")
            as_ns = column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64())
            nanoseconds = np.asarray(pc.fill_null(as_ns, 0))
        else:
            return self.numbers(name)
        return (nanoseconds - nanoseconds[0]) / 1e9

    def labels(self, name: str) -> pa.Array | None:
        """Return a column of names, or None if there is none."""
        if name not in self.table.column_names:
            return None
        column = self.table[name].combine_chunks().cast(pa.string())
        self.bad(name, _mask(column.is_null()), lambda _: "is missing")
        return column

    def blocks(self) -> tuple[Ints, NDArray[np.int32]] | None:
        """Return the prefix blocks: where each request's begin, and their numbers."""
        name = self.one_at_most(BLOCKS)
        if name is None:
            return None
        column = self.table[name].combine_chunks()
        if pa.types.is_integer(column.type) or pa.types.is_null(column.type):
            column = column.cast(pa.string())
        if pa.types.is_string(column.type):
            column = pc.split_pattern_regex(pc.utf8_trim(column, " []"), "[ ,;]+")
        if not pa.types.is_list(column.type):
            self.whole(f"{name}: holds {column.type}, not lists of numbers")
            return None
        lengths = np.asarray(pc.fill_null(pc.list_value_length(column), 0)).astype(np.int64)
        start = np.concatenate(([0], np.cumsum(lengths)))
        encoded = pc.list_flatten(column).dictionary_encode()
        return start, np.asarray(encoded.indices).astype(np.int32)


def _date(word: str | None) -> int | None:
    """Return the nanoseconds of a date and time, or None."""
    if not word:
        return None
    try:
        utc = word.strip().removesuffix("Z").removesuffix("+00:00")
        return int(np.datetime64(utc, "ns").astype(np.int64))
    except ValueError:
        return None


def _mask(values: Any) -> NDArray[np.bool_]:
    return np.asarray(values).astype(bool)
