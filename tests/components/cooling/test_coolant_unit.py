"""Coolant unit: linear approach, pumps, thermal mass, impossible designs."""

import pytest
from pydantic import ValidationError

from simulator.components.cooling.coolant_unit import CoolantUnit


def unit(**changes):
    return CoolantUnit.model_validate({"unit": "2.3 MW", **changes})


def test_approach_at_design_heat_is_the_design_approach():
    assert unit().approach_k_per_w(2.3e6) * 2.3e6 == pytest.approx(3.0, rel=1e-9)
    assert unit().approach_k_per_w(4.6e6) * 2.3e6 == pytest.approx(1.5, rel=1e-9)
    wide = unit(facility_range="6 K", approach="4 K")
    assert wide.approach_k_per_w(1e6) * 1e6 == pytest.approx(4.0, rel=1e-9)


def test_less_flow_makes_the_return_hotter():
    returns = [
        unit().approach_k_per_w(1.0, flow) + unit().range / flow for flow in (1.0, 0.75, 0.5)
    ]
    assert returns == sorted(returns)
    assert returns[2] > returns[0] + 5.0


def test_pumps_follow_the_cube_of_flow_and_a_spare_pump_costs_no_flow():
    assert unit().pump_w(2.3e6) == pytest.approx(0.0125 * 2.3e6)
    assert unit().pump_w(2.3e6, 0.5) == pytest.approx(0.0125 * 2.3e6 / 8.0)
    three = unit(pumps=3, spare_pumps=1)
    assert [three.flow_frac(running) for running in (0, 1, 2, 3)] == [0.0, 0.5, 1.0, 1.0]


def test_thermal_mass_of_a_130_kw_rack_loop():
    # 60 L of coolant and 40 kg of copper are 256 kJ/K (0.5 K/s at 130 kW).
    assert unit().thermal_mass_j_k(130e3) == pytest.approx(256e3, rel=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"approach": "0 K"}, "out of range"),
        ({"approach": "1 K", "facility_range": "20 K"}, "no exchanger reaches"),
        ({"pumps": 1, "spare_pumps": 1}, "leaves no pump"),
        ({"pumps": 0}, "out of range"),
    ],
)
def test_impossible_units_are_errors(changes, message):
    with pytest.raises(ValidationError, match=message):
        unit(**changes)
