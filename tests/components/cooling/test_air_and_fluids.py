"""Fan walls and the liquids of the loops."""

import numpy as np
import pytest

from simulator.components import from_catalog
from simulator.components.cooling import fluids
from simulator.components.cooling.air_side import AirSide


def test_coolant_at_the_usual_flow_warms_by_ten_kelvin():
    flow_m3_j = 1.5e-3 / 60.0 / 1000.0  # 1.5 L/min per kW
    assert fluids.pg25_rise_k(flow_m3_j) == pytest.approx(9.98, abs=0.005)


def test_a_tray_of_four_chips_warms_its_coolant_by_thirteen_kelvin():
    """6.9 kW in 8 L/min; eighteen trays of 7.5 kW are the rack of 135 kW."""
    assert fluids.pg25_rise_k(8e-3 / 60.0 / 6.9e3) == pytest.approx(12.9, abs=0.05)
    rack, chip = from_catalog.rack("GB300-NVL72"), from_catalog.accelerator("GB300")
    assert rack.accelerators * chip.tdp + rack.host_max == pytest.approx(135e3)


def test_fluid_properties_between_and_at_their_points():
    assert fluids.pg25_density_kg_m3(45.0) == 1007.2
    assert fluids.pg25_specific_heat_j_kgk(35.0) == pytest.approx((3944.6 + 3968.6) / 2.0)


def test_fan_power_is_cubic_between_minimum_and_full_airflow():
    power = AirSide().power_frac(np.array([0.0, 0.4, 0.5, 1.0, 1.1, 1.4]))  # up to all that its margin allows
    np.testing.assert_allclose(power, 0.03 * np.array([0.4, 0.4, 0.5, 1.0, 1.1, 1.1]) ** 3)


def test_supply_air_is_chilled_water_and_approach():
    assert AirSide.model_validate({"approach": "5 K"}).supply_air_c(20.0) == 25.0
