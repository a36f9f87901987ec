"""Closed-circuit towers: dry where air is enough, else as an open tower behind its coil."""

import numpy as np
import pytest

from simulator.components.cooling import LOAD_FRAC, HourlyWeather
from simulator.components.cooling.fluid_cooler import FluidCooler
from simulator.components.cooling.tower import Tower

UNIT = {"unit": "3 MW", "range": "10 K", "tank": "60 s", "pump": "1 %"}
FULL = int(np.abs(LOAD_FRAC - 1.0).argmin())


def air(dry_c):
    dry = np.atleast_1d(np.asarray(dry_c, dtype=float))
    return HourlyWeather(dry, dry - 5.0, np.full(len(dry), 101_325.0))


def plant(**changes):
    return FluidCooler.model_validate({**UNIT, **changes})


def test_the_dry_coil_takes_its_heat_at_its_gap():
    # return 10 + 40 at air of 10 degC: water leaves 30 K above the air at full fans
    made = plant().plant_map(40.0, air(10.0))
    assert made.evaporation_kg_j[0, FULL] == 0.0
    assert made.supply_c[0, FULL] == pytest.approx(40.0)
    assert made.power_frac[0, FULL] == pytest.approx(0.02)
    sprayed = plant().plant_map(39.99, air(10.0))
    assert sprayed.evaporation_kg_j[0, FULL] > 0.0


def test_dry_fans_slow_down_in_the_cold_by_the_coil_s_law():
    spec = plant()
    made = spec.plant_map(40.0, air(-10.0))
    density = 283.15 / 263.15
    flow = ((60.0 / 40.0 - 0.2) / 0.8) ** (-1.0 / 0.8)
    assert made.power_frac[0, FULL] == pytest.approx(0.02 * density * (flow / density) ** 3)


def test_under_spray_it_is_a_tower_with_another_approach_fan_and_pump():
    weather = air([30.0, 38.0])
    alike = {"exchanger_approach": "3 K", "tower_fan": "2 %", "tower_pump": "0.4 %"}
    tower = Tower.model_validate({**UNIT, **alike}).plant_map(30.0, weather)
    made = plant().plant_map(30.0, weather)
    for name in ("supply_c", "power_frac", "evaporation_kg_j", "blowdown_kg_j"):
        np.testing.assert_array_equal(getattr(made, name)[:, 1:], getattr(tower, name)[:, 1:])


def test_without_water_it_floats_on_the_dry_coil():
    made = plant().dry_map(30.0, air(30.0))
    thin = 303.15 / 283.15
    gap_k = 40.0 * (0.2 + 0.8 * thin**0.8)
    assert made.supply_c[0, FULL] == pytest.approx(30.0 + gap_k - 10.0)
    assert made.power_frac[0, FULL] == pytest.approx(0.02 * 283.15 / 303.15)
