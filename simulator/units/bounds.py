"""Bounds of a field, told in the units of the person who wrote the value."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic_core import PydanticCustomError, core_schema

from simulator.units.quantity import Quantity


@dataclass(frozen=True)
class Within:
    """Bounds of a field, both ends allowed, written as in YAML: `Within("10 degC", "60 degC")`."""

    low: str | float | None = None
    high: str | float | None = None
    above: bool = False  # the low end itself is not allowed

    def __get_pydantic_core_schema__(
        self, source: Any, handler: Callable[[Any], core_schema.CoreSchema]
    ) -> core_schema.CoreSchema:
        """Wrap the field's own validation, so that the message can quote the text as given."""
        inner = handler(source)
        kind = _quantity_in(inner)

        def check(given: Any, validate: Callable[[Any], Any]) -> Any:
            value = validate(given)
            if value is not None and not self._holds(value, kind):
                shown = given if isinstance(given, str) else kind.text(value) if kind else value
                message = f"'{shown}' is out of range: must be {self.range_text()}"
                raise PydanticCustomError("out_of_range", "{why}", {"why": message})
            return value

        return core_schema.no_info_wrap_validator_function(
            check, inner, serialization=inner.get("serialization")
        )

    def range_text(self) -> str:
        """Return the allowed range in words."""
        if self.low is not None and self.high is not None:
            return (
                f"{'above' if self.above else 'from'} {self.low} {'up ' * self.above}to {self.high}"
            )
        if self.low is not None:
            return f"more than {self.low}" if self.above else f"{self.low} or more"
        return f"{self.high} or less"

    def _holds(self, value: float, kind: Quantity | None) -> bool:
        low = -math.inf if self.low is None else _bound(self.low, kind)
        high = math.inf if self.high is None else _bound(self.high, kind)
        return low <= value <= high and not (self.above and value == low)


@dataclass(frozen=True)
class Positive(Within):
    """The bound `more than 0`."""

    low: str | float | None = 0
    above: bool = True


@dataclass(frozen=True)
class NonNegative(Within):
    """The bound `0 or more`."""

    low: str | float | None = 0


@cache
def _bound(bound: str | float, kind: Quantity | None) -> float:
    """Return a bound in SI; a bare number (0) is the same in every unit."""
    return kind.parse(bound) if kind and isinstance(bound, str) else float(bound)


def _quantity_in(schema: Any) -> Quantity | None:
    """Return the quantity of a pydantic core schema, looking through wrappers and `| None`."""
    while isinstance(schema, dict):
        found = (schema.get("metadata") or {}).get("quantity")
        if isinstance(found, Quantity):
            return found
        schema = schema.get("schema")
    return None
