"""EPW, TMY3 and TMY2 files, read as they are written.

All give the state of the air at the hour they name, and count the hours of a day from 1 to 24 in
local standard time, so hour 24 is the next midnight and a year runs from 01:00 on January 1 to 24:00
on December 31.

References: EnergyPlus Auxiliary Programs, EPW data dictionary; NREL/TP-581-43156 (TMY3 manual);
NREL/SP-463-7668 (TMY2 manual).
"""

import csv
import gzip
import re
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from simulator.weather.records import SHOWN, Array, Hours, Records, WeatherError

COMMON_YEAR = 2001  # no leap day, stands for every year of a typical file
_TYPICAL = re.compile(
    r"TMY|IWEC|CWEC|WYEC|SWEC|CSWD|SWERA|ISHRAE|RMY|IGDG|NTRL|CTZ|CityUHK|IMGW|INETI|KISR|NIWA|\bMSI\b|\bD?TRY|\bDSY|typical",
    re.IGNORECASE,
)
"""Sources of typical years as files name them (EnergyPlus, weather data sources; TRY: test reference year)."""


def read_epw(text: str) -> Records:
    """Return the records of an EnergyPlus weather file."""
    lines = text.splitlines()
    place = _fields(lines[:1], "LOCATION", 10, "an EPW file")
    rows = _split(lines[8:], 10, "EPW")
    dates = [numbers(rows, column, f"column {column + 1}") for column in range(4)]
    typical = bool(_TYPICAL.search(place[4])) or len(np.unique(dates[0])) > 1
    year = f"actual year {dates[0][0]:.0f}" if len(rows) and not typical else ""
    warnings = _drop_leap_day(rows, dates) if typical else ()
    offset = number(place[8], "UTC offset")
    return Records(
        name=place[1].replace("_", " ").replace(".", " "),
        latitude=number(place[6], "latitude"),
        longitude=number(place[7], "longitude"),
        utc_offset_h=offset,
        elevation_m=number(place[9], "elevation"),
        typical=typical,
        label=f"{year or 'typical meteorological year'} ({place[4]})",
        hour=_hours(dates, typical, offset),
        dry_bulb_c=_flagged(rows, 6, "dry bulb", 99.9),
        dew_point_c=_flagged(rows, 7, "dew point", 99.9),
        rh_pct=_flagged(rows, 8, "relative humidity", 999.0),
        pressure_pa=_flagged(rows, 9, "pressure", 999_999.0),
        annual_maximum=_annual_maximum(lines[1:2]),
        warnings=warnings,
    )


def _annual_maximum(lines: list[str]) -> tuple[float, float] | None:
    """Return mean and deviation of the annual maxima of dry bulb, from an EPW's design conditions.

    Behind `Extremes` stand wind speeds, in some editions a wet bulb, then twelve numbers: means of the
    annual extremes (low, high), their deviations (low, high), and the values of 5 to 50 years.
    """
    cells = next(csv.reader(lines), [])
    if "Extremes" not in cells:
        return None
    told = cells[cells.index("Extremes") + 1 :][-12:]
    if len(told) < 12 or not all(_is_number(cell) for cell in told[:4]):
        return None
    return float(told[1]), float(told[3])


def read_tmy3(text: str) -> Records:
    """Return the records of an NREL TMY3 file."""
    lines = text.splitlines()
    place = next(csv.reader(lines[:1]), [])
    if len(place) != 7 or len(lines) < 2 or not lines[1].startswith("Date (MM/DD/YYYY)"):
        raise WeatherError(["not a TMY3 file: its first two lines are a station and column names"])
    header = next(csv.reader(lines[1:2]))
    wanted = ("Dry-bulb (C)", "Dew-point (C)", "RHum (%)", "Pressure (mbar)")
    missing = [name for name in wanted if name not in header]
    if missing:
        raise WeatherError([f"not a TMY3 file: column '{name}' is missing" for name in missing])
    dry, dew, rh, pressure = (header.index(name) for name in wanted)
    rows = _split(lines[2:], max(dry, dew, rh, pressure) + 1, "TMY3")
    stamps = [(row[0][6:10], row[0][0:2], row[0][3:5], row[1][0:2]) for row in rows]
    dates = [numbers(stamps, i, "date") for i in range(4)]
    warnings = _drop_leap_day(rows, dates)
    return Records(
        name=f"{place[1].title()}, {place[2]}",
        latitude=number(place[4], "latitude"),
        longitude=number(place[5], "longitude"),
        utc_offset_h=number(place[3], "UTC offset"),
        elevation_m=number(place[6], "elevation"),
        typical=True,
        label="typical meteorological year (TMY3)",
        hour=_hours(dates, True, 0.0),
        dry_bulb_c=_flagged(rows, dry, "dry bulb", -9900.0),
        dew_point_c=_flagged(rows, dew, "dew point", -9900.0),
        rh_pct=_flagged(rows, rh, "relative humidity", -9900.0),
        pressure_pa=_flagged(rows, pressure, "pressure", -9900.0) * 100.0,
        warnings=warnings,
    )


