"""Aligned text: tables that read well in a terminal and split on spaces."""

from collections.abc import Iterable, Sequence
from typing import Any

MISSING = "-"


def number(value: Any, digits: int = 6) -> str:
    """Return a number with so many significant digits, never in powers of ten below 1e12."""
    if value is None:
        return MISSING
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}".replace(",", "")
    if value and not 1e-4 <= abs(value) < 1e12:
        return f"{value:.{digits}g}"
    whole = f"{value:.0f}" if abs(value) >= 10 ** (digits - 1) else f"{value:.{digits}g}"
    return f"{float(whole):.10f}".rstrip("0").rstrip(".")


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()
) -> list[str]:
    """Return lines with aligned columns; those numbered in `right` end flush."""
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    ends = set(right)
    return [
        "  ".join(
            text.rjust(width) if i in ends else text.ljust(width)
            for i, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
