"""`gigawatt climates` as a user types it."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest

from simulator.cli import main
from simulator.studies import climates

POD = str(Path(__file__).parents[2] / "scenarios" / "pod.yaml")


@pytest.fixture
def gigawatt(monkeypatch, capfd):
    def run(*words):
        words = ["gigawatt", "climates", POD, "--set", "period.duration=1 d", *words]
        monkeypatch.setattr(sys, "argv", words)
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
        else:
            code = 0
        told = capfd.readouterr()
        return code, told.out, told.err

    return run


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
    assert len(hours) == 48 and set(hours["climate"]) == {"a", "b"}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--weather", "miami"], "write NAME=FILE"),
        (["--weather", "a=b.txt"], "the name of a weather file ends with .epw"),
        (["--weather", "a=nowhere.epw"], "nowhere.epw"),
        (["--weather", "a=miami", "--weather", "a=greensboro"], "two climates have one name"),
        (["--scenario", "wet"], "wet"),
    ],
)
def test_what_is_typed_wrong_is_told(gigawatt, words, told):
    code, _, err = gigawatt(*words)
    assert code == 2 and told in err
