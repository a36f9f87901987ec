"""The period, and weather that is there and covers it."""

import math
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from simulator.documents import Document, TreePath
from simulator.errors import display_name, nearest
from simulator.scenario.parts import Parts
from simulator.scenario.spec import WEATHER_FILES, Period, weather_folder
from simulator.scenario.wording import Trouble
from simulator.weather import WeatherError, WeatherSource, for_period, read_once

FIRST_YEAR, LAST_YEAR = 1950, 2150
MINUTE_S, HOUR_S = 60.0, 3600.0


def odd_period(parts: Parts) -> Iterator[Trouble]:
    """Periods that are not made of minutes, or lie in another age."""
    if parts.period is None:
        return
    start, duration_s = parts.period.start, parts.period.duration
    if duration_s % MINUTE_S:
        told = f"{duration_s:g} s is not a whole number of minutes"
        yield ("period", "duration"), f"{told}, the step of the power balance"
    if start.second or start.microsecond:
        yield ("period", "start"), f"'{start.isoformat()}' is not on a whole minute"
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        yield ("period", "start"), f"the year {start.year} is not in {FIRST_YEAR} to {LAST_YEAR}"


def weather(parts: Parts, document: Document) -> Iterator[Trouble]:
    """Weather files that are missing, have gaps or wrong values, or do not cover the period."""
    source = parts.weather
    if source is None:
        return
    named = next((key for key in WEATHER_FILES if getattr(source, key)), None)
    path: TreePath = ("weather", named) if named else ("weather",)
    folder = weather_folder(source, document)
    file = source.path(folder) if named else None
    if file is not None and not file.is_file():
        yield path, _missing(file, Path(getattr(source, str(named))))
        return
    try:
        _covered(source, folder, parts.period)
    except WeatherError as error:
        for problem in error.problems:
            yield path, problem


def _covered(source: WeatherSource, folder: Path, period: Period | None) -> None:
    """Read the file once and see that every hour of the period has its air."""
    found = read_once(source, folder)
    if period is not None and not found.typical and _sensible(period.start):
        for_period(found, period.start, math.ceil(period.duration / HOUR_S))


def _sensible(start: datetime) -> bool:
    return FIRST_YEAR <= start.year <= LAST_YEAR


def _missing(file: Path, named: Path) -> str:
    given = display_name(str(named))
    if file.is_dir():
        return f"'{given}' is a folder; give a weather file"
    folder = file.parent
    like = nearest(file.name, (f.name for f in folder.iterdir())) if folder.is_dir() else ""
    where = "" if named.is_absolute() else "; file names are relative to the document"
    return f"there is no file '{given}'{like}{where}"
