"""`gigawatt batch` as a user types it: what it prints, writes and leaves with."""

import json
import sys

import pandas as pd
import pytest

from simulator import cli

WHERE = ("--model", "llama-3.1-8b", "--accelerator", "H100-SXM-80GB")


@pytest.fixture
def batch(monkeypatch, capsys, tmp_path):
    """Run `gigawatt batch` on a trace in this process; return code, stdout, stderr."""

    def run(text, *words):
        (tmp_path / "talk.csv").write_text(text)
        argv = [
            "gigawatt",
            "batch",
            str(tmp_path / "talk.csv"),
            *words,
            "-o",
            str(tmp_path / "out"),
        ]
        monkeypatch.setattr(sys, "argv", argv)
        with pytest.raises(SystemExit) as left:
            cli.main()
        return int(left.value.code or 0), *capsys.readouterr()

    return run


TALK = "arrival_s,input_tokens,output_tokens\n" + "".join(
    f"{0.05 * k:.2f},{100 + k},{1 + k % 60}\n" for k in range(90)
)


def test_prints_indicators_and_writes_tables_and_figures(batch, tmp_path):
    code, out, err = batch(TALK, *WHERE, "--replicas", "2", "--slo-ttft", "1", "--slo-tpot", "0.1")
    assert code == 0
    assert "llama-3.1-8b on 2 replicas of 1 H100-SXM-80GB" in out
    lines = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line}
    assert lines["served"] == ["90", "1"] and lines["ttft_p99"][1] == "s"
    assert "assumed kv_tokens: what weights leave" in err
    table = pd.read_parquet(tmp_path / "out" / "requests.parquet")
    assert len(table) == 90
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["kpis"]["requests"]["value"] == 90
    assert all({"value", "unit", "definition"} == k.keys() for k in summary["kpis"].values())
    names = sorted(path.name for path in (tmp_path / "out" / "figures").iterdir())
    assert names == ["latency.csv", "latency.png", "over-time.csv", "over-time.png"]


def test_json_is_the_summary(batch, tmp_path):
    code, out, _ = batch(TALK, *WHERE, "--kv-tokens", "160", "--json")
    assert code == 0
    tree = json.loads(out)
    assert tree == json.loads((tmp_path / "out" / "summary.json").read_text())
    assert tree["deployment"]["kv_tokens"] == 160
    assert tree["kpis"]["rejected"]["value"] > 0
    counts = ("served", "rejected", "shed", "queued", "unfinished", "no_route")
    assert sum(tree["kpis"][n]["value"] for n in counts) == 90


def test_rejections_are_said(batch):
    code, _, err = batch(TALK, *WHERE, "--kv-tokens", "160")
    assert code == 0 and "of 90 requests rejected" in err


def test_a_stream_in_place_of_the_trace(batch, tmp_path):
    code, out, _ = batch(TALK, *WHERE, "--rate", "20", "--duration", "30", "--json")
    assert code == 0
    tree = json.loads(out)
    assert tree["stream"] == {"rate_s": 20.0, "duration_s": 30.0}
    assert tree["kpis"]["requests"]["value"] == pytest.approx(600, rel=0.2)
    assert not (tmp_path / "out" / "requests.parquet").exists()


def test_bad_lines_leave_with_2_and_a_place(batch):
    code, out, err = batch("arrival_s,input_tokens,output_tokens\n1,5,2\n0,-5,x\n", *WHERE)
    assert (code, out) == (2, "")
    assert "talk.csv:3:0: input_tokens: is -5; 1 at least" in err
    assert "talk.csv:3:0: output_tokens: is 'x', not a number" in err
    assert "talk.csv:3:0: arrival_s: arrives before" in err


def test_a_model_that_does_not_fit_leaves_with_3(batch):
    code, out, err = batch(TALK, "--model", "llama-3.1-405b", *WHERE[2:])
    assert (code, out) == (3, "")
    assert "llama-3.1-405b needs" in err and "offer" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--model", "llama-9", *WHERE[2:]), "did you mean"),
        ((*WHERE, "--dispatch", "luck"), "none of round-robin"),
        ((*WHERE, "--rate", "5", "--dispatch", "luck"), "none of round-robin"),
        ((*WHERE, "--rate", "5", "--dispatch", "two-choices"), "replay the trace, without --rate"),
        ((*WHERE, "--replicas", "0"), "Invalid value"),
        ((*WHERE, "--weight-precision", "fp5"), "not in fp5"),
    ],
)
def test_impossible_questions_leave_with_2(batch, words, told):
    code, out, err = batch(TALK, *words)
    assert (code, out) == (2, "")
    assert told in err


ROUTED = "arrival_s,input_tokens,output_tokens,model,prority\n0,9,5,llama-3.1-8b,1\n1,9,5,gpt-9,1\n"


def test_other_models_and_misspelt_columns_are_said(batch):
    code, out, err = batch(ROUTED, *WHERE, "--json")
    assert code == 0
    assert "1 of 2 requests no route" in err
    assert "no route: requests for gpt-9, not llama-3.1-8b" in err
    assert "column 'prority' is not read (did you mean 'priority'?)" in err
    tree = json.loads(out)
    assert tree["other_models"] == {"gpt-9": 1} and tree["kpis"]["no_route"]["value"] == 1
    assert tree["kpis"]["goodput"]["value"] is None


def test_a_stream_tells_of_misspelt_columns_too(batch):
    _, _, err = batch(ROUTED.replace("model", "user"), *WHERE, "--rate", "5", "--duration", "5")
    assert "column 'prority' is not read" in err


def test_a_trace_for_other_models_leaves_with_2(batch):
    code, out, err = batch(ROUTED.replace("llama-3.1-8b", "gpt-8"), *WHERE)
    assert (code, out) == (2, "")
    assert "its column 'model' names gpt-8, gpt-9" in err


def test_a_missing_trace_leaves_with_2(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gigawatt", "batch", "nowhere.csv", *WHERE])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 2
    assert "nowhere.csv" in capsys.readouterr().err
