"""The network under the jobs: what failures and neighbours leave of it, told once, brought back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import Bench, Load, load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import effects, network_parts, rewiring
from simulator.engine.fabric import Live, Network
from simulator.site import compile_site

LOADS = (Load("job", "training", 0, synchronous=True), Load("other", "training", 0, synchronous=True))
COMMON = {"port_bandwidth": "800 Gb/s", "hop_latency": "600 ns", "switch_power": "1 kW",
          "optic_power": "10 W"}
CLOS = COMMON | {"kind": "clos", "radix": 64}
NIC = 100e9


def a_class(per):
    effect = "uplink" if per == "uplink" else "switch"
    return FailureClass(name=per, per=per, rate="1 /year", effect=effect, repair="1 h")


def tree_of(**fabric):
    """Return the pod (8 racks of 72) on a fabric of another kind."""
    tree = pod_tree()
    plain = CLOS if fabric.get("kind", "clos") in ("clos", "rail_only") else COMMON
    tree["topology"]["fabric"] = plain | fabric
    tree["workloads"] = []
    return tree


def site_of(folder, **fabric):
    return compile_site(load_tree(tree_of(**fabric), folder).spec.topology)


def two_sites(**wan):
    """Return two pods of 8 racks, 100 km apart."""
    tree = tree_of()
    hall = tree["topology"]["halls"][0]
    tree["topology"]["halls"] = [hall | {"name": "east"}, hall | {"name": "west"}]
    for bank in ("lines", "transformers"):
        tree["topology"]["grid"][bank] |= {"count": 3, "rating": "4 MVA"}
    plain = {"name": "metro", "joins": ["east", "west"], "distance": "100 km",
             "bandwidth": "20 Tb/s"}
    tree["topology"]["wan"] = [plain | wan]
    return tree


@pytest.fixture(scope="module")
def pod_fabric(tmp_path_factory):
    """The fabric under a pod, laid out."""
    return site_of(tmp_path_factory.mktemp("pod")).fabrics[0]


class Struck:
    """A bench with jobs on racks, and what they are told."""

    def __init__(self, tree, folder, **racks):
        self.bench = Bench(load_tree(tree, folder), LOADS)
        self.world, self.told, self.alarms = self.bench.world, [], []
        for name, chosen in racks.items():
            self.put(name, chosen)

    def put(self, name, racks):
        load = self.bench.work(name, np.array(racks), 0.7)
        self.world.networks[load] = lambda tiers: self.told.append((name, tiers)) or "step longer"
        self.world.alarms[load] = lambda alarm: self.alarms.append((name, alarm.cause))
        rewiring.join(self.world, load)
        self.told.clear()
        self.world.events.clear()
        return load

    def strike(self, element, per, at_s=60.0, lasts_s=600.0):
        where = network_parts.elements(self.bench.site, per)[element]
        effect = effects.EFFECTS["uplink" if per == "uplink" else "switch"]
        self.bench.at(at_s, lambda: effect(self.world, a_class(per), *where, lasts_s))

    def fabric_events(self):
        return [event for event in self.world.events if event[1] == "fabric"]

    def rates(self, name="job"):
        return [tier.bytes_s for tier in self.world.network.jobs[self.bench.state.load(name)].now]


@pytest.fixture
def struck(tmp_path):
    return lambda tree, **racks: Struck(tree, tmp_path, **racks)


# Elements and their names


def test_elements_are_named_as_events_name_them(tmp_path):
    site = site_of(tmp_path)  # 576 ports: 18 leaves of 32 + 32, 9 spines
    leaves = network_parts.elements(site, "leaf_switch")
    spines = network_parts.elements(site, "spine_switch")
    trunks = network_parts.elements(site, "uplink")
    assert (len(leaves), len(spines), len(trunks)) == (18, 9, 18)
    assert leaves["pod/leaf 18"] == (0, 17)
    assert spines["pod/spine 1"] == (0, 0)
    assert trunks["pod/leaf 3/uplink"] == (0, 2)
    assert network_parts.elements(site, "core_switch") == {}


@pytest.mark.parametrize(("fabric", "per", "name", "count"), [
    ({"kind": "dragonfly", "p": 8, "a": 8, "h": 4}, "leaf_switch", "pod/router 72", 72),
    ({"kind": "torus"}, "spine_switch", "pod/circuit switch 48", 48),
    ({"kind": "torus"}, "uplink", "pod/cube 9/uplink", 9),
    ({"kind": "rail_only", "rails": 8}, "leaf_switch", "pod/leaf 24", 24),
    ({"kind": "clos", "radix": 16}, "core_switch", "pod/core 36", 36)])
def test_every_kind_names_its_own_switches(fabric, per, name, count, tmp_path):
    found = network_parts.elements(site_of(tmp_path, **fabric), per)
    assert len(found) == count
    assert name in found


# What failures leave


def test_a_lost_spine_takes_its_share_and_returns(struck):
    found = struck(tree_of(), job=range(8))
    found.strike("pod/spine 3", "spine_switch")
    found.bench.run(120.0)
    (name, (tier,)) = found.told[0]
    assert (name, tier.name, found.alarms) == ("job", "spine", [])
    assert tier.bytes_s == pytest.approx(NIC * 8 / 9)
    at_s, kind, element, cause, lasts_s, detail = found.world.events[0]
    assert (at_s, kind, element, cause, lasts_s) == (60.0, "fabric", "pod/spine 3", "spine_switch", 600.0)
    assert detail == "spine 3 of 9 lost: job gets 88.9 % across spine; step longer"
    found.bench.run(900.0)
    assert found.rates() == [NIC]
    assert found.fabric_events()[1][5] == "spine 3 of 9 back: job gets its whole network; step longer"


def test_two_repairs_of_one_switch_overlap(struck):
    found = struck(tree_of(), job=range(8))
    found.strike("pod/spine 3", "spine_switch", at_s=60.0, lasts_s=600.0)
    found.strike("pod/spine 3", "spine_switch", at_s=300.0, lasts_s=600.0)
    found.bench.run(720.0)
    assert found.rates() == pytest.approx([NIC * 8 / 9])
    found.bench.run(960.0)
    assert found.rates() == [NIC]
    assert len(found.fabric_events()) == 2


def test_a_lost_link_takes_its_share_of_one_trunk(struck):
    found = struck(tree_of(), job=range(8))
    found.strike("pod/leaf 3/uplink", "uplink")
    found.bench.run(120.0)
    assert found.rates() == pytest.approx([NIC * 31 / 32])
    assert "one of 32 links lost" in found.fabric_events()[0][5]


def test_a_core_takes_its_share_above_the_pods_only(struck):
    """radix 16: 72 leaves in 9 pods, 36 cores; leaves are narrower than a rack's domain."""
    found = struck(tree_of(radix=16), job=range(8))
    intact = found.world.network.jobs[found.bench.state.load("job")].intact
    assert [tier.name for tier in intact] == ["core"]
    found.strike("pod/core 5", "core_switch")
    found.bench.run(120.0)
    assert found.rates() == pytest.approx([NIC * 35 / 36])


