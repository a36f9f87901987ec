"""Outdoor air: a weather file becomes hourly dry bulb, wet bulb and pressure of a period."""

from simulator.weather.period import for_period, holds_a_wave
from simulator.weather.records import WeatherError
from simulator.weather.source import STATIONS, Weather, WeatherSource, read, read_once

__all__ = [
    "STATIONS",
    "Weather",
    "WeatherError",
    "WeatherSource",
    "for_period",
    "holds_a_wave",
    "read",
    "read_once",
]
