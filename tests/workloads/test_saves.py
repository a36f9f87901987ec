"""What tiers hold and what a failure leaves of it, against arithmetic by hand and the complete model."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.policies.checkpointing import INTERVALS, optimal
from simulator.workloads.saves import Saves, TierSaves, partners

NOBODY = np.zeros(0, np.int64)


def tier(name="remote", every=1, transfer_s=0.0, keep=3, memory=False):
    return TierSaves(name, every, transfer_s, keep, memory)


def after(saves, elapsed_s, pace=0.9, since_s=0.0, before_s=0.0):
    """Compute for a while and settle; return when that ends."""
    saves.open(since_s, before_s)
    saves.settle(since_s + elapsed_s, before_s + pace * elapsed_s)
    return since_s + elapsed_s


@given(st.floats(1.0, 5000.0), st.integers(1, 5), st.floats(0.0, 900.0))
def test_the_newest_safe_save_is_the_last_multiple_whose_transfer_is_done(elapsed_s, every, late_s):
    cycle_s = 200.0
    late_s = min(late_s, every * cycle_s)
    saves = Saves([tier(every=every, transfer_s=late_s)], cycle_s)
    now_s = after(saves, elapsed_s)
    nth = max(math.floor((elapsed_s - late_s) / (every * cycle_s)), 0)
    of, work_s = saves.best(now_s)
    assert work_s == pytest.approx(0.9 * nth * every * cycle_s)
    assert (of is None) == (nth == 0)


def test_a_save_is_safe_only_when_its_transfer_is_finished():
    for elapsed_s, kept in ((599.0, 0.0), (699.9, 0.0), (700.1, 540.0), (1299.0, 540.0), (1301.0, 1080.0)):
        saves = Saves([tier(transfer_s=100.0)], 600.0)
        now_s = after(saves, elapsed_s)
        saves.hit(now_s, NOBODY, lambda: None, False)
        assert saves.best(now_s)[1] == pytest.approx(kept, abs=1e-9)
        assert saves.tiers[0].lost == int(elapsed_s % 600.0 < 100.0 and elapsed_s > 600.0)


def test_a_transfer_that_was_under_way_when_a_failure_struck_never_ends():
    saves = Saves([tier(transfer_s=100.0)], 600.0)
    now_s = after(saves, 650.0)
    saves.hit(now_s, NOBODY, lambda: None, False)
    assert saves.best(now_s + 1e6) == (None, 0.0)


def tiers():
    return Saves([tier("local", memory=True), tier("peer", 2, memory=True), tier("remote", 4)], 100.0)


@pytest.mark.parametrize(
    ("gone", "dark", "name", "work_s"),
    [([], False, "local", 630.0), ([0], False, "peer", 540.0), ([0, 1], False, "peer", 540.0),
     ([0, 2], False, "remote", 360.0), ([], True, "remote", 360.0)],
)
def test_the_fastest_tier_that_is_left_is_loaded(gone, dark, name, work_s):
    saves = tiers()
    now_s = after(saves, 750.0)
    saves.hit(now_s, np.array(gone, np.int64), lambda: np.array([2, 3, 0, 1]), dark)
    of, found_s = saves.best(now_s)
    assert (of.name, found_s) == (name, pytest.approx(work_s))


def test_memory_lost_twice_before_the_next_save_is_lost_with_its_copy():
    saves = tiers()
    copies = lambda: np.array([2, 3, 0, 1])  # noqa: E731
    now_s = after(saves, 750.0)
    saves.hit(now_s, np.array([0]), copies, False)
    assert saves.best(now_s)[0].name == "peer"
    then_s = after(saves, 50.0, since_s=now_s, before_s=540.0)  # too short for a save
    saves.hit(then_s, np.array([2]), copies, False)
    assert saves.best(then_s)[0].name == "remote"


def test_a_new_save_makes_up_for_lost_memory():
    saves = tiers()
    copies = lambda: np.array([2, 3, 0, 1])  # noqa: E731
    now_s = after(saves, 750.0)
    saves.hit(now_s, np.array([0]), copies, False)
    then_s = after(saves, 250.0, since_s=now_s, before_s=540.0)
    saves.hit(then_s, np.array([2]), copies, False)
    of, work_s = saves.best(then_s)
    assert (of.name, work_s) == ("peer", pytest.approx(540.0 + 180.0))


def test_saves_on_new_hosts_count_though_copies_are_not_whole_again():
    saves = tiers()
    now_s = after(saves, 750.0)
    saves.hit(now_s, np.array([0]), lambda: None, False)
    then_s = after(saves, 150.0, since_s=now_s, before_s=540.0)  # one local save, none to a peer
    saves.hit(then_s, NOBODY, lambda: None, False)
    of, work_s = saves.best(then_s)
    assert (of.name, work_s) == ("local", pytest.approx(540.0 + 90.0))


def test_corruption_is_undone_by_a_save_from_before_it_and_spoils_later_ones():
    saves = Saves([tier(keep=5)], 100.0)
    now_s = after(saves, 950.0)
    assert saves.best(now_s, clean_s=730.0) == (saves.tiers[0], pytest.approx(630.0))
    assert saves.best(now_s)[1] == pytest.approx(630.0)


def test_corruption_older_than_all_saves_leaves_the_oldest():
    saves = Saves([tier(keep=2)], 100.0)
    now_s = after(saves, 950.0)
    assert saves.best(now_s, clean_s=50.0)[1] == pytest.approx(630.0)  # 700, 800, 900 are kept


@given(st.lists(st.integers(0, 7), min_size=2, max_size=40))
def test_copies_are_in_another_domain_where_none_holds_more_than_half(domains):
    domains = np.array(domains)
    held = partners(domains)
    assert sorted(held) == list(range(domains.size))
    if 2 * np.bincount(domains).max() <= domains.size:
        assert (domains[held] != domains).all()
    else:
        assert (held != np.arange(domains.size)).all()


@given(st.lists(st.integers(1, 4000).map(lambda s: s + 0.5), min_size=1, max_size=20), st.integers(1, 4))
def test_no_more_is_kept_than_may_be_and_the_newest_of_it(stretches, keep):
    saves = Saves([tier(keep=keep)], 100.0)
    now_s, work_s = 0.0, 0.0
    for elapsed_s in stretches:
        now_s = after(saves, elapsed_s, 1.0, now_s, work_s)
        work_s += elapsed_s
        held = [save.work_s for save in saves.tiers[0].kept]
        assert held == sorted(held)
        assert len(held) <= keep + 1
    assert saves.tiers[0].made == sum(int(s // 100.0) for s in stretches)


def kept_over_gaps(saves, mttf_s, restart_s, rng, gaps):
    """Return the share of time that is kept, failure after failure."""
    now_s = held_s = 0.0
    for gap_s in rng.exponential(mttf_s, gaps):
        begun_s, now_s = now_s + restart_s, now_s + gap_s
        if now_s > begun_s:
            saves.open(begun_s, held_s)
            saves.settle(now_s, held_s + (now_s - begun_s))
            saves.hit(now_s, NOBODY, lambda: None, False)
        held_s = saves.best(now_s)[1]
    return held_s / now_s


@pytest.mark.parametrize("transfer_s", [0.0, 60.0, 400.0])
def test_failures_leave_what_the_complete_model_says(transfer_s):
    mttf_s, interval_s, cost_s, restart_s = 3000.0, 400.0, 20.0, 300.0
    saves = Saves([tier(transfer_s=transfer_s, keep=1)], interval_s + cost_s)
    kept = kept_over_gaps(saves, mttf_s, restart_s, np.random.default_rng(1), 20_000)
    share = interval_s / (interval_s + cost_s)
    expected = optimal.ettr(interval_s, cost_s, mttf_s, restart_s, transfer_s)
    assert kept * share == pytest.approx(expected, abs=0.004)


@pytest.mark.parametrize(("stall_s", "mttf_s"), [(30.0, 6490.0), (2.0, 3245.0), (60.0, 600.0), (300.0, 900.0)])
@pytest.mark.parametrize("transfer_s", [0.0, 50.0])
def test_the_optimal_interval_is_where_the_complete_model_is_largest(stall_s, mttf_s, transfer_s):
    best_s = INTERVALS["optimal"](stall_s, mttf_s)
    grid = np.linspace(0.5, 2.0, 3001) * best_s
    at = np.array([optimal.ettr(t, stall_s, mttf_s, 120.0, transfer_s) for t in grid])
    assert grid[at.argmax()] == pytest.approx(best_s, rel=2e-3)
    if stall_s < 0.05 * mttf_s:
        assert INTERVALS["daly"](stall_s, mttf_s) == pytest.approx(best_s, rel=0.01)


def test_without_failures_there_is_no_best_interval():
    assert INTERVALS["optimal"](5.0, math.inf) == math.inf
