"""Reference figures: foreign tables become rows, limits bind as they must, what is no figure is told."""

import math
from pathlib import Path

import pytest

from simulator.performance.serving_setting import ReplicaPlan
from simulator.studies.validate import inference_reference, mlperf_inference
from simulator.studies.validate.replicas import deployment
from simulator.studies.validate.study import validate
from simulator.studies.validate.table import read
from simulator.studies.validate.under_limits import Task, batch_at, iteration_s, steady, tokens_s

SHARED = Path(__file__).parents[3] / "shared" / "validation" / "reference"
ROW = {"model": "llama-3.1-8b", "accelerator": "H100-SXM-80GB", "weight_precision": "fp8"}
ONE = deployment(ROW, ReplicaPlan(), "trtllm-1.0")
MLPERF = """id,accelerator,accelerators,model,scenario,weight_dtype,software,result_tokens_per_s,\
mean_output_tokens,ttft_limit_ms,tpot_limit_ms
5.1-1,NVIDIA H200-SXM-141GB,8,llama2-70b-99,{scenario},fp8,TensorRT 10.11,{result},290.0,2000.0,200.0
"""


def rows(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    return read([path])


def test_a_result_of_mlperf_becomes_a_row_and_one_held_out_has_no_measurement(tmp_path):
    (row,) = rows(tmp_path, MLPERF.format(scenario="Offline", result="34812.0"))
    assert row.topic == "mlperf_inference" and row.measured == 34812.0
    assert row.cells["n_accelerators"] == "8" and row.cells["weight_precision"] == "fp8"
    (blind,) = rows(tmp_path, MLPERF.format(scenario="Server", result="HELD-OUT"))
    assert blind.measured is None
    table = validate([row, blind])
    assert (table["simulated"].astype(float) > 0.0).all()
    assert table["error_pct"][1] is None and table["simulated"][1] <= table["simulated"][0]


def test_words_are_not_measurements(tmp_path):
    head = "id,topic,quantity,value,unit,configuration\n"
    found = rows(tmp_path, head + "A,inference,speed,fast,tok/s,x\nB,inference,b,7,tokens,y\n")
    assert [r.measured for r in found] == [None, 7.0]
    assert {r.topic for r in found} == {"inference_reference"}
    reasons = validate(found)["reason"]
    assert reasons.str.contains("no figure that a deployment determines").all()


def test_a_full_batch_gives_most_and_a_limit_takes_from_it():
    free = steady(ONE, Task(500.0, 200.0))
    limited = steady(ONE, Task(500.0, 200.0, tpot_s=0.02))
    assert 0.0 < limited < free
    each_s = iteration_s(ONE, Task(500.0, 200.0), 16.0)
    assert each_s > ONE.decode_s(16.0, 700.0), "prompts take time of iterations"
    assert steady(ONE, Task(500.0, 200.0, tpot_s=1e-4)) == 0.0


def test_a_batch_is_found_again_by_the_rate_it_writes_at():
    task = Task(500.0, 200.0)
    for batch in (3.0, 40.0):
        rate = batch / iteration_s(ONE, task, batch)
        assert batch_at(ONE, task, rate) == pytest.approx(batch, rel=1e-4)
    assert batch_at(ONE, task, math.inf) == ONE.seats(task.context)


def test_chips_that_serve_apart_serve_in_proportion():
    task = Task(500.0, 200.0)
    one, four = (tokens_s("llama-3.1-8b", "H100", n, "fp8", "trtllm-1.0", task) for n in (1, 4))
    assert four == pytest.approx(4.0 * one, rel=0.05) or four > 4.0 * one


def test_a_model_that_fits_no_plan_is_refused():
    with pytest.raises(ValueError, match="GB"):
        tokens_s("deepseek-r1", "H100", 2, "fp8", "trtllm-1.0", Task(100.0, 100.0))


def test_requests_in_time_are_fewer_the_tighter_the_limits():
    rates = [
        tokens_s("llama-3.1-8b", "H100", 1, "fp8", "trtllm-1.0", Task(778.0, 128.0, first, each))
        for first, each in ((math.inf, math.inf), (2.0, 0.1), (0.5, 0.03))
    ]
    assert rates[0] > rates[1] > rates[2] > 0.0


def test_unknown_models_and_quantities_are_refused():
    row = {"model": "qwen3-8b", "accelerator": "H100", "n_accelerators": "1", "scenario": "Offline",
           "mean_output_tokens": "100", "weight_precision": "fp8"}  # fmt: skip
    with pytest.raises(ValueError, match="no prompts of qwen3-8b"):
        mlperf_inference.simulate(row)
    with pytest.raises(ValueError, match="quantity is 'colour'"):
        mlperf_inference.simulate(row | {"quantity": "colour"})


def test_deepseeks_day_is_within_a_third_of_what_was_measured():
    """Published: 73,700 and 14,800 tokens/s per node, 226.75 nodes, 20 to 22 tokens/s per user."""
    assert inference_reference.prefill_s() == pytest.approx(73_700, rel=0.33)
    assert inference_reference.decode_s() == pytest.approx(14_800, rel=0.33)
    whole = inference_reference.nodes()
    parts = 608e9 / inference_reference.prefill_s() + 168e9 / inference_reference.decode_s()
    assert whole == pytest.approx(parts / 86400) and whole == pytest.approx(226.75, rel=0.4)


def test_a_slower_speed_per_user_serves_more_of_them():
    slow, fast = (inference_reference.at_speed("B200", v) for v in (20.0, 60.0))
    assert slow > fast > 0.0


@pytest.mark.parametrize("name", ["inference.csv", "mlperf_inference_v5.1.csv"])
def test_every_row_of_the_reference_tables_is_simulated_or_has_its_reason(name):
    if not (SHARED / name).is_file():
        pytest.skip("the tables of published measurements are not here")
    found = read([SHARED / name])
    found = found if name.startswith("inference") else found[::40]
    table = validate(found)
    told = table["reason"].notna() ^ table["simulated"].notna()
    assert told.all() and not table["reason"].fillna("").str.contains("defect").any()
