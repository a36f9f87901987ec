"""`gigawatt rare` as a user types it."""

import json
from pathlib import Path

import pytest

from simulator.studies import rare

POD = Path(__file__).parents[2] / "scenarios" / "pod.yaml"


@pytest.fixture
def gigawatt(typed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rare, "MOST", rare.BATCH)  # enough to see that the command works
    return typed


def test_what_is_printed(gigawatt):
    code, out, _ = gigawatt("rare", POD)
    assert code == 0
    assert out.splitlines()[0].startswith("out at once")
    assert "2 of 2 main transformers" in out and "2 of 2 lines" in out


def test_json_is_strict(gigawatt):
    code, out, _ = gigawatt("rare", POD, "--json", "--years", 10)
    told = json.loads(out, parse_constant=pytest.fail)
    assert code == 0 and told["years"] == 10.0
    lines = next(c for c in told["combinations"] if c["cause"] == "line")
    assert 0.0 < lines["low"] < lines["probability"] < lines["high"] < 1.0
    assert set(lines) == set(rare.COLUMNS)


def test_more_years_make_it_likelier(gigawatt):
    chances = [
        {c["cause"]: c["probability"] for c in json.loads(gigawatt(
            "rare", POD, "--json", "--years", years)[1])["combinations"]}
        for years in (1, 5)
    ]  # fmt: skip
    assert all(chances[1][k] > 3.0 * chances[0][k] for k in chances[0])


def test_a_folder_of_table_and_figure(gigawatt, tmp_path):
    for _ in range(2):
        assert gigawatt("rare", POD, "-o", "out")[0] == 0
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"rare.csv", "rare.json", "rare.png"}


def test_it_replaces_nothing_of_yours(gigawatt, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    code, out, err = gigawatt("rare", POD, "-o", ".")
    assert code == 2 and not out and "choose another" in err
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
