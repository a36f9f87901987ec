"""Racks that come back while power may rise only so fast."""

import numpy as np
import pytest
from small import Bench, load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import effects
from simulator.engine.outage_log import of_one_stage
from simulator.engine.state import Load
from simulator.kernels import columns as c
from simulator.metrics import balance

LOADS = (Load("low", "batch", 0, False, 1), Load("high", "batch", 0, False, 9))
BOOT_S, AT_S, OUT_S = 240.0, 600.0, 600.0
RAMP_W = 150e3
"""A minute."""


@pytest.fixture(scope="module", params=[None, "150 kW/min"])
def back(request, tmp_path_factory):
    """Return a pod without its feeder for ten minutes, with a ramp and without, that comes back."""
    tree = pod_tree()
    tree["topology"]["halls"][0]["feeders"] = {"count": 1, "rating": "2 MVA"}
    told = {"boot": f"{BOOT_S:g} s", "restart": "0 s", "machines_ramp": "0 s"}
    tree["topology"]["ride_through"] = told | ({"ramp": request.param} if request.param else {})
    bench = Bench(load_tree(tree, tmp_path_factory.mktemp("ramp")), LOADS)
    bench.work("low", np.arange(4))
    bench.work("high", np.arange(4, 8))
    cls = FailureClass.model_validate(
        {"name": "break", "rate": "0 /year", "effect": "feeder", "repair": "1 h", "per": "feeder"},
        context={"si": True},
    )
    node = int(bench.site.halls.feeder_node[0])
    bench.at(AT_S, lambda: effects.inflict(bench.world, cls, node, 0, of_one_stage("repair", AT_S + OUT_S)))
    bench.on_s = np.full(8, np.inf)
    while bench.env.now < 7200.0 - 60.0 and bench.physics.step * 60.0 < 7000.0:
        bench.run(bench.physics.step * 60.0 + 60.0)
        now_s = bench.physics.step * 60.0
        up = (bench.state.racks.up_frac > 0.0) & (now_s > AT_S + OUT_S)
        bench.on_s = np.where(up, np.minimum(bench.on_s, now_s), bench.on_s)
    return request.param, bench


def after(bench, column=c.IT_W):
    return bench.minutes(column)[int((AT_S + OUT_S) // 60) - 1 :]


def test_power_rises_as_the_site_says_or_at_once(back):
    """At the interconnection: racks and their work take what all else leaves of it."""
    ramp, bench = back
    rises_w = np.diff(after(bench, c.POI_W))
    if ramp is None:
        assert rises_w.max() > 3.0 * RAMP_W
    else:
        assert rises_w.max() <= RAMP_W * (1.0 + 1e-6)


def test_all_of_it_comes_back(back):
    _, bench = back
    before_w, it_w = bench.minutes(c.IT_W)[int(AT_S // 60) - 1], after(bench)
    assert it_w[-1] == pytest.approx(before_w, rel=1e-3)
    assert np.all(bench.state.racks.up_frac == 1.0) and np.all(bench.state.loads.cap == 1.0)
    assert bench.world.ramp_caps is None and not bench.world.dark
    assert bench.kinds().count("racks_back") == 1
    for name, value in balance.checks(bench.results()).items():
        assert value <= 1e-9, name


def test_the_highest_priority_comes_first_and_no_minute_is_wasted(back):
    ramp, bench = back
    if ramp is None:
        assert np.all(bench.on_s == bench.on_s[0])
        return
    assert bench.on_s[4:].max() <= bench.on_s[:4].min()
    it_w = after(bench)
    missing_w = bench.minutes(c.IT_W)[int(AT_S // 60) - 1] - it_w[0]
    least = missing_w / RAMP_W + BOOT_S / 60.0
    taken = int(np.argmax(it_w >= it_w[-1] - 1.0))
    assert least <= taken <= 1.35 * least  # cooling takes its part of the ramp
