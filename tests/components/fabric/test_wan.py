"""Long-haul links: latency of the fibre, shares of the bundles, tiers of a job on several sites."""

import numpy as np
import pytest

from simulator.components.fabric import Ends
from simulator.components.fabric.clos import Clos
from simulator.components.fabric.laid import Laid, network
from simulator.components.fabric.wan import Wan

CLOS = Clos(radix=64, port_bandwidth="400 Gb/s", hop_latency="600 ns", switch_power="1 kW",
            optic_power="10 W")


def laid(name, n=2048):
    return Laid(name, CLOS, Ends(n, n, 50e9, 8), np.array([0]), np.arange(n // 8), 8.0)


def wan(*joins, **keys):
    plain = {"name": "long", "joins": joins, "distance": "1000 km", "bandwidth": "10 Tb/s"}
    return Wan(**plain | keys)


def test_light_takes_five_milliseconds_over_a_thousand_kilometres():
    assert wan("a", "b").latency_s == pytest.approx(4.9e-3)


def test_one_fabric_needs_no_wan():
    assert network([laid("a")], (), 1024) == CLOS.tiers(laid("a").ends)


def test_two_sites_share_the_bundle_between_them():
    tiers = network([laid("a"), laid("b")], (wan("a", "b"),), 2048)
    assert [t.name for t in tiers] == ["leaf", "spine", "wan"]
    assert [t.reach for t in tiers] == [32, 1024, 2048]
    assert tiers[-1].bytes_s == pytest.approx(10e12 / 8 / 1024)
    assert tiers[-1].latency_s == pytest.approx(4.9e-3 + 2 * 3 * 600e-9)


def test_more_sites_have_more_bundles():
    sites = [laid(name) for name in "abc"]
    tiers = network(sites, (wan("a", "b", "c"),), 3 * 1024)
    assert tiers[-1].bytes_s == pytest.approx(2 * 10e12 / 8 / 1024)
    assert wan("a", "b", "c", links=10, optic_power="20 W").draw_w == 2 * 3 * 10 * 20.0


def test_a_wide_wan_is_no_faster_than_the_network_cards():
    tiers = network([laid("a"), laid("b")], (wan("a", "b", bandwidth="9000 Tb/s"),), 2048)
    assert tiers[-1].bytes_s == 50e9


def test_what_nothing_joins_is_refused():
    with pytest.raises(ValueError, match="nothing joins the fabrics of a and c"):
        network([laid("a"), laid("c")], (wan("a", "b"),), 2048)
