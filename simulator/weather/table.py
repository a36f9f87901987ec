"""Hourly CSV tables of actual weather: this project's own columns, and two layouts of Open-Meteo.

Open-Meteo's own files begin with two lines on the place, and carry units in the names of their
columns (open-meteo.com, historical weather API). Collections of several places have a row per place
and hour, with local times at a fixed offset.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from simulator.errors import nearest
from simulator.weather.formats import number, numbers, some
from simulator.weather.records import Array, Hours, Records, WeatherError

TIME, LOCAL_TIME, OFFSET, SITE = "time", "time_local", "utc_offset_s", "site"
READ = {
    "dry_bulb_c": ("dry_bulb_c", 1.0), "temperature_c": ("dry_bulb_c", 1.0),
    "temperature_2m (°C)": ("dry_bulb_c", 1.0),
    "rh_pct": ("rh_pct", 1.0), "relative_humidity_2m (%)": ("rh_pct", 1.0),
    "relativehumidity_2m (%)": ("rh_pct", 1.0),
    "dew_point_c": ("dew_point_c", 1.0), "dew_point_2m (°C)": ("dew_point_c", 1.0),
    "dewpoint_2m (°C)": ("dew_point_c", 1.0),
    "pressure_pa": ("pressure_pa", 1.0), "surface_pressure (hPa)": ("pressure_pa", 100.0),
}  # fmt: skip
"""Columns that are read: what each is, and the factor to its unit."""
QUANTITIES = ("dry_bulb_c", "rh_pct", "dew_point_c", "pressure_pa")
UNUSED = ("zone_key", "cloud_pct", "wind_kmh")
"""Columns of known layouts that say nothing of heat."""
NAMES = (TIME, LOCAL_TIME, OFFSET, SITE, *QUANTITIES)
_WITH_UNIT = re.compile(r"(?P<name>\w+) \(.+\)")  # how Open-Meteo names a quantity
_PLACE = ("latitude", "longitude", "elevation", "utc_offset_seconds")


@dataclass
class _Place:
    """What a file tells of the place, blank where it tells nothing."""

    name: str
    latitude: float | None = None
    longitude: float | None = None
    elevation_m: float | None = None
    offset_s: float | None = None
    lines: int = 0
    """Lines before the names of the columns."""


def read_csv(text: str, name: str, site: str | None = None) -> Records:
    """Return the records of an hourly table, of `site` where it holds several places.

    Times are ISO with an offset from UTC, or local ones whose offset another column or the head of
    the file tells.
    """
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    place = _place(rows, name)
    header = [cell.strip() for cell in rows[place.lines]] if len(rows) > place.lines else []
    _check_header(header, place)
    body = rows[place.lines + 1 :]
    short = [i + place.lines + 2 for i, row in enumerate(body) if len(row) != len(header)]
    if short:
        raise WeatherError([f"lines {some(short)} do not have {len(header)} cells"])
    body = _of_site(body, header, site)
    column = {key: [row[i] for row in body] for i, key in enumerate(header)}
    if site is not None:
        place.name = site
    hours, offset_h = _hours(column, place)
    values = _values(column, len(hours))
    return Records(
        name=place.name,
        latitude=place.latitude,
        longitude=place.longitude,
        utc_offset_h=offset_h,
        elevation_m=place.elevation_m,
        typical=False,
        label=f"actual weather {min(hours, default='')!s:.10} to {max(hours, default='')!s:.10}",
        hour=hours,
        dry_bulb_c=values["dry_bulb_c"],
        dew_point_c=values["dew_point_c"],
        rh_pct=values["rh_pct"],
        pressure_pa=values["pressure_pa"],
    )


def _place(rows: Sequence[Sequence[str]], name: str) -> _Place:
    """Return what the two lines at the head of an Open-Meteo file tell."""
    if len(rows) < 3 or rows[0][0].strip() != _PLACE[0] or TIME in rows[0]:
        return _Place(name)
    told = {key.strip(): cell.strip() for key, cell in zip(rows[0], rows[1], strict=False)}
    latitude, longitude, elevation_m, offset_s = (
        number(told[key], key) if told.get(key) else None for key in _PLACE
    )
    return _Place(name, latitude, longitude, elevation_m, offset_s, lines=2)


def _check_header(header: Sequence[str], place: _Place) -> None:
    problems = []
    if TIME not in header and not {LOCAL_TIME, OFFSET} <= set(header):
        problems.append(f"column '{TIME}' is missing, or '{LOCAL_TIME}' and '{OFFSET}'")
    found = [READ[key][0] for key in header if key in READ]
    if "dry_bulb_c" not in found:
        problems.append("column 'dry_bulb_c' is missing")
    if not {"rh_pct", "dew_point_c"} & set(found):
        problems.append("column 'rh_pct' or 'dew_point_c' is missing")
    for key in header:
        foreign = place.lines and _WITH_UNIT.fullmatch(key) and not _of_air(key)
        if key not in NAMES and key not in READ and key not in UNUSED and not foreign:
            problems.append(f"unknown column '{key}'{nearest(key, [*NAMES, *READ])}")
    twice = [key for key in dict.fromkeys(found) if found.count(key) > 1]
    twice += [key for key in (TIME, LOCAL_TIME, OFFSET, SITE) if header.count(key) > 1]
    problems += [f"column '{key}' is there twice" for key in twice]
    if problems:
        raise WeatherError(problems)


def _of_air(key: str) -> bool:
    """Return whether a column is a quantity that is read, in a unit that is not."""
    name = key.partition(" ")[0]
    return any(known.partition(" ")[0] == name for known in READ)


def _of_site(body: list[list[str]], header: Sequence[str], site: str | None) -> list[list[str]]:
    """Return the rows of one place."""
    if SITE not in header:
        if site is not None:
            raise WeatherError([f"there is no column '{SITE}' to find '{site}' in"])
        return body
    at = header.index(SITE)
    known = dict.fromkeys(row[at].strip() for row in body)
    if site is None and len(known) > 1:
        raise WeatherError([f"rows of several places: give site, one of {', '.join(known)}"])
    if site is not None and site not in known:
        raise WeatherError([f"there is no site '{site}'{nearest(site, known)}"])
    return body if site is None else [row for row in body if row[at].strip() == site]


def _values(column: Mapping[str, Sequence[str]], count: int) -> dict[str, Array]:
    """Return the quantities by name, NaN where a cell is blank or a column absent."""
    values = {key: np.full(count, np.nan) for key in QUANTITIES}
    for name, cells in column.items():
        if name in READ:
            key, factor = READ[name]
            values[key] = factor * numbers([[cell.strip() or "nan"] for cell in cells], 0, key)
    return values


def _hours(column: Mapping[str, Sequence[str]], place: _Place) -> tuple[Hours, float]:
    """Return the times in UTC, and the offset of local standard time in hours."""
    if LOCAL_TIME in column:
        offset_s = numbers([[cell] for cell in column[OFFSET]], 0, OFFSET)
        return _local(column[LOCAL_TIME], offset_s)
    cells = column.get(TIME, ())
    if place.offset_s is not None:
        return _local(cells, np.full(len(cells), place.offset_s))
    times = [_parsed(cell) for cell in cells]
    naive = [i + 2 for i, time in enumerate(times) if time is None or time.tzinfo is None]
    if naive:
        why = "times must be ISO with a UTC offset, like 2023-07-14T15:00-05:00"
        raise WeatherError([f"line {some(naive)}: {why}"])
    known = [time for time in times if time is not None]
    utc = [time.astimezone(UTC).replace(tzinfo=None) for time in known]
    offset = known[0].utcoffset() if known else None
    hours = np.array(utc, dtype="datetime64[m]")
    return hours, offset.total_seconds() / 3600.0 if offset else 0.0


def _local(cells: Sequence[str], offset_s: Array) -> tuple[Hours, float]:
    """Return local times as UTC, and the offset of the first in hours."""
    times = [_parsed(cell) for cell in cells]
    wrong = [i + 2 for i, time in enumerate(times) if time is None or time.tzinfo is not None]
    if wrong:
        raise WeatherError([f"line {some(wrong)}: local times must be ISO without an offset"])
    local = np.array(times, dtype="datetime64[m]")
    hours = local - np.round(offset_s / 60.0).astype("timedelta64[m]")
    return np.asarray(hours), float(offset_s[0]) / 3600.0 if len(offset_s) else 0.0


def _parsed(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell.strip())
    except ValueError:
        return None
