"""The tree of losses and the balance at the interconnection, against sums by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from synthetic_tree import plant_of, supply_of, tree_of

from simulator.components.power.loss import LossCurve
from simulator.kernels import power_tree

DT_S = 60.0
NONE = 0.0, 0.0
"""What batteries draw and store where none charges."""


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


def test_the_grid_comes_first():
    flows = power_tree.balance(supply_of(200e3, generator_w=100e3), 100e3, NONE, DT_S)
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
    import_w, made_w, stored_w, _ = power_tree.balance(supply, demand_w, NONE, DT_S)
    assert made_w == pytest.approx(generator_w)
    assert stored_w == pytest.approx(-battery_w / 0.9 - rode_w)
    assert supply.battery_j[0] == pytest.approx(30e6 - battery_w / 0.9 * DT_S)
    assert supply.deficit_w[0] == pytest.approx(deficit_w, abs=1e-6)
    assert import_w == pytest.approx(deficit_w, abs=1e-6)


def test_ride_through_is_for_lost_supply_not_for_overload():
    supply = supply_of(100e3, charge=0.0)
    power_tree.balance(supply, 150e3, NONE, DT_S)
    assert supply.ride_through_j[0] == supply.ride_through_capacity_j[0]
    assert supply.deficit_w[0] == pytest.approx(50.5e3)


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
    import_w, generator_w, stored_w, loss_w = power_tree.balance(supply, demand_w, NONE, DT_S)
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
    made_j = sum(power_tree.balance(supply, 99.5e3, NONE, DT_S)[1] for _ in range(30)) * DT_S
    assert made_j == pytest.approx(100e3 * 1800.0)
    half_hour_l = 0.5 * (0.018 * 200.0 + 0.247 * 100.0)
    assert plant.used_l[0] == pytest.approx(half_hour_l, rel=1e-12)
    assert plant.fuel_l[0] == pytest.approx(100.0 - half_hour_l, rel=1e-12)
    assert plant.ran_j[0] == pytest.approx(200e3 * 1800.0)


def test_fuel_for_a_third_of_the_minute_gives_a_third_of_the_energy():
    minute_l = (0.018 * 200.0 + 0.247 * 100.0) / 60.0
    plant = plant_of(running_w=200e3, fuel_l=minute_l / 3.0, capacity_l=100.0)
    supply = supply_of(0.0, 200e3, charge=0.0, ride=0.0, plant=plant)
    _, made_w, *_ = power_tree.balance(supply, 99.5e3, NONE, DT_S)
    assert made_w == pytest.approx(100e3 / 3.0)
    assert plant.fuel_l[0] == pytest.approx(0.0, abs=1e-12)
    assert plant.share[0] == pytest.approx(1.0 / 3.0)
    assert supply.deficit_w[0] == pytest.approx(200e3 / 3.0)


@settings(max_examples=100, deadline=None)
@given(st.floats(1e-3, 1.0), st.floats(1e3, 99e3))
def test_sets_that_stop_with_empty_tanks_leave_nothing_in_them(share, demand_w):
    """Nor less than nothing by rounding, over which the next step would stumble."""
    minute_l = (0.018 * 200.0 + 0.247 * 100.0) / 60.0
    plant = plant_of(running_w=200e3, fuel_l=share * minute_l, capacity_l=100.0)
    supply = supply_of(0.0, 200e3, charge=0.0, ride=0.0, plant=plant)
    for _ in range(3):
        power_tree.balance(supply, demand_w, NONE, DT_S)
        assert plant.fuel_l[0] >= 0.0
    plant.running_w[0] = supply.generator_w[0] = 0.0
    power_tree.balance(supply, demand_w, NONE, DT_S)
    assert plant.fuel_l[0] >= 0.0


def test_deliveries_feed_the_sets_and_end_at_the_brim():
    plant = plant_of(running_w=0.0, fuel_l=1.0, capacity_l=2.0, inflow_l_s=0.01)
    supply = supply_of(200e3, plant=plant)
    power_tree.balance(supply, 10e3, NONE, DT_S)
    assert plant.fuel_l[0] == pytest.approx(1.6)
    power_tree.balance(supply, 10e3, NONE, DT_S)
    assert plant.fuel_l[0] == 2.0 and plant.inflow_l_s[0] == 0.0


def test_what_comes_late_in_a_step_is_not_counted_before_it_came():
    plant = plant_of(running_w=90e3)
    plant.late_j[0] = 90e3 * 20.0  # the sets took load 20 s into the minute
    plant.running_late_j[0] = 90e3 * 20.0
    supply = supply_of(0.0, 90e3, charge=0.0, ride=0.0, plant=plant)
    _, made_w, *_ = power_tree.balance(supply, 200e3, NONE, DT_S)
    assert made_w == pytest.approx(60e3)
    assert plant.used_l[0] == pytest.approx((0.018 * 90.0 + 0.247 * 90.0) * 40.0 / 3600.0)
    _, made_w, *_ = power_tree.balance(supply, 200e3, NONE, DT_S)
    assert made_w == pytest.approx(90e3)


def test_rack_batteries_give_nothing_to_others():
    supply = supply_of(0.0, charge=0.0, ride=0.0, backup_j=1e6)
    *_, stored_w, loss_w = power_tree.balance(supply, 30e3, NONE, DT_S)
    assert (stored_w, loss_w) == pytest.approx((0.0, 500.0))
    assert supply.deficit_w[0] == pytest.approx(30.5e3)
    assert supply.backup.charge_j[0] == 1e6


def test_what_was_imported_before_the_loss_counts_once():
    supply = supply_of(0.0, charge=0.0, ride=0.0)
    supply.early_j[0] = 0.25 * 30.5e3 * DT_S
    for deficit_w in (0.75 * 30.5e3, 30.5e3):
        import_w, *_ = power_tree.balance(supply, 30e3, NONE, DT_S)
        assert supply.deficit_w[0] == pytest.approx(deficit_w)
        assert import_w == pytest.approx(30.5e3)
