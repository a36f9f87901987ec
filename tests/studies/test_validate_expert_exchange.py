"""Topic expert_exchange: order, limits, refusals, and the measured table where it is at hand."""

import csv
from pathlib import Path

import numpy as np
import pytest

from simulator.studies.validate.expert_exchange import simulate

MEASURED = Path(__file__).parents[3] / "shared" / "validation" / "reference" / "moe_alltoall.csv"
ROW = {"quantity": "dispatch_time", "kernel": "normal", "accelerator": "H100-SXM-80GB",
       "n_ranks": "8", "ranks_per_node": "8", "tokens": "4096", "hidden": "7168",
       "active_experts": "8", "experts": "256", "unit": "us"}  # fmt: skip
CHIPS = {"b200_sxm": "B200", "b300_sxm": "B300", "gb200": "GB200", "gb300": "GB300",
         "h100_sxm": "H100-SXM-80GB", "h200_sxm": "H200-SXM-141GB"}  # fmt: skip
WORDS = {"low_latency": "low_latency", "normal": "normal", "alltoall": "one_sided"}
FORMATS = {"bfloat16": "bf16", "nvfp4": "fp4"}


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


def measured():
    """Yield (kind, cells, measured us) of every half of every exchange whose value is given."""
    with MEASURED.open() as file:
        for row in csv.DictReader(file):
            kernel = next(k for word, k in WORDS.items() if word in row["kind"])
            nodes = int(row["nodes"] or 1)
            form = next((f for word, f in FORMATS.items() if word in row["kind"]), "")
            cells = {
                "kernel": kernel, "accelerator": CHIPS[row["system"]], "n_ranks": row["gpus"],
                "ranks_per_node": str(int(row["gpus"]) // nodes), "tokens": row["tokens"],
                "hidden": row["hidden"], "active_experts": row["topk"], "experts": row["experts"],
                "multiprocessors": row["sms"], "dispatch_precision": form, "unit": "us",
            }  # fmt: skip
            for half in ("dispatch", "combine"):
                if row[f"{half}_us"].replace(".", "").isdigit():
                    yield kernel, cells | {"quantity": f"{half}_time"}, float(row[f"{half}_us"])


def test_measured_exchanges_are_met():
    if not MEASURED.is_file():
        pytest.skip("the table of measured exchanges is not here")
    errors: dict[str, list[float]] = {}
    for kind, cells, us in measured():
        errors.setdefault(kind, []).append(abs(simulate(cells).value / us - 1.0))
    assert sum(map(len, errors.values())) > 10_000
    for kind, found in errors.items():
        assert np.median(found) < 0.10, kind
