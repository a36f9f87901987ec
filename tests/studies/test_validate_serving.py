"""Serving topics: limits known in closed form, order, units, and what they refuse."""

import pytest

from simulator.studies.validate import (
    serving_batch,
    serving_load,
    serving_openloop,
    serving_phase,
)

CHIP = {"model": "llama-2-70b", "accelerator": "H100-SXM-80GB", "n_accelerators": "8", "tp": "8"}
PHASE = CHIP | {"batch": "1", "prompt_tokens": "512", "output_tokens": "128"}
BATCH = CHIP | {"mean_batch": "16", "task": "gpqa", "mean_output_tokens": "500",
                "weight_precision": "bfloat16"}  # fmt: skip
LOAD = CHIP | {"mode": "aggregated", "concurrency": "16", "input_tokens": "1024",
               "output_tokens": "256", "weight_precision": "fp8", "engine": "trtllm"}  # fmt: skip
OPEN = CHIP | {"rate_per_s": "1", "duration_s": "600", "prompt_tokens_mean": "600",
               "output_tokens_mean": "200", "shared_prefix_tokens": "100"}  # fmt: skip
CASES = [(serving_phase, PHASE), (serving_batch, BATCH), (serving_load, LOAD),
         (serving_openloop, OPEN)]  # fmt: skip
UNITS = {"time": "ms", "itl": "ms", "ttft": "s", "tpot": "s", "e2e": "s", "throughput": "tokens/s",
         "fraction": "TDP", "accelerator": "W"}  # fmt: skip


def value(topic, row, quantity, **more):
    unit = next(u for word, u in UNITS.items() if word in quantity)
    return topic.simulate(row | {"quantity": quantity, "unit": unit} | more).value


@pytest.mark.parametrize(("topic", "row"), CASES)
def test_every_quantity_is_positive_and_others_are_refused(topic, row):
    for quantity in topic.QUANTITIES:
        unit = next((u for word, u in UNITS.items() if word in quantity), "s")
        if "power" in quantity:
            unit = "W" if "accelerator" in quantity else "TDP"
        assert topic.simulate(row | {"quantity": quantity, "unit": unit}).value > 0.0
    with pytest.raises(ValueError, match="quantity is 'colour', none of"):
        topic.simulate(row | {"quantity": "colour"})


@pytest.mark.parametrize(("topic", "row"), CASES)
@pytest.mark.parametrize("cell", [{"model": "no-such"}, {"accelerator": "H1000"}])
def test_an_unknown_name_is_an_error_with_a_reason(topic, row, cell):
    with pytest.raises(KeyError, match="the catalog has no"):
        topic.simulate(row | {"quantity": topic.QUANTITIES[0]} | cell)


@pytest.mark.parametrize(("topic", "row"), CASES[2:])
def test_weights_that_do_not_fit_are_not_served(topic, row):
    with pytest.raises(ValueError, match="needs 138 GB"):
        topic.simulate(row | {"tp": "1", "quantity": "ttft_mean", "weight_precision": "bf16"})


def test_units_of_the_row_scale_the_value():
    ms = value(serving_phase, PHASE, "prefill_time")
    assert value(serving_phase, PHASE, "prefill_time", unit="s") == pytest.approx(ms / 1e3)


def test_phases_grow_with_what_they_process():
    short = value(serving_phase, PHASE, "prefill_time")
    longer = value(serving_phase, PHASE | {"prompt_tokens": "2048"}, "prefill_time")
    assert 2.0 * short < longer < 4.0 * short, "few tokens wait for the host"
    step = value(serving_phase, PHASE, "decode_step_time")
    assert value(serving_phase, PHASE | {"batch": "32"}, "decode_step_time") > step
    assert value(serving_phase, PHASE | {"tp": "4"}, "decode_step_time") > step


def test_mean_power_lies_between_decode_and_peak():
    mean = serving_phase.simulate(PHASE | {"quantity": "power_mean_fraction", "unit": "TDP"}).value
    peak = serving_phase.simulate(PHASE | {"quantity": "power_peak_fraction", "unit": "TDP"}).value
    assert 0.0 < mean < peak <= 1.0


