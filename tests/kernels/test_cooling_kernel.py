"""A cooling loop against its closed form, its steady state and the balance of its heat."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.kernels import cooling
from simulator.kernels.columns import LoopState
from simulator.kernels.cooling_columns import DryMaps, PlantMaps, ReuseMap, Staging

FLOW_W_K, TANK_S, UNIT_W, STEP = 200e3, 300.0, 1e6, 0.1
GRID = np.arange(0.0, 1.41, STEP)


def loop_of(supply_c=30.0, units_up=2.0, tank_s=TANK_S):
    one = lambda value: np.array([value])  # noqa: E731
    return LoopState(
        plant=np.array([0]), unit_w=one(UNIT_W), units_up=one(units_up), flow_w_k=one(FLOW_W_K),
        tank_s=one(tank_s), pump_w=one(0.0), design_w=one(2.0 * UNIT_W), least_flow=one(1.0),
        held_head=one(0.0), supply_c=one(supply_c), running=one(1.0), waited_s=one(0.0),
        received_j=one(0.0),
        rejected_j=one(0.0), stored_j=one(0.0), reused_j=one(0.0),
    )


AT = (0, 0.25, 0)
"""A quarter past the first hour, with water."""


def maps_of(plant_c=36.0, groups=1.0, start_s=0.0, asks=1.0, alike=0):
    """Return the maps of one plant, the same all hour and for any of its groups: supply rises with load, power is
    cubic. Groups move a share `asks` of the heat."""
    one = lambda value: np.array([value])  # noqa: E731
    staging = Staging(one(groups), one(start_s), first=one(0), each=one(0), alike=one(alike))
    tables = (0.0 * GRID + plant_c, plant_c + 4.0 * GRID, 0.02 * GRID**3, 1e-7 * GRID,
              0.0 * GRID + 1e-8, 0.5 * GRID)
    set_c, supply_c, power, evaporation, blowdown, mechanical = (
        np.tile(table, (1, 2, 1)) for table in tables)
    asked = np.tile(asks * GRID, (1, 2, 1))
    dry = DryMaps(supply_c + 5.0, 2.0 * power, mechanical, asked, np.ones(1, np.int64))
    reuse = ReuseMap(np.zeros(2), np.zeros(1), 0.0, 0.0)
    return PlantMaps(set_c, supply_c, power, evaporation, blowdown, mechanical, asked, STEP, dry, reuse, staging)


def advance(loops, heat_w, dt_s, maps=None, at=AT):
    return cooling.integrate(0, loops, maps or maps_of(), at, heat_w, dt_s)


def test_a_step_is_the_closed_form():
    loops = loop_of(30.0)
    advance(loops, 1e6, 60.0)
    plant_c = 36.0 + 4.0 * 0.5
    expected_c = plant_c + (30.0 - plant_c) * math.exp(-60.0 / TANK_S)
    assert loops.supply_c[0] == pytest.approx(expected_c, rel=1e-14)


@pytest.mark.parametrize("units_up", [2.0, 0.0])
def test_one_long_step_is_ten_short_ones(units_up):
    long, short = loop_of(units_up=units_up), loop_of(units_up=units_up)
    advance(long, 1.3e6, 600.0)
    for _ in range(10):
        advance(short, 1.3e6, 60.0)
    for column in ("supply_c", "received_j", "rejected_j", "stored_j"):
        assert getattr(long, column)[0] == pytest.approx(getattr(short, column)[0], rel=1e-12)


def test_at_rest_the_plant_rejects_what_it_receives():
    loops = loop_of(36.0 + 4.0 * 0.6)
    power_w, evaporation_kg_s, blowdown_kg_s, set_c, mechanical = advance(loops, 1.2e6, 60.0)
    assert loops.rejected_j[0] == pytest.approx(1.2e6 * 60.0)
    assert loops.supply_c[0] == pytest.approx(38.4)
    assert power_w == pytest.approx(0.02 * 0.6**3 * 2e6)
    assert evaporation_kg_s == pytest.approx(1e-7 * 0.6 * 2e6)
    assert blowdown_kg_s == pytest.approx(1e-8 * 2e6)
    assert (set_c, mechanical) == pytest.approx((36.0, 0.3))


def test_with_no_unit_in_service_the_loop_warms_at_heat_over_capacity():
    loops = loop_of(30.0, units_up=0.0)
    assert advance(loops, 1e6, 60.0) == (0.0, 0.0, 0.0, 36.0, 0.0)
    assert loops.supply_c[0] - 30.0 == pytest.approx(1e6 * 60.0 / (FLOW_W_K * TANK_S))
    assert loops.rejected_j[0] == 0.0


def test_fewer_units_mean_warmer_water():
    both, one = loop_of(30.0, 2.0), loop_of(30.0, 1.0)
    for loops in (both, one):
        for _ in range(100):
            advance(loops, 1e6, 60.0)
    assert both.supply_c[0] == pytest.approx(38.0)
    assert one.supply_c[0] == pytest.approx(40.0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 3e6), st.sampled_from([0.0, 1.0, 2.0]),
                          st.floats(-10.0, 60.0)), min_size=1, max_size=30))
def test_heat_received_is_rejected_or_stored(steps):
    loops, start_c = loop_of(30.0), 30.0
    for heat_w, units_up, plant_c in steps:
        loops.units_up[0] = units_up
        advance(loops, heat_w, 60.0, maps_of(plant_c))
    left_j = loops.received_j[0] - loops.rejected_j[0] - loops.stored_j[0]
    scale_j = loops.received_j[0] + abs(loops.rejected_j[0]) + FLOW_W_K * TANK_S
    assert abs(left_j) <= 1e-12 * scale_j * len(steps)
    stored_j = FLOW_W_K * TANK_S * (loops.supply_c[0] - start_c)
    assert loops.stored_j[0] == pytest.approx(stored_j, rel=1e-9, abs=1.0)


def test_tables_are_exact_at_grid_points_and_linear_between():
    table = np.tile([1.0, 4.0, 9.0, 16.0], (1, 2, 1))
    at_points = [cooling.lookup(table, 0, float(x), 0, 0.25) for x in range(4)]
    assert at_points == [1.0, 4.0, 9.0, 16.0]
    assert cooling.lookup(table, 0, 1.25, 0, 0.25) == pytest.approx(4.0 + 0.25 * 5.0)
    assert cooling.lookup(table, 0, 7.0, 0, 0.25) == 16.0  # held beyond the grid


def test_tables_are_linear_in_time_between_hours():
    table = np.arange(2 * 4 * 3, dtype=float).reshape(2, 4, 3)
    for plant, j in ((0, 0), (1, 0), (1, 2)):
        assert cooling.lookup(table, plant, float(j), 2, 0.0) == table[plant, 2, j]
        expected = 0.75 * table[plant, 2, j] + 0.25 * table[plant, 3, j]
        assert cooling.lookup(table, plant, float(j), 2, 0.25) == pytest.approx(expected)


def staged_course(maps, minutes, heat_w=1.2e6, dt_s=60.0):
    """Return the water after every step of a loop that begins with one group of two running, and its power."""
    loops, told = loop_of(38.4), []
    loops.running[0] = 0.5
    for _ in range(minutes):
        power_w = advance(loops, heat_w, dt_s, maps)[0]
        told.append((float(loops.supply_c[0]), power_w))
    return loops, np.array(told).T


def test_a_group_that_stood_cools_once_it_has_started():
    """0.6 of the capacity is asked of one group of two for three minutes: it carries 0.5, what it lacks stays in the
    water, which then falls back."""
    loops, (supply_c, power_w) = staged_course(maps_of(groups=2.0, start_s=180.0), 60)
    over_k = 4.0 * (0.5 - 0.6) + 0.1 * 2.0 * UNIT_W / FLOW_W_K
    expected_c = 38.4 + over_k * -np.expm1(-np.arange(1, 4) * 60.0 / TANK_S)
    np.testing.assert_allclose(supply_c[:3], expected_c, rtol=1e-12)
    assert supply_c[3] < supply_c[2] and supply_c[-1] == pytest.approx(38.4, abs=1e-3)
    np.testing.assert_allclose(power_w[:3] / power_w[-1], (5.0 / 6.0) ** 3)
    left_j = loops.received_j[0] - loops.rejected_j[0] - loops.stored_j[0]
    assert abs(left_j) <= 1e-9 * loops.received_j[0]


@pytest.mark.parametrize("start_s", [0.0, 30.0, 90.0])
def test_what_a_starting_group_lacks_lasts_as_long_as_its_start(start_s):
    """At any step: the heat that stays in the water is that of the start."""
    loops, _ = staged_course(maps_of(groups=2.0, start_s=start_s), 3)
    settled_j = 3 * 60.0 * 1.2e6
    late_j = 0.1 * 2.0 * UNIT_W * min(start_s, 180.0)
    held_j = FLOW_W_K * (38.4 - np.array(loops.supply_c[0])) * TANK_S
    assert loops.received_j[0] == settled_j
    assert loops.rejected_j[0] == pytest.approx(settled_j + held_j, rel=1e-12)
    assert -held_j <= late_j + 1e-6 and (late_j == 0.0) == (abs(held_j) < 1e-3)


def test_groups_stop_only_after_they_were_not_asked_for():
    loops, maps = loop_of(), maps_of(groups=4.0, start_s=60.0)
    for minute in range(1, 40):
        advance(loops, 0.4e6, 60.0, maps)
        assert loops.running[0] == (1.0 if minute <= cooling.REST_S / 60.0 else 0.25)


def test_groups_are_asked_for_what_they_move_alone():
    """Of a load of 0.6 chillers move half: one group of two is enough."""
    loops, _ = staged_course(maps_of(groups=2.0, start_s=600.0, asks=0.5), 5)
    assert loops.supply_c[0] == pytest.approx(38.4) and loops.running[0] == 0.5


def test_units_that_run_share_the_heat_and_those_that_rest_still_run():
    """A load of 0.4 of a plant whose two groups run works at 0.4 of each, for as long as they rest, then one at 0.8:
    power per unit is cubic and water follows the load of those that run."""
    loops, maps = loop_of(37.6), maps_of(groups=2.0, alike=1)
    power_w = [advance(loops, 0.8e6, 60.0, maps)[0] for _ in range(120)]
    rests = round(cooling.REST_S / 60.0)
    np.testing.assert_allclose(power_w[:rests], 2e6 * 0.02 * 0.4**3)
    np.testing.assert_allclose(power_w[rests:], 1e6 * 0.02 * 0.8**3)
    assert loops.supply_c[0] == pytest.approx(36.0 + 4.0 * 0.8, abs=1e-6)


def test_units_that_start_to_run_dry_leave_no_heat_behind():
    """All coils are asked for at a load that one group of two carries: until they have started nothing is missing."""
    _, (supply_c, _) = staged_course(maps_of(groups=2.0, start_s=180.0, asks=5.0), 3, heat_w=1e6)
    left_c = 38.0 + 0.4 * np.exp(-np.arange(1, 4) * 60.0 / TANK_S)
    np.testing.assert_allclose(supply_c, left_c, rtol=1e-12)


def test_without_heat_a_plant_draws_nothing_and_with_the_first_of_it_what_its_first_column_says():
    maps = maps_of()
    maps = maps._replace(power_frac=maps.power_frac + 0.01)
    assert advance(loop_of(36.0), 0.0, 60.0, maps)[0] == 0.0
    assert advance(loop_of(36.0), 1.0, 60.0, maps)[0] == 0.0  # less than a millionth: rounding
    assert advance(loop_of(36.0), 10.0, 60.0, maps)[0] == pytest.approx(0.01 * 2e6)


def test_without_water_a_plant_follows_its_dry_maps_and_takes_none():
    loops = loop_of(41.0 + 4.0 * 0.5)
    power_w, evaporation_kg_s, blowdown_kg_s, set_c, _ = advance(loops, 1e6, 60.0, at=(0, 0.25, 1))
    assert loops.supply_c[0] == pytest.approx(43.0)
    assert power_w == pytest.approx(2.0 * 0.02 * 0.5**3 * 2e6)
    assert (evaporation_kg_s, blowdown_kg_s, set_c) == (0.0, 0.0, 36.0)


@pytest.mark.parametrize(("heat_w", "out_min"), [(0.8e6, 20), (1.2e6, 45), (1.8e6, 60)])
def test_heat_kept_over_an_outage_leaves_at_its_price(heat_w, out_min):
    """Water is linear in load here, so an outage changes when it goes and not how much; and never more is rejected
    than the map holds."""
    spared, hit, taken_kg = loop_of(38.0), loop_of(38.0), [0.0, 0.0]
    for minute in range(1200):
        hit.units_up[0] = 0.0 if minute < out_min else 2.0
        before_j = float(hit.rejected_j[0])
        for i, loops in enumerate((spared, hit)):
            taken_kg[i] += advance(loops, heat_w, 60.0)[1] * 60.0
        assert hit.rejected_j[0] - before_j <= GRID[-1] * 2e6 * 60.0 * (1 + 1e-9)
    assert hit.supply_c[0] == pytest.approx(spared.supply_c[0], abs=1e-6)
    lacking_kg = taken_kg[0] - taken_kg[1]  # of the last of it, which goes slower than a plant follows
    assert abs(lacking_kg) < 0.03 * heat_w * out_min * 60.0 * 1e-7


def test_fan_power_follows_its_table():
    table = np.atleast_2d(GRID**3)
    assert cooling.fan_power(table, 0, 50e3, 100e3, STEP) == pytest.approx(0.125 * 100e3)
    assert cooling.fan_power(table, 0, 50e3, 0.0, STEP) == 0.0
