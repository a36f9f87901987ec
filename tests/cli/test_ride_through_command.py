"""`gigawatt ride-through` as a user types it."""

import json
from functools import partial
from pathlib import Path

import pytest

POD = str(Path(__file__).parents[2] / "scenarios" / "pod.yaml")


@pytest.fixture
def gigawatt(typed):
    return partial(typed, "ride-through", POD, "--at", "2 min")


def test_json_and_text_tell_the_same(gigawatt):
    words = ("--depth", "60%", "--duration", "60 ms", "--repeat", "2")
    code, out, _ = gigawatt(*words, "--json")
    told = json.loads(out)
    assert code == 0 and told["lost_mw"] == pytest.approx(sum(x["lost_w"] for x in told["loads"]) / 1e6)
    assert told["lost_mw"] <= told["before_mw"] and told["restart"]["whole_s"] > 600.0
    assert {x["verdict"] for x in told["rules"]} <= {"kept", "broken", "not asked"}
    code, out, _ = gigawatt(*words)
    assert code == 0 and f"{told['before_mw']:.4g} MW" in out and "restart from dark" in out
    again = json.loads(gigawatt(*words, "--json")[1])
    assert again == told


def test_a_folder_holds_figures_their_data_and_the_tables(gigawatt, tmp_path):
    folder = tmp_path / "sag"
    assert gigawatt("-o", str(folder))[0] == 0
    figures = {"ride-through", "ride-through-map", "restart"}
    expected = {f"{f}.{e}" for f in figures for e in ("png", "csv")}
    expected |= {"loads.csv", "rules.csv", "restart_loads.csv", "ride_through.json"}
    assert {p.name for p in folder.iterdir()} == expected
    assert gigawatt("-o", str(folder))[0] == 0  # its own folder it may replace
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    code, _, err = gigawatt("-o", str(tmp_path / "other"))
    assert code == 2 and "holds no such study" in err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--depth", "0 %"), "--depth 0 %"),
        (("--depth", "120 %"), "--depth 120 %"),
        (("--depth", "half"), "--depth:"),
        (("--duration", "0 s"), "longer than nothing"),
        (("--duration", "200"), "--duration:"),
        (("--duration", "20 s", "--repeat", "2"), "overlap"),
        (("--ramp", "0 MW/min"), "never comes back"),
        (("--at", "3 days"), "--at 3 days"),
        (("--at", "2027-07-15T12:00"), "time zone"),
    ],
)
def test_what_makes_no_sense_is_refused(gigawatt, words, told):
    code, out, err = gigawatt(*words)
    assert code == 2 and not out and told in err


def test_the_counter_comes_from_the_scenario(gigawatt):
    counts = "topology.ups.sag_counter={count: 2, within: 60 s, manual: 1 h}"
    words = ("--repeat", "3", "--set", counts, "--json")
    told = json.loads(gigawatt(*words)[1])
    support = [x for x in told["loads"] if x["kind"] == "support"]
    assert {x["outcome"] for x in support} == {"manual return"}
    assert told["whole_s"] > 3500.0
