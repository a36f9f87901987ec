"""Request rate over time: a mean with daily and weekly shape, growth and slow noise."""

from datetime import datetime, timedelta
from typing import Annotated

import numpy as np
from pydantic import Field

from simulator.components.kinds import Spec
from simulator.engine.world import Stream
from simulator.units import Fraction, Positive, Rate


class Demand(Spec):
    """Demand for one served model."""

    rate: Annotated[Rate, Positive()]
    """Mean request rate of a weekday at the start of the run."""
    peak_hour: Annotated[float, Field(ge=0, lt=24)] = 15.0
    """Local hour of day with the most requests."""
    daily_swing: Annotated[Fraction, Field(ge=0, lt=1)] = 0.4
    """Largest over mean of the day, less one; the shape is a cosine."""
    weekend: Annotated[Fraction, Field(gt=0, le=2)] = 0.8
    """Weekend over weekday."""
    growth: Annotated[Fraction, Field(gt=-1, le=10)] = 0.0
    """Growth per year."""
    variability: Annotated[Fraction, Field(ge=0, le=1)] = 0.05
    """Log-standard deviation of hourly noise."""
    persistence: Annotated[float, Field(ge=0, lt=1)] = 0.8
    """Correlation of the noise from hour to hour."""


def hourly_rate(demand: Demand, local_start: datetime, hours: int, stream: Stream) -> np.ndarray:
    """Return the rate in requests/s on each of `hours` + 1 hour boundaries."""
    at = np.arange(hours + 1)
    hour_of_day = (local_start.hour + local_start.minute / 60.0 + at) % 24.0
    shape = 1.0 + demand.daily_swing * np.cos(2.0 * np.pi * (hour_of_day - demand.peak_hour) / 24.0)
    weekdays = np.array([(local_start + timedelta(hours=int(h))).weekday() for h in at])
    week = np.where(weekdays >= 5, demand.weekend, 1.0)
    growth = (1.0 + demand.growth) ** (at / 8766.0)
    return demand.rate * shape * week * growth * _noise(demand, hours + 1, stream)


def _noise(demand: Demand, count: int, stream: Stream) -> np.ndarray:
    """Return a lognormal first-order autoregression of mean one."""
    values = np.empty(count)
    values[0] = stream.normal(0)
    fresh = np.sqrt(1.0 - demand.persistence**2)
    for i in range(1, count):
        values[i] = demand.persistence * values[i - 1] + fresh * stream.normal(i)
    sigma = demand.variability
    return np.exp(sigma * values - 0.5 * sigma * sigma)
