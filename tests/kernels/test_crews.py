"""Shifts against brute force, promises against a queue that is simulated customer by customer."""

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import examples

from simulator.kernels import crews

HOUR = 3600.0
DAY_SHIFT = (np.arange(5) * 86_400.0 + 7 * HOUR, np.arange(5) * 86_400.0 + 19 * HOUR)
NIGHT = (
    np.concatenate([[0.0], np.arange(7) * 86_400.0 + 20 * HOUR]),
    np.concatenate([[6 * HOUR], np.arange(6) * 86_400.0 + 30 * HOUR, [7 * 86_400.0]]),
)
ALWAYS = (np.zeros(1), np.full(1, crews.WEEK_S))


@pytest.mark.parametrize("shifts", [DAY_SHIFT, NIGHT, ALWAYS], ids=["days", "nights", "always"])
def test_shift_time_against_counting_minutes(shifts):
    opens, closes = shifts
    minutes = np.arange(0, 3 * 7 * 1440) * 60.0
    in_week = minutes % crews.WEEK_S
    on_duty = ((in_week[:, None] >= opens) & (in_week[:, None] < closes)).any(axis=1)
    counted = np.concatenate([[0.0], np.cumsum(on_duty) * 60.0])
    for k in range(0, minutes.size, 617):
        assert crews.worked(opens, closes, minutes[k]) == pytest.approx(counted[k], abs=1e-6)


@pytest.mark.parametrize("shifts", [DAY_SHIFT, NIGHT, ALWAYS], ids=["days", "nights", "always"])
@given(worked_h=st.floats(0.01, 400.0))
@settings(max_examples=60, deadline=None)
def test_the_clock_undoes_shift_time(shifts, worked_h):
    opens, closes = shifts
    for begins in (True, False):
        at_s = crews.clock(opens, closes, worked_h * HOUR, begins)
        assert crews.worked(opens, closes, at_s) == pytest.approx(worked_h * HOUR, abs=1e-5)


def test_work_ends_with_a_shift_and_begins_with_the_next():
    opens, closes = DAY_SHIFT
    whole = 12 * HOUR
    assert crews.clock(opens, closes, whole, False) == closes[0]
    assert crews.clock(opens, closes, whole, True) == opens[1]
    friday = 5 * whole
    assert crews.clock(opens, closes, friday, False) == closes[4]
    assert crews.clock(opens, closes, friday, True) == crews.WEEK_S + opens[0]


class Team:
    """Crews of one group, by the kernel."""

    def __init__(self, n, room=64):
        self.tails = np.full(n, -np.inf)
        self.gap_from, self.gap_to, self.gaps = np.zeros(room), np.zeros(room), 0

    def book(self, now, ready, length):
        state = (self.tails, self.gap_from, self.gap_to, self.gaps)
        start, where = crews.offer(*state, ready, length)
        self.gaps = crews.accept(*state, now, start, length, where)
        return start


def first_come_first_served(n, arrivals, lengths):
    free, starts = [0.0] * n, []
    for at, length in zip(arrivals, lengths, strict=True):
        start = max(heapq.heappop(free), at)
        heapq.heappush(free, start + length)
        starts.append(start)
    return starts


@given(seed=st.integers(0, 10_000), n=st.integers(1, 6))
@settings(max_examples=examples(40), deadline=None)
def test_who_is_ready_at_once_is_served_first_come_first_served(seed, n):
    draws = np.random.default_rng(seed)
    arrivals, lengths = np.cumsum(draws.exponential(1.0, 80)), draws.exponential(0.8 * n, 80)
    team = Team(n)
    starts = [team.book(at, at, length) for at, length in zip(arrivals, lengths, strict=True)]
    assert starts == first_come_first_served(n, arrivals, lengths)
    assert team.gaps == 0


@given(seed=st.integers(0, 10_000), n=st.integers(1, 4))
@settings(max_examples=examples(40), deadline=None)
def test_promises_never_overlap_and_nobody_waits_for_an_idle_crew(seed, n):
    draws = np.random.default_rng(seed)
    team, booked = Team(n, room=512), []
    for now in np.cumsum(draws.exponential(1.0, 60)):
        ready, length = now + draws.exponential(5.0), draws.exponential(2.0 * n)
        start = team.book(now, ready, length)
        assert start >= ready
        booked.append((start, start + length))
        moments = np.array([t for pair in booked for t in pair])
        at_work = [sum(a <= t < b for a, b in booked) for t in moments]
        assert max(at_work) <= n
        if start > ready:  # then at every earlier start somebody is missing for part of the work
            others = booked[:-1]
            earlier = [ready] + [b for _, b in others if ready < b < start]
            for begin in earlier:
                inside = [begin] + [a for a, _ in others if begin < a < begin + length]
                busy = max(sum(a <= t < b for a, b in others) for t in inside)
                assert busy == n or not_of_one_crew(team, begin, length)


def not_of_one_crew(team, begin, length):
    """Return whether no single crew has that stretch free, though at each moment some crew is."""
    gaps = [(team.gap_from[g], team.gap_to[g]) for g in range(team.gaps)]
    return not any(a <= begin and begin + length <= b for a, b in gaps)


def test_a_short_repair_goes_into_the_gap_before_an_appointment():
    team = Team(1)
    assert team.book(0.0, 10.0, 5.0) == 10.0  # waits for a part until 10
    assert team.book(1.0, 1.0, 4.0) == 1.0
    assert team.book(2.0, 2.0, 8.0) == 15.0  # does not fit before 10
    assert team.book(3.0, 3.0, 5.0) == 5.0  # fills the gap to the end
    assert team.gaps == 0


def test_gaps_that_are_past_are_forgotten():
    team = Team(1)
    team.book(0.0, 10.0, 5.0)
    assert team.gaps == 1
    team.book(11.0, 11.0, 1.0)
    assert team.gaps == 0


def test_without_room_for_gaps_promises_still_hold():
    team = Team(1, room=1)
    assert team.book(0.0, 10.0, 1.0) == 10.0
    assert team.book(0.0, 20.0, 1.0) == 20.0  # the gap from 11 to 20 is not remembered
    assert team.gaps == 1
    assert team.book(0.0, 0.0, 1.0) == 0.0
    assert team.book(0.0, 12.0, 1.0) == 21.0
