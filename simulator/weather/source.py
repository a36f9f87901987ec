"""Which weather a scenario asks for, and what it gets."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import model_validator

from simulator.components.cooling.psychrometrics import wet_bulb_of_vapour_c
from simulator.components.kinds import Spec
from simulator.units import Duration, Length, TemperatureDelta, Within
from simulator.weather import formats, quality, table
from simulator.weather.extreme import Air, Extreme, Wave, with_wave
from simulator.weather.records import Array, Hours, Records, WeatherError

STATIONS = {"greensboro": "723170TYA.CSV", "sand_point": "703165TY.csv", "miami": "12839.tm2"}
"""Real typical years inside the pvlib package: Greensboro NC, Sand Point AK, Miami FL."""


class WeatherSource(Spec):
    """One hourly weather file: `epw`, `tmy3` or `csv` by path, or a `station` by name.

    Without any of them the air is Greensboro's. A CSV file has the columns `time` (ISO, with UTC
    offset), `dry_bulb_c`, `rh_pct` or `dew_point_c`, and may have `pressure_pa`; or it is in one of
    two layouts of Open-Meteo (`simulator/weather/table.py`). It may be packed (`.csv.gz`).
    """

    epw: str | None = None
    """EnergyPlus weather file, relative to the document."""
    tmy3: str | None = None
    """NREL TMY3 file, relative to the document."""
    csv: str | None = None
    """Hourly CSV file of actual weather, relative to the document."""
    site: str | None = None
    """Which rows of a CSV file of several places: their `site`."""
    station: Literal["greensboro", "sand_point", "miami"] | None = None
    """A typical year that comes with the installation."""
    elevation: Length | None = None
    """Height above sea level, for files that lack pressure and elevation."""
    dry_bulb_shift: Annotated[TemperatureDelta, Within("-20 K", "20 K")] = 0.0
    """Added to every dry bulb with the same water in the air: what if it were hotter."""
    extreme: Extreme | None = None
    """A heat wave on the hottest spell of the year, beside what the file holds."""
    max_gap: Annotated[Duration, Within("0 s", "24 h")] = 3 * 3600.0
    """Longest run of missing hours that is filled, linearly and with a warning."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [key for key in ("epw", "tmy3", "csv", "station") if getattr(self, key)]
        if len(given) > 1:
            raise ValueError(f"give one of epw, tmy3, csv or station, not {' and '.join(given)}")
        if self.site is not None and self.csv is None:
            raise ValueError("site chooses among the rows of a csv file; there is none")
        return self

    def path(self, folder: Path) -> Path:
        """Return the file, with relative paths taken from `folder`."""
        named = self.epw or self.tmy3 or self.csv
        if named:
            return folder / named
        package = find_spec("pvlib")  # finds the folder; importing pvlib would cost a second
        if package is None or not package.submodule_search_locations:
            raise WeatherError(["station weather comes with the pvlib package: install pvlib"])
        root = Path(package.submodule_search_locations[0])
        return root / "data" / STATIONS[self.station or "greensboro"]


@dataclass(frozen=True)
class Weather:
    """Checked hourly air of one place; all arrays are on consecutive hours from `first_hour`.

    `first_hour` is local standard time in a typical year (one common year stands for all), UTC in
    an actual one. Latitude and longitude are None when the file does not tell.
    """

    name: str
    latitude: float | None
    longitude: float | None
    utc_offset_h: float
    elevation_m: float | None
    typical: bool
    label: str
    first_hour: np.datetime64
    dry_bulb_c: Array
    wet_bulb_c: Array
    pressure_pa: Array
    warnings: tuple[str, ...]
    sha256: str
    path: str
    extreme: bool = False
    """A heat wave is imposed on it."""
    waves: tuple[tuple[int, int], ...] = ()
    """First hour of each wave, and the one after its last, as places in the arrays."""
    annual_maximum: tuple[float, float] | None = None
    """Mean and deviation of the annual maxima of dry bulb, where the file tells."""

    @property
    def kind(self) -> str:
        """What kind of year it is, in words."""
        kind = "typical year" if self.typical else "actual record"
        return kind + (" with an imposed heat wave" if self.extreme else "")


