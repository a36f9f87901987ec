"""Pictures made again one by one: a line in front of many chips, against what is known of such lines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.kernels.queueing import mean_wait_s
from simulator.workloads.verified_pictures import draw_in_turn

MOMENTS = st.lists(st.floats(0.0, 100.0), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(MOMENTS, st.integers(1, 5), st.floats(0.5, 20.0), st.floats(0.0, 60.0))
def test_no_more_pictures_are_made_than_there_are_chips(moments, chips, picture_s, patience_s):
    moments_s = np.sort(np.array(moments))
    begun_s = draw_in_turn(moments_s, chips, picture_s, patience_s)
    made = begun_s[np.isfinite(begun_s)]
    assert np.all(np.diff(made) >= 0.0)
    assert np.all(made[chips:] >= made[:-chips] + picture_s - 1e-9)
    waits_s = begun_s - moments_s
    assert waits_s.min() >= 0.0 and waits_s[np.isfinite(waits_s)].max() <= patience_s


def test_the_wait_for_one_chip_is_pollaczek_khinchine():
    draws, count, load = np.random.default_rng(5), 200_000, 0.7
    moments_s = np.cumsum(draws.exponential(1.0 / load, count))
    waits_s = draw_in_turn(moments_s, 1, 1.0, np.inf) - moments_s
    assert waits_s.mean() == pytest.approx(load / (2.0 * (1.0 - load)), rel=0.03)


def test_the_wait_for_several_chips_is_about_half_that_of_random_times():
    draws, count, load = np.random.default_rng(6), 200_000, 0.8
    moments_s = np.cumsum(draws.exponential(1.0 / (4.0 * load), count))
    waits_s = draw_in_turn(moments_s, 4, 1.0, np.inf) - moments_s
    assert waits_s.mean() == pytest.approx(0.5 * mean_wait_s(4, 4.0 * load, 1.0), rel=0.06)
