"""What energy costs and emits hour by hour, from files of actual years."""

from simulator.market.series import (
    CarbonSeries,
    Hourly,
    HourlyFile,
    MarketError,
    PriceSeries,
    hours_of,
    read_once,
)

__all__ = [
    "CarbonSeries",
    "Hourly",
    "HourlyFile",
    "MarketError",
    "PriceSeries",
    "hours_of",
    "read_once",
]
