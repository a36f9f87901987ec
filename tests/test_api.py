"""The notebook's face, as the example in the documentation uses it."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from matplotlib.figure import Figure

import simulator as gw
from simulator.errors import ScenarioError

POD = Path(__file__).parent.parent / "scenarios" / "pod.yaml"


@pytest.fixture(scope="module")
def study():
    return gw.Scenario.from_yaml(POD).with_({"period.duration": "3 h"})


@pytest.fixture(scope="module")
def run(study):
    return study.run()


def test_import_is_instant():
    code = "import sys, simulator; print('pandas' in sys.modules, 'Scenario' in dir(simulator))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False True\n"
    with pytest.raises(AttributeError, match="nonsense"):
        _ = gw.nonsense


def test_with_leaves_the_study_as_it_was(study):
    warmer = study.with_({"topology.cooling.supply": "38 degC"})
    assert "38 degC" in warmer.resolved() and "38 degC" not in study.resolved()
    assert warmer.record.spec.period.duration == 3 * 3600.0
    with pytest.raises(ScenarioError, match="cooling"):
        study.with_({"topology.colling.supply": "38 degC"})


def test_tables_of_a_run(run):
    assert run.kpis.loc["site.accelerators_installed", "value"] == 576
    assert (run.checks <= 1e-9).all()
    site = run.timeseries("site", "poi_w")
    assert site.shape == (180, 1) and str(site.index.tz) == "UTC"
    assert list(run.timeseries("hall", "it_w")) == ["pod"]
    assert {"time", "kind", "element"} <= set(run.events)
    with pytest.raises(KeyError, match="did you mean 'poi_w'"):
        run.timeseries("site", "poi")
    with pytest.raises(KeyError, match="did you mean 'site'"):
        run.timeseries("sites", "poi_w")


def test_figures_by_name(run):
    assert isinstance(run.plot.load_duration(), Figure)
    assert "load_duration" in dir(run.plot)
    with pytest.raises(AttributeError, match="did you mean 'load_duration'"):
        run.plot.load_durations()


def test_report_save_and_load(run, tmp_path):
    assert run.report(tmp_path / "plan.pdf", "exec").read_bytes()[:5] == b"%PDF-"
    run.save(tmp_path / "run", report=False)
    again = gw.load(tmp_path / "run")
    assert again.kpis.equals(run.kpis)
    again.save(tmp_path / "copy")
    assert gw.load(tmp_path / "copy").kpis.equals(run.kpis)


def test_replicates(study):
    two = study.run(replicates=2, progress=True)
    assert {"value", "p10", "p50", "p90"} <= set(two.kpis)
    assert len(two.results) == 2


def test_a_sweep_is_a_frame_and_a_report(study, tmp_path):
    swept = gw.Sweep(study, {"topology.oversubscription": [0, 0.25]}, replicates=2).run(n_jobs=2)
    table = swept.to_frame()
    assert list(table["topology.oversubscription"]) == [0, 0, 0.25, 0.25]
    assert list(table["replicate"]) == [0, 1, 0, 1]
    assert swept.units()["power.poi_peak"] == "MW"
    assert swept.report(tmp_path / "sweep.pdf").stat().st_size > 10_000
    with pytest.raises(ScenarioError, match="oversubscription"):
        gw.Sweep(study, {"topology.oversubscribtion": [0]})


def test_a_workbook_holds_indicators_and_assumptions(run, tmp_path):
    pytest.importorskip("openpyxl", reason="needs gigawatt[xlsx]")
    sheets = pd.read_excel(run.to_excel(tmp_path / "run.xlsx"), sheet_name=None)
    assert list(sheets) == ["KPIs", "Balances", "Assumptions"]
    found = sheets["KPIs"].set_index("kpi")["value"]
    assert float(found["power.pue_mean"]) == pytest.approx(run.kpis.loc["power.pue_mean", "value"])
    assert len(sheets["Assumptions"]) == len(run.results[0].tables["assumptions"])


def test_a_sweep_as_an_array(study):
    pytest.importorskip("xarray", reason="needs gigawatt[xarray]")
    axes = {"topology.cooling.supply": ["36 degC", "44 degC"], "topology.oversubscription": [0, 0.25]}
    runs = gw.Sweep(study, axes, replicates=2).run()
    found = runs.to_xarray()
    assert dict(found.sizes) == {**dict.fromkeys(axes, 2), "replicate": 2}
    one = found["power.pue_mean"].sel({"topology.cooling.supply": "44 degC", "replicate": 1})
    table = runs.to_frame()
    row = table[(table["topology.cooling.supply"] == "44 degC") & (table["replicate"] == 1)]
    assert list(one.values) == list(row["power.pue_mean"])
    assert found["power.poi_peak"].attrs["units"] == "MW"
    drawn = gw.Sweep(study, {"topology.cooling.supply": {"uniform": ["36 degC", "44 degC"]}},
                     design="lhs", samples=2).run().to_xarray()
    assert dict(drawn.sizes) == {"design": 2, "replicate": 1}
    assert "topology.cooling.supply" in drawn.coords


def test_everything_shows_itself_in_a_notebook(study, run):
    assert "576" in study._repr_html_() and "power.poi_peak" in run._repr_html_()
    assert "Pod" in repr(study) and "1 replicates" in repr(run)