def test_a_lost_leaf_of_rails_takes_one_rail(struck):
    found = struck(tree_of(rails=4), job=range(8))
    found.strike("pod/leaf 2", "leaf_switch")
    found.bench.run(120.0)
    assert found.alarms == []
    assert found.rates() == pytest.approx([NIC * 3 / 4])
    assert np.all(found.bench.state.racks.up_frac == 1.0)


def test_a_lost_leaf_without_rails_takes_its_racks(struck):
    """Leaf 3 has ports 64 to 95: the last of rack 1 and the first of rack 2."""
    found = struck(tree_of(), job=range(4), other=range(4, 8))
    found.strike("pod/leaf 3", "leaf_switch")
    found.bench.run(120.0)
    assert {name for name, _ in found.alarms} == {"job"}
    np.testing.assert_array_equal(found.bench.state.racks.up_frac, [0, 0, 1, 1, 1, 1, 1, 1])
    found.bench.run(900.0)
    assert np.all(found.bench.state.racks.up_frac == 1.0)


def test_all_leaves_of_a_rail_group_take_its_racks(struck):
    found = struck(tree_of(rails=2), job=range(8))
    found.strike("pod/leaf 1", "leaf_switch", lasts_s=1200.0)
    found.strike("pod/leaf 2", "leaf_switch", at_s=120.0, lasts_s=600.0)
    found.bench.run(180.0)
    assert ("job", "leaf_switch") in found.alarms
    assert found.bench.state.racks.up_frac[0] == 0.0


def test_without_any_spine_a_job_cannot_reach_itself_and_stops(struck):
    found = struck(tree_of(radix=288), job=range(8))
    for name in network_parts.elements(found.bench.site, "spine_switch"):
        found.strike(name, "spine_switch")
    found.bench.run(120.0)
    load = found.bench.state.load("job")
    assert found.alarms == [("job", "spine_switch")]
    assert not rewiring.join(found.world, load)
    found.bench.run(900.0)
    assert rewiring.join(found.world, load)


