"""Support racks that a run feeds, and parts of what is out: neither is lost by a failure."""

from dataclasses import replace

import numpy as np
import pytest
from small import load_tree
from synthetic_contingency import row, study, tree

from simulator.engine import draw, sides
from simulator.engine.outage_log import of_one_stage
from simulator.kernels import columns as c
from simulator.simulation import build
from simulator.studies import contingency
from simulator.studies import contingency_alike as alike
from simulator.studies import contingency_cases as cases_
from simulator.studies import contingency_moment as moments
from simulator.studies.contingency_cases import Wanted
from simulator.studies.contingency_watch import Watch


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return load_tree(tree(), tmp_path_factory.mktemp("plain"))


def test_sets_of_a_lineup_do_not_relieve_what_carries_the_rest(tmp_path):
    """What they give is not drawn above the lineup in any case."""
    given = tree(generators={"backs": "lineups", "rating": "3 MW", "start": "10 s", "fail_to_start": 0.0})
    moment = moments.bring(load_tree(given, tmp_path), "2 h", 60)
    world, watch = moment.run.world, Watch(moment.run)
    hits = (cases_.named(moment.run, "pod/b01/substation/breaker"),)
    contingency._respond(moment, watch, 20, hits, [of_one_stage("repair", moment.at_s + 7200.0)])
    made_w = float(world.state.tree.bridge.made_w[0])
    poi_w = float(moment.run.records.site[moment.run.physics.step - 1, c.POI_W])
    assert made_w > 0.0 and watch._loading[0] == pytest.approx(poi_w / float(world.state.supply.limit_w[0]))
    loadings = draw.loadings(world, world.state.tree.output_w)[: draw.BELOW_GRID]
    shares = [world.site.nodes[i].continuous for i in range(draw.BELOW_GRID)]
    assert watch._loading[1 : 1 + draw.BELOW_GRID] == pytest.approx(loadings / shares)


def test_support_racks_that_sets_on_site_carry_are_not_shed(tmp_path):
    given = tree(generators={"count": 2, "rating": "1 MW", "start": "20 s"})
    both = row(study(load_tree(given, tmp_path), order=2, patterns=("lines/*",)), "lines/1 + lines/2")
    assert both["severity"] == "site lost" and both["shed_support_mw"] == 0.0 < both["shed_batch_mw"]


@pytest.mark.parametrize("ride_through", ["1 s", "2 min"])
def test_support_racks_cut_off_are_carried_by_their_ups_as_long_as_it_lasts(ride_through, tmp_path):
    given = tree()
    given["topology"]["ups"]["ride_through"] = ride_through
    moment = moments.bring(load_tree(given, tmp_path), "2 h", 60)
    world, block = moment.run.world, moment.run.world.site.block_names.index("pod/support")
    lasts_s, support_w = sides.carries_s(world, block), float(world.state.blocks.support_w[block])
    hits = tuple(cases_.named(moment.run, f"pod/feeders/{k}") for k in (1, 2))
    repairs = [of_one_stage("repair", moment.at_s + 7200.0)] * 2
    shed_w = contingency._respond(moment, Watch(moment.run), 20, hits, repairs).shed_w[:, 3]
    np.testing.assert_allclose(shed_w, support_w * (60.0 * np.arange(1, 21) > lasts_s))
    assert shed_w.max() > 0.0 and (ride_through == "1 s") == (shed_w[0] > 0.0)


@pytest.mark.parametrize(("out", "parts", "others"), [
    ("pod/b01/cdu 1", "pod/b01/cdu 1/pump *", "pod/b02/cdu 1/pump *"),
    ("pod/warm/unit 1", "pod/warm/unit 1/fan", "pod/warm/unit 2/fan"),
])  # fmt: skip
def test_parts_of_what_is_under_maintenance_cannot_fail(out, parts, others, plain):
    base = build(plain, disturbed=False)
    known = Wanted((out, parts, others), without=(cases_.named(base, out),))
    names = {case.name for case in cases_.singles(base, known)}
    assert names == {case.name for case in cases_.singles(base, Wanted((others,)))} != set()


def test_racks_that_are_out_cannot_fail(plain):
    run = build(plain, disturbed=False)
    run.world.state.racks.up_frac[0] = 0.0
    names = {case.name for case in cases_.singles(run, Wanted(("pod/r000?",), each=True))}
    assert names == {f"pod/r000{k}" for k in range(2, 9)}


@pytest.mark.parametrize("longer", [0, 1])
def test_racks_that_want_power_alone_are_back_with_the_first_feeder(longer, tmp_path):
    moment = moments.bring(load_tree(tree(), tmp_path), "2 h", 60)
    hits = tuple(cases_.named(moment.run, f"pod/feeders/{k}") for k in (1, 2))
    lasts_s = [7200.0, 7200.0]
    lasts_s[longer] = 72 * 3600.0
    repairs = [of_one_stage("repair", moment.at_s + each_s) for each_s in lasts_s]
    gone = contingency._respond(moment, Watch(moment.run), 60, hits, repairs)
    assert gone.fed_s == pytest.approx(7200.0) and gone.first_feeds and gone.out[-1] == 8 * 72


def test_several_share_a_simulation_only_where_the_same_is_back_first(tmp_path):
    run = build(load_tree(tree(), tmp_path), disturbed=False)
    a, b = cases_.singles(run, Wanted(("pod/feeders/?",)))
    pair = replace(a, hits=a.hits + b.hits, alike=(a.alike, b.alike), rates_year=(1.0, 1.0))
    planned = [alike.Planned(tuple(of_one_stage("repair", back_h * 3600.0) for back_h in back), ())
               for back in ((5.0, 72.0), (8.0, 9.0), (72.0, 5.0), (5.0, 5.0), (9.0, 9.0))]  # fmt: skip
    assert alike.groups(run, [pair] * 5, planned, 7200.0, True) == [[0, 1], [2], [3, 4]]
