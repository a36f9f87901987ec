"""Topology to arrays: counts, membership, ratings, the tree and the fabric."""

import numpy as np
import pytest
from small import load_tree, pod_site, pod_tree

from simulator.components.power.control import Oversubscription
from simulator.components.sizing import (
    block_limit_w,
    plant_setpoint_c,
    rack_named,
    racks_per_block,
    steady_w,
)
from simulator.site import compile_site


@pytest.fixture(scope="module")
def campus(tmp_path_factory):
    """Two groups of halls with different chips, the first of three equal halls."""
    tree = pod_tree()
    topology = tree["topology"]
    first = topology["halls"][0] | {"name": "big", "count": 3}
    air = topology["halls"][0] | {"name": "air", "rack": "HGX-H100-4", "blocks": 1, "support": []}
    topology["halls"] = [first, air]
    topology["grid"]["lines"]["rating"] = "9 MVA"
    topology["grid"]["transformers"] = {"count": 3, "rating": "4 MVA"}
    topology["grid"]["import_limit"] = "7 MW"
    return compile_site(load_tree(tree, tmp_path_factory.mktemp("site")).spec.topology)


def test_counts_follow_the_document(campus):
    assert campus.hall_names == ("big-01", "big-02", "big-03", "air")
    per_block = [racks_per_block(campus.topology, hall) for hall in campus.topology.halls]
    assert per_block[0] == 4
    np.testing.assert_array_equal(
        np.bincount(campus.rack_hall), [2 * per_block[0]] * 3 + [per_block[1]])
    assert campus.accelerators == 3 * 2 * 4 * 72 + per_block[1] * campus.rack_types[1].accelerators
    assert [chip.name for chip in campus.chips] == ["GB300", "H100-SXM-80GB"]


def test_membership_is_consistent(campus):
    rows, racks = campus.rows, np.arange(campus.rack_row.size)
    assert np.all(rows.start[campus.rack_row] <= racks)
    assert np.all(racks < rows.stop[campus.rack_row])
    np.testing.assert_array_equal(rows.stop[:-1], rows.start[1:])  # no gap, no overlap
    np.testing.assert_array_equal(rows.block[campus.rack_row], campus.rack_block)
    np.testing.assert_array_equal(rows.hall[campus.rack_row], campus.rack_hall)
    np.testing.assert_array_equal(campus.block_hall[campus.rack_block], campus.rack_hall)
    for h in range(len(campus.hall_names)):
        numbers = campus.rack_number[campus.rack_hall == h]
        np.testing.assert_array_equal(numbers, np.arange(numbers.size))


def test_parents_stand_before_children_and_every_leaf_has_one(campus):
    parents = np.array([node.parent for node in campus.nodes])
    assert parents[0] == -1
    assert np.all(parents[1:] >= 0)
    assert np.all(parents[1:] < np.arange(1, parents.size))
    used = [*campus.block_node, *campus.halls.plant_node, *campus.halls.pump_node]
    assert len(set(used)) == len(used)
    names = [node.name for node in campus.nodes]
    assert len(set(names)) == len(names)
    for b, node in enumerate(campus.block_node):  # each block hangs under its own hall's feeders
        while campus.nodes[node].parent > 1:
            node = campus.nodes[node].parent
        assert node == campus.halls.feeder_node[campus.block_hall[b]]


def test_a_block_without_a_scheme_has_one_feed_that_carries_all_of_it(campus):
    np.testing.assert_array_equal(campus.feed_first, np.arange(len(campus.block_names) + 1))
    np.testing.assert_array_equal(campus.feed_node, campus.block_node)
    np.testing.assert_array_equal(campus.feed_share, 1.0)


def test_the_block_limit_loads_the_substation_to_its_continuous_rating():
    topology = pod_site().topology
    block, pf = topology.halls[0].block, topology.grid.power_factor
    limit_w = block_limit_w(topology, topology.halls[0])
    after_w = limit_w + block.busway.loss_w(limit_w / pf, block.rating)  # losses follow apparent power
    input_w = after_w + block.substation.loss_w(after_w / pf, block.rating)
    assert input_w == pytest.approx(block.rating * pf * block.continuous, rel=1e-9)
    racks = racks_per_block(topology, topology.halls[0])
    nameplate_w = pod_site().rack_types[0].nameplate
    assert racks * nameplate_w <= limit_w < (racks + 1) * nameplate_w


