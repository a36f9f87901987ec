"""The hourly records of a weather file as written, before any check."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Hours = NDArray[np.datetime64]

SHOWN = 3  # places named in one message


class WeatherError(ValueError):
    """All problems of one weather file."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


@dataclass(frozen=True)
class Records:
    """What a file says: one value per row, NaN where the file has none.

    `hour` is the time of the value: local standard time (years of a typical file replaced by one
    common year) or UTC for an actual file. `elevation_m` is None when the file does not tell.
    """

    name: str
    latitude: float | None
    longitude: float | None
    utc_offset_h: float
    elevation_m: float | None
    typical: bool
    label: str
    hour: Hours
    dry_bulb_c: Array
    dew_point_c: Array
    rh_pct: Array
    pressure_pa: Array
    annual_maximum: tuple[float, float] | None = None
    """Mean and standard deviation of the annual maxima of dry bulb in degC, where the file tells."""
    warnings: tuple[str, ...] = ()
    """Said while it was read."""


def named_hours(hours: Hours, typical: bool) -> str:
    """Return the first few hours in words: `07-14 15:00` or, of an actual year, with year and Z."""
    texts = [str(hour) for hour in hours[:SHOWN].astype("datetime64[m]")]
    shown = ", ".join(t[5:].replace("T", " ") if typical else f"{t}Z" for t in texts)
    return shown + (f" and {len(hours) - SHOWN} more" if len(hours) > SHOWN else "")
