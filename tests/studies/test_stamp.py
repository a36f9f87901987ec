"""A sweep that goes on: what need not be read again, and what is no longer the same."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.cli import sweep as command
from simulator.studies import StudyError, designs, stamp
from simulator.studies.sweep_folder import SweepFolder

POD = Path(__file__).parents[2] / "scenarios" / "pod.yaml"
SWEEP = """\
scenario: pod-here.yaml
fixed: {period.duration: 1 h}
axes:
  topology.cooling.supply: [36 degC, 40 degC]
"""


@pytest.fixture
def swept(tmp_path, capsys):
    """Return a sweep file, its finished folder, and what it told."""
    (tmp_path / "pod-here.yaml").write_text(f"import: [{POD}]\n")
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    command.sweep(tmp_path / "sweep.yaml", tmp_path / "out", 1, command.Where())
    return tmp_path / "sweep.yaml", tmp_path / "out", capsys.readouterr().out


def test_what_is_all_done_is_told_again_as_long_as_nothing_has_changed(swept):
    file, out, told = swept
    assert stamp.finished(out, file, ()) == told.rstrip("\n") and "2 runs: 2 done" in told
    assert stamp.finished(out, file, ("power.poi_peak ± 1 kW",)) is None
    record = next((out / "runs").glob("*.json"))
    whole = record.read_bytes()
    record.write_bytes(whole[:100])
    assert stamp.finished(out, file, ()) is None
    record.write_bytes(whole)
    assert stamp.finished(out, file, ()) is not None
    (out / "runs.parquet").rename(out / "elsewhere.parquet")
    assert stamp.finished(out, file, ()) is None
    (out / "elsewhere.parquet").rename(out / "runs.parquet")
    (file.parent / "pod-here.yaml").write_text(f"import: [{POD}]\nquestion: another\n")
    assert stamp.finished(out, file, ()) is None


def test_the_simulator_is_not_loaded_to_tell_it(swept):
    file, out, told = swept
    code = (
        "import sys; from simulator.cli import app\n"
        f"app(['sweep', {str(file)!r}, '-o', {str(out)!r}, '--resume'], standalone_mode=False)\n"
        "assert not {'numpy', 'pandas', 'numba', 'simulator.scenario'} & set(sys.modules), 'loaded'"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (0, told), found.stderr


def test_only_designs_with_runs_left_are_loaded_again(swept, monkeypatch):
    file, out, _ = swept
    whole, plan = (out / "runs.parquet").read_bytes(), designs.from_file(file)
    (out / "runs" / f"{plan.tasks[1].identity[:32]}.json").unlink()
    loaded, load = [], designs.load
    monkeypatch.setattr(designs, "load", lambda path, sets: loaded.append(dict(sets)) or load(path, sets))
    command.sweep(file, out, 1, command.Where(resume=True))
    assert [sets["topology.cooling.supply"] for sets in loaded] == ["40 degC"]
    assert (out / "runs.parquet").read_bytes() == whole


def test_a_folder_of_another_version_of_the_code_is_refused(swept):
    file, out, _ = swept
    for name in (stamp.PLAN, stamp.FINISHED, "sweep.json"):
        known = json.loads((out / name).read_text())
        (out / name).write_text(json.dumps(known | {"version": "0.0.1+older", "identity": "another"}))
    assert stamp.held(out, stamp.PLAN, file, ()) is None and stamp.finished(out, file, ()) is None
    with pytest.raises(StudyError, match=r"another sweep .version 0\.0\.1\+older there, .* here"):
        SweepFolder(out, designs.from_file(file)).open(resume=True)