def test_jobs_inside_one_leaf_do_not_feel_the_spines(struck):
    found = struck(tree_of(radix=288), job=range(2), other=range(2, 8))
    found.strike("pod/spine 1", "spine_switch")
    found.bench.run(120.0)
    assert [name for name, _ in found.told] == ["other"]


def test_a_circuit_switch_of_a_torus_takes_its_share(struck):
    found = struck(tree_of(kind="torus"), job=range(8))
    found.strike("pod/circuit switch 7", "spine_switch")
    found.bench.run(120.0)
    assert found.rates() == pytest.approx([6 * NIC * 47 / 48])


# Neighbours


def test_idle_neighbours_leave_room_after_a_failure(struck):
    """Oversubscribed 3:1, a leaf's trunk has room for a job on half of its ports."""
    tree = tree_of(radix=288, oversubscription=3)
    alone = struck(tree, job=[0, 4])
    alone.strike("pod/leaf 1/uplink", "uplink")
    alone.bench.run(120.0)
    assert alone.told == []


def test_jobs_on_one_trunk_share_what_a_failure_leaves(struck):
    tree = tree_of(radix=144)  # a leaf per rack; 4 spines
    both = struck(tree, job=[0, 1], other=[2, 3])
    both.strike("pod/spine 1", "spine_switch")
    both.bench.run(120.0)
    assert both.rates("job") == pytest.approx([NIC * 3 / 4])
    assert both.rates("other") == pytest.approx([NIC * 3 / 4])


def test_a_line_between_sites_is_shared_by_the_jobs_on_it(struck):
    found = struck(two_sites(), job=[0, 1, 8, 9])
    assert found.rates()[-1] == pytest.approx(20e12 / 8 / 144)
    load = found.put("other", [4, 5, 12, 13])
    assert found.rates("job")[-1] == pytest.approx(20e12 / 8 / 288)
    assert found.rates("other")[-1] == pytest.approx(20e12 / 8 / 288)
    rewiring.leave(found.world, load)
    assert found.rates("job")[-1] == pytest.approx(20e12 / 8 / 144)
    assert found.fabric_events()[-1][5] == "gone: job gets its whole network; step longer"


def test_racks_of_fabrics_that_nothing_joins_are_refused(tmp_path):
    tree = two_sites()
    tree["topology"].pop("wan")
    network = Network(compile_site(load_tree(tree, tmp_path).spec.topology))
    with pytest.raises(ValueError, match="nothing joins the fabrics of east and west"):
        network.place(0, np.array([0, 8]))


# Bookkeeping


def test_a_job_placed_on_a_damaged_fabric_is_told(struck):
    found = struck(tree_of())
    found.strike("pod/spine 3", "spine_switch", lasts_s=6000.0)
    found.bench.run(120.0)
    assert found.fabric_events() == []  # nobody was there to feel it
    load = found.bench.work("job", np.arange(8), 0.7)
    found.world.networks[load] = lambda tiers: found.told.append(tiers) or ""
    assert rewiring.join(found.world, load)
    assert found.told[0][0].bytes_s == pytest.approx(NIC * 8 / 9)
    assert found.fabric_events()[0][5] == "placed: job gets 88.9 % across spine"


def test_moving_to_other_racks_is_told_only_if_something_changes(struck):
    found = struck(tree_of(radix=288), job=range(4))
    load = found.bench.state.load("job")
    found.world.networks[load] = lambda tiers: ""
    rewiring.join(found.world, load)
    assert found.fabric_events() == []


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10**6)), min_size=1, max_size=40))
def test_what_a_trunk_carries_is_found_link_by_link_as_for_all_at_once(pod_fabric, lost):
    """Links and switches lost in any order, some links back: each trunk at its own loss is what all are
    found to be at once."""
    live = Live(pod_fabric)
    graph = pod_fabric.graph
    trunks, out = np.flatnonzero(graph.parent >= 0), []
    for is_link, number in lost:
        if is_link:
            out.append(int(trunks[number % trunks.size]))
            live.lose_link(out[-1])
        else:
            live.lose_switch(0, number % graph.switches_of(0))
    for node in out[::2]:
        live.return_link(node)
    found, damaged = live.capacity_bytes_s.copy(), live.damaged.copy()
    live._carry(np.arange(graph.parent.size))
    np.testing.assert_array_equal(found, live.capacity_bytes_s)
    np.testing.assert_array_equal(damaged, live.damaged)
