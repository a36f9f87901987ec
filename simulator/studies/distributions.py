"""Values that are not known: how likely each is, in the units they would be written in."""

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, model_validator
from scipy import special

from simulator.components.kinds import Spec
from simulator.units import Fraction

Level = Annotated[Fraction, Field(ge=0.0, le=1.0)]
PERT_WEIGHT = 4.0
"""Weight of the mode against an end (Malcolm et al., Operations Research 7, 1959)."""
OUTERMOST = 0.1
"""A quantile function must be given from below this level to above its complement."""
DIGITS = 12
_VALUE = re.compile(r"\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*(.*?)\s*")


class Distribution(Spec):
    """One of `uniform`, `pert`, `normal`, `quantiles` or `choice`; values are written as in a
    scenario, all with the same unit."""

    uniform: tuple[Any, Any] | None = None
    """Least and largest value."""
    pert: tuple[Any, Any, Any] | None = None
    """Least, most likely and largest value."""
    normal: tuple[Any, Any] | None = None
    """Mean and standard deviation."""
    quantiles: dict[str, Any] | None = None
    """Values by level (`10 %`); straight between them, and beyond the outermost as steep."""
    choice: Annotated[tuple[Any, ...], Field(min_length=1)] | None = None
    """Values that are equally likely; write one twice to double its chance."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [key for key in type(self).model_fields if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(type(self).model_fields)}")
        if self.choice is None:
            self._check(self._numbers())
        return self

    def values(self, levels: np.ndarray) -> list[Any]:
        """Return the value at each level of probability in (0, 1), as a scenario would have it."""
        if self.choice is not None:
            places = np.minimum((levels * len(self.choice)).astype(int), len(self.choice) - 1)
            return [self.choice[i] for i in places]
        unit = _unit(self._written())
        return [written(float(x), unit) for x in self._at(levels)]

    def _at(self, levels: np.ndarray) -> np.ndarray:
        """Return the quantile function."""
        numbers = self._numbers()
        if self.uniform is not None:
            low, high = numbers
            return low + (high - low) * levels
        if self.pert is not None:
            low, mode, high = numbers
            rise = PERT_WEIGHT * (mode - low) / (high - low)
            beta = special.betaincinv(1.0 + rise, 1.0 + PERT_WEIGHT - rise, levels)
            return np.asarray(low + (high - low) * beta)
        if self.normal is not None:
            return np.asarray(numbers[0] + numbers[1] * special.ndtri(levels))
        return _between(levels, self._levels(), numbers)

    def _written(self) -> Sequence[Any]:
        if self.quantiles is not None:
            return tuple(self.quantiles.values())
        return self.uniform or self.pert or self.normal or ()

    def _levels(self) -> np.ndarray:
        assert self.quantiles is not None
        return np.array([_level(text) for text in self.quantiles])

    def _numbers(self) -> np.ndarray:
        values = self._written()
        _unit(values)
        return np.array([parts_of(value)[0] for value in values])

    def _check(self, numbers: np.ndarray) -> None:
        """Refuse what is no distribution."""
        if self.normal is not None:
            if numbers[1] <= 0.0:
                raise ValueError("the standard deviation must be more than 0")
            return
        if numbers.size < 2 or (np.diff(numbers) < 0.0).any() or numbers[0] == numbers[-1]:
            raise ValueError("values must rise from the least to the largest")
        if self.quantiles is not None:
            levels = self._levels()
            if (np.diff(levels) <= 0.0).any():
                raise ValueError("levels must rise")
            if levels[0] > OUTERMOST or levels[-1] < 1.0 - OUTERMOST:
                raise ValueError(
                    f"levels must reach from {100 * OUTERMOST:g} % or less to "
                    f"{100 - 100 * OUTERMOST:g} % or more"
                )


def _between(levels: np.ndarray, known: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Interpolate; beyond the outermost quantiles go on with the slope next to them."""
    inside = np.interp(levels, known, numbers)
    slope = np.diff(numbers) / np.diff(known)
    below = np.minimum(levels - known[0], 0.0) * slope[0]
    above = np.maximum(levels - known[-1], 0.0) * slope[-1]
    return np.asarray(inside + below + above)


def _level(text: str) -> float:
    number, unit = parts_of(text)
    if unit not in ("", "%") or not 0.0 <= number * (0.01 if unit else 1.0) <= 1.0:
        raise ValueError(f"'{text}' is no level of probability; write e.g. 10 %")
    return number * (0.01 if unit else 1.0)


def _unit(values: Sequence[Any]) -> str:
    """Return the unit that all values share."""
    units = list(dict.fromkeys(parts_of(value)[1] for value in values))
    if len(units) != 1:
        raise ValueError(f"values must share one unit, not {' and '.join(map(repr, units))}")
    return units[0]


def parts_of(value: Any) -> tuple[float, str]:
    """Return number and unit of a value as written; ValueError if it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value), ""
    found = _VALUE.fullmatch(str(value))
    if found is None:
        raise ValueError(f"'{value}' is no number with a unit")
    return float(found.group(1)), found.group(2)


def written(number: float, unit: str) -> Any:
    """Return a number with its unit as a scenario would have it."""
    rounded = float(f"{number:.{DIGITS}g}")
    return f"{rounded!r} {unit}" if unit else rounded
