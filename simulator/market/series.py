"""Hourly figures of a market zone: which file a scenario names, and what every hour of a run gets.

Values hold from the hour they are stamped with to the next, on the UTC clock. Nothing is filled in:
an hour that is missing, blank or there twice is an error, for prices jump.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from simulator.components.kinds import Spec
from simulator.market import columns
from simulator.market.columns import MarketError, Text
from simulator.units import CarbonIntensity, EnergyPrice, Positive

Array = NDArray[np.float64]
SHOWN = 3
_HOUR = np.timedelta64(60, "m")
J_PER_MWH = 3.6e9
DEAREST_USD_MWH, DIRTIEST_KG_MWH = 20_000.0, 3_000.0
"""Beyond any market's cap and any fuel: a wrong column or unit, not a figure."""


class HourlyFile(Spec):
    """One column of a CSV file (`.csv`, `.csv.gz`) or a Parquet file with a row per hour.

    The time of a row stands under `time` or `datetime_utc`: ISO with its offset from UTC; under
    `datetime_utc` a bare time is UTC.
    """

    file: Annotated[str, Field(min_length=1)]
    """Relative to the document."""
    column: Annotated[str, Field(min_length=1)]
    """Where the values stand."""
    zone: str | None = None
    """Which rows, where the file holds several zones: their `zone_key`, `zone` or `site`."""


class PriceSeries(HourlyFile):
    """Price of energy of every hour; may be negative."""

    column: str = "price_usd_per_mwh"
    """Where the prices stand."""
    one: Annotated[EnergyPrice, Positive()] = 1.0 / J_PER_MWH
    """What a 1 in the column means."""


class CarbonSeries(HourlyFile):
    """Emissions of imported energy of every hour."""

    column: str = "ci_direct_g_per_kwh"
    """Where the intensities stand."""
    one: Annotated[CarbonIntensity, Positive()] = 1.0 / J_PER_MWH
    """What a 1 in the column means; 1 g/kWh is 1 kg/MWh."""


@dataclass(frozen=True)
class Hourly:
    """Values in SI on consecutive UTC hours, as far as the file has them."""

    name: str
    hour: NDArray[np.datetime64]
    """Distinct and rising; hours may be missing."""
    value: Array
    sha256: str
    path: str


def read_once(series: PriceSeries | CarbonSeries, folder: Path) -> Hourly:
    """Return what a series names; MarketError lists everything wrong. A file is read once."""
    path = folder / series.file
    changed = path.stat().st_mtime_ns if path.is_file() else 0
    return _read(series, path, changed)


def hours_of(found: Hourly, start: datetime, duration_s: float) -> tuple[NDArray[np.datetime64], Array]:
    """Return the UTC hours that a run touches, and their values; an hour without one is an error."""
    utc = np.datetime64(start.astimezone(UTC).replace(tzinfo=None), "m")
    end = utc + np.timedelta64(int(-(-duration_s // 60.0)), "m")
    first = utc.astype("datetime64[h]").astype("datetime64[m]")
    wanted = np.arange(first, end, _HOUR)
    place = np.searchsorted(found.hour, wanted)
    place = np.minimum(place, len(found.hour) - 1)
    missing = wanted[found.hour[place] != wanted]
    if len(missing):
        span = f"has {_named(found.hour[[0, -1]])} and between"
        raise MarketError([f"{found.name}: no value for {_named(missing)} of the run; it {span}"])
    return wanted, found.value[place]


@lru_cache(maxsize=16)
def _read(series: PriceSeries | CarbonSeries, path: Path, changed: int) -> Hourly:
    try:
        content = path.read_bytes()
        cells = columns.of_file(path.name, content, series.column, series.zone)
        hour, value = _checked(cells, series)
    except OSError as error:
        raise MarketError([f"{path.name}: {error.strerror or error}"]) from None
    except MarketError as error:
        raise MarketError([f"{path.name}: {told}" for told in error.problems]) from None
    name = path.name + (f" ({series.zone})" if series.zone else "")
    return Hourly(name, hour, value, hashlib.sha256(content).hexdigest(), str(path))


def _checked(
    cells: tuple[Text, Text], series: PriceSeries | CarbonSeries
) -> tuple[NDArray[np.datetime64], Array]:
    """Return hours and values in SI, sorted; all that is wrong with them at once."""
    hour, given = columns.times(cells[0]), columns.numbers(cells[1], series.column)
    order = np.argsort(hour, kind="stable")
    hour, value = hour[order], given[order] * series.one
    problems = []
    if len(hour) < 1:
        raise MarketError(["no rows of data"])
    if (odd := hour[(hour - hour.astype("datetime64[h]").astype("datetime64[m]")) != 0]).size:
        problems.append(f"not hourly: {_named(odd)}")
    if (twice := hour[1:][hour[1:] == hour[:-1]]).size:
        problems.append(f"hours there twice: {_named(twice)}")
    if (blank := hour[~np.isfinite(value)]).size:
        problems.append(f"no value at {_named(blank)}")
    low, high = (
        (-DEAREST_USD_MWH, DEAREST_USD_MWH) if isinstance(series, PriceSeries) else (0.0, DIRTIEST_KG_MWH)
    )
    absurd = (value * J_PER_MWH < low) | (value * J_PER_MWH > high)
    if absurd.any():
        unit = "USD/MWh" if isinstance(series, PriceSeries) else "kg/MWh"
        told = f"{value[absurd][0] * J_PER_MWH:g} {unit} is outside {low:g} to {high:g}"
        problems.append(f"{told}: {_named(hour[absurd])}")
    if problems:
        raise MarketError(problems)
    return hour, value


def _named(hours: NDArray[np.datetime64]) -> str:
    """Return the first few hours in words."""
    more = f" and {len(hours) - SHOWN} more" if len(hours) > SHOWN else ""
    return ", ".join(f"{hour}Z" for hour in hours[:SHOWN]) + more
