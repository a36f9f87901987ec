"""Thermosyphons before towers: limits of the dry side, heat of both sides, water saved."""

import numpy as np
import pytest

from simulator.components.cooling import LOAD_FRAC, HourlyWeather
from simulator.components.cooling.thermosyphon import Thermosyphon
from simulator.components.cooling.tower import Tower

UNIT = {"unit": "3 MW", "range": "8 K", "tank": "60 s", "pump": "1 %"}
PART, FULL = (int(np.abs(LOAD_FRAC - x).argmin()) for x in (0.7, 1.0))


def air(dry_c, below_k=6.0):
    dry = np.atleast_1d(np.asarray(dry_c, dtype=float))
    return HourlyWeather(dry, dry - below_k, np.full(len(dry), 101_325.0))


def plant(**changes):
    return Thermosyphon.model_validate({**UNIT, **changes})


def test_resistance_is_that_of_two_exchangers_of_one_constant_temperature():
    spec = plant()
    # q = e_e C_w (T_return - T_boil) = e_c C_a (T_boil - T_air), C in 1/K per W of design heat
    water, coil = 0.8 / 8.0, 0.7 / 12.0
    assert float(spec.resistance_k(np.array(1.0))) == pytest.approx(1.0 / water + 1.0 / coil)
    slow = spec.resistance_k(np.geomspace(1e-3, 2.0, 50))
    assert (np.diff(slow) < 0.0).all() and slow[-1] > 1.0 / water


def test_cold_air_takes_all_and_no_water():
    made = plant().plant_map(24.0, air([-15.0, -5.0]))
    assert not made.evaporation_kg_j[:, : FULL + 1].any()
    assert (made.power_frac[:, FULL] < 0.02).all()
    np.testing.assert_allclose(made.supply_c[:, : FULL + 1], 24.0)


def test_air_as_warm_as_the_return_leaves_all_to_the_towers():
    weather = air([45.0, 50.0], 22.0)
    both, alone = (kind.model_validate(UNIT).plant_map(24.0, weather) for kind in (Thermosyphon, Tower))
    np.testing.assert_allclose(both.supply_c[:, 1 : FULL + 1], alone.supply_c[:, 1 : FULL + 1], atol=1e-9)
    np.testing.assert_allclose(both.evaporation_kg_j, alone.evaporation_kg_j, rtol=1e-9)
    np.testing.assert_allclose(both.power_frac, alone.power_frac, atol=1e-9)


def test_between_them_the_dry_share_is_the_gap_over_the_resistance_and_water_is_for_the_rest():
    spec, weather = plant(dearest="50 %"), air([15.0])
    made = spec.plant_map(24.0, weather)
    # density at 15 degC over that at 10 degC: fans at full speed move that much of the design mass
    flow = (10.0 + 273.15) / (15.0 + 273.15)
    dry = (24.0 + 8.0 - 15.0) / float(spec.resistance_k(np.array(flow)))
    assert 0.0 < dry < 1.0
    rest = Tower.model_validate(UNIT)._rejected(np.array([[1.0 - dry]]), 24.0, weather)
    assert made.evaporation_kg_j[0, FULL] == pytest.approx(float(rest.evaporation_kg_j[0, 0]), rel=1e-9)
    assert made.power_frac[0, FULL] == pytest.approx(0.015 * flow + float(rest.power_frac[0, 0]), rel=1e-9)


def test_fans_are_not_run_dearer_than_the_water_is_worth():
    weather = air(np.linspace(-20.0, 31.0, 200))
    spec = plant(dearest="2 %")
    dry, fans = spec._dry(np.full((200, len(LOAD_FRAC)), 24.0), weather, spec.dearest)
    assert (fans <= 0.02 * dry + 1e-6)[dry < LOAD_FRAC].all()


def test_where_the_towers_float_the_dry_side_helps_and_both_settle():
    weather = HourlyWeather(np.array([26.0]), np.array([25.9]), np.array([101_325.0]))
    spec = plant(dearest="50 %", range="15 K", exchanger_approach="3 K")
    made = spec.plant_map(20.0, weather)
    alone = Tower.model_validate({**UNIT, "range": "15 K", "exchanger_approach": "3 K"})
    warmer_k = alone.plant_map(20.0, weather).supply_c[0] - made.supply_c[0]
    assert (warmer_k[LOAD_FRAC >= 0.5] > 0.5).all()
    dry, _ = spec._dry(made.supply_c, weather, spec.dearest)
    again = spec._rejected(LOAD_FRAC - dry, 20.0, weather)
    np.testing.assert_allclose(again.supply_c, made.supply_c, atol=1e-7)


def test_over_mild_air_it_saves_water_for_little_power():
    weather = air(np.linspace(-5.0, 30.0, 300))
    both, alone = (kind.model_validate(UNIT).plant_map(24.0, weather) for kind in (Thermosyphon, Tower))
    water = [made.evaporation_kg_j[:, PART].sum() for made in (both, alone)]
    assert water[0] < 0.8 * water[1]
    spent = (both.power_frac - alone.power_frac)[:, PART].sum()
    saved_j = (alone.evaporation_kg_j - both.evaporation_kg_j)[:, PART].sum() * 2.43e6
    assert spent < 0.03 * saved_j
