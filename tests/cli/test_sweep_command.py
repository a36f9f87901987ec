"""`gigawatt sweep`: what it says, and one run of it made again."""

from pathlib import Path

import pandas as pd
import pytest

from simulator import cli
from simulator.cli import sweep
from simulator.studies import StudyError
from simulator.studies.run import load

POD = Path(__file__).parent.parent.parent / "scenarios" / "pod.yaml"
SWEEP = f"""\
scenario: {POD}
fixed: {{period.duration: 1 h}}
design: tornado
axes:
  topology.cooling.supply: {{uniform: [36 degC, 44 degC]}}
"""


@pytest.fixture
def file(tmp_path):
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    return tmp_path / "sweep.yaml"


def test_a_design_for_sensitivity_tells_it(file, tmp_path, capsys):
    sweep.sweep(file, tmp_path / "out", 1, sweep.Where())
    told = capsys.readouterr().out
    assert "power.pue_mean  topology.cooling.supply" in told
    key = told.split("column ")[1].splitlines()
    assert [line.split()[:2] for line in key[1:4]] == [
        ["power.poi_peak", "MW"], ["power.pue_mean", "1"], ["fleet.utilization", "1"],
    ]  # fmt: skip
    assert "thermal.throttle_margin_min" in told and f"gigawatt report {tmp_path / 'out'}" in told
    kept = pd.read_parquet(tmp_path / "out" / "sensitivity.parquet").set_index("kpi")
    assert kept.loc["power.pue_mean", "low"] > kept.loc["power.pue_mean", "high"]


def test_one_run_is_made_again_with_the_same_indicators(file, tmp_path):
    sweep.sweep(file, tmp_path / "out", 1, sweep.Where())
    row = pd.read_parquet(tmp_path / "out" / "runs.parquet").iloc[1]
    sweep.replay(file, row["hash"][:10], tmp_path / "again")
    (results,) = load(tmp_path / "again")
    from simulator.metrics import kpis

    found = kpis.kpis(results).set_index("kpi")["value"]
    assert found["power.pue_mean"] == pytest.approx(row["power.pue_mean"], rel=1e-11)
    assert (tmp_path / "again" / "report.pdf").is_file()


def test_a_run_that_is_not_there_is_told(file, tmp_path):
    with pytest.raises(StudyError, match="no run begins with 'zz'"):
        sweep.replay(file, "zz", tmp_path / "again")
    with pytest.raises(StudyError, match="several runs begin"):
        sweep.replay(file, "", tmp_path / "again")


def test_a_name_that_is_no_indicator_claims_no_folder(file, tmp_path):
    file.write_text(SWEEP.split("design:")[0] + "axes: {topology.cooling.supply: [36 degC]}\nreplicates: 3\n")
    with pytest.raises(StudyError, match=r"no KPI 'fleet.utilizatin' \(did you mean 'fleet.utilization'"):
        sweep.sweep(file, tmp_path / "out", 1, sweep.Where(), ["fleet.utilizatin ± 1 %"])
    assert not (tmp_path / "out").exists()


def test_set_lays_values_on_every_design_after_what_the_file_has_fixed(file, tmp_path, typed):
    file.write_text(SWEEP.split("design:")[0] + "axes: {topology.cooling.supply: [36 degC, 40 degC]}\n")
    told = {}
    for name, words in (("plain", ()), ("set", ("--set", "period.duration=2 h"))):
        code, out, err = typed("sweep", file, "-o", tmp_path / name, "-j", "1", *words)
        assert code == 0, err
        assert typed("sweep", file, "-o", tmp_path / name, "--resume", *words)[1] == out  # all done, and the same
        told[name] = pd.read_parquet(tmp_path / name / "runs.parquet")
    assert (told["set"]["fleet.hours.useful"] > 1.5 * told["plain"]["fleet.hours.useful"]).all()
    assert set(told["set"]["hash"]).isdisjoint(told["plain"]["hash"])


@pytest.mark.parametrize(("words", "told"), [
    ("topology.cooling.supply=40 degC", "--set topology.cooling.supply: the sweep varies it"),
    ("period.duratio=2 h", "did you mean 'duration'"),
])  # fmt: skip
def test_set_refuses_what_the_sweep_varies_and_what_is_not_there(words, told, file, tmp_path, typed):
    code, _, err = typed("sweep", file, "-o", tmp_path / "out", "--set", words)
    assert code == cli.INVALID and told in err
    assert not (tmp_path / "out").exists()