def read_tmy2(text: str) -> Records:
    """Return the records of an NREL TMY2 file (fixed columns)."""
    lines = text.splitlines()
    place = lines[0].split()
    zone, north, north_minutes, west, west_minutes, elevation = (
        float(place[i]) for i in (-8, -6, -5, -3, -2, -1)
    )
    fields = ((1, 3), (3, 5), (5, 7), (7, 9), (67, 71), (73, 77), (79, 82), (84, 88))
    rows = [[line[start:end] for start, end in fields] for line in lines[1:] if line.strip()]
    dates = [numbers(rows, i, "date") for i in range(4)]
    return Records(
        name=f"{' '.join(place[1:-9]).title()}, {place[-9]}",
        latitude=(north + north_minutes / 60.0) * (1 if place[-7] == "N" else -1),
        longitude=(west + west_minutes / 60.0) * (1 if place[-4] == "E" else -1),
        utc_offset_h=zone,
        elevation_m=elevation,
        typical=True,
        label="typical meteorological year (TMY2)",
        hour=_hours(dates, True, 0.0),
        dry_bulb_c=_flagged(rows, 4, "dry bulb", 9999.0) / 10.0,
        dew_point_c=_flagged(rows, 5, "dew point", 9999.0) / 10.0,
        rh_pct=_flagged(rows, 6, "relative humidity", 999.0),
        pressure_pa=_flagged(rows, 7, "pressure", 9999.0) * 100.0,
    )


def _fields(lines: list[str], start: str, count: int, what: str) -> list[str]:
    cells = next(csv.reader(lines), [])
    if not cells or cells[0] != start or len(cells) < count:
        raise WeatherError([f"not {what}: its first line must start with {start}"])
    return [cell.strip() for cell in cells]


def _split(lines: list[str], cells: int, what: str) -> list[list[str]]:
    """Return the first `cells` cells of each line; a short line is an error."""
    rows = [line.split(",", cells) for line in lines if line.strip()]
    short = [i for i, row in enumerate(rows) if len(row) < cells]
    if short:
        raise WeatherError([f"rows {some(short)} are too short for {what}"])
    return rows


def number(cell: str, what: str) -> float:
    """Return a cell as a number; WeatherError says what it should have been."""
    try:
        return float(cell)
    except ValueError:
        raise WeatherError([f"{what} '{cell}' is not a number"]) from None


def numbers(rows: Sequence[Sequence[str]], column: int, what: str) -> Array:
    """Return one column; text that is no number is an error that names its rows."""
    cells = [row[column] for row in rows]
    try:
        return np.array(cells, dtype=float)
    except ValueError:
        bad = [i for i, cell in enumerate(cells) if not _is_number(cell)]
        raise WeatherError(
            [f"{what}: '{cells[bad[0]]}' in row {some(bad)} is no number"]
        ) from None


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _flagged(rows: list[list[str]], column: int, what: str, missing: float) -> Array:
    """Return one column with the format's flag for a missing value as NaN."""
    values = numbers(rows, column, what)
    return np.where(values == missing, np.nan, values)


def _drop_leap_day(rows: list[list[str]], dates: list[Array]) -> tuple[str, ...]:
    """Drop the hours of 29 February from the rows of a typical year and their dates; say so."""
    leap = (dates[1] == 2) & (dates[2] == 29)
    if not leap.any():
        return ()
    rows[:] = [row for row, drops in zip(rows, leap, strict=True) if not drops]
    dates[:] = [part[~leap] for part in dates]
    return (f"{leap.sum()} hours of 29 February left out: a typical year has none",)


def _hours(dates: list[Array], typical: bool, offset_h: float) -> Hours:
    """Return hours from year, month, day and hour 1-24; local if typical, else UTC."""
    year, month, day, hour = (np.nan_to_num(part).astype(np.int64) for part in dates)
    bad = (month < 1) | (month > 12) | (day < 1) | (day > 31) | (hour < 0) | (hour > 24)
    if bad.any():
        raise WeatherError([f"row {some(np.flatnonzero(bad))}: no such date and hour"])
    if typical:
        year = np.full_like(year, COMMON_YEAR)
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    local = months.astype("datetime64[D]") + (day - 1).astype("timedelta64[D]")
    shift = 0 if typical else round(offset_h * 60)
    minutes = (hour * 60 - shift).astype("timedelta64[m]")
    return np.asarray(local.astype("datetime64[m]") + minutes)


def some(numbers: Iterable[int]) -> str:
    """Return the first few of many numbers in words."""
    every = list(numbers)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return ", ".join(str(n) for n in every[:SHOWN]) + more


def file_text(path: Path) -> tuple[str, bytes]:
    """Return text and bytes of a file, unpacked; station names are sometimes Latin-1."""
    content = path.read_bytes()
    if path.suffix.lower() == ".gz":
        content = _unpacked(content)
    try:
        return content.decode("utf-8-sig"), content
    except UnicodeDecodeError:
        return content.decode("latin-1"), content


def _unpacked(content: bytes) -> bytes:
    try:
        return gzip.decompress(content)
    except (EOFError, zlib.error):
        raise WeatherError(["the packed file is damaged, or ends in its middle"]) from None
