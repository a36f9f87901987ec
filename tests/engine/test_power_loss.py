"""Racks that lost power boot and restart, whatever took it; what they wait for; what is told of it."""

from functools import partial

import numpy as np
import pytest
from small import Bench, load_tree, pod_tree

from simulator.components.failure_class import FailureClass
from simulator.engine import capping, downtime, effects, recorder
from simulator.engine.outage_log import of_one_stage
from simulator.engine.state import Load
from simulator.kernels import columns as c
from simulator.metrics import balance

LOADS = (Load("job", "training", 0, 0), Load("crowd", "batch", 0, 0))
BOOT_S, RESTART_S, OUT_S, AT_S = 300.0, 420.0, 600.0, 600.0


def bench_of(folder):
    """Return a pod of which the first two racks are a job's, the next two a crowd's, the rest idle."""
    tree = pod_tree()
    tree["topology"]["halls"][0]["feeders"] = {"count": 1, "rating": "2 MVA"}
    tree["topology"]["ride_through"] = {"boot": f"{BOOT_S:g} s", "restart": f"{RESTART_S:g} s"}
    bench = Bench(load_tree(tree, folder), LOADS)
    bench.work("job", np.array([0, 1]))
    bench.work("crowd", np.array([2, 3]))
    return bench


def strike(bench, effect, lasts_s, at_s=AT_S):
    told = {"per": "connection", "voltage": "40 %"} if effect == "sag" else {"per": "feeder"}
    given = {"name": "break", "rate": "0 /year", "effect": effect, "repair": "1 h"} | told
    cls = FailureClass.model_validate(given, context={"si": True})
    target = 0 if effect == "sag" else int(bench.site.halls.feeder_node[0])
    bench.at(at_s, lambda: effects.inflict(bench.world, cls, target, 0, of_one_stage("repair", at_s + lasts_s)))


def events(bench, *kinds):
    return [(kind, t, s) for t, kind, _, _, s, _ in bench.world.events if kind in kinds]


@pytest.mark.parametrize(("effect", "lasts_s"), [("feeder", OUT_S), ("sag", 0.2)])
def test_what_lost_power_boots_and_what_has_no_restart_of_its_own_restarts(effect, lasts_s, tmp_path):
    bench = bench_of(tmp_path)
    strike(bench, effect, lasts_s)
    up, fed_s = bench.state.racks.up_frac, AT_S + lasts_s
    bench.run(fed_s + BOOT_S - 1.0)
    assert not up.any()
    bench.run(fed_s + BOOT_S + 1.0)
    assert np.array_equal(np.flatnonzero(up == 0.0), [2, 3])  # the crowd
    bench.run(fed_s + BOOT_S + RESTART_S + 61.0)
    assert np.all(up == 1.0)
    starts_s = BOOT_S + RESTART_S
    told = events(bench, "dark", "racks_back")
    assert [kind for kind, *_ in told] == ["dark", "racks_back"]
    assert told[0][1:] == pytest.approx((AT_S, lasts_s))
    assert told[1][1:] == pytest.approx((fed_s + starts_s, lasts_s + starts_s))
    table = downtime.table(bench.site, bench.world.outages, bench.env.now)
    table = table.groupby("stage")["accelerator_hours"].sum()
    chips = bench.site.rack_accelerators / 3600.0
    booted = chips.sum() * BOOT_S + chips[2:4].sum() * RESTART_S
    assert table["repair"] == pytest.approx(chips.sum() * lasts_s)
    assert table["boot"] == pytest.approx(booted)
    down_h = bench.state.loads.hours[:, c.DOWN].sum() / 3600.0
    assert table.sum() == pytest.approx(down_h, rel=1e-9)


def test_power_that_is_lost_again_while_they_boot_has_them_boot_again(tmp_path):
    bench = bench_of(tmp_path)
    strike(bench, "feeder", OUT_S)
    again_s = AT_S + OUT_S + BOOT_S / 2.0
    strike(bench, "feeder", OUT_S, again_s)
    bench.run(again_s + OUT_S + BOOT_S - 1.0)
    assert not bench.state.racks.up_frac.any()
    lit_s = again_s + OUT_S + BOOT_S + RESTART_S
    bench.run(lit_s + 61.0)
    assert np.all(bench.state.racks.up_frac == 1.0)
    told = events(bench, "dark", "racks_back")
    assert [(kind, t) for kind, t, _ in told] == [("dark", AT_S), ("dark", again_s), ("racks_back", lit_s)]
    assert told[-1][2] == lit_s - AT_S


