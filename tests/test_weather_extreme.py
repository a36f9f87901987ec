"""Heat waves laid on a year: the peak, the course of the day, the water, and nothing else."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from simulator.components.cooling.psychrometrics import saturation_pressure_pa
from simulator.weather import WeatherError, WeatherSource, rare, read
from simulator.weather.extreme import TAPER_H, hotter_c, return_value_c

HERE = Path()
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "weather"
EPW_FILES = sorted(SHARED.glob("*.epw"))


def year(extreme=None, **source):
    asked = {"station": "greensboro", **source} | ({"extreme": extreme} if extreme else {})
    return read(WeatherSource.model_validate(asked), HERE)


@pytest.fixture(scope="module")
def plain():
    return year()


@settings(max_examples=25, deadline=None)
@given(
    peak_c=st.floats(36.2, 55.0), days=st.integers(1, 12),
    humidity=st.sampled_from([{}, {"dew_point": "18 degC"}, {"wet_bulb": "29 degC"}]),
)  # fmt: skip
def test_the_hottest_hour_is_what_is_asked_and_nothing_else_moves(plain, peak_c, days, humidity):
    hot = year({"dry_bulb": f"{peak_c} degC", "days": days, **humidity})
    ((start, stop),) = hot.waves
    assert stop - start == 24 * days
    assert hot.dry_bulb_c.max() == pytest.approx(peak_c, abs=1e-9)
    assert start <= hot.dry_bulb_c.argmax() < stop
    outside = np.r_[0:start, stop : len(hot.dry_bulb_c)]
    for name in ("dry_bulb_c", "wet_bulb_c", "pressure_pa"):
        np.testing.assert_array_equal(getattr(hot, name)[outside], getattr(plain, name)[outside])
    assert (hot.wet_bulb_c <= hot.dry_bulb_c + 1e-6).all()
    assert (hot.dry_bulb_c >= plain.dry_bulb_c - 1e-9).all()
    if "wet_bulb" in humidity:
        assert hot.wet_bulb_c[start:stop].max() == pytest.approx(29.0, abs=1e-3)
    if not humidity:  # the same water in hotter air
        assert (hot.wet_bulb_c >= plain.wet_bulb_c - 1e-6).all()


def test_the_wave_is_on_the_hottest_days_and_keeps_their_course(plain):
    hot = year({"dry_bulb": "44 degC", "days": 3})
    ((start, stop),) = hot.waves
    local_hour = (plain.first_hour + np.arange(8760) * np.timedelta64(60, "m")).astype("datetime64[h]")
    assert str(local_hour[start])[11:] == "00"  # midnight of local standard time
    means = [plain.dry_bulb_c[m : m + 72].mean() for m in range(start % 24, 8760 - 72, 24)]
    assert plain.dry_bulb_c[start:stop].mean() == pytest.approx(max(means))
    inside = slice(start + TAPER_H, stop - TAPER_H)
    rise = hot.dry_bulb_c[inside] - plain.dry_bulb_c[inside]
    np.testing.assert_allclose(rise, rise[0], atol=1e-9)
    assert abs(hot.dry_bulb_c[start] - plain.dry_bulb_c[start]) < 0.1 * rise[0]


def test_a_dew_point_caps_the_water_of_the_wave_alone():
    dry = year({"dry_bulb": "44 degC", "dew_point": "5 degC"})
    ((start, stop),) = dry.waves
    wet = year({"dry_bulb": "44 degC"})
    assert (dry.wet_bulb_c[start:stop] < wet.wet_bulb_c[start:stop]).all()
    flat = hotter_c(np.full(96, 20.0), 30.0)
    assert flat.max() == 30.0 and flat.min() > 20.0 and saturation_pressure_pa(5.0) < 900.0


def test_the_label_tells_what_was_done(plain):
    hot = year({"dry_bulb": "44 degC"})
    assert hot.label.startswith("typical meteorological year (TMY3), heat wave of 4 d to 44.0 degC (as given)")
    assert hot.kind == "typical year with an imposed heat wave" and plain.kind == "typical year"


@pytest.mark.parametrize(
    ("mean_c", "deviation_k", "printed"),
    [
        (46.0, 1.3, {5: 47.0, 10: 47.7, 20: 48.5, 50: 49.4}),  # Phoenix, ASHRAE 2021
        (28.9, 1.6, {5: 30.1, 10: 31.0, 20: 31.9, 50: 33.1}),  # Helsinki, ASHRAE 2009
        (35.2, 2.0, {5: 36.7, 10: 37.9, 20: 39.0, 50: 40.5}),  # Chicago, ASHRAE 2021
    ],
)
def test_return_values_are_those_of_the_handbook(mean_c, deviation_k, printed):
    """Printed from unrounded means and deviations: both are rounded to 0.1 K in the file."""
    for years, value_c in printed.items():
        factor = return_value_c(0.0, 1.0, years)
        assert return_value_c(mean_c, deviation_k, years) == pytest.approx(value_c, abs=0.1 + 0.05 * factor)


@pytest.mark.skipif(not EPW_FILES, reason="no EPW files beside the repository")
def test_an_epw_brings_its_own_twenty_years():
    phoenix = next(str(p) for p in EPW_FILES if "Phoenix" in p.name)
    source = {"epw": phoenix, "extreme": {"return_period": "20 years"}}
    hot = read(WeatherSource.model_validate(source), HERE)
    assert hot.dry_bulb_c.max() == pytest.approx(48.5, abs=0.2)
    assert "20-year return value, design conditions of the file" in hot.label
    buckley = next(str(p) for p in EPW_FILES if "Buckley" in p.name)
    held = read(WeatherSource.model_validate(source | {"epw": buckley}), HERE)
    assert held.waves == () and held.kind == "typical year"
    assert any("is below the file's own hottest hour" in text for text in held.warnings)


def actual(tmp_path, years, **extreme):
    """Return weather of actual years with a summer each, hotter by 1 K a year, at UTC-6."""
    first = np.datetime64(f"{years[0]}-01-01T06:00", "m")
    last = np.datetime64(f"{years[-1] + 1}-01-01T05:00", "m")
    hours = np.arange(first, last + 1, np.timedelta64(60, "m"))
    since = (hours - first) / np.timedelta64(1440, "m")
    summer, noon = np.sin((since - 100) / 365.25 * 2 * np.pi), np.sin(since * 2 * np.pi - 2)
    dry = 20.0 + since / 365.25 + 12.0 * summer + 5.0 * noon
    rows = ["time,dry_bulb_c,rh_pct,pressure_pa"]
    rows += [f"{h!s}Z,{d:.3f},30,99000" for h, d in zip(hours, dry, strict=True)]
    (tmp_path / "years.csv").write_text("\n".join(rows).replace("Z,", "+00:00,"))
    return read(WeatherSource.model_validate({"csv": "years.csv", "extreme": extreme}), tmp_path)


def test_actual_years_are_fitted_and_each_gets_its_wave(tmp_path):
    hot = actual(tmp_path, (2019, 2020, 2021), return_period="20 years")
    assert len(hot.waves) == 3 and "maxima of 3 years" in hot.label
    assert any("ASHRAE asks for 8 or more" in text for text in hot.warnings)
    peaks = [hot.dry_bulb_c[a:b].max() for a, b in hot.waves]
    np.testing.assert_allclose(peaks, peaks[0], atol=1e-9)
    with pytest.raises(WeatherError, match="give dry_bulb"):
        actual(tmp_path, (2020, 2021), return_period="20 years")


def test_rare_values_stand_beside_the_hottest_hour_without_a_wave(tmp_path, plain):
    """What `gigawatt show` prints: the peaks of the waves that the same file is given."""
    asked = {"return_period": "20 years", "wet_bulb_return_period": "20 years"}
    wave = actual(tmp_path, (2019, 2020, 2021), **asked)
    calm = read(WeatherSource(csv="years.csv"), tmp_path)
    dry, wet = rare.once_in(calm, 20.0)
    assert (dry.hottest_c, wet.hottest_c) == (calm.dry_bulb_c.max(), calm.wet_bulb_c.max())
    assert dry.rare_c == pytest.approx(wave.dry_bulb_c.max(), abs=1e-9) and dry.rare_c > dry.hottest_c
    assert wet.rare_c == pytest.approx(max(wave.wet_bulb_c[a:b].max() for a, b in wave.waves), abs=2e-3)
    assert dry.source == wet.source == "maxima of 3 years"
    assert [r.rare_c for r in rare.once_in(plain, 20.0)] == [None, None]


def test_the_wet_bulb_of_rare_years_is_fitted_like_the_dry_bulb(tmp_path):
    """Gumbel's value of the years' own maxima of wet bulb; the wave's hottest hour is as without it."""
    plain = actual(tmp_path, (2019, 2020, 2021), return_period="20 years")
    wet = actual(tmp_path, (2019, 2020, 2021), return_period="20 years", wet_bulb_return_period="50 years")
    years = actual(tmp_path, (2019, 2020, 2021), dry_bulb="60 degC", days=1).wet_bulb_c
    assert wet.dry_bulb_c.max() == pytest.approx(plain.dry_bulb_c.max())
    assert "50-year return value" in wet.label
    peaks = [wet.wet_bulb_c[a:b].max() for a, b in wet.waves]
    np.testing.assert_allclose(peaks, peaks[0], atol=2e-3)
    quiet = np.ones(years.size, np.bool_)
    for a, b in wet.waves:
        quiet[a:b] = False
    assert peaks[0] > wet.wet_bulb_c[quiet].max()
    with pytest.raises(WeatherError, match="give wet_bulb"):
        actual(tmp_path, (2020, 2021), dry_bulb="45 degC", wet_bulb_return_period="20 years")


