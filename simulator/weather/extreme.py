"""A heat wave on the hottest spell of a year: what a typical year leaves out, and a connection and a
plant must stand."""

import math
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from simulator.components.cooling.psychrometrics import (
    saturation_pressure_pa,
    wet_bulb_of_vapour_c,
)
from simulator.components.kinds import Spec
from simulator.units import Duration, Temperature, Within
from simulator.weather.records import Array, Hours, WeatherError, named_hours

YEAR_S = 31_557_600.0
DAY_H, YEAR_H = 24, 8760
TAPER_H = 6
"""Hours over which a wave comes and goes, inside its first and last night: no step in the air."""
LEAST_YEARS = 3
"""Of annual maxima that a return value is fitted to (ASHRAE asks for 8 or more)."""
EULER = 0.577215665


class Extreme(Spec):
    """A heat wave laid on the hottest days of the year: their own course, hotter.

    Everything outside those days stays as it is. The hottest hour is either given, or the value that
    is reached once in `return_period`: M + F s of the annual maxima's mean M and deviation s, from the
    head of an EPW file or from the years of an actual one (ASHRAE Fundamentals 2017, ch. 14).
    """

    return_period: Annotated[Duration, Within("2 years", "500 years")] | None = None
    """How rarely a year is so hot: 20 years for the 20-year extreme."""
    dry_bulb: Annotated[Temperature, Within("0 degC", "60 degC")] | None = None
    """The hottest hour, in place of a return period."""
    days: Annotated[int, Field(ge=1, le=30)] = 4
    """How long it lasts: whole days of local standard time."""
    dew_point: Annotated[Temperature, Within("-20 degC", "35 degC")] | None = None
    """Most water in its air. Blank: each hour keeps its own water, so that no dew point rises."""
    wet_bulb: Annotated[Temperature, Within("0 degC", "38 degC")] | None = None
    """Its highest wet bulb: the water in its air is scaled to that, in place of `dew_point`."""
    wet_bulb_return_period: Annotated[Duration, Within("2 years", "500 years")] | None = None
    """The same from the file's own years: the wet bulb reached once in so long, in place of `wet_bulb`. Both
    extremes in one spell are rarer than either."""

    @model_validator(mode="after")
    def _one_peak(self) -> Self:
        if (self.return_period is None) == (self.dry_bulb is None):
            raise ValueError("give one of return_period and dry_bulb")
        water = (self.dew_point, self.wet_bulb, self.wet_bulb_return_period)
        if sum(each is not None for each in water) > 1:
            raise ValueError("give one of dew_point, wet_bulb and wet_bulb_return_period, or none")
        return self


@dataclass(frozen=True)
class Air:
    """Hourly air from `hour[0]` on, in the file's own time; `offset_h` from there to local time."""

    hour: Hours
    dry_bulb_c: Array
    vapour_pa: Array
    pressure_pa: Array
    offset_h: float
    typical: bool


@dataclass(frozen=True)
class Wave:
    """The air with the heat wave in it, and what was done, in words."""

    dry_bulb_c: Array
    vapour_pa: Array
    label: str
    """Blank where nothing was laid on."""
    spells: tuple[slice, ...]
    """The hours of each wave: one in every whole year."""
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class _Peak:
    """The hottest hour, where it is from, and what is weak about it."""

    dry_bulb_c: float
    told: str
    warnings: tuple[str, ...] = ()


def return_value_c(mean_c: float, deviation_k: float, years: float) -> float:
    """Return the annual maximum that is reached once in `years`, Gumbel-distributed.

    M + F s with F = -(sqrt(6) / pi) (0.5772 + ln ln(n / (n - 1))) (ASHRAE Fundamentals 2017, ch. 14,
    with I = 1 of maxima).
    """
    rare = math.log(math.log(years / (years - 1.0)))
    return mean_c - math.sqrt(6.0) / math.pi * (EULER + rare) * deviation_k


