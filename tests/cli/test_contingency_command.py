"""`gigawatt contingency` as a user types it."""

import json
from pathlib import Path

import pandas as pd
import pytest

from simulator import cli
from simulator.cli import contingency as command
from simulator.studies import contingency_columns

POD = Path(__file__).parents[2] / "scenarios" / "pod.yaml"
SHORT = ("--at", "2 h", "--set", "period.duration=4 h", "-j", "1")


@pytest.fixture
def gigawatt(typed, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    return typed


def test_what_is_printed(gigawatt):
    code, out, err = gigawatt("contingency", POD, *SHORT, "--filter", "pod/b0?/cdu 1")
    assert code == 0 and "single failures, 2 simulations" in err
    lines = out.splitlines()
    assert lines[0].startswith("rank  out") and "N-0" in lines[1]
    assert "/cdu 1" in out and "2 elements in 2 rows" in out


def test_neighbours_of_which_one_is_as_good_as_the_other_are_one_line():
    """Two units of one cost and a third that costs more: two lines; whatever is not shown is counted."""
    plain = {
        "rank": 1, "case": "b1/cdu 1", "stands_for": "", "class": "coolant_unit", "planned": False, "out": "",
        "order": 1, "count": 1, "error": "", "severity": "shed", "shed_mw": 2.0, "capped_mw": 0.0,
        "accelerators_lost": 72, "minutes_over": 1, "limit": "rating", "tightest": "b1 chips", "post_loading": 1.1,
        "recovery_s": 60.0, "back_by": "", "rate_per_year": 0.02, "hours_per_year": 5.0, "hours_per_year_all": 5.0,
    }  # fmt: skip
    twin = plain | {"rank": 2, "case": "b2/cdu 1", "tightest": "b2 chips"}
    dearer = plain | {"rank": 3, "case": "b3/cdu 1", "shed_mw": 3.0}
    cells, left_out = command._shown(pd.DataFrame([plain, twin, dearer]))
    assert [line[command.OUT] for line in cells] == ["b1/cdu 1, 1 more", "b3/cdu 1"] and left_out == 0
    many = pd.DataFrame([plain | {"rank": n, "shed_mw": float(n)} for n in range(1, command.SHOWN + 4)])
    cells, left_out = command._shown(many)
    assert len(cells) == command.SHOWN + 1 and left_out == 2


def test_json_is_strict_and_may_show_some_severities(gigawatt):
    code, out, _ = gigawatt("contingency", POD, *SHORT, "--kind", "cooling", "--json", "--severity", "shed")
    told = json.loads(out, parse_constant=pytest.fail)
    assert code == 0
    assert {row["severity"] for row in told["rows"][1:]} == {"shed"}
    assert told["rows"][0]["case"] == "N-0" and set(told["rows"][0]) == set(contingency_columns.COLUMNS)
    assert told["summary"]["kpis"]["elements"]["value"] > len(told["rows"])


def test_a_folder_of_tables_figures_and_report(gigawatt, tmp_path):
    words = ("contingency", POD, *SHORT, "--filter", "pod/*/cdu*", "--filter", "lines/*", "-o", "out")
    kept = []
    for jobs in ("1", "2"):
        assert gigawatt(*words, "-j", jobs)[0] == 0
        kept.append({p.name: p.read_bytes() for p in sorted((tmp_path / "out").rglob("*")) if p.is_file()})
    assert kept[0] == kept[1]
    table = pd.read_parquet(tmp_path / "out" / "contingencies.parquet")
    assert len(pd.read_csv(tmp_path / "out" / "contingencies.csv")) == len(table)
    names = {"contingencies.csv", "contingencies.parquet", "summary.json", "report.pdf"}
    pictures = {f"contingency-{n}.{kind}" for n in ("ranking", "severity", "shed") for kind in ("png", "csv")}
    assert set(kept[0]) == names | pictures


def test_it_replaces_nothing_of_yours(gigawatt, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    code, _, err = gigawatt("contingency", POD, *SHORT, "-o", "out")
    assert code == cli.INVALID and "holds no such study" in err
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize(("words", "told"), [
    (("--kind", "electric"), "did you mean 'electrical'"),
    (("--severity", "shedd"), "did you mean 'shed'"),
    (("--filter", "pod/b01/cdu 9"), "did you mean 'pod/b01/cdu 1'"),
    (("--maintenance", "lines/3"), "did you mean 'lines/"),
    (("--at", "tomorrow"), "neither a date and time"),
])  # fmt: skip
def test_mistakes_are_told(gigawatt, words, told):
    options = SHORT if words[0] != "--at" else SHORT[2:]
    code, _, err = gigawatt("contingency", POD, *options, *words)
    assert code == cli.INVALID and told in err


def interrupt(monkeypatch, when):
    tell = command._Told.__call__

    def stop(self, what, done, total):
        tell(self, what, done, total)
        if when(what, done):
            raise KeyboardInterrupt

    monkeypatch.setattr(command._Told, "__call__", stop)


def test_an_interruption_before_the_first_case(gigawatt, monkeypatch, tmp_path):
    interrupt(monkeypatch, lambda what, done: what.startswith("simulate"))
    code, _, err = gigawatt("contingency", POD, *SHORT, "-o", "out")
    assert code == cli.INTERRUPTED and "before the first case" in err
    assert not (tmp_path / "out").exists()


def test_an_interruption_leaves_what_is_done(gigawatt, monkeypatch, tmp_path):
    interrupt(monkeypatch, lambda what, done: done >= 1)
    code, _, err = gigawatt("contingency", POD, *SHORT, "--filter", "pod/*/cdu *", "-o", "out")
    assert code == cli.INTERRUPTED and "rows are done" in err
    assert (tmp_path / "out" / "contingencies.csv").is_file()
