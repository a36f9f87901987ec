"""Bad pushes: a share of the servers, hall by hall until noticed; silent corruption: found late."""

import numpy as np
import pytest
from small import Bench, Load, load_tree, pod, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import effects

LOADS = (Load("job", "training", 0, synchronous=True), Load("fill", "batch", 0))
HALLS, RACKS, SERVERS = 4, 8, 18


def pushed(folder, detection, share=0.3, lasts_s=3600.0):
    """Return four equal halls at work, a push at minute ten, and the alarms it raised."""
    tree = pod_tree()
    tree["topology"]["halls"][0]["count"] = HALLS
    tree["topology"]["grid"]["lines"]["rating"] = "20 MVA"
    tree["topology"]["grid"]["transformers"]["rating"] = "20 MVA"
    bench, alarms = Bench(load_tree(tree, folder), LOADS), []
    bench.world.alarms[bench.work("job", np.arange(12))] = alarms.append
    bench.work("fill", np.arange(12, HALLS * RACKS))
    cls = FailureClass(
        name="push", per="hall_group", rate="1 /year", effect="push", repair="1 h", reset="1 h",
        detection=detection, detection_spread=0.0, push_share=share, push_wave="1 h",
    )
    bench.at(600.0, lambda: effects.EFFECTS["push"](bench.world, cls, 0, 0, lasts_s))
    return bench, alarms


@pytest.mark.parametrize(("detection", "reached"), [("1 min", 1), ("90 min", 2), ("10 h", 4)])
def test_halls_are_reached_one_by_one_until_it_is_noticed(detection, reached, tmp_path):
    bench, _ = pushed(tmp_path, detection, lasts_s=8 * 3600.0)
    bench.run(5 * 3600.0)
    down = bench.state.servers_down.reshape(HALLS, RACKS).sum(axis=1)
    assert np.all(down[:reached] > 0) and np.all(down[reached:] == 0)
    assert bench.kinds().count("push") == reached
    mean = reached * RACKS * SERVERS * 0.3
    assert down.sum() == pytest.approx(mean, abs=4 * (0.7 * mean) ** 0.5)


def test_a_rollback_brings_every_server_back(tmp_path):
    bench, _ = pushed(tmp_path, "1 min")
    bench.run(600.0 + 3660.0)
    assert np.all(bench.state.servers_down == 0.0)
    assert np.all(bench.state.racks.up_frac == 1.0)


def test_each_load_is_told_once_a_wave(tmp_path):
    bench, alarms = pushed(tmp_path, "90 min", share=1.0)
    bench.run(2 * 3600.0)
    assert [a.cause for a in alarms] == ["push", "push"]
    np.testing.assert_array_equal(alarms[0].racks, np.arange(8))
    np.testing.assert_array_equal(alarms[1].racks, np.arange(8, 12))
    assert alarms[0].transient


def corrupted(spread, rack=1, at_s=600.0):
    bench, alarms = Bench(pod(), LOADS), []
    bench.world.alarms[bench.work("job", np.arange(4))] = lambda a: alarms.append((bench.env.now, a))
    cls = FailureClass(
        name="sdc", per="accelerator", rate="1 /year", effect="corrupt", repair="1 h",
        detection="2 h", detection_spread=spread,
    )
    bench.at(at_s, lambda: effects.EFFECTS["corrupt"](bench.world, cls, rack, 0, 1800.0))
    return bench, alarms


def test_corruption_is_told_when_it_is_found_with_how_long_it_was_silent():
    bench, alarms = corrupted(spread=0.0)
    bench.run(600.0 + 7140.0)
    assert alarms == [] and np.all(bench.state.racks.up_frac == 1.0)
    bench.run(600.0 + 7260.0)
    (at_s, alarm), = alarms
    assert at_s == pytest.approx(7800.0)
    assert alarm.silent_s == pytest.approx(7200.0)
    assert not alarm.transient and alarm.racks.tolist() == [1]
    assert bench.state.racks.up_frac[1] == pytest.approx(17 / 18)
    bench.run(600.0 + 7200.0 + 1860.0)
    assert bench.state.racks.up_frac[1] == 1.0
    assert "corruption_found" in bench.kinds()


def test_the_time_to_find_corruption_is_lognormal_around_its_median():
    found_s = []
    for rack in range(4):
        for k in range(8):
            bench, alarms = corrupted(spread=1.0, rack=rack, at_s=60.0 * (k + 1))
            bench.run(80_000.0)
            found_s += [alarm.silent_s for _, alarm in alarms]
    assert len(found_s) > 26  # a day sees all but one in a hundred
    logs = np.log(np.array(found_s) / 7200.0)
    assert np.median(logs) == pytest.approx(0.0, abs=0.6)
    assert np.std(logs) == pytest.approx(1.0, abs=0.4)
