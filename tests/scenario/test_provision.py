"""Counts that follow from the design load: enough with the spare out, not one more, and by scheme."""

import math

import pytest
from small import load_tree, pod_tree

from simulator.engine import lineup_sets
from simulator.errors import ScenarioError
from simulator.scenario import provision, resolved
from simulator.site import compile_site

SETS = {"rating": "1.3 MW", "start": "10 s"}
SCHEMES = {"N": 6, "2N": 3, "4N/3": 6}
"""Blocks of each scheme on lineups of the pod."""


def tree_of(scheme, **plant):
    """Return the pod on lineups of a scheme, all its counts blank."""
    tree = pod_tree()
    topology = tree["topology"]
    hall = topology["halls"][0]
    hall["blocks"], hall["distribution"] = SCHEMES[scheme], {"scheme": scheme}
    hall["block"]["rating"] = "1.3 MVA"
    hall["feeders"] = {"rating": "1 MVA"}
    for bank in ("lines", "transformers"):
        topology["grid"][bank] |= {"rating": "2 MVA", "spare": 2}
        del topology["grid"][bank]["count"]
    topology["generators"] = SETS | plant
    return tree


@pytest.mark.parametrize("scheme", SCHEMES)
def test_banks_carry_the_design_load_with_the_spare_out_and_not_with_one_more(scheme, tmp_path):
    topology = load_tree(tree_of(scheme, backs="campus"), tmp_path).spec.topology
    site = compile_site(topology)
    output_w = provision.design_outputs_w(site)
    banks = {0: topology.grid.lines, 1: topology.grid.transformers, 2: topology.halls[0].feeders}
    for node, bank in banks.items():
        can_w = [bank.capacity_va(out) * topology.grid.power_factor for out in (bank.spare, bank.spare + 1)]
        assert can_w[0] >= output_w[node] > can_w[1]
    sets = topology.generators
    input_w = output_w[1] + site.nodes[1].loss.loss_w(output_w[1], site.nodes[1].rating_w)
    assert (sets.sets - sets.spare) * sets.rating >= input_w > (sets.sets - sets.spare - 1) * sets.rating


def test_lineups_have_sets_of_their_own_whatever_their_scheme_leaves_usable(tmp_path):
    per_usable = {}
    for scheme in SCHEMES:
        topology = load_tree(tree_of(scheme, backs="lineups"), tmp_path).spec.topology
        site = compile_site(topology)
        own = lineup_sets.of_lineups(site)
        assert own == [math.ceil(1.3 * topology.grid.power_factor / 1.3)] * len(site.lineups)
        per_usable[scheme] = len(own) / float(site.block_limit_w[site.block_support_w == 0.0].sum())
        rest = topology.generators.sets - sum(own) - topology.generators.spare
        assert 0 < rest <= math.ceil(provision.design_outputs_w(site)[1] / 1.3e6)
    assert per_usable["2N"] == pytest.approx(2.0 * per_usable["N"], rel=0.02)
    assert per_usable["4N/3"] == pytest.approx(4.0 / 3.0 * per_usable["N"], rel=0.02)


def test_with_a_network_the_buses_say_how_many_main_transformers_there_are(tmp_path):
    tree = tree_of("2N", backs="support")
    tree["topology"]["medium_voltage"] = {
        "operation": "meshed",
        "buses": [{"name": "a", "transformers": 1, "halls": ["pod"]}, {"name": "b", "transformers": 2}],
        "branches": [{"name": "tie", "between": ["a", "b"], "rating": "4 MVA"}],
    }
    topology = load_tree(tree, tmp_path).spec.topology
    assert topology.grid.transformers.units == 3
    assert topology.grid.lines.units > 3  # these follow from the load


def test_what_is_counted_stands_in_the_resolved_document_and_loads_again(tmp_path):
    made = load_tree(tree_of("N", backs="support"), tmp_path)
    path = tmp_path / "resolved.yaml"
    path.write_text(resolved(made))
    from simulator.scenario import load

    assert load(path).spec.topology == made.spec.topology
    assert provision.counted(made.spec.topology) is made.spec.topology


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"generators": SETS}, "topology.generators.count: how many are there?"),
        ({"generators": SETS | {"backs": "lineups", "count": 5}}, "backing 'lineups' takes"),
        ({"control": {"oversubscription": {"connection": "10 %"}}}, "topology.grid.lines.count: racks follow"),
        ({"control": {"oversubscription": {"feeders": "10 %"}}}, "feeders.count: racks follow"),
    ],
)
def test_counts_that_do_not_follow_or_do_not_add_up_are_refused(changes, told, tmp_path):
    tree = tree_of("N", backs="campus")
    tree["topology"] |= changes
    with pytest.raises(ScenarioError) as caught:
        load_tree(tree, tmp_path)
    assert told in str(caught.value)


def test_one_slip_does_not_bring_complaints_about_counts_that_are_blank(tmp_path):
    tree = tree_of("N", backs="campus")
    tree["topology"]["halls"][0]["rack"] = "GB300-NVL27"
    with pytest.raises(ScenarioError) as caught:
        load_tree(tree, tmp_path)
    assert all("GB300-NVL27" in str(problem) for problem in caught.value.problems)
