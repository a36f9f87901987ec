"""Topic expert_exchange: order, limits, refusals, and the measured table where it is at hand."""

from pathlib import Path

import numpy as np
import pytest

from simulator.studies.validate.exchange_table import HEADER, halves
from simulator.studies.validate.expert_exchange import simulate
from simulator.studies.validate.study import validate
from simulator.studies.validate.table import read

MEASURED = Path(__file__).parents[3] / "shared" / "validation" / "reference" / "moe_alltoall.csv"
ROW = {"quantity": "dispatch_time", "kernel": "normal", "accelerator": "H100-SXM-80GB",
       "n_ranks": "8", "ranks_per_node": "8", "tokens": "4096", "hidden": "7168",
       "active_experts": "8", "experts": "256", "unit": "us"}  # fmt: skip


P90 = {"normal": 0.17, "low_latency": 0.14, "one_sided": 0.29}


def value(**cells):
    return simulate(ROW | cells).value


def test_more_tokens_more_experts_and_wider_values_take_longer():
    assert value(tokens="8192") > 1.5 * value()
    assert value(active_experts="2") < value()
    assert value(dispatch_precision="bf16") > value(dispatch_precision="fp8") > 0.0
    assert value(quantity="combine_time") > value()


def test_between_nodes_takes_longer_than_inside_one():
    assert value(n_ranks="16", ranks_per_node="8") > value(n_ranks="16", accelerator="GB200",
                                                           ranks_per_node="72")  # fmt: skip


def test_a_blank_number_of_ranks_per_node_is_the_domain():
    assert value(ranks_per_node="") == value()


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ({"kernel": "fast"}, "kernel is 'fast', none of normal"),
        ({"quantity": "time"}, "quantity is 'time'"),
        ({"dispatch_precision": "fp5"}, "dispatch_precision is 'fp5'"),
        ({"hidden": ""}, "hidden is not given"),
        ({"accelerator": ""}, "accelerator is not given"),
    ],
)
def test_what_cannot_be_simulated_says_why(cells, told):
    with pytest.raises(ValueError, match=told):
        value(**cells)


def test_measured_exchanges_are_met():
    if not MEASURED.is_file():
        pytest.skip("the table of measured exchanges is not here")
    errors: dict[str, list[float]] = {}
    for row in read([MEASURED]):
        if row.measured is not None:
            error = abs(simulate(row.cells).value / row.measured - 1.0)
            errors.setdefault(row.cells["kernel"], []).append(error)
    assert sum(map(len, errors.values())) > 10_000
    for kind, found in errors.items():
        assert np.median(found) < 0.10, kind
        assert np.quantile(found, 0.9) < P90[kind], kind


def test_a_benchmarks_own_table_makes_two_rows_of_each_line(tmp_path):
    path = tmp_path / "measured.csv"
    path.write_text(
        "system,kind,version,nodes,gpus,hidden,tokens,topk,experts,sms,dispatch_us,combine_us\n"
        "h100_sxm,deepep_normal,0.5,2,16,7168,4096,8,256,24,500,900\n"
        "gb200,trtllm_alltoall_nvlink nvfp4 balanced,1.3,,4,7168,64,8,256,,20.5,\n"
        "h1000,fast,1,2,9,7168,64,8,256,,1,1\n"
    )
    rows = read([path])
    assert [row.id for row in rows[:2]] == ["measured.csv:2-dispatch", "measured.csv:2-combine"]
    assert [row.measured for row in rows[:4]] == [500.0, 900.0, 20.5, None]
    assert rows[0].cells["ranks_per_node"] == "8" and rows[2].cells["dispatch_precision"] == "fp4"
    table = validate(rows)
    found = table["simulated"].tolist()
    as_topic = ROW | {"n_ranks": "16", "multiprocessors": "24"}
    assert found[:2] == [simulate(as_topic | {"quantity": f"{half}_time"}).value
                         for half in ("dispatch", "combine")]  # fmt: skip
    assert all(value > 0.0 for value in found[:4])
    assert found[4:] == [None, None] and "kernel is 'fast'" in table["reason"].iloc[4]


def test_ranks_that_do_not_share_nodes_evenly_are_told():
    line = dict.fromkeys(HEADER, "1") | {"kind": "deepep_normal", "gpus": "9", "nodes": "2"}
    with pytest.raises(ValueError, match="ranks_per_node is '9/2'"):
        simulate(next(halves(line | {"system": "h100_sxm"}, "here")))
