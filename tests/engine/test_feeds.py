"""Halls with a redundancy scheme in a run: who carries what after which loss."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import Bench, Load, load_tree, pod_tree

from simulator.components import from_catalog
from simulator.components.failure_class import FailureClass
from simulator.engine import effects, feeds
from simulator.engine.elements import elements
from simulator.metrics import balance
from simulator.site import compile_site

JOB = (Load("job", "training", 0),)
RATING = "1.3 MVA"


def scheme_tree(blocks, **distribution):
    """Return the pod with a hall of that scheme and room above it."""
    tree = pod_tree()
    hall, grid = tree["topology"]["halls"][0], tree["topology"]["grid"]
    hall["blocks"] = blocks
    hall["block"]["rating"] = RATING
    hall["distribution"] = distribution
    hall["feeders"] = {"count": 2, "rating": "30 MVA"}
    for bank in ("lines", "transformers"):
        grid[bank]["rating"] = "40 MVA"
    return tree


def bench_of(folder, blocks, work=0.9, **distribution):
    bench = Bench(load_tree(scheme_tree(blocks, **distribution), folder), JOB)
    bench.work("job", np.arange(bench.site.rack_row.size), work)
    return bench


def break_(bench, name, lasts_s=3600.0, at_s=600.0, per="substation", effect="feed"):
    cls = FailureClass(name="break", per=per, rate="1 /year", effect=effect, repair="1 h")
    target, unit = elements(bench.site, cls)[name]
    bench.at(at_s, lambda: effects.EFFECTS[effect](bench.world, cls, target, unit, lasts_s))


def carried_w(bench):
    """Return what the busways of each lineup deliver to racks, by the lineup's name."""
    site, found = bench.site, {}
    for k, node in enumerate(site.feed_node):
        path = [site.nodes[n] for n in site.feed_paths[k]]
        lineup = next((n.name for n in path if n.name.endswith("/substation")), None)
        if lineup and "/l" in lineup:
            found.setdefault(lineup.split("/")[1], set()).add(int(node))
    return {name: float(bench.state.tree.output_w[list(nodes)].sum()) for name, nodes in found.items()}


@pytest.mark.parametrize(("scheme", "k", "blocks"), [("2N", 2, 2), ("3N/2", 3, 3), ("4N/3", 4, 6)])
def test_survivors_carry_the_load_of_a_lost_lineup(scheme, k, blocks, tmp_path):
    bench = bench_of(tmp_path, blocks, scheme=scheme)
    bench.run(540.0)
    before = carried_w(bench)
    break_(bench, "pod/l01/substation")
    bench.run(900.0)
    after = carried_w(bench)
    assert after.pop("l01") == 0.0
    group = [f"l{i + 1:02d}" for i in range(1, k)]
    total = sum(before.values())
    for name in group:  # chips warm up and draw a little more as they do
        assert after[name] / total == pytest.approx(before[name] / total * k / (k - 1), rel=1e-3)
    others = set(after) - set(group)
    assert all(after[n] / total == pytest.approx(before[n] / total, rel=1e-3) for n in others)
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert np.array_equal(bench.state.blocks.limit_w, bench.site.block_limit_w)
    bench.run(4500.0)
    assert carried_w(bench)["l01"] / total == pytest.approx(before["l01"] / total, rel=2e-3)


def test_a_lineup_within_its_rating_after_any_single_loss(tmp_path):
    bench = bench_of(tmp_path, 6, work=1.0, scheme="4N/3", share_a=0.6)
    site = bench.site
    for number, at_s in enumerate(range(600, 6600, 1500)):
        break_(bench, f"pod/l{number + 1:02d}/substation", 900.0, at_s)
    for _ in range(110):
        bench.run(bench.env.now + 60.0)
        for i, node in enumerate(site.nodes):
            if node.serves == "racks":
                assert bench.state.tree.output_w[i] <= node.rating_w * (1 + 1e-9), node.name


def test_a_catcher_takes_one_and_caps_two(tmp_path):
    bench = bench_of(tmp_path, 3, work=1.0, scheme="block_redundant", duty=3)
    limit_w = bench.site.block_limit_w[0]
    break_(bench, "pod/l01/substation")
    bench.run(1200.0)
    assert carried_w(bench)["l04"] == pytest.approx(float(bench.state.blocks.it_w[0]))
    assert "transfer" in bench.kinds()
    assert np.all(bench.state.racks.up_frac == 1.0)
    break_(bench, "pod/l02/substation", at_s=1260.0)
    bench.run(1800.0)
    assert 0.8 * limit_w < carried_w(bench)["l04"] <= limit_w  # what the control leaves of two
    break_(bench, "pod/l04/substation", 600.0, at_s=1860.0)
    bench.run(2000.0)
    up = bench.state.racks.up_frac
    racks = bench.site.rack_block
    assert np.all(up[racks < 2] == 0.0)
    assert np.all(up[racks == 2] == 1.0)
    bench.run(2460.0 + bench.site.topology.ride_through.boot + 60.0)  # the catcher is back before the others
    assert np.all(up == 1.0)


def test_a_slow_switch_starts_the_racks_anew(tmp_path):
    fast, slow = (
        bench_of(tmp_path, 2, scheme="2N", transfer=switch) for switch in ("sts", "ats"))
    for bench in (fast, slow):
        break_(bench, "pod/l01/substation")
        bench.run(700.0)
    assert np.all(fast.state.racks.up_frac == 1.0)
    first = slow.site.rack_block == 0
    assert np.all(slow.state.racks.up_frac[first] == 0.0)
    assert np.all(slow.state.racks.up_frac[~first] == 1.0)
    slow.run(1260.0)
    assert np.all(slow.state.racks.up_frac == 1.0)