def with_wave(extreme: Extreme, air: Air, annual: tuple[float, float] | None) -> Wave:
    """Return the air with a heat wave on the hottest spell of every whole year.

    Parameters
    ----------
    annual : (float, float), optional
        Mean and standard deviation of the annual maxima of dry bulb in degC, where the file tells.
    """
    peak, own_c = _peak(extreme, air, annual), float(air.dry_bulb_c.max())
    if peak.dry_bulb_c < own_c:
        return _held_already(extreme, air, peak, own_c)
    if extreme.wet_bulb_return_period is not None:
        extreme, peak = _wettest(extreme, air, peak)
    dry_c, vapour_pa, spells = air.dry_bulb_c.copy(), air.vapour_pa.copy(), []
    most_pa = _most_vapour_pa(extreme)
    for year in _years(air):
        spell = _hottest(air, year, extreme.days)
        dry_c[spell] = hotter_c(air.dry_bulb_c[spell], peak.dry_bulb_c)
        vapour_pa[spell] = _water_pa(extreme, air, spell, dry_c[spell], most_pa)
        spells.append(spell)
    from_ = named_hours(np.array([air.hour[s.start] for s in spells]), air.typical)
    label = f"heat wave of {extreme.days} d to {peak.dry_bulb_c:.1f} degC ({peak.told}) from {from_}"
    return Wave(dry_c, vapour_pa, label, tuple(spells), peak.warnings)


def _held_already(extreme: Extreme, air: Air, peak: _Peak, own_c: float) -> Wave:
    """Return the air as it is where the file is hotter than its own return value, and say so."""
    told = f"{peak.dry_bulb_c:.1f} degC ({peak.told}) is below the file's own hottest hour of {own_c:.1f} degC"
    if extreme.dry_bulb is not None:
        raise WeatherError([f"extreme: {told}"])
    warning = f"extreme: no heat wave is laid on: {told}"
    return Wave(air.dry_bulb_c, air.vapour_pa, "", (), (*peak.warnings, warning))


def hotter_c(dry_bulb_c: Array, peak_c: float) -> Array:
    """Return a spell's dry bulb, raised so that its hottest hour is `peak_c`.

    All hours rise alike, but for the first and the last few, where the wave comes and goes. The
    rise is the smallest at which any hour reaches the peak.
    """
    hours = len(dry_bulb_c)
    edge = np.minimum(np.arange(1, hours + 1), np.arange(hours, 0, -1)) / (TAPER_H + 1)
    share = 0.5 - 0.5 * np.cos(np.pi * np.minimum(edge, 1.0))
    rise_k = float(((peak_c - dry_bulb_c) / share).min())
    return np.minimum(dry_bulb_c + rise_k * share, peak_c)


def _peak(extreme: Extreme, air: Air, annual: tuple[float, float] | None) -> _Peak:
    """Return the hottest hour that is asked for."""
    if extreme.dry_bulb is not None:
        return _Peak(extreme.dry_bulb, "as given")
    assert extreme.return_period is not None
    years = extreme.return_period / YEAR_S
    (mean_c, deviation_k), source, warnings = annual_maxima(air, air.dry_bulb_c, annual)
    told = f"{years:.4g}-year return value, {source}"
    return _Peak(return_value_c(mean_c, deviation_k, years), told, warnings)


def _wettest(extreme: Extreme, air: Air, peak: _Peak) -> tuple[Extreme, _Peak]:
    """Return the wave with its wet bulb as a figure: the return value of the years' own maxima."""
    assert extreme.wet_bulb_return_period is not None
    years = extreme.wet_bulb_return_period / YEAR_S
    wet_c = wet_bulb_of_vapour_c(air.dry_bulb_c, air.vapour_pa, air.pressure_pa)
    (mean_c, deviation_k), source, warnings = annual_maxima(air, wet_c, None, "wet_bulb")
    reached_c = min(return_value_c(mean_c, deviation_k, years), peak.dry_bulb_c)
    told = f"{peak.told}; wet bulb to {reached_c:.1f} degC, {years:.4g}-year return value, {source}"
    warned = (*peak.warnings, *(w for w in warnings if w not in peak.warnings))
    given = extreme.model_copy(update={"wet_bulb": reached_c, "wet_bulb_return_period": None})
    return given, _Peak(peak.dry_bulb_c, told, warned)


