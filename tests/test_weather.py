"""Weather files: read as others read them, mapped to the hour, refused with every reason."""

import gzip
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from simulator.weather import STATIONS, WeatherError, WeatherSource, for_period, read

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "weather"
HERE = Path()


def station_path(name="greensboro"):
    return WeatherSource(station=name).path(HERE)


@pytest.fixture(scope="module")
def greensboro():
    return read(WeatherSource(), HERE)


@pytest.fixture
def tmy3_lines():
    return station_path().read_text().splitlines()


def problems(tmp_path, lines, **source):
    """Return the problems of a file with these lines."""
    key = source.pop("key", "tmy3")
    file = tmp_path / "weather.txt"
    file.write_text("\n".join(lines) + "\n")
    spec = WeatherSource.model_validate({key: "weather.txt", **source})
    with pytest.raises(WeatherError) as error:
        read(spec, tmp_path)
    assert str(error.value)
    return error.value.problems


def with_cell(lines, row, column, value):
    cells = lines[row].split(",")
    cells[column] = value
    return [*lines[:row], ",".join(cells), *lines[row + 1 :]]


def csv_lines(hours=48, start=datetime(2023, 7, 1, tzinfo=UTC), extra=""):
    rows = [f"time,dry_bulb_c,rh_pct{',pressure_pa' if extra else ''}"]
    for h in range(hours):
        rows.append(f"{(start + timedelta(hours=h)).isoformat()},{20 + h % 24},50{extra}")
    return rows


def csv_weather(tmp_path, lines, **source):
    (tmp_path / "year.csv").write_text("\n".join(lines) + "\n")
    return read(WeatherSource.model_validate({"csv": "year.csv", **source}), tmp_path)


# --- as other readers read it ---------------------------------------------------------------


def test_default_is_the_typical_year_of_greensboro(greensboro):
    assert greensboro.name.startswith("Greensboro")
    assert greensboro.typical and greensboro.label == "typical meteorological year (TMY3)"
    assert (greensboro.latitude, greensboro.longitude) == (36.1, -79.95)
    assert (greensboro.utc_offset_h, greensboro.elevation_m) == (-5.0, 273.0)
    assert len(greensboro.dry_bulb_c) == 8760 and greensboro.warnings == ()
    assert len(greensboro.sha256) == 64 and Path(greensboro.path).name == STATIONS["greensboro"]


@pytest.mark.parametrize("name", ["greensboro", "sand_point"])
def test_tmy3_equals_pvlib(name):
    from pvlib.iotools import read_tmy3

    ours = read(WeatherSource(station=name), HERE)
    table, place = read_tmy3(station_path(name), coerce_year=2001, map_variables=True)
    np.testing.assert_array_equal(ours.dry_bulb_c, table["temp_air"])
    np.testing.assert_allclose(ours.pressure_pa, table["pressure"] * 100.0)
    assert (ours.latitude, ours.longitude) == (place["latitude"], place["longitude"])
    # pvlib stamps hour 1 as 01:00, as we do.
    assert table.index[0].hour == 1


def test_tmy2_equals_pvlib():
    from pvlib.iotools import read_tmy2

    ours = read(WeatherSource(station="miami"), HERE)
    table, place = read_tmy2(station_path("miami"))
    np.testing.assert_allclose(ours.dry_bulb_c, table["DryBulb"] / 10.0)
    np.testing.assert_allclose(ours.pressure_pa, table["Pressure"] * 100.0)
    assert ours.latitude == pytest.approx(place["latitude"])
    assert ours.longitude == pytest.approx(place["longitude"])
    assert ours.name == "Miami, FL"


EPW_FILES = sorted(SHARED.glob("*.epw"))


