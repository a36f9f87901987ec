"""Collectives: closed-form limits, order, the library's choice, tiers, sites and endpoints."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.components.fabric.tier import Tier
from simulator.components.from_catalog import accelerator
from simulator.performance import algorithms, collectives
from simulator.performance.algorithms import OWN_SLICE, Group
from simulator.performance.collectives import UNLIMITED, Fabric, fabric_of, group_of
from simulator.performance.transports import (
    NVLINK5,
    OTHER,
    WIRE_SHARE,
    Protocol,
    Transport,
    transport_of,
)

LINK, NIC = 450e9, 50e9
IDEAL = Protocol(0.0, 0.0, 0.0, 0.0, 1.0, 1.0)
PURE = Transport("pure", (IDEAL,), (IDEAL,), 1.0)
DOMAIN = Tier("nvlink", "scaleup", 8, LINK, 0.0)
LEAF = Tier("leaf", "scaleout", UNLIMITED, NIC, 0.0)
RINGS = (collectives.all_gather_s, collectives.reduce_scatter_s, collectives.all_reduce_s)
GROUPED = (*RINGS, collectives.all_to_all_s)
CHIPS = ("A100", "H100", "B200", "GB300", "MI300X", "TPU-v5p", "Trainium2", "Maia-200")


def pure(*tiers: Tier) -> Fabric:
    return Fabric(tiers or (DOMAIN, LEAF), PURE)


# Limits


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("call", GROUPED)
def test_one_rank_is_free(chip, call):
    assert call(fabric_of(accelerator(chip)), 1, 1e9) == 0.0


@pytest.mark.parametrize("ranks", [2, 4, 8])
def test_a_ring_inside_a_domain_moves_its_textbook_bytes(ranks):
    once_s = (ranks - 1 + OWN_SLICE) / ranks * 1e9 / LINK
    twice_s = (2 * (ranks - 1) + OWN_SLICE) / ranks * 1e9 / LINK
    assert collectives.all_gather_s(pure(), ranks, 1e9) == pytest.approx(once_s)
    assert collectives.all_reduce_s(pure(), ranks, 1e9) == pytest.approx(twice_s)


def test_steps_and_hops_are_counted():
    p = Protocol(100.0, 1.0, 10.0, 0.0, 1.0, 1.0)
    group = Group(16, 8, 2, LINK, NIC, 0.0, 0.0, 7)
    assert algorithms.ring_s(p, group, 1, 0.0) == 100 + 14 * 1 + 1 * 10
    assert algorithms.ring_s(p, group, 2, 0.0) == 100 + 28 * 1 + 2 * 10


@pytest.mark.parametrize("nodes", [2, 16, 128])
def test_between_domains_links_and_nics_work_at_once(nodes):
    ranks = 8 * nodes
    links_s = (ranks - 1 + OWN_SLICE) / ranks * 1e10 / LINK
    nics_s = (ranks - 1) / ranks * 1e10 / (8 * NIC)
    gathered_s = collectives.all_gather_s(pure(), ranks, 1e10)
    assert gathered_s == pytest.approx(max(links_s, nics_s))


def test_ranks_of_different_domains_have_only_their_nics():
    ranks = 64
    expected_s = (ranks - 1) / ranks * 1e9 / NIC
    assert collectives.all_gather_s(pure(), ranks, 1e9, stride=8) == pytest.approx(expected_s)


@pytest.mark.parametrize("chip", ["H100", "GB300", "A100", "MI300X"])
@pytest.mark.parametrize("call", RINGS)
def test_nothing_beats_links_and_nics(chip, call):
    made = accelerator(chip)
    fabric = fabric_of(made)
    passes = 2 if call is collectives.all_reduce_s else 1
    for ranks, stride in ((8, 1), (64, 1), (1024, 1), (256, made.scaleup_domain)):
        least_s = (ranks - 1) / ranks * 1e9 / made.scaleup_bandwidth
        if stride > 1:
            least_s = passes * (ranks - 1) / ranks * 1e9 / made.scaleout_bandwidth
        assert call(fabric, ranks, 1e9, stride) > least_s


def test_an_all_to_all_is_bound_by_what_leaves_the_domain():
    far_s = 1e9 * (64 - 8) / 64 / (WIRE_SHARE * NIC)
    assert collectives.all_to_all_s(pure(), 64, 1e9) == pytest.approx(far_s, rel=1e-2)


# Order


@pytest.mark.parametrize("chip", CHIPS)
def test_two_passes_cost_no_less_than_one(chip):
    fabric = fabric_of(accelerator(chip))
    for ranks in (2, 8, 72, 512):
        one_s = collectives.all_gather_s(fabric, ranks, 1e9)
        assert collectives.all_reduce_s(fabric, ranks, 1e9) > 0.6 * one_s


@given(
    small=st.floats(1.0, 1e10),
    more=st.floats(1.0, 100.0),
    ranks=st.integers(2, 5000),
    chip=st.sampled_from(["MI300X", "TPU-v5p", "Trainium2"]),
)
def test_more_bytes_take_longer_where_the_library_knows_its_links(small, more, ranks, chip):
    fabric = fabric_of(accelerator(chip))
    for call in GROUPED:
        assert call(fabric, ranks, small * more) >= call(fabric, ranks, small) * (1 - 1e-9)


@given(small=st.floats(1.0, 1e10), more=st.floats(1.0, 100.0), ranks=st.integers(2, 5000))
def test_a_wrong_choice_costs_no_more_than_the_protocols_differ(small, more, ranks):
    # NCCL believes in LL128 where Simple is faster on NVLink 5, so a larger message can be earlier.
    fabric = fabric_of(accelerator("B200"))
    for call in GROUPED:
        assert call(fabric, ranks, small * more) >= 0.4 * call(fabric, ranks, small)


@given(ranks=st.integers(9, 4000), size=st.floats(1.0, 1e6))
def test_domains_that_work_by_themselves_wait_less_than_one_ring(ranks, size):
    flat = fabric_of(accelerator("MI300X"))
    inside_first = replace(flat, transport=replace(OTHER, flat=False))
    ring_s = algorithms.ring_s(OTHER.protocols[2], group_of(flat, ranks, 1), 1, size)
    assert collectives.all_gather_s(inside_first, ranks, size) <= ring_s


def test_small_sums_go_by_trees_and_large_ones_by_rings():
    group = group_of(fabric_of(accelerator("H100")), 1024, 8)
    p = transport_of(accelerator("H100")).protocols[2]
    assert algorithms.tree_s(p, group, 1e5) < algorithms.ring_s(p, group, 2, 1e5) / 10
    assert algorithms.tree_s(p, group, 1e11) > algorithms.ring_s(p, group, 2, 1e11)


def test_switches_sum_only_where_they_can():
    with_sums = fabric_of(accelerator("H100"))
    without = replace(with_sums, transport=replace(with_sums.transport, multicast_share=0.0))
    large = 5e8
    assert collectives.all_reduce_s(with_sums, 8, large) < 0.9 * collectives.all_reduce_s(
        without, 8, large
    )
    assert collectives.all_reduce_s(with_sums, 4, large) == collectives.all_reduce_s(
        without, 4, large
    )
    assert collectives.all_gather_s(with_sums, 8, large) == collectives.all_gather_s(
        without, 8, large
    )


# Choice


def test_the_library_takes_what_it_believes_in():
    slow_truth, fast_truth = replace(IDEAL, start_s=9.0), replace(IDEAL, start_s=1.0)
    thought_fast, thought_slow = replace(IDEAL, start_s=1.0), replace(IDEAL, start_s=9.0)
    misled = Transport("misled", (slow_truth, fast_truth), (thought_fast, thought_slow), 1.0)
    fabric = Fabric((DOMAIN, LEAF), misled)
    assert collectives.all_gather_s(fabric, 8, 1.0) == pytest.approx(9.0)


def test_generations_have_their_libraries():
    names = {chip: transport_of(accelerator(chip)).name for chip in CHIPS}
    assert names["A100"] == "NVLink 3" and names["H100"] == "NVLink 4"
    assert names["B200"] == names["GB300"] == "NVLink 5"
    assert names["TPU-v5p"] == names["Trainium2"] == "torus"
    assert names["MI300X"] == names["Maia-200"] == "other"


# Tiers and sites


def test_a_slow_tier_slows_only_who_reaches_it():
    leaf = Tier("leaf", "scaleout", 256, NIC, 1e-6)
    spine = Tier("spine", "scaleout", 8192, NIC / 4, 3e-6)
    fast = pure(DOMAIN, leaf, replace(spine, bytes_s=NIC))
    slow = pure(DOMAIN, leaf, spine)
    for call in GROUPED:
        assert call(slow, 32, 1e9, 8) == call(fast, 32, 1e9, 8)
        assert call(slow, 64, 1e9, 8) > 1.5 * call(fast, 64, 1e9, 8)
    assert collectives.send_s(slow, 1e9, 255) == collectives.send_s(fast, 1e9, 255)
    assert collectives.send_s(slow, 1e9, 256) > 3 * collectives.send_s(fast, 1e9, 256)


@pytest.mark.parametrize(("extent", "tier"), [(8, 0), (256, 1), (257, 2), (8192, 2)])
def test_the_slowest_send_crosses_the_slowest_tier_a_job_spans(extent: int, tier: int):
    leaf = Tier("leaf", "scaleout", 256, NIC, 1e-6)
    fabric = pure(DOMAIN, leaf, Tier("spine", "scaleout", 8192, NIC / 4, 3e-6))
    places = (1, 255, 256)[tier]
    sent_s = collectives.slowest_send_s(fabric, 1e9, 1, extent)
    assert sent_s == collectives.send_s(fabric, 1e9, places)


def test_the_slowest_send_need_not_be_the_furthest():
    """A spine that lost switches is slower than the core above it."""
    leaf = Tier("leaf", "scaleout", 256, NIC / 4, 1e-6)
    fabric = pure(DOMAIN, leaf, Tier("core", "scaleout", 8192, NIC, 3e-6))
    slowest_s = collectives.slowest_send_s(fabric, 1e9, 8, 8192)
    assert slowest_s == collectives.send_s(fabric, 1e9, 8)
    assert slowest_s > 3 * collectives.send_s(fabric, 1e9, 256)


def test_a_ring_waits_for_the_wires_it_runs_over():
    leaf = Tier("leaf", "scaleout", 64, NIC, 1.0)
    spine = Tier("spine", "scaleout", 512, NIC, 100.0)
    # 64 domains in 8 leaves: 56 edges inside leaves, 7 between them.
    assert collectives.all_gather_s(pure(DOMAIN, leaf, spine), 512, 0.0) == 56 * 1 + 7 * 100


def test_beyond_the_last_tier_is_an_error():
    small = pure(DOMAIN, replace(LEAF, reach=64))
    for call in GROUPED:
        assert call(small, 64, 1e6) > 0
        with pytest.raises(ValueError, match=r"128 accelerators do not fit .* joins 64"):
            call(small, 128, 1e6)
    with pytest.raises(ValueError, match="joins 64"):
        collectives.send_s(small, 1e6, 64)


def test_sites_exchange_each_chips_share():
    wan = Tier("wan", "wan", 4096, 1e9, 5e-3)
    near = pure(DOMAIN, replace(LEAF, reach=1024))
    far = pure(DOMAIN, replace(LEAF, reach=1024), wan)
    assert collectives.all_reduce_s(far, 1024, 1e9) == collectives.all_reduce_s(near, 1024, 1e9)
    between_s = 2 * (5e-3 + 1 / 2 * 1e9 / 1024 / (collectives.WAN_SHARE * 1e9))
    expected_s = between_s + collectives.all_reduce_s(near, 1024, 1e9)
    assert collectives.all_reduce_s(far, 2048, 1e9) == pytest.approx(expected_s)


def test_own_ports_are_the_default_network():
    made = accelerator("H100")
    half = fabric_of(made, oversubscription=2.0)
    assert half.tiers[1].bytes_s == fabric_of(made, degraded=0.5).tiers[1].bytes_s == made.scaleout_bandwidth / 2
    assert fabric_of(made, (LEAF,)).tiers[1] is LEAF


# Scale


@pytest.mark.parametrize("chip", CHIPS)
@pytest.mark.parametrize("ranks", [2, 72, 576, 100_800, 400_000])
def test_any_number_of_endpoints(chip, ranks):
    fabric = fabric_of(accelerator(chip))
    for call in GROUPED:
        time_s = call(fabric, ranks, 1e8)
        assert np.isfinite(time_s) and time_s > 0


def test_endpoints_are_never_listed():
    # Python's integers have no limit: a list of a quadrillion endpoints would.
    fabric = fabric_of(accelerator("GB300"))
    wide = replace(fabric, tiers=(fabric.tiers[0], replace(fabric.tiers[1], reach=10**18)))
    assert collectives.all_reduce_s(wide, 10**15, 1e9) < 1.0
    assert wide.transport is NVLINK5


# Measured: SimAI's table of bus bandwidth, from which only the limit of large messages was taken


def test_simple_rings_over_many_nodes_reach_the_published_bandwidth(validation_rows):
    fabric, errors = fabric_of(accelerator("H100")), []
    for row in validation_rows("reference/collective_efficiency_simai.csv"):
        if row["table"] == "nic" and "Node-" in row["column"]:
            ranks, size = int(row["gpus"]), float(row["message_bytes"])
            p, group = fabric.transport.protocols[-1], group_of(fabric, ranks, 1)
            busy = 2 * (ranks - 1) / ranks * size / algorithms.ring_s(p, group, 2, size)
            share = busy / (8 * accelerator("H100").scaleout_bandwidth)
            errors.append(abs(share / float(row["fraction_of_link_bandwidth"]) - 1))
    assert len(errors) == 77
    assert np.median(errors) < 0.10
    assert np.quantile(errors, 0.9) < 0.45
