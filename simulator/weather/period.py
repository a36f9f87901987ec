"""The air of a run's period, on its own hour boundaries."""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from simulator.components.cooling import HourlyWeather
from simulator.weather.quality import YEAR_H
from simulator.weather.records import WeatherError
from simulator.weather.source import Weather

_FEBRUARY_28_END_H = 59 * 24


def for_period(weather: Weather, start: datetime, hours: int) -> HourlyWeather:
    """Return `hours` + 1 values from `start`, linear between the file's hours.

    A typical year repeats by local standard hour of the year; February 29 repeats the 28th. An
    actual year must cover the period; its first and last record also stand for the hour before
    and after them.
    """
    moments = _moments(start, hours)
    if weather.typical:
        position = _typical_position(weather, moments)
        before = np.floor(position).astype(np.int64)
        pair = before % YEAR_H, (before + 1) % YEAR_H
    else:
        position = _actual_position(weather, moments)
        before = np.floor(position).astype(np.int64)
        pair = before, np.minimum(before + 1, len(weather.dry_bulb_c) - 1)
    share = position - before
    dry, wet, pressure = (
        (1.0 - share) * values[pair[0]] + share * values[pair[1]]
        for values in (weather.dry_bulb_c, weather.wet_bulb_c, weather.pressure_pa)
    )
    return HourlyWeather(dry, wet, pressure)


def holds_a_wave(weather: Weather, start: datetime, hours: int) -> bool:
    """Return whether any hour of a period lies in an imposed heat wave."""
    moments = _moments(start, hours)
    if weather.typical:
        place = np.floor(_typical_position(weather, moments)).astype(np.int64) % YEAR_H
    else:
        place = np.floor(_actual_position(weather, moments)).astype(np.int64)
    return any(bool(((place >= a) & (place < b)).any()) for a, b in weather.waves)


def _moments(start: datetime, hours: int) -> NDArray[np.datetime64]:
    """Return the hour boundaries of a period in UTC."""
    utc = start.astimezone(UTC) if start.tzinfo else start
    begin = np.datetime64(utc.replace(tzinfo=None), "s")
    return np.asarray(begin + np.arange(hours + 1) * np.timedelta64(3600, "s"))


def _typical_position(weather: Weather, moments: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Return positions in the file's 8,760 values by local standard hour of the year."""
    offset = np.timedelta64(round(weather.utc_offset_h * 3600), "s")
    local = moments + offset
    years = local.astype("datetime64[Y]")
    into_year = (local - years.astype("datetime64[s]")) / np.timedelta64(3600, "s")
    leap = (years + 1).astype("datetime64[D]") - years.astype("datetime64[D]") == np.timedelta64(
        366, "D"
    )
    into_year = np.where(leap & (into_year >= _FEBRUARY_28_END_H), into_year - 24.0, into_year)
    first = weather.first_hour - weather.first_hour.astype("datetime64[Y]")
    return np.asarray(into_year - first / np.timedelta64(3600, "s"))


def _actual_position(weather: Weather, moments: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Return positions in the file's values; an error names the span they cover."""
    position = (moments - weather.first_hour) / np.timedelta64(3600, "s")
    last = len(weather.dry_bulb_c) - 1
    if position[0] < -1.0 or position[-1] > last + 1.0:
        end = weather.first_hour + np.timedelta64(last * 60, "m")
        covered = f"covers {weather.first_hour}Z to {end}Z"
        needed = f"but the run needs {moments[0]}Z to {moments[-1]}Z"
        raise WeatherError([f"{weather.name}: {covered}, {needed}"])
    return np.asarray(np.clip(position, 0.0, last))
