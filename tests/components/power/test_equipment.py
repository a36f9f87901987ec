"""Breakers, generators, batteries, UPS modes and transfer switches, in closed form."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.components.power.battery import Battery
from simulator.components.power.bbu import BatteryBackup
from simulator.components.power.breaker import Breaker
from simulator.components.power.generator import Generators
from simulator.components.power.tolerance import TOLERANCES
from simulator.components.power.ups import Ups


def plant(**given):
    return Generators.model_validate({"count": 10, "rating": "2.5 MW", "start": "10 s"} | given)


LARGE = {"synchronise": "18 s", "first_step": "60 %", "further_step": "20 %", "recovery": "4 s"}


# Breakers


@given(st.floats(1.06, 9.9))
def test_a_breaker_lets_through_the_same_heat_at_any_overload(x):
    breaker = Breaker()
    assert breaker.opens_s(x) * x**2 == pytest.approx(12.0 * 36.0)
    assert TOLERANCES["breaker"].seconds_at(x) == pytest.approx(breaker.opens_s(x))


def test_the_ends_of_a_breakers_curve():
    breaker = Breaker()
    assert breaker.opens_s(1.05) == math.inf and breaker.opens_s(10.0) == 0.0
    assert TOLERANCES["breaker"].continuous == 0.8
    assert TOLERANCES["breaker"].seconds_at(0.9) == 3.0 * 3600.0


# Generators


def test_without_more_said_a_plant_takes_all_its_load_at_once():
    assert plant().steps(9) == [(0.0, pytest.approx(9 * 2.5e6))]


def test_a_large_plant_comes_up_in_steps():
    steps = plant(**LARGE).steps(10)
    assert steps[0] == (0.0, pytest.approx(0.6 * 2.5e6))  # one set, its first step
    assert steps[1] == (2.0, pytest.approx(2 * 0.6 * 2.5e6))  # the second set two seconds later
    # 10 sets: the last is on the bus after 18 s, and at full load two steps of 4 s later.
    assert steps[-1] == (pytest.approx(26.0), pytest.approx(25e6))


@given(st.integers(1, 40), st.floats(0.1, 1.0), st.floats(0.05, 0.5), st.floats(0.0, 60.0))
def test_what_the_bus_carries_only_grows_up_to_the_rating(sets, first, further, gap_s):
    told = {"first_step": first, "further_step": further, "synchronise": f"{gap_s} s"}
    steps = plant(**told).steps(sets)
    power = [w for _, w in steps]
    assert power == sorted(power)
    assert power[-1] == pytest.approx(sets * 2.5e6)


def test_fuel_and_tank_are_the_affine_curve():
    given_plant = plant(tank="24 h")
    assert given_plant.fuel_l_s(4, 5e6) * 3600.0 == pytest.approx(0.018 * 10_000 + 0.247 * 5_000)
    assert given_plant.tank_l == pytest.approx(24 * 0.265 * 25_000)
    assert plant().tank_l == math.inf


# Batteries


def test_a_battery_plant_uses_the_charge_between_its_limits():
    battery = Battery.model_validate({
        "power": "100 MW", "energy": "100 MWh", "lowest": "10 %", "highest": "90 %",
        "round_trip": "81 %", "recharge": "10 MW",
    })  # fmt: skip
    assert battery.usable_j == pytest.approx(0.8 * 100e6 * 3600.0)
    assert battery.one_way == pytest.approx(0.9)


def test_rack_batteries_hold_up():
    unit = BatteryBackup.model_validate({"power": "132 kW", "hold_up": "90 s", "recharge": "10 kW"})
    assert unit.holds_s(132e3) == pytest.approx(90.0)
    assert unit.holds_s(66e3) == pytest.approx(180.0)
    assert unit.holds_s(0.0) == math.inf
    assert unit.holds_s(140e3) == 0.0


# UPS


def ups(**given):
    loss = {"no_load": "0.75 %", "linear": "0.73 %", "load": "1.72 %"}
    return Ups.model_validate({"loss": loss, "ride_through": "5 min"} | given)


@pytest.mark.parametrize(
    ("mode", "efficiency"),
    [("double_conversion", {0.25: 0.960, 0.5: 0.970, 0.75: 0.971, 1.0: 0.969}),
     ("eco", {0.25: 0.983, 0.5: 0.9886, 1.0: 0.990})],
)  # fmt: skip
def test_part_load_efficiency_of_both_modes(mode, efficiency):
    losses = ups(mode=mode).losses
    for x, told in efficiency.items():
        assert x / (x + losses.loss_w(x, 1.0)) == pytest.approx(told, abs=6e-4)


def test_the_sets_of_a_lineup_take_its_load_step_by_step():
    """Two of eleven sets that come within 20 s: the second is on the bus after 2 s; each takes half, then a fifth more
    every 4 s."""
    plant = Generators(count=11, rating="1 MW", start="10 s", synchronise="20 s", first_step=0.5)
    assert [plant.takes_s(2, w) for w in (0.4e6, 0.9e6, 1.1e6, 1.3e6, 5e6)] == [0.0, 2.0, 4.0, 6.0, 14.0]
