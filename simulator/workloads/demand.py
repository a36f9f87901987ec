"""Request rate over time: a mean with daily and weekly shape, growth and slow noise; or a trace."""

from datetime import datetime
from typing import Annotated

import numpy as np
from pydantic import Field

from simulator.components.kinds import Spec
from simulator.components.request_profile import RequestProfile
from simulator.engine.world import Stream
from simulator.units import Fraction, Positive, Rate

YEAR_H = 8766.0
DAILY_SWING, PEAK_HOUR = 0.4, 15.0
VARIABILITY, PERSISTENCE = 0.05, 0.8
"""Of demand that says nothing on them and whose requests have no observed day. Assumed."""


class Demand(Spec):
    """Demand for one served model."""

    rate: Annotated[Rate, Positive()] | None = None
    """Mean request rate of a weekday at the start of the run; blank: that of the trace."""
    peak_hour: Annotated[float, Field(ge=0, lt=24)] | None = None
    """Local hour of day with the most requests; blank: 15:00, or where the profile's day has it."""
    daily_swing: Annotated[Fraction, Field(ge=0, lt=1)] | None = None
    """Largest over mean of the day, less one; the shape is a cosine. Blank: 40 %, or the day of the
    requests' profile."""
    weekend: Annotated[Fraction, Field(gt=0, le=2)] = 0.8
    """Weekend over weekday."""
    growth: Annotated[Fraction, Field(gt=-1, le=10)] = 0.0
    """Growth per year."""
    variability: Annotated[Fraction, Field(ge=0, le=1)] | None = None
    """Log-standard deviation of hourly noise; blank: 5 %, or the profile's."""
    persistence: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Correlation of the noise from hour to hour; blank: 0.8, or the profile's."""


def hourly_rate(
    demand: Demand, local_start: datetime, hours: int, stream: Stream,
    profile: RequestProfile | None = None,
) -> np.ndarray:  # fmt: skip
    """Return the rate in requests/s on each of `hours` + 1 hour boundaries."""
    at = np.arange(hours + 1)
    hour_of_day = (local_start.hour + local_start.minute / 60.0 + at) % 24.0
    weekdays = (local_start.weekday() + (local_start.hour + at) // 24) % 7
    week = np.where(weekdays >= 5, demand.weekend, 1.0)
    growth = (1.0 + demand.growth) ** (at / YEAR_H)
    rate = 1.0 if demand.rate is None else demand.rate
    shape = _day(demand, hour_of_day, profile)
    return rate * shape * week * growth * _noise(demand, hours + 1, stream, profile)


def _day(
    demand: Demand, hour_of_day: np.ndarray, profile: RequestProfile | None
) -> np.ndarray:
    """Return the shape of the day, of mean one: what was observed, or a cosine."""
    if profile is None or not profile.hours or demand.daily_swing is not None:
        swing = DAILY_SWING if demand.daily_swing is None else demand.daily_swing
        peak = PEAK_HOUR if demand.peak_hour is None else demand.peak_hour
        return 1.0 + swing * np.cos(2.0 * np.pi * (hour_of_day - peak) / 24.0)
    hours = np.array(profile.hours)
    middles = np.arange(24) + 0.5
    shift = 0.0 if demand.peak_hour is None else demand.peak_hour - middles[hours.argmax()]
    return np.interp(hour_of_day - shift, middles, hours / hours.mean(), period=24.0)


def _noise(
    demand: Demand, count: int, stream: Stream, profile: RequestProfile | None
) -> np.ndarray:
    """Return a lognormal first-order autoregression of mean one."""
    observed = (profile.variability, profile.persistence) if profile else (None, None)
    sigma = _first(demand.variability, observed[0], VARIABILITY)
    kept = _first(demand.persistence, observed[1], PERSISTENCE)
    values = np.empty(count)
    values[0] = stream.normal(0)
    fresh = np.sqrt(1.0 - kept**2)
    for i in range(1, count):
        values[i] = kept * values[i - 1] + fresh * stream.normal(i)
    return np.exp(sigma * values - 0.5 * sigma * sigma)


def _first(*values: float | None) -> float:
    return next(value for value in values if value is not None)
