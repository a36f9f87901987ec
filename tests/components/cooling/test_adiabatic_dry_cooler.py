"""Adiabatic dry cooler: the BAC coil, staged pads, their water and their pressure."""

import numpy as np
import pytest

from simulator.components.cooling import LOAD_FRAC, HourlyWeather
from simulator.components.cooling.adiabatic_dry_cooler import AdiabaticDryCooler
from simulator.components.cooling.dry_cooler import DryCooler
from simulator.components.cooling.psychrometrics import wet_bulb_c

BAC = {"unit": "2931 kW", "range": "5.56 K", "tank": "60 s", "pump": "1 %"}
FULL = int(np.abs(LOAD_FRAC - 1.0).argmin())


def air(dry_c, wet_c):
    dry = np.atleast_1d(np.asarray(dry_c, dtype=float))
    return HourlyWeather(dry, np.broadcast_to(wet_c, dry.shape), np.full(len(dry), 101_325.0))


def pads(**changes):
    return AdiabaticDryCooler.model_validate({**BAC, **changes})


def test_dry_without_pads_it_is_the_dry_cooler():
    weather = air(np.linspace(-20.0, 45.0, 50), -25.0)
    bare = pads(switch="50 degC", pad_drop="0 Pa").plant_map(37.0, weather)
    dry = DryCooler.model_validate(BAC).plant_map(37.0, weather)
    np.testing.assert_array_equal(bare.supply_c, dry.supply_c)
    np.testing.assert_array_equal(bare.power_frac, dry.power_frac)
    assert not bare.evaporation_kg_j.any()


def test_bac_point_takes_four_percent_of_fans_and_the_pads_their_pressure_times_volume():
    made = pads(switch="50 degC").plant_map(40.55, air(35.0, 24.0))
    assert made.supply_c[0, FULL] == pytest.approx(40.55, abs=1e-4)
    # 1 / (1006 J/kgK x 6 K x 1.1455 kg/m3) of air per W, 40 Pa, half of it lost in the fans.
    pressed = 40.0 / 0.5 / (1006.0 * 6.0 * 1.1455)
    assert made.power_frac[0, FULL] == pytest.approx(0.04015 + pressed, rel=1e-4)


def test_pads_are_wetted_above_the_switch_only_and_in_stages():
    entering = pads().entering_air_c(np.array([20.0, 28.0, 30.0, 45.0]), np.full(4, 20.0))
    np.testing.assert_allclose(entering, [20.0, 28.0, 28.0, 28.0])  # 45 - 0.75 x 25 is colder
    assert pads().entering_air_c(np.array(38.0), np.array(30.0)) == pytest.approx(32.0)


def test_anchor_wet_bulb_gives_the_entering_air():
    wet = wet_bulb_c(30.0, 0.5, 101_325.0)
    assert wet == pytest.approx(22.005, abs=2e-3)
    soaked = pads(switch="20 degC", saturation_effectiveness=0.9)
    entering = soaked.entering_air_c(np.array(30.0), wet)
    assert entering == pytest.approx(30.0 - 0.9 * (30.0 - 22.005), abs=2e-3)


def test_water_is_the_heat_taken_out_of_the_air():
    made = pads().plant_map(30.0, air([27.0, 40.0], 20.0))
    assert not made.evaporation_kg_j[0].any()
    # Full fans move 1 / 6 K of heat rate per W; the pads take 12 K (40 to 28 degC); denser air.
    density = (273.15 + 35.0) / (273.15 + 28.0)
    assert made.evaporation_kg_j[1, -1] * 2.43e6 == pytest.approx(12.0 / 6.0 * density, rel=1e-6)
    np.testing.assert_allclose(made.blowdown_kg_j, made.evaporation_kg_j / 3.0)


def test_design_day_is_reached():
    weather = air(35.0, 24.0)
    made = pads(unit="3 MW").plant_map(15.0, weather)
    # Air at the coil is 7 K colder, so denser, than at the coil's design point: a little better.
    assert made.supply_c[0, FULL] == pytest.approx(pads().reach_c(), abs=0.25)
    assert made.supply_c[0, FULL] < pads().reach_c()
