"""Staging, least load and curves of chillers; restart and buffer of every plant."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.components.cooling import LOAD_FRAC, PLANT_KINDS, HourlyWeather
from simulator.components.cooling.air_chiller import AirChiller
from simulator.components.cooling.chiller_curves import CURVES
from simulator.components.cooling.chiller_tower import ChillerTower
from simulator.components.cooling.staging import running_frac
from simulator.components.cooling.tower import Tower

UNIT = {"unit": "4 MW", "range": "8 K", "tank": "60 s", "pump": "1 %"}
HOT = HourlyWeather(np.array([36.0]), np.array([25.55]), np.array([101_325.0]))
NINE_TENTHS, FULL = (int(np.abs(LOAD_FRAC - x).argmin()) for x in (0.9, 1.0))
every_set = pytest.mark.parametrize("name", CURVES)


@given(st.floats(0.0, 1.4), st.integers(1, 30))
def test_the_fewest_groups_that_carry_the_load_run(load, stages):
    on = float(running_frac(np.array(load), stages))
    assert 1.0 / stages - 1e-12 <= on <= 1.0
    assert on >= min(load, 1.0) - 1e-9
    assert on - 1.0 / stages < load or on == pytest.approx(1.0 / stages)


def test_groups_start_just_above_what_those_before_carry():
    assert running_frac(np.array([0.0, 0.25, 0.2501, 0.5, 1.0, 1.4]), 4).tolist() == [
        0.25, 0.25, 0.5, 0.5, 1.0, 1.0]


@pytest.mark.parametrize("kind", [ChillerTower, AirChiller])
def test_below_its_least_load_a_chiller_works_on_and_fewer_of_them_work_less(kind):
    made = {
        (stages, least): kind.model_validate({**UNIT, "stages": stages, "minimum_load": least})
        .plant_map(7.0, HOT).power_frac[0]
        for stages in (1, 5) for least in ("0 %", "30 %")
    }
    np.testing.assert_array_equal(made[5, "0 %"], made[1, "0 %"])  # work is proportional to load
    less = LOAD_FRAC < 0.28  # their capacity in heat is a little less than at design
    assert (made[1, "30 %"][less] > made[1, "0 %"][less]).all()
    np.testing.assert_allclose(made[1, "30 %"][~less & (LOAD_FRAC > 0.29)], made[1, "0 %"][~less & (LOAD_FRAC > 0.29)])
    assert (made[5, "30 %"][less] < made[1, "30 %"][less]).all()


@every_set
def test_curves_are_one_at_their_reference(name):
    curves = CURVES[name]
    assert float(curves.capacity(*curves.reference_c)) == pytest.approx(1.0)
    assert float(curves.cop(*curves.reference_c)) == pytest.approx(curves.rated_cop)
    assert float(curves.work(1.0)) == pytest.approx(1.0)
    assert float(curves.work(0.0)) == 0.0
    least = curves.least_frac
    assert float(curves.work(0.5 * least)) == pytest.approx(0.5 * float(curves.work(least)))


@pytest.mark.parametrize(
    ("name", "entering_c", "part", "cop"),
    [("york_yk_5170", 29.44, 1.0, 7.0), ("york_yk_5170", 29.44, 0.5, 7.57),
     ("york_yk_5170", 29.44, 0.25, 5.55), ("york_yt_2233", 29.44, 1.0, 6.72),
     ("york_yt_2233", 29.44, 0.5, 9.72), ("york_yt_2233", 29.44, 0.25, 10.47),
     ("carrier_19xr_1410", 23.89, 1.0, 8.39), ("carrier_19xr_1410", 23.89, 0.5, 8.24),
     ("carrier_19xr_1410", 23.89, 0.25, 7.16)],
)
def test_cop_at_the_hot_edge_is_that_of_the_catalogue(name, entering_c, part, cop):
    """Worked out by others from the same sets, at the warmest water of their range (to 2 %)."""
    curves = CURVES[name]
    found = curves.cop(curves.water_c[1], entering_c) * part / curves.work(part)
    assert float(found) == pytest.approx(cop, rel=0.02)


@every_set
def test_a_plant_follows_its_curves_inside_and_carnot_from_their_edge_on(name):
    spec, curves = ChillerTower.model_validate({**UNIT, "curves": name}), CURVES[name]
    span = np.asarray(5.0)
    water_c, entering_c = curves.water_c[1], curves.entering_c[1]
    assert float(spec._full_cop(water_c, np.asarray(entering_c), span)) == pytest.approx(
        float(curves.cop(water_c, entering_c)))
    beyond = [float(spec._full_cop(20.0, np.asarray(entering_c), span)),
              float(spec._full_cop(water_c + 1e-6, np.asarray(entering_c), span))]
    assert beyond[0] > beyond[1] == pytest.approx(float(curves.cop(water_c, entering_c)), rel=1e-4)
    ratio = spec.cop(20.0, np.asarray(entering_c) + span) / spec.cop(water_c, entering_c + span)
    assert beyond[0] == pytest.approx(float(curves.cop(water_c, entering_c) * ratio))


@every_set
def test_maps_with_curves_are_whole_and_rise_with_heat_and_weather(name):
    dry = np.linspace(-20.0, 45.0, 200)
    weather = HourlyWeather(dry, np.minimum(dry - 1.0, 27.0), np.full(200, 1e5))
    made = ChillerTower.model_validate({**UNIT, "curves": name}).plant_map(7.0, weather)
    assert np.isfinite(made.power_frac).all() and (made.supply_c >= 7.0 - 1e-9).all()
    mechanical = weather.wet_bulb_c > 10.0  # fans slow down where the last free cooling ends
    assert np.diff(made.power_frac[mechanical, : FULL + 1], axis=1).min() > -1e-6
    assert np.diff(made.supply_c, axis=0).min() > -1e-9


def test_fewer_tower_units_save_pumps():
    mild = HourlyWeather(np.array([10.0]), np.array([6.0]), np.array([1e5]))
    by = [Tower.model_validate({**UNIT, "stages": n}).plant_map(30.0, mild) for n in (1, 10)]
    assert (by[1].power_frac[0, : NINE_TENTHS] < by[0].power_frac[0, : NINE_TENTHS]).all()
    np.testing.assert_allclose(by[1].power_frac[0, FULL:], by[0].power_frac[0, FULL:])


def test_a_buffer_of_7_2_m3_per_mw_is_five_minutes_at_ten_kelvin():
    spec = Tower.model_validate({**UNIT, "range": "10 K", "tank": "60 s", "buffer": "7.2 m3/MW"})
    assert spec.tank_s - 60.0 == pytest.approx(300.0, rel=0.005)
    assert spec.thermal_mass_j_k(4e6) == pytest.approx(spec.tank_s * 4e6 / 10.0)


@pytest.mark.parametrize("kind", PLANT_KINDS, ids=lambda kind: kind.__name__)
def test_compressors_alone_take_minutes_to_restart(kind):
    assert kind.model_validate(UNIT).restart == (180.0 if "Chiller" in kind.__name__ else 0.0)