@pytest.mark.skipif(not EPW_FILES, reason="no EPW files beside the repository")
@pytest.mark.parametrize("path", EPW_FILES, ids=lambda path: path.stem)
def test_epw_equals_pvlib(path):
    from pvlib.iotools import read_epw

    ours = read(WeatherSource(epw=str(path)), HERE)
    table, place = read_epw(path, coerce_year=2001)
    np.testing.assert_array_equal(ours.dry_bulb_c, table["temp_air"])
    np.testing.assert_array_equal(ours.pressure_pa, table["atmospheric_pressure"])
    assert (ours.latitude, ours.utc_offset_h) == (place["latitude"], place["TZ"])
    assert ours.elevation_m == place["altitude"]
    assert ours.typical and ours.label.startswith("typical")
    assert (ours.wet_bulb_c <= ours.dry_bulb_c + 1e-6).all()


def test_wet_bulb_is_that_of_dew_point(greensboro):
    from pvlib.iotools import read_tmy3

    from simulator.components.cooling import psychrometrics as moist

    table, _ = read_tmy3(station_path(), coerce_year=2001, map_variables=True)
    vapour = moist.saturation_pressure_pa(np.minimum(table["temp_dew"], table["temp_air"]))
    expected = moist.wet_bulb_of_vapour_c(table["temp_air"], vapour, table["pressure"] * 100.0)
    np.testing.assert_allclose(greensboro.wet_bulb_c, expected, atol=1e-9)
    assert greensboro.wet_bulb_c.max() == pytest.approx(27.1, abs=0.1)


def test_reading_does_not_import_pvlib():
    code = "import sys, simulator.weather as w, pathlib; w.read(w.WeatherSource(), pathlib.Path());"
    code += "sys.exit(any(m in sys.modules for m in ('pvlib', 'pandas', 'psychrolib')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- mapped to a period ---------------------------------------------------------------------


def test_hour_one_is_one_o_clock_local_standard_time(greensboro):
    air = for_period(greensboro, datetime(2023, 1, 1, 6, tzinfo=UTC), 3)  # 01:00 at UTC-5
    np.testing.assert_array_equal(air.dry_bulb_c, greensboro.dry_bulb_c[:4])
    midnight = for_period(greensboro, datetime(2023, 1, 1, 5, tzinfo=UTC), 1)
    assert midnight.dry_bulb_c[0] == greensboro.dry_bulb_c[-1]  # 24:00 on December 31


def test_a_year_takes_every_hour_once(greensboro):
    air = for_period(greensboro, datetime(2023, 1, 1, 5, tzinfo=UTC), 8760)
    assert len(air) == 8761
    np.testing.assert_array_equal(air.wet_bulb_c[1:], greensboro.wet_bulb_c)


def test_the_leap_day_repeats_the_day_before(greensboro):
    air = for_period(greensboro, datetime(2024, 2, 28, 5, tzinfo=UTC), 72)
    np.testing.assert_array_equal(air.dry_bulb_c[:24], air.dry_bulb_c[24:48])
    march = for_period(greensboro, datetime(2023, 3, 1, 5, tzinfo=UTC), 24)
    np.testing.assert_array_equal(air.dry_bulb_c[48:], march.dry_bulb_c)


def test_between_hours_the_air_is_interpolated(greensboro):
    on_hour = for_period(greensboro, datetime(2023, 7, 14, 18, tzinfo=UTC), 1)
    between = for_period(greensboro, datetime(2023, 7, 14, 18, 15, tzinfo=UTC), 0)
    expected = 0.75 * on_hour.dry_bulb_c[0] + 0.25 * on_hour.dry_bulb_c[1]
    assert between.dry_bulb_c[0] == pytest.approx(expected)


def test_an_actual_year_covers_its_own_span_and_an_hour_around(tmp_path):
    weather = csv_weather(tmp_path, csv_lines(48))
    assert not weather.typical and weather.label == "actual weather 2023-07-01 to 2023-07-02"
    assert weather.latitude is None and "sea level" in weather.warnings[0]
    air = for_period(weather, datetime(2023, 7, 1, tzinfo=UTC), 48)
    np.testing.assert_array_equal(air.dry_bulb_c, [*weather.dry_bulb_c, weather.dry_bulb_c[-1]])
    with pytest.raises(WeatherError, match=r"covers 2023-07-01T00:00Z to 2023-07-02T23:00Z, but"):
        for_period(weather, datetime(2023, 7, 1, tzinfo=UTC), 50)


