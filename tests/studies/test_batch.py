"""A trace served on replicas of the catalog: what comes out adds up and answers as it must."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from simulator.kernels import dispatch
from simulator.kernels.batching_state import REJECTED, SERVED, SHED
from simulator.studies import StudyError, batch, batch_tables
from simulator.studies.batch_deployment import InfeasibleError, Question

COUNT = 300
BALANCED = {"requests_balance": 0.0, "outcomes_balance": 0.0}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Return a trace of short conversations, ten a second."""
    rng = np.random.default_rng(7)
    arrival_s = np.cumsum(rng.exponential(0.1, COUNT))
    lengths = np.stack([rng.integers(50, 900, COUNT), rng.integers(1, 250, COUNT)], axis=1)
    kinds = np.where(rng.random(COUNT) < 0.3, "code", "chat")
    rows = [f"{t:.6f},{i},{o},{c}" for t, (i, o), c in zip(arrival_s, lengths, kinds, strict=True)]
    file = tmp_path_factory.mktemp("trace") / "talk.csv"
    file.write_text("\n".join(["arrival_s,input_tokens,output_tokens,class", *rows, ""]))
    return file


@pytest.fixture(scope="module")
def asked(path):
    return Question(path, "llama-3.1-8b", "H100-SXM-80GB", replicas=2)


@pytest.fixture(scope="module")
def served(asked):
    return batch.serve(asked)


def value(batch_, name):
    return batch_tables.kpis(batch_)[name]["value"]


def test_every_request_is_in_one_outcome(served):
    counts = [value(served, name) for name in batch.OUTCOMES]
    assert sum(counts) == value(served, "requests") == COUNT
    assert value(served, "served") == COUNT
    assert batch_tables.checks(served) == BALANCED


def test_requests_come_back_in_their_order_with_their_times(served, tmp_path):
    batch_tables.write(served, tmp_path, batch_tables.summary(served))
    table = pq.read_table(tmp_path / "requests.parquet").to_pandas()
    assert len(table) == COUNT
    assert list(table["arrival_s"]) == list(served.trace.arrival_s)
    assert set(table["replica"]) == {0, 1} and set(table["outcome"]) == {"served"}
    assert (table["queue_s"] >= 0).all() and (table["ttft_s"] > table["queue_s"]).all()
    np.testing.assert_allclose(table["e2e_s"], table["finish_s"] - table["arrival_s"])
    many = table[table["output_tokens"] > 1]
    expected = (many["finish_s"] - many["first_token_s"]) / (many["output_tokens"] - 1)
    np.testing.assert_allclose(many["tpot_s"], expected)
    assert table[table["output_tokens"] == 1]["tpot_s"].isna().all()
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["kpis"]["ttft_p50"]["value"] == pytest.approx(table["ttft_s"].median())
    assert summary["classes"].keys() == {"chat", "code"}
    assert sum(c["requests"] for c in summary["classes"].values()) == COUNT


def test_the_same_question_has_the_same_answer(asked, served):
    again = batch.serve(asked)
    assert batch_tables.requests(again).equals(batch_tables.requests(served))
    assert batch_tables.summary(again) == batch_tables.summary(served)


def test_limits_decide_what_is_good(asked, served):
    median = value(served, "ttft_p50")
    strict = batch.serve(replace(asked, slo_ttft_s=median))
    assert value(strict, "slo_attainment") == pytest.approx(0.5, abs=0.01)
    easy = batch.serve(replace(asked, slo_tpot_s=1e3))
    assert value(easy, "slo_attainment") == 1.0
    assert value(easy, "goodput") == pytest.approx(COUNT / value(easy, "span"))
    assert value(strict, "goodput") == pytest.approx(
        value(strict, "slo_attainment") * COUNT / value(strict, "span")
    )


def test_without_a_limit_nothing_is_within_it(asked, served):
    assert value(served, "slo_attainment") is value(served, "goodput") is None
    assert {c["slo_attainment"] for c in batch_tables.classes(served).values()} == {None}
    easy = batch_tables.classes(batch.serve(replace(asked, slo_ttft_s=1e3)))
    assert {c["slo_attainment"] for c in easy.values()} == {1.0}


