"""Dry cooler: the BAC design point, limits and pre-cooling."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from simulator.components.cooling import LOAD_FRAC, HourlyWeather
from simulator.components.cooling.coil import fan_frac
from simulator.components.cooling.dry_cooler import DryCooler

BAC = {"unit": "2931 kW", "range": "5.56 K", "tank": "60 s", "pump": "1 %"}
FULL = int(np.abs(LOAD_FRAC - 1.0).argmin())


def air(dry_c, wet_c=None, pressure_pa=101_325.0):
    dry = np.atleast_1d(np.asarray(dry_c, dtype=float))
    wet = dry - 8.0 if wet_c is None else np.broadcast_to(np.asarray(wet_c, dtype=float), dry.shape)
    return HourlyWeather(dry, wet, np.full(len(dry), pressure_pa))


def bac(**changes):
    return DryCooler.model_validate({**BAC, **changes})


def test_bac_design_point_is_met_at_full_fan_speed():
    plant = bac().plant_map(40.55, air(35.0))
    assert plant.supply_c[0, FULL] == pytest.approx(40.55, abs=1e-4)
    assert plant.power_frac[0, FULL] == pytest.approx(117.68 / 2931.0, rel=1e-3)


def test_supply_floats_with_the_air_when_full_fans_are_not_enough():
    plant = bac().plant_map(30.0, air([36.0, 38.0, 40.0]))
    density = 308.15 / (273.15 + np.array([36.0, 38.0, 40.0]))
    np.testing.assert_allclose(plant.power_frac[:, FULL], 0.04015 * density)
    assert (plant.supply_c[:, FULL] > 41.0).all()
    # At full fans the approach is proportional to heat.
    per_heat = (plant.supply_c - np.array([[36.0], [38.0], [40.0]])) / plant.load_frac
    np.testing.assert_allclose(per_heat, np.broadcast_to(per_heat[:, -1:], per_heat.shape))


def test_without_heat_the_loop_takes_the_temperature_of_hot_air():
    plant = bac().plant_map(37.0, air([20.0, 45.0]))
    np.testing.assert_allclose(plant.supply_c[:, 0], [37.0, 45.0], atol=1e-5)


def test_fans_at_one_speed_draw_as_dense_as_the_air_is():
    here, high = (bac().plant_map(30.0, air(38.0, pressure_pa=p)).power_frac[0, FULL] for p in (101_325.0, 82_700.0))
    assert high / here == pytest.approx(82_700.0 / 101_325.0)


def test_thin_air_cools_less():
    low = bac().plant_map(40.55, air(35.0)).supply_c[0, FULL]
    high = bac().plant_map(40.55, air(35.0, pressure_pa=82_700.0)).supply_c[0, FULL]
    assert high > low + 0.5


def test_fan_power_falls_steeply_with_room_to_spare():
    plant = bac().plant_map(40.55, air([35.0, 25.0, 5.0]))
    full, mild, cold = plant.power_frac[:, FULL]
    assert mild < 0.15 * full
    assert cold < 0.02 * full


def test_pads_are_another_kind():
    with pytest.raises(ValidationError, match="adiabatic_dry_cooler"):
        bac(adiabatic_effectiveness=0.7)


@pytest.mark.parametrize(
    "changes", [{"approach": "0.1 K", "air_rise": "12 K"}, {"air_rise": "40 K"}]
)
def test_a_design_point_no_coil_reaches_is_an_error(changes):
    with pytest.raises(ValidationError, match="no coil reaches this approach"):
        bac(**changes)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.05, 1.0), st.integers(2, 12))
def test_fewer_coolers_at_work_are_never_cheaper(load, units):
    """Why all units of a dry cooler always run: each of k of n moves n / k of the air, and draws its cube."""
    costs = []
    for k in range(1, units + 1):
        speed = load * units / k
        if speed <= 1.0:
            costs.append(float(fan_frac(0.04, np.array(speed), 0.1)) * k / units)
    assert np.all(np.diff(costs) <= 1e-12)