@pytest.mark.parametrize(
    ("extreme", "message"),
    [
        ({"return_period": "20 years"}, "the file tells no annual maxima"),
        ({"dry_bulb": "20 degC"}, "is below the file's own hottest hour"),
        ({"dry_bulb": "40 degC", "wet_bulb": "38 degC"}, None),
        ({"dry_bulb": "40 degC", "wet_bulb": "5 degC"}, "no water in the air gives a wet bulb of 5.0 degC"),
    ],
)
def test_waves_that_cannot_be(extreme, message):
    if message is None:
        assert year(extreme).wet_bulb_c.max() == pytest.approx(38.0, abs=1e-3)
        return
    with pytest.raises(WeatherError, match=message):
        year(extreme)


@pytest.mark.parametrize(
    "extreme",
    [
        {},
        {"return_period": "20 years", "dry_bulb": "40 degC"},
        {"dry_bulb": "40 degC", "dew_point": "20 degC", "wet_bulb": "25 degC"},
        {"dry_bulb": "40 K"},
        {"dry_bulb": "40 degC", "days": 0},
    ],
)
def test_impossible_extremes_are_errors(extreme):
    with pytest.raises(ValidationError):
        WeatherSource.model_validate({"extreme": extreme})


def test_the_report_knows_every_kind_of_year(plain):
    from dataclasses import replace

    from simulator.reports import decision, wording

    for typical in (True, False):
        for extreme in (True, False):
            kind = replace(plain, typical=typical, extreme=extreme).kind
            assert decision.WEATHER[wording.weather_kind({"weather_typical": typical, "weather_kind": kind})]
    assert wording.weather_kind({"weather_typical": False}) == "actual record"


@pytest.mark.slow
def test_a_heat_wave_reaches_the_chips():
    from small import ROOT

    from simulator import scenario
    from simulator.metrics import kpis
    from simulator.simulation import simulate

    noon = ['period.start="2027-07-09T12:00:00-05:00"', "period.duration=6 h"]
    hottest = {}
    for name in (None, "ordinary"):
        results = simulate(scenario.load(ROOT / "scenarios" / "heat-wave.yaml", noon, name))
        found = kpis.kpis(results).set_index("kpi")["value"]
        hottest[name] = found["thermal.coolant_supply_max"], found["thermal.throttled_accelerator_hours"]
    (wave_c, throttled_h), (ordinary_c, none_h) = hottest[None], hottest["ordinary"]
    assert wave_c > ordinary_c + 3.0 and throttled_h > none_h == 0.0  # clocks hold the junction at its limit
