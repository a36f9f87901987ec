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
    assert waits[-1] == pytest.approx(1.133, abs=0.003)


@pytest.mark.parametrize(
    ("chips", "draws", "within"), [(2048, 2000, 0.004), (8192, 400, 0.003), (100_800, 40, 0.003)]
)
def test_against_drawing_them(chips: int, draws: int, within: float) -> None:
    rng, server = np.random.default_rng(7), 8
    longest = np.empty(draws)
    for i in range(draws):
        slow = rng.random(chips // server) < stragglers.SLOW_SERVERS
        speeds = 1.0 + stragglers.SPEED_SPREAD * rng.standard_normal(chips)
        longest[i] = (speeds + stragglers.SLOWNESS * np.repeat(slow, server)).max()
    assert slowest_of(chips, server) == pytest.approx(longest.mean(), abs=within)


def test_a_hundred_thousand_chips_wait_for_the_slowest_of_63_slow_servers() -> None:
    slow_servers = 100_800 / 8 * stragglers.SLOW_SERVERS
    assert slow_servers == pytest.approx(63)
    assert slowest_of(100_800, 8) == pytest.approx(1.131, abs=0.001)


@pytest.mark.parametrize(("draws", "largest"), [(100, 2.508), (1000, 3.241), (10_000, 3.852)])
def test_largest_of_normal_draws(draws: int, largest: float) -> None:
    # Tables of normal order statistics (Harter, 1961).
    assert stragglers.largest_of(draws) == pytest.approx(largest, abs=0.05)
