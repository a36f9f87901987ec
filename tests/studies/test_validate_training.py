"""Published training steps: errors by stack, ablations that bend as measured, blanks that are told."""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from simulator.studies.validate import training
from simulator.studies.validate.topic import Simulated

TABLE = Path(__file__).parents[3] / "shared" / "validation" / "training.csv"
ROW = {
    "model": "GPT 39.1B", "stack": "megatron-2021", "accelerator": "A100-SXM-80GB",
    "n_accelerators": "512", "layers": "48", "hidden": "8192", "heads": "64", "vocab": "51200",
    "seq_len": "2048", "global_batch": "1536", "micro_batch": "2", "tp": "8", "pp": "2",
    "precision": "fp16 mixed", "recompute": "full", "unit": "s",
}  # fmt: skip


@cache
def published() -> dict[str, tuple[dict[str, str], Simulated]]:
    if not TABLE.exists():
        pytest.skip("no training.csv beside the repository")
    with TABLE.open(newline="", encoding="utf-8") as file:
        return {row["id"]: (row, training.simulate(row)) for row in csv.DictReader(file)}


def errors(stack: str = "", searched: bool = False) -> np.ndarray:
    found = [
        100.0 * (made.value / float(row["measured"]) - 1.0)
        for row, made in published().values()
        if row["stack"].startswith(stack) and made.searched == searched
    ]
    return np.abs(np.array(found))


def test_every_published_step_is_simulated() -> None:
    assert len(published()) >= 483


@pytest.mark.parametrize(
    ("stack", "median", "p90"),
    [
        ("", 5, 20),
        ("megatron-20", 3, 10),
        ("megascale", 5, 10),
        ("composer", 4, 11),
        ("megatron-deepspeed", 6, 13),
        ("mlperf", 5, 13),
    ],
)
def test_published_plans_within(stack: str, median: float, p90: float) -> None:
    found = errors(stack)
    assert np.median(found) < median
    assert np.quantile(found, 0.9) < p90


def test_searched_plans_within() -> None:
    assert np.median(errors(searched=True)) < 16


def times(*names: str) -> Iterator[tuple[float, float]]:
    """Yield measured and simulated seconds."""
    for name in names:
        row, made = published()[name]
        yield float(row["measured"]), made.value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("KOR22-T5-22B-full", "KOR22-T5-22B-selective"),  # recomputation
        ("KOR22-T5-530B-full", "KOR22-T5-530B-selective"),
        ("KOR22-T5-1T-full", "KOR22-T5-1T-selective"),
        ("MS24-T2-Megatron-LM-3072", "MS24-T2-Megatron-LM-12288"),  # strong scaling
        ("MS24-T2-MegaScale-3072", "MS24-T2-MegaScale-12288"),
        ("MS24-T2-Megatron-LM-256", "MS24-T2-Megatron-LM-1024"),
        ("KOR22-T5-530B-selective", "KOR22-530B-DP8"),  # data parallelism
        ("MLM21-T2-ZeRO-3-174.6B-768", "MLM21-T2-PTD-P-174.6B-768"),  # sharding against splitting
        ("mlperf-v5.0-NVIDIA-eos-dfw_n64_ngc25.01_nemo-llama31_405b",  # H100 to GB200
         "mlperf-v5.0-IBM+CoreWeave+NVIDIA-carina_ngpu512_ngc25.04_nemo-llama31_405b"),
    ],
)  # fmt: skip
def test_ablations_bend_as_measured(before: str, after: str) -> None:
    (was, simulated_was), (now, simulated_now) = times(before, after)
    assert simulated_now / simulated_was == pytest.approx(now / was, rel=0.10)


def test_blanks_are_told() -> None:
    note = training.simulate(ROW).note
    assert "vpp" in note and "sharding none" in note
    assert "recompute" not in note and "micro_batch" not in note


def test_a_row_without_a_plan_is_searched_and_says_what_was_found() -> None:
    found = training.simulate(ROW | {"tp": "", "pp": "", "micro_batch": ""})
    assert found.searched
    assert "tp " in found.note


def test_shapes_of_a_row_stand_above_the_catalog() -> None:
    known = ROW | {"model": "GPT-3 175B", "kv_heads": "", "ffn": ""}
    assert training.simulate(known).value == pytest.approx(training.simulate(ROW).value, rel=0.02)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"stack": "unheard-of"}, "the catalog has no 'unheard-of' in stacks"),
        ({"accelerator": "H1000"}, "did you mean 'H100"),
        ({"stack": ""}, "stack is not given"),
        ({"tp": "three"}, "tp is 'three', not a whole number"),
        ({"tp": "5"}, "64 heads do not divide over tp 5"),
        ({"model": "unknown", "layers": ""}, "the catalog has no 'unknown' in models"),
    ],
)
def test_rows_that_cannot_be_simulated_say_why(changes: dict[str, str], reason: str) -> None:
    with pytest.raises((ValueError, KeyError), match=reason):
        training.simulate(ROW | changes)