def test_throughput_is_the_batch_over_the_whole_iteration():
    itl_s = value(serving_batch, BATCH, "itl_p50") / 1e3
    rate = value(serving_batch, BATCH, "output_throughput")
    assert 0.8 * 16 / itl_s < rate < 16 / itl_s
    watts = value(serving_batch, BATCH, "accelerator_power", unit="W")
    assert 8 * 70 < watts <= 8 * 700


def test_a_prompt_length_that_is_given_replaces_the_assumed_one():
    assumed = serving_batch.simulate(BATCH | {"quantity": "itl_p50", "unit": "ms"})
    given = serving_batch.simulate(
        BATCH | {"quantity": "itl_p50", "unit": "ms", "prompt_tokens": "300"}
    )
    assert assumed.value == given.value and assumed.note and not given.note
    with pytest.raises(ValueError, match="task is 'poetry'"):
        serving_batch.simulate(BATCH | {"task": "poetry", "quantity": "itl_p50"})


# The closed loop


def test_blank_and_zero_degrees_are_not_used():
    plain = value(serving_load, LOAD, "tpot_mean")
    assert value(serving_load, LOAD | {"dp": "0", "pp": "", "n_accelerators": "0"} , "tpot_mean",
                 n_accelerators="8") == plain  # fmt: skip


def test_disaggregated_workers_are_one_each_where_not_given():
    split = LOAD | {"mode": "disaggregated", "prefill_tp": "4", "decode_tp": "8"}
    found = serving_load.simulate(split | {"quantity": "tpot_mean", "unit": "s"})
    assert "4 decode workers guessed" in found.note
    more = split | {"prefill_workers": "4", "decode_workers": "2"}
    crowded = {"concurrency": "512"}
    many, one = (value(serving_load, cells | crowded, "ttft_mean") for cells in (
        more, split | {"prefill_workers": "1", "decode_workers": "2"}))  # fmt: skip
    assert many < one


def test_runs_that_drafted_are_known_by_their_version():
    row = LOAD | {"model": "deepseek-ai/DeepSeek-R1", "engine": "trtllm", "accelerator": "B200"}
    plain, drafted = (
        value(serving_load, row | {"engine_version": v}, "tpot_mean")
        for v in ("1.2.0rc6.post2", "1.2.0rc6.post3")
    )
    assert drafted < 0.8 * plain


def test_an_unknown_engine_is_refused():
    with pytest.raises(ValueError, match="engine is 'tgi', none of vllm, sglang, trtllm"):
        serving_load.simulate(LOAD | {"engine": "tgi", "quantity": "tpot_mean", "unit": "s"})


# The open loop


def test_latency_grows_with_the_rate_and_tails_exceed_means():
    slow, fast = (
        {
            q: value(serving_openloop, OPEN | {"rate_per_s": r}, q)
            for q in serving_openloop.QUANTITIES
        }
        for r in ("1", "4")
    )
    assert all(fast[q] > slow[q] for q in slow if q != "ttft_p99")
    assert slow["ttft_p99"] > slow["ttft_mean"] and slow["e2e_p99"] > slow["e2e_mean"]
    whole = slow["ttft_mean"] + 199 * slow["tpot_mean"]
    assert slow["e2e_mean"] == pytest.approx(whole, rel=2e-3), "answers spread around their mean"


def test_an_overloaded_deployment_piles_up_a_backlog():
    heavy = OPEN | {"rate_per_s": "200", "duration_s": "10"}
    once = value(serving_openloop, heavy, "ttft_mean")
    assert once > 5.0
    assert value(serving_openloop, heavy | {"duration_s": "20"}, "ttft_mean") > 1.8 * once


def test_capped_prompts_are_not_faster_with_longer_history():
    short = value(serving_openloop, OPEN | {"shared_prefix_tokens": "0"}, "ttft_mean")
    assert value(serving_openloop, OPEN, "ttft_mean") < short
