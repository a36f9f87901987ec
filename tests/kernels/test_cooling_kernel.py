"""A cooling loop against its closed form, its steady state and the balance of its heat."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.kernels import cooling
from simulator.kernels.columns import LoopState
from simulator.kernels.cooling_columns import DryMaps, PlantMaps, ReuseMap

FLOW_W_K, TANK_S, UNIT_W, STEP = 200e3, 300.0, 1e6, 0.1
GRID = np.arange(0.0, 1.41, STEP)


def loop_of(supply_c=30.0, units_up=2.0, tank_s=TANK_S):
    one = lambda value: np.array([value])  # noqa: E731
    return LoopState(
        plant=np.array([0]), unit_w=one(UNIT_W), units_up=one(units_up), flow_w_k=one(FLOW_W_K),
        tank_s=one(tank_s), pump_w=one(0.0), supply_c=one(supply_c), received_j=one(0.0),
        rejected_j=one(0.0), stored_j=one(0.0), reused_j=one(0.0),
    )


AT = (0, 0.25, 0)
"""A quarter past the first hour, with water."""


def maps_of(plant_c=36.0):
    """Return the maps of one plant, alike all hour: supply rises with load, power is cubic."""
    tables = (0.0 * GRID + plant_c, plant_c + 4.0 * GRID, 0.02 * GRID**3, 1e-7 * GRID,
              0.0 * GRID + 1e-8, 0.5 * GRID)
    set_c, supply_c, power, evaporation, blowdown, mechanical = (
        np.tile(table, (1, 2, 1)) for table in tables)
    dry = DryMaps(supply_c + 5.0, 2.0 * power, mechanical, np.ones(1, np.int64))
    reuse = ReuseMap(np.zeros(2), np.zeros(1), 0.0, 0.0)
    return PlantMaps(set_c, supply_c, power, evaporation, blowdown, mechanical, STEP, dry, reuse)


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


def test_without_water_a_plant_follows_its_dry_maps_and_takes_none():
    loops = loop_of(41.0 + 4.0 * 0.5)
    power_w, evaporation_kg_s, blowdown_kg_s, set_c, _ = advance(loops, 1e6, 60.0, at=(0, 0.25, 1))
    assert loops.supply_c[0] == pytest.approx(43.0)
    assert power_w == pytest.approx(2.0 * 0.02 * 0.5**3 * 2e6)
    assert (evaporation_kg_s, blowdown_kg_s, set_c) == (0.0, 0.0, 36.0)


def test_fan_power_follows_its_table():
    table = np.atleast_2d(GRID**3)
    assert cooling.fan_power(table, 0, 50e3, 100e3, STEP) == pytest.approx(0.125 * 100e3)
    assert cooling.fan_power(table, 0, 50e3, 0.0, STEP) == 0.0