def test_csv_in_local_time_is_utc_inside(tmp_path):
    lines = ["time,dry_bulb_c,dew_point_c,pressure_pa"]
    lines += [f"2023-07-01T{h:02d}:00-05:00,{h},-5,99000" for h in range(24)]
    weather = csv_weather(tmp_path, lines)
    assert weather.utc_offset_h == -5.0 and weather.warnings == ()
    air = for_period(weather, datetime(2023, 7, 1, 5, tzinfo=UTC), 3)
    np.testing.assert_array_equal(air.dry_bulb_c, [0, 1, 2, 3])
    np.testing.assert_array_equal(air.pressure_pa, 99_000.0)


@pytest.mark.skipif(not EPW_FILES, reason="no EPW files beside the repository")
def test_an_epw_of_one_real_year_is_an_actual_year(tmp_path):
    lines = EPW_FILES[0].read_text(encoding="latin-1").splitlines()
    lines[0] = "LOCATION,Somewhere,-,USA,ISD,1,40,-100,-6,300"
    rows = [",".join(["2021", *line.split(",")[1:]]) for line in lines[8:]]
    (tmp_path / "real.epw").write_text("\n".join([*lines[:8], *rows]))
    weather = read(WeatherSource(epw="real.epw"), tmp_path)
    assert not weather.typical and weather.label == "actual year 2021 (ISD)"
    assert str(weather.first_hour) == "2021-01-01T07:00"
    air = for_period(weather, datetime(2021, 1, 1, 6, tzinfo=UTC), 8760)
    np.testing.assert_array_equal(air.dry_bulb_c[1:], weather.dry_bulb_c)
    with pytest.raises(WeatherError, match="but the run needs"):
        for_period(weather, datetime(2022, 1, 1, 6, tzinfo=UTC), 24)


def epw_lines(source, years, hours=8760, change=None):
    """Return an EPW of smooth air, its months of these years in turn; `change` maps hours to dry bulbs."""
    lines = [f"LOCATION,Nowhere,-,XXX,{source},1,-35,0,5.5,3000", *["-"] * 7]
    first = datetime(2004 if hours > 8760 else 2001, 1, 1, tzinfo=UTC)
    for h in range(hours):
        at = first + timedelta(hours=h)
        dry_c = (change or {}).get(h, f"{15.0 + h % 24 / 2.0}")
        dew_c = "99.9" if dry_c == "99.9" else "5.0"
        year = years[at.month % len(years)]
        lines.append(f"{year},{at.month},{at.day},{at.hour + 1},60,?9,{dry_c},{dew_c},999,70000")
    return lines


def epw_weather(tmp_path, lines):
    (tmp_path / "synthetic.epw").write_text("\r\n".join(lines) + "\r\n", encoding="latin-1")
    return read(WeatherSource(epw="synthetic.epw"), tmp_path)


@pytest.mark.parametrize("source", ["TMYx", "IWEC Data", "WYEC2", "SWEC", "CTZRV2", "TRY", "DWD TRY", "KISR"])
def test_a_typical_year_whose_months_all_say_one_year_is_told_by_its_source(source, tmp_path):
    weather = epw_weather(tmp_path, epw_lines(source, (1995,)))
    assert weather.typical
    air = for_period(weather, datetime(2028, 2, 28, 18, 30, tzinfo=UTC), 48)  # over a leap day of half an hour's zone
    assert np.isfinite(air.dry_bulb_c).all() and (air.pressure_pa == 70_000.0).all()


def test_a_leap_year_of_mixed_months_and_the_ends_of_what_is_observed_are_read(tmp_path):
    change = {10: "-45.0", 4700: "55.0", 5000: "99.9", 5001: "99.9"}
    weather = epw_weather(tmp_path, epw_lines("TMYx", (1999, 2004), hours=8784, change=change))
    assert len(weather.dry_bulb_c) == 8760
    assert (weather.dry_bulb_c.min(), weather.dry_bulb_c.max()) == (-45.0, 55.0)
    assert np.isfinite(weather.wet_bulb_c).all() and (weather.wet_bulb_c <= weather.dry_bulb_c + 1e-9).all()
    assert any("filled linearly" in told for told in weather.warnings)


