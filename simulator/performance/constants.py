"""The constants of this floor with their sources, read from where they stand.

A constant is a module-level name in capitals with a number, below a comment that tells what it is
and ends with its evidence: `Assumed, range 0.65-0.85.` As with the fields of a spec, what is
written beside the value is the manual, so the register cannot disagree with the code.
"""

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import NamedTuple

_EVIDENCE = re.compile(r"\b(measured|vendor|derived|assumed)\b", re.IGNORECASE)
_RANGES = re.compile(r"\b(?:ranges?|measured,|vendor,|derived,|assumed,) (\d.*)$", re.IGNORECASE)
_LIMIT = r"\d+(?:\.\d+)?(?:e-?\d+)?"
_LIMITS = re.compile(_LIMIT)
_UNITS = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "kB": 1e3, "MB": 1e6, "GB/s": 1e9}
_RANGE = re.compile(rf"{_LIMIT}-{_LIMIT}(?: (?!and\b)[a-zA-Z/]+)?")


class Constant(NamedTuple):
    """One number that a model rests on."""

    name: str
    """Module and name, as one would import it."""
    value: float
    source: str
    """What its comment tells: meaning and origin."""
    evidence: str
    """Measured, vendor, derived or assumed."""
    range: str | None


@cache
def constants() -> tuple[Constant, ...]:
    """Return the constants of every module of this package, in the order they stand."""
    package = __name__.rpartition(".")[0]
    folder = importlib.import_module(package).__path__
    names = sorted(m.name for m in pkgutil.iter_modules(folder))
    return tuple(c for n in names for c in of_module(importlib.import_module(f"{package}.{n}")))


def of_module(module: ModuleType) -> Iterator[Constant]:
    """Yield the constants of a module whose comments name their evidence."""
    source = inspect.getsource(module)
    for comment, names in _blocks(source):
        found = _EVIDENCE.findall(comment)
        if not found:
            continue
        values = [float(getattr(module, name)) for name in names]
        short = module.__name__.partition(".")[2]
        for name, value, limits in zip(names, values, _ranges(comment, values), strict=True):
            yield Constant(f"{short}.{name}", value, comment, found[-1].lower(), limits)


def _blocks(source: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each comment and the names of the numbers right below it."""
    lines = source.splitlines()
    numbers = dict(_numbers(ast.parse(source)))
    comment: list[str] = []
    names: list[str] = []
    for number, line in enumerate([*lines, ""], 1):
        if number in numbers:
            names += numbers[number]
            continue
        if names and comment:
            yield " ".join(comment), names
        if names or not line.startswith("#"):
            comment, names = [], []
        if line.startswith("#"):
            comment.append(line.lstrip("# "))


def _numbers(tree: ast.Module) -> Iterator[tuple[int, list[str]]]:
    """Yield the line of each one-line assignment of plain numbers, and the names it gives."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.lineno == node.end_lineno:
            target, value = node.targets[0], node.value
            targets = target.elts if isinstance(target, ast.Tuple) else [target]
            values = value.elts if isinstance(value, ast.Tuple) else [value]
            names = [t.id for t in targets if isinstance(t, ast.Name) and t.id.isupper()]
            if len(names) == len(values) and all(_is_number(v) for v in values):
                yield node.lineno, names


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def _ranges(comment: str, values: list[float]) -> list[str | None]:
    """Return the range of each constant that shares a comment: in order, or the one that holds it."""
    said = _RANGES.search(comment)
    found = _RANGE.findall(said.group(1)) if said else []
    if len(found) != len(values):
        found = found * len(values) if len(found) == 1 else [""] * len(values)
    return [r if _holds(r, value) else None for r, value in zip(found, values, strict=True)]


def _holds(limits: str, value: float) -> bool:
    """Tell whether a value lies in a range; one in a unit that is not SI's is believed."""
    number, _, unit = limits.partition(" ")
    if not number or unit not in _UNITS:
        return bool(number)
    low, high = (float(limit) * _UNITS[unit] for limit in _LIMITS.findall(number))
    return low * (1.0 - 1e-9) <= value <= high * (1.0 + 1e-9)
