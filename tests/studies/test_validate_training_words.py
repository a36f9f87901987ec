"""Words of training rows: real spellings, near ones told, and degrees that are whole."""

import pytest

from simulator.studies.validate import training_words as words

SPELLED = {
    "recompute": {
        "none": ["none", "None", "no", "off", "no recompute", "False", "disabled"],
        "selective": ["selective", "Selective (assumed)", "selective: core_attn", "core attention"],
        "full": ["full", "Full (uniform 1)", "uniform", "full-layer", "activation checkpointing"],
    },
    "sharding": {
        "full": ["zero3", "ZeRO-3", "fsdp", "FSDP2", "stage 3", "fully sharded", "full", "ZeRO 3 + FSDP"],
        "gradients": ["zero2", "ZeRO-2", "stage2"],
        "optimizer": ["zero1", "ZeRO-1", "distributed optimizer", "dist-opt", "distributed_optimizer"],
        "none": ["none", "DDP", "no", "zero0", "replicated"],
    },
    "precision": {
        "bf16": ["bf16", "BF16", "fp16 mixed", "amp_bf16", "bfloat16", "half", "16-mixed", "bf16-mixed"],
        "fp8": ["fp8", "FP8-CS (FP8-MX)", "fp8-mx", "MXFP8", "amp_fp8", "fp8 e4m3", "mx-fp8"],
        "fp4": ["nvfp4", "NVFP4", "mxfp4", "NV-FP4"],
        "int8": ["int8", "INT8 (AQT)"],
    },
}  # fmt: skip


@pytest.mark.parametrize("column", SPELLED)
def test_words_are_read_as_people_spell_them(column):
    for value, spellings in SPELLED[column].items():
        for cell in spellings:
            assert words.WORDS[column]({column: cell}) == words.Word(value), cell


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("sharding", "HSDP", "full"),
        ("recompute", "block", "full"),
        ("recompute", "moe_act", "selective"),
        ("precision", "tf32", "bf16"),
        ("precision", "FP32", "bf16"),
    ],
)
def test_what_holds_nearly_is_told(column, cell, value):
    told = words.Word(value, f"{column} '{cell}' taken as {value}")
    assert words.WORDS[column]({column: cell}) == told


def test_what_is_not_understood_is_told_with_the_nearest_word():
    found = words.recompute({"recompute": "selctive"})
    assert found.value is None
    assert "none of none, selective, full (did you mean 'selective'?)" in found.remark


@pytest.mark.parametrize("cell", ["", "n/a", "N/A", "-", "unknown"])
def test_blanks_are_not_given(cell):
    assert words.blank(cell) and words.degree({"tp": cell}, "tp") is None
    assert all(word({column: cell}) == words.Word(None) for column, word in words.WORDS.items())


def test_degrees_are_whole_and_brackets_are_another_chips():
    assert [words.degree({"tp": c}, "tp") for c in ("8", "8.0", "1 (2)", "2(4)")] == [8, 8, 1, 2]
    for cell in ("1.5", "0", "0 (1)", "-2", "1 2", "two", "8x"):
        with pytest.raises(ValueError, match=r"tp is '.*', not a whole number of one or more"):
            words.degree({"tp": cell}, "tp")
