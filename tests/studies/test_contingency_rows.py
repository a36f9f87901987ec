"""What a failure costs, from what happened: by hand."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from simulator.components.failure_class import FailureClass
from simulator.studies import contingency_costs as costs
from simulator.studies import contingency_rows as rows
from simulator.studies.contingency_cases import Case, Hit
from simulator.studies.contingency_watch import Response

MINUTES = 60


def failure(**given):
    told = {"name": "break", "per": "line", "rate": "0.5 /year", "effect": "line", "repair": "10 h",
            "repair_spread": 0.0}  # fmt: skip
    return FailureClass(**told | given)


def case(*classes, rates=None):
    classes = classes or (failure(),)
    return Case((Hit("lines/1", classes[0], 0, 0),), "electrical", "site", classes,
                rates or tuple(1.0 for _ in classes))  # fmt: skip


def response(lost_per_minute, restarting=0.0, restart_s=0.0, repair_s=36_000.0, by_class_s=(), waking_s=0.0):
    """Return what happens when so many accelerator-minutes are lost in each minute."""
    zeros = np.zeros(MINUTES)
    useful_s = 1e6 * np.arange(1, MINUTES + 1) - 60.0 * np.cumsum(lost_per_minute)
    return Response(zeros, zeros, zeros, zeros, np.zeros((MINUTES, 4)), zeros, zeros, useful_s=useful_s,
                    restarting=restarting, restart_s=restart_s, repair_s=(repair_s,), waking_s=waking_s,
                    class_repair_s=by_class_s or (repair_s,))  # fmt: skip


INTACT = response(np.zeros(MINUTES))


def test_what_is_out_is_lost_until_the_repair():
    cost = costs.hours_per_failure(case(), response(np.full(MINUTES, 72.0)), INTACT)
    assert cost == pytest.approx(72.0 * 10.0)


def test_what_is_over_within_the_window_is_lost_once():
    lost = np.where(np.arange(MINUTES) < 6, 1000.0, 0.0)
    assert costs.hours_per_failure(case(), response(lost), INTACT) == pytest.approx(100.0)


def test_a_restart_under_way_lasts_as_long_as_a_restart():
    lost = np.full(MINUTES, 1072.0)
    told = response(lost, restarting=1000.0, restart_s=1800.0)
    assert costs.hours_per_failure(case(), told, INTACT) == pytest.approx(1000.0 * 1.5 + 72.0 * 10.0)


def test_what_waits_for_the_repair_boots_and_restarts_behind_it():
    told = response(np.full(MINUTES, 72.0), waking_s=72.0 * 1080.0)
    assert costs.hours_per_failure(case(), told, INTACT) == pytest.approx(72.0 * (10.0 + 0.3))


def test_some_are_cured_by_a_reset():
    cls = failure(transient=0.8, reset="1 min", repair_spread=0.8)
    out_s = costs.mean_out_s(cls, 4 * 3600.0)
    assert out_s == pytest.approx(0.8 * 60.0 + 0.2 * 4 * 3600.0 * math.exp(0.32))


def test_classes_weigh_by_how_often_they_come():
    short, long = failure(repair="10 h"), failure(name="other", repair="40 h")
    told = response(np.full(MINUTES, 1.0 * 60), by_class_s=(36_000.0, 144_000.0))
    cost = costs.hours_per_failure(case(short, long, rates=(3.0, 1.0)), told, INTACT)
    assert cost == pytest.approx(60.0 * (0.75 * 10.0 + 0.25 * 40.0))
    assert costs.rate_per_year(case(short, long, rates=(3.0, 1.0)), told) == 4.0


def test_nothing_is_gained_by_a_failure():
    assert costs.hours_per_failure(case(), response(np.full(MINUTES, -5.0)), INTACT) == 0.0


@pytest.mark.parametrize(("told", "dark", "severity"), [
    ({}, "", "none"), ({"capped_mw": 1.0}, "", "capped"), ({"hours_per_failure": 9.0}, "", "capped"),
    ({"shed_mw": 1.0, "capped_mw": 1.0}, "1 block", "shed"),
    ({"hours_per_failure": 9.0, "accelerators_lost": 4}, "", "shed"), ({"accelerators_lost": 4}, "1 block", "none"),
    ({"slo_minutes": 3}, "", "shed"), ({"jobs": "frontier", "shed_mw": 1.0}, "2 blocks", "job lost"),
    ({"jobs": "frontier"}, "1 hall", "hall lost"), ({}, "2 halls", "hall lost"), ({}, "site", "site lost"),
])  # fmt: skip
def test_severity_is_the_worst_that_happened(told, dark, severity):
    nothing = {"shed_mw": 0.0, "capped_mw": 0.0, "slo_minutes": 0, "hours_per_failure": 0.0, "accelerators_lost": 0}
    row = nothing | {"jobs": ""} | told
    assert rows.severity(row | {"dark": dark}) == severity


@pytest.mark.parametrize(("halls", "blocks", "told"), [
    (0, 0, ""), (0, 1, "1 block"), (1, 4, "1 hall"), (2, 8, "2 halls"), (3, 12, "site"),
])  # fmt: skip
def test_what_is_dark_is_told_by_the_largest_that_is(halls, blocks, told):
    gone = response(np.zeros(MINUTES))
    gone.dark_halls, gone.dark_blocks = halls, blocks
    run = SimpleNamespace(world=SimpleNamespace(site=SimpleNamespace(hall_names=("a", "b", "c"))))
    assert rows._dark(rows.Frame(run, None, INTACT, MINUTES, {}), gone) == told


def undisturbed(jobs=0):
    """Return a response whose repair takes three days, and the intact one; nothing happens in either yet."""
    gone, intact = response(np.zeros(MINUTES), repair_s=72 * 3600.0), response(np.zeros(MINUTES))
    for each in (gone, intact):
        each.out, each.shed_w = np.zeros(MINUTES), np.zeros((MINUTES, 4))
        each.off, each.behind = np.zeros(MINUTES, bool), np.zeros((MINUTES, 0), bool)
        each.stalled = np.zeros((MINUTES, jobs), bool)
    return gone, intact


@pytest.mark.parametrize(("out_for", "told"), [
    (0, {"recovery_s": 0.0, "recovered": True}),
    (6, {"recovery_s": 360.0, "recovered": True}),
    (MINUTES, {"recovery_s": 72 * 3600.0, "recovered": False, "back_by": "repair"}),
])  # fmt: skip
@pytest.mark.parametrize("what", ["out", "shed_w"])
def test_what_was_lost_is_back_with_the_repair(what, out_for, told):
    gone, intact = undisturbed()
    getattr(gone, what)[:out_for] = 1.8e6
    run = SimpleNamespace(work=SimpleNamespace(jobs=[]))
    assert rows._recovery(run, gone, intact, MINUTES) == told


def test_racks_that_want_power_alone_are_back_with_the_first_that_feeds_them():
    gone, intact = undisturbed()
    gone.out[:], gone.boots_s, gone.first_feeds, gone.repair_s = 72.0, 1080.0, True, (72 * 3600.0, 7200.0)
    run = SimpleNamespace(work=SimpleNamespace(jobs=[]))
    assert rows._recovery(run, gone, intact, MINUTES)["recovery_s"] == 7200.0 + 1080.0


def test_racks_boot_while_a_job_boots_and_restarts_on_its_own():
    gone, intact = undisturbed(1)
    gone.out[:], gone.stalled[:] = 72.0, True
    gone.boots_s, gone.job_boots_s = 1080.0, 480.0
    for started_s, after_s in ((360.0, 1080.0), (900.0, 1380.0)):
        run = SimpleNamespace(work=SimpleNamespace(jobs=[SimpleNamespace(started_s=started_s)]))
        told = rows._recovery(run, gone, intact, MINUTES)
        assert told == {"recovery_s": 72 * 3600.0 + after_s, "recovered": False, "back_by": "repair + restart"}
