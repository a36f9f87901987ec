"""`gigawatt waveform` as a user types it."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from small import pod_tree

POD = Path(__file__).parents[2] / "scenarios" / "pod.yaml"


@pytest.fixture
def gigawatt(typed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    tree = pod_tree()
    tree["workloads"] = [{
        "kind": "training", "name": "job", "model": "llama-3.1-70b", "accelerator": "GB300",
        "accelerators": 144, "tokens": 1e15,
        "plan": {"tp": 4, "pp": 2, "global_batch_sequences": 288, "sequence_length": 8192},
        "checkpoint": {"stall": "5 s", "restart": "5 min"},
    }]  # fmt: skip
    tree["period"]["duration"] = "2 h"
    Path("scenario.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    return typed


def test_what_is_printed(gigawatt):
    code, out, _ = gigawatt("waveform", "scenario.yaml")
    assert code == 0
    header, job, *_ = out.splitlines()
    assert header.startswith("window") and "01:00:00" in job and " job " in job
    assert "lipa" in out and "caiso" in out and "needs more than 660 s" in out


def test_a_folder_of_samples_and_figures(gigawatt, tmp_path):
    words = ["waveform", "scenario.yaml", "--at", "30 min", "--mask", "lipa", "-o", "out",
             "--smoothing", "power_floor:floor=80 %"]  # fmt: skip
    for _ in range(2):
        assert gigawatt(*words)[0] == 0
    out = tmp_path / "out"
    assert {p.stem for p in out.glob("*.png")} == {
        "waveform-trace", "waveform-spectrum", "waveform-ramps"
    }
    samples = pd.read_parquet(out / "waveform.parquet")
    assert len(samples) == 6000 and (samples["smooth_w"] >= samples["poi_w"] - 1e4).all()
    told = json.loads((out / "waveform.json").read_text())
    assert {row["mask"] for row in told["windows"][0]["limits"]} == {"lipa"}


def test_a_minute_of_a_run_folder_is_the_one_it_recorded(gigawatt, tmp_path):
    assert gigawatt("run", "scenario.yaml", "--no-report", "-o", "run")[0] == 0
    code, out, _ = gigawatt("waveform", "run", "--json", "--minutes", 2)
    told = json.loads(out, parse_constant=pytest.fail)
    assert code == 0 and told["recorded_difference"] == 0.0
    minutes = pd.read_parquet(tmp_path / "run" / "timeseries.parquet").query("level == 'site'")
    mean_w = minutes["poi_w"].to_numpy()[int(told["windows"][0]["start_s"] // 60) :][:2].mean()
    assert told["windows"][0]["mean_w"] == pytest.approx(mean_w, rel=1e-12)


def test_a_site_without_jobs_is_its_minutes(gigawatt):
    code, out, _ = gigawatt("waveform", POD, "--mask", "southern", "--set", "period.duration=2 h")
    assert code == 0 and "no synchronous job" in out and "BROKEN" not in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--at", "soon"], "neither a time nor a duration"),
        (["--at", "3 h"], "not inside the period"),
        (["--at", "90 s"], "no whole minute"),
        (["--job", "jb"], "no synchronous job 'jb'"),
        (["--mask", "lippa"], "lipa"),
        (["--smoothing", "flywheel"], "power_floor"),
        (["--smoothing", "power_floor:floor=95 %"], "floor"),
        (["--smoothing", "rack_storge"], "unknown kind 'rack_storge' (did you mean 'rack_storage'?)"),
        (["--smoothing", "power_floor:flor=80%"], "unknown key 'flor' (did you mean 'floor'?)"),
    ],
)
def test_what_is_wrong_is_said(gigawatt, words, told):
    code, _, err = gigawatt("waveform", "scenario.yaml", *words)
    assert code == 2 and told in err