@pytest.fixture
def lossy(monkeypatch):
    """Have the last request never come to its replica, in calls of a kernel from the nth on."""

    def lose(nth):
        calls, serve = [], dispatch.serve_assigned

        def serve_but_one(w, order, start, *rest):
            calls.append(start)
            less = np.append(start[:-1], start[-1] - 1) if len(calls) >= nth else start
            serve(w, order, less, *rest)

        monkeypatch.setattr(dispatch, "serve_assigned", serve_but_one)

    return lose


def test_a_request_that_no_replica_has_seen_is_missed(asked, lossy):
    lossy(1)
    found = batch.serve(asked)
    assert value(found, "queued") == 1 and value(found, "served") == COUNT - 1
    assert batch_tables.checks(found) == {"requests_balance": 1.0, "outcomes_balance": 1.0}


def test_a_request_lost_between_pools_is_missed(asked, lossy):
    lossy(2)
    found = batch.serve(replace(asked, replicas=1, prefill_replicas=1))
    assert batch_tables.checks(found) == {"requests_balance": 1.0, "outcomes_balance": 1.0}


def test_an_outcome_that_no_replica_has_counted_is_missed(served):
    outcome = served.outcome.copy()
    outcome[3] = REJECTED
    told = batch_tables.checks(replace(served, outcome=outcome))
    assert told == {"requests_balance": 0.0, "outcomes_balance": 2.0}


@pytest.mark.parametrize("prefill_replicas", [0, 1])
def test_rejected_shed_and_lengthy_requests_balance(asked, prefill_replicas):
    tight = replace(
        asked, replicas=1, kv_tokens=1000, max_sequences=1, patience_s=0.5,
        prefill_replicas=prefill_replicas,
    )  # fmt: skip
    found = batch.serve(tight)
    assert value(found, "rejected") > 0 and value(found, "shed") > 0
    assert batch_tables.checks(found) == BALANCED


def test_tokens_and_energy_add_up(served):
    trace, chip = served.trace, served.deployment.setting.chip
    assert value(served, "output_tokens") == trace.output_tokens.sum()
    span_s, joules = value(served, "span"), value(served, "energy") * 3.6e6
    assert 2 * span_s * chip.idle < joules < 2 * span_s * chip.tdp
    assert value(served, "energy_per_output_token") == pytest.approx(
        joules / trace.output_tokens.sum()
    )
    assert value(served, "power_mean") == pytest.approx(joules / span_s / 2)
    busy_s = sum(p.busy_s.sum() for p in served.pools.values())
    assert value(served, "utilization") == pytest.approx(busy_s / (2 * span_s))


def test_replicas_over_time_hold_the_same_work(served):
    rows = batch_tables.over_time(served)
    pool = served.pools["replicas"]
    assert rows["busy_frac"].sum() * pool.bin_s * 2 == pytest.approx(pool.busy_s.sum(), rel=1e-9)
    assert rows["queued"].min() >= 0 and rows["kv_frac"].max() <= 1.0


def test_more_replicas_are_no_slower(asked, served):
    more = batch.serve(replace(asked, replicas=8))
    assert value(more, "tpot_mean") < value(served, "tpot_mean")
    assert value(more, "energy_per_output_token") > value(served, "energy_per_output_token")


def test_a_small_cache_rejects_the_longest_and_preempts(asked):
    tight = batch.serve(replace(asked, kv_tokens=1000))
    longest = tight.trace.input_tokens + tight.trace.output_tokens - 1
    assert np.array_equal(tight.outcome == REJECTED, longest > 1000)
    assert value(tight, "preemptions") > 0 and value(tight, "kv_peak") <= 1.0
    assert (tight.outcome[longest <= 1000] == SERVED).all()


def test_patience_sheds(asked):
    short = batch.serve(replace(asked, replicas=1, max_sequences=1, patience_s=1.0))
    assert value(short, "shed") > 0
    assert value(short, "shed") + value(short, "served") == COUNT
    assert np.isnan(batch_tables.latencies(short)["ttft"][short.outcome == SHED]).all()


