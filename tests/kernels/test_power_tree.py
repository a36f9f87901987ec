"""The tree of losses and the balance at the interconnection, against sums by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.components.power.loss import LossCurve
from simulator.kernels import power_tree
from simulator.kernels.bridge_columns import BridgeState
from simulator.kernels.columns import STAGES, MeshState, TreeState
from simulator.kernels.supply_columns import BackupState, GeneratorState, Supply

DT_S = 60.0


def mesh_state(factor=None, **columns):
    """Return a mesh of the given branches over the nodes of feeders; none by default."""
    factor = np.zeros((0, 0)) if factor is None else np.array(factor, float)
    branches, halls = factor.shape
    given = {name: np.zeros(branches) for name in ("rating_w", "on", "no_load", "load")}
    given |= {name: np.array(values, float) for name, values in columns.items() if name not in ("node", "stage")}
    return MeshState(
        node=np.array(columns.get("node", np.zeros(halls)), np.int64), factor=factor,
        stage=np.array(columns.get("stage", np.zeros(branches)), np.int64),
        flow_w=np.zeros(branches), peak_w=np.zeros(branches), over_s=np.zeros(branches), **given,
    )  # fmt: skip


def bridge_of(nodes, ups_nodes=(), blocks=0, full_j=1e6):
    """Return the UPS of some nodes and the rack batteries of so many blocks, none called upon."""
    rows = len(ups_nodes) + blocks
    of_node = np.full(nodes, -1)
    of_node[list(ups_nodes)] = np.arange(len(ups_nodes))
    zeros = lambda n=rows: np.zeros(n)  # noqa: E731
    backed = np.arange(rows) >= len(ups_nodes)
    return BridgeState(
        of_node=of_node, of_block=len(ups_nodes) + np.arange(blocks), ups=len(ups_nodes),
        share=zeros(), following=zeros(), own=np.zeros(rows, np.int64), owned=np.zeros(1, np.int64),
        charge_j=zeros(), full_j=np.full(rows, full_j), power_w=np.where(backed, 50e3, np.inf),
        recharge_w=np.full(rows, 5e3), one_way=np.where(backed, 0.95, 1.0), wanted_w=zeros(),
        out_w=zeros(1), loss_w=zeros(1), away_j=zeros(1),
    )  # fmt: skip


def tree_of(parent, rating_w, curves, stage=None, mesh=None, bridge=None):
    n = len(parent)
    zeros = lambda: np.zeros(n)  # noqa: E731
    return TreeState(
        parent=np.array(parent), stage=np.array(stage or range(n)),
        rating_w=np.array(rating_w, float), in_service=np.ones(n),
        no_load=np.array([c.no_load for c in curves]),
        linear=np.array([c.linear for c in curves]), load=np.array([c.load for c in curves]),
        unmetered_w=zeros(), output_w=zeros(), input_w=zeros(), peak_w=zeros(),
        loss_j=np.zeros(len(STAGES)), warms=np.zeros(n, np.int64), indoors=zeros(),
        indoor_w=np.zeros(1), indoor_j=np.zeros(1),
        mesh=mesh or mesh_state(), bridge=bridge or bridge_of(n),
    )


LEAF = LossCurve(no_load=0.01, linear=0.02, load=0.03)
ROOT = LossCurve(no_load=0.001, load=0.007)


def two_levels():
    """A root over two leaves with 40 and 90 kW on them."""
    tree = tree_of([-1, 0, 0], [300e3, 100e3, 100e3], [ROOT, LEAF, LEAF])
    tree.output_w[1:] = 40e3, 90e3
    return tree


def test_two_levels_are_the_sum_by_hand():
    tree = two_levels()
    leaf_w = [LEAF.loss_w(w, 100e3) for w in (40e3, 90e3)]
    through_w = 130e3 + sum(leaf_w)
    root_w = ROOT.loss_w(through_w, 300e3)
    demand_w, losses_w = power_tree.solve(tree, DT_S)
    assert demand_w == pytest.approx(through_w + root_w, rel=1e-14)
    assert losses_w == pytest.approx(sum(leaf_w) + root_w, rel=1e-14)
    np.testing.assert_allclose(tree.loss_j[:3], np.array([root_w, *leaf_w]) * DT_S, rtol=1e-14)
    assert tree.peak_w[2] == 90e3


def test_load_losses_grow_when_a_unit_of_a_bank_is_out():
    tree = tree_of([-1], [300e3], [ROOT])
    tree.output_w[0], tree.in_service[0] = 100e3, 0.5
    demand_w, _ = power_tree.solve(tree, DT_S)
    assert demand_w == pytest.approx(100e3 + ROOT.loss_w(100e3, 150e3))


def test_a_bank_that_is_out_altogether_loses_nothing():
    tree = two_levels()
    tree.in_service[0] = 0.0
    demand_w, losses_w = power_tree.solve(tree, DT_S)
    assert demand_w == pytest.approx(130e3 + losses_w)


def test_what_no_meter_sees_is_imported_but_in_no_term():
    tree, leaking = two_levels(), two_levels()
    leaking.unmetered_w[1] = 1000.0
    sound_w, _ = power_tree.solve(tree, DT_S)
    demand_w, losses_w = power_tree.solve(leaking, DT_S)
    assert demand_w - 130e3 - losses_w == pytest.approx(1000.0)
    assert demand_w - sound_w > 1000.0  # it passes through losses as well


A_L_J, B_L_J = 0.018 / 3.6e6, 0.247 / 3.6e6  # litres per joule: 0.018 L/h/kW and 0.247 L/kWh


def plant_of(running_w=0.0, fuel_l=np.inf, capacity_l=np.inf, inflow_l_s=0.0):
    one = lambda x=0.0: np.array([float(x)])  # noqa: E731
    return GeneratorState(
        late_j=one(), running_w=one(running_w), running_late_j=one(), inflow_l_s=one(inflow_l_s),
        fuel_l=one(fuel_l), capacity_l=capacity_l, no_load_l_j=A_L_J, slope_l_j=B_L_J,
        used_l=one(), ran_j=one(), share=one(1.0),
    )


def supply_of(
    limit_w, generator_w=0.0, charge=1.0, ride=1.0, power_w=50e3, plant=None, backup_j=0.0
):
    battery_j, ride_j = 30e6, 2e6
    one = lambda x: np.array([float(x)])  # noqa: E731
    return Supply(
        limit_w=np.array([limit_w]), early_j=np.zeros(1), generator_w=np.array([generator_w]),
        generators=plant_of(generator_w) if plant is None else plant,
        backup=BackupState(one(10e3), one(4e3), 0.95, one(backup_j), one(backup_j)),
        battery_power_w=one(power_w),
        battery_recharge_w=one(20e3), battery_capacity_j=one(battery_j), battery_efficiency=0.9,
        battery_auxiliary_w=500.0, battery_j=np.array([charge * battery_j]),
        ride_through_j=np.array([ride * ride_j]), ride_through_capacity_j=one(ride_j),
        ride_recharge_w=one(ride_j / 600.0), margin=0.0, deficit_w=np.zeros(1),
        battery_loss_j=np.zeros(1), bridge=bridge_of(0),
    )


def test_the_grid_comes_first():
    flows = power_tree.balance(supply_of(200e3, generator_w=100e3), 100e3, DT_S)
    assert flows == pytest.approx((100.5e3, 0.0, 0.0, 500.0))


@pytest.mark.parametrize(
    ("demand_w", "generator_w", "battery_w", "rode_w", "deficit_w"),
    [(20e3, 20.5e3, 0.0, 0.0, 0.0), (70e3, 30e3, 40.5e3, 0.0, 0.0),
     (100e3, 30e3, 50e3, 20.5e3, 0.0), (150e3, 30e3, 50e3, 2e6 / 60, 150.5e3 - 80e3 - 2e6 / 60)],
)
def test_generators_battery_and_ride_through_in_that_order(
    demand_w, generator_w, battery_w, rode_w, deficit_w
):
    supply = supply_of(0.0, generator_w=30e3)
    import_w, made_w, stored_w, _ = power_tree.balance(supply, demand_w, DT_S)
    assert made_w == pytest.approx(generator_w)
    assert stored_w == pytest.approx(-battery_w / 0.9 - rode_w)
    assert supply.battery_j[0] == pytest.approx(30e6 - battery_w / 0.9 * DT_S)
    assert supply.deficit_w[0] == pytest.approx(deficit_w, abs=1e-6)
    assert import_w == pytest.approx(deficit_w, abs=1e-6)


def test_ride_through_is_for_lost_supply_not_for_overload():
    supply = supply_of(100e3, charge=0.0)
    power_tree.balance(supply, 150e3, DT_S)
    assert supply.ride_through_j[0] == supply.ride_through_capacity_j[0]
    assert supply.deficit_w[0] == pytest.approx(50.5e3)


def test_a_cycle_returns_the_round_trip_efficiency():
    supply = supply_of(0.0, power_w=1e9)
    drawn_j, given_j = 0.0, 0.0
    while supply.battery_j[0] > 1.0:
        given_j += (40e3 + 500.0) * DT_S
        supply.deficit_w[0] = 0.0
        power_tree.balance(supply, 40e3, DT_S)
        given_j -= supply.deficit_w[0] * DT_S
        if supply.deficit_w[0] > 0.0:
            break
    ridden_j = supply.ride_through_capacity_j[0] - supply.ride_through_j[0]
    supply.limit_w[0] = 1e9
    for _ in range(60):
        import_w, *_ = power_tree.balance(supply, 0.0, DT_S)
        drawn_j += (import_w - 500.0) * DT_S
    assert supply.battery_j[0] == pytest.approx(30e6)
    assert (given_j - ridden_j) / (drawn_j - ridden_j) == pytest.approx(0.81)


watts = st.floats(0.0, 300e3)


@settings(max_examples=150, deadline=None)
@given(
    watts, st.one_of(st.just(0.0), watts), st.floats(0.0, 60e3), st.floats(0.0, 1.0),
    st.floats(0.0, 1.0), st.floats(0.0, 2e6), st.floats(0.0, 2.0),
)
def test_energy_is_conserved_and_charge_stays_in_bounds(
    demand_w, limit_w, made_w, charge, ride, backup_j, fuel_l
):
    plant = plant_of(made_w, fuel_l, 2.0, 0.01)
    supply = supply_of(limit_w, made_w, charge, ride, plant=plant, backup_j=2e6)
    supply.backup.charge_j[0] = backup_j
    before_j = supply.battery_j[0] + supply.ride_through_j[0] + backup_j
    import_w, generator_w, stored_w, loss_w = power_tree.balance(supply, demand_w, DT_S)
    after_j = supply.battery_j[0] + supply.ride_through_j[0] + supply.backup.charge_j[0]
    assert 0.0 <= plant.fuel_l[0] <= plant.capacity_l
    assert -1e-6 <= supply.backup.charge_j[0] <= 2e6 * (1 + 1e-12)
    assert import_w + generator_w == pytest.approx(demand_w + loss_w + stored_w, abs=1e-6)
    assert (after_j - before_j) / DT_S == pytest.approx(stored_w, abs=1e-6)
    assert loss_w >= 500.0 - 1e-9
    assert -1e-6 <= supply.battery_j[0] <= supply.battery_capacity_j[0] * (1 + 1e-12)
    assert -1e-6 <= supply.ride_through_j[0] <= supply.ride_through_capacity_j[0] * (1 + 1e-12)
    assert import_w - supply.deficit_w[0] <= limit_w + 1e-6


def test_fuel_is_the_integral_of_an_affine_curve():
    plant = plant_of(running_w=200e3, fuel_l=100.0, capacity_l=100.0)
    supply = supply_of(0.0, 200e3, plant=plant)
    made_j = sum(power_tree.balance(supply, 99.5e3, DT_S)[1] for _ in range(30)) * DT_S
    assert made_j == pytest.approx(100e3 * 1800.0)
    half_hour_l = 0.5 * (0.018 * 200.0 + 0.247 * 100.0)
    assert plant.used_l[0] == pytest.approx(half_hour_l, rel=1e-12)
    assert plant.fuel_l[0] == pytest.approx(100.0 - half_hour_l, rel=1e-12)
    assert plant.ran_j[0] == pytest.approx(200e3 * 1800.0)


def test_fuel_for_a_third_of_the_minute_gives_a_third_of_the_energy():
    minute_l = (0.018 * 200.0 + 0.247 * 100.0) / 60.0
    plant = plant_of(running_w=200e3, fuel_l=minute_l / 3.0, capacity_l=100.0)
    supply = supply_of(0.0, 200e3, charge=0.0, ride=0.0, plant=plant)
    _, made_w, *_ = power_tree.balance(supply, 99.5e3, DT_S)
    assert made_w == pytest.approx(100e3 / 3.0)
    assert plant.fuel_l[0] == pytest.approx(0.0, abs=1e-12)
    assert plant.share[0] == pytest.approx(1.0 / 3.0)
    assert supply.deficit_w[0] == pytest.approx(200e3 / 3.0)


def test_deliveries_feed_the_sets_and_end_at_the_brim():
    plant = plant_of(running_w=0.0, fuel_l=1.0, capacity_l=2.0, inflow_l_s=0.01)
    supply = supply_of(200e3, plant=plant)
    power_tree.balance(supply, 10e3, DT_S)
    assert plant.fuel_l[0] == pytest.approx(1.6)
    power_tree.balance(supply, 10e3, DT_S)
    assert plant.fuel_l[0] == 2.0 and plant.inflow_l_s[0] == 0.0


def test_what_comes_late_in_a_step_is_not_counted_before_it_came():
    plant = plant_of(running_w=90e3)
    plant.late_j[0] = 90e3 * 20.0  # the sets took load 20 s into the minute
    plant.running_late_j[0] = 90e3 * 20.0
    supply = supply_of(0.0, 90e3, charge=0.0, ride=0.0, plant=plant)
    _, made_w, *_ = power_tree.balance(supply, 200e3, DT_S)
    assert made_w == pytest.approx(60e3)
    assert plant.used_l[0] == pytest.approx((0.018 * 90.0 + 0.247 * 90.0) * 40.0 / 3600.0)
    _, made_w, *_ = power_tree.balance(supply, 200e3, DT_S)
    assert made_w == pytest.approx(90e3)


def test_rack_batteries_give_nothing_to_others():
    supply = supply_of(0.0, charge=0.0, ride=0.0, backup_j=1e6)
    *_, stored_w, loss_w = power_tree.balance(supply, 30e3, DT_S)
    assert (stored_w, loss_w) == pytest.approx((0.0, 500.0))
    assert supply.deficit_w[0] == pytest.approx(30.5e3)
    assert supply.backup.charge_j[0] == 1e6


def test_what_was_imported_before_the_loss_counts_once():
    supply = supply_of(0.0, charge=0.0, ride=0.0)
    supply.early_j[0] = 0.25 * 30.5e3 * DT_S
    for deficit_w in (0.75 * 30.5e3, 30.5e3):
        import_w, *_ = power_tree.balance(supply, 30e3, DT_S)
        assert supply.deficit_w[0] == pytest.approx(deficit_w)
        assert import_w == pytest.approx(30.5e3)
