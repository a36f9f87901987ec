"""What every set-point policy promises, and what each is for."""

import copy
import dataclasses
import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import load_tree, pod_tree

from simulator.components.cooling import LOAD_FRAC, PLANT_KINDS, HourlyWeather
from simulator.engine.cooling import plant_maps, power_frac
from simulator.engine.setpoint import SetpointView, _fullest
from simulator.policies.setpoint import SETPOINTS, chosen
from simulator.site import compile_site

HOURS = 50
every_policy = pytest.mark.parametrize("policy", SETPOINTS)


def view(**changes):
    sink_c = np.linspace(-20.0, 45.0, HOURS)[:, None]
    plain = SetpointView(sink_c, LOAD_FRAC[None, :], 0.8, 37.0, 27.0, 40.0, 3.0, 6.0)
    return dataclasses.replace(plain, **changes)


@every_policy
def test_set_temperatures_stay_inside_and_are_a_pure_function(policy):
    decide, seen = SETPOINTS[policy], view()
    before = copy.deepcopy(seen)
    set_c = np.broadcast_to(decide(seen), (HOURS, LOAD_FRAC.size))
    assert (set_c >= seen.lowest_c).all() and (set_c <= seen.highest_c).all()
    np.testing.assert_array_equal(decide(seen), decide(view()))
    for field in dataclasses.fields(SetpointView):
        np.testing.assert_array_equal(getattr(seen, field.name), getattr(before, field.name))
    assert list(inspect.signature(decide).parameters) == ["view"]


@every_policy
def test_design_heat_gets_no_warmer_water_than_the_fixed_set_point(policy):
    set_c = np.broadcast_to(SETPOINTS[policy](view()), (HOURS, LOAD_FRAC.size))
    assert (set_c[:, LOAD_FRAC >= 0.8] <= 37.0 + 1e-9).all()


@every_policy
@pytest.mark.parametrize("kind", PLANT_KINDS, ids=lambda kind: kind.__name__)
def test_every_policy_serves_every_kind(policy, kind):
    spec = kind.model_validate({"unit": "3 MW", "range": "8 K", "tank": "60 s", "pump": "1 %"})
    dry = np.linspace(-20.0, 45.0, HOURS)
    weather = HourlyWeather(dry, dry - np.linspace(0.0, 20.0, HOURS), np.full(HOURS, 1e5))
    made = spec.plant_map(SETPOINTS[policy](view(sink_c=spec.sink_c(weather)[:, None])), weather)
    assert made.supply_c.shape == (HOURS, LOAD_FRAC.size) and np.isfinite(made.power_frac).all()


def test_the_reset_follows_the_weather_by_its_approach():
    set_c = SETPOINTS["wet_bulb_reset"](view())
    free = (set_c > 27.0) & (set_c < 37.0)
    np.testing.assert_allclose((set_c - view().sink_c)[free], 6.0)
    assert free.any() and set_c.min() == 27.0 and set_c.max() == 37.0


def test_with_coordination_the_racks_get_the_same_at_any_load():
    loads = LOAD_FRAC[LOAD_FRAC <= 0.8]
    set_c = SETPOINTS["load_coordinated"](view())[0, : loads.size]
    np.testing.assert_allclose(set_c + 3.0 * loads / 0.8, 40.0)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_coordination_serves_the_fullest_block_of_a_hall(loads):
    """Blocks of one size: the racks of none are supplied warmer than at design heat."""
    seen = view(load_frac=np.array([[0.8 * np.mean(loads)]]), fullest=float(len(loads)))
    set_c = SETPOINTS["load_coordinated"](seen)[0, 0]
    assert set_c + 3.0 * max(loads) <= 40.0 + 1e-9


def test_a_hall_is_as_uneven_as_its_blocks_allow_or_as_is_told(tmp_path):
    tree = pod_tree()
    for told, fullest in (({}, 2.0), ({"uneven": "10 %"}, 1.1), ({"uneven": "500 %"}, 2.0)):
        tree["topology"]["cooling"]["setpoint"] = {"policy": "load_coordinated"} | told
        site = compile_site(load_tree(tree, tmp_path).spec.topology)
        assert _fullest(site, site.topology.cooling.setpoint) == pytest.approx(fullest)


@pytest.fixture(scope="module")
def by_policy(tmp_path_factory):
    """Return the maps of the pod's warm plant by policy, in a mild and a hot hour."""
    weather = HourlyWeather(np.array([18.0, 30.0]), np.array([12.0, 22.0]), np.full(2, 1e5))
    found = {}
    for policy in SETPOINTS:
        tree = pod_tree()
        uneven = {"uneven": "10 %"} if policy == "load_coordinated" else {}
        tree["topology"]["cooling"]["setpoint"] = {"policy": policy} | uneven
        topology = load_tree(tree, tmp_path_factory.mktemp(policy)).spec.topology
        found[policy] = plant_maps(compile_site(topology), weather, chosen(topology))
    return found


@every_policy
def test_the_power_of_both_plants_is_that_of_their_maps(policy, tmp_path):
    tree, weather = pod_tree(), HourlyWeather(np.array([18.0, 30.0]), np.array([12.0, 22.0]), np.full(2, 1e5))
    tree["topology"]["cooling"]["setpoint"] = {"policy": policy}
    topology = load_tree(tree, tmp_path).spec.topology
    given = compile_site(topology), weather, chosen(topology)
    np.testing.assert_array_equal(power_frac(*given), plant_maps(*given).power_frac[:2])


def test_cold_water_costs_fans_and_warm_water_saves_them(by_policy):
    part = int(np.abs(LOAD_FRAC - 0.2).argmin())  # of 0.35 at design heat with every unit
    power = {policy: maps.power_frac[0, 0, part] for policy, maps in by_policy.items()}
    supply = {policy: maps.supply_c[0, 0, part] for policy, maps in by_policy.items()}
    assert power["wet_bulb_reset"] > power["fixed"] > power["load_coordinated"]
    assert supply["wet_bulb_reset"] < supply["fixed"] < supply["load_coordinated"]
    chilled = [maps.setpoint_c[1] for maps in by_policy.values()]
    assert all((each == chilled[0]).all() for each in chilled)  # it has a policy of its own
