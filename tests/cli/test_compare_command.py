"""`gigawatt compare` as a user types it."""

import json

import pytest

import simulator as gw


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    plan = gw.Scenario.from_yaml("scenarios/pod.yaml").with_(
        {"period.duration": "3 h", "reliability.rate_scale": 50}
    )
    root = tmp_path_factory.mktemp("runs")
    warm = plan.with_({"topology.cooling.supply": "44 degC"})
    return tuple(
        run.run(replicates=2).save(root / name, report=False)
        for name, run in (("cool", plan), ("warm", warm))
    )


@pytest.fixture
def gigawatt(typed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return typed


def test_what_is_printed(gigawatt, folders):
    code, out, _ = gigawatt("compare", *folders)
    assert code == 0
    lines = out.splitlines()
    assert lines[0].split() == ["input", "A", "B"]
    assert lines[1].split() == ["topology.cooling.supply", "40", "degC", "44", "degC"]
    (peak,) = [line for line in lines if line.startswith("power.poi_peak ")]
    assert peak.endswith("B higher") and "0 % (0-84)" in peak
    assert "further indicators are equal in every pair" in out
    assert "note: not resolvable with 2 replicates: P10 and P90 (a 95 % interval takes at least 29" in out


def test_json_is_strict_and_whole(gigawatt, folders):
    code, out, _ = gigawatt("compare", *folders, "--json")
    told = json.loads(out, parse_constant=pytest.fail)
    assert code == 0 and told["confidence"] == 0.95
    peak = told["kpis"]["power.poi_peak"]
    assert peak["low"] <= peak["difference"] <= peak["high"]
    assert peak["b_better"] == 0.0 and peak["verdict"] == "B higher" and peak["n"] == 2
    assert told["inputs"] == [
        {"path": "topology.cooling.supply", "a": "40 degC", "b": "44 degC"}]


def test_a_folder_of_tables_and_figure(gigawatt, folders, tmp_path):
    for _ in range(2):  # a comparison may replace a comparison
        assert gigawatt("compare", *folders, "-o", "out")[0] == 0
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {"comparison.csv", "comparison.json", "inputs.csv", "forest.png", "forest.csv"}


def test_the_same_run_twice(gigawatt, folders):
    code, out, _ = gigawatt("compare", folders[0], folders[0])
    assert code == 0
    assert "inputs: no difference" in out and "no indicator differs" in out


@pytest.mark.parametrize("case", ["not a run", "not empty", "a file"])
def test_refusals(gigawatt, folders, tmp_path, case):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    words = {
        "not a run": (folders[0], tmp_path / "mine"),
        "not empty": (*folders, "-o", "mine"),
        "a file": (*folders, "-o", "mine/thesis.txt"),
    }[case]
    code, out, err = gigawatt("compare", *words)
    assert code == 2 and not out
    assert ("not a run folder" if case == "not a run" else "choose another") in err
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