# --- tables of several places, and of Open-Meteo --------------------------------------------

PLACES = ["site,zone_key,utc_offset_s,time_local,temperature_c,rh_pct,cloud_pct,wind_kmh"]
PLACES += [f"Dallas,ERCO,-18000,2022-07-01T{h:02d}:00,{30 + h},40,0,9" for h in range(24)]
PLACES += [f"Frankfurt,DE-LU,7200,2022-07-01T{h:02d}:00,{10 + h},80,0,9" for h in range(24)]


def test_rows_of_one_site_of_many_are_read_in_utc(tmp_path):
    dallas = csv_weather(tmp_path, PLACES, site="Dallas", elevation="171 m")
    assert (dallas.name, dallas.utc_offset_h, dallas.typical) == ("Dallas", -5.0, False)
    assert str(dallas.first_hour) == "2022-07-01T05:00"
    np.testing.assert_array_equal(dallas.dry_bulb_c, 30 + np.arange(24))
    assert dallas.elevation_m == 171.0 and "elevation 171 m" in dallas.warnings[0]
    frankfurt = csv_weather(tmp_path, PLACES, site="Frankfurt")
    assert str(frankfurt.first_hour) == "2022-06-30T22:00"


def test_a_packed_table_reads_the_same_and_a_damaged_one_is_refused(tmp_path):
    packed = gzip.compress("\n".join(PLACES).encode())
    (tmp_path / "all.csv.gz").write_bytes(packed)
    source = WeatherSource.model_validate({"csv": "all.csv.gz", "site": "Dallas"})
    np.testing.assert_array_equal(read(source, tmp_path).dry_bulb_c, 30 + np.arange(24))
    (tmp_path / "all.csv.gz").write_bytes(packed[:-20])
    with pytest.raises(WeatherError, match=r"all\.csv\.gz: the packed file"):
        read(source, tmp_path)


def test_a_file_of_open_meteo_tells_its_place(tmp_path):
    head = ["latitude,longitude,elevation,utc_offset_seconds,timezone,timezone_abbreviation"]
    head += ["33.42,-112.0,337.0,-25200,America/Phoenix,MST", ""]
    head += ["time,temperature_2m (°C),relative_humidity_2m (%),surface_pressure (hPa),rain (mm)"]
    rows = [f"2021-07-01T{h:02d}:00,{30 + h / 2},20,970.5,0" for h in range(24)]
    weather = csv_weather(tmp_path, [*head, *rows])
    assert (weather.latitude, weather.elevation_m, weather.utc_offset_h) == (33.42, 337.0, -7.0)
    assert str(weather.first_hour) == "2021-07-01T07:00" and weather.warnings == ()
    assert weather.pressure_pa[0] == 97_050.0
    found = problems(tmp_path, [*head[:3], head[3].replace("°C", "°F"), *rows], key="csv")
    assert any("unknown column 'temperature_2m (°F)'" in text for text in found)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({}, "rows of several places: give site, one of Dallas, Frankfurt"),
        ({"site": "Dalas"}, "there is no site 'Dalas' (did you mean 'Dallas'?)"),
    ],
)
def test_which_site_must_be_told(tmp_path, source, message):
    (found,) = problems(tmp_path, PLACES, key="csv", **source)
    assert message in found


def test_a_site_without_a_column_or_a_file_is_an_error(tmp_path):
    (found,) = problems(tmp_path, csv_lines(), key="csv", site="Dallas")
    assert "there is no column 'site' to find 'Dallas' in" in found
    with pytest.raises(ValidationError, match="site chooses among the rows"):
        WeatherSource.model_validate({"station": "miami", "site": "Dallas"})
    lines = [PLACES[0], PLACES[1].replace("T00:00", "T00:00Z"), *PLACES[2:25]]
    (found,) = problems(tmp_path, lines, key="csv")
    assert "line 2: local times must be ISO without an offset" in found