@pytest.mark.parametrize("policy", ["least-tokens", "shortest-queue", "two-choices"])
def test_every_policy_serves_all(asked, policy):
    assert value(batch.serve(replace(asked, dispatch=policy)), "served") == COUNT


def test_prompts_on_replicas_of_their_own(asked, served):
    split = batch.serve(replace(asked, replicas=1, prefill_replicas=1))
    assert value(split, "served") == COUNT
    assert split.pools.keys() == {"prefill", "decode"}
    moved_s = split.deployment.transfer_s(split.trace.input_tokens)
    assert (moved_s > 0).all()
    several = split.trace.output_tokens > 1
    gaps = (split.finish_s - split.first_s)[several]
    assert (gaps > moved_s[several]).all()
    assert batch_tables.checks(split) == BALANCED
    assert value(split, "accelerators") == value(served, "accelerators")


def test_pools_of_their_own_pace_share_one_clock(tmp_path):
    file = tmp_path / "burst.csv"
    rows = "".join(f"{0.001 * k},800,400\n" for k in range(40))
    file.write_text("arrival_s,input_tokens,output_tokens\n" + rows)
    question = Question(
        file, "llama-3.1-8b", "H100-SXM-80GB", replicas=1, prefill_replicas=2, max_sequences=4
    )
    split = batch.serve(question)
    early, late = split.pools["prefill"], split.pools["decode"]
    assert early.bin_s < late.bin_s
    rows = batch_tables.over_time(split)
    for name, pool in split.pools.items():
        busy_s = (rows[f"{name}_busy_frac"] * late.bin_s * pool.replicas).sum()
        assert busy_s == pytest.approx(pool.busy_s.sum(), rel=1e-9)


def test_drafts_spare_iterations(path):
    question = Question(
        path, "deepseek-v3", "H200-SXM-141GB", tp=8, ep=8, precision="fp8", kv_tokens=400_000
    )
    plain = batch.serve(question)
    drafted = batch.serve(replace(question, drafts=2, accepted=2.2))
    drawn = batch.serve(replace(question, drafts=2, accepted=2.2, drawn=True))
    assert value(drafted, "iterations") < value(plain, "iterations")
    assert value(drawn, "tpot_mean") == pytest.approx(value(drafted, "tpot_mean"), rel=0.1)
    with pytest.raises(StudyError, match="gives 1 to 3 tokens"):
        batch.serve(replace(question, drafts=2, accepted=3.5))


def of_models(folder, *names):
    """Return a trace with a request a second for each of the models."""
    file = folder / "models.csv"
    rows = "".join(f"{second},10,5,{name}\n" for second, name in enumerate(names))
    file.write_text("arrival_s,input_tokens,output_tokens,model\n" + rows)
    return Question(file, "llama-3.1-8b", "H100-SXM-80GB")


@pytest.mark.parametrize("prefill_replicas", [0, 1])
def test_requests_for_other_models_have_no_route(tmp_path, prefill_replicas):
    asked = of_models(tmp_path, "Llama-3.1-8B", "gpt-9", "llama-3.1-8b", "gpt-8", "gpt-9")
    found = batch.serve(replace(asked, prefill_replicas=prefill_replicas))
    assert [value(found, n) for n in ("served", "no_route")] == [2, 3]
    assert batch_tables.summary(found)["other_models"] == {"gpt-9": 2, "gpt-8": 1}
    assert list(found.outcome == SERVED) == [True, False, True, False, False]
    assert batch_tables.checks(found) == BALANCED


def test_a_trace_for_other_models_only_is_an_error(tmp_path):
    with pytest.raises(StudyError, match=r"for llama-3.1-8b: .* names gpt-9, gpt-8; .* drop"):
        batch.serve(of_models(tmp_path, "gpt-9", "gpt-8"))
    with pytest.raises(StudyError, match="m0, m1, m2, m3, m4 and 4 more;"):
        batch.serve(of_models(tmp_path, *(f"m{k}" for k in range(9))))


