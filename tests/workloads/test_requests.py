"""Requests of a pool: profiles with languages and reasoning, lengths drawn jointly, traces."""

import dataclasses
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from small import load_tree, pod_tree

from simulator import catalog, scenario
from simulator.components import from_catalog
from simulator.engine.world import Stream
from simulator.errors import ScenarioError
from simulator.scenario import resolved
from simulator.simulation import simulate
from simulator.studies import provenance
from simulator.studies.run import warnings_of
from simulator.workloads import ServedModel, inference, pools
from simulator.workloads.demand import Demand, hourly_rate
from simulator.workloads.requests import Requests, draw, drawn_mean, mean_lengths
from simulator.workloads.trace_demand import TraceDemand, length_s, trace_of

MONDAY = datetime.fromisoformat("2027-07-12T00:00:00-04:00")
STREAM = Stream(1, 2)
LENGTHS = ("input_tokens", "output_tokens", "length_cv")


def tree_of(requests, days=1, lengths=False, **changes):
    tree = pod_tree()
    tree["period"] = {"start": "2027-07-12T00:00:00-04:00", "duration": f"{days} d"}
    served = tree["workloads"][0]
    if not lengths:
        for key in LENGTHS:
            served.pop(key, None)
    tree["workloads"][0] = served | {"requests": requests, "demand": {"rate": "100 /s"}} | changes
    return tree


def uniforms(count, seed=3):
    return np.random.Generator(np.random.Philox(seed)).uniform(size=(2, count))


# Profiles


def test_a_profile_gives_a_pool_its_lengths(tmp_path):
    served = load_tree(tree_of({"profile": "conversation"}), tmp_path).spec.workloads[0]
    profile = from_catalog.request_profile("conversation")
    assert served.input_tokens == profile.input.mean
    assert served.output_tokens == profile.output.mean


def test_chains_of_thought_grow_by_their_factor():
    profile = from_catalog.request_profile("reasoning")
    once, twice = (
        mean_lengths(Requests(profile="reasoning", reasoning_factor=f)) for f in (1.0, 2.0)
    )
    more = twice["output_tokens"] - once["output_tokens"]
    assert more == pytest.approx(profile.reasoning_frac * profile.output.mean)
    assert twice["input_tokens"] == once["input_tokens"]


def test_languages_take_more_tokens_of_text_and_none_of_images():
    spoken = {"languages": [{"language": "japanese", "share": "50 %"}]}
    factor = 1.0 + 0.5 * (catalog.load("languages", "premiums")["tokens"]["japanese"]["value"] - 1.0)
    profile = from_catalog.request_profile("multimodal-image")
    found = mean_lengths(Requests.model_validate({"profile": "multimodal-image", **spoken}))
    text = profile.input.mean - profile.image_tokens
    assert found["input_tokens"] == pytest.approx(profile.image_tokens + factor * text)
    assert found["output_tokens"] == pytest.approx(factor * profile.output.mean)


def test_a_resolved_profile_loads_again_to_the_same_pool(tmp_path):
    requests = {"profile": "reasoning", "reasoning_factor": 2.0,
                "languages": [{"language": "german", "share": "10 %"}]}
    first = load_tree(tree_of(requests), tmp_path)
    (tmp_path / "again.yaml").write_text(resolved(first))
    assert scenario.load(tmp_path / "again.yaml").spec == first.spec


@pytest.mark.parametrize(
    ("requests", "lengths", "told"),
    [({"profile": "conversation"}, True, "leave it out"),
     ({"profile": "conversation", "trace": "a.csv"}, False, "one of them"),
     ({"profile": "convresation"}, False, "did you mean 'conversation"),
     ({"profile": "code", "languages": [{"language": "germna", "share": "10 %"}]}, False,
      "did you mean 'german'"),
     ({"profile": "code", "languages": [{"language": "german", "share": "70 %"},
                                        {"language": "french", "share": "70 %"}]}, False,
      "more than all requests"),
     ({"trace": "nowhere.csv"}, True, "there is no file")],
)
def test_what_cannot_be_meant_is_refused(requests, lengths, told, tmp_path):
    with pytest.raises(ScenarioError, match=told):
        load_tree(tree_of(requests, lengths=lengths), tmp_path)


