"""A ring between two buses in a run: open points, dark halls, losses and caps."""

from itertools import pairwise

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.components.power.loading import current
from simulator.components.power.transformer import LARGE
from simulator.engine import effects
from simulator.engine.elements import elements
from simulator.kernels import columns as c
from simulator.metrics import balance

JOB = (Load("job", "training", 0),)


def ring_tree(rating="9 MVA", **plan):
    """Return three pods on a ring: west - hall-01 - hall-02 (open) hall-03 - east."""
    tree = pod_tree()
    topology, grid = tree["topology"], tree["topology"]["grid"]
    topology["halls"][0]["count"] = 3
    grid["lines"] = {"count": 2, "rating": "20 MVA", "loss": {"load": "0.4 %"}}
    grid["transformers"] = {"count": 2, "rating": "20 MVA", "loss": {"no_load": "0.05 %", "load": "0.3 %"}}
    names = ["west", "r1", "r2", "r3", "east"]
    buses = [{"name": "west", "transformers": 1}, {"name": "east", "transformers": 1}]
    buses += [{"name": f"r{k}", "halls": [f"pod-{k:02d}"]} for k in (1, 2, 3)]
    branches = [{"name": f"{a}-{b}", "between": [a, b], "rating": rating, "open": a == "r2"}
                for a, b in pairwise(names)]  # fmt: skip
    topology["medium_voltage"] = {"buses": buses, "branches": branches} | plan
    return tree


def bench_of(folder, work=0.8, control=None, **plan):
    tree = ring_tree(**plan)
    tree["topology"]["control"] = control or {}
    bench = Bench(load_tree(tree, folder), JOB)
    bench.work("job", np.arange(bench.site.rack_row.size), work)
    return bench


def break_(bench, effect, name, lasts_s=3600.0, at_s=600.0):
    cls = FailureClass(name="break", per=effect, rate="1 /year", effect=effect, repair="1 h")
    target, unit = elements(bench.site, cls)[name]
    bench.at(at_s, lambda: effects.EFFECTS[effect](bench.world, cls, target, unit, lasts_s))


def up(bench):
    site = bench.site
    return [float(bench.state.racks.up_frac[site.rack_hall == h].mean()) for h in range(3)]


def boot_s(bench):
    """Racks that were dark boot before they work again."""
    return bench.site.topology.ride_through.boot


def flows(bench):
    mesh = bench.state.tree.mesh
    return dict(zip(bench.site.mesh.net.name, mesh.flow_w, strict=True))


def test_the_hot_spot_is_that_of_the_most_loaded_main_transformer(tmp_path):
    """The one in the west feeds two of the three halls."""
    bench = bench_of(tmp_path)
    bench.run(7200.0)
    mesh, name = bench.state.tree.mesh, bench.site.mesh.net.name
    west, east = (float(mesh.peak_w[k] / mesh.rating_w[k])
                  for k in (name.index("main transformers/1"), name.index("main transformers/2")))  # fmt: skip
    assert west == pytest.approx(2.0 * east, rel=0.05)
    told = bench.results().tables["transformers"].iloc[0]
    assert told["loading_max"] == pytest.approx(west, rel=0.02)
    outside_c = float(bench.minutes(c.DRY_BULB_C).max())
    hottest_c, mean_c = (LARGE.heating.settled(x).hot_spot_c(outside_c) for x in (west, (west + east) / 2.0))
    assert mean_c < told["hot_spot_max_c"] <= hottest_c + 0.5


