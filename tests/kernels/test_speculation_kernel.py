"""Steps of speculative decoding: expected and drawn."""

import numpy as np
import pytest

from simulator.kernels import speculation
from simulator.kernels.batching_state import GRAIN

OUTPUT = np.array([1, 2, 3, 50, 1000])


def test_without_drafts_a_step_gives_a_token():
    steps = speculation.expected_steps(OUTPUT, 1.0)
    assert list(steps) == [0, 1, 2, 49, 999]
    assert list(speculation.rates(OUTPUT, steps)) == [GRAIN] * 5


def test_steps_give_all_tokens_between_them():
    steps = speculation.expected_steps(OUTPUT, 2.6)
    rates = speculation.rates(OUTPUT, steps)
    given = steps * rates / GRAIN
    assert np.all(given <= OUTPUT - 1) and np.all(OUTPUT - 1 - given < 1.0)


@pytest.mark.parametrize(("drafts", "chance"), [(1, 0.5), (3, 0.7), (5, 0.2)])
def test_drawn_steps_give_the_mean_of_a_truncated_geometric(drafts, chance):
    output = np.full(400, 501)
    steps = speculation.drawn_steps(output, drafts, chance, 1, 2)
    mean = sum(chance**k for k in range(drafts + 1))
    assert 500 * len(output) / steps.sum() == pytest.approx(mean, rel=0.02)


def test_a_draw_depends_on_key_request_and_step_alone():
    few = speculation.drawn_steps(np.array([80, 90]), 3, 0.6, 5, 6)
    more = speculation.drawn_steps(np.array([80, 90, 100]), 3, 0.6, 5, 6)
    assert list(few) == list(more[:2])
    assert list(few) != list(speculation.drawn_steps(np.array([80, 90]), 3, 0.6, 5, 7))


def test_certain_and_hopeless_drafts():
    output = np.array([13])
    assert speculation.drawn_steps(output, 3, 1.0, 1, 2)[0] == 3
    assert speculation.drawn_steps(output, 3, 0.0, 1, 2)[0] == 12
