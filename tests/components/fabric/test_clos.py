"""Folded Clos: true port counts, published clusters, and max-flow over every single switch."""

import itertools

import networkx as nx
import pytest

from simulator.components.fabric import Ends
from simulator.components.fabric.clos import Clos
from simulator.components.fabric.rail_only import RailOnly

COMMON = {"port_bandwidth": "400 Gb/s", "hop_latency": "600 ns", "switch_power": "1 kW",
          "optic_power": "10 W"}
PORT = 50e9


def clos(**keys):
    return Clos(**COMMON | keys)


def ends(n, each=1, domain=8):
    return Ends(n, n * each, PORT * each, domain)


@pytest.mark.parametrize(
    ("radix", "oversubscription", "endpoints", "switches"),
    [(144, 1.0, 144, {"leaf": 1}),
     (144, 1.0, 10_368, {"leaf": 144, "spine": 72}),  # Quantum-X800: most of two tiers
     (144, 1.0, 144**3 // 4, {"leaf": 10_368, "spine": 10_368, "core": 5184}),
     (64, 1.0, 2048, {"leaf": 64, "spine": 32}),
     (64, 1.0, 65_536, {"leaf": 2048, "spine": 2048, "core": 1024}),
     (4, 1.0, 16, {"leaf": 8, "spine": 8, "core": 4}),
     (96, 2.0, 6144, {"leaf": 96, "spine": 32})])
def test_sizes_are_those_of_the_fat_tree(radix, oversubscription, endpoints, switches):
    """Two tiers of radix r reach r^2/2, three r^3/4 with 5r^2/4 switches (Al-Fares et al.)."""
    counts = clos(radix=radix, oversubscription=oversubscription).counts(ends(endpoints))
    assert counts.switches == switches
    up = endpoints / oversubscription * (len(switches) - 1)
    assert counts.optics == 2 * (endpoints + up)


@pytest.mark.parametrize(("radix", "tiers"), [(8, 2), (8, 3), (64, 2), (64, 3)])
def test_one_endpoint_more_takes_another_tier(radix, tiers):
    most = radix**tiers // 2 ** (tiers - 1)
    assert len(clos(radix=radix).graph(ends(most)).tiers) == tiers
    if tiers == 2:
        assert len(clos(radix=radix).graph(ends(most + 1)).tiers) == 3
    else:
        with pytest.raises(ValueError, match=f"more than the {most:,} that three tiers"):
            clos(radix=radix).graph(ends(most + 1))


def test_alibaba_hpn_segment_and_pod():
    """Tops of 128 x 200G down and 120 up, 8 x 2 of them per segment of 1,024 GPUs, spines of 240 +
    16: 15 segments of a pod, 15,360 GPUs, 15:1 above (SIGCOMM 2024)."""
    hpn = clos(radix=248, oversubscription=128 / 120, spine_radix=256, core_oversubscription=15,
               core_radix=256, rails=16, port_bandwidth="200 Gb/s")
    pod = Ends(15_360, 30_720, 50e9, 8)
    assert hpn.counts(pod).switches == {"leaf": 240, "spine": 113}
    segment, whole = hpn.tiers(pod)
    assert (segment.reach, whole.reach) == (1024, 15_360)
    assert whole.bytes_s == pytest.approx(50e9 * 120 / 128)
    four = Ends(4 * 15_360, 4 * 30_720, 50e9, 8)
    segment, pod_tier, core = hpn.tiers(four)
    assert (pod_tier.reach, core.reach) == (15_360, 61_440)
    assert pod_tier.bytes_s / core.bytes_s == pytest.approx(15.0)
    assert hpn.counts(four).switches["spine"] == 4 * 120


def test_meta_cluster_of_24k():
    """Racks of 16, pods of 192 racks at full bisection, 8 pods under 7:1."""
    meta = clos(radix=32, spine_radix=219, core_oversubscription=7)
    rack, pod, cluster = meta.tiers(ends(24_576))
    assert (rack.reach, pod.reach, cluster.reach) == (16, 3072, 24_576)
    assert pod.bytes_s == PORT
    assert cluster.bytes_s == pytest.approx(PORT / 7, rel=0.02)


def test_megascale_is_three_tiers_without_oversubscription():
    """10,000+ GPUs on 64 x 400G switches split 32 / 32 (NSDI 2024)."""
    counts = clos(radix=64).counts(ends(12_288))
    assert counts.switches == {"leaf": 384, "spine": 384, "core": 192}
    assert [t.bytes_s for t in clos(radix=64).tiers(ends(12_288))] == [PORT] * 3


def test_rails_widen_the_first_hop():
    plain, rails = clos(radix=64), clos(radix=64, rails=8)
    first, wide = plain.tiers(ends(2048))[0], rails.tiers(ends(2048))[0]
    assert (first.reach, wide.reach) == (32, 256)
    assert plain.counts(ends(2048)).switches == rails.counts(ends(2048)).switches
    assert rails.graph(ends(2048)).leaves.size == 8


def test_slow_network_cards_bound_the_rate():
    """A port of 400G behind a card of 200G does not feel 2:1."""
    slow = Ends(2048, 2048, 25e9, 8)
    assert [t.bytes_s for t in clos(radix=48, oversubscription=2).tiers(slow)] == [25e9] * 3


def switch_by_switch(spec, n):
    """Return every switch of a two- or three-tier Clos as a node, links of one port as capacity."""
    folded = spec._folded()
    graph, made = spec.graph(ends(n)), nx.DiGraph()

    def both(a, b, links):
        made.add_edge(a, b, capacity=links)
        made.add_edge(b, a, capacity=links)

    for port in range(n):
        both(("end", port), ("leaf", port // folded.down), 1)
    for leaf in range(-(-n // folded.down)):
        node = graph.node_of(0, leaf)
        above = graph.parent[node]
        spines = range(graph.first[above], graph.first[above] + graph.switches[above])
        for k, spine in enumerate(spines):
            share = folded.up // len(spines) + (k < folded.up % len(spines))
            both(("leaf", leaf), ("spine", spine), share)
    if len(graph.tiers) == 3:
        cores = graph.switches_of(2)
        turn = itertools.cycle(range(cores))
        for spine in range(graph.switches_of(1)):
            for core in itertools.islice(turn, spec.radix - folded.spine_down):
                old = made.get_edge_data(("spine", spine), ("core", core), {"capacity": 0})
                both(("spine", spine), ("core", core), old["capacity"] + 1)
    return made


@pytest.mark.parametrize(("keys", "n"), [
    ({"radix": 8}, 32), ({"radix": 8}, 128), ({"radix": 12, "oversubscription": 2}, 96),
    ({"radix": 8, "oversubscription": 3}, 48), ({"radix": 8, "core_oversubscription": 3}, 192)])
def test_bisection_is_the_max_flow_between_halves(keys, n):
    spec = clos(**keys)
    made = switch_by_switch(spec, n)
    for port in range(n):
        if port < n // 2:
            made.add_edge("all left", ("end", port), capacity=n)
        else:
            made.add_edge(("end", port), "all right", capacity=n)
    flow = nx.maximum_flow_value(made, "all left", "all right")
    assert flow * PORT == pytest.approx(spec.bisection_bytes_s(ends(n)))


def test_no_switch_has_more_links_than_ports():
    for spec, n in ((clos(radix=8), 128), (clos(radix=12, oversubscription=2), 96)):
        made = switch_by_switch(spec, n)
        for node in made:
            if node[0] != "end":
                assert sum(made[node][to]["capacity"] for to in made[node]) <= spec.radix


@pytest.mark.parametrize("key", ["oversubscription", "core_oversubscription"])
def test_a_switch_without_ports_upward_is_refused(key):
    with pytest.raises(ValueError, match="of 64 leaves a switch of 32 ports none upward; at most 31"):
        clos(radix=32, **{key: 64}).graph(ends(2048))
    with pytest.raises(ValueError, match="at most 31"):
        clos(radix=32, **{key: 64}).tiers(ends(2048))
    assert clos(radix=32, **{key: 31}).tiers(ends(2048))[-1].bytes_s == pytest.approx(PORT / 31)


def test_a_core_gets_what_the_radix_of_its_spines_leaves():
    wide = clos(radix=32, spine_radix=128, core_oversubscription=63)
    assert wide.tiers(ends(4096))[-1].bytes_s == pytest.approx(PORT / 63)
    with pytest.raises(ValueError, match="a switch of 32 ports none upward"):
        RailOnly(**COMMON, radix=32, rails=8, oversubscription=40).graph(ends(512))


def test_rail_only_needs_fewer_tiers():
    """Each of 8 rails has 1/8 of the endpoints: 512 hang on 8 switches, 16,384 on two tiers."""
    rail_only = RailOnly(**COMMON, radix=64, rails=8)
    assert rail_only.counts(ends(512)).switches == {"leaf": 8}
    assert rail_only.counts(ends(16_384)).switches == {"leaf": 512, "spine": 256}
    assert clos(radix=64, rails=8).counts(ends(16_384)).switches == {
        "leaf": 512, "spine": 512, "core": 256}
    assert rail_only.tiers(ends(16_384))[0].reach == 256


def test_more_rails_than_a_domain_has_ports_are_refused():
    with pytest.raises(ValueError, match="8 rails are more than the 4 network ports"):
        RailOnly(**COMMON, radix=64, rails=8).graph(ends(512, domain=4))