def test_flows_follow_the_open_point_and_losses_are_those_of_each_branch(tmp_path):
    bench = bench_of(tmp_path)
    bench.run(600.0)
    hall_w = bench.state.tree.input_w[bench.site.halls.feeder_node]
    flow = flows(bench)
    assert flow["west-r1"] == pytest.approx(hall_w[0] + hall_w[1])
    assert flow["r1-r2"] == pytest.approx(hall_w[1])
    assert flow["r2-r3"] == 0.0
    assert flow["r3-east"] == pytest.approx(-hall_w[2])
    assert flow["main transformers/1"] == pytest.approx(hall_w[0] + hall_w[1])
    mesh, tree = bench.state.tree.mesh, bench.state.tree
    x = mesh.flow_w / mesh.rating_w
    loss_w = mesh.on * mesh.rating_w * (mesh.no_load + mesh.load * x * x)
    assert tree.input_w[0] == pytest.approx(hall_w.sum() + loss_w.sum(), rel=1e-12)
    assert abs(balance.checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_a_cut_cable_is_answered_by_the_open_point(tmp_path):
    bench = bench_of(tmp_path, switching="60 s")
    break_(bench, "mv_branch", "west-r1")
    bench.run(630.0)
    assert up(bench) == [0.0, 0.0, 1.0]
    bench.run(660.0 + boot_s(bench) + 120.0)
    assert up(bench) == [1.0, 1.0, 1.0]
    hall_w = bench.state.tree.input_w[bench.site.halls.feeder_node]
    assert flows(bench)["r2-r3"] == pytest.approx(-(hall_w[0] + hall_w[1]))
    assert "switching" in bench.kinds()
    bench.run(4500.0)
    assert flows(bench)["r2-r3"] == 0.0
    assert up(bench) == [1.0, 1.0, 1.0]


def test_a_lost_bus_takes_its_hall_until_it_is_repaired(tmp_path):
    bench = bench_of(tmp_path)
    break_(bench, "mv_bus", "r1", 1800.0)
    bench.run(660.0 + boot_s(bench) + 120.0)
    assert up(bench) == [0.0, 1.0, 1.0]  # r2 hangs on r3 by then
    bench.run(2400.0 + boot_s(bench) + 60.0)
    assert up(bench) == [1.0, 1.0, 1.0]


def test_two_cuts_island_what_lies_between(tmp_path):
    bench = bench_of(tmp_path)
    break_(bench, "mv_branch", "west-r1", 1800.0)
    break_(bench, "mv_branch", "r3-east", 900.0, at_s=660.0)
    bench.run(1500.0)
    assert up(bench) == [0.0, 0.0, 0.0]
    bench.run(1560.0 + boot_s(bench) + 60.0)
    assert up(bench) == [1.0, 1.0, 1.0]


def test_an_overloaded_branch_caps_the_halls_behind_it(tmp_path):
    bench = bench_of(tmp_path, work=1.0, rating="3 MVA")
    bench.run(540.0)
    assert not bench.minutes(c.CAPPED).any()
    break_(bench, "mv_branch", "west-r1")
    bench.run(1500.0)
    mesh = bench.state.tree.mesh
    k = bench.site.mesh.net.name.index("r3-east")
    assert mesh.peak_w[k] > mesh.rating_w[k]
    assert abs(mesh.flow_w[k]) <= mesh.rating_w[k] * (1.0 + 1e-5)
    assert "overload" in bench.kinds()
    told = {(kind, element) for _, kind, element, *_ in bench.world.events}
    assert {("overload", "r3-east"), ("overload_end", "r3-east"), ("cap", "r3-east")} <= told
    feeders = {bench.site.nodes[i].name for i in bench.site.halls.feeder_node}
    assert not {element for kind, element in told if kind == "overload"} & feeders
    row = bench.results().tables["limits"].set_index("element").loc["r3-east"]
    assert row["level"] == "mv_branch" and row["held_j"] > 0.0 and row["overload_s"] > 0.0


def test_a_transformer_out_moves_its_bus_to_the_other(tmp_path):
    bench = bench_of(tmp_path)
    break_(bench, "transformer", "main transformers/1")
    bench.run(1200.0)
    flow = flows(bench)
    assert flow["main transformers/1"] == 0.0
    hall_w = bench.state.tree.input_w[bench.site.halls.feeder_node]
    assert flow["main transformers/2"] == pytest.approx(hall_w.sum())


def test_without_any_line_the_campus_is_an_island_as_a_whole(tmp_path):
    bench = bench_of(tmp_path)
    for line in ("lines/1", "lines/2"):
        break_(bench, "line", line, 300.0)
    bench.run(700.0)
    assert up(bench) == [0.0, 0.0, 0.0]  # no UPS, no battery in a rack
    assert "supply_lost" in bench.kinds()
    bench.run(900.0 + boot_s(bench) - 60.0)
    assert up(bench) == [0.0, 0.0, 0.0]
    bench.run(900.0 + boot_s(bench) + 300.0)
    assert up(bench) == [1.0, 1.0, 1.0]


def stands_s(bench, kind, x):
    """Return how long a kind of element stands a loading, or its relay lets it."""
    topology = bench.site.topology
    return min(topology.tolerances.of(kind).seconds_at(x), topology.protection.opens_s(kind, 1.0, x))


def test_a_branch_that_outlasts_its_tolerance_trips_to_the_second_and_says_so(tmp_path):
    """Nobody caps: the last cable of the ring opens when its curve says, and all halls are dark."""
    slow = {"actuation": "1 d", "brake": None, "reset": "1 h"}
    bench = bench_of(tmp_path, work=1.0, rating="3 MVA", control=slow)
    break_(bench, "mv_branch", "west-r1", 7200.0)
    full_s = 660.0 + boot_s(bench)
    bench.run(full_s + 540.0)
    mesh, k = bench.state.tree.mesh, bench.site.mesh.net.name.index("r3-east")
    sag = float(bench.state.limits.sag[len(bench.site.nodes) + k])
    allowed_s = stands_s(bench, "feeder", float(current(abs(mesh.flow_w[k]) / mesh.rating_w[k], sag)))
    bench.run(full_s + allowed_s + 180.0)
    events = [(kind, element, t) for t, kind, element, *_ in bench.world.events]
    tripped = next(event for event in events if event[0] == "trip")
    assert tripped[1] == "r3-east"
    assert ("tolerance_exceeded", "r3-east", tripped[2]) in events
    assert tripped[2] == pytest.approx(full_s + allowed_s, abs=60.0 + 0.02 * allowed_s)
    bench.run(tripped[2] + 120.0)
    assert up(bench) == [0.0, 0.0, 0.0]
    bench.run(tripped[2] + 3600.0 + boot_s(bench) + 120.0)  # reset
    assert up(bench) == [1.0, 1.0, 1.0]


def test_load_that_grows_between_two_hours_is_noticed_in_its_minute(tmp_path):
    bench = bench_of(tmp_path, work=0.1, rating="3 MVA")
    bench.run(4500.0)
    mesh, k = bench.state.tree.mesh, bench.site.mesh.net.name.index("west-r1")
    most_w = 0.9 * float(mesh.rating_w[k])
    mesh.rating_w[k] = float(abs(mesh.flow_w[k])) * 1.2
    assert mesh.rating_w[k] < most_w
    bench.at(4530.0, lambda: bench.world.set_load(bench.state.load("job"), dynamic_frac=1.0))
    bench.run(4800.0)
    told = [(t, kind) for t, kind, element, *_ in bench.world.events if element == "west-r1"]
    assert told[0] == (4500.0, "overload")
    assert [kind for _, kind in told[1:]] in (["cap", "overload_end"], ["overload_end", "cap"])
    assert told[-1][0] <= 4620.0
    assert abs(float(mesh.flow_w[k])) <= mesh.rating_w[k] * (1.0 + 1e-9)


@pytest.mark.parametrize(("effect", "name"), [
    ("mv_branch", "west-r1"), ("mv_branch", "r3-east"), ("mv_bus", "r1"), ("line", "lines/1"),
    ("transformer", "main transformers/2"),
])  # fmt: skip
def test_no_branch_outlasts_its_tolerance_without_an_event(tmp_path, effect, name):
    """After any single failure and the response, with lines and transformers that are short as well."""
    tree = ring_tree(rating="3 MVA")
    for bank in ("lines", "transformers"):
        tree["topology"]["grid"][bank]["rating"] = "3.2 MVA"
    tree["topology"]["control"] = {"actuation": "20 min"}
    bench = Bench(load_tree(tree, tmp_path), JOB)
    bench.work("job", np.arange(bench.site.rack_row.size), 1.0)
    break_(bench, effect, name)
    mesh, nodes = bench.state.tree.mesh, bench.site.mesh.nodes
    used = np.zeros(mesh.rating_w.size)
    for end_s in np.arange(60.0, 5400.0, 60.0):
        bench.run(float(end_s))
        told = {element for _, kind, element, *_ in bench.world.events if kind == "tolerance_exceeded"}
        for k, node in enumerate(nodes):
            x = abs(float(mesh.flow_w[k])) / float(mesh.rating_w[k])
            lasts_s = stands_s(bench, node.kind, x)
            used[k] = used[k] + 60.0 / max(lasts_s, 1e-9) if x > 1.0 + 1e-9 else 0.0
            assert used[k] <= 1.0 or end_s <= 720.0 or node.name in told, (node.name, x, end_s)
