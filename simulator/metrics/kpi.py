"""One key performance indicator: a number that never travels without its definition."""

from typing import NamedTuple

JOULES_PER_MWH = 3.6e9
SECONDS_PER_HOUR = 3600.0
WATTS_PER_MW = 1e6
KILOGRAMS_PER_M3 = 1000.0
"""Density of water used to turn mass into volume."""


class Kpi(NamedTuple):
    """Name, value (a number, an ISO date or None), unit, and a definition in full sentences."""

    name: str
    value: float | str | None
    unit: str
    definition: str


def ratio(numerator: float, denominator: float) -> float | None:
    """Return the quotient, or None where nothing is divided by."""
    return float(numerator / denominator) if denominator else None