def annual_maxima(
    air: Air, values_c: Array, told: tuple[float, float] | None, key: str = "dry_bulb"
) -> tuple[tuple[float, float], str, tuple[str, ...]]:
    """Return mean and deviation of the annual maxima of a temperature, their source, and what is weak about
    them: as the file tells them, or of its actual years.

    Raises
    ------
    WeatherError
        If it tells none, and holds no three whole actual years; asks for `key` instead.
    """
    if told is not None:
        return told, "design conditions of the file", ()
    maxima = np.array([values_c[year].max() for year in _years(air)])
    if air.typical or len(maxima) < LEAST_YEARS or len(air.hour) < LEAST_YEARS * YEAR_H:
        raise WeatherError([
            "extreme: the file tells no annual maxima, and a return value is fitted to "
            f"{LEAST_YEARS} whole actual years or more; give {key}"
        ])  # fmt: skip
    weak = f"extreme: return value from the maxima of {len(maxima)} years; ASHRAE asks for 8 or more"
    deviation_k = float(maxima.std(ddof=1))
    source = f"maxima of {len(maxima)} years"
    return (float(maxima.mean()), deviation_k), source, (weak,) if len(maxima) < 8 else ()


def _years(air: Air) -> list[slice]:
    """Return the hours of every whole calendar year of local time; of a file without any, all."""
    local = air.hour + np.timedelta64(round(air.offset_h * 60), "m") * (not air.typical)
    year = (local - np.timedelta64(60, "m")).astype("datetime64[Y]")
    starts = np.flatnonzero(np.r_[True, year[1:] != year[:-1]])
    ends = np.r_[starts[1:], len(year)]
    spans = [(int(a), int(b)) for a, b in zip(starts, ends, strict=True)]
    whole = [slice(a, b) for a, b in spans if b - a >= YEAR_H - DAY_H]
    return whole or [slice(0, len(year))]


def _hottest(air: Air, year: slice, days: int) -> slice:
    """Return the whole local days of a year with the highest mean dry bulb."""
    hour = air.hour + np.timedelta64(round(air.offset_h * 60), "m") * (not air.typical)
    midnights = np.flatnonzero(hour.astype("datetime64[D]") == hour)
    length = days * DAY_H
    starts = [int(m) for m in midnights if year.start <= m and m + length <= year.stop]
    if not starts:
        raise WeatherError([f"extreme: the file holds no {days} whole days"])
    total = np.r_[0.0, np.cumsum(air.dry_bulb_c)]
    start = max(starts, key=lambda m: total[m + length] - total[m])
    return slice(start, start + length)


def _most_vapour_pa(extreme: Extreme) -> float:
    """Return the vapour pressure that the wave's air may have at most."""
    if extreme.dew_point is not None:
        return float(saturation_pressure_pa(extreme.dew_point))
    return math.inf


def _water_pa(
    extreme: Extreme, air: Air, spell: slice, dry_c: Array, most_pa: float
) -> Array:
    """Return the vapour of a spell whose dry bulb is now `dry_c`."""
    own_pa, saturated_pa = air.vapour_pa[spell], saturation_pressure_pa(dry_c)
    if extreme.wet_bulb is None:
        return np.minimum(np.minimum(own_pa, most_pa), saturated_pa)
    low, high = 0.0, 20.0
    for _ in range(50):
        factor = 0.5 * (low + high)
        wet_c = wet_bulb_of_vapour_c(dry_c, factor * own_pa, air.pressure_pa[spell]).max()
        low, high = (factor, high) if wet_c < extreme.wet_bulb else (low, factor)
    scaled = np.minimum(low * own_pa, saturated_pa)
    reached_c = float(wet_bulb_of_vapour_c(dry_c, scaled, air.pressure_pa[spell]).max())
    if abs(reached_c - extreme.wet_bulb) > 1e-3:
        raise WeatherError([
            f"extreme: no water in the air gives a wet bulb of {extreme.wet_bulb:.1f} degC at "
            f"{dry_c.max():.1f} degC; the nearest is {reached_c:.1f} degC"
        ])  # fmt: skip
    return scaled
