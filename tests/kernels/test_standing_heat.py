"""Heat that waits: stretches of a step, stores that fill and empty, and what chips follow of a ramp."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_cooling_kernel import AT, FLOW_W_K, TANK_S, advance, loop_of, maps_of

from simulator.engine.plant_state import in_part, lead
from simulator.kernels import standing_heat
from simulator.kernels.cooling_columns import CHANGES, HeatState
from simulator.kernels.scratch import MOVES

DT_S = 60.0


def heat_of(flow=1.0, fans=1.0, changes=()):
    """Return one loop, block and hall; `changes` are (until_s, units, flow, fans) before the present."""
    one = lambda value: np.array([value])  # noqa: E731
    then = np.ones((4, 1, CHANGES))
    for k, change in enumerate(changes):
        then[:, 0, k] = change
    return HeatState(
        flow=one(flow), fans=one(fans), changes=np.array([len(changes)]), change_s=then[0].copy(),
        units_then=then[1].copy(), flow_then=then[2].copy(), fans_then=then[3].copy(),
        row_j=one(0.0), row_j_k=one(1e5), row_lead=one(0.8),
        row_settled_c=one(40.0), row_left_j=one(0.0),
        row_stands_s=np.zeros((1, 2)), row_met_s=np.full((1, 2), math.inf),
        air_j=one(0.0), air_j_k=one(1e5),
        air_settle_s=one(240.0), air_lead=one(0.5), air_range_k=one(12.0), air_full=one(1.1),
        air_mixed_k=one(0.0), air_set_c=one(24.0), envelope_w_k=one(0.0),
        lit=one(1.0), house_frac=one(1.0), indoor_w=one(0.0), made_j=np.zeros((1, 3)), bridged=np.zeros(1, np.int64),
        on_ups=np.ones(2, np.int64))


def test_what_carries_is_the_sum_of_its_stretches():
    heat = heat_of(flow=0.5, fans=0.0, changes=[(15.0, 2.0, 1.0, 1.0), (40.0, 2.0, 0.0, 0.5)])
    found = np.zeros((1, MOVES))
    standing_heat.movements(heat, found, DT_S)
    flows_s, turns_s, both_s, cube, fans = found[0]
    assert (flows_s, turns_s, both_s) == (35.0, 40.0, 15.0)
    assert cube == pytest.approx((15.0 + 20.0 * 0.125) / 60.0)
    assert fans == pytest.approx((15.0 + 25.0 * 0.5) / 60.0)


def test_a_loop_without_changes_is_integrated_as_ever():
    plain, run = loop_of(30.0), loop_of(30.0)
    told = advance(plain, 1e6, DT_S)
    got = standing_heat.run_in_parts(0, run, heat_of(), maps_of(), AT, 1e6, DT_S, DT_S)
    assert got == pytest.approx(told, rel=1e-12)
    for column in ("supply_c", "received_j", "rejected_j", "stored_j"):
        assert getattr(run, column)[0] == getattr(plain, column)[0]


@pytest.mark.parametrize("at_s", [1.0, 20.0, 59.0])
def test_a_plant_that_stops_inside_a_step_is_two_steps(at_s):
    whole, parts = loop_of(30.0, units_up=0.0), loop_of(30.0)
    heat = heat_of(changes=[(at_s, 2.0, 1.0, 1.0)])
    standing_heat.run_in_parts(0, whole, heat, maps_of(), AT, 1e6, DT_S, DT_S)
    advance(parts, 1e6, at_s)
    parts.units_up[0] = 0.0
    advance(parts, 1e6, DT_S - at_s)
    for column in ("supply_c", "received_j", "rejected_j", "stored_j"):
        assert getattr(whole, column)[0] == pytest.approx(getattr(parts, column)[0], rel=1e-12)
    assert whole.units_up[0] == 0.0 and heat.changes[0] == 0
    assert whole.flow_w_k[0] == FLOW_W_K and whole.tank_s[0] == TANK_S


def test_water_that_stands_neither_takes_up_heat_nor_gives_it_off():
    loops = loop_of(30.0)
    told = standing_heat.run_in_parts(0, loops, heat_of(flow=0.0), maps_of(), AT, 0.0, 0.0, DT_S)
    assert told[:3] == (0.0, 0.0, 0.0)
    assert loops.supply_c[0] == 30.0 and loops.rejected_j[0] == 0.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.0, 1e6), st.floats(0.0, DT_S)), min_size=1, max_size=30))
def test_a_store_gives_back_what_it_took(steps):
    held_j, made_j, left_j = 0.0, 0.0, 0.0
    for made_w, moves_s in steps:
        leaves_w, held_j = standing_heat.passed(held_j, made_w, moves_s, 10.0, DT_S)
        made_j, left_j = made_j + made_w * DT_S, left_j + leaves_w * DT_S
        assert held_j >= 0.0
    assert left_j + held_j == pytest.approx(made_j, rel=1e-9, abs=1e-3)


def test_a_store_empties_with_its_time():
    leaves_w, held_j = standing_heat.passed(1e6, 0.0, DT_S, 30.0, DT_S)
    assert held_j == pytest.approx(1e6 * math.exp(-2.0))
    assert leaves_w == pytest.approx((1e6 - held_j) / DT_S)


@pytest.mark.parametrize("tau_s", [5.0, 13.0, 60.0, 600.0])
@pytest.mark.parametrize("left_s", [60.0, 10.0])
def test_a_led_coolant_takes_a_chip_where_the_ramp_does(tau_s, left_s):
    """The response to a ramp of r over the last t of a step is r (t - tau (1 - e^(-t / tau)))."""
    covered = -math.expm1(-DT_S / tau_s)
    ramp_k = left_s + tau_s * math.expm1(-left_s / tau_s)
    by_constant_k = covered * lead(covered) * in_part(covered, left_s) * DT_S
    assert by_constant_k == pytest.approx(ramp_k, rel=1e-9)
