"""The slowest of many: nothing for one, a known order statistic, a slow server among many."""

import numpy as np
import pytest

from simulator.performance import stragglers
from simulator.performance.stragglers import slowest_of


def test_one_chip_waits_for_none_but_itself() -> None:
    assert slowest_of(1, 8) == pytest.approx(1.0 + 0.005 * 0.10)
    assert stragglers.largest_of(1) == 0.0


def test_more_chips_wait_longer() -> None:
    waits = [slowest_of(n, 8) for n in (8, 64, 512, 4096, 32_768, 262_144)]
    assert waits == sorted(waits)
    assert 1.01 < waits[0] < 1.02
    assert waits[-1] == pytest.approx(1.115, abs=0.005)


def test_against_drawing_them() -> None:
    rng = np.random.default_rng(7)
    chips, server, draws = 2048, 8, 400
    speeds = 1.0 + stragglers.SPEED_SPREAD * rng.standard_normal((draws, chips))
    slow = rng.random((draws, chips // server)) < stragglers.SLOW_SERVERS
    times = speeds + stragglers.SLOWNESS * np.repeat(slow, server, axis=1)
    assert slowest_of(chips, server) == pytest.approx(times.max(axis=1).mean(), abs=0.006)


@pytest.mark.parametrize(("draws", "largest"), [(100, 2.508), (1000, 3.241), (10_000, 3.852)])
def test_largest_of_normal_draws(draws: int, largest: float) -> None:
    # Tables of normal order statistics (Harter, 1961).
    assert stragglers.largest_of(draws) == pytest.approx(largest, abs=0.05)
