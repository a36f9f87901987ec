"""Requests of published runs: limits known in closed form."""

import numpy as np
import pytest

from simulator.performance.serving_setting import ReplicaPlan
from simulator.performance.speculation import Drafts
from simulator.studies.validate.replicas import deployment
from simulator.studies.validate.request_loop import TOKENIZER_S, Lengths, Pool, closed, opened

ROW = {"model": "llama-3.1-8b", "accelerator": "H100-SXM-80GB", "weight_precision": "bf16"}
MADE = deployment(ROW, ReplicaPlan(), "vllm-0.12")
DEEP = deployment(ROW | {"model": "deepseek-r1", "accelerator": "B200", "weight_precision": "fp4"},
                  ReplicaPlan(tp=8), "trtllm-1.0")  # fmt: skip
EVEN, SPREAD = Lengths(1000.0, 101), Lengths(1000.0, 101, 0.8)
AROUND_S = MADE.setting.request_s


def pool(seats=256, **more):
    return Pool(MADE, seats, **more)


def test_lengths_spread_evenly_about_their_middle():
    trace = Lengths(1000.0, 200.0, 0.8, 1.2, 0.5).trace(np.zeros(4000))
    for tokens, nominal in ((trace.input_tokens, 1000.0), (trace.steps + 1, 200.0)):
        assert tokens.mean() == pytest.approx(nominal, rel=2e-3)
        assert tokens.min() >= 0.8 * nominal - 1 and tokens.max() <= 1.2 * nominal + 1
    assert trace.given == pytest.approx(0.5 * trace.input_tokens, abs=1.0)


def test_drafts_take_fewer_steps_for_the_same_tokens():
    plain, drafted = (EVEN.trace(np.zeros(3), accepted) for accepted in (1.0, 2.5))
    assert (plain.steps == 100).all() and (drafted.steps == 40).all()
    np.testing.assert_allclose(drafted.steps * drafted.rate, plain.steps * plain.rate)


def test_one_user_alone_meets_an_empty_engine():
    found = closed(pool(), EVEN, 1)
    first_s = MADE.prompts_s(1000.0) + AROUND_S + 1000 * TOKENIZER_S
    assert found.ttft_s == pytest.approx(first_s, rel=1e-9)
    assert found.tpot_s == pytest.approx(MADE.decode_s(1.0, 1050.5), rel=1e-6)
    assert found.e2e_s == pytest.approx(first_s + 100 * found.tpot_s, rel=1e-9)


def test_users_send_ten_requests_each():
    assert len(closed(pool(), SPREAD, 7).ttft_s) == 70


def test_users_beyond_the_seats_wait_for_one():
    free, full = (closed(pool(seats), SPREAD, 16) for seats in (16, 8))
    assert full.ttft_s[16:].mean() > free.ttft_s[16:].mean() + 40 * free.tpot_s.mean()
    assert full.tpot_s.mean() < free.tpot_s.mean()


def test_prompts_that_are_looked_at_now_and_then_wait_longer():
    often, seldom = (closed(pool(poll=n), SPREAD, 8) for n in (1, 20))
    more_s = seldom.ttft_s[8:].mean() - often.ttft_s[8:].mean()
    assert 5 * often.tpot_s.mean() < more_s < 21 * seldom.tpot_s.mean()


def test_cached_prompts_cost_what_is_left_of_them():
    held = closed(pool(), Lengths(1000.0, 101, cached=0.9), 1)
    whole = closed(pool(), EVEN, 1)
    around_s = pool().deployment.setting.request_s
    assert held.ttft_s[0] - around_s < 0.5 * (whole.ttft_s[0] - around_s)
    assert held.tpot_s == pytest.approx(whole.tpot_s)


def test_prefill_replicas_take_prompts_off_those_that_decode():
    apart = closed(pool(), SPREAD, 16, pool(replicas=4))
    assert apart.tpot_s.mean() < closed(pool(), SPREAD, 16).tpot_s.mean()
    alone = closed(pool(), EVEN, 1, pool(), token_way_s=1e-4)
    first_s = MADE.prompts_s(1000.0) + 0.1 + AROUND_S + 1000 * TOKENIZER_S
    assert alone.ttft_s == pytest.approx(first_s, rel=1e-9)


def test_a_first_token_waits_for_a_seat_where_the_rest_is_decoded():
    narrow, wide = (closed(pool(seats), SPREAD, 16, pool(replicas=4)) for seats in (4, 16))
    assert narrow.ttft_s[16:].mean() > 10 * wide.ttft_s[16:].mean()
    decoding = narrow.e2e_s - narrow.ttft_s
    seated = 16 * decoding[16:].mean() / narrow.e2e_s[16:].mean()
    assert seated == pytest.approx(4.0, rel=0.1), "Little's law"


def test_more_prefill_replicas_answer_sooner_and_more_that_decode_faster():
    few, many = (closed(pool(), SPREAD, 64, pool(replicas=n)) for n in (1, 8))
    assert many.ttft_s.mean() < few.ttft_s.mean()
    one, four = (closed(pool(replicas=n), SPREAD, 64, pool(replicas=8)) for n in (1, 4))
    assert four.tpot_s.mean() < one.tpot_s.mean()


def test_accepted_drafts_shorten_answers():
    plain, drafting = (closed(Pool(DEEP, 64, 1, d), EVEN, 1) for d in (None, Drafts(3, 2.5)))
    assert 0.4 < drafting.tpot_s.mean() / plain.tpot_s.mean() < 0.8
    assert drafting.ttft_s == pytest.approx(plain.ttft_s, rel=0.1)


def test_arrivals_far_apart_meet_an_empty_engine():
    found = opened(pool(), EVEN, 0.1, 20)
    assert found.ttft_s == pytest.approx(MADE.prompts_s(1000.0) + AROUND_S, rel=1e-9)


def test_arrivals_beyond_capacity_pile_up():
    found = opened(pool(4), EVEN, 40.0, 200)
    assert (np.diff(found.ttft_s)[::20] >= 0).all()
    assert found.ttft_s[-1] > 10 * found.ttft_s[0]


def test_the_same_run_gives_the_same_times():
    a, b = (closed(pool(), SPREAD, 16) for _ in range(2))
    assert (a.e2e_s == b.e2e_s).all()
