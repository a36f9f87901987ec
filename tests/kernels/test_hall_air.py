"""The air of a hall inside a step, against its differential equation and closed forms."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.kernels.hall_air import carriers, warmed

MASS_J_K, RANGE_K, DESIGN_W = 4.0e6, 12.0, 200e3
HEAT_W = 150e3


def lines(fans, water_k=-4.0, outdoor_k=1e3, heat_w=HEAT_W):
    """Return what carries the air's heat with a share of the fans, water so far over the supply that is told."""
    moved = 1.1 * fans
    mixed_k = RANGE_K * max(heat_w / DESIGN_W / moved - 1.0, 0.0)
    return carriers(heat_w, moved * DESIGN_W / RANGE_K, mixed_k, (water_k, outdoor_k), 4.0 * heat_w / DESIGN_W / fans)


def by_small_steps(over_k, carried, moves, walls, dt_s, n=20000):
    """Return the same by the differential equation itself, in steps of Heun's."""
    told_k, told_w_k, open_k, open_w_k = carried

    def rate(x):
        beyond_w = min(told_w_k * (x - told_k), open_w_k * (x - open_k))
        return ((1.0 - moves) * HEAT_W - moves * beyond_w - walls[0] * max(x - walls[1], 0.0)) / MASS_J_K

    lost_j, h = 0.0, dt_s / n
    for _ in range(n):
        slope = rate(over_k)
        then_k = over_k + 0.5 * h * (slope + rate(over_k + h * slope))
        lost_j += walls[0] * h * (max(over_k - walls[1], 0.0) + max(then_k - walls[1], 0.0)) / 2.0
        over_k = then_k
    return over_k, lost_j


@pytest.mark.parametrize(("over_k", "fans", "water_k", "moves", "walls"), [
    (0.0, 0.3, -4.0, 1.0, (0.0, 0.0)),       # the valve opens on the way
    (60.0, 1.0, -4.0, 1.0, (2e3, 10.0)),     # falls past both bends
    (-5.0, 0.2, 8.0, 1.0, (5e3, 20.0)),      # rises past both
    (0.0, 0.5, -4.0, 0.0, (8e3, 3.0)),       # nothing moves: walls alone
    (0.0, 0.6, -4.0, 0.4, (1e3, 15.0)),      # outdoor air takes its share, water stands
    (30.0, 0.9, 12.0, 1.0, (0.0, 0.0)),
])  # fmt: skip
def test_a_step_is_what_its_differential_equation_says(over_k, fans, water_k, moves, walls):
    carried = lines(fans, water_k)
    found = warmed(over_k, carried, moves, HEAT_W, walls, MASS_J_K, 1800.0)
    assert found == pytest.approx(by_small_steps(over_k, carried, moves, walls, 1800.0), rel=1e-5, abs=1e-4)


@given(st.floats(-5.0, 80.0), st.floats(0.01, 1.0), st.floats(-10.0, 40.0),
       st.one_of(st.just(0.0), st.floats(1e-6, 1.0)), st.one_of(st.just(0.0), st.floats(1.0, 1e5)),
       st.floats(0.0, 30.0), st.integers(2, 7))  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_one_step_is_as_good_as_many(over_k, fans, water_k, moves, walls_w_k, loses_k, parts):
    carried, walls = lines(fans, water_k), (walls_w_k, loses_k)
    whole = warmed(over_k, carried, moves, HEAT_W, walls, MASS_J_K, 600.0)
    found_k, lost_j = over_k, 0.0
    for _ in range(parts):
        found_k, more_j = warmed(found_k, carried, moves, HEAT_W, walls, MASS_J_K, 600.0 / parts)
        lost_j += more_j
    assert (found_k, lost_j) == pytest.approx(whole, rel=1e-7, abs=1e-3)
    assert lost_j >= -1e-3


@pytest.mark.parametrize("mass_j_k", [17e3, 4e6])  # 1 s and 4 min of airflow
def test_air_that_stands_stays_below_what_its_walls_lose(mass_j_k):
    """T = T_0 + q / UA at rest, and never beyond, however small its mass."""
    walls, over_k = (5e3, 2.0), 0.0
    for _ in range(120):
        before_k = over_k
        over_k, _ = warmed(before_k, (0.0, 0.0, 0.0, 0.0), 0.0, HEAT_W, walls, mass_j_k, 60.0)
        assert before_k <= over_k <= 2.0 + HEAT_W / 5e3 + 1e-9
    assert over_k == pytest.approx(2.0 + HEAT_W / 5e3, rel=1e-3)  # nine time constants of the larger


def test_outdoor_air_alone_holds_what_the_coils_no_longer_do():
    """Water 30 K too warm, outdoor air 2 K above what is told: the hall settles 2 K above it."""
    over_k, _ = warmed(0.0, lines(1.0, 30.0, outdoor_k=2.0), 1.0, HEAT_W, (0.0, 0.0), MASS_J_K, 36e3)
    assert over_k == pytest.approx(2.0)
