"""Batches of answers against sums over their iterations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.components import from_catalog
from simulator.performance.replica import Replica
from simulator.performance.rollouts import Lengths, generate, score_s
from simulator.performance.training import WAITING_POWER


def replica(model="llama-3.1-70b", chips=4):
    return Replica(
        from_catalog.language_model(model), from_catalog.accelerator("GB300"), chips, "fp8")


def iterations_s(it, lengths, prompt):
    """Return the time of one batch decoded token by token until its longest answer ends."""
    total_s = 0.0
    for token in range(int(max(lengths))):
        batch = float(np.sum(np.asarray(lengths) > token))
        total_s += float(it.decode_s(np.array([batch]), prompt + token)[0])
    return total_s


def test_answers_of_one_length_take_that_many_iterations():
    it = replica()
    found = generate(it, 1, 8, 4, 500.0, Lengths(400.0, 0.0, 1000.0))
    expected_s = 8 * it.prefill_s(500.0) + iterations_s(it, [400] * 32, 500.0)
    assert found.seconds == pytest.approx(expected_s, rel=5e-3)
    assert (found.output_tokens, found.longest_tokens) == (pytest.approx(400.0), 400.0)


def test_a_thinning_batch_is_the_sum_over_drawn_lengths():
    it, mean, cv, longest = replica(), 600.0, 0.8, 4000.0
    sigma = np.sqrt(np.log1p(cv**2))
    draws = np.random.default_rng(1).lognormal(np.log(mean) - sigma**2 / 2, sigma, (40, 64))
    expected_s = np.mean([
        64 * it.prefill_s(300.0) + iterations_s(it, np.minimum(d, longest), 300.0) for d in draws])
    found = generate(it, 1, 64, 1, 300.0, Lengths(mean, cv, longest))
    assert found.seconds == pytest.approx(expected_s, rel=0.05)
    assert found.output_tokens == pytest.approx(mean, rel=0.02)


def test_the_longest_of_many_is_that_of_draws():
    lengths = Lengths(600.0, 0.8, 1e9)
    sigma = np.sqrt(np.log1p(0.8**2))
    draws = np.random.default_rng(2).lognormal(np.log(600.0) - sigma**2 / 2, sigma, (400, 1000))
    assert lengths.largest(1000) == pytest.approx(draws.max(axis=1).mean(), rel=0.08)
    assert Lengths(600.0, 0.8, 2000.0).largest(1000) == 2000.0


def test_answers_beyond_the_seats_keep_the_batch_full():
    """Twice the answers beyond the seats add whole iterations of a full batch."""
    it, lengths = replica("llama-3.1-405b", 4), Lengths(1500.0, 0.5, 8000.0)
    seats = min(it.sequences(1000.0 + 1500.0), 1024)
    few, many = (generate(it, 1, n * seats, 1, 1000.0, lengths) for n in (2, 3))
    full_s = float(it.decode_s(np.array([float(seats)]), 1000.0 + 750.0)[0])
    added_s = 1500.0 * full_s + seats * it.prefill_s(1000.0)
    assert many.seconds - few.seconds == pytest.approx(added_s, rel=0.05), "and the longest is longer"


def test_more_replicas_are_faster_but_never_faster_than_the_longest_alone():
    it, lengths = replica(), Lengths(2000.0, 1.0, 30_000.0)
    times = [generate(it, n, 4096, 1, 500.0, lengths).seconds for n in (8, 32, 128, 4096)]
    assert times == sorted(times, reverse=True)
    alone_s = float(it.decode_s(np.array([1.0]), 500.0)[0]) * lengths.largest(4096)
    assert times[-1] > alone_s


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 2000), st.integers(1, 16), st.floats(0.0, 2.0), st.integers(1, 64))
def test_shares_are_shares_and_times_are_positive(prompts, samples, cv, replicas):
    found = generate(replica(), replicas, prompts, samples, 200.0, Lengths(300.0, cv, 3000.0))
    assert found.seconds > 0.0
    assert 0.0 < found.clock_bound_frac < 1.0
    assert 0.0 < found.dynamic_power_frac < 1.0
    assert found.output_tokens <= found.longest_tokens * (1.0 + 1e-9)


def test_decode_draws_less_than_prefill_and_idle_replicas_only_wait():
    it, lengths = replica(), Lengths(2000.0, 1.5, 60_000.0)
    sparse = generate(it, 512, 512, 1, 500.0, lengths)
    dense = generate(it, 8, 512, 1, 500.0, lengths)
    assert WAITING_POWER < sparse.dynamic_power_frac < dense.dynamic_power_frac < 0.9


def test_scoring_is_reading_with_every_token_scored():
    it = replica()
    each_s = it.prefill_s(2000.0) + it.scores_s(2000.0)
    assert score_s(it, 16, 64, 2000.0) == pytest.approx(4 * each_s)
    flops = 2.0 * it.model.vocabulary * it.model.hidden * 1999.0
    assert it.scores_s(2000.0) > flops / (4 * it.chip.peak["bf16"])
