"""Failures that change nothing, and those of sides that mirror each other, share a simulation that each of
them would give by itself."""

import pandas as pd
import pytest
from small import load_tree
from synthetic_contingency import study, tree

from simulator.simulation import build
from simulator.studies import contingency_alike as alike
from simulator.studies import contingency_cases as cases_
from simulator.studies.contingency_cases import Case, Hit

MOMENT_S, UNTIL_S = 7200.0, 10_800.0
OF_ALL_ALIKE = ["rank", "count", "stands_for", "hours_per_year_all"]


@pytest.fixture
def run(tmp_path):
    """Return the pod at the moment, to be changed."""
    there = build(load_tree(tree(), tmp_path), disturbed=False)
    there.advance(MOMENT_S)
    return there


def shared(run, effect, network_rests=True):
    """Return the elements that share a simulation, of all that fail with an effect, one by one."""
    site = run.world.site
    ones = [
        Case((Hit(name, cls, *where),), "", "", (cls,), (0.0,), alike=cases_.taken(site, cls, *where))
        for cls in run.fleet if cls.effect == effect for name, where in cases_.elements(site, cls).items()
    ]  # fmt: skip
    repairs = alike.repairs(run, ones, MOMENT_S)
    groups = alike.groups(run, ones, repairs, UNTIL_S, network_rests)
    return [{ones[i].hits[0].element for i in group} for group in groups]


def test_pumps_that_others_replace_are_one_simulation_until_one_is_out(run):
    loops = len(run.world.site.loops)
    assert len(shared(run, "loop_pump")) == 1 and len(shared(run, "pump")) == 1
    run.world.plants.pumps_out[0] += 1
    assert len(shared(run, "loop_pump")) == (2 if loops > 1 else 1)  # the next of that loop slows its water
    assert run.world.plants.pumps_out.tolist() == [1] + [0] * (loops - 1)


def test_links_that_no_job_uses_are_one_simulation_while_none_comes(run):
    (links,) = shared(run, "uplink")
    assert len(links) > 1
    assert len(shared(run, "uplink", network_rests=False)) == len(links)
    run.world.network.place(0, run.world.site.fabrics[0].racks)
    assert run.world.network.moves == 1 and len(shared(run, "uplink")) == len(links)
    run.world.network.remove(0)
    run.world.network.remove(0)  # is not there any more
    assert run.world.network.moves == 2 and len(shared(run, "uplink")) == 1


def test_switches_that_racks_hang_on_are_simulated_each(run):
    leaves = [names for names in shared(run, "switch") if any("leaf" in name for name in names)]
    assert leaves and all(len(names) == 1 for names in leaves)


def test_servers_of_one_type_are_one_simulation(run):
    types = {entry.rack.name for entry in run.world.site.support if entry.rack.servers}
    assert 0 < len(shared(run, "support")) <= len(types)


def test_sides_mirror_each_other_while_both_are_whole(run):
    side = "pod/support/side {}".format
    both = [names for names in shared(run, "feed") if side(1) in names]
    assert both and all(side(2) in names for names in both)  # substations, busways
    block = run.world.site.block_names.index("pod/support")
    run.world.absent["side", block] = {0: UNTIL_S}
    assert not any({side(1), side(2)} <= names for names in shared(run, "feed"))
    modules = shared(run, "ups")
    run.world.absent.clear()
    assert len(shared(run, "ups")) < len(modules)


@pytest.mark.slow
def test_a_shared_simulation_is_that_of_each(tmp_path):
    given = load_tree(tree(), tmp_path)
    together, alone = (study(given, each=each) for each in (False, True))
    assert together.told["simulations"] < alone.told["simulations"]
    mine, theirs = (found.table.drop(columns=OF_ALL_ALIKE) for found in (together, alone))
    theirs = theirs[(theirs["case"] + theirs["class"]).isin(mine["case"] + mine["class"])]
    mine, theirs = (t.sort_values(["case", "class"], ignore_index=True) for t in (mine, theirs))
    pd.testing.assert_frame_equal(mine, theirs)