def read(source: WeatherSource, folder: Path) -> Weather:
    """Return the weather a source names; `WeatherError` lists everything wrong with the file."""
    path = source.path(folder)
    try:
        return _weather(source, path, *_file(_format(source, path), path, _changed(path), source.site))
    except OSError as error:
        raise WeatherError([f"{path.name}: {error.strerror or error}"]) from None
    except WeatherError as error:
        raise WeatherError([f"{path.name}: {problem}" for problem in error.problems]) from None


def read_once(source: WeatherSource, folder: Path) -> Weather:
    """Return the same, read only once as long as the file does not change."""
    return _read_at(source, folder, _changed(source.path(folder)))


def _changed(path: Path) -> int:
    """Return when a file was last written, 0 where there is none."""
    return path.stat().st_mtime_ns if path.is_file() else 0


@lru_cache(maxsize=32)
def _read_at(source: WeatherSource, folder: Path, changed: int) -> Weather:
    return read(source, folder)


@lru_cache(maxsize=16)
def _file(format_: str, path: Path, changed: int, site: str | None) -> tuple[Records, str]:
    """Return what a file says and its hash: read once, however often it is shifted."""
    text, content = formats.file_text(path)
    readers = {"epw": formats.read_epw, "tmy2": formats.read_tmy2, "tmy3": formats.read_tmy3}
    read_it = readers.get(format_)
    records = read_it(text) if read_it else table.read_csv(text, path.name.partition(".")[0], site)
    return records, hashlib.sha256(content).hexdigest()


def _format(source: WeatherSource, path: Path) -> str:
    if source.epw or source.csv:
        return "epw" if source.epw else "csv"
    return "tmy2" if path.suffix == ".tm2" else "tmy3"


def _weather(source: WeatherSource, path: Path, records: Records, sha256: str) -> Weather:
    series = quality.regular(records, source.elevation)
    series.warnings += records.warnings
    if not series.problems:
        quality.fill_gaps(series, source.max_gap, records.typical)
    if series.problems:
        raise WeatherError(series.problems)
    wave = _wave(source, records, series)
    if wave is not None:
        series.dry_bulb_c, series.vapour_pa = wave.dry_bulb_c, wave.vapour_pa
        series.warnings += wave.warnings
    dry, wet = _shifted(series, source.dry_bulb_shift)
    shift = f", dry bulb {source.dry_bulb_shift:+g} K" if source.dry_bulb_shift else ""
    hours: Hours = series.hour
    return Weather(
        name=records.name,
        latitude=records.latitude,
        longitude=records.longitude,
        utc_offset_h=records.utc_offset_h,
        elevation_m=source.elevation if source.elevation is not None else records.elevation_m,
        typical=records.typical,
        label=records.label + (f", {wave.label}" if wave and wave.label else "") + shift,
        first_hour=hours[0],
        dry_bulb_c=dry,
        wet_bulb_c=wet,
        pressure_pa=series.pressure_pa,
        warnings=tuple(series.warnings),
        sha256=sha256,
        path=str(path),
        extreme=bool(wave and wave.spells),
        waves=tuple((s.start, s.stop) for s in wave.spells) if wave else (),
        annual_maximum=records.annual_maximum,
    )


def _wave(source: WeatherSource, records: Records, series: quality.Series) -> Wave | None:
    """Return the air with the heat wave that is asked for."""
    if source.extreme is None:
        return None
    air = Air(
        series.hour, series.dry_bulb_c, series.vapour_pa, series.pressure_pa,
        records.utc_offset_h, records.typical,
    )  # fmt: skip
    return with_wave(source.extreme, air, records.annual_maximum)


def _shifted(series: quality.Series, shift_k: float) -> tuple[Array, Array]:
    """Return dry and wet bulb; hotter air keeps its water, colder air loses what condenses."""
    dry = series.dry_bulb_c + shift_k
    return dry, wet_bulb_of_vapour_c(dry, series.vapour_pa, series.pressure_pa)
