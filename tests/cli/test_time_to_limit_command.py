"""`gigawatt time-to-limit` as a user types it."""

import json
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

POD = str(Path(__file__).parents[2] / "scenarios" / "pod.yaml")


@pytest.fixture
def gigawatt(typed):
    return partial(typed, "time-to-limit", POD, "--at", "10 min", "--minutes", "10")


def test_json_text_and_folder_tell_the_same(gigawatt, tmp_path):
    folder = tmp_path / "ttl"
    code, out, _ = gigawatt("--json", "-o", str(folder))
    told = json.loads(out)
    assert code == 0 and json.loads((folder / "time_to_limit.json").read_text()) == told
    table = pd.read_parquet(folder / "time_to_limit.parquet")
    assert list(table["failure"]) == [row["failure"] for row in told["rows"]]
    names = {p.name for p in folder.iterdir()}
    assert {"time_to_limit.csv", "traces.parquet", "report.pdf", "figures"} <= names
    code, out, _ = gigawatt()
    assert code == 0 and "one coolant unit" in out and "all facility pumps" in out and "no trip in 10 min" in out


def test_a_time_outside_the_period_is_refused(gigawatt):
    code, _, err = gigawatt("--at", "9 d")
    assert code == 2 and "is not within the period" in err
