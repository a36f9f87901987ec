"""What a topic is, which ones there are, and how a row's cells are read."""

import importlib
import importlib.util
import math
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from simulator.errors import nearest
from simulator.units import parse

Cells = Mapping[str, str]
"""A row by column name; a blank cell means "not given"."""
PACKAGE = __name__.rpartition(".")[0]


@dataclass(frozen=True)
class Simulated:
    """What this simulator says of one row."""

    value: float
    """In the row's unit."""
    searched: bool = False
    """The row does not publish its parallel plan: the value is that of the best plan found."""
    note: str = ""
    """What was chosen in place of cells that are not given."""


@dataclass(frozen=True)
class Topic:
    """What a module of this package holds."""

    simulate: Callable[[Cells], Simulated]
    quantity: str
    """The module's `QUANTITY`: what is measured where a table has no such column."""


@cache
def topics() -> dict[str, Topic]:
    """Return every topic by its name."""
    folder = importlib.import_module(PACKAGE).__path__
    found = {module.name: _topic(module.name) for module in pkgutil.iter_modules(folder)}
    return {name: topic for name, topic in found.items() if topic is not None}


def topic(name: str) -> Topic:
    """Return one topic; KeyError carries the nearest names."""
    found = _topic(name)
    if found is None:
        raise KeyError(f"there is no topic '{name}'{nearest(name, topics())}")
    return found


@cache
def _topic(name: str) -> Topic | None:
    """Return the topic of a module, None where there is no such module or it simulates nothing."""
    if not name.isidentifier() or importlib.util.find_spec(f"{PACKAGE}.{name}") is None:
        return None
    module = importlib.import_module(f"{PACKAGE}.{name}")
    simulate = getattr(module, "simulate", None)
    return simulate and Topic(simulate, getattr(module, "QUANTITY", ""))


def given(row: Cells, column: str) -> str:
    """Return a cell that must be given; ValueError names the column."""
    cell = row.get(column, "")
    if not cell:
        raise ValueError(f"{column} is not given")
    return cell


def number(row: Cells, column: str, default: float | None = None) -> float:
    """Return a finite number of zero or more; a blank cell is the default, if there is one."""
    if default is not None and not row.get(column):
        return default
    cell = given(row, column)
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0.0:
        raise ValueError(f"{column} is '{cell}', not a number of zero or more")
    return value


def count(row: Cells, column: str, default: int | None = None) -> int:
    """Return a whole number of one or more; a blank cell is the default, if there is one."""
    value = number(row, column, default)
    if value < 1.0 or value != int(value):
        raise ValueError(f"{column} is '{row[column]}', not a whole number of one or more")
    return int(value)


def in_unit(value: float, si_unit: str, row: Cells) -> float:
    """Return an SI value in the row's unit; a row without a unit means the SI one.

    `si_unit` is "1" for counts and shares.
    """
    unit = row.get("unit") or si_unit
    return value if unit == si_unit else value / parse(f"1 {unit}", si_unit)
