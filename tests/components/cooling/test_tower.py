"""Open towers behind an exchanger: design points, modes and water."""

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.optimize import brentq

from simulator.components.cooling import LOAD_FRAC, HourlyWeather
from simulator.components.cooling.tower import Tower
from simulator.components.cooling.tower_water import _saturated_j_kg

PLANT = {"unit": "3 MW", "range": "8 K", "tank": "60 s", "pump": "1 %"}
FULL = int(np.abs(LOAD_FRAC - 1.0).argmin())


def air(wet_c, depression_k=8.0):
    wet = np.atleast_1d(np.asarray(wet_c, dtype=float))
    return HourlyWeather(wet + depression_k, wet, np.full(len(wet), 101_325.0))


def tower(**changes):
    return Tower.model_validate({**PLANT, **changes})


def test_design_point_is_met_at_full_fans():
    made = tower().plant_map(20.0, air(25.55))
    assert made.supply_c[0, FULL] == pytest.approx(tower().reach_c(), abs=1e-9)
    assert made.power_frac[0, FULL] == pytest.approx(0.024)


def test_unscaled_tower_has_the_published_approach():
    # YorkCalc at 25.6 degC and 5.56 K: 3.83 K; the exchanger adds its 2 K.
    bare = tower(design_wet_bulb="25.6 degC", tower_approach="3.83 K")
    assert bare.tower_scale() == pytest.approx(1.0, abs=2e-3)
    made = bare.plant_map(10.0, air([25.6, 20.0, 15.0, 5.0])).supply_c[:, FULL]
    np.testing.assert_allclose(
        made - [25.6, 20.0, 15.0, 5.0] - 2.0, [3.83, 5.06, 6.33, 9.38], atol=0.02
    )


def merkel(cold_c, wet_c, span_k, water_per_air, pressure_pa):
    """Return Merkel's integral of a tower, the transfer that it needs: c dT / (h saturated - h air), h air rising by
    what the water gives."""
    water_c = np.linspace(cold_c, cold_c + span_k, 81)
    gap = _saturated_j_kg(water_c, pressure_pa) - _saturated_j_kg(wet_c, pressure_pa)
    gap -= water_per_air * 4186.0 * (water_c - cold_c)
    return 4186.0 * float(np.trapezoid(1.0 / gap, water_c)) if gap.min() > 0.0 else np.inf


@pytest.mark.parametrize(("wet_c", "bound_k"), [(22.0, 0.15), (10.0, 0.2), (0.0, 0.4)])
@pytest.mark.parametrize("water_per_air", [1.0, 1.3])
def test_thin_air_makes_of_a_tower_what_merkel_says(wet_c, bound_k, water_per_air):
    """At 1,700 m fans of one speed move 0.81 of the air, whose films transfer density^0.6 of the heat."""
    design = merkel(25.55 + 3.89, 25.55, 5.56, water_per_air, 101_325.0)
    thin = 82_000.0 / 101_325.0
    told = [
        brentq(lambda k, p=p, d=d: merkel(wet_c + k, wet_c, 5.56, water_per_air / d, p) - design * d**0.6, 0.2, 40.0)
        for p, d in ((101_325.0, 1.0), (82_000.0, thin))
    ]
    found = []
    for pressure_pa in (101_325.0, 82_000.0):
        outdoors = tower().tower_air(HourlyWeather(np.array([wet_c + 5]), np.array([wet_c]), np.array([pressure_pa])))
        found.append(float(tower().coldest_c(outdoors, np.array([[5.56]]))[0, 0]))
    assert found[1] - found[0] == pytest.approx(told[1] - told[0], abs=bound_k)


def test_fans_of_a_tower_draw_as_dense_as_the_air_is():
    high = HourlyWeather(np.array([34.0]), np.array([25.55]), np.array([82_000.0]))
    made = tower().plant_map(20.0, high)
    assert made.power_frac[0, FULL] == pytest.approx(0.012 + 0.012 * 82_000.0 / 101_325.0)


def test_fans_slow_down_to_hold_the_set_temperature_and_stand_in_frost():
    made = tower().plant_map(32.0, air([25.0, 15.0, -15.0]))
    np.testing.assert_allclose(made.supply_c[:, FULL], 32.0)
    fans = made.power_frac[:, FULL] - 0.012
    assert 0.012 > fans[0] > 5.0 * fans[1] > 0.0
    assert fans[2] == pytest.approx(0.0, abs=1e-12)


def test_water_is_latent_heat_and_cycles_hold():
    made = tower(drift=0.0).plant_map(32.0, air([24.0, -10.0]))
    summer, winter = made.evaporation_kg_j[:, FULL] * 2.43e6
    assert 0.8 < summer < 1.1
    assert 0.3 < winter < 0.8 * summer
    np.testing.assert_allclose(made.blowdown_kg_j, made.evaporation_kg_j / 3.0)
    with_drift = tower(drift=1e-4).plant_map(32.0, air([24.0, -10.0]))
    circulation = 1.0 / (4180.0 * 5.56)
    np.testing.assert_allclose(
        with_drift.evaporation_kg_j[:, 1:] - made.evaporation_kg_j[:, 1:], 1e-4 * circulation
    )


def test_an_exchanger_that_cannot_be_is_an_error():
    with pytest.raises(ValidationError, match="no exchanger reaches this approach"):
        tower(tower_range="11 K")


def test_only_an_outdoor_basin_freezes():
    assert not tower().freezes()
    assert tower(frost_protection="none").freezes()
