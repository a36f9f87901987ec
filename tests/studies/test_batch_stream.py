"""Streams that are not kept: the same as a replay, in bounded memory."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from simulator.kernels import dispatch
from simulator.kernels.batching_state import REJECTED, SHED
from simulator.studies import StudyError, batch, batch_stream
from simulator.studies.batch import decode_steps
from simulator.studies.batch_deployment import Question
from simulator.studies.batch_stream import FIRST_S, RATIO, histogram, quantile_s

HEAD = "arrival_s,input_tokens,output_tokens"
BALANCED = {"requests_balance": 0.0, "outcomes_balance": 0.0}


@pytest.fixture
def asked(tmp_path):
    file = tmp_path / "talk.csv"
    file.write_text("arrival_s,input_tokens,output_tokens\n0,500,100\n1,900,40\n2,30,1\n")
    return Question(file, "llama-3.1-8b", "H100-SXM-80GB", replicas=6)


def test_quantiles_of_a_histogram_are_as_fine_as_its_bins():
    values = np.random.default_rng(1).lognormal(-2.0, 1.5, 20_000)
    for share in (0.5, 0.9, 0.99):
        found = quantile_s(histogram(values), share)
        assert found == pytest.approx(
            np.quantile(values, share, method="inverted_cdf"), rel=RATIO - 1.0
        )
    assert quantile_s(histogram(np.array([])), 0.5) is None
    assert histogram(np.array([0.0, FIRST_S / 2, 1e12])).sum() == 3


def test_shares_change_nothing_but_the_draws_of_arrivals(asked, monkeypatch):
    stream, found = batch_stream.serve(asked, 60.0, 60.0)
    told = batch_stream.kpis(stream, found)
    assert len(stream.shares) == 1
    monkeypatch.setattr(batch_stream, "SHARE_REQUESTS", 1000)
    other, apart = batch_stream.serve(asked, 60.0, 60.0)
    assert len(other.shares) == 6
    again = batch_stream.kpis(other, apart)
    assert again["ttft_mean"]["value"] == pytest.approx(told["ttft_mean"]["value"], rel=0.05)
    assert again["requests"]["value"] == pytest.approx(3600, rel=0.1)
    assert batch_stream.summary(other, apart)["checks"] == BALANCED


def test_a_stream_is_what_a_replay_of_the_same_requests_gives(asked, tmp_path):
    one = replace(asked, replicas=1)
    stream, found = batch_stream.serve(one, 15.0, 40.0)
    arrival_s, _, rows = batch_stream.arrivals(stream, range(0, 1))
    lines = [
        f"{t!r},{stream.trace.input_tokens[k]},{stream.trace.output_tokens[k]}"
        for t, k in zip(arrival_s.tolist(), rows, strict=True)
    ]
    file = tmp_path / "same.csv"
    file.write_text("\n".join(["arrival_s,input_tokens,output_tokens", *lines, ""]))
    replay = batch.serve(replace(one, trace=file))
    assert found.outcomes.sum() == replay.trace.requests
    assert found.busy_s == pytest.approx(replay.pools["replicas"].busy_s.sum(), rel=1e-9)
    ttft_s = (replay.first_s - replay.trace.arrival_s).sum()
    assert found.sums_s[0] == pytest.approx(ttft_s, rel=1e-9)


def test_arrivals_are_poisson_and_inside(asked):
    stream, _ = batch_stream.serve(asked, 6.0, 1000.0)
    arrival_s, start, rows = batch_stream.arrivals(stream, range(0, 6))
    counts = np.diff(start)
    assert counts.sum() == len(arrival_s) == len(rows)
    assert abs(counts.mean() - 1000.0) < 4 * np.sqrt(1000.0 / 6)
    assert arrival_s.max() <= 1000.0
    assert all((np.diff(arrival_s[a:b]) > 0).all() for a, b in pairwise(start))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"dispatch": "least-tokens"}, "--dispatch least-tokens: replay .* without --rate"),
        ({"dispatch": "luck"}, "'luck', none of round-robin"),
        ({"block_tokens": 16}, "--prefix-block: replay"),
        ({"prefill_replicas": 1}, "--prefill-replicas: replay"),
        ({"dispatch": "two-choices", "prefill_replicas": 1}, "--prefill-replicas, --dispatch two-"),
        ({"model": "llama-3.1-8"}, "did you mean 'llama-3.1-8b'"),
    ],
)
def test_a_stream_refuses_questions_that_it_would_not_follow(asked, change, told):
    with pytest.raises(StudyError, match=told):
        batch_stream.serve(replace(asked, **change), 1.0, 1.0)


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("class", ("chat", "code"), "cannot have classes: replay"),
        ("hash_ids", ("1 2", "1 3"), "prefix blocks .*: replay"),
        ("model", ("llama-3.1-8b", "gpt-9"), r"other models \(gpt-9\): replay"),
        ("model", ("gpt-8", "gpt-9"), "names gpt-8, gpt-9; give one of these"),
    ],
)
def test_a_stream_refuses_traces_of_which_it_would_drop_a_column(asked, column, values, told):
    rows = [f"{k},500,100,{value}" for k, value in enumerate(values)]
    asked.trace.write_text("\n".join([f"{HEAD},{column}", *rows, ""]))
    with pytest.raises(StudyError, match=told):
        batch_stream.serve(asked, 1.0, 1.0)


def test_a_stream_takes_what_drops_nothing(asked):
    asked.trace.write_text(f"{HEAD},model,hash_ids\n0,500,100,Llama-3.1-8B,1 2\n")
    _, found = batch_stream.serve(replace(asked, block_tokens=0), 20.0, 10.0)
    assert found.arrived == found.counted[0] > 0


def test_a_request_that_no_replica_has_seen_is_missed(asked, monkeypatch):
    serve = dispatch.serve_assigned

    def serve_but_one(w, order, start, *rest):
        serve(w, order, np.append(start[:-1], start[-1] - 1), *rest)

    monkeypatch.setattr(dispatch, "serve_assigned", serve_but_one)
    _, found = batch_stream.serve(asked, 60.0, 10.0)
    assert batch_stream.checks(found) == {"requests_balance": 1.0, "outcomes_balance": 1.0}


def test_rejected_and_shed_requests_balance(asked):
    tight = replace(asked, kv_tokens=700, max_sequences=1, patience_s=0.5)
    _, found = batch_stream.serve(tight, 60.0, 10.0)
    assert found.outcomes[REJECTED] > 0 and found.outcomes[SHED] > 0
    assert batch_stream.checks(found) == BALANCED


def test_without_a_limit_nothing_is_within_it(asked):
    for limit_s, expected in ((np.inf, None), (1e3, 1.0)):
        stream, found = batch_stream.serve(replace(asked, slo_ttft_s=limit_s), 20.0, 10.0)
        told = batch_stream.kpis(stream, found)
        assert told["slo_attainment"]["value"] == expected
        assert (told["goodput"]["value"] is None) == (expected is None)


def test_parts_of_a_stream_draw_for_themselves():
    asked = Question(Path("t.csv"), "llama-3.1-8b", "H100-SXM-80GB", drafts=3, accepted=2.0, drawn=True)
    output = np.full(2000, 100)
    first, again, other = (decode_steps(asked, output, part) for part in (0, 0, 8))
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.1
    assert first.mean() == pytest.approx(other.mean(), rel=0.02)
