"""Kinds of air side: contract of all, economiser by weather, doors without power."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from simulator.components.cooling import AIR_KINDS, LOAD_FRAC, LOAD_STEP, AnyAirSide, HourlyWeather
from simulator.components.cooling.air_side import NO_AIR_C
from simulator.components.cooling.crah import Crah
from simulator.components.cooling.fan_wall import FanWall
from simulator.components.cooling.rear_door import RearDoor
from simulator.kernels.hall_air import coil_k

ADAPTER = TypeAdapter(AnyAirSide)
CHILLED_C = 20.0
AIR = HourlyWeather(
    np.array([-10.0, 10.0, 24.0, 30.0, 36.5, 30.0]), np.array([-11.0, 7.0, 16.0, 19.0, 20.0, 28.0]),
    np.full(6, 101_325.0),
)


def test_a_mapping_without_a_kind_is_a_fan_wall():
    assert isinstance(ADAPTER.validate_python({"approach": "5 K"}), FanWall)
    assert isinstance(ADAPTER.validate_python({"kind": "rear_door"}), RearDoor)
    with pytest.raises(ValidationError):
        ADAPTER.validate_python({"kind": "crac"})


@pytest.mark.parametrize("kind", AIR_KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_keeps_the_contract(kind):
    air = kind()
    power = air.power_frac()
    assert power.shape == LOAD_FRAC.shape and np.all(np.diff(power) >= 0.0) and np.all(power >= 0.0)
    assert air.supply_air_c(CHILLED_C) >= CHILLED_C + 0.1
    found = air.air_map(CHILLED_C, AIR)
    assert found.outdoor_frac.shape == found.water_kg_j.shape == (len(AIR), len(LOAD_FRAC))
    assert found.supply_c.shape == (len(AIR),)
    assert np.all((found.outdoor_frac >= 0.0) & (found.outdoor_frac <= 1.0))
    design_w = 1e6
    built = air.built(design_w)
    assert air.moves(design_w, built) == 1.0 and air.moves(design_w, 0) == 0.0
    warming_k_min = 60.0 * design_w / float(air.thermal_mass_j_k(design_w))
    assert 1.0 <= warming_k_min <= 5.0  # published of halls without cooling


def economised():
    return Crah.model_validate({"economiser": {}}).air_map(CHILLED_C, AIR)


def test_outdoor_air_takes_all_some_or_none_of_the_heat():
    """Set point 24, return 36 degC: cold air is mixed, air at 30 takes half, warmer or wetter none."""
    share = economised().outdoor_frac[:, 5]
    np.testing.assert_allclose(share, [1.0, 1.0, 1.0, 0.5, 0.0, 0.0])
    np.testing.assert_allclose(economised().supply_c, [24.0, 24.0, 24.0, 30.0, NO_AIR_C, NO_AIR_C])


def test_only_dry_air_is_humidified_and_in_proportion_to_what_is_let_in():
    water = economised().water_kg_j
    assert water[0, FULL] > 0.0 and np.all(water[1:] == 0.0)
    np.testing.assert_allclose(water[0], water[0, FULL] * LOAD_FRAC, atol=1e-18)
    # At -10 degC 12 of 46 K of the return air is replaced: under a gram of water per kg of it.
    assert water[0, FULL] < 12.0 / 46.0 * 1e-3 / (1006.0 * 12.0)


def test_what_racks_breathe_again_warms_their_intake():
    """With a fifth of exhaust, T_in = T_s + 12 K x 0.2 / 0.8."""
    air = FanWall.model_validate({"recirculation": 0.2})
    assert air.supply_air_c(CHILLED_C) == pytest.approx(CHILLED_C + 4.0 + 3.0)
    assert air.needed(1.0) == pytest.approx(0.8)


def test_air_that_passes_no_rack_costs_the_cube_of_airflow():
    air = FanWall.model_validate({"bypass": 0.2, "margin": "30 %"})
    assert air.design_frac() == pytest.approx(0.03 / 0.8**3)
    with pytest.raises(ValidationError, match="margin"):
        FanWall.model_validate({"bypass": 0.5})


def test_passive_doors_take_no_power_and_need_none():
    door = RearDoor.model_validate({"fans": "passive"})
    assert door.passive and door.design_frac() == 0.0
    assert not RearDoor().passive


def test_an_economiser_that_is_never_open_is_refused():
    with pytest.raises(ValidationError, match="lowest_dew_point"):
        Crah.model_validate({"economiser": {"lowest_dew_point": "16 degC"}})


WATER_K, STEP = 8.0, LOAD_STEP
FULL = int(np.abs(LOAD_FRAC - 1.0).argmin())


@pytest.mark.parametrize("kind", AIR_KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("told", [{}, {"recirculation": "10 %"}, {"bypass": "5 %"}], ids=["contained", "again", "past"])
def test_coils_are_what_they_are_rated_for_and_better_below(kind, told):
    air = kind.model_validate(told)
    table = air.coil_k(WATER_K, np.array([0.0, 0.5, 1.0]))
    stands, half, whole = table
    assert whole[FULL] == pytest.approx(air.approach, rel=1e-6)
    np.testing.assert_array_equal(stands, whole)  # without water the air stays what it was
    assert whole[0] < 1e-5 and np.all(np.diff(whole) > 0.0)
    assert np.all(whole[:FULL] <= air.approach * LOAD_FRAC[:FULL] + 1e-9)
    assert np.all(half[1:] > whole[1:])


def test_a_coil_that_lacks_water_cannot_cool_air_below_what_the_water_carries():
    """At half the flow water warms by twice the range: no air leaves colder than that allows."""
    air = FanWall()
    half_k = float(air.coil_k(WATER_K, np.array([0.5]))[0, FULL])
    assert half_k + air.range > 2.0 * WATER_K


def test_no_coil_brings_air_to_water_that_leaves_warmer_than_the_air_enters():
    with pytest.raises(ValueError, match="effectiveness"):
        FanWall().coil(17.0)


def test_open_coils_beyond_their_table_warm_in_proportion_to_heat():
    table = FanWall().coil_k(WATER_K, np.array([0.0, 0.5, 1.0]))
    for flow, row in ((1.0, 2), (0.5, 1)):
        assert coil_k(table, 1.01, flow, STEP) == pytest.approx(0.5 * (table[row, FULL] + table[row, FULL + 1]))
        assert coil_k(table, 2.8, flow, STEP) == pytest.approx(2.0 * table[row, -1])
    assert coil_k(table, -1.0, 1.0, STEP) == table[2, 0] < 1e-5
