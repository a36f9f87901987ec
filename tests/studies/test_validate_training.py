"""Published training steps: errors by stack, ablations that bend as measured, blanks that are told."""

import csv
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from simulator.studies.validate import training
from simulator.studies.validate.study import validate
from simulator.studies.validate.table import Row
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
        ("", 5, 17),
        ("megatron-20", 3, 10),
        ("megascale", 5, 10),
        ("composer", 4, 11),
        ("megatron-deepspeed", 6, 13),
        ("mlperf", 5, 13),
        ("megatron-bridge", 8, 32),
    ],
)
def test_published_plans_within(stack: str, median: float, p90: float) -> None:
    found = errors(stack)
    assert np.median(found) < median
    assert np.quantile(found, 0.9) < p90


@pytest.mark.parametrize(
    ("chip", "layers", "median", "p90"),
    [
        ("GB200", "dense", 4, 11),
        ("GB200", "experts", 7, 30),  # GPT-OSS in 16 bits
        ("B200", "dense", 3, 5),
        ("B200", "experts", 18, 38),  # exchange between servers too slow
        ("H100-SXM-80GB", "dense", 5, 9),
        ("H100-SXM-80GB", "experts", 18, 35),  # GPT-OSS; Qwen3 30B, whose releases differ by 1.8
    ],
)
def test_megatron_bridge_by_chip_within(chip: str, layers: str, median: float, p90: float) -> None:
    found = np.array([
        100.0 * abs(made.value / float(row["measured"]) - 1.0)
        for row, made in published().values()
        if row["stack"].startswith("megatron-bridge") and row["accelerator"] == chip
        and bool(training._model(row).experts) == (layers == "experts")
    ])  # fmt: skip
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


SHAPE = ("model", "stack", "accelerator", "n_accelerators", "layers", "hidden", "seq_len",
         "global_batch", "micro_batch", "tp", "cp", "ep", "vpp", "precision", "recompute",
         "sharding")  # fmt: skip
"""What two rows have in common that differ in the number of pipeline stages alone."""


def test_more_pipeline_stages_bend_as_measured() -> None:
    """Stages double at the same batch: half the data-parallel ranks, each with twice the micro-batches
    and a longer bubble."""
    groups: dict[tuple[str, ...], dict[int, str]] = {}
    for name, (row, _) in published().items():
        if row["pp"].isdigit():
            groups.setdefault(tuple(row[c] for c in SHAPE), {})[int(row["pp"])] = name
    pairs = [
        (stages[few], stages[many])
        for stages in groups.values()
        for few, many in zip(sorted(stages), sorted(stages)[1:], strict=False)
    ]
    assert len(pairs) >= 16
    for before, after in pairs:
        (was, simulated_was), (now, simulated_now) = times(before, after)
        assert simulated_now / simulated_was == pytest.approx(now / was, rel=0.06), after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("MLM21-T2-PTD-P-174.6B-384", "MLM21-T2-PTD-P-174.6B-768"),
        ("MLM21-T2-PTD-P-174.6B-768", "MLM21-T2-PTD-P-174.6B-1536"),
        ("MLM21-T2-PTD-P-529.6B-560", "MLM21-T2-PTD-P-529.6B-1120"),
        ("MLM21-T2-PTD-P-529.6B-1120", "MLM21-T2-PTD-P-529.6B-2240"),
        ("MS24-T2-MegaScale-256", "MS24-T2-MegaScale-512"),
        ("MS24-T2-MegaScale-512", "MS24-T2-MegaScale-1024"),
    ],
)
def test_fewer_micro_batches_show_the_bubble_as_measured(before: str, after: str) -> None:
    """Twice the chips with the same stages halve the micro-batches: what is lost is mostly bubble."""
    (was, simulated_was), (now, simulated_now) = times(before, after)
    assert now / was > 0.51
    assert simulated_now / simulated_was > 0.51
    assert simulated_now / simulated_was == pytest.approx(now / was, rel=0.04)


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
        ({"tp": "1.5"}, "tp is '1.5', not a whole number of one or more"),
        ({"tp": "0"}, "tp is '0', not a whole number of one or more"),
        ({"pp": "1", "vpp": "3"}, "vpp 3 needs several pipeline stages, and pp is 1"),
        ({"heads": "7"}, "hidden 8192 does not divide over 7 heads"),
        ({"tp": "5"}, "64 heads do not divide over tp 5"),
        ({"model": "unknown", "layers": ""}, "the catalog has no 'unknown' in models"),
    ],
)
def test_rows_that_cannot_be_simulated_say_why(changes: dict[str, str], reason: str) -> None:
    with pytest.raises((ValueError, KeyError), match=reason):
        training.simulate(ROW | changes)


def test_words_not_understood_are_taken_as_not_given_and_told() -> None:
    for column, told in (("recompute", "is none of none, selective, full"),
                         ("sharding", "is none of full, gradients, optimizer, none"),
                         ("precision", "is none of fp4, int8, fp8, bf16")):  # fmt: skip
        plain, odd = (training.simulate(ROW | {column: cell}) for cell in ("", "banana"))
        assert odd.value == plain.value
        assert f"{column} 'banana' {told}: taken as not given" in odd.note


def test_a_number_with_another_chips_in_brackets_is_told() -> None:
    found = training.simulate(ROW | {"tp": "8 (4)"})
    assert found.value == training.simulate(ROW).value
    assert "tp '8 (4)' taken as 8" in found.note


def test_a_component_that_cannot_be_made_gives_its_first_complaint() -> None:
    rows = [Row("t.csv", 2, ROW | {"topic": "training", "heads": "32", "kv_heads": "12"}, 1.0)]
    (record,) = validate(rows).to_dict("records")
    assert record["simulated"] is None
    assert "Error" not in record["reason"] and "heads" in record["reason"]


def test_small_servers_split_tensor_parallel_ranks_but_racks_do_not() -> None:
    whole, halves = (training.simulate(ROW | {"accelerators_per_node": n}) for n in ("8", "4"))
    assert halves.value > 1.2 * whole.value
    rack = ROW | {"accelerator": "GB200", "stack": "megatron-bridge-25.11", "precision": "bf16"}
    trays, blank = (training.simulate(rack | {"accelerators_per_node": n}) for n in ("4", ""))
    assert trays.value == blank.value


def test_a_stack_that_knows_better_says_in_what_it_multiplied() -> None:
    gaudi = ROW | {"stack": "mlperf-v3.1", "accelerator": "Gaudi2", "precision": "bf16"}
    assert "precision fp8 as stack mlperf-v3.1 ran on Gaudi2" in training.simulate(gaudi).note
