"""`gigawatt size` on the pod: the value, what stops it, and that nothing finished is lost."""

import json
from pathlib import Path

import pandas as pd
import pytest

from simulator.cli import run, size, size_joint, size_over
from simulator.studies import StudyError
from simulator.studies.inverse import Answer
from simulator.studies.requirements import Candidate

POD = Path(__file__).parent.parent.parent / "scenarios" / "pod.yaml"
KEY = "topology.cooling.supply"


def asked(**more):
    given = {
        "largest": KEY, "smallest": None, "limits": ("thermal.junction_max <= 75 degC",),
        "step": "2 degC", "least": None, "most": None, "replicates": None, "jobs": 1,
    }
    return size.Asked(**given | more)


@pytest.fixture
def given_():
    return run.Given(POD, ("period.duration=1 h",))


def test_the_answer_is_printed_and_kept(given_, tmp_path, capsys, monkeypatch):
    size.size(given_, asked(), tmp_path / "out", as_json=True)
    told = json.loads(capsys.readouterr().out)
    tried = pd.read_parquet(tmp_path / "out" / "tried.parquet").set_index("value")
    best, beyond = told["value"], told["next"]
    assert tried.loc[best, "thermal.junction_max <= 75 degC"] <= 75.0
    assert tried.loc[beyond, "thermal.junction_max <= 75 degC"] > 75.0
    assert told["stopped_by"] == "thermal.junction_max <= 75 degC"
    assert told["requirements"][0]["binding"] and told["monotone"]
    # A second search of the same makes no run again.
    monkeypatch.setattr("simulator.studies.size_folder.one", lambda *call: pytest.fail("ran again"))
    size.size(given_, asked(), tmp_path / "out", as_json=True)
    assert json.loads(capsys.readouterr().out) == told


def test_nothing_feasible_leaves_with_3(given_, tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        size.size(given_, asked(limits=("power.pue_mean < 1",), least="38 degC"), tmp_path / "o", False)
    assert left.value.code == 3
    assert "no value of topology.cooling.supply keeps" in capsys.readouterr().out


def test_what_cannot_be_asked_is_refused(given_, tmp_path):
    for wrong, told in (
        ({"smallest": KEY}, "one of --max"), ({"largest": None}, "one of --max"),
        ({"limits": ()}, "at least one"), ({"largest": "topology.cooling.suply"}, "supply"),
    ):
        with pytest.raises(StudyError, match=told):
            size.size(given_, asked(**wrong), tmp_path / "o", False)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "a.txt").write_text("mine")
    with pytest.raises(StudyError, match="not a search"):
        size.size(given_, asked(), tmp_path / "thesis", False)


def test_others_are_tried_at_each_of_their_values(given_, tmp_path, capsys, monkeypatch):
    """A plant of 2 MW a unit: what the limit leaves is less by what the other input takes."""
    def searched(given, asked, folder):
        taken = float(next(s for s in given.sets if s.startswith("other="))[6:])
        best = Candidate(str(int(10.0 - taken)), 0, True) if taken < 10 else None
        return Answer("key", "max", best, Candidate("99", 1, False, broken=("power <= 20 MW",)), (), 1.0), None

    monkeypatch.setattr(size_over, "searched", searched)
    size_over.size_over(given_, asked(largest="key"), ("other=6,3,11",), tmp_path / "o", False)
    told = capsys.readouterr().out
    assert "largest key: 7 with other = 3" in told and "none" in told
    rows = pd.read_parquet(tmp_path / "o" / "frontier.parquet")
    assert list(rows["value"].fillna("none")) == ["4", "7", "none"] and set(rows["stopped_by"]) == {"power <= 20 MW"}
    with pytest.raises(SystemExit) as left:
        size_over.size_over(given_, asked(largest="key"), ("other=12",), tmp_path / "o", True)
    assert left.value.code == 3
    for wrong in ("other", "=3", "other=3,,4"):
        with pytest.raises(StudyError, match="write KEY=V,V"):
            size_over.size_over(given_, asked(), (wrong,), tmp_path / "o", False)


VARY = ("topology.oversubscription=0..1 by 0.25", f"{KEY}=36 degC..42 degC by 2 degC")
LIMITS = ("power.poi_peak <= 1.4 MW", "thermal.junction_max <= 70 degC")


def test_several_inputs_are_sized_together(given_, tmp_path, capsys, monkeypatch):
    goal = asked(largest="fleet.hours.useful", limits=LIMITS, step=None)
    size_joint.size_joint(given_, goal, VARY, (), tmp_path / "out", as_json=True)
    told = json.loads(capsys.readouterr().out)
    tried = pd.read_parquet(tmp_path / "out" / "tried.parquet")
    kept = tried[(tried[LIMITS[0]] <= 1.4) & (tried[LIMITS[1]] <= 70.0)]
    assert told["objective"] == kept["objective"].max() and (kept["feasible"]).all()
    assert told["values"]["topology.oversubscription"] == "0.25" and told["stopped_by"] == [LIMITS[0]]
    units = {(row["input"], row["way"]): row for row in told["next_units"]}
    more = units["topology.oversubscription", 1]
    assert more["gain"] > 0.0 and not more["keeps"] and more[LIMITS[0]] > 1.4
    assert told["requirements"][0]["shadow_price"] > 0.0 == told["requirements"][1]["shadow_price"]
    # A second search of the same makes no run again, and is told in words.
    monkeypatch.setattr("simulator.studies.size_folder.one", lambda *call: pytest.fail("ran again"))
    size_joint.size_joint(given_, goal, VARY, (), tmp_path / "out", as_json=False)
    words = capsys.readouterr().out
    assert f"stopped by {LIMITS[0]}" in words and "no neighbour one step away is better" in words


def test_what_cannot_be_sized_together_is_refused(given_, tmp_path):
    for vary, more, told in (
        ((VARY[0],), {}, "leave out"), ((VARY[0], VARY[0]), {"step": None}, "different inputs"),
        (("topology.cooling.suply=1..2",), {"step": None}, "supply"),
        ((VARY[0],), {"step": None, "limits": ()}, "at least one"),
    ):
        with pytest.raises(StudyError, match=told):
            size_joint.size_joint(given_, asked(**more), vary, (), tmp_path / "o", False)
    with pytest.raises(SystemExit) as left:
        none = asked(step=None, limits=("power.pue_mean < 1",))
        size_joint.size_joint(given_, none, (f"{KEY}=40 degC..42 degC by 2 degC",), (), tmp_path / "o", False)
    assert left.value.code == 3
