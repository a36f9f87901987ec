"""What a calibration file says: model, free parameters, measured files, and how they are told apart."""

from typing import Annotated, Any, Literal

from pydantic import Field

from simulator.components.kinds import Spec
from simulator.studies.calibrate.models import Model
from simulator.studies.calibrate.scheduler import JobLog
from simulator.units import Duration, Fraction, Positive, Within


class Parameter(Spec):
    """A value to be found."""

    bounds: tuple[Any, Any]
    """Least and largest value, written as in the scenario, with the same unit."""
    start: Any = None
    """Where the search begins; blank: the scenario's own value."""


class Column(Spec):
    """A column of a file and what its numbers are."""

    column: str
    """Its name in the file."""
    unit: str = "1"
    """Unit of its numbers (`kW`, `degC`, `%`); `text` for names of phases."""


class Clock(Spec):
    """The column that tells when."""

    column: str
    unit: Literal["date", "s", "ms", "us", "ns"] = "date"
    """`date`: text or timestamps; others: numbers since 1970-01-01 UTC."""
    zone: str | None = None
    """Time zone of dates that have none, as `America/New_York`; without it such dates are refused."""
    since: str | None = None
    """Date with its offset from which numbers count, where they do not count from 1970."""


class Telemetry(Spec):
    """One measured file: CSV (also .gz) or Parquet."""

    file: str
    """Relative to the calibration file."""
    time: Clock
    columns: dict[str, Column]
    """By the model's names of what it reads and predicts."""
    where: dict[str, str | int | float | bool] = Field(default_factory=dict)
    """Rows to take: value by column."""
    each: str | None = None
    """Column that tells sensors apart, where a file holds several."""
    combine: Literal["mean", "sum"] = "mean"
    """What is made of several sensors."""
    jobs: JobLog | None = None
    """The file is a scheduler's list of jobs, `time` tells when each began: its columns are then
    `busy` (accelerators) and `waiting` (accelerator-hours)."""
    part: Literal["fit", "blind"] | None = None
    """What all of the file is for; blank: told by `fit_until` or `fit_share`."""


class CalibrationSpec(Spec):
    """Fit named values of a scenario to telemetry, then score later telemetry blind."""

    scenario: str
    """The scenario's file, relative to this one."""
    fixed: dict[str, Any] = Field(default_factory=dict)
    """Values by dotted key laid on the scenario."""
    model: Model  # type: ignore[valid-type]
    """What is measured, and the part of the scenario that predicts it."""
    parameters: Annotated[dict[str, Parameter], Field(min_length=1)]
    """Values to find, by dotted key of the resolved scenario."""
    telemetry: Annotated[tuple[Telemetry, ...], Field(min_length=1)]
    interval: Annotated[Duration, Within("1 s", "31 days")]
    """Readings are averaged over intervals of this length; the model predicts these means."""
    longest_gap: Annotated[Duration, Positive()] | None = None
    """Longest hole between two intervals that is let pass; blank: six intervals."""
    most_missing: Annotated[Fraction, Within("0 %", "50 %")] = 0.05
    """Largest share of unreadable or blank values in a column."""
    least_sensors: Annotated[Fraction, Within("1 %", "100 %")] = 0.9
    """Least share of the sensors that must report in an interval for it to count."""
    fit_until: str | None = None
    """Date with its offset: what lies before is fitted, what lies after is scored blind."""
    fit_share: Annotated[Fraction, Within("5 %", "95 %")] = 0.5
    """Share of the time that is fitted where neither `fit_until` nor `part` tells."""
    blocks: Literal["day", "week", "month", "file"] = "month"
    """What is scored apart."""
