"""Air-cooled chillers: public curves inside their range, Carnot beyond, modes and overload."""

import numpy as np
import pytest

from simulator.components.cooling import LOAD_FRAC, HourlyWeather, york_ycal
from simulator.components.cooling.air_chiller import AirChiller

PLANT = {"unit": "2 MW", "range": "8 K", "tank": "60 s", "pump": "1 %"}
FULL = int(np.abs(LOAD_FRAC - 1.0).argmin())


def air(dry_c):
    dry = np.atleast_1d(np.asarray(dry_c, dtype=float))
    return HourlyWeather(dry, dry - 8.0, np.full(len(dry), 101_325.0))


def chiller(**changes):
    return AirChiller.model_validate({**PLANT, **changes})


def test_curves_are_one_at_the_reference_point_and_give_the_published_worst_cop():
    assert york_ycal.capacity(6.67, np.float64(35.0)) == pytest.approx(1.0)
    assert chiller().cop(6.67, np.float64(35.0)) == pytest.approx(3.1)
    # The set as published gives 2.19 at the hottest water and air of its range; here it is divided
    # by its own work at the reference point, 1.021 there instead of 1.
    assert chiller().cop(10.0, np.float64(51.67)) == pytest.approx(2.19 * 1.021, rel=3e-3)


def test_beyond_the_curves_carnot_carries_on_from_the_edge():
    edge, beyond = (york_ycal.efficiency(c, np.float64(35.0)) for c in (10.0, 18.0))
    carnot = [(c - 1.5 + 273.15) / (35.0 + 13.0 - c + 1.5) for c in (10.0, 18.0)]
    assert beyond / edge == pytest.approx(carnot[1] / carnot[0])
    step = york_ycal.efficiency(np.array([9.999, 10.001]), np.full(2, 35.0))
    assert step[1] == pytest.approx(step[0], rel=2e-4)


def test_free_partial_and_mechanical_follow_the_air():
    coil = chiller()._coil()
    left = chiller().chilled_frac(20.0, np.array([[5.0], [20.0], [30.0]]), coil.lift_k(np.ones(1)))
    assert left[0, FULL] == 0.0  # 5 + 10 K of approach is below the set 20 degC
    assert left[1, FULL] == pytest.approx(10.0 / 18.0)
    assert left[2, FULL] == pytest.approx(1.0)  # the air is above the return of 28 degC
    power = chiller().plant_map(20.0, air([5.0, 20.0, 30.0])).power_frac[:, FULL]
    assert power[0] < 0.03 < power[1] < power[2]
    assert power[2] == pytest.approx(1.0 / float(chiller().cop(20.0, np.float64(30.0))))


def test_heat_balances_in_partial_mode():
    coil, air_c = chiller()._coil(), np.linspace(10.5, 27.5, 40)[:, None]
    lift = coil.lift_k(np.ones(1))
    left = chiller().chilled_frac(20.0, air_c, lift)[:, FULL]
    taken = (20.0 + 8.0 - air_c[:, 0]) / (lift[0] + 8.0)  # effectiveness x C_min x (T_in - air)
    np.testing.assert_allclose(taken + left, 1.0, atol=1e-12)


def test_the_cheapest_fan_speed_is_never_dearer_than_fans_full_or_off():
    weather, coil = air(np.linspace(12.0, 28.0, 30)), chiller()._coil()
    column = weather.dry_bulb_c[:, None]
    cop = chiller().cop(20.0, column)
    density = coil.full_airflow(weather.dry_bulb_c, weather.pressure_pa)
    full = coil.lift_k(density)[:, None]
    made = chiller().plant_map(20.0, weather).power_frac[:, : FULL + 1]
    running = chiller().chilled_frac(20.0, column, full)[:, : FULL + 1] / cop + 0.03 * density[:, None]
    off = LOAD_FRAC[: FULL + 1] / cop
    assert (made <= np.minimum(running, off) + 1e-12).all()


def test_an_overloaded_plant_floats_and_balances():
    made = chiller().plant_map(20.0, air([35.0, 38.0, 42.0]))
    assert made.supply_c[0, FULL] == pytest.approx(20.0)
    settled = made.supply_c[:, LOAD_FRAC.searchsorted(1.2 - 1e-9)]
    assert (np.diff(settled) > 0.5).all()
    coil, weather = chiller()._coil(), air([35.0, 38.0, 42.0])
    lift = coil.lift_k(coil.full_airflow(weather.dry_bulb_c, weather.pressure_pa))
    taken = np.maximum((settled + 8.0 * 1.2 - weather.dry_bulb_c) / (lift + 8.0), 0.0)
    limit = chiller()._limit_frac(20.0, weather.dry_bulb_c)
    chilled = limit * (1.0 + york_ycal.CAPACITY_PER_K * (settled - 20.0))
    np.testing.assert_allclose(taken + chilled, 1.2, rtol=1e-9)


def test_no_water_is_used():
    made = chiller().plant_map(20.0, air([0.0, 40.0]))
    assert not made.evaporation_kg_j.any() and not made.blowdown_kg_j.any()
