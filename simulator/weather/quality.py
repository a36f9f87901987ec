"""Is this a year of air? Values out of bounds, hours missing or twice, short gaps filled."""

from dataclasses import dataclass, field

import numpy as np

from simulator.components.cooling.psychrometrics import saturation_pressure_pa, standard_pressure_pa
from simulator.weather.records import Array, Hours, Records, named_hours

YEAR_H = 8760
LONGEST_H = 100 * 8784
_HOUR = np.timedelta64(60, "m")
# Beyond any observed on Earth's surface, so a wrong unit or a flag, not weather.
_BOUNDS = {
    "dry bulb": (-90.0, 60.0, "degC"),
    "dew point": (-95.0, 40.0, "degC"),
    "relative humidity": (0.0, 100.0, "%"),
    "pressure": (50_000.0, 110_000.0, "Pa"),
}


@dataclass
class Series:
    """Regular hourly air, NaN where a value is missing, with what was found on the way."""

    hour: Hours
    dry_bulb_c: Array
    vapour_pa: Array
    pressure_pa: Array
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def regular(records: Records, elevation_m: float | None) -> Series:
    """Return the records on a regular hourly axis, with every problem of the file."""
    problems = _time_problems(records) + _value_problems(records)
    if problems:
        none = np.empty(0)
        return Series(records.hour[:0], none, none, none, problems)
    dew = saturation_pressure_pa(np.minimum(records.dew_point_c, records.dry_bulb_c))
    humid = records.rh_pct / 100.0 * saturation_pressure_pa(records.dry_bulb_c)
    first, last = records.hour.min(), records.hour.max()
    hours = np.arange(first, last + _HOUR, _HOUR)
    place = ((records.hour - first) // _HOUR).astype(np.int64)
    table = np.full((3, len(hours)), np.nan)
    table[:, place] = records.dry_bulb_c, np.where(np.isnan(dew), humid, dew), records.pressure_pa
    series = Series(hours, table[0], table[1], table[2])
    _fill_pressure(series, elevation_m if elevation_m is not None else records.elevation_m)
    return series


def fill_gaps(series: Series, max_gap_s: float, typical: bool) -> None:
    """Fill short gaps linearly and say so; a longer gap is a problem."""
    most = int(max_gap_s // 3600)
    for what, values in (("dry bulb", series.dry_bulb_c), ("humidity", series.vapour_pa)):
        missing = np.isnan(values)
        if not missing.any():
            continue
        starts, lengths = _runs(missing)
        long = lengths > most
        for start, length in list(zip(starts[long], lengths[long], strict=True))[:5]:
            where = named_hours(series.hour[start : start + 1], typical)
            series.problems.append(
                f"{what} is missing for {length} h from {where}; at most {most} h are filled "
                "(max_gap)"
            )
        known = np.flatnonzero(~missing)
        if long.any() or not len(known):
            continue
        values[missing] = np.interp(np.flatnonzero(missing), known, values[known])
        where = named_hours(series.hour[starts], typical)
        series.warnings.append(f"{what} filled linearly for {missing.sum()} h: {where}")


def _time_problems(records: Records) -> list[str]:
    """Return what is wrong with the rows as a sequence of hours."""
    hours, typical = records.hour, records.typical
    if len(hours) < 2:
        return [f"{len(hours)} rows of data"]
    if ((hours - hours[0]) % _HOUR != np.timedelta64(0)).any():
        odd = hours[(hours - hours[0]) % _HOUR != np.timedelta64(0)]
        return [f"not hourly: {named_hours(odd, typical)}"]
    distinct, count = np.unique(hours, return_counts=True)
    problems = []
    if (count > 1).any():
        problems.append(f"hours there twice: {named_hours(distinct[count > 1], typical)}")
    if typical and len(hours) != YEAR_H:
        problems.append(f"{len(hours):,} rows; a typical year has 8,760{_absent(distinct)}")
    if (distinct[-1] - distinct[0]) / _HOUR > LONGEST_H:
        problems.append("spans more than 100 years: a date is wrong")
    return problems


def _absent(distinct: Hours) -> str:
    """Return the hours a typical year lacks, in words."""
    first = distinct[0].astype("datetime64[Y]").astype("datetime64[m]") + _HOUR
    year = first + np.arange(YEAR_H) * _HOUR
    missing = np.setdiff1d(year, distinct)
    return f"; missing: {named_hours(missing, True)}" if len(missing) else ""


def _value_problems(records: Records) -> list[str]:
    problems = []
    columns = (records.dry_bulb_c, records.dew_point_c, records.rh_pct, records.pressure_pa)
    used = (True, True, bool(np.isnan(records.dew_point_c).any()), True)
    for (what, (low, high, unit)), values, checked in zip(
        _BOUNDS.items(), columns, used, strict=True
    ):
        bad = ~np.isnan(values) & ~((values >= low) & (values <= high))
        if checked and bad.any():
            where = named_hours(records.hour[bad], records.typical)
            value = values[bad][0]
            problems.append(f"{what} {value:g} {unit} is outside {low:g} to {high:g}: {where}")
    return problems


def _fill_pressure(series: Series, elevation_m: float | None) -> None:
    """Put the standard atmosphere where pressure is missing."""
    missing = np.isnan(series.pressure_pa)
    if not missing.any():
        return
    height = 0.0 if elevation_m is None else elevation_m
    series.pressure_pa[missing] = standard_pressure_pa(height)
    known = f"elevation {height:g} m" if elevation_m is not None else "sea level: give `elevation`"
    series.warnings.append(
        f"pressure of the standard atmosphere for {missing.sum():,} h, from {known}"
    )


def _runs(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return start and length of every run of True."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    starts = np.flatnonzero(edges == 1)
    return starts, np.flatnonzero(edges == -1) - starts
