"""Racks without accelerators: carried by their UPS, then dark, and by what is generated on site."""

from pathlib import Path

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_tree

from simulator import scenario as scenarios
from simulator.components.failure_class import FailureClass
from simulator.engine import effects, support
from simulator.engine.outage_log import of_one_stage
from simulator.kernels import columns as c
from simulator.metrics.balance import checks
from simulator.simulation import build

RING = Path(__file__).parents[2] / "scenarios" / "ring-hall.yaml"
LOST_S, OUT_S = 615.0, 3600.0


def lost(folder, effect="line", lasts_s=OUT_S, **topology):
    """Return a pod whose lines, feeders or sides of support racks all go at `LOST_S`."""
    tree = pod_tree()
    tree["topology"] |= topology
    tree["topology"]["ups"] |= {"ride_through": "3 min"}
    bench = Bench(load_tree(tree, folder), (Load("job", "training", 0),))
    bench.work("job", np.arange(bench.site.rack_row.size), 0.9)
    target = {"line": 0, "feeder": int(bench.site.halls.feeder_node[0]), "block": block(bench)}[effect]
    cls = FailureClass(name="break", per="block", rate="1 /year", effect=effect, repair="1 h")
    for unit in range(2):
        bench.at(LOST_S, lambda unit=unit: effects.inflict(
            bench.world, cls, target, unit, of_one_stage("repair", LOST_S + lasts_s)))
    return bench


def block(bench):
    return bench.site.block_names.index("pod/support")


def told(bench, kind):
    return [t for t, is_kind, *_ in bench.world.events if is_kind == kind]


def closes(bench):
    return abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_without_import_they_live_as_long_as_the_charge_of_all_ups(tmp_path):
    """The store gives what the campus draws: all of it is gone when they go dark, and nothing came from
    anywhere else but the no-load losses of the rest of that minute."""
    bench = lost(tmp_path, generators={"count": 0, "rating": "100 kW", "start": "10 s"})
    full_j = float(bench.state.supply.ride_through_j[0])
    bench.run(LOST_S + 1500.0)
    (dark_s,) = told(bench, "support_dark")
    last, minutes = int(dark_s // 60), bench.minutes
    given_j = -60.0 * minutes(c.BATTERY_W)[10 : last + 1].sum()
    assert given_j == pytest.approx(full_j, rel=1e-9)
    assert minutes(c.POI_W)[11 : last].max() == pytest.approx(0.0, abs=1e-6)
    assert minutes(c.POI_W)[last] <= minutes(c.LOSSES_W)[last] < 0.1 * minutes(c.IT_W)[last - 1]
    for column in (c.POI_W, c.LOSSES_W, c.IT_W):
        assert minutes(column)[last + 1 :].max() == 0.0
    carried = (dark_s - 60.0 * last) / 60.0
    assert minutes(c.IT_W)[last] == pytest.approx(carried * minutes(c.IT_W)[last - 1], rel=1e-6)
    bench.run(LOST_S + OUT_S + 1800.0)
    assert told(bench, "support_fed") == [LOST_S + OUT_S]
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert closes(bench)


def test_sets_on_site_carry_them(tmp_path):
    sets = {"count": 3, "rating": "100 kW", "start": "10 s", "fail_to_start": 0.0, "fail_running": "0 /h"}
    bench = lost(tmp_path, generators=sets)
    bench.run(LOST_S + 1500.0)
    assert not told(bench, "support_dark") and np.all(bench.world.support.fed == 1.0)
    assert bench.minutes(c.ONSITE_W)[-1] >= bench.state.blocks.support_w.sum()
    assert closes(bench)


@pytest.mark.parametrize(("effect", "bridged"), [("feeder", True), ("block", False)])
def test_they_draw_nothing_without_a_path_and_all_once_it_is_back(effect, bridged, tmp_path):
    bench = lost(tmp_path, effect)
    b = block(bench)
    bench.run(600.0)
    drawn_w = float(bench.state.blocks.it_w[b])
    bench.run(LOST_S + 1500.0)
    (dark_s,) = told(bench, "support_dark")
    assert (dark_s > LOST_S + 60.0) == bridged
    assert bench.state.blocks.it_w[b] == 0.0 and np.all(bench.state.racks.up_frac == 0.0)
    bench.run(LOST_S + OUT_S + 60.0)
    assert told(bench, "support_fed") == [LOST_S + OUT_S]
    bench.run(LOST_S + OUT_S + 180.0)
    assert bench.state.blocks.it_w[b] == pytest.approx(drawn_w, rel=1e-12)
    bench.run(LOST_S + OUT_S + bench.site.topology.ride_through.boot + 60.0)
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert closes(bench)


def test_use_that_changes_in_the_dark_shows_in_the_light(tmp_path):
    bench = lost(tmp_path, "block")
    b, rack = block(bench), bench.site.support[0].rack.name
    bench.at(LOST_S + 100.0, lambda: support.occupy(bench.world, rack, 1.0))
    bench.run(LOST_S + 300.0)
    assert bench.state.blocks.it_w[b] == 0.0
    bench.run(LOST_S + OUT_S + 180.0)
    asked_w = bench.world.support.full_w[b]
    assert asked_w > bench.site.block_support_w[b]
    assert bench.state.blocks.it_w[b] == pytest.approx(asked_w, rel=1e-12)


def test_behind_a_network_nothing_is_fed_before_the_ramp_begins_and_the_return_is_foretold():
    """Without generators, in a ring: all lines lost for 40 minutes, the return held by a ramp."""
    lost = [{"cause": "line", "element": f"lines/{k}", "at": "1 h", "lasts": "40 min"} for k in (1, 2)]
    run = build(scenarios.load(RING, [
        ("period.duration", "2 h"), ("topology.ride_through.ramp", "1 MW/min"), ("topology.generators", None),
        ("incidents", lost),
    ]))  # fmt: skip
    run.advance(run.world.end_s)
    site, events = run.records.site, run.world.events
    # but the no-load losses of the rest of the minute in which the last battery is empty
    assert site[site[:, c.LIMIT_W] <= 0.0, c.POI_W].max() <= 5e-3 * site[50, c.POI_W]
    (returned_s,) = [t for t, kind, *_ in events if kind == "supply_returned"]
    assert not [t for t, kind, *_ in events if kind == "plants_lost" and t >= returned_s]
    foretold_s = [event[4] for event in events if event[1] == "support_dark"]
    assert foretold_s and max(foretold_s) < 2400.0
    assert np.all(run.world.support.fed == 1.0) and run.world.back_w is None
