"""`gigawatt zoom` as a user types it."""

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml
from small import pod_tree


@pytest.fixture
def gigawatt(typed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    tree = pod_tree()
    tree["workloads"] = [{"kind": "batch", "name": "batch", "backlog": "1e6 h", "power": "90 %"}]
    tree["topology"]["cooling"]["supply"] = "53 degC"
    tree["period"]["duration"] = "2 h"
    Path("scenario.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))
    return typed


def test_tables_figures_and_what_is_printed(gigawatt, tmp_path):
    words = ["zoom", "scenario.yaml", "--hall", "pod", "--from", "1 h", "--duration", "30 min", "-o", "out"]
    code, out, _ = gigawatt(*words)
    assert code == 0
    assert out.startswith("pod: 576 accelerators in 8 racks over 0.5 h")
    assert "% beside what the plan has them draw" in out
    folder = tmp_path / "out"
    assert {p.name for p in folder.glob("*.png")} == {"zoom-racks.png", "zoom-distribution.png"}
    told = json.loads((folder / "zoom.json").read_text())
    assert told["minutes"] == 30 and len(told["hottest"]) == 20
    assert len(pd.read_parquet(folder / "zoom_racks.parquet")) == 8
    code, out, _ = gigawatt(*words, "--json", "--by", "server", "--top", 3)
    told = json.loads(out, parse_constant=pytest.fail)
    assert code == 0 and told["shown"] == 144 and len(told["hottest"]) == 3


def test_a_run_folder_is_zoomed_too(gigawatt):
    assert gigawatt("run", "scenario.yaml", "--no-report", "-o", "run")[0] == 0
    code, out, _ = gigawatt("zoom", "run", "--json")
    folder = json.loads(out)
    code, out, _ = gigawatt("zoom", "scenario.yaml", "--json")
    assert code == 0 and json.loads(out) == folder


def test_unknown_words_are_said(gigawatt):
    code, _, err = gigawatt("zoom", "scenario.yaml", "--by", "rack")
    assert code == 2 and "accelerator, server" in err
    code, _, err = gigawatt("zoom", "scenario.yaml", "--hall", "nod")
    assert code == 2 and "pod" in err