def test_without_a_column_of_models_all_are_served(served):
    assert served.trace.models is None and served.elsewhere == {}
    assert value(served, "no_route") == 0


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({"model": "llama-3.1-8"}, StudyError, "did you mean 'llama-3.1-8b'"),
        ({"accelerator": "H10"}, StudyError, "the catalog has no 'H10'"),
        ({"engine": "vllm"}, StudyError, "vllm"),
        ({"dispatch": "fair"}, StudyError, "none of round-robin"),
        ({"tp": 3}, StudyError, "3 chips do not share the 32 heads"),
        ({"ep": 2}, StudyError, "no experts"),
        ({"precision": "fp7"}, StudyError, "not in fp7"),
        ({"max_sequences": 100, "max_batched_tokens": 50}, StudyError, "more --max-batched-tokens"),
        ({"replicas": 2_000_000}, StudyError, "GB of calendars"),
        ({"block_tokens": 16}, StudyError, "no prefix blocks"),
        ({"model": "llama-3.1-70b"}, InfeasibleError, "GB for bf16 weights"),
        ({"drafts": 1, "accepted": 1.5}, InfeasibleError, "no layer of multi-token prediction"),
    ],
)
def test_questions_without_an_answer_say_why(asked, change, error, told):
    with pytest.raises(error, match=told):
        batch.serve(replace(asked, **change))


@pytest.fixture(scope="module")
def album(path):
    """Return the same conversations, of which every third shows two images."""
    lines = path.read_text().splitlines()
    shown = [f"{line},{2 * (k % 3 == 0)}" for k, line in enumerate(lines[1:])]
    file = path.with_name("album.csv")
    file.write_text("\n".join([f"{lines[0]},images", *shown, ""]))
    return file


def test_images_bring_tokens_and_the_time_of_their_encoder(path, album):
    asked = Question(path, "gemma-3-27b", "H100-SXM-80GB", tp=4)
    plain, shown = (batch.serve(replace(asked, trace=file)) for file in (path, album))
    more = 2 * plain.deployment.setting.model.encoder.tokens_per_image * (np.arange(COUNT) % 3 == 0)
    np.testing.assert_array_equal(shown.trace.input_tokens, plain.trace.input_tokens + more)
    assert value(shown, "served") == COUNT
    lengthened = replace(shown.trace, images=None)
    blind = batch.serve_trace(replace(asked, trace=album), lengthened, shown.deployment)
    encoder_s = float(more[0]) * shown.deployment.rules.image_s
    later_s = batch_tables.latencies(shown)["ttft"] - batch_tables.latencies(blind)["ttft"]
    assert np.median(later_s[more > 0]) == pytest.approx(encoder_s, rel=0.15)
    assert abs(np.median(later_s[more == 0])) < 0.2 * encoder_s
    assert batch_tables.requests(shown)["images"].to_pylist()[:3] == [2, 0, 0]


def test_images_for_a_model_without_an_encoder_are_refused(asked, album):
    with pytest.raises(StudyError, match=r"album.csv has images, and llama-3.1-8b reads none"):
        batch.serve(replace(asked, trace=album))


def test_stages_serve_what_one_chip_cannot_hold(asked):
    big = replace(asked, model="llama-3.1-70b", replicas=1)
    with pytest.raises(InfeasibleError):
        batch.serve(big)
    staged = batch.serve(replace(big, tp=1, pp=4))
    shared = batch.serve(replace(big, tp=4))
    for each in (staged, shared):
        assert value(each, "served") == COUNT
        assert value(each, "accelerators") == 4
        assert batch_tables.checks(each) == BALANCED
    assert value(staged, "tpot_p50") > 2.0 * value(shared, "tpot_p50")
    assert staged.deployment.kv_tokens == pytest.approx(shared.deployment.kv_tokens, rel=0.05)


@pytest.mark.parametrize(("more", "told"), [
    ({"pp": 33}, "32 layers: no 33 stages"), ({"pp": 2, "dp": 2}, "neither groups"),
    ({"pp": 2, "drafts": 2, "accepted": 1.5}, "nor --drafts"),
])  # fmt: skip
def test_stages_that_cannot_be_are_refused(asked, more, told):
    with pytest.raises(StudyError, match=told):
        batch.serve(replace(asked, **more))
