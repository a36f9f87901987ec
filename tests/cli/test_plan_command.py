"""`gigawatt plan` as a user types it: what it prints and leaves with."""

import json
import sys
from collections.abc import Callable

import pytest

from simulator import cli

Outcome = tuple[int, str, str]
SMALL = ("--accelerator", "H100", "-n", "64", "--global-batch", "128", "--seq-len", "4096")


@pytest.fixture
def plan(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Run `gigawatt plan` in this process; return code, stdout, stderr."""

    def run(model: str, *words: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["gigawatt", "plan", "--model", model, *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        out, err = capsys.readouterr()
        return int(left.value.code or 0), out, err

    return run


def test_prints_plans_and_what_they_keep(plan: Callable[..., Outcome]) -> None:
    code, out, err = plan("llama-3.1-8b", *SMALL, "--top", "2", "--precision", "bf16")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert "plans fit, the best of each layout" in lines[0]
    assert lines[1].startswith("assumed stack: ")
    assert lines[2] == "assumed fabric: one non-blocking network at the chip's own ports"
    (header,) = (line for line in lines if line.startswith("plan  tp"))
    assert header.split()[:5] == ["plan", "tp", "pp", "chunks", "cp"]
    assert [line.split()[0] for line in lines if line.lstrip()[:1].isdigit()] == ["1", "2"] * 2


def test_json_has_what_the_contract_names(plan: Callable[..., Outcome]) -> None:
    code, out, _ = plan("llama-3.1-8b", *SMALL, "--top", "2", "--json")
    tree = json.loads(out)
    assert code == 0
    assert tree["model"] == "llama-3.1-8b" and tree["n"] == 64
    assert tree["assumed"].keys() == {"precision", "stack", "fabric"}
    assert len(tree["plans"]) == 2 and tree["reason"] is None
    first = tree["plans"][0]
    for name in ("tp", "pp", "dp", "step_time_s", "mfu", "memory_bytes", "tokens_s"):
        assert first[name] > 0


def test_a_model_that_does_not_fit_leaves_with_3(plan: Callable[..., Outcome]) -> None:
    code, out, err = plan("llama-3.1-405b", *SMALL[:3], "8")
    assert (code, out) == (3, "")
    assert "does not fit: weights" in err and "GB usable" in err
    assert "nearest above: " in err
    code, out, _ = plan("llama-3.1-405b", *SMALL[:3], "8", "--json")
    assert code == 3 and json.loads(out)["plans"] == []


def test_accelerators_that_do_not_divide_leave_with_3_and_spares(
    plan: Callable[..., Outcome],
) -> None:
    code, _, err = plan("llama-3.1-8b", *SMALL[:3], "67", *SMALL[4:])
    assert code == 3
    assert "nearest below: 64 accelerators and 3 spares: " in err


@pytest.mark.parametrize(
    ("model", "words", "told"),
    [
        ("llama-3.1-8", SMALL, "did you mean 'llama-3.1-8b'"),
        ("llama-3.1-8b", ("--accelerator", "H10", "-n", "8"), "did you mean 'H100'"),
        ("llama-3.1-8b", (*SMALL, "--stack", "nope"), "there are composer-fsdp-2024, "),
        ("llama-3.1-8b", (*SMALL, "--precision", "fp6"), "not in fp6"),
        ("llama-3.1-8b", (*SMALL, "--fabric", "nowhere.yaml"), "there is no file 'nowhere.yaml'"),
        ("llama-3.1-8b", (*SMALL[:3], "0"), "greater than or equal to 1"),
    ],
)
def test_invalid_input_leaves_with_2(
    plan: Callable[..., Outcome], model: str, words: tuple[str, ...], told: str
) -> None:
    code, out, err = plan(model, *words)
    assert (code, out) == (2, "")
    assert told in err and "Traceback" not in err


def test_what_is_assumed_is_worded_as_it_is(plan: Callable[..., Outcome]) -> None:
    words = ("--accelerator", "A100", "-n", "64", "--global-batch", "64", "--top", "1")
    _, out, _ = plan("qwen2.5-vl-72b", *words)
    assert "assumed precision: bf16, all that A100-SXM-80GB trains in\n" in out
    assert "assumed stack: megatron-bridge-26.06, the same for every chip\n" in out
    assert "assumed images: none in a sequence: of the image encoder only the weights count\n" in out