@pytest.mark.parametrize(("given", "share", "racks"), [(None, 0.0, 4), (10, 0.0, 10), (10, 0.25, 12),
                                                      (10, 0.3, 13), (4, 0.2, 4)])
def test_oversubscription_adds_racks(given, share, racks):
    topology = pod_site().topology
    hall = topology.halls[0].model_copy(update={"racks_per_block": given})
    changed = topology.model_copy(update={"oversubscription": share})
    assert racks_per_block(changed, hall) == racks


def over(**levels):
    """Return the pod's topology with two blocks and racks as far as feeders and connection take them."""
    topology = pod_site().topology
    control = topology.control.model_copy(update={"oversubscription": Oversubscription(**levels)})
    return topology.model_copy(update={"control": control})


@pytest.mark.parametrize("share", [0.0, 0.3, 0.75])
def test_feeders_take_as_many_racks_as_they_may_be_exceeded_by(share):
    topology = over(feeders=share)
    hall = topology.halls[0]
    nameplate_w = pod_site().rack_types[0].nameplate
    support_w = sum(entry.count * rack_named(topology, entry.rack).nameplate for entry in hall.support)
    wanted_w = 3.0 * nameplate_w * hall.blocks + support_w / (1.0 + share)
    rating = wanted_w / topology.grid.power_factor
    tight = hall.model_copy(update={"feeders": hall.feeders.model_copy(update={"count": 2, "rating": rating})})
    racks = racks_per_block(topology, tight)
    room = block_limit_w(topology, tight) // nameplate_w
    assert racks == min(int(3.0 * (1.0 + share) + 1e-9), room)
    assert racks_per_block(topology, tight.model_copy(update={"racks_per_block": 9})) == 9


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 2.0])
def test_the_connection_takes_no_more_racks_than_it_may_be_exceeded_by(share):
    topology, plain = over(connection=share), pod_site().topology
    nameplate_w = [rack_named(topology, hall.rack).nameplate * hall.blocks * hall.count
                   for hall in topology.halls]  # fmt: skip
    racks, free = ([racks_per_block(t, hall) for hall in t.halls] for t in (topology, plain))
    support_w = sum(hall.count * entry.count * rack_named(topology, entry.rack).nameplate
                    for hall in topology.halls for entry in hall.support)  # fmt: skip
    allowed_w = topology.grid.firm_w()[0] * (1.0 + share) - support_w
    total_w = sum(n * w for n, w in zip(racks, nameplate_w, strict=True))
    assert total_w <= allowed_w * (1.0 + 1e-9)
    assert all(a <= b for a, b in zip(racks, free, strict=True))
    if racks != free:  # not one more in each block of any group
        assert all(total_w + w > allowed_w for n, m, w in zip(racks, free, nameplate_w, strict=True) if n < m)


def test_firm_import_survives_the_loss_of_one(campus):
    grid = campus.topology.grid
    pf = grid.power_factor
    assert (campus.firm_w, campus.firm_limit) == (7e6, "import contract")
    free = grid.model_copy(update={"import_limit": None})
    assert free.firm_w() == (pytest.approx(2 * 4e6 * pf), "main transformers, one out")
    assert free.available_w(2, 3) == pytest.approx(12e6 * pf)
    assert free.available_w(1, 3) == pytest.approx(9e6 * pf)
    assert free.available_w(0, 3) == 0.0
    assert grid.available_w(2, 3) == 7e6


def test_nodes_carry_the_ratings_of_their_banks(campus):
    by_name, pf = {node.name: node for node in campus.nodes}, campus.topology.grid.power_factor
    assert by_name["lines"].rating_w == pytest.approx(2 * 9e6 * pf)
    assert by_name["main transformers"].firm_w == pytest.approx(2 * 4e6 * pf)
    assert by_name["big-02/feeders"].rating_w == pytest.approx(2 * 2e6 * pf)
    assert by_name["big-02/b01/substation"].rating_w == pytest.approx(650e3 * pf)
    mechanical = by_name["air/mechanical"]
    assert mechanical.rating_w - mechanical.firm_w == pytest.approx(500e3 * pf)


