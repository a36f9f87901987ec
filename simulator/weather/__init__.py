"""Outdoor air: a weather file becomes hourly dry bulb, wet bulb and pressure of the run's period."""

from simulator.weather.period import for_period
from simulator.weather.records import WeatherError
from simulator.weather.source import STATIONS, Weather, WeatherSource, read

__all__ = ["STATIONS", "Weather", "WeatherError", "WeatherSource", "for_period", "read"]
