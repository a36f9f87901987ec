"""Pauses, transfers and contention of saves, by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.performance.checkpoint import Way, every, lost_s, transfer_s


def test_a_transfer_takes_bytes_over_bandwidth():
    assert transfer_s(10e9, Way(2e9)) == 5.0
    assert transfer_s(10e9, Way(math.inf)) == 0.0
    assert transfer_s(10e9, Way(0.0)) == math.inf


def test_contention_stretches_what_the_step_waits_for_the_network():
    """A step that waits half of its time on half of its network takes 1.5 times as long."""
    assert lost_s(10e9, Way(1e9, 0.5), 0.5) == pytest.approx(10.0 * (1.0 - 1.0 / 1.5))
    assert lost_s(10e9, Way(1e9, 0.5), 0.0) == 0.0
    assert lost_s(10e9, Way(1e9), 0.5) == 0.0
    assert lost_s(10e9, Way(0.0), 0.5) == 0.0


@given(st.floats(0.0, 1e5), st.floats(0.0, 1e6), st.floats(1.0, 1e4))
def test_saves_of_a_tier_do_not_follow_faster_than_they_finish(late_s, wanted_s, cycle_s):
    nth = every(late_s, wanted_s, cycle_s)
    assert nth >= 1
    assert nth * cycle_s >= late_s * (1.0 - 1e-6)
    if late_s <= wanted_s:
        assert abs(nth * cycle_s - wanted_s) <= cycle_s * 1.0001 + 1e-9


def test_a_tier_that_nothing_asks_for_waits_for_ever():
    assert every(0.0, math.inf, 10.0) == every(math.inf, 60.0, 10.0) == 10**9
