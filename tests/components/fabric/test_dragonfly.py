"""Dragonfly: sizes of Kim et al., bisection by max-flow over every router."""

import itertools

import networkx as nx
import pytest

from simulator.components.fabric import Ends
from simulator.components.fabric.dragonfly import Dragonfly

COMMON = {"port_bandwidth": "400 Gb/s", "hop_latency": "600 ns", "switch_power": "1 kW",
          "optic_power": "10 W"}
PORT = 50e9


def dragonfly(p, a, h):
    return Dragonfly(**COMMON, p=p, a=a, h=h)


def ends(n):
    return Ends(n, n, PORT, 1)


def test_the_largest_of_radix_64_has_over_256_thousand_endpoints():
    """p = h = 16, a = 32 on routers of 63 ports: 262,656 (Kim et al., ISCA 2008)."""
    spec, most = dragonfly(16, 32, 16), 262_656
    assert spec.counts(ends(most)).switches == {"router": 32 * 513}
    with pytest.raises(ValueError, match="more than the 262,656"):
        spec.graph(ends(most + 1))


def test_balanced_groups_send_at_half_rate_in_the_worst_case():
    router, group, world = dragonfly(4, 8, 4).tiers(ends(1056))
    assert (router.reach, group.reach, world.reach) == (4, 32, 1056)
    assert (router.bytes_s, group.bytes_s) == (PORT, PORT)
    assert world.bytes_s == pytest.approx(0.5 * PORT)


def test_few_global_links_narrow_the_world():
    assert dragonfly(4, 8, 1).tiers(ends(256))[-1].bytes_s == pytest.approx(PORT / 8)


@pytest.mark.parametrize(("p", "a", "h", "groups"), [(1, 2, 1, 2), (2, 4, 2, 8), (2, 4, 1, 4)])
def test_bisection_is_the_cut_between_halves_of_the_groups(p, a, h, groups):
    spec, made = dragonfly(p, a, h), nx.Graph()
    each = a * h / (groups - 1)
    for one, two in itertools.combinations(range(groups), 2):
        made.add_edge(one, two, capacity=each)
    for group in range(groups):
        made.add_edge("left" if group < groups // 2 else "right", group, capacity=1e9)
    flow = nx.maximum_flow_value(made, "left", "right")
    assert spec.bisection_bytes_s(ends(p * a * groups)) == pytest.approx(flow * PORT)


def test_local_links_are_copper_and_global_ones_optical():
    counts = dragonfly(2, 4, 2).counts(ends(8 * 9))
    assert counts.copper_links == 9 * 6
    assert counts.optical_links == 72 + 9 * 4 * 2 // 2
    assert counts.optics == 2 * counts.optical_links
