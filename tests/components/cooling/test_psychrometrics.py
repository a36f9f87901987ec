"""Moist air against the handbook's anchor and an independent implementation."""

import numpy as np
import pytest

from simulator.components.cooling import psychrometrics


def test_anchor_of_thirty_degrees_and_half_saturated_air():
    assert psychrometrics.wet_bulb_c(30.0, 0.5, 101_325.0) == pytest.approx(22.005, abs=5e-4)


def test_saturated_air_has_one_temperature():
    dry = np.linspace(-40.0, 50.0, 50)
    np.testing.assert_allclose(psychrometrics.wet_bulb_c(dry, 1.0, 1e5), dry, atol=1e-6)


def test_more_vapour_than_saturation_is_saturation():
    assert psychrometrics.wet_bulb_of_vapour_c(20.0, 5000.0, 1e5) == pytest.approx(20.0, abs=1e-6)


def test_wet_bulb_and_humidity_are_inverse():
    wet = psychrometrics.wet_bulb_c(30.0, 0.5, 101_325.0)
    vapour = 0.5 * psychrometrics.saturation_pressure_pa(30.0)
    expected = psychrometrics.humidity_ratio(vapour, 101_325.0)
    found = psychrometrics.humidity_from_wet_bulb(30.0, wet, 101_325.0)
    assert found == pytest.approx(expected, rel=1e-8)


def test_standard_atmosphere():
    assert psychrometrics.standard_pressure_pa(0.0) == 101_325.0
    assert psychrometrics.standard_pressure_pa(1726.0) == pytest.approx(82_230.0, rel=5e-3)


def test_wet_bulb_rises_with_humidity_through_freezing():
    wet = psychrometrics.wet_bulb_c(5.0, np.linspace(0.1, 1.0, 2000), 1e5)
    assert wet[0] < -1.0 < 1.0 < wet[-1]
    assert (np.diff(wet) > 0.0).all()


def assert_same_wet_bulb(found, expected):
    # psychrolib stops within 0.001 K; around freezing it may return the other of two solutions.
    expected = np.array(expected)
    clear = np.abs(expected) > 0.7
    np.testing.assert_allclose(found[clear], expected[clear], atol=2e-3)
    assert clear.mean() > 0.9


def test_agrees_with_psychrolib_everywhere():
    import psychrolib

    psychrolib.SetUnitSystem(psychrolib.SI)
    random = np.random.default_rng(1)
    dry = random.uniform(-35.0, 50.0, 400)
    rh = random.uniform(0.05, 1.0, 400)
    pressure = random.uniform(75_000.0, 104_000.0, 400)
    points = list(zip(dry, rh, pressure, strict=True))
    wet = [psychrolib.GetTWetBulbFromRelHum(*point) for point in points]
    assert_same_wet_bulb(psychrometrics.wet_bulb_c(dry, rh, pressure), wet)
    saturation = [psychrolib.GetSatVapPres(t) for t in dry]
    np.testing.assert_allclose(psychrometrics.saturation_pressure_pa(dry), saturation, rtol=1e-9)
    dew = np.minimum(dry, random.uniform(-30.0, 30.0, 400))
    vapour = psychrometrics.saturation_pressure_pa(dew)
    expected = [
        psychrolib.GetTWetBulbFromTDewPoint(*point)
        for point in zip(dry, dew, pressure, strict=True)
    ]
    found = psychrometrics.wet_bulb_of_vapour_c(dry, vapour, pressure)
    assert_same_wet_bulb(found, expected)
    ratio = [psychrolib.GetHumRatioFromRelHum(*point) for point in points]
    enthalpy = [psychrolib.GetMoistAirEnthalpy(t, w) for t, w in zip(dry, ratio, strict=True)]
    np.testing.assert_allclose(psychrometrics.enthalpy_j_kg(dry, ratio), enthalpy, rtol=1e-6)
    density = [psychrolib.GetDryAirDensity(t, p) for t, p in zip(dry, pressure, strict=True)]
    np.testing.assert_allclose(psychrometrics.air_density_kg_m3(dry, pressure), density, rtol=1e-6)
