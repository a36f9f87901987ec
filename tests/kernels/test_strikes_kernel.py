"""Failures and repairs in the kernel against a list of the same, kept in order by sorting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import Bench, Load, empty_pod

from simulator.engine import membership
from simulator.kernels import repair, strikes
from simulator.kernels.repair import BACK
from simulator.kernels.strikes import ASK, CALM, NOTHING, RACK, SERVER, STRIKE, WAKE

LOADS = (Load("a", "batch", 0), Load("b", "batch", 0))
RACKS = 8
FAILURES = st.lists(
    st.tuples(
        st.floats(0.0, 5000.0), st.integers(0, RACKS - 1), st.sampled_from([NOTHING, SERVER, RACK]),
        st.floats(1.0, 3000.0),
    ),
    max_size=40,
)  # fmt: skip


class Queue:
    """A pod's racks, with failures (time, rack, servers, lasts) in its queue."""

    def __init__(self, failures=()):
        self.bench = Bench(empty_pod(), LOADS)
        self.state, self.queue = self.bench.state, self.bench.state.queue
        failures = sorted(failures)
        n = len(failures)
        for i, (at_s, rack, servers, lasts_s) in enumerate(failures):
            self.queue.at_s[i], self.queue.rack[i] = at_s, rack
            self.queue.servers[i], self.queue.until_s[i, BACK] = servers, at_s + lasts_s
        self.queue.drawn[:] = 0, n
        strikes.set_due(self.queue)

    def happen(self, before_s=np.inf, shop=None):
        state, site = self.state, self.bench.site
        wear = (state.servers_down, site.rack_servers, state.out, state.down_load)
        return strikes.happen(
            before_s, self.queue, shop or repair.closed(), site.rows, state.racks, state.loads, wear
        )

    def lose(self, racks, servers, lasts_s):
        servers = np.full(len(racks), servers)
        membership.lose(self.bench.world, np.array(racks), servers, lasts_s)


def replayed(failures, before_s, servers_of):
    """Return (servers down, causes out) of every rack before a time, and which failures struck."""
    down, out, struck = np.zeros(RACKS), np.zeros(RACKS), []
    happenings = [(at_s, 0, i) for i, (at_s, *_) in enumerate(sorted(failures))]
    while happenings:
        happenings.sort()
        at_s, change, i = happenings.pop(0)
        if at_s >= before_s:
            break
        _, rack, servers, lasts_s = sorted(failures)[i]
        if change == 0:
            if out[rack] > 0 or down[rack] >= servers_of:
                continue
            struck.append(i)
            if servers == NOTHING:
                continue
            happenings.append((at_s + (at_s + lasts_s - at_s), 1, i))
        sign = -1.0 if change else 1.0
        if servers == RACK:
            out[rack] += sign
        else:
            down[rack] += sign * servers
    return down, out, struck


@settings(max_examples=60, deadline=None)
@given(FAILURES, st.floats(0.0, 9000.0))
def test_the_queue_leaves_what_a_sorted_list_leaves(failures, before_s):
    failures = list({failure[0]: failure for failure in failures}.values())  # no two at once
    it = Queue(failures)
    assert it.happen(before_s) == CALM
    down, out, struck = replayed(failures, before_s, it.bench.site.rack_servers[0])
    np.testing.assert_array_equal(it.state.servers_down, down)
    np.testing.assert_array_equal(it.state.out, out)
    np.testing.assert_array_equal(np.flatnonzero(it.queue.applied), struck)
    up = np.where(out > 0, 0.0, np.maximum(1.0 - down / it.bench.site.rack_servers, 0.0))
    np.testing.assert_array_equal(it.state.racks.up_frac, up)
    assert it.queue.due_s[0] >= before_s
    it.happen()
    assert np.all(it.state.racks.up_frac == 1.0)
    assert it.queue.under_way[0] == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([10.0, 20.0, 30.0, 30.5]), max_size=30))
def test_repairs_end_in_order_of_time_then_of_their_beginning(lasts_s):
    it, ended = Queue(), []
    for k, each_s in enumerate(lasts_s):
        it.lose([k % RACKS], 1.0 / (k + 2.0), each_s)  # tells the repairs apart
    it.queue.waiting[0] = 1
    while it.queue.under_way[0]:
        first = float(it.queue.back_servers[0])
        assert it.happen() == WAKE
        ended.append((float(it.queue.happened_s[0]), round(1.0 / first - 2.0)))
    assert ended == sorted((each_s, k) for k, each_s in enumerate(lasts_s))


def test_what_a_load_is_told_of_is_left_to_the_engine():
    it = Queue([(10.0, 1, SERVER, 60.0), (20.0, 5, SERVER, 60.0), (30.0, 5, RACK, 60.0)])
    membership.assign(it.bench.world, np.array([5]), 2)
    it.queue.watched[2] = 1
    assert [it.happen(), it.queue.drawn[0]] == [STRIKE, 2]
    np.testing.assert_array_equal(it.state.servers_down, np.eye(RACKS)[1])
    assert it.happen(25.0) == CALM
    assert [it.happen(), it.queue.drawn[0]] == [STRIKE, 3]
    assert it.happen() == CALM
    np.testing.assert_array_equal(it.queue.applied[:3], [1, 0, 0])


def test_what_is_no_racks_own_is_left_to_the_engine():
    it = Queue([(10.0, -1, ASK, 60.0), (20.0, 2, ASK, 60.0)])
    assert [it.happen(), it.happen(), it.happen()] == [STRIKE, STRIKE, CALM]


def test_a_rack_that_is_out_fails_no_more_even_for_the_engine():
    it = Queue([(10.0, 1, RACK, 60.0), (20.0, 1, SERVER, 60.0), (30.0, 1, ASK, 60.0)])
    assert it.happen() == CALM
    np.testing.assert_array_equal(it.queue.applied[:3], [1, 0, 0])


def test_who_waits_for_racks_is_woken_at_every_return():
    it = Queue([(10.0, 1, RACK, 60.0), (20.0, 2, SERVER, 200.0)])
    it.queue.waiting[0] = 1
    assert [it.happen(), it.queue.happened_s[0]] == [WAKE, 70.0]
    it.queue.waiting[0] = 0
    assert it.happen() == CALM
    assert it.queue.happened_s[0] == 220.0


def test_a_full_heap_says_so():
    it = Queue()
    it.queue.under_way[0] = it.queue.back_s.size
    with pytest.raises(ValueError, match="more repairs under way"):
        it.lose([0], 1.0, 10.0)
