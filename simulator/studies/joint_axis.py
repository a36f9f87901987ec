"""One input of a joint search: a range and a step, whole steps of which are its places."""

import re
from dataclasses import dataclass
from typing import Any

from simulator.studies import StudyError
from simulator.studies.distributions import parts_of, written

Place = tuple[int, ...]
"""One step count of each input: a combination."""
PARTS = 20.0
"""A range of quantities is searched in steps of this part of it unless told otherwise."""
_FORM = re.compile(r"\s*([^=\s]+)\s*=\s*(.+?)\s*\.\.\s*(.+?)(?:\s+by\s+(.+?))?\s*")


@dataclass(frozen=True)
class Axis:
    """An input from `low`, place 0, upward in steps of `step`, numbers in `unit`; `first` is the place
    nearest to its present value."""

    key: str
    unit: str
    low: float
    step: float
    last: int
    first: int
    whole: bool

    def number(self, place: int) -> float:
        """Return the value at a place, in the axis' unit."""
        return self.low + place * self.step

    def written(self, place: int) -> str:
        """Return the value at a place as a scenario would have it."""
        number = self.number(place)
        return str(round(number)) if self.whole else str(written(number, self.unit))


def key_of(text: str) -> str:
    """Return the key of `KEY=LOW..HIGH [by STEP]`."""
    return _parts(text)[0]


def read(text: str, present: Any) -> Axis:
    """Return the axis of `KEY=LOW..HIGH [by STEP]` for an input that now has a value.

    Without a step: 1 between whole numbers, a twentieth of the range otherwise.
    """
    key, low, high, step = _parts(text)
    now, unit = _parts_of(key, present)
    ends = [_in_unit(key, end, unit) for end in (low, high)]
    whole = isinstance(present, int) and all(end == int(end) for end in ends)
    size = _in_unit(key, step, unit) if step else 1.0 if whole else (ends[1] - ends[0]) / PARTS
    if ends[1] <= ends[0] or size <= 0.0:
        raise StudyError(f"--vary '{text}': the range goes upward, and so does the step")
    whole = whole and size == int(size)
    last = int((ends[1] - ends[0]) / size + 1e-9)
    first = min(max(round((now - ends[0]) / size), 0), last)
    return Axis(key, unit, ends[0], size, last, first, whole)


def _parts(text: str) -> tuple[str, str, str, str | None]:
    found = _FORM.fullmatch(text)
    if found is None:
        example = "'topology.cooling.supply=36 degC..44 degC by 1 degC'"
        raise StudyError(f"--vary '{text}': write KEY=LOW..HIGH or KEY=LOW..HIGH by STEP, e.g. {example}")
    key, low, high, step = found.groups()
    return key, low, high, step


def _in_unit(key: str, text: str, unit: str) -> float:
    number, given = _parts_of(key, text)
    if given != unit:
        raise StudyError(f"{key} is in '{unit}': write {text} in the same unit")
    return number


def _parts_of(key: str, value: Any) -> tuple[float, str]:
    try:
        return parts_of(value)
    except ValueError:
        raise StudyError(f"{key}: '{value}' is no number with a unit") from None
