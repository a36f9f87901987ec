"""Values of a sweep's axis as a reader wants them: numbers with one unit where they are, else names."""

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import pandas as pd

from simulator.reports import wording

NUMBER = re.compile(r"([-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?)\s*(.*)")
UNITS = {"degC": "°C", "1": ""}
FILES = ("weather.epw", "weather.tmy3", "weather.csv")
DROPPED = ("topology", "workloads", "halls", "economics")
"""Leading parts of a key that tell a reader nothing."""


@dataclass(frozen=True)
class Axis:
    """One axis. `order` holds its values as written, in order of appearance or of size; `number` their
    numbers where all are numbers of one unit."""

    key: str
    words: str
    order: tuple[Any, ...]
    number: dict[Any, float]
    unit: str

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers of one unit."""
        return bool(self.number)

    @property
    def label(self) -> str:
        """Name with unit, for an axis of a figure."""
        return wording.sentence(self.words) + (f" ({self.unit})" if self.unit else "")

    def place(self, value: Any) -> float:
        """Return where a value stands: its number, or its place in the order."""
        return self.number[value] if self.numeric else float(self.order.index(value))

    def told(self, value: Any) -> str:
        """Return a value as a reader wants it."""
        if self.numeric:
            space = "" if not self.unit else wording.SPACE
            return f"{self.number[value]:g}{space}{self.unit}"
        return PurePath(str(value)).stem if self.key in FILES else wording.plain(value)


def read(key: str, column: pd.Series) -> Axis:
    """Return the axis of a column of `runs.parquet`."""
    values = list(dict.fromkeys(column))
    parsed = {value: _number(value) for value in values}
    known = [entry for entry in parsed.values() if entry is not None]
    units = {unit for number, unit in known if number != 0.0 or unit}
    words = " ".join(wording.plain(part) for part in key.split(".") if part not in DROPPED)
    if len(known) < len(values) or len(units) > 1:
        return Axis(key, words, tuple(values), {}, "")
    unit = next(iter(units), "")
    number = {value: entry[0] for value, entry in parsed.items() if entry is not None}
    return Axis(key, words, tuple(sorted(values, key=number.__getitem__)), number, UNITS.get(unit, unit))


def _number(value: Any) -> tuple[float, str] | None:
    """Return number and unit of a value; None for a name."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value), ""
    found = NUMBER.fullmatch(str(value).strip())
    return (float(found.group(1).replace("_", "")), found.group(2)) if found else None
