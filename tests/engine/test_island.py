"""The whole supply is lost: every lineup lives on its own battery until a source on site takes it."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import effects
from simulator.engine.world import REST
from simulator.kernels import columns as c
from simulator.metrics.balance import checks

LOST_S = 615.0
JOB = (Load("job", "training", 0),)
UPS = {"loss": {"no_load": "1 %", "load": "2 %"}, "margin": "10 %", "modules": 1}
SETS = {"rating": "100 kW", "start": "10 s", "fail_to_start": 0.0, "fail_running": "0 /h"}


def lost(folder, lasts_s=7200.0, ups="5 min", busy=(0, 1), **topology):
    """Return a pod of two lineups whose lines all go at `LOST_S`, the racks of some blocks at work."""
    folder.mkdir(exist_ok=True)
    tree = pod_tree()
    hall, grid = tree["topology"]["halls"][0], tree["topology"]["grid"]
    hall["blocks"], hall["distribution"] = 2, {"scheme": "N"}
    hall["block"]["rating"] = "1.3 MVA"
    if ups:
        hall["distribution"]["ups"] = UPS | {"ride_through": ups}
    hall["feeders"] = {"count": 2, "rating": "30 MVA"}
    for bank in ("lines", "transformers"):
        grid[bank]["rating"] = "40 MVA"
    tree["topology"] |= topology
    bench = Bench(load_tree(tree, folder), JOB)
    bench.work("job", np.flatnonzero(np.isin(bench.site.rack_block, busy)), 0.9)
    cls = FailureClass(name="break", per="line", rate="1 /year", effect="line", repair="1 h")
    for line in range(bench.site.nodes[0].count):
        bench.at(LOST_S, lambda line=line: effects.EFFECTS["line"](bench.world, cls, 0, line, lasts_s))
    return bench


def told(bench, kind):
    return {name: t for t, is_kind, name, *_ in bench.world.events if is_kind == kind}


def up(bench):
    block = bench.site.rack_block
    return [float(bench.state.racks.up_frac[block == b].mean()) for b in np.unique(block)]


def boot_s(bench):
    """Racks of a job, and idle ones, boot; a job restarts by its own rules."""
    return bench.site.topology.ride_through.boot


def closes(bench):
    return abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_every_lineup_lives_on_its_own_charge(tmp_path):
    """The first lineup works, the second is at rest: it lasts longer by what it draws less."""
    bench = lost(tmp_path, busy=(0,))
    bench.run(600.0)
    nodes = [i for i, node in enumerate(bench.site.nodes) if node.stage == c.STAGES.index("ups")
             and node.serves == "racks"]  # fmt: skip
    drawn_w = bench.state.tree.input_w[nodes].copy()
    full_j = [bench.site.nodes[i].rating_w * bench.site.nodes[i].ride_through_s for i in nodes]
    bench.run(LOST_S + 3600.0)
    rests = told(bench, "battery_rests")
    for i, draw_w, charge_j in zip(nodes, drawn_w, full_j, strict=True):
        lasts_s = charge_j / draw_w
        assert rests[bench.site.nodes[i].name] - LOST_S == pytest.approx(lasts_s, rel=0.02, abs=2.0)
    assert up(bench) == [0.0, 0.0]
    bench.run(LOST_S + 7200.0 + boot_s(bench) + 120.0)
    assert up(bench) == [1.0, 1.0]
    assert closes(bench)


def test_what_two_lines_carried_counts_until_both_go_at_once(tmp_path):
    """Neither carries the campus alone; the second goes in the same instant as the first."""
    grid = pod_tree()["topology"]["grid"] | {"power_factor": 1.0}
    grid["transformers"]["rating"], grid["lines"]["rating"] = "40 MVA", "2 MVA"
    bench = lost(tmp_path, grid=grid)
    bench.run(600.0)
    drawn_w = float(bench.state.tree.input_w[0])
    assert 2e6 < drawn_w < 3.5e6
    into_j = []
    bench.at(LOST_S, lambda: into_j.append(float(bench.state.supply.early_j[0])))
    bench.run(LOST_S + 1.0)
    assert into_j == pytest.approx([drawn_w * (LOST_S % 60.0)])


def test_a_lineup_that_is_out_already_asks_for_nothing(tmp_path):
    """Its substation goes at 10 min, the lines go at 615 s: the other lineup lives on its own charge."""
    bench = lost(tmp_path)
    node = bench.site.lineups[0]
    cls = FailureClass(name="break", per="substation", rate="1 /year", effect="feed", repair="1 h")
    bench.at(600.0, lambda: effects.EFFECTS["feed"](bench.world, cls, node, 0, 2 * 7200.0))
    bench.run(LOST_S + 60.0)
    assert bench.world.needs_w[node] == 0.0 and bench.world.needs_w[bench.site.lineups[1]] > 0.0
    bench.run(LOST_S + 7200.0 + boot_s(bench) + 120.0)
    assert up(bench) == [0.0, 1.0]
    assert closes(bench)


def test_what_came_before_the_loss_was_imported(tmp_path):
    """Fifteen seconds into a minute the lines go: that minute's import is a quarter of the last one's."""
    bench = lost(tmp_path)
    bench.run(720.0)
    before_w, then_w, after_w = bench.minutes(c.POI_W)[9:12]
    assert then_w == pytest.approx(before_w / 4.0, rel=1e-6)
    assert after_w == pytest.approx(0.0, abs=1e-6)
    assert closes(bench)


def test_generators_take_lineups_one_by_one_as_their_steps_allow(tmp_path):
    """One set a second: the bus takes a lineup, as a whole, with the set that makes it enough."""
    bench = lost(tmp_path / "none", generators=SETS | {"count": 0})
    bench.run(LOST_S + 1.0)
    needs_w = bench.world.needs_w
    first, second = (needs_w[node] for node in bench.site.lineups)
    count = int(np.ceil((needs_w[REST] + first + second) / 100e3)) + 2
    bench = lost(tmp_path / "some", generators=SETS | {"count": count, "synchronise": f"{count - 1} s"})
    bench.run(LOST_S + 120.0)
    rests = told(bench, "battery_rests")
    for name, need_w in (("pod/l01/ups", first), ("pod/l02/ups", first + second)):
        sets = int(np.ceil((needs_w[REST] + need_w) / 100e3))
        assert rests[name] == pytest.approx(LOST_S + 10.0 + sets - 1, abs=1e-6)
    assert up(bench) == [1.0, 1.0]
    assert "shed" not in bench.kinds()
    assert closes(bench)


def test_without_a_battery_a_lineup_is_dark_until_the_sets_take_it(tmp_path):
    bench = lost(tmp_path, ups=None, generators=SETS | {"count": 60})
    bench.run(LOST_S + 10.0 + boot_s(bench) + 60.0)
    assert [(name, s) for _, kind, name, _, s, _ in bench.world.events if kind == "dark"] == [("pod", 10.0)]
    assert told(bench, "racks_back") == {"pod": LOST_S + 10.0 + boot_s(bench)}
    assert up(bench) == [1.0, 1.0]
    assert closes(bench)


def test_a_lineup_that_no_set_can_take_is_dark_until_the_lines_are_back(tmp_path):
    bench = lost(tmp_path, lasts_s=3600.0, ups="1 min", generators=SETS | {"count": 1})
    bench.run(LOST_S + 600.0)
    assert up(bench) == [0.0, 0.0]
    bench.run(LOST_S + 3600.0 + boot_s(bench) - 60.0)
    assert up(bench) == [0.0, 0.0]
    bench.run(LOST_S + 3600.0 + boot_s(bench) + 60.0)
    assert up(bench) == [1.0, 1.0]
    assert closes(bench)


def test_loads_on_batteries_are_not_shed_for_want_of_supply(tmp_path):
    bench = lost(tmp_path, lasts_s=180.0)
    bench.run(LOST_S + 170.0)
    assert up(bench) == [1.0, 1.0]
    assert np.all(bench.state.loads.on[bench.state.loads.count > 0.0] == 1.0)
    assert "shed" not in bench.kinds()