def test_sections_take_one_lineup_of_each_group(tmp_path):
    bench = bench_of(tmp_path, 4, scheme="2N")
    break_(bench, "pod/section 1", per="mv_section")
    bench.run(700.0)
    carried = carried_w(bench)
    assert [carried[f"l{i:02d}"] == 0.0 for i in range(1, 9)] == [True, False] * 4
    assert np.all(bench.state.racks.up_frac == 1.0)
    break_(bench, "pod/section 2", 1200.0, at_s=720.0, per="mv_section")
    bench.run(800.0)
    assert np.all(bench.state.racks.up_frac == 0.0)
    bench.run(1920.0 + bench.site.topology.ride_through.boot + 60.0)
    assert np.all(bench.state.racks.up_frac == 1.0)


def test_modules_of_a_lineups_ups(tmp_path):
    ups = pod_tree()["topology"]["ups"] | {"modules": 5, "margin": "25 %"}
    bench = bench_of(tmp_path, 2, work=1.0, scheme="2N", ups=ups)
    break_(bench, "pod/l01/ups/module 1", per="ups_module", effect="ups")
    bench.run(900.0)
    assert np.array_equal(bench.state.blocks.limit_w, bench.site.block_limit_w)
    for module in range(2, 6):
        break_(bench, f"pod/l01/ups/module {module}", at_s=960.0, per="ups_module", effect="ups")
    bench.run(1080.0)
    assert carried_w(bench)["l01"] == 0.0
    assert np.all(bench.state.racks.up_frac == 1.0)


def test_a_busway_leaves_the_block_to_the_other(tmp_path):
    bench = bench_of(tmp_path, 2, scheme="2N")
    break_(bench, "pod/b01/busway a", per="busway")
    bench.run(700.0)
    of = slice(bench.site.feed_first[0], bench.site.feed_first[1])
    np.testing.assert_array_equal(bench.state.blocks.feed_share[of], [0.0, 1.0])


def test_a_lost_transfer_switch_takes_its_block(tmp_path):
    bench = bench_of(tmp_path, 3, scheme="block_redundant", duty=3)
    break_(bench, "pod/b02/transfer switch", per="transfer_switch", effect="transfer")
    bench.run(700.0)
    second = bench.site.rack_block == 1
    assert np.all(bench.state.racks.up_frac[second] == 0.0)
    assert np.all(bench.state.racks.up_frac[~second] == 1.0)


def test_everything_of_the_catalog_can_strike_a_hall_with_a_scheme(tmp_path):
    site = compile_site(load_tree(scheme_tree(6, scheme="4N/3", transfer="sts"), tmp_path).spec.topology)
    found = {}
    for cls in from_catalog.failure_classes("hyperscale"):
        found[cls.name] = elements(site, cls)
    assert {"pod/l01/substation", "pod/l04/substation"} <= set(found["substation"])
    assert {"pod/b01/busway a", "pod/b06/busway b", "pod/support/side 2"} <= set(found["busway"])
    assert len(found["mv_section"]) == 4
    assert len(found["transfer_switch"]) == 6


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(600, 5000), st.integers(300, 4000)),
                min_size=1, max_size=6))  # fmt: skip
def test_energy_balances_whatever_is_out(tmp_path_factory, losses):
    bench = bench_of(tmp_path_factory.mktemp("loss"), 3, scheme="block_redundant", duty=3)
    cls = FailureClass(name="break", per="substation", rate="1 /year", effect="feed", repair="1 h")
    names = [n for per in ("substation", "busway", "mv_section")
             for n in elements(bench.site, cls.model_copy(update={"per": per})) if "support" not in n]  # fmt: skip
    for which, at_s, lasts_s in losses:
        name = names[which % len(names)]
        per = next(p for p in ("substation", "busway", "mv_section")
                   if name in elements(bench.site, cls.model_copy(update={"per": p})))  # fmt: skip
        break_(bench, name, lasts_s, at_s, per)
    bench.run(6000.0)
    assert abs(balance.checks(bench.results())["energy_balance_rel"]) <= 1e-9
    share = bench.state.blocks.feed_share
    sums = np.add.reduceat(share, bench.site.feed_first[:-1])
    np.testing.assert_allclose(sums, 1.0, rtol=1e-12)
    assert np.all(bench.state.racks.power_w[bench.state.racks.up_frac == 0.0] == 0.0)


def test_the_group_of_a_plain_hall_is_its_own(tmp_path):
    bench = Bench(load_tree(pod_tree(), tmp_path), JOB)
    assert feeds.group_of(bench.world, int(bench.site.halls.feeder_node[0]))[0] == "feeder"
    assert bench.site.stand_ins == ()


@pytest.mark.parametrize(("scheme", "blocks", "kept"), [("N", 2, 0.0), ("2N", 2, 0.5), ("4N/3", 6, 0.25)])
def test_only_what_a_scheme_keeps_free_counts_as_its_reserve(tmp_path, scheme, blocks, kept):
    """A UPS's losses are none: without a scheme's reserve all that lineups can deliver is the blocks'."""
    ups = pod_tree()["topology"]["ups"]
    bench = bench_of(tmp_path, blocks, scheme=scheme, ups=ups)
    bench.run(60.0)
    places = bench.results().tables["places"]
    reserve = 1.0 - places["limit_w"].sum() / places["rated_w"].sum()
    assert reserve == pytest.approx(kept, abs=0.01 if kept else 1e-9)  # losses at another load move it a little
    assert np.array_equal(places["built_w"], places["rated_w"])