OPEN_METEO = SHARED / "openmeteo_hourly_2021_2023.csv.gz"


@pytest.mark.skipif(not OPEN_METEO.exists(), reason="no tables beside the repository")
def test_three_years_of_dallas_hold_the_freeze_of_2021():
    source = {"csv": str(OPEN_METEO), "site": "Dallas_TX", "elevation": "170 m"}
    weather = read(WeatherSource.model_validate(source), HERE)
    assert len(weather.dry_bulb_c) == 26_280 and weather.label.startswith("actual weather 2021-01-01")
    assert weather.dry_bulb_c.min() == -18.8 and weather.dry_bulb_c.max() == 43.0
    coldest = weather.first_hour + np.timedelta64(int(weather.dry_bulb_c.argmin()), "h")
    assert str(coldest)[:10] == "2021-02-16"


# --- what if --------------------------------------------------------------------------------


def test_a_hotter_year_keeps_its_water(greensboro):
    hot = read(WeatherSource.model_validate({"dry_bulb_shift": "3 K"}), HERE)
    np.testing.assert_allclose(hot.dry_bulb_c, greensboro.dry_bulb_c + 3.0)
    rise = hot.wet_bulb_c - greensboro.wet_bulb_c
    assert (rise > 0.2).all() and (rise < 3.0).all()
    assert hot.label.endswith("dry bulb +3 K")


def test_a_short_gap_is_filled_and_told(tmp_path):
    lines = csv_lines(48)
    weather = csv_weather(tmp_path, [*lines[:10], *lines[12:]], elevation="1700 m")
    np.testing.assert_allclose(weather.dry_bulb_c, [20 + h % 24 for h in range(48)])
    assert "dry bulb filled linearly for 2 h: 2023-07-01T09:00Z" in weather.warnings
    assert weather.pressure_pa[0] == pytest.approx(82_500.0, rel=2e-3)


# --- refused --------------------------------------------------------------------------------


def test_a_missing_file_is_a_problem(tmp_path):
    with pytest.raises(WeatherError, match=r"nowhere\.epw: No such file"):
        read(WeatherSource(epw="nowhere.epw"), tmp_path)
    with pytest.raises(WeatherError):
        read(WeatherSource(epw="."), tmp_path)


@pytest.mark.parametrize(
    ("lines", "key", "message"),
    [
        (["nonsense"], "tmy3", "not a TMY3 file"),
        (["nonsense"], "epw", "not an EPW file"),
        ([""], "epw", "not an EPW file"),
        (["LOCATION,a,b,c,TMY3,1,x,2,3,4"], "epw", "latitude 'x' is not a number"),
        (["time,dry_bulb,rh_pct"], "csv", "column 'dry_bulb_c' is missing"),
        (["time,dry_bulb_c"], "csv", "'rh_pct' or 'dew_point_c' is missing"),
        (["time,dry_bulb_c,rh_pct"], "csv", "0 rows of data"),
        (["time,dry_bulb_c,rh_pct", "2023-07-01T00:00,20,50"], "csv", "UTC offset"),
        (["time,dry_bulb_c,rh_pct", "yesterday,20,50"], "csv", "UTC offset"),
        (["time,dry_bulb_c,rh_pct", "2023-07-01T00:00Z,20"], "csv", "do not have 3 cells"),
        (["time,dry_bulb_c,rh_pct", "2023-07-01T00:00Z,hot,5"], "csv", "'hot' in row 0"),
    ],
)
def test_what_is_no_weather_file_is_refused(tmp_path, lines, key, message):
    assert any(message in problem for problem in problems(tmp_path, lines, key=key))


def test_a_nearly_right_column_is_named(tmp_path):
    found = problems(tmp_path, ["time,dry_bulb,rh_pct"], key="csv")
    assert any("unknown column 'dry_bulb' (did you mean 'dry_bulb_c'?)" in text for text in found)


