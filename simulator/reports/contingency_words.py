"""What a contingency report calls its rows, and by what it compares them."""

from typing import Any

import pandas as pd

from simulator.reports import wording

MEASURES = {"hours_per_year": "a year", "hours_per_failure": "each time; nothing here fails by chance"}
"""What cases compare by, in words."""
NAME_MOST = 38
"""Characters of a name on an axis."""


def measure(tried: pd.DataFrame) -> str:
    """Return the column by which cases compare: what they cost a year, or each time where nothing fails
    by chance."""
    return "hours_per_year" if (tried["rate_per_year"] > 0.0).any() else "hours_per_failure"


def failures(tried: pd.DataFrame) -> pd.DataFrame:
    """Return single failures, without planned work."""
    return tried[(tried["order"] == 1) & ~tried["planned"].astype(bool)]


def named(row: Any) -> str:
    """Return a case as a reader meets it: the element, or all of those alike, and of a single one the
    classes that strike it."""
    words = f"one of {row['stands_for']}" if row["stands_for"] else short(str(row["case"]))
    return f"{words} ({classes(row)})" if row["order"] == 1 else words


def label(row: dict[str, Any]) -> str:
    """Return a class of failures in words, and how many elements it can strike."""
    return f"{classes(row)} ({int(row['elements']):,})"


def classes(row: dict[str, Any]) -> str:
    """Return the classes of failure that a row stands for, in words."""
    first, *others = str(row["class"]).split(", ")
    if row["order"] == 1:
        planned = " (planned)" if row["planned"] else ""
        if others:
            return f"{row['out']}, any of {len(others) + 1} causes"
        return f"{wording.plain(first)}{planned}"
    several = [wording.plain(name) for name in (first, *others)]
    return f"{row['order']} × {several[0]}" if len(set(several)) == 1 else " + ".join(several)


def short(name: str) -> str:
    """Return a name as it fits on an axis or into a column."""
    return name if len(name) <= NAME_MOST else f"{name[: NAME_MOST - 1]}…"
