"""How the degrees of a `serving_load` row are read."""

import pytest

from simulator.performance.serving_setting import ReplicaPlan
from simulator.studies.validate.load_plans import engines_of

AGGREGATED = {"mode": "aggregated", "accelerator": "H200-SXM-141GB", "concurrency": "64",
              "engine": "trtllm", "model": "llama-3.1-8b", "weight_precision": "fp8",
              "input_tokens": "1024", "output_tokens": "1024"}  # fmt: skip
SPLIT = AGGREGATED | {"mode": "disaggregated"}


def row(n="", tp="", dp="", moe_tp="", ep="", **more):
    cells = {"n_accelerators": n, "tp": tp, "dp": dp, "moe_tp": moe_tp, "ep": ep}
    return AGGREGATED | cells | more


def test_degrees_are_taken_as_told():
    assert engines_of(row("8", "8.0", "1.0", "8.0", "1.0")).decode == ReplicaPlan(8, 1, 1)
    assert engines_of(row("8", "1.0", "8.0", "1.0", "8.0")).decode == ReplicaPlan(1, 8, 8)
    assert engines_of(row("8", "4.0")).decodes == 2
    assert engines_of(row("2", "2.0", "0.0", "0.0", "0.0")).decode == ReplicaPlan(2, 1, 1)


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        (("64", "64.0", "1.0", "8.0", "8.0"), ReplicaPlan(8, 1, 8)),
        (("64", "1.0", "64.0", "8.0", "8.0"), ReplicaPlan(1, 8, 8)),
        (("16", "16.0", "1.0", "4.0", "4.0"), ReplicaPlan(4, 1, 4)),
        (("16", "4.0", "4.0", "1.0", "16.0"), ReplicaPlan(4, 1, 4)),
    ],
)
def test_chips_that_were_counted_as_tensor_and_expert_ranks_count_once(told, meant):
    found = engines_of(row(*told))
    assert found.decode == meant and found.decodes == 1


def test_workers_that_are_given_are_taken():
    cells = {"prefill_workers": "2", "prefill_tp": "1", "prefill_dp": "8", "prefill_ep": "8",
             "decode_workers": "3", "decode_tp": "8", "decode_dp": "1", "decode_ep": "1"}  # fmt: skip
    found = engines_of(SPLIT | cells)
    assert found.prefill == ReplicaPlan(1, 8, 8) and found.prefills == 2
    assert found.decode == ReplicaPlan(8, 1, 1) and found.decodes == 3 and not found.note


def test_workers_that_are_not_given_are_guessed_and_told():
    cells = {"prefill_tp": "8", "prefill_dp": "1", "prefill_ep": "8", "decode_tp": "8",
             "decode_dp": "1", "decode_ep": "8"}  # fmt: skip
    few, many = (engines_of(SPLIT | cells | {"concurrency": c}) for c in ("32", "4096"))
    assert few.decode == ReplicaPlan(8, 1, 8) and few.decodes == 4
    assert many.decode == ReplicaPlan(1, 8, 8) and many.decodes == 1
    assert "guessed" in few.note and "guessed" in many.note


@pytest.mark.parametrize("chips", [12, 20, 24, 28, 36, 48, 52, 64, 72])
@pytest.mark.parametrize("users", ["8", "4096"])
def test_a_rack_of_which_only_all_chips_are_known_is_shared_out(chips, users):
    cells = {"accelerator": "GB200", "concurrency": users}
    found = engines_of(row(str(chips), f"{chips}.0", "1.0", f"{chips}.0", "1.0") | cells)
    used = found.decode.chips * found.decodes + found.prefill.chips * found.prefills
    assert used <= chips and found.prefill and "guessed" in found.note