@pytest.mark.parametrize("name", catalog.names("demand"))
def test_drawn_lengths_are_distributed_as_the_profile_says(name):
    profile = from_catalog.request_profile(name)
    asked, given = draw(name, 200_000, uniforms(200_000))
    assert asked.min() >= 1 and given.min() >= 1
    assert asked.mean() == pytest.approx(drawn_mean(profile.input), rel=0.08)
    assert given.mean() == pytest.approx(drawn_mean(profile.output), rel=0.08)
    assert np.median(asked) == pytest.approx(max(profile.input.table[7], 1.0), rel=0.05, abs=1.0)
    ranks = [np.argsort(np.argsort(side, kind="stable"), kind="stable") for side in (asked, given)]
    found = np.corrcoef(*ranks)[0, 1]
    assert found == pytest.approx(profile.rank_correlation, abs=0.03)


def test_the_day_of_a_profile_peaks_where_it_is_told_to():
    profile = from_catalog.request_profile("assistant-small")
    quiet = {"rate": "100 /s", "variability": 0.0, "weekend": 1.0}
    for peak in (3.5, 12.5, 20.5):
        demand = Demand.model_validate(quiet | {"peak_hour": peak})
        rate = hourly_rate(demand, MONDAY, 48, STREAM, profile)
        assert abs((rate[:24].argmax() - peak + 12) % 24 - 12) <= 0.5
    own = hourly_rate(Demand.model_validate(quiet), MONDAY, 48, STREAM, profile)
    assert own[:24].mean() == pytest.approx(100.0, rel=0.01)
    assert own[:24].max() == pytest.approx(100.0 * max(profile.hours), rel=0.05)


def test_what_demand_says_goes_before_the_profile():
    profile = from_catalog.request_profile("assistant-small")
    demand = Demand.model_validate(
        {"rate": "100 /s", "daily_swing": 0.0, "weekend": 1.0, "variability": 0.0})
    np.testing.assert_allclose(hourly_rate(demand, MONDAY, 24, STREAM, profile), 100.0)


# Traces


def write(path, arrival_s, asked, given):
    rows = "\n".join(f"{a},{i},{o}" for a, i, o in zip(arrival_s, asked, given, strict=True))
    path.write_text(f"arrival_s,input_tokens,output_tokens\n{rows}\n")
    return path


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0.0, 9000.0), min_size=2, max_size=200), st.integers(1, 9))
def test_hours_of_a_trace_keep_its_requests(arrivals, hours):
    arrival_s = np.sort(np.array(arrivals))
    count = len(arrival_s)
    trace = trace_of_arrays(arrival_s, np.arange(count) + 1, np.full(count, 7))
    rate, _, asked, given = TraceDemand(trace).hourly(hours, 10**9)
    assert rate.shape == asked.shape == given.shape == (hours + 1,)
    assert np.all(given == pytest.approx(7.0))
    assert np.all((asked >= 1.0) & (asked <= count))
    whole = rate[0] * 1800.0 + rate[1:].sum() * 3600.0
    ends = (hours + 0.5) * 3600.0
    passes, part = divmod(ends, length_s(trace))
    inside = (arrival_s - arrival_s[0] < part).sum()
    assert whole == pytest.approx(passes * count + inside, rel=1e-9, abs=1e-6)


def trace_of_arrays(arrival_s, asked, given):
    from pathlib import Path

    from simulator.request_trace import RequestTrace

    nothing = np.zeros(len(arrival_s), np.int64)
    return RequestTrace(Path("made.csv"), arrival_s, asked, given, nothing, nothing)


def test_requests_of_a_trace_that_no_replica_holds_are_told_hour_by_hour():
    arrival_s = np.arange(0.0, 7200.0, 2.0)
    late = arrival_s >= 3600.0
    asked = np.where(late & (np.arange(arrival_s.size) % 4 == 0), 5000, 1000)
    trace = trace_of_arrays(arrival_s, asked, np.full(arrival_s.size, 100))
    rate, rejected, read, written = TraceDemand(trace).hourly(2, 1100)
    np.testing.assert_allclose(rate, 0.5)
    np.testing.assert_allclose(rejected, [0.0, 0.125, 0.125], atol=1e-3)
    np.testing.assert_allclose(read, 1000.0)
    np.testing.assert_allclose(written, 100.0)


def test_a_trace_scaled_to_a_rate_has_it():
    trace = trace_of_arrays(np.arange(3600.0), np.full(3600, 100), np.full(3600, 10))
    rate = TraceDemand(trace, 50.0).hourly(10, 10**9)[0]
    np.testing.assert_allclose(rate, 50.0, rtol=1e-3)
    np.testing.assert_allclose(TraceDemand(trace).hourly(10, 10**9)[0], 1.0, rtol=1e-3)