def test_racks_that_start_draw_what_is_told_from_power_to_work(tmp_path):
    """To the second: the booting of all, and what restarts at rest; the heat goes with the water and the air."""
    tree = pod_tree()
    tree["topology"]["halls"][0]["feeders"] = {"count": 1, "rating": "2 MVA"}
    tree["topology"]["ride_through"] = {"boot": f"{BOOT_S:g} s", "restart": f"{RESTART_S:g} s", "boot_draw": "80 %"}
    bench = Bench(load_tree(tree, tmp_path), LOADS)
    bench.work("job", np.array([0, 1]))
    bench.work("crowd", np.array([2, 3]))
    strike(bench, "sag", 0.2, AT_S + 20.0)
    bench.run(AT_S + 1500.0)
    it_w, blocks = bench.minutes(c.IT_W), bench.state.blocks
    rest_w, support_w = bench.world.starts.rest_w, float(blocks.support_w.sum())
    first, dark_s = int(AT_S // 60), 0.2
    before_w = it_w[first - 1] - support_w
    boots_w = 0.8 * rest_w.sum()
    # Power shelves that are on for a part of a minute lose their fixed part for all of it.
    drawn_j = 20.0 * before_w + (40.0 - dark_s - 3.0) * boots_w
    assert it_w[first] - support_w == pytest.approx(drawn_j / 60.0, rel=0.03)
    assert it_w[first + 1 : first + 5] - support_w == pytest.approx(np.full(4, boots_w), rel=1e-9)
    # The crowd's two racks stand idle for so long; the others are in service, at rest but for the job's.
    minute = first + 8
    in_service_w = float(np.delete(bench.state.racks.power_w, [2, 3]).sum())
    restarts_w = it_w[minute] - support_w - rest_w[2:4].sum()
    assert restarts_w == pytest.approx(in_service_w, rel=2e-3)  # their leakage settled
    assert not blocks.starting_w.any() and not bench.state.racks.starting_w.any()
    for name, value in balance.checks(bench.results()).items():
        assert value <= 1e-9, name


def test_energy_of_racks_that_start_is_their_loads_own(tmp_path):
    bench = bench_of(tmp_path)
    strike(bench, "sag", 0.2)
    bench.run(AT_S + 360.0)  # the crowd still restarts
    support_w = float(bench.state.blocks.support_w.sum())
    of_loads_j = bench.results().tables["load_energy"]["it_j"].sum()
    assert of_loads_j == pytest.approx((bench.minutes(c.IT_W) - support_w).sum() * 60.0, rel=1e-9)


def test_tables_of_racks_show_what_they_draw_as_they_start(tmp_path, monkeypatch):
    """Their hour is that of the hall's IT, but for the seconds of a minute in which supplies do not draw yet."""
    monkeypatch.setattr(recorder, "allocate", partial(recorder.allocate, rack_halls=("pod",)))
    bench = bench_of(tmp_path)
    strike(bench, "feeder", OUT_S)
    bench.run(3600.0)
    it_w, support_w = bench.minutes(c.IT_W)[:60].mean(), float(bench.state.blocks.support_w.sum())
    assert bench.records.rack[0, :, 0].sum() / 60.0 == pytest.approx(it_w - support_w, rel=3e-3)


def test_a_load_that_was_shed_boots_before_it_works_again(tmp_path):
    bench = bench_of(tmp_path)
    load, back_s = bench.state.load("crowd"), AT_S + 60.0
    bench.at(AT_S, lambda: capping.switch(bench.world, load))  # the policy has it back after a minute
    bench.run(back_s + 4.0)
    assert [t for _, t, _ in events(bench, "restored")] == [back_s] and not bench.state.racks.up_frac[2:4].any()
    assert bench.state.racks.starting_w[2:4] == pytest.approx(bench.world.starts.rest_w[2:4])
    starts_s = BOOT_S + RESTART_S
    bench.run(back_s + starts_s + 60.0)
    assert events(bench, "racks_back") == [("racks_back", back_s + starts_s, starts_s)]
    assert np.all(bench.state.racks.up_frac == 1.0)
