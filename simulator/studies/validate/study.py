"""Rows in, measured against simulated out: by row, and summarised by topic and by group."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from simulator.studies.validate.table import Row
from simulator.studies.validate.topic import Simulated, topic

SEARCHED = " (plan searched)"
"""Behind the topic of rows whose parallel plan was not published: they are summarised apart."""
GROUPING = ("stack", "engine", "network", "accelerator")
"""Columns that name what a row was measured on; those a table has make a row's group."""
KEYS = ("topic", "id", "quantity", "unit", "measured", "simulated", "error_pct", "reason")
MORE = ("searched", "note", "group", "source")
Progress = Callable[[int], None]
"""Told how many rows are done."""


def validate(rows: Iterable[Row], progress: Progress | None = None) -> pd.DataFrame:
    """Return one row per row of the tables, in their order, none dropped.

    Columns: those of the contract (`KEYS`), then `searched` (the parallel plan was not published),
    `note` (what was chosen for it), `group` (stack or engine, and chip) and `source`. `simulated`
    is in the row's unit and `error_pct` = 100 (simulated - measured) / measured, of a bound or a
    range 0 where it is kept; both are None where there is none, with a `reason` where the row could
    not be simulated.
    """
    tell = progress or (lambda done: None)
    records = []
    for done, row in enumerate(rows, 1):
        records.append(_record(row))
        tell(done)
    return pd.DataFrame(records, columns=[*KEYS, *MORE], dtype=object)


def summary(table: pd.DataFrame, by: tuple[str, ...] = ("topic",)) -> pd.DataFrame:
    """Return n, n_failed, median_abs_error_pct and p90_abs_error_pct by the given columns.

    Rows whose plan was searched have their topic marked and are counted apart. Errors are those of
    rows that have one; None where no row of a group has.
    """
    marked = table.assign(
        topic=[
            t + SEARCHED * bool(s) for t, s in zip(table["topic"], table["searched"], strict=True)
        ]
    )
    rows = []
    for names, part in marked.groupby(list(by), sort=False):
        errors = part["error_pct"].dropna().astype(float).abs()
        rows.append(
            {
                **dict(zip(by, names, strict=True)),
                "n": len(part),
                "n_failed": int(part["simulated"].isna().sum()),
                "median_abs_error_pct": float(errors.median()) if len(errors) else None,
                "p90_abs_error_pct": float(np.percentile(errors, 90)) if len(errors) else None,
            }
        )
    stats = ("n", "n_failed", "median_abs_error_pct", "p90_abs_error_pct")
    return pd.DataFrame(rows, columns=[*by, *stats], dtype=object)


def as_json(table: pd.DataFrame) -> dict[str, Any]:
    """Return the document of `gigawatt validate --json`: rows, and the summary of each topic."""
    topics = summary(table).set_index("topic").to_dict("index")
    return {"rows": table.drop(columns="source").to_dict("records"), "topics": topics}


def _record(row: Row) -> dict[str, Any]:
    """Return one row of the table."""
    found, reason = _simulated(row)
    value = None if found is None else found.value
    return {
        "topic": row.topic,
        "id": row.id,
        "quantity": row.cells.get("quantity") or _quantity(row),
        "unit": row.cells.get("unit", ""),
        "measured": row.measured,
        "simulated": value,
        "error_pct": _error_pct(value, _truth(value, row)),
        "reason": reason,
        "searched": found.searched if found else False,
        "note": found.note if found else "",
        "group": ", ".join(row.cells[name] for name in GROUPING if row.cells.get(name)),
        "source": row.cells.get("source", ""),
    }


def _simulated(row: Row) -> tuple[Simulated | None, str | None]:
    """Return what the topic says, or why it says nothing; one bad row never costs the others."""
    try:
        found = topic(row.topic).simulate(row.cells)
        found = Simulated(float(found.value), found.searched, found.note)
    except (ValueError, KeyError) as error:
        return None, _reason(error)
    except Exception as error:
        return None, f"this is a defect, not your row: {type(error).__name__}: {error}"
    if not math.isfinite(found.value):
        return None, f"the simulated value is {found.value}, not a number"
    return found, None


def _reason(error: ValueError | KeyError) -> str:
    """Return what an error says; of a component that would not be made, the first thing wrong."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        return f"{place}: {first['msg']}" if place else first["msg"].removeprefix("Value error, ")
    return str(error.args[0]) if error.args else type(error).__name__


def _quantity(row: Row) -> str:
    """Return what a row of its topic measures unless it says otherwise."""
    try:
        return topic(row.topic).quantity
    except KeyError:
        return ""


def _truth(simulated: float | None, row: Row) -> float | None:
    """Return what a value is held against: the measurement, or of a bound or a range the nearest
    value that it allows."""
    ends = [float(row.cells[end]) if row.cells.get(end) else None for end in ("least", "most")]
    if simulated is None or ends == [None, None]:
        return row.measured
    least, most = ends
    if least is not None and simulated < least:
        return least
    return most if most is not None and simulated > most else simulated


def _error_pct(simulated: float | None, measured: float | None) -> float | None:
    if simulated is None or not measured:
        return None
    return 100.0 * (simulated - measured) / measured