def test_support_racks_are_a_steady_draw_behind_the_ups():
    site = pod_site()
    network, storage = site.support
    assert storage.power_w == steady_w(storage.rack)
    drawn_w = network.count * network.power_w + storage.count * storage.power_w
    assert site.block_support_w.sum() == pytest.approx(drawn_w)
    block = int(np.argmax(site.block_support_w))
    busway = site.nodes[site.block_node[block]]
    assert site.nodes[busway.parent].name == "pod/support/ups"


def test_network_racks_draw_what_the_fabric_counts():
    """12 switches of 2.5 kW, 576 modules towards the racks, two on each of 576 uplinks."""
    site = pod_site()
    network = site.support[0]
    dc_w = (12 * 2500.0 + 3 * 576 * 15.0) / 3
    assert (network.rack.fabric, network.count) == (True, 3)
    assert network.power_w == pytest.approx(
        dc_w + network.rack.power_shelf.loss_w(dc_w, network.rack.power_shelf_rating))
    assert network.nameplate_w == network.rack.nameplate > network.power_w


def test_too_few_network_racks_are_provisioned_for_what_they_draw(tmp_path):
    tree = pod_tree()
    tree["topology"]["halls"][0]["support"][0]["count"] = 1
    network = compile_site(load_tree(tree, tmp_path).spec.topology).support[0]
    assert network.nameplate_w == network.power_w > 2.0 * network.rack.nameplate
    alone = compile_site(load_tree(tree, tmp_path).spec.topology)
    assert alone.block_limit_w[-1] > alone.block_support_w[-1]


def test_loops_are_sized_on_the_heat_of_their_hall():
    site = pod_site()
    warm, chilled = site.loops
    rack = site.rack_types[0]
    heat_w = min(4 * rack.nameplate, site.block_limit_w[0]) * 2
    pumps_w = site.block_pump_w.sum()
    given_w = heat_w * rack.liquid_fraction + pumps_w
    assert warm.pump_w == pytest.approx(site.topology.cooling.warm.pump * given_w)
    assert warm.design_heat_w == pytest.approx(given_w + warm.pump_w)
    assert warm.duty_units * warm.unit_w >= warm.design_heat_w
    assert (warm.duty_units - 1) * warm.unit_w < warm.design_heat_w
    assert warm.units == warm.duty_units + 1
    assert warm.flow_w_k == pytest.approx(warm.duty_units * warm.unit_w / 10.0)
    air_w = heat_w * (1 - rack.liquid_fraction) + sum(e.count * e.nameplate_w for e in site.support)
    carried_w = float(site.halls.fan_design_heat_w[0])  # with lights, UPS and busways
    carried_w *= 1 + site.topology.cooling.fan_wall.fan
    assert chilled.design_heat_w == pytest.approx(carried_w * (1 + site.topology.cooling.chilled.pump))
    assert air_w + float(site.halls.house_w[0]) < carried_w < 1.2 * air_w
    assert plant_setpoint_c(site.topology) < site.topology.cooling.supply


def test_each_group_of_halls_has_its_own_fabric(campus):
    fabrics = campus.fabrics
    assert [fabric.name for fabric in fabrics] == ["big", "air"]
    np.testing.assert_array_equal(fabrics[0].halls, [0, 1, 2])
    assert fabrics[0].ends.ports == 24 * campus.rack_types[0].network_ports
    np.testing.assert_array_equal(fabrics[1].racks, np.flatnonzero(campus.rack_hall == 3))


def test_compiling_twice_gives_the_same_arrays():
    topology = pod_site().topology
    one, two = (compile_site.__wrapped__(topology) for _ in range(2))
    for name in ("rack_row", "rack_block", "block_limit_w", "feed_node", "feed_share"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert one.nodes == two.nodes
