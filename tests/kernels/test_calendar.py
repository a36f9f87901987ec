"""The calendar gives entries in order, whatever was struck off."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from simulator.kernels import calendar


@njit
def drain(steps, struck):
    """Return the steps that come out after all went in and one request was struck off."""
    heap = np.zeros((2, steps.size), np.int64)
    size = 0
    for i in range(steps.size):
        calendar.push(heap, 1, size, calendar.entry(steps[i], 0, i))
        size += 1
    size = calendar.strike(heap, 1, size, struck)
    out = np.empty(size, np.int64)
    for k in range(out.size):
        out[k] = heap[1, 0]
        calendar.pop(heap, 1, size)
        size -= 1
    return out


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**30), max_size=40), st.integers(0, 45))
def test_entries_come_by_step_then_by_request(steps, struck):
    found = drain(np.array(steps, np.int64), struck)
    expected = sorted((s, i) for i, s in enumerate(steps) if i != struck)
    numbers = [(int(e) >> calendar.STEP_SHIFT, int(e) & (calendar.REQUESTS - 1)) for e in found]
    assert numbers == expected


def test_kinds_of_one_step_are_in_order():
    first, second = calendar_entry(7, 0, 99), calendar_entry(7, 1, 3)
    assert first < second < calendar_entry(8, 0, 0)


@njit
def calendar_entry(step, kind, request):
    return calendar.entry(step, kind, request)