def test_rows_of_a_typical_year_must_be_complete(tmp_path, tmy3_lines):
    (found,) = problems(tmp_path, [*tmy3_lines[:100], *tmy3_lines[102:]])
    assert (
        found == "weather.txt: 8,758 rows; a typical year has 8,760; missing: 01-05 03:00, "
        "01-05 04:00"
    )


def test_the_leap_day_of_a_typical_year_is_left_out(tmp_path, tmy3_lines):
    """Whichever of the two makes of file has it; hours before and after stay what they were."""
    feb_28 = [line for line in tmy3_lines if line.startswith("02/28/")]
    after = tmy3_lines.index(feb_28[-1]) + 1
    lines = [*tmy3_lines[:after], *(line.replace("02/28/", "02/29/", 1) for line in feb_28), *tmy3_lines[after:]]
    for name, text in (("plain", tmy3_lines), ("leap", lines)):
        (tmp_path / f"{name}.csv").write_text("\n".join(text))
    plain, leap = (read(WeatherSource(tmy3=f"{name}.csv"), tmp_path) for name in ("plain", "leap"))
    np.testing.assert_array_equal(plain.dry_bulb_c, leap.dry_bulb_c)
    assert leap.warnings == (*plain.warnings, "24 hours of 29 February left out: a typical year has none")


def test_an_hour_there_twice_is_named_with_the_other_problems(tmp_path, tmy3_lines):
    lines = with_cell(tmy3_lines, 200, 31, "71.0")
    found = problems(tmp_path, [*lines, lines[50]])
    assert len(found) == 3
    assert "hours there twice: 01-03 01:00" in found[0]
    assert "8,761 rows" in found[1]
    assert "dry bulb 71 degC is outside -90 to 60: 01-09 07:00" in found[2]


def test_flags_for_missing_values_are_gaps(tmp_path, tmy3_lines):
    lines = tmy3_lines
    for row in range(300, 305):
        lines = with_cell(lines, row, 31, "-9900")
    found = problems(tmp_path, lines)
    assert "dry bulb is missing for 5 h from 01-13 11:00; at most 3 h are filled" in found[0]


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        (31, "inf", "dry bulb inf degC is outside"),
        (34, "88.8", "dew point 88.8 degC is outside"),
        (40, "12", "pressure 1200 Pa is outside"),
        (31, "warm", "dry bulb: 'warm' in row 98 is no number"),
        (0, "14/01/1988", "no such date and hour"),
    ],
)
def test_absurd_values_are_refused(tmp_path, tmy3_lines, column, value, message):
    found = problems(tmp_path, with_cell(tmy3_lines, 100, column, value))
    assert any(message in problem for problem in found)


def test_relative_humidity_out_of_bounds_is_refused(tmp_path):
    lines = [*csv_lines(24), "2023-07-02T00:00:00+00:00,20,140"]
    (found,) = problems(tmp_path, lines, key="csv")
    assert "relative humidity 140 % is outside 0 to 100: 2023-07-02T00:00Z" in found


def test_values_between_the_hours_are_refused(tmp_path):
    lines = [*csv_lines(24), "2023-07-02T00:30:00+00:00,20,50"]
    (found,) = problems(tmp_path, lines, key="csv")
    assert "not hourly: 2023-07-02T00:30Z" in found


def test_a_wrong_century_is_refused(tmp_path):
    lines = [*csv_lines(24), "2223-07-02T00:00:00+00:00,20,50"]
    (found,) = problems(tmp_path, lines, key="csv")
    assert "more than 100 years" in found


def test_binary_rubbish_is_refused(tmp_path):
    (tmp_path / "x.epw").write_bytes(bytes(range(256)) * 50)
    with pytest.raises(WeatherError, match="not an EPW file"):
        read(WeatherSource(epw="x.epw"), tmp_path)


@pytest.mark.parametrize(
    "given",
    [
        {"epw": "a", "csv": "b"},
        {"station": "atlantis"},
        {"max_gap": "3"},
        {"dry_bulb_shift": "3 degC"},
        {"rain": 1},
    ],
)
def test_impossible_sources_are_errors(given):
    with pytest.raises(ValidationError):
        WeatherSource.model_validate(given)
