"""A quantity: a number with a meaning, read from text with a unit, bounded, and written back."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction as Exact
from functools import cache, lru_cache
from typing import Any

from pydantic_core import PydanticCustomError, core_schema

from simulator.units.vocabulary import UnitError, check_words, convert, tidy

_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)", re.DOTALL)
QUANTITIES: dict[str, Quantity] = {}
"""Every quantity a field can have, by the text of its SI unit."""


@dataclass(frozen=True)
class Quantity:
    """What a number is: its name in messages, its SI unit, how people write it, what they mix up.

    `refuses` are (pattern, cure) pairs for units of the right dimension but the wrong meaning;
    `also` are units of another dimension with their exact factor to the SI unit; `mixups` are
    cures by the name of the quantity that was given instead.
    """

    name: str
    unit: str
    examples: tuple[str, ...]
    shown: tuple[str, ...] = ()
    refuses: tuple[tuple[str, str], ...] = ()
    also: tuple[tuple[str, Exact], ...] = ()
    mixups: dict[str, str] = field(default_factory=dict, hash=False, compare=False)

    def parse(self, given: object) -> float:
        """Return the SI value of a text such as '132 kW'; ValueError says what to write instead."""
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            raise UnitError(f"{given!r} is not {self.name}; write e.g. '{self.examples[0]}'")
        if isinstance(given, str):
            return _parse(given, self)
        if self.unit != "1":
            raise UnitError(_no_unit(str(given), self))
        return _finite(given, str(given))

    def text(self, value: float) -> str:
        """Return readable text that `parse` turns back into exactly `value`."""
        if self.unit == "1":
            return _plain(float(value))
        if value == 0:
            return f"0 {self.shown[0] if self.shown else self.unit}"
        written = [_written(float(value), unit, self) for unit in self.shown or (self.unit,)]
        return min((w for w in written if w), default=(0, 0, f"{float(value)!r} {self.unit}"))[2]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: Callable[[Any], core_schema.CoreSchema]
    ) -> core_schema.CoreSchema:
        """Validate text; plain floats pass only with the validation context `{"si": True}`."""
        return core_schema.with_info_before_validator_function(
            self._validate,
            core_schema.float_schema(allow_inf_nan=False),
            serialization=core_schema.plain_serializer_function_ser_schema(
                self._dump, when_used="json-unless-none"
            ),
            metadata={"pydantic_js_functions": [self._json_schema], "quantity": self},
        )

    def _validate(self, given: Any, info: core_schema.ValidationInfo) -> float:
        context = info.context
        trusted = isinstance(context, dict) and context.get("si")
        try:
            if trusted and isinstance(given, int | float) and not isinstance(given, bool):
                return _finite(given, str(given))
            return self.parse(given)
        except ValueError as error:
            raise PydanticCustomError("quantity", "{why}", {"why": str(error)}) from None

    def _dump(self, value: float) -> str | float:
        return value if self.unit == "1" else self.text(value)

    def _json_schema(self, core: Any, handler: Any) -> dict[str, Any]:
        kind = ["number", "string"] if self.unit == "1" else "string"
        return {"type": kind, "examples": list(self.examples)}


def quantity(name: str, unit: str, *examples: str, **more: Any) -> Quantity:
    """Return a new quantity, known to `parse` and to the hints of all others."""
    QUANTITIES[unit] = Quantity(name, unit, examples, **more)
    return QUANTITIES[unit]


def parse(text: str, unit: str) -> float:
    """Return the value of `text` in the SI `unit` (one of `QUANTITIES`, or any other unit text)."""
    return _quantity(unit).parse(text)


def text(value: float, unit: str) -> str:
    """Return readable text for an SI value that parses back to exactly the same value."""
    return _quantity(unit).text(value)


def quantity_of(annotation: Any) -> str | None:
    """Return the SI unit text of an annotation or a pydantic field, None when it has none."""
    metadata: Any = getattr(annotation, "__metadata__", getattr(annotation, "metadata", ()))
    for part in metadata:
        if isinstance(part, Quantity):
            return part.unit
    inside = [getattr(annotation, name, None) for name in ("__origin__", "annotation")]
    inside += getattr(annotation, "__args__", ())
    return next((unit for part in inside if part and (unit := quantity_of(part))), None)


@cache
def _quantity(unit: str) -> Quantity:
    known = QUANTITIES.get(unit)
    return known or Quantity(f"a quantity in {unit}", unit, (f"1 {unit}",))


@lru_cache(maxsize=65536)
def _parse(given: str, kind: Quantity) -> float:
    """Return the SI value of one text; the same text is never read twice."""
    found = _NUMBER.fullmatch(given.strip())
    if found is None:
        raise UnitError(f"'{given}' does not start with a number; write e.g. '{kind.examples[0]}'")
    number, unit = found.groups()
    if not unit and kind.unit != "1":
        raise UnitError(_no_unit(number, kind))
    if re.match(r",\d", unit):
        raise UnitError(f"'{given}': write the number without a comma, e.g. '{kind.examples[0]}'")
    if len(number) > 40 or abs(_exponent(number)) > 400:
        raise UnitError(f"'{given}': the number is too long or out of range")
    scale, offset = _factor(tidy(unit), kind) if unit else (Exact(1), Exact(0))
    return _finite(Exact(number) * scale + offset, given)


def _exponent(number: str) -> int:
    _, _, exponent = number.lower().partition("e")
    return int(exponent or 0)


def _finite(value: float | Exact, given: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UnitError(f"'{given}' is not a finite number")
    return number


def _no_unit(number: str, kind: Quantity) -> str:
    found = _NUMBER.fullmatch(kind.examples[0])
    unit = found.group(2) if found else kind.unit
    return f"a bare number has no unit; write e.g. '{number} {unit}'"


@cache
def _factor(unit: str, kind: Quantity) -> tuple[Exact, Exact]:
    """Return exact scale and offset from a tidy unit text to the SI unit of `kind`."""
    check_words(unit, kind.examples[0])
    for pattern, cure in kind.refuses:
        if re.search(pattern, unit):
            raise UnitError(cure.format(unit=unit))
    for target, factor in ((kind.unit, Exact(1)), *kind.also):
        found = convert(unit, target)
        if found:
            return found[0] * factor, found[1] * factor
    raise UnitError(_mismatch(unit, kind))


def _mismatch(unit: str, kind: Quantity) -> str:
    """Return what was given, what is expected, and how to get from one to the other."""
    given = next((k for k in QUANTITIES.values() if convert(unit, k.unit)), None)
    is_a = f"{unit} is {given.name}" if given else f"{unit} is something else"
    cure = kind.mixups.get(given.name) if given else None
    cure = cure or f"write e.g. '{kind.examples[0]}'"
    return f"{is_a}; this field is {kind.name} in {kind.unit}; {cure}"


def _plain(value: float) -> str:
    """Return the shortest digits that read back as the same float."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _written(value: float, unit: str, kind: Quantity) -> tuple[int, int, str] | None:
    """Return (untidiness, odd size, text) of a value in one unit, None if it cannot be exact."""
    scale, offset = _factor(tidy(unit), kind)
    amount = float((Exact(value) - offset) / scale)
    for digits in (15, 16, 17):
        number = _plain(float(f"{amount:.{digits}g}"))
        whole = f"{number} {unit}"
        if _parse(whole, kind) == value:
            return len(number), int(not 1 <= abs(amount) < 1000), whole
    return None
