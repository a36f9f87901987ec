"""Sweeps: what is run, in which order, what is kept, and what is refused."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from simulator import scenario
from simulator.errors import ScenarioError
from simulator.studies import StudyError, designs, sweep
from simulator.studies.sweep_folder import SweepFolder

POD = Path(__file__).parent.parent.parent / "scenarios" / "pod.yaml"
SWEEP = f"""\
scenario: {POD}
axes:
  topology.cooling.supply: [36 degC, 40 degC]
  topology.oversubscription: [0, 0.25]
  period.duration: [2 h]
replicates: 2
"""


@pytest.fixture
def plan(tmp_path):
    return written(tmp_path, SWEEP)


def written(folder: Path, text: str) -> designs.Plan:
    (folder / "sweep.yaml").write_text(text)
    return designs.from_file(folder / "sweep.yaml")


def carried_out(plan, folder, n_jobs=1, tasks=None):
    kept = SweepFolder(folder, plan)
    kept.open(resume=True)
    for identity, record in sweep.execute(plan, plan.tasks if tasks is None else tasks, n_jobs):
        kept.keep(identity, record)
    return kept.assemble()


def test_a_grid_has_every_combination_the_last_axis_fastest(plan):
    found = [tuple(d.values.values())[:2] for d in plan.designs]
    assert found == [("36 degC", 0), ("36 degC", 0.25), ("40 degC", 0), ("40 degC", 0.25)]
    assert [(t.design, t.replicate) for t in plan.tasks[:3]] == [(0, 0), (0, 1), (1, 0)]
    assert len({t.identity for t in plan.tasks}) == 8


def test_a_list_takes_the_axes_together(tmp_path):
    text = SWEEP.replace("axes:", "design: list\naxes:").replace("[2 h]", "[2 h, 3 h]")
    plan = written(tmp_path, text)
    assert [d.values["period.duration"] for d in plan.designs] == ["2 h", "3 h"]
    with pytest.raises(StudyError, match="equally many"):
        written(tmp_path, SWEEP.replace("axes:", "design: list\naxes:"))


def test_one_row_per_run_with_every_kpi(plan, tmp_path):
    table = carried_out(plan, tmp_path / "out")
    assert len(table) == 8 and (table["status"] == "done").all()
    assert list(table.columns[:8]) == ["design", *plan.axes, "replicate", "status", "error", "seed"]
    racks = table.groupby("topology.oversubscription")["site.accelerators_installed"].first()
    assert list(racks) == [576.0, 720.0]
    assert (table["checks.energy_balance_rel"] <= 1e-9).all()
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "out" / "runs.parquet"), table)


def test_workers_shards_and_resumption_do_not_change_a_byte(plan, tmp_path):
    carried_out(plan, tmp_path / "one")
    alone = (tmp_path / "one" / "runs.parquet").read_bytes()
    carried_out(plan, tmp_path / "two", n_jobs=2)
    assert (tmp_path / "two" / "runs.parquet").read_bytes() == alone
    for part in ("1/3", "2/3", "3/3"):
        partly = carried_out(plan, tmp_path / "three", tasks=sweep.shard(plan.tasks, part))
        assert (partly["status"] == "pending").any() == (part != "3/3")
    assert (tmp_path / "three" / "runs.parquet").read_bytes() == alone


def test_shards_are_a_partition(plan):
    parts = [sweep.shard(plan.tasks, f"{i}/3") for i in (1, 2, 3)]
    assert sorted(t.identity for part in parts for t in part) == sorted(
        t.identity for t in plan.tasks
    )
    for text in ("0/3", "4/3", "1", "a/b", "-1/2"):
        with pytest.raises(StudyError, match="i/n"):
            sweep.shard(plan.tasks, text)


def test_a_failed_run_is_kept_with_its_error_and_the_others_go_on(plan, tmp_path, monkeypatch):
    simulate = sweep.outcome

    def fragile(scenario, replicate, progress):
        if replicate == 1:
            raise MemoryError("out of memory")
        return simulate(scenario, replicate, progress)

    monkeypatch.setattr(sweep, "outcome", fragile)
    table = carried_out(plan, tmp_path / "out")
    failed = table[table["status"] == "failed"]
    assert list(failed["replicate"]) == [1] * 4
    assert set(failed["error"]) == {"MemoryError: out of memory"}
    assert table["power.poi_peak"].isna().sum() == 4
    assert len(SweepFolder(tmp_path / "out", plan).finished()) == 4


def test_a_run_that_takes_too_long_is_given_up(tmp_path):
    text = SWEEP.replace("replicates: 2", "timeout: 1 ms").replace("[2 h]", "[2 d]")
    plan = written(tmp_path, text)
    table = carried_out(plan, tmp_path / "out")
    assert set(table["status"]) == {"timeout"}
    assert table["error"].str.match(r"over 0.001 s after 1 simulated days").all()
    assert not SweepFolder(tmp_path / "out", plan).finished()


def test_the_table_tells_what_is_being_run(plan, tmp_path):
    folder = SweepFolder(tmp_path / "out", plan)
    folder.open(resume=False)
    first = plan.tasks[0]
    sweep.marker_of(folder.runs, first.identity).touch()
    assert list(folder.assemble()["status"]) == ["running"] + ["pending"] * 7
    ((identity, record),) = sweep.execute(plan, [first], 1, running=folder.runs)
    folder.keep(identity, record)
    assert list(folder.assemble()["status"]) == ["done"] + ["pending"] * 7
    # Whoever was making a run is gone when somebody begins anew.
    sweep.marker_of(folder.runs, plan.tasks[1].identity).touch()
    folder.restart(plan.tasks)
    assert list(folder.assemble()["status"]) == ["done"] + ["pending"] * 7


def test_every_bad_value_is_told_before_any_run(tmp_path):
    text = SWEEP.replace("36 degC", "36 kW").replace("oversubscription", "oversubscribtion")
    with pytest.raises(ScenarioError) as told:
        written(tmp_path, text)
    lines = str(told.value).splitlines()
    assert any(":3:" in line and "topology.cooling.supply" in line for line in lines)
    assert any(":4:" in line and "oversubscription" in line for line in lines)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("axes:", "axis:", "axis: unknown key 'axis' .did you mean 'axes'"),
        ("replicates: 2", "replicate: 2", "unknown key 'replicate' .did you mean 'replicates'"),
        ("replicates: 2", "replicates: 0", "replicates: '0' is out of range: must be 1 or more"),
        ("[0, 0.25]", "[]", "axes.topology.oversubscription: must not be empty"),
        ("replicates: 2", "design: lsh", "'lsh' is not known .did you mean 'lhs'"),
        (str(POD), "nowhere.yaml", "nowhere.yaml"),
        ("axes:", "design: halton\naxes:", "design"),
        ("replicates: 2", "uncertain: {economics.energy_price: {pert: [1, 2]}}", "energy_price"),
        ("replicates: 2", "uncertain: {economics.energy_price: {pret: [1, 2, 3]}}",
         "uncertain.economics.energy_price.pret: unknown key 'pret' .did you mean 'pert'"),
        ("replicates: 2", "uncertain: {economics.energy_price: {pert: [1, 2, 1]}}", "values must rise"),
    ],
)
def test_a_sweep_file_is_strict(tmp_path, old, new, told):
    with pytest.raises(ScenarioError, match=told):
        written(tmp_path, SWEEP.replace(old, new))


@pytest.mark.parametrize(
    ("axes", "told"),
    [("{}", ":2:1: axes: must not be empty"), ("assumption", "axes: .*did you mean 'assumptions'"),
     ("[3]", "axes: must be a mapping of keys, not a list")],
)  # fmt: skip
def test_axes_that_are_none_are_told_in_one_line(tmp_path, axes, told):
    with pytest.raises(ScenarioError, match=told) as refused:
        written(tmp_path, f"scenario: {POD}\naxes: {axes}\n")
    assert len(refused.value.problems) == 1


def test_weather_files_in_a_sweep_are_relative_to_it(tmp_path, monkeypatch):
    hours = pd.date_range("2027-07-14", periods=72, freq="h", tz="UTC")
    table = pd.DataFrame({"time": hours.strftime("%Y-%m-%dT%H:%M:%S+00:00")})
    table.assign(dry_bulb_c=30.0, rh_pct=50.0).to_csv(tmp_path / "hot.csv", index=False)
    monkeypatch.chdir("/")
    plan = written(tmp_path, SWEEP.replace("period.duration: [2 h]", "weather.csv: [hot.csv]"))
    assert plan.designs[0].scenario().spec.weather.csv == str(tmp_path / "hot.csv")


def test_a_folder_of_another_sweep_is_refused(plan, tmp_path):
    carried_out(plan, tmp_path / "out", tasks=plan.tasks[:1])
    with pytest.raises(StudyError, match="--resume"):
        SweepFolder(tmp_path / "out", plan).open(resume=False)
    other = written(tmp_path, SWEEP.replace("0.25", "0.5"))
    with pytest.raises(StudyError, match=r"another sweep.*axes"):
        SweepFolder(tmp_path / "out", other).open(resume=True)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "a.txt").write_text("mine")
    with pytest.raises(StudyError, match="not a sweep"):
        SweepFolder(tmp_path / "thesis", plan).open(resume=True)


def test_equal_designs_run_once(tmp_path):
    text = SWEEP.replace("[36 degC, 40 degC]", "[40 degC, 40 degC]").replace("[0, 0.25]", "[0]")
    plan = written(tmp_path, text)
    assert len(list(sweep.execute(plan, plan.tasks, 1))) == 2
    assert len(carried_out(plan, tmp_path / "out")) == 4


def test_common_random_numbers_across_designs(plan):
    """The draws of a replicate are the same whatever the design."""
    base, other = (scenario.load(POD, [f"topology.cooling.supply={t} degC"]) for t in (36, 40))
    arrivals = [
        sweep.outcome(s, 1).timeseries["pool"]["arrivals_per_s"].to_numpy() for s in (base, other)
    ]
    assert (arrivals[0] == arrivals[1]).all()


def test_dask_says_what_to_install(monkeypatch):
    monkeypatch.setattr(sweep, "find_spec", lambda name: None)
    with pytest.raises(StudyError, match=r"gigawatt\[dask\]"):
        sweep.check_backend("dask")
    with pytest.raises(StudyError, match="did you mean 'loky'"):
        sweep.check_backend("lokky")


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_a_sweep_that_is_stopped_goes_on_with_the_same_bytes(tmp_path, sent):
    text = SWEEP.replace("replicates: 2", "replicates: 12")
    (tmp_path / "sweep.yaml").write_text(text)
    command = [sys.executable, "-m", "simulator", "sweep", str(tmp_path / "sweep.yaml"), "-j", "2"]
    begun = subprocess.Popen([*command, "-o", str(tmp_path / "out")], start_new_session=True)
    while len(list(tmp_path.glob("out/runs/*.json"))) < 6 and begun.poll() is None:
        time.sleep(0.02)
    os.killpg(begun.pid, sent)
    code = begun.wait(timeout=120)
    assert code == (130 if sent == signal.SIGINT else -9)
    kept = {p.name: p.stat().st_mtime_ns for p in tmp_path.glob("out/runs/*.json")}
    assert 6 <= len(kept) < 48
    subprocess.run([*command, "-o", str(tmp_path / "out"), "--resume"], check=True)
    assert all((tmp_path / "out" / "runs" / n).stat().st_mtime_ns == t for n, t in kept.items())
    subprocess.run([*command, "-o", str(tmp_path / "whole")], check=True)
    assert (tmp_path / "out" / "runs.parquet").read_bytes() == (
        tmp_path / "whole" / "runs.parquet"
    ).read_bytes()
    assert json.loads((tmp_path / "out" / "sweep.json").read_text())["designs"] == 4


@pytest.mark.parametrize("path", sorted(POD.parent.glob("sweeps/*.yaml")), ids=lambda p: p.stem)
def test_committed_sweeps_are_valid(path):
    assert designs.from_file(path).tasks
