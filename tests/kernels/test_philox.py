"""The generator against the known answers of its authors, and its draws against their laws."""

import numpy as np
import pytest
from scipy import stats

from simulator.kernels import philox

PI_KEY = (0xA4093822, 0x299F31D0)
PI_COUNTER = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344)
ONES = 0xFFFFFFFF
# Random123 1.14, tests/kat_vectors: counter, key, output.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 4, (ONES,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (PI_COUNTER, PI_KEY, (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1)),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN)
def test_known_answers(counter, key, words):
    assert tuple(int(w) for w in philox.block(*key, *counter)) == words


@pytest.fixture(scope="module")
def draws():
    kinds = (philox.uniform, philox.exponential, philox.normal)
    return [np.array([kind(11, 22, 3, k, 0, 0) for k in range(4000)]) for kind in kinds]


@pytest.mark.parametrize(("kind", "law"), list(enumerate(["uniform", "expon", "norm"])))
def test_draws_follow_their_law(draws, kind, law):
    assert stats.kstest(draws[kind], law).pvalue > 0.01


def test_uniforms_of_neighbouring_counters_are_uncorrelated(draws):
    uniform = draws[0]
    assert 0.0 < uniform.min() < uniform.max() < 1.0
    assert abs(np.corrcoef(uniform[1:], uniform[:-1])[0, 1]) < 0.05


@pytest.mark.parametrize("word", range(6))
def test_every_word_of_key_and_counter_matters(word):
    words = [1, 2, 3, 4, 5, 6]
    before = philox.uniform(*words)
    words[word] += 1
    assert philox.uniform(*words) != before
