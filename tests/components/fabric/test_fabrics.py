"""What every kind of fabric promises, whatever it is; a new kind is covered without an edit."""

import inspect
import math

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from simulator.components.fabric import FABRIC_KINDS, Ends, Fabric
from simulator.components.fabric.laid import Laid

COMMON = {"port_bandwidth": "400 Gb/s", "hop_latency": "600 ns", "switch_power": "1 kW",
          "optic_power": "10 W"}
OF_KIND = {"clos": {"radix": 16, "oversubscription": 3, "core_oversubscription": 3, "rails": 2},
           "rail_only": {"radix": 32, "rails": 4}, "dragonfly": {"p": 4, "a": 8, "h": 4},
           "torus": {}}
SIZES = (8, 64, 72, 256)
every_kind = pytest.mark.parametrize("kind", FABRIC_KINDS, ids=lambda kind: kind.__name__)


def make(kind, **changes):
    own = OF_KIND.get(kind.model_fields["kind"].default, {})
    return kind.model_validate({**COMMON, **own, **changes})


def ends_of(accelerators, spec=None, each=1, domain=4):
    ports = accelerators * each
    ports = spec.attached(accelerators, ports) if spec else ports
    return Ends(accelerators, ports, 50e9 * each, domain)


@every_kind
def test_kind_is_the_name_of_its_file(kind):
    name = kind.model_fields["kind"].default
    assert inspect.getfile(kind).endswith(f"/{name}.py")


def test_the_document_picks_the_kind():
    plain = {"kind": "clos", "radix": 64, **COMMON}
    assert type(TypeAdapter(Fabric).validate_python(plain)).__name__ == "Clos"


@every_kind
@pytest.mark.parametrize("accelerators", SIZES)
def test_graph_is_a_tree_with_every_endpoint_on_it_once(kind, accelerators):
    spec = make(kind)
    ends = ends_of(accelerators, spec)
    graph = spec.graph(ends)
    nodes = np.arange(graph.parent.size)
    assert np.all((graph.parent > nodes) | (graph.parent == -1))
    assert np.all(np.diff(graph.tier) >= 0)
    assert graph.ports.sum() == ends.ports
    assert set(graph.tier[graph.leaves]) == {0}
    np.testing.assert_array_equal(graph.links > 0, graph.parent >= 0)
    np.testing.assert_array_equal(graph.bytes_s > 0, graph.parent >= 0)
    made = graph.to_networkx()
    assert nx.is_forest(made)
    assert nx.number_connected_components(made) == (graph.parent == -1).sum() == 1


@every_kind
@pytest.mark.parametrize("accelerators", SIZES)
def test_tiers_reach_further_at_no_higher_rate(kind, accelerators):
    spec = make(kind)
    ends = ends_of(accelerators, spec)
    tiers = spec.tiers(ends)
    assert tiers[-1].reach >= accelerators
    below = ends.domain if tiers[0].kind == "scaleout" else 1
    for tier in tiers:
        assert tier.reach % below == 0 and tier.reach > below
        below = tier.reach
    rates, latencies = [t.bytes_s for t in tiers], [t.latency_s for t in tiers]
    assert rates == sorted(rates, reverse=True) and rates[-1] > 0.0
    assert latencies == sorted(latencies)


@every_kind
def test_every_tier_has_its_level_in_the_graph(kind):
    spec = make(kind)
    ends = ends_of(256, spec)
    for tier in spec.tiers(ends):
        assert 0 <= spec.levels[tier.name] < len(spec.graph(ends).tiers)


def below(graph, at_leaves):
    """Return for every node the sum of what is attached at and below it."""
    sums = np.zeros(graph.parent.size)
    for leaf, attached in zip(graph.leaves, at_leaves, strict=True):
        node = leaf
        while node >= 0:
            sums[node] += attached
            node = graph.parent[node]
    return sums


@every_kind
@pytest.mark.parametrize("accelerators", SIZES)
def test_trunks_carry_what_the_tiers_promise(kind, accelerators):
    """When all send at their tier's rate beyond a node, the node's trunk is not overloaded."""
    spec = make(kind)
    ends = ends_of(accelerators, spec)
    graph = spec.graph(ends)
    under = below(graph, graph.ports[graph.leaves] / ends.ports_each)
    for tier in spec.tiers(ends):
        crossed = (graph.tier < spec.levels[tier.name]) & (graph.parent >= 0)
        assert np.all(under[crossed] * tier.bytes_s <= graph.bytes_s[crossed] * (1 + 1e-9))


@every_kind
def test_counts_are_those_of_the_graph_and_draw_power(kind):
    spec = make(kind)
    ends = ends_of(256, spec)
    counts, graph = spec.counts(ends), spec.graph(ends)
    for tier, number in counts.switches.items():
        assert number == graph.switches_of(graph.tiers.index(tier))
    assert counts.optics == counts.switch_optics + counts.end_optics > 0
    assert spec.draw_w(ends) == pytest.approx(
        1000.0 * sum(counts.switches.values()) + 10.0 * counts.switch_optics)


@every_kind
def test_more_endpoints_take_no_fewer_switches(kind):
    spec = make(kind)
    found = [sum(spec.counts(ends_of(n, spec)).switches.values()) for n in range(8, 257, 8)]
    assert found == sorted(found)


@every_kind
def test_four_hundred_thousand_endpoints_stay_small(kind):
    large = {"clos": {"radix": 144}, "rail_only": {"radix": 144},
             "dragonfly": {"p": 16, "a": 32, "h": 32}}
    spec = make(kind, **large.get(kind.model_fields["kind"].default, {}))
    graph = spec.graph(ends_of(400_000, spec))
    assert graph.parent.size < 8000


@every_kind
def test_copper_to_the_endpoints_has_no_modules(kind):
    optical, copper = make(kind), make(kind, endpoint_links="copper")
    ends = ends_of(256, optical)
    if optical.counts(ends).switch_optics:  # where endpoints have switches at all
        assert copper.counts(ends).optics == optical.counts(ends).optics - 2 * 256
        assert copper.counts(ends).copper_links == optical.counts(ends).copper_links + 256


@every_kind
@given(st.lists(st.integers(0, 31), unique=True, min_size=1).map(sorted), st.sampled_from([4, 6, 8]))
@settings(max_examples=40, deadline=None)
def test_racks_hold_their_own_ports(kind, racks, rack_ports):
    spec = make(kind)
    ends = ends_of(32 * rack_ports, spec)
    laid = Laid("x", spec, ends, np.array([0]), np.arange(32), float(rack_ports))
    under = laid.accelerators_under(np.array(racks))
    assert under[laid.graph.parent < 0].sum() * ends.ports_each == pytest.approx(len(racks) * rack_ports)
    held = under[laid.graph.leaves] * ends.ports_each
    np.testing.assert_allclose(under, below(laid.graph, held / ends.ports_each), rtol=1e-12)
    assert np.all(held <= laid.graph.ports[laid.graph.leaves] + 1e-9)
    for leaf in np.flatnonzero(held):
        edges = laid.graph.edges[leaf : leaf + 2]
        assert set(laid.racks_on(*edges)) & set(racks)


@every_kind
def test_bisection_grows_with_the_links(kind):
    one, two = make(kind), make(kind, port_bandwidth="800 Gb/s")
    ends = ends_of(256, one)
    assert two.bisection_bytes_s(ends) == pytest.approx(2.0 * one.bisection_bytes_s(ends))
    assert math.isfinite(one.bisection_bytes_s(ends)) and one.bisection_bytes_s(ends) > 0.0
