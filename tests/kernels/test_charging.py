"""Batteries that charge load what feeds them, and give way to everything else."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_tree import bridge_of, mesh_state, supply_of, tree_of

from simulator.components.power.loss import LossCurve
from simulator.kernels import charging, power_tree
from simulator.kernels.columns import BlockState, LimitState

DT_S = 60.0
NONE = LossCurve()
BANK = LossCurve(no_load=0.001, load=0.007)
UPS_CURVE = LossCurve(no_load=0.01, linear=0.02, load=0.03)
LINES, TRANSFORMERS, FEEDERS, SUBSTATION, UPS, BUSWAY = range(6)


def blocks_of(nodes):
    """Return blocks that draw on a node each."""
    told = {name: np.zeros(0) for name in BlockState._fields} | {"it_w": np.zeros(len(nodes))}
    told |= {"feed_first": np.arange(len(nodes) + 1), "feed_node": np.array(nodes, np.int64)}
    return BlockState(**told | {"feed_share": np.ones(len(nodes))})


ONE_BLOCK, NO_BLOCK = blocks_of([BUSWAY]), blocks_of([])


def chain(rating_w=1e6, bridge=None, mesh=None, ups_w=0.0):
    """Return a tree without a branch: lines, transformers, feeders, a substation, its UPS, a busway."""
    curves = [BANK, BANK, BANK, BANK, UPS_CURVE, BANK]
    tree = tree_of([-1, 0, 1, 2, 3, 4], [rating_w] * 6, curves, mesh=mesh, bridge=bridge)
    tree.charge.ups_w[UPS] = ups_w
    return tree


def minute(tree, supply, load_w, blocks=ONE_BLOCK, share=1.0):
    """Advance by a minute with a load on the busway; return the flows, the losses and the draw of charging."""
    tree.output_w[:] = 0.0
    tree.output_w[-1] = load_w
    told = {name: np.zeros(0) for name in LimitState._fields} | {"share": np.full(tree.parent.size, share)}
    limits = LimitState(**told)
    charged = charging.charge(tree, limits, blocks, supply, DT_S)
    demand_w, losses_w = power_tree.solve(tree, DT_S)
    return power_tree.balance(supply, demand_w, charged, DT_S), losses_w, charged


def test_a_cycle_returns_the_round_trip_efficiency():
    supply = supply_of(0.0, power_w=1e9, bridge=bridge_of(2))
    tree = tree_of([-1, 0], [1e9, 1e9], [NONE, NONE])
    drawn_j, given_j = 0.0, 0.0
    while supply.battery_j[0] > 1.0:
        minute(tree, supply, 40e3, NO_BLOCK)
        given_j += (40e3 + 500.0 - supply.deficit_w[0]) * DT_S
        if supply.deficit_w[0] > 0.0:
            break
    ridden_j = supply.ride_through_capacity_j[0] - supply.ride_through_j[0]
    supply.limit_w[0], tree.charge.ups_w[1] = 1e9, supply.ride_recharge_w[0]
    for _ in range(60):
        (import_w, *_), _, _ = minute(tree, supply, 0.0, NO_BLOCK)
        drawn_j += (import_w - 500.0) * DT_S
    assert supply.battery_j[0] == pytest.approx(30e6)
    assert (given_j - ridden_j) / (drawn_j - ridden_j) == pytest.approx(0.81)


def test_what_a_lineups_ups_charges_with_comes_through_all_above_it():
    """Every element carries what is below it and the charge, up to the interconnection; the UPS its load."""
    bridge = bridge_of(6, ups_nodes=[UPS])
    bridge.own[0], bridge.owned[0], bridge.charge_j[0] = 1, 1, 0.0
    resting, tree, supply = chain(), chain(bridge=bridge), supply_of(2e6, ride=0.0, bridge=bridge)
    supply.ride_through_capacity_j[0] = 0.0
    resting.output_w[-1] = 300e3
    power_tree.solve(resting, DT_S)
    (import_w, _, stored_w, _), losses_w, charged = minute(tree, supply, 300e3, NO_BLOCK)
    assert charged == (5e3, 5e3) and stored_w == 5e3
    assert tree.output_w[UPS] == resting.output_w[UPS]
    assert tree.output_w[SUBSTATION] == pytest.approx(resting.input_w[UPS] + 5e3, rel=1e-15)
    for i in (FEEDERS, TRANSFORMERS, LINES):
        assert tree.output_w[i] == pytest.approx(tree.input_w[i + 1], rel=1e-15)
    for i in (SUBSTATION, FEEDERS, TRANSFORMERS, LINES):
        assert tree.input_w[i] == pytest.approx(tree.output_w[i] + BANK.loss_w(tree.output_w[i], 1e6), rel=1e-14)
    assert import_w == pytest.approx(300e3 + losses_w + 5e3 + 500.0, rel=1e-14)
    assert bridge.charge_j[0] == pytest.approx(5e3 * DT_S)


def test_batteries_of_racks_charge_through_their_busway_with_their_loss():
    """Energy drawn at the racks is what is missing over the efficiency of charging."""
    bridge = bridge_of(6, blocks=1, full_j=1e6)
    bridge.own[0], bridge.owned[0] = 1, 1
    tree, supply = chain(bridge=bridge), supply_of(2e6, bridge=bridge)
    drawn_j = 0.0
    while bridge.own[0]:
        (import_w, _, stored_w, loss_w), losses_w, (drawn_w, kept_w) = minute(tree, supply, 300e3)
        drawn_j += drawn_w * DT_S
        assert tree.output_w[BUSWAY] == pytest.approx(300e3 + drawn_w, rel=1e-15)
        assert kept_w == pytest.approx(0.95 * drawn_w) and stored_w == kept_w
        assert import_w == pytest.approx(300e3 + losses_w + loss_w + stored_w, rel=1e-14)
    assert drawn_j == pytest.approx(1e6 / 0.95, rel=1e-8)
    assert supply.backup.charge_j[0] == pytest.approx(1e6, rel=1e-8) and bridge.owned[0] == 0


def test_the_battery_plant_hangs_below_the_main_transformers():
    tree, supply = chain(), supply_of(2e6, charge=0.5, bridge=bridge_of(6))
    minute(tree, supply, 300e3, NO_BLOCK)
    assert tree.output_w[TRANSFORMERS] - tree.input_w[FEEDERS] == pytest.approx(20e3)
    assert tree.charge.asked_w[0] < tree.input_w[LINES] - 20e3  # its way up loses something
    assert supply.battery_j[0] == pytest.approx(15e6 + 0.9 * 20e3 * DT_S)


def test_nothing_charges_through_what_is_dead():
    bridge = bridge_of(6, ups_nodes=[UPS])
    bridge.own[0], bridge.owned[0] = 1, 1
    tree, supply = chain(bridge=bridge), supply_of(2e6, bridge=bridge)
    tree.live[SUBSTATION:] = 0
    _, _, charged = minute(tree, supply, 0.0, NO_BLOCK)
    assert charged == (0.0, 0.0) and bridge.charge_j[0] == 0.0


watts = st.floats(0.0, 1.2e6)


@settings(max_examples=150, deadline=None)
@given(watts, st.floats(1.0, 1.5e6), st.floats(0.7, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(1.0, 2e5))
def test_chargers_keep_within_every_limit_and_energy_is_conserved(load_w, limit_w, share, charge, ride, rate_w):
    """Nothing is above its limit that was not without charging; with room for all of it, all is taken."""
    mesh = mesh_state([[1.0], [0.5]], rating_w=[9e5, 6e5], on=[1, 1], load=[0.004, 0.004], node=[FEEDERS], stage=[1, 2])
    bridge = bridge_of(6, blocks=1)
    bridge.own[0], bridge.owned[0], bridge.recharge_w[0] = 1, 1, rate_w
    supply = supply_of(limit_w, charge=charge, ride=ride, bridge=bridge)
    supply.battery_recharge_w[0] = supply.ride_recharge_w[0] = rate_w
    tree, resting = chain(bridge=bridge, mesh=mesh, ups_w=rate_w), chain(mesh=mesh_state())
    resting.output_w[-1] = load_w
    before_j = supply.battery_j[0] + supply.ride_through_j[0] + bridge.charge_j[0]
    (import_w, made_w, stored_w, loss_w), losses_w, (drawn_w, _) = minute(tree, supply, load_w, share=share)
    after_j = supply.battery_j[0] + supply.ride_through_j[0] + supply.backup.charge_j[0] + bridge.charge_j[0]
    assert import_w + made_w == pytest.approx(load_w + losses_w + loss_w + stored_w, abs=1e-6)
    assert (after_j - before_j) / DT_S == pytest.approx(stored_w, abs=1e-6)
    if drawn_w > 0.0:
        most_w = tree.rating_w * share
        assert import_w <= limit_w * (1.0 + 1e-12)
        assert np.all(tree.output_w[tree.charge.drawn_w.nonzero()[0].min() :: -1] <= 1.0 + most_w[0])
        assert np.all(np.abs(mesh.flow_w) <= mesh.rating_w * (1.0 + 1e-12))
    power_tree.solve(resting, 0.0)
    wanted_w = 3.0 * rate_w
    if resting.input_w[0] + 1.2 * wanted_w < min(limit_w - 500.0, 9e5, 0.7e6) and max(charge, ride) < 0.3:
        missing_w = 2e6 * (1.0 - ride) / DT_S, 1e6 / 0.95 / DT_S
        assert drawn_w == pytest.approx(rate_w + sum(min(rate_w, w) for w in missing_w), rel=1e-9)


def test_what_all_charge_with_keeps_the_transformer_of_either_hall_within_its_limit():
    """Each hall hangs on one of two; the plant's draw comes by both, and that of a UPS by its own."""
    mesh = mesh_state([[1.0, 0.0], [0.0, 1.0]], rating_w=[5.2e5, 9e5], on=[1, 1], node=[FEEDERS, 3], stage=[1, 1])
    tree = tree_of([-1, 0, 1, 1, 2, 3], [2e6] * 6, [NONE] * 6, mesh=mesh)
    supply = supply_of(5e6, charge=0.1, ride=0.0, bridge=bridge_of(6))
    supply.battery_recharge_w[0], supply.ride_through_capacity_j[0] = 90e3, 1e9
    for ups_w in (60e3, 5e3):
        tree.charge.ups_w[4] = supply.ride_recharge_w[0] = ups_w
        tree.output_w[:] = 0.0
        tree.output_w[4:] = 480e3
        limits = LimitState(**{name: np.zeros(0) for name in LimitState._fields} | {"share": np.ones(6)})
        charged = charging.charge(tree, limits, NO_BLOCK, supply, DT_S)
        power_tree.solve(tree, DT_S)
        assert charged[0] > 30e3
        assert 0.995 < mesh.flow_w[0] / mesh.rating_w[0] <= 1.0
