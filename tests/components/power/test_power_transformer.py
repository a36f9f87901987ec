"""Heating of transformers: exact steps, settled states, emergency times, ageing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.components.power.transformer import (
    DESIGN_AMBIENT_C,
    DISTRIBUTION,
    LARGE,
    Temperatures,
    ageing,
    emergency_s,
    lives_used,
    within_s,
)

HEATING = LARGE.heating
COLD = Temperatures(0.0, 0.0)


def test_at_its_rating_it_settles_at_its_rated_rises():
    assert HEATING.settled(1.0) == (56.0, 22.0)
    # Without load the core alone heats the oil: (1 / (R + 1)) ** n.
    assert HEATING.settled(0.0).top_oil_k == pytest.approx(56.0 / 7.0)


@given(st.floats(0.0, 1.5), st.floats(1.0, 50_000.0), st.integers(1, 40))
def test_many_small_steps_are_one_large_one(loading, seconds, parts):
    once = HEATING.after(COLD, loading, seconds)
    now = COLD
    for _ in range(parts):
        now = HEATING.after(now, loading, seconds / parts)
    assert now == pytest.approx(once, rel=1e-9, abs=1e-9)


def test_after_one_time_constant_63_percent_of_the_way():
    now = HEATING.after(COLD, 1.0, HEATING.oil_s)
    assert now.top_oil_k == pytest.approx(56.0 * (1.0 - math.exp(-1.0)))
    assert HEATING.after(COLD, 1.0, 1e9).hot_spot_c(20.0) == pytest.approx(98.0)


@pytest.mark.parametrize("kind", [LARGE, DISTRIBUTION])
@given(a=st.floats(1.01, 2.2), b=st.floats(1.01, 2.2))
def test_emergency_time_falls_with_loading(kind, a, b):
    low, high = sorted((a, b))
    assert emergency_s(kind, low) >= emergency_s(kind, high) - 1e-5
    assert emergency_s(kind, 1.0) == math.inf
    assert emergency_s(kind, kind.short_time.loading + 0.01) == 0.0


def test_emergency_time_ends_where_a_limit_is_met():
    limit, loading = LARGE.long_time, 1.3
    seconds = within_s(HEATING, limit, loading, DESIGN_AMBIENT_C, 1.0)
    now = HEATING.after(HEATING.settled(1.0), loading, seconds)
    over = (
        now.hot_spot_c(DESIGN_AMBIENT_C) - limit.hot_spot_c,
        DESIGN_AMBIENT_C + now.top_oil_k - limit.top_oil_c,
    )
    assert max(over) == pytest.approx(0.0, abs=1e-5)


def test_top_oil_limit_in_closed_form():
    # At 1.2 the oil alone binds: its rise passes 75 K on the way from 56 K to what it settles at.
    to_k = HEATING.settled(1.2).top_oil_k
    exact_s = -HEATING.oil_s * math.log((to_k - 75.0) / (to_k - 56.0))
    found_s = within_s(HEATING, LARGE.long_time, 1.2, 40.0, 1.0)
    hot_spot_c = HEATING.after(HEATING.settled(1.0), 1.2, exact_s).hot_spot_c(40.0)
    assert found_s <= exact_s + 1e-5
    assert (found_s == pytest.approx(exact_s, abs=1e-3)) == (hot_spot_c <= 140.0)


def test_a_cool_day_and_a_low_load_before_allow_more():
    assert emergency_s(LARGE, 1.3, ambient_c=10.0) > emergency_s(LARGE, 1.3)
    assert emergency_s(LARGE, 1.3, preload=0.6) > emergency_s(LARGE, 1.3)


def test_ageing_by_arrhenius():
    assert ageing(110.0) == pytest.approx(1.0)
    # The standard's table: about 2 at 117, 0.5 near 103 degC.
    assert ageing(120.0) == pytest.approx(2.71, abs=0.01)
    assert ageing(100.0) == pytest.approx(0.35, abs=0.01)


def test_life_used_at_a_settled_temperature_is_ageing_over_normal_life():
    hours = 24.0
    steady = np.full(24, 1.1), 3600.0, np.full(24, 32.0)
    used = lives_used(HEATING, *steady, start=HEATING.settled(1.1))
    settled_c = HEATING.settled(1.1).hot_spot_c(32.0)
    np.testing.assert_allclose(used.hot_spot_c, settled_c)
    assert used.lives == pytest.approx(ageing(settled_c) * hours / 180_000.0)


@given(st.lists(st.floats(0.0, 1.5), min_size=1, max_size=30), st.floats(1.0, 7200.0))
def test_the_course_is_the_steps_one_by_one(loading, step_s):
    ambient_c = np.linspace(-10.0, 40.0, len(loading))
    course = lives_used(HEATING, np.array(loading), step_s, ambient_c, start=COLD)
    now = COLD
    for x, outside_c, found_c in zip(loading, ambient_c, course.hot_spot_c, strict=True):
        now = HEATING.after(now, x, step_s)
        assert found_c == pytest.approx(now.hot_spot_c(outside_c), rel=1e-12, abs=1e-9)