def test_a_pool_serves_a_trace_over_and_over(tmp_path):
    arrival_s = np.arange(0.0, 7200.0, 0.5)
    longer = np.where(arrival_s < 3600.0, 1000, 3000)
    write(tmp_path / "two-hours.csv", arrival_s, longer, np.full(arrival_s.size, 200))
    tree = tree_of({"trace": "two-hours.csv"}, lengths=True, demand={}, days=1)
    given = load_tree(tree, tmp_path)
    row = simulate(given).tables["pools"].iloc[0]
    assert row["requests"] == pytest.approx(2.0 * 24 * 3600.0, rel=0.01)
    assert row["served"] == pytest.approx(row["requests"])
    assert row["input_tokens"] / row["served"] == pytest.approx(2000.0, rel=0.02)
    assert row["output_tokens"] == pytest.approx(200.0 * row["served"])
    kinds = [entry["kind"] for entry in provenance.inputs(given)]
    assert kinds.count("trace") == 1
    (tmp_path / "again.yaml").write_text(resolved(given))
    assert scenario.load(tmp_path / "again.yaml").spec == given.spec


def test_what_a_trace_says_beside_is_a_warning_of_the_run(tmp_path):
    rows = "\n".join(f"{k},{5000 if k % 4 == 0 else 100},20,0" for k in range(600))
    (tmp_path / "t.csv").write_text(f"arrival_s,input_tokens,output_tokens,prority\n{rows}\n")
    tree = tree_of({"trace": "t.csv"}, lengths=True)
    tree["workloads"][0] |= {"model": "llama-2-70b", "input_tokens": 1200}
    told = warnings_of(load_tree(tree, tmp_path))
    assert any("t.csv: column 'prority' is not read (did you mean 'priority'?)" in line for line in told)
    assert any("25.0% of its requests are longer than the 4096 tokens" in line for line in told)


def test_images_of_a_trace_are_refused_where_they_would_not_count(tmp_path):
    (tmp_path / "t.csv").write_text("arrival_s,input_tokens,output_tokens,images\n0,5,2,1\n9,5,2,0\n")
    with pytest.raises(ScenarioError, match="has a column 'images'"):
        load_tree(tree_of({"trace": "t.csv"}, lengths=True), tmp_path)


def test_images_of_a_profile_take_the_time_of_their_encoder():
    pool = TypeAdapter(ServedModel).validate_python({
        "kind": "inference", "name": "eyes", "model": "gemma-3-27b", "accelerator": "GB300",
        "tensor_parallel": 1, "weight_precision": "fp8", "ttft_limit": "2 s", "tpot_limit": "50 ms",
        "most_accelerators": 72, "demand": {"rate": "1 /s"}, "requests": {"profile": "multimodal-image"},
    })  # fmt: skip
    blind = pool.model_copy(update={"model": "gemma-3-27b", "requests": None})
    assert inference.image_frac(pool) == pytest.approx(649.8 / 1204.0)
    assert inference.image_frac(blind) == 0.0
    seeing, guess = inference._calibration(inference._replica_alone(pool))
    rate_s, stay_s = 0.2 * guess.capacity_requests_s, 2.0
    found = seeing.at(rate_s, stay_s)
    without = dataclasses.replace(seeing, image_frac=0.0).at(rate_s, stay_s)
    encoder_s = seeing.engine.rules.image_s * 649.8
    assert np.median(found.ttft_s) - np.median(without.ttft_s) == pytest.approx(encoder_s, rel=0.5)
    assert found.busy_frac > without.busy_frac


def test_another_trace_is_another_result(tmp_path):
    arrival_s = np.arange(0.0, 600.0)
    given = []
    for tokens in (100, 200):
        write(tmp_path / "t.csv", arrival_s, np.full(600, tokens), np.full(600, 20))
        loaded = load_tree(tree_of({"trace": "t.csv"}, lengths=True), tmp_path)
        given.append(provenance.identity(loaded, 0))
    assert given[0] != given[1]


def test_a_pool_without_any_rate_is_refused(tmp_path):
    tree = tree_of({"profile": "conversation"}, demand={"weekend": 1.0})
    with pytest.raises(ScenarioError, match="demand needs a rate"):
        load_tree(tree, tmp_path)


def test_hours_with_longer_requests_are_more_work(tmp_path):
    write(tmp_path / "t.csv", np.arange(0.0, 7200.0), np.repeat([500, 4000], 3600),
          np.full(7200, 200))  # fmt: skip
    served = load_tree(tree_of({"trace": "t.csv"}, lengths=True, demand={}), tmp_path).spec.workloads[0]
    pool = pools.columns_of(served, MONDAY, 4, STREAM, (), tmp_path)
    assert pool.work_frac.shape == (5,)
    assert pool.work_frac.max() > 1.5 * pool.work_frac.min()
    assert trace_of(tmp_path / "t.csv").requests == 7200
