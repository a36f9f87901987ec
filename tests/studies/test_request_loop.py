"""Requests on one engine: limits in closed form, Little's law, conservation."""

from dataclasses import replace

import numpy as np
import pytest

from simulator.performance.iteration import IterationCost
from simulator.studies.validate.request_loop import (
    WAVES,
    Engine,
    Lengths,
    Prefill,
    closed,
    opened,
)

NONE = np.zeros(0)
COST = IterationCost(
    tokens=np.array([1.0, 1e6]), tokens_s=np.array([0.01, 0.01 + 1e-5 * 1e6]), context_s=0.0,
    pair_s=0.0, sequence_s=1e-4, limits=NONE, limited_context_s=NONE, limited_pair_s=NONE,
)  # fmt: skip
ENGINE = Engine(COST, seats=10**6, chunk_tokens=8192, mixes=True, request_s=0.0)
EVEN = Lengths(1000.0, 101.0)


def prompt_s(tokens: float, decoding: int = 0) -> float:
    return 0.01 + 1e-5 * (tokens + decoding - 1) + 1e-4 * (1 + decoding)


@pytest.mark.parametrize("mixes", [True, False])
def test_one_user_waits_for_nobody(mixes):
    found = closed(replace(ENGINE, mixes=mixes), EVEN, 1)
    assert found.ttft_s == pytest.approx(prompt_s(1000))
    assert found.tpot_s == pytest.approx(0.0101)
    assert found.e2e_s == pytest.approx(found.ttft_s + 100 * found.tpot_s)


@pytest.mark.parametrize("users", [3, 17, 64])
@pytest.mark.parametrize("spread", [0.0, 0.2])
def test_users_are_the_rate_times_their_stay(users, spread):
    """Little's law: every user has exactly one request under way until the last is sent."""
    found = closed(ENGINE, replace(EVEN, shortest=1.0 - spread), users)
    assert len(found.e2e_s) == users * WAVES and (found.e2e_s > 0).all()
    rounds = found.e2e_s.reshape(WAVES, users)
    assert rounds[1:].std() < 0.2 * rounds.mean()


def test_means_count_the_first_wave_as_one_of_ten():
    found = closed(ENGINE, EVEN, 8)
    assert found.means(8)[0] == pytest.approx(found.ttft_s.mean())


def test_more_users_wait_longer_and_decode_slower():
    few, many = (closed(ENGINE, EVEN, users).means(users) for users in (4, 32))
    assert many[0] > few[0] and many[1] > few[1]


def test_users_beyond_the_seats_wait_for_an_answer():
    found = closed(replace(ENGINE, seats=4), EVEN, 8)
    free = closed(ENGINE, EVEN, 8)
    assert found.ttft_s[8:].mean() > free.ttft_s[8:].mean() + 0.5
    assert found.tpot_s.mean() < free.tpot_s.mean()


def test_long_prompts_take_an_iteration_per_chunk():
    whole = closed(replace(ENGINE, chunk_tokens=10_000), Lengths(4000.0, 11.0), 1)
    cut = closed(replace(ENGINE, chunk_tokens=1000), Lengths(4000.0, 11.0), 1)
    extra = cut.ttft_s[0] - whole.ttft_s[0]
    assert extra == pytest.approx(3 * (0.01 - 1e-5), rel=0.01)


def test_prompts_that_do_not_mix_stop_decoding():
    mixed = closed(ENGINE, replace(EVEN, shortest=0.8), 16).means(16)
    apart = closed(replace(ENGINE, mixes=False), replace(EVEN, shortest=0.8), 16).means(16)
    assert apart[1] > mixed[1]


def test_cached_prompts_cost_what_is_left_of_them():
    held = closed(ENGINE, replace(EVEN, cached=0.9), 1)
    assert held.ttft_s == pytest.approx(prompt_s(100))


def test_iterations_that_hold_prompts_pay_for_it_once():
    waiting = replace(ENGINE, cost=replace(COST, prompt_s=0.5))
    found = closed(waiting, EVEN, 1)
    assert found.ttft_s == pytest.approx(0.5 + prompt_s(1000))
    assert found.tpot_s == pytest.approx(0.0101)


def test_accepted_drafts_shorten_answers():
    drafting = replace(ENGINE, cost=replace(COST, verified=4.0, emitted=2.0))
    step = 0.01 + 1e-5 * 3 + 1e-4
    assert closed(drafting, EVEN, 1).tpot_s == pytest.approx(step / 2.0)


def split(workers: int, copies: int = 1) -> Engine:
    before = Prefill(COST, workers, 8192, token_s=1e-6)
    return replace(ENGINE, prefill=before, copies=copies)


def test_prefill_workers_take_prompts_off_the_engine():
    found, users = closed(split(2), replace(EVEN, shortest=0.8), 8), 8
    together = closed(ENGINE, replace(EVEN, shortest=0.8), users)
    assert found.means(users)[1] < together.means(users)[1]
    alone = closed(split(1), EVEN, 1)
    assert alone.ttft_s == pytest.approx(0.01 + 1e-5 * 999, rel=1e-6)
    assert alone.tpot_s == pytest.approx(0.0101 + 1e-6 * 1000 / 100)


def test_more_prefill_workers_answer_sooner_and_copies_decode_faster():
    few, many = (closed(split(n), EVEN, 64).means(64) for n in (1, 8))
    assert many[0] < few[0]
    one, four = (closed(split(8, copies), EVEN, 64).means(64) for copies in (1, 4))
    assert four[1] < one[1]


def test_arrivals_far_apart_meet_an_empty_engine():
    found = opened(ENGINE, EVEN, 0.1, 20)
    assert found.ttft_s == pytest.approx(prompt_s(1000))
    assert found.tpot_s == pytest.approx(0.0101)


def test_arrivals_beyond_capacity_pile_up():
    found = opened(replace(ENGINE, seats=4), EVEN, 20.0, 200)
    assert (np.diff(found.ttft_s)[::20] >= 0).all()
    assert found.ttft_s[-1] > 10 * found.ttft_s[0]


def test_the_same_run_gives_the_same_times():
    a, b = (closed(ENGINE, replace(EVEN, shortest=0.8), 16) for _ in range(2))
    assert (a.e2e_s == b.e2e_s).all()
