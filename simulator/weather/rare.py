"""What the air of a place reaches once in many years, beside the hottest hour that its file holds."""

from dataclasses import dataclass

import numpy as np

from simulator.weather.extreme import Air, annual_maxima, return_value_c
from simulator.weather.records import Array, WeatherError
from simulator.weather.source import Weather

HOUR = np.timedelta64(60, "m")


@dataclass(frozen=True)
class Rare:
    """One temperature of a file."""

    quantity: str
    hottest_c: float
    """Of the hours of the file."""
    rare_c: float | None
    """Reached once in so many years; None: the file cannot tell."""
    source: str
    """Of that, or why there is none."""


def once_in(weather: Weather, years: float) -> list[Rare]:
    """Return dry and wet bulb of a file without a heat wave on it."""
    return [
        _rare("dry bulb", weather, weather.dry_bulb_c, weather.annual_maximum, years),
        _rare("wet bulb", weather, weather.wet_bulb_c, None, years),
    ]


def _rare(
    quantity: str, weather: Weather, values_c: Array, annual: tuple[float, float] | None, years: float
) -> Rare:
    hour = weather.first_hour + HOUR * np.arange(len(values_c))
    air = Air(hour, values_c, values_c, weather.pressure_pa, weather.utc_offset_h, weather.typical)
    try:
        (mean_c, deviation_k), source, _ = annual_maxima(air, values_c, annual)
    except WeatherError:
        return Rare(quantity, float(values_c.max()), None, "the file tells no annual maxima")
    return Rare(quantity, float(values_c.max()), return_value_c(mean_c, deviation_k, years), source)
