"""Every accelerator of a hall: consistent with the plan's racks, its power, its hottest chip."""

import numpy as np
import pytest
from small import load_tree, pod_tree

from simulator.engine.hall_probe import HallProbe
from simulator.simulation import build
from simulator.studies import StudyError, zoom, zoom_hall

HOURS = 3


def tree_of(supply="40 degC"):
    tree = pod_tree()
    work = {"kind": "batch", "name": "batch", "backlog": "1e6 h", "power": "95 %"}
    tree["workloads"] = [work]
    tree["topology"]["cooling"]["supply"] = supply
    tree["reliability"] = {"rate_scale": 0}
    tree["period"]["duration"] = f"{HOURS} h"
    return tree


def zoomed(folder, start_s=0.0, minutes=60 * HOURS, by="accelerator", **changes):
    run = build(load_tree(tree_of(**changes), folder))
    probe = HallProbe(run.world, 0, start_s, minutes)
    run.world.env.process(probe.watch())
    run.advance(start_s + 60.0 * minutes)
    return run, probe, zoom.zoomed(run, 0, probe, zoom.Asked(by=by, top=1000))


@pytest.fixture(scope="module")
def cool(tmp_path_factory):
    return zoomed(tmp_path_factory.mktemp("cool"), start_s=3600.0, minutes=60 * (HOURS - 1))


@pytest.fixture(scope="module")
def hot(tmp_path_factory):
    return zoomed(tmp_path_factory.mktemp("hot"), supply="54 degC")


def test_the_hottest_chip_of_a_rack_is_the_plans_junction(cool):
    run, _, found = cool
    racks = found.tables["zoom_racks"]
    zoom_c = racks.groupby("rack", sort=False)["junction_max_c"].max().to_numpy()
    plan_c = run.world.state.racks.junction_c
    np.testing.assert_allclose(zoom_c, plan_c, atol=0.8)  # its neighbours leak less, upstream
    order = np.argsort(plan_c)
    assert zoom_c[order[-1]] == zoom_c.max() and zoom_c[order[0]] == zoom_c.min()


def test_power_is_the_plans_less_what_cooler_chips_do_not_leak(cool):
    run, _, found = cool
    hall, rack = found.tables["zoom_hall"].iloc[0], run.world.site.rack_types[0]
    assert -0.01 < hall["power_frac"] < 0.0
    chip = run.world.site.chips[0]
    spread_k = float(np.ptp(found.tables["zoom_hottest"]["junction_max_c"]))
    most_w = chip.leakage_w_per_k * spread_k * rack.accelerators * hall["racks"] * 1.04
    assert -hall["power_frac"] * hall["plan_power_w"] < most_w


def test_chips_behind_others_run_hotter_and_each_table_counts_them_all(cool):
    _, _, found = cool
    every = found.tables["zoom_hottest"]
    assert len(every) == 576 and every["server"].nunique() == 8 * 18
    mean_c = every.groupby("position")["junction_max_c"].mean()
    assert 3.0 < mean_c[2] - mean_c[1] < 6.0  # half of 10 K at 95 % of full power
    shares = found.tables["zoom_distribution"]
    assert shares["time_frac"].sum() == pytest.approx(1.0)
    assert shares["peak_frac"].sum() == pytest.approx(1.0)
    assert found.tables["zoom_hall"]["slowed_accelerators"][0] == 0


def test_heat_slows_chips_one_by_one_and_takes_less_than_the_plan_that_slows_racks(hot):
    _, _, found = hot
    hall = found.tables["zoom_hall"].iloc[0]
    assert 0 < hall["slowed_accelerators"] < hall["accelerators"]
    lost, plan = hall["throttled_accelerator_hours"], hall["plan_throttled_accelerator_hours"]
    assert 0.0 < lost < plan
    every = found.tables["zoom_hottest"]
    assert every["lost_h"].is_monotonic_decreasing
    assert every["lost_h"].sum() == pytest.approx(lost)
    assert every.loc[every["lost_h"] > 0.0, "junction_max_c"].min() > hall["throttle_c"]


def test_by_server_the_sums_are_the_same(hot, tmp_path):
    run, probe, found = hot
    servers = zoom.zoomed(run, 0, probe, zoom.Asked(by="server", top=1000)).tables["zoom_hottest"]
    every = found.tables["zoom_hottest"]
    assert len(servers) == 8 * 18 and "accelerator" not in servers
    assert servers["lost_h"].sum() == pytest.approx(every["lost_h"].sum())
    assert servers["junction_max_c"].max() == every["junction_max_c"].max()


def test_undoing_a_racks_power_gives_the_work_it_was_asked_for(cool):
    run, probe, _ = cool
    rack = run.world.site.rack_types[0]
    hall = zoom_hall.demand(probe.seen(), rack, zoom_hall.chip_of_hall(run.world.site, rack))
    np.testing.assert_allclose(hall.dynamic[1:], 0.95, rtol=1e-9)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"hall": "pood"}, "did you mean 'pod'"),
        ({"start": "soon"}, "neither a time nor a duration"),
        ({"start": "4 h"}, "not inside the period"),
        ({"start": "90 s"}, "no whole minute"),
        ({"duration": "5 h"}, "end with the run"),
        ({"duration": "a while"}, "--duration 'a while'"),
    ],
)
def test_what_is_wrong_is_said(asked, told, tmp_path):
    load_tree(tree_of(), tmp_path)
    with pytest.raises(StudyError, match=told):
        zoom.study(tmp_path / "scenario.yaml", zoom.Asked(**asked))
