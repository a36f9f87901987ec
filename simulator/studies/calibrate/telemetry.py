"""Telemetry files to intervals: read, checked, put into SI, averaged. What is wrong is told, all at once."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator import units
from simulator.errors import StudyError, nearest
from simulator.studies.calibrate import scheduler
from simulator.studies.calibrate.models import Inputs, Quantity, TelemetryModel
from simulator.studies.calibrate.scheduler import JobLog
from simulator.studies.calibrate.spec import CalibrationSpec, Clock, Column, Telemetry

GAP_INTERVALS = 6.0
TEXT = "text"
NS_PER_S = 1e9
TICKS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
"""Nanoseconds of each unit of time."""


@dataclass(frozen=True)
class Measured:
    """All intervals of all files in order of time, and which are fitted."""

    inputs: Inputs
    fitted: NDArray[np.bool_]
    file: NDArray[np.int64]
    """Which file of the list an interval is from."""

    def part(self, wanted: NDArray[np.bool_]) -> Inputs:
        """Return some of the intervals; a hole between them begins a new stretch."""
        rows = np.flatnonzero(wanted)
        first = self.inputs.first[rows] | (np.diff(rows, prepend=-2) != 1)
        values = {name: column[rows] for name, column in self.inputs.values.items()}
        return Inputs(self.inputs.time_s[rows], self.inputs.interval_s, first, values)


def read(spec: CalibrationSpec, folder: Path) -> Measured:
    """Return the intervals of all files; StudyError holds every problem, one a line."""
    problems: list[str] = []
    frames = []
    for number, told in enumerate(spec.telemetry):
        try:
            frames.append(_intervals(told, spec, folder / told.file).assign(file=number))
        except _FileError as wrong:
            problems += [f"{told.file}: {text}" for text in wrong.told]
    if problems:
        raise StudyError("\n".join(problems))
    table = pd.concat(frames).sort_values("start", kind="stable").reset_index(drop=True)
    problems = [*_holes(table, spec), *_blanks(table), *_constant(table, spec.model)]
    if problems:
        raise StudyError("\n".join(problems))
    return _measured(table, spec)


class _FileError(Exception):
    """Everything wrong with one file."""

    def __init__(self, *told: str) -> None:
        self.told = told


def _measured(table: pd.DataFrame, spec: CalibrationSpec) -> Measured:
    start_s = table["start"].to_numpy(np.int64) / NS_PER_S
    file = table["file"].to_numpy(np.int64)
    first = (np.diff(start_s, prepend=-np.inf) > 1.5 * spec.interval) | (np.diff(file, prepend=-1) != 0)
    names = [name for name in table if name not in ("start", "file")]
    values = {name: table[name].to_numpy(float) for name in names}
    return Measured(Inputs(start_s, spec.interval, first, values), _fitted(start_s, file, spec), file)


def _fitted(start_s: NDArray[np.float64], file: NDArray[np.int64], spec: CalibrationSpec) -> NDArray[np.bool_]:
    """Return which intervals are fitted: as their file says, else by time."""
    parts = [told.part for told in spec.telemetry]
    if spec.fit_until is not None:
        until_s = _moment(spec.fit_until, "fit_until").timestamp()
    else:
        until_s = start_s[0] + spec.fit_share * (start_s[-1] + spec.interval - start_s[0])
    by_time = start_s + spec.interval <= until_s + 1e-6
    fitted = np.array(
        [by_time[k] if parts[n] is None else parts[n] == "fit" for k, n in enumerate(file)], bool
    )
    if fitted.sum() <= len(spec.parameters):
        raise StudyError(
            f"{fitted.sum()} intervals to fit {len(spec.parameters)} values to: shorten `interval`, or move "
            "`fit_until`"
        )
    if fitted.all():
        raise StudyError("nothing is left to score blind: move `fit_until`, or add a file with `part: blind`")
    return fitted


def _intervals(told: Telemetry, spec: CalibrationSpec, path: Path) -> pd.DataFrame:
    """Return one row per interval of a file: start (ns), then the model's columns in SI."""
    _check_columns(told, spec.model)
    if told.jobs is not None:
        frame, when = _of_jobs(told, told.jobs, spec.interval, path)
    else:
        frame = _rows(told, path, [c.column for c in told.columns.values()])
        when = _times(frame, told.time)
    sensors = frame[told.each] if told.each else pd.Series(0, index=frame.index)
    bad = [*_order(when, sensors, told)]
    columns: dict[str, pd.Series] = {}
    for name, column in told.columns.items():
        try:
            columns |= _column(frame[column.column], name, column, spec)
        except _FileError as wrong:
            bad += wrong.told
    if bad:
        raise _FileError(*bad)
    step_ns = int(round(spec.interval * NS_PER_S))
    table = pd.DataFrame({"start": when // step_ns * step_ns, "sensor": sensors, **columns})
    each = table.groupby(["start", "sensor"], sort=True).mean()
    by_start = each.groupby(level="start")
    whole = by_start.mean()
    if told.combine == "sum":
        whole *= sensors.nunique()
    enough = by_start.size() >= spec.least_sensors * sensors.nunique()
    return whole[enough].reset_index()


def _check_columns(told: Telemetry, model: TelemetryModel) -> None:
    """Refuse names that the model does not have, and files that lack what it needs."""
    unknown = [name for name in told.columns if name not in model.reads]
    bad = [f"{model.kind} has no '{n}'{nearest(n, model.reads)}; it has {', '.join(model.reads)}" for n in unknown]  # type: ignore[attr-defined]
    missing = [n for n, quantity in model.reads.items() if quantity.needed and n not in told.columns]
    bad += [f"{model.kind} needs a column for '{name}'" for name in missing]  # type: ignore[attr-defined]
    if bad:
        raise _FileError(*bad)


def _of_jobs(
    told: Telemetry, log: JobLog, interval_s: float, path: Path
) -> tuple[pd.DataFrame, pd.Series]:
    """Return a list of jobs as accelerators at work and work that waits, and the intervals' starts."""
    given = {"busy": scheduler.BUSY, "waiting": scheduler.WAITING}
    unknown = [c.column for c in told.columns.values() if c.column not in given]
    if unknown or (log.end is None) == (log.duration is None) or told.each:
        bad = [f"a list of jobs has no '{name}'{nearest(name, given)}; it gives busy and waiting" for name in unknown]
        bad += ["say `end` or `duration` of jobs"] if (log.end is None) == (log.duration is None) else []
        raise _FileError(*bad, *(["a list of jobs has no sensors: leave `each` out"] if told.each else []))
    times = {name: column for name, column in (("end", log.end), ("submit", log.submit)) if column}
    frame = _rows(told, path, [log.size, *times.values(), *([log.duration] if log.duration else [])])
    clock = told.time
    at_s = {"start": _times(frame, clock) / NS_PER_S}
    for name, column in times.items():
        at_s[name] = _times(frame, clock.model_copy(update={"column": column})) / NS_PER_S
    size, lasted_s = _plain(frame, log.size), _plain(frame, log.duration) if log.duration else None
    start_s = at_s["start"].to_numpy(float)
    end_s = at_s["end"].to_numpy(float) if lasted_s is None else start_s + lasted_s
    submit_s = at_s.get("submit", at_s["start"]).to_numpy(float)
    for what, wrong in (
        ("ends before it begins", end_s < start_s), ("begins before it is submitted", start_s < submit_s),
    ):
        if wrong.any():
            raise _FileError(f"the job in row {_row(pd.Series(wrong, frame.index))} {what}")
    found = scheduler.observed(scheduler.Jobs(submit_s, start_s, end_s, size), interval_s)
    when = pd.Series(np.round(found.pop("start_s") * NS_PER_S).astype(np.int64))
    return pd.DataFrame(found), when


def _plain(frame: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """Return numbers that are all there."""
    numbers = pd.to_numeric(frame[column], errors="coerce")
    if numbers.isna().any() or (numbers < 0).any():
        raise _FileError(f"{column} in row {_row(numbers.isna() | (numbers < 0))} is no number from 0 up")
    return numbers.to_numpy(float)


def _rows(told: Telemetry, path: Path, columns: list[str]) -> pd.DataFrame:
    """Return the rows asked for, columns as they stand."""
    if not path.is_file():
        raise _FileError("no such file")
    try:
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    except Exception as error:  # whatever a broken file makes of the reader
        raise _FileError(f"cannot be read: {error}") from None
    asked = [told.time.column, *columns, *told.where]
    asked += [told.each] if told.each else []
    lacking = [name for name in dict.fromkeys(asked) if name not in frame]
    if lacking:
        raise _FileError(*(f"no column '{name}'{nearest(name, frame.columns)}" for name in lacking))
    for name, value in told.where.items():
        frame = frame[frame[name] == value]
        if frame.empty:
            raise _FileError(f"no row has {name} = {value}")
    if frame.empty:
        raise _FileError("has no rows")
    return frame


def _times(frame: pd.DataFrame, clock: Clock) -> pd.Series:
    """Return nanoseconds since 1970-01-01 UTC."""
    given = frame[clock.column]
    if clock.unit == "date":
        return _dates(given, clock)
    numbers = pd.to_numeric(given, errors="coerce")
    if numbers.isna().any():
        raise _FileError(f"{clock.column} in row {_row(numbers.isna())} is no number")
    since_ns = int(_moment(clock.since, "since").timestamp() * NS_PER_S) if clock.since else 0
    ticks = TICKS[clock.unit]
    whole = pd.api.types.is_integer_dtype(numbers)
    return since_ns + (numbers * ticks if whole else (numbers * ticks).round()).astype(np.int64)


def _dates(given: pd.Series, clock: Clock) -> pd.Series:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what cannot be read is told below
        found = pd.to_datetime(given, errors="coerce", utc=not _naive(given))
    if found.isna().any():
        row = _row(found.isna())
        raise _FileError(f"{clock.column} in row {row} is no date; for numbers say the `unit`")
    if found.dt.tz is None:
        found = _located(found, clock)
    return found.dt.tz_convert("UTC").dt.as_unit("ns").astype("int64")


def _naive(given: pd.Series) -> bool:
    """Return whether dates have no time zone, by the first of them."""
    try:
        return pd.Timestamp(given.iloc[0]).tzinfo is None
    except (ValueError, TypeError):
        return False


def _located(found: pd.Series, clock: Clock) -> pd.Series:
    """Return dates with the clock's zone; what that zone has twice or never is refused."""
    if clock.zone is None:
        raise _FileError(f"{clock.column} has no time zone: say `zone`, e.g. UTC or America/New_York")
    try:
        zone = ZoneInfo(clock.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise _FileError(f"no time zone '{clock.zone}'") from None
    try:
        return found.dt.tz_localize(zone)
    except ValueError as error:
        raise _FileError(f"{clock.column}: {error}; export in UTC") from None


def _order(when: pd.Series, sensors: pd.Series, told: Telemetry) -> Iterator[str]:
    """Tell where time goes back or stands still, sensor by sensor; the first place of each."""
    for sensor, own in when.groupby(sensors, sort=False):
        steps = np.diff(own.to_numpy())
        wrong = np.flatnonzero(steps <= 0)
        if not len(wrong):
            continue
        named = f" of {told.each} {sensor}" if told.each else ""
        at = pd.Timestamp(int(own.iloc[wrong[0] + 1]), unit="ns", tz="UTC")
        what = "stands still" if steps[wrong[0]] == 0 else "goes back"
        more = f", and in {len(wrong) - 1} more rows" if len(wrong) > 1 else ""
        yield f"time{named} {what} in row {own.index[wrong[0] + 1] + 2} ({at}){more}: sort the file"
        return


def _column(given: pd.Series, name: str, column: Column, spec: CalibrationSpec) -> dict[str, pd.Series]:
    """Return a column in SI, or for words the share of each."""
    quantity: Quantity = spec.model.reads[name]
    if (quantity.unit == TEXT) != (column.unit == TEXT):
        needs = "words: unit `text`" if quantity.unit == TEXT else f"numbers with a unit like {quantity.unit}"
        raise _FileError(f"{name} is {needs}")
    if quantity.unit == TEXT:
        return {f"{name}.{word}": (given == word).astype(float) for word in sorted(given.dropna().unique())}
    try:
        zero, one = (units.parse(f"{n} {column.unit}".removesuffix(" 1"), quantity.unit) for n in (0, 1))
    except ValueError as error:
        raise _FileError(f"{column.column}: {str(error).partition(': ')[2] or error}") from None
    numbers = pd.to_numeric(given, errors="coerce")
    words = numbers.isna() & given.notna()
    share = float(numbers.isna().mean())
    if share > spec.most_missing:
        kind = f"the first that is no number in row {_row(words)}" if words.any() else "blank"
        raise _FileError(f"{100 * share:.3g} % of {column.column} cannot be read ({kind}); at most "
                     f"{100 * spec.most_missing:g} % may be missing (`most_missing`)")  # fmt: skip
    return {name: zero + (one - zero) * numbers}


def _holes(table: pd.DataFrame, spec: CalibrationSpec) -> Iterator[str]:
    """Tell the longest hole within a file if it is too long."""
    longest_s = GAP_INTERVALS * spec.interval if spec.longest_gap is None else spec.longest_gap
    for number, own in table.groupby("file"):
        starts = own["start"].to_numpy()
        holes_s = np.diff(starts) / NS_PER_S - spec.interval
        if len(holes_s) and holes_s.max() > longest_s:
            k = int(holes_s.argmax())
            ends = [pd.Timestamp(int(t), unit="ns", tz="UTC") for t in starts[k : k + 2]]
            yield (f"{spec.telemetry[number].file}: nothing for {holes_s[k]:.6g} s between {ends[0]} and {ends[1]}; "
                   f"longer than {longest_s:.6g} s: cut the file, or raise `longest_gap`")  # fmt: skip


def _blanks(table: pd.DataFrame) -> list[str]:
    """Tell intervals in which a column has no value at all."""
    blank = [(n, int(table[n].isna().sum())) for n in table if table[n].isna().any()]
    return [f"{n} has no value in {count} intervals: lengthen `interval`, or cut the file" for n, count in blank]


def _constant(table: pd.DataFrame, model: TelemetryModel) -> list[str]:
    """Tell columns that never change: a stuck sensor, or nothing to learn from."""
    names = [n for n in table if n in model.reads]
    flat = [n for n in names if len(table) > 1 and table[n].max() == table[n].min()]
    cure = {n: "" if model.reads[n].needed else "; leave the column out" for n in flat}
    return [f"{n} is {table[n].iloc[0]:.6g} in every interval: a stuck sensor?{cure[n]}" for n in flat]


def _moment(text: str, key: str) -> pd.Timestamp:
    try:
        found = pd.Timestamp(text)
    except ValueError:
        raise StudyError(f"{key}: '{text}' is no date") from None
    if found.tzinfo is None:
        raise StudyError(f"{key}: '{text}' has no offset from UTC; write e.g. 2027-03-01T00:00:00+00:00")
    return found


def _row(wrong: pd.Series) -> Any:
    """Return the line of a file that the first true value stands in: the header is line 1."""
    return int(wrong.index[int(np.argmax(wrong.to_numpy()))]) + 2
