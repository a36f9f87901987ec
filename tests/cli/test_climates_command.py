"""`gigawatt climates` as a user types it."""

import json
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from simulator.studies import climate_runs, climates, sweep

POD = str(Path(__file__).parents[2] / "scenarios" / "pod.yaml")


@pytest.fixture
def gigawatt(typed):
    return partial(typed, "climates", POD, "--set", "period.duration=6 h")


def test_stations_that_come_along_are_compared(gigawatt, tmp_path):
    folder = tmp_path / "found"
    code, out, _ = gigawatt("--json")
    rows = {row["climate"]: row for row in json.loads(out)["rows"]}
    assert code == 0 and set(rows) == {"greensboro", "miami", "sand_point"}
    assert rows["sand_point"]["pue"] < rows["miami"]["pue"]
    code, out, _ = gigawatt("--weather", "a=miami", "--weather", "b=sand_point", "-o", str(folder))
    assert code == 0 and "design" not in out
    table = pd.read_parquet(folder / "climates.parquet")
    assert list(table.columns) == list(climates.TABLE) and list(table["climate"]) == ["a", "b"]
    hours = pd.read_parquet(folder / "climate_hours.parquet")
    assert len(hours) == 12 and set(hours["climate"]) == {"a", "b"}


def test_the_engine_runs_each_climate_once(gigawatt, tmp_path, monkeypatch):
    folder, two = tmp_path / "found", ("--weather", "a=miami", "--weather", "b=sand_point")
    words = (*two, "--engine", "-j", "1", "-o", str(folder))
    code, out, _ = gigawatt(*words)
    table = pd.read_parquet(folder / "climates.parquet").set_index("climate")
    assert code == 0 and "by the engine:" in out and set(climate_runs.COLUMNS) <= set(table)
    runs = pd.read_parquet(tmp_path / "found-runs" / "runs.parquet").set_index("climate")
    assert (table["engine_pue"] == runs["power.pue_mean"]).all()
    assert table.loc["b", "engine_pue"] < table.loc["a", "engine_pue"]
    # Closed forms and the engine see the same sky: PUE alike within 0.05, at other loads.
    assert (table["engine_pue"] - table["pue"]).abs().max() < 0.05
    monkeypatch.setattr("simulator.studies.sweep.one", lambda *call: pytest.fail("ran again"))
    assert gigawatt(*words)[0] == 0
    code, _, err = gigawatt("--weather", "a=greensboro", "--engine", "-o", str(folder))
    assert code == 2 and "holds another sweep" in err
    assert "say where with -o" in gigawatt("--engine")[2]


def test_a_climate_whose_run_fails_is_told_and_the_others_stay(gigawatt, tmp_path, monkeypatch):
    def failing(identity, scenario, *more):
        cold = scenario.spec.weather.station == "sand_point"
        return made(identity, scenario, *more) if not cold else (
            identity, {"status": "failed", "error": "frozen", "kpis": {}, "checks": {}, "wall_s": 0.0}
        )  # fmt: skip

    made = sweep.one
    monkeypatch.setattr(sweep, "one", failing)
    two = ("--weather", "a=miami", "--weather", "b=sand_point")
    code, _, err = gigawatt(*two, "--engine", "-j", "1", "-o", str(tmp_path / "o"))
    table = pd.read_parquet(tmp_path / "o" / "climates.parquet").set_index("climate")
    assert code == 5 and "b: failed: frozen" in err
    assert table["engine_pue"].notna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--weather", "miamy"], "did you mean 'miami'"),
        (["--weather", "a=b.txt"], "the name of a weather file ends with .epw"),
        (["--weather", "a=nowhere.epw"], "nowhere.epw"),
        (["--weather", "a=miami", "--weather", "a=greensboro"], "two climates have one name"),
        (["--scenario", "wet"], "wet"),
    ],
)
def test_what_is_typed_wrong_is_told(gigawatt, words, told):
    code, _, err = gigawatt(*words)
    assert code == 2 and told in err
