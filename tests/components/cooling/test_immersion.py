"""Immersion tanks: what racks lose in them, what they hold, how their exchangers do."""

import inspect

import numpy as np
import pytest

from simulator.components import from_catalog
from simulator.components.cooling import LOAD_FRAC, RACK_SIDE_KINDS, CoolantUnit, in_service
from simulator.components.cooling.cold_plate import ColdPlate
from simulator.components.cooling.single_phase_immersion import SinglePhaseImmersion
from simulator.components.cooling.two_phase_immersion import TwoPhaseImmersion

every_kind = pytest.mark.parametrize("kind", RACK_SIDE_KINDS, ids=lambda kind: kind.__name__)
BOTH = pytest.mark.parametrize("kind", [SinglePhaseImmersion, TwoPhaseImmersion])


def make(kind, **more):
    return kind.model_validate({"unit": "200 kW"} | more)


@every_kind
def test_kind_is_the_name_of_its_file(kind):
    assert inspect.getfile(kind).endswith(f"/{kind.model_fields['kind'].default}.py")


@every_kind
def test_the_design_point_has_the_design_approach_and_half_the_heat_half_of_it(kind):
    unit = make(kind)
    assert unit.approach_k_per_w(200e3) * 200e3 == pytest.approx(unit.approach, rel=1e-6)
    assert unit.approach_k_per_w(200e3) * 100e3 == pytest.approx(unit.approach / 2, rel=1e-6)


@every_kind
def test_less_facility_water_is_a_wider_approach(kind):
    unit = make(kind)
    widths = [unit.approach_k_per_w(1.0, 1.0, f) for f in (1.0, 0.8, 0.6)]
    assert widths == sorted(widths) and widths[2] > 1.2 * widths[0]


def test_condensers_follow_the_limit_of_one_constant_side():
    """Vapour has one temperature: effectiveness is 1 - exp(-NTU), and q = eff C (T - T_facility)."""
    unit = make(TwoPhaseImmersion)
    ntu = -np.log1p(-unit.facility_range / unit.approach)
    effectiveness = -np.expm1(-ntu)
    per_w = unit.facility_range / effectiveness / 200e3
    assert unit.approach_k_per_w(200e3) == pytest.approx(per_w, rel=1e-3)


@BOTH
def test_an_air_cooled_server_loses_its_fans_and_gains_a_fluid(kind):
    rack, unit = from_catalog.rack("HGX-H100-8-AIR"), make(kind)
    changes = unit.rack_changes(rack)
    immersed = rack.model_copy(update=changes)
    assert immersed.liquid_cooled and immersed.liquid_fraction == 0.98
    assert rack.host_max - immersed.host_max == pytest.approx(0.1 * 0.98 * rack.nameplate)
    assert 0.05 < (rack.nameplate - immersed.nameplate) / rack.nameplate < 0.15
    assert immersed.chip_resistance == unit.chip_resistance
    built = from_catalog.rack("HGX-H100-8-IMMERSION")
    assert unit.rack_changes(built)["host_max"] == built.host_max
    assert unit.rack_changes(from_catalog.rack("NETWORK")) == {}


def test_cold_plates_lose_fans_for_their_heat_in_air_only():
    rack = from_catalog.rack("GB300-NVL72")
    changes = make(SinglePhaseImmersion).rack_changes(rack)
    assert rack.host_max - changes["host_max"] == pytest.approx(0.1 * 0.08 * rack.nameplate)


def test_oil_goes_on_past_the_chips_without_pumps_and_a_boiling_fluid_as_ever():
    plate = ColdPlate()
    oil, boiling = make(SinglePhaseImmersion), make(TwoPhaseImmersion)
    still = in_service.coolant(oil, plate, np.zeros(2), 1e3)
    assert still.approach_k_w == np.inf and still.pump_w == 0.0
    assert still.resistance_frac == pytest.approx(0.6 + 0.4 * oil.natural**-0.7)
    assert in_service.coolant(boiling, plate, np.zeros(1), 1e3).resistance_frac == 1.0


def test_tables_by_load_are_the_flow_that_the_heat_asks_for():
    unit = make(CoolantUnit, flow="by_load", least_flow="50 %")
    plate, flows = ColdPlate(), np.ones(3)
    table = in_service.by_load(unit, plate, flows, 900.0)
    assert table.shape == (3, len(LOAD_FRAC))
    assert table[:, int(np.abs(LOAD_FRAC - 1.0).argmin())] == pytest.approx([unit.approach_k_per_w(600e3), 900.0, 1.0])
    assert table[1, 0] == pytest.approx(900.0 / 8.0)
    assert table[2, 0] == pytest.approx(plate.resistance_frac(0.5))
    one_out = in_service.by_load(unit, plate, np.array([1.0, 1.0, 0.0]), 900.0)
    assert one_out[1, int(np.abs(LOAD_FRAC - 0.6).argmin())] == pytest.approx(900.0 * 2.0 / 3.0 * 0.9**3)
    assert in_service.by_load(make(CoolantUnit), plate, flows, 900.0).shape == (3, 0)
