"""Loss of lines, islanding, shedding and return, overload and caps."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_tree

from simulator.engine import power
from simulator.kernels import columns as c
from simulator.metrics import balance

LOADS = (
    Load("job", "training", 0, synchronous=True, priority=30),
    Load("fill", "batch", 0, priority=10),
)


def given(folder, generators_kw=500.0, lines=2, **topology):
    tree = pod_tree()
    tree["topology"] |= topology
    tree["topology"]["generators"] = {
        "count": 1, "rating": f"{generators_kw} kW", "start": "30 s", "fail_to_start": 0.0}
    tree["topology"]["grid"]["lines"]["count"] = lines
    return load_tree(tree, folder)


def bench_of(scenario):
    bench = Bench(scenario, LOADS)
    bench.work("job", np.arange(4))
    bench.work("fill", np.arange(4, 7))
    return bench


def outage(bench, from_s=720.0, to_s=3000.0):
    """Lose every line at a time and get them back, one each half minute."""
    for k in range(bench.site.nodes[0].count):
        bench.at(from_s, lambda: power.lose_unit(bench.world, 0))
        bench.at(to_s + 30.0 * k, lambda: power.return_unit(bench.world, 0))
    return bench


def of_kind(bench, *kinds):
    return [(e[1], e[2]) for e in bench.world.events if e[1] in kinds]


@pytest.fixture(scope="module")
def capped(tmp_path_factory):
    """Generators carry part of the load."""
    bench = outage(bench_of(given(tmp_path_factory.mktemp("capped"))))
    bench.run(7200.0)
    return bench


@pytest.fixture(scope="module")
def dark(tmp_path_factory):
    """Generators carry no racks; three lines, so that thirds must sum to nothing."""
    bench = outage(bench_of(given(tmp_path_factory.mktemp("dark"), 120.0, lines=3)))
    bench.run(7200.0)
    return bench


def test_losing_one_line_lowers_the_limit_and_raises_its_losses(tmp_path):
    bench = bench_of(given(tmp_path))
    bench.at(1200.0, lambda: power.lose_unit(bench.world, 0))
    bench.at(2400.0, lambda: power.return_unit(bench.world, 0))
    bench.run(3600.0)
    limit_w, losses_w = bench.minutes(c.LIMIT_W), bench.minutes(c.LOSSES_W)
    assert limit_w[25] == pytest.approx(0.5 * limit_w[10])
    assert limit_w[-1] == limit_w[10]
    through_w = bench.state.tree.output_w[0]
    extra_w = 0.004 * through_w**2 * (2.0 / bench.site.nodes[0].rating_w - 1.0 / bench.site.nodes[0].rating_w)
    assert losses_w[25] - losses_w[10] == pytest.approx(extra_w, rel=0.05)
    assert of_kind(bench, "supply_lost", "cap", "shed") == []


@pytest.mark.parametrize("case", ["capped", "dark"])
def test_generators_carry_the_site_while_nothing_is_imported(case, request):
    bench = request.getfixturevalue(case)
    poi_w, onsite_w = bench.minutes(c.POI_W), bench.minutes(c.ONSITE_W)
    demand_w = poi_w + onsite_w - bench.minutes(c.BATTERY_W)
    island = slice(14, 50)  # after a minute in which ride-through and start of generators mix
    assert np.all(poi_w[island] <= 0.03 * demand_w[5])
    assert np.all(onsite_w[island] <= bench.site.topology.generators.rating * (1 + 1e-12))
    assert np.all(onsite_w[island] > 0.0)
    assert np.all(bench.minutes(c.LIMIT_W)[12:50] == 0.0)
    assert of_kind(bench, "supply_lost", "supply_returned", "generators_started") == [
        ("supply_lost", "point of interconnection"), ("generators_started", "generators"),
        ("supply_returned", "point of interconnection")]


def test_the_lowest_priority_gives_way_first(capped):
    caps = {e[2]: float(e[5]) for e in capped.world.events if e[1] == "cap"}
    assert caps["fill"] == pytest.approx(0.05)
    assert caps["fill"] < caps["job"] < 1.0
    assert of_kind(capped, "shed") == []
    assert capped.minutes(c.CAPPED)[30] > 0.0


def test_what_cannot_be_capped_is_shed_in_order_and_comes_back(dark):
    assert {name for _, name in of_kind(dark, "shed")} == {"idle.GB300", "fill", "job"}
    assert {name for _, name in of_kind(dark, "restored")} == {"idle.GB300", "fill", "job"}
    support_w = dark.site.block_support_w.sum()
    assert dark.minutes(c.IT_W)[20:49] == pytest.approx(support_w)


@pytest.mark.parametrize("case", ["capped", "dark"])
def test_all_is_as_before_after_the_outage(case, request):
    bench = request.getfixturevalue(case)
    it_w, loads = bench.minutes(c.IT_W), bench.state.loads
    assert it_w[-1] == pytest.approx(it_w[10], rel=1e-3)
    assert np.all(loads.cap[[0, 2, 3]] == 1.0)
    assert np.all(loads.on[[0, 2, 3]] == 1.0)
    assert np.all(loads.running[[2, 3]] == 1.0)
    np.testing.assert_array_equal(loads.share[[0, 2, 3]].argmax(axis=1), [c.IDLE, 0, 0])


@pytest.mark.parametrize("case", ["capped", "dark"])
def test_the_balances_close_through_the_outage(case, request):
    bench = request.getfixturevalue(case)
    for name, value in balance.checks(bench.results()).items():
        assert value <= 1e-9, name
    assert bench.state.loads.hours[:, c.POWER_CAP].sum() > 0.0


def test_an_island_lives_on_battery_then_on_what_generators_carry(tmp_path):
    battery = {"power": "1.5 MW", "energy": "500 kWh", "recharge": "100 kW", "auxiliary": "1 kW"}
    bench = outage(bench_of(given(tmp_path, battery=battery)), to_s=6000.0)
    bench.run(8 * 3600.0)
    it_w, poi_w, stored_w = (bench.minutes(k) for k in (c.IT_W, c.POI_W, c.BATTERY_W))
    assert it_w[12:60] == pytest.approx(it_w[11], rel=0.01)  # nobody notices at first
    assert np.all(poi_w[13:100] <= 0.03 * poi_w[5])
    assert np.all(stored_w[12:60] < -0.3e6)
    assert it_w[98] < 0.7 * it_w[11]  # the battery is empty
    assert bench.state.supply.battery_j[0] == pytest.approx(bench.site.topology.battery.energy)
    room_w = 0.1e6 * np.sqrt(0.86)
    assert stored_w[200:240] == pytest.approx(room_w)
    assert balance.checks(bench.results())["energy_balance_rel"] <= 1e-9


def test_too_little_import_caps_and_more_lifts(tmp_path):
    bench = bench_of(given(tmp_path))
    bench.run(600.0)
    demand_w = bench.minutes(c.POI_W)[-1]
    full_w = float(bench.state.supply.limit_w[0])
    bench.at(600.0, lambda: bench.state.supply.limit_w.fill(0.85 * demand_w))
    bench.at(3600.0, lambda: bench.state.supply.limit_w.fill(full_w))
    bench.run(5400.0)
    held_w = bench.minutes(c.POI_W)[12:60]
    assert np.all(held_w <= 0.86 * demand_w)
    assert held_w[-1] == pytest.approx(0.85 * demand_w, rel=0.01)
    assert next(name for _, name in of_kind(bench, "cap")) == "fill"
    assert {name for _, name in of_kind(bench, "cap_lifted")} == {
        name for _, name in of_kind(bench, "cap")}
    assert bench.minutes(c.POI_W)[-1] == pytest.approx(demand_w, rel=1e-3)
    fill = bench.state.load("fill")
    assert bench.state.loads.hours[fill, c.POWER_CAP] > 0.0
    assert bench.state.loads.hours[bench.state.load("job"), c.POWER_CAP] == 0.0


def test_generators_that_fail_to_start_are_missing(tmp_path):
    tree = pod_tree()
    tree["topology"]["generators"] = {
        "count": 400, "rating": "2 kW", "start": "30 s", "fail_to_start": 0.25}
    bench = outage(bench_of(load_tree(tree, tmp_path)))
    bench.run(900.0)
    started = bench.state.supply.generator_w[0] / 2e3
    assert started == pytest.approx(300.0, abs=4 * np.sqrt(400 * 0.25 * 0.75))
