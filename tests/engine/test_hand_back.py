"""Import comes back to a campus that lives on its own, no faster than power may rise."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import effects
from simulator.engine.outage_log import of_one_stage
from simulator.kernels import columns as c
from simulator.metrics.balance import checks

LOST_S, OUT_S, RAMP_W = 615.0, 900.0, 200e3
"""A minute."""
SETS = {"count": 16, "rating": "200 kW", "start": "10 s", "fail_to_start": 0.0, "fail_running": "0 /h"}
UPS = {"loss": {"no_load": "1 %", "load": "2 %"}, "margin": "10 %", "modules": 1, "ride_through": "40 min"}


def back(folder, sets, out_s=OUT_S, ramp_w=RAMP_W, again=(), **distribution):
    """Return a pod of two lineups without lines for a quarter of an hour or so, run until all is back."""
    tree = pod_tree()
    hall, grid = tree["topology"]["halls"][0], tree["topology"]["grid"]
    hall |= {"blocks": 2, "feeders": {"count": 2, "rating": "30 MVA"}, "distribution": {"scheme": "N"} | distribution}
    hall["block"]["rating"] = "1.3 MVA"
    for bank in ("lines", "transformers"):
        grid[bank]["rating"] = "40 MVA"
    tree["topology"] |= {"generators": sets, "ride_through": {"ramp": f"{ramp_w:g} W/min"}}
    tree["topology"]["ups"] |= {"ride_through": "5 min"}
    bench = Bench(load_tree(tree, folder), (Load("job", "training", 0),))
    bench.work("job", np.arange(bench.site.rack_row.size), 0.9)
    cls = FailureClass(name="break", per="line", rate="1 /year", effect="line", repair="1 h")
    for at_s, lasts_s in ((LOST_S, out_s), *again):
        for line in range(2):
            bench.at(at_s, lambda line=line, back_s=at_s + lasts_s: effects.inflict(
                bench.world, cls, 0, line, of_one_stage("repair", back_s)))
    bench.run(LOST_S + OUT_S + 3600.0)
    return bench


def told(bench, kind):
    return [t for t, is_kind, *_ in bench.world.events if is_kind == kind]


def test_what_sets_carried_goes_back_as_the_grid_lets_it(tmp_path):
    """Nothing that worked stands still for it: sets give what is not imported yet."""
    bench = back(tmp_path, SETS, ups=UPS)
    poi_w, onsite_w, it_w = (bench.minutes(column) for column in (c.POI_W, c.ONSITE_W, c.IT_W))
    first = int((LOST_S + OUT_S) // 60)
    assert np.diff(poi_w[first - 1 :]).max() <= RAMP_W * (1.0 + 1e-9)
    (returned_s,), (handed_s,) = told(bench, "supply_returned"), told(bench, "handed_back")
    minutes = onsite_w[first - 1] / RAMP_W
    assert minutes <= (handed_s - returned_s) / 60.0 <= minutes + 4.0
    # in the last of these minutes batteries charge, which sets do not do for them
    assert np.all(onsite_w[first : int(handed_s // 60) - 2] > 0.0) and onsite_w[int(handed_s // 60) + 1] == 0.0
    assert it_w[12:].min() == pytest.approx(it_w[9], rel=0.01)
    assert np.all(bench.state.racks.up_frac == 1.0) and bench.world.back_w is None and not bench.world.needs_w
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_lineups_on_their_ups_are_taken_one_by_one(tmp_path):
    """Without a set the first is taken once the ramp carries it, the second once it carries both."""
    bench = back(tmp_path, SETS | {"count": 0}, 120.0, 3.0 * RAMP_W, ups=UPS)
    rests = {name: t for t, kind, name, *_ in bench.world.events if kind == "battery_rests"}
    first_s, second_s = rests["pod/l01/ups"], rests["pod/l02/ups"]
    lineup_w = float(bench.state.tree.input_w[bench.site.lineups[0]])
    assert (second_s - first_s) / 60.0 == pytest.approx(lineup_w / (3.0 * RAMP_W), abs=1.0)
    assert LOST_S + 120.0 + 60.0 * lineup_w / (3.0 * RAMP_W) <= first_s
    assert np.all(bench.state.racks.up_frac == 1.0) and told(bench, "dark") == []
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_racks_without_power_wait_until_the_rest_is_back(tmp_path):
    bench = back(tmp_path, SETS | {"count": 2}, **{})
    poi_w = bench.minutes(c.POI_W)[int((LOST_S + OUT_S) // 60) - 1 :]
    assert np.diff(poi_w).max() <= RAMP_W * 1.02  # plants answer to what racks draw a minute later
    (handed_s,), (racks_s,) = told(bench, "handed_back"), told(bench, "racks_back")
    assert LOST_S + OUT_S < handed_s <= racks_s - bench.site.topology.ride_through.boot
    assert bench.minutes(c.IT_W)[int(handed_s // 60)] > bench.minutes(c.IT_W)[int(handed_s // 60) - 1]
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_a_second_loss_on_the_way_back_begins_it_anew(tmp_path):
    """The lines go again three minutes after they came back, for seconds and for minutes: sets go on, and the
    ramp begins at nothing each time."""
    bench = back(tmp_path, SETS, 300.0, again=((1095.0, 20.0), (1395.0, 600.0)), ups=UPS)
    poi_w = bench.minutes(c.POI_W)
    for returned_s in (915.0, 1115.0, 1995.0):
        minute = int(returned_s // 60)
        assert np.diff(poi_w[minute : minute + 4]).max() <= RAMP_W * (1.0 + 1e-9)
    assert poi_w[24:33].max() == pytest.approx(0.0, abs=1e-6)
    assert poi_w[23] == pytest.approx((poi_w[22] + RAMP_W) * 15.0 / 60.0)  # until the lines go at 1395 s
    assert len(told(bench, "supply_returned")) == 3 and len(told(bench, "handed_back")) == 1
    assert len(told(bench, "generators_started")) == 1
    assert np.all(bench.state.racks.up_frac == 1.0)
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_a_second_loss_leaves_racks_dark_that_sets_do_not_carry(tmp_path):
    """Two sets of 200 kW carry neither lineup, before the return, on the way back, or after it ended too soon."""
    bench = back(tmp_path, SETS | {"count": 2}, 300.0, again=((975.0, 1500.0),))
    poi_w, it_w = bench.minutes(c.POI_W), bench.minutes(c.IT_W)
    assert poi_w[17:41].max() <= 1e-6 and told(bench, "shed") == [] and told(bench, "overload") == []
    assert it_w[17:41].max() <= it_w[14]
    assert np.all(bench.state.racks.up_frac == 1.0) and not bench.world.forgotten
    assert abs(checks(bench.results())["energy_balance_rel"]) <= 1e-9


def test_batteries_that_charge_keep_to_the_ramp(tmp_path):
    """Their charge is drawn on top of all else, and sets go on until the import has grown to carry it too."""
    ramp_w = 0.5 * RAMP_W
    bench = back(tmp_path, SETS | {"count": 8}, 300.0, ramp_w, again=((975.0, 20.0),), ups=UPS)
    (handed_s,) = told(bench, "handed_back")
    steps_w = np.diff(bench.minutes(c.POI_W)[int(handed_s // 60) - 3 :])
    assert steps_w.max() <= ramp_w * (1.0 + 1e-9)
    assert bench.state.supply.ride_through_j[0] == pytest.approx(bench.state.supply.ride_through_capacity_j[0])
