"""A sweep that is killed, runs out of disk or loses a process: nothing finished is lost or repeated."""

import json
import multiprocessing
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest
from joblib.externals.loky import reusable_executor

from simulator.cli import sweep as command
from simulator.studies import designs, processes, sweep
from simulator.studies.designs import Task
from simulator.studies.sweep_folder import SweepFolder

POD = Path(__file__).parents[2] / "scenarios" / "pod.yaml"
SWEEP = f"""\
scenario: {POD}
fixed: {{period.duration: 1 h}}
axes:
  topology.cooling.supply: [36 degC, 40 degC]
replicates: 12
"""
KILLS = 10
PATIENCE_S = 120.0


@pytest.fixture
def file(tmp_path):
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    return tmp_path / "sweep.yaml"


WARM = f"""\
from simulator import scenario
from simulator.cli import sweep
from simulator.studies import warm
warm.make_ready(scenario.load({str(POD)!r}, ["period.duration=1 h"]))
"""


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    """Return what starts a process without this one's threads, imported and compiled once for all."""
    folder = tmp_path_factory.mktemp("warm")
    (folder / "warm_sweep.py").write_text(WARM)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["warm_sweep"])
    sys.path.append(str(folder))
    yield context
    sys.path.remove(str(folder))


def begun(clean, file, out):
    resume = (out / "sweep.json").is_file()
    process = clean.Process(target=command.sweep, args=(file, out, 1, command.Where(resume=resume)))
    process.start()
    return process


def finished(out):
    return len(list((out / "runs").glob("*.json")))


def killed_after(process, out, runs, delay_s):
    """Kill a sweep so long after so many further runs; return whether it was still at work."""
    wanted, until_s = finished(out) + runs, time.monotonic() + PATIENCE_S
    while process.is_alive() and finished(out) < wanted and time.monotonic() < until_s:
        time.sleep(0.005)
    time.sleep(delay_s)
    at_work = process.is_alive()
    process.kill()
    process.join(PATIENCE_S)
    return at_work


def test_killed_at_ten_random_points_it_ends_with_the_same_bytes(clean, file, tmp_path):
    out, moments, at_work = tmp_path / "out", random.Random(1), 0
    for _ in range(KILLS):
        kept = {p.name: p.stat().st_mtime_ns for p in (out / "runs").glob("*.json")}
        at_work += killed_after(begun(clean, file, out), out, moments.randint(0, 2), moments.uniform(0.0, 0.08))
        assert all((out / "runs" / name).stat().st_mtime_ns == t for name, t in kept.items())
        assert all("status" in json.loads(p.read_text()) for p in (out / "runs").glob("*.json"))
    assert at_work == KILLS and finished(out) < 24
    for name in ("out", "whole"):
        process = begun(clean, file, tmp_path / name)
        process.join(PATIENCE_S)
        assert process.exitcode == 0
    for table in ("runs.parquet", "kpis.csv"):
        assert (out / table).read_bytes() == (tmp_path / "whole" / table).read_bytes()
    assert not list(out.glob("runs/*.running"))


def full_at(file):
    """Have what is written to a file next meet a disk without room: the kernel's own, /dev/full."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.parent.mkdir(parents=True, exist_ok=True)
    fresh.symlink_to("/dev/full")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no /dev/full")
@pytest.mark.parametrize("where", ["a run", "the table"])
def test_a_full_disk_loses_nothing(file, tmp_path, capfd, where):
    plan, out = designs.from_file(file), tmp_path / "out"
    SweepFolder(out, plan).open(resume=False)
    full_at(out / "runs.parquet" if where == "the table" else out / "runs" / f"{plan.tasks[4].identity[:32]}.json")
    with pytest.raises(SystemExit) as left:
        command.sweep(file, out, 1, command.Where(resume=True))
    assert left.value.code == 130
    assert "No space left on device; finished runs are kept" in capfd.readouterr().err
    assert finished(out) == (24 if where == "the table" else 4) and not list(out.glob("**/.*"))
    kept = {p.name: p.stat().st_mtime_ns for p in (out / "runs").glob("*.json")}
    command.sweep(file, out, 1, command.Where(resume=True))
    assert all((out / "runs" / name).stat().st_mtime_ns == t for name, t in kept.items())
    assert set(SweepFolder(out, plan).assemble()["status"]) == {"done"}


def test_a_record_that_was_cut_is_made_again(file, tmp_path):
    plan = designs.from_file(file)
    folder = SweepFolder(tmp_path / "out", plan)
    folder.open(resume=False)
    for identity, record in sweep.execute(plan, plan.tasks[:2], 1):
        folder.keep(identity, record)
    cut = folder.runs / f"{plan.tasks[0].identity[:32]}.json"
    cut.write_text(cut.read_text()[:100])
    (folder.runs / f".{plan.tasks[2].identity[:32]}.json.99").write_text("{")
    assert folder.finished() == {plan.tasks[1].identity}
    assert list(folder.assemble()["status"][:3]) == ["pending", "done", "pending"]


def a_worker(forked):
    """Return the number of a process that makes runs."""
    if forked:
        return multiprocessing.active_children()[-1].pid
    return next(iter(reusable_executor._executor._processes))


@pytest.fixture(params=[True, pytest.param(False, marks=pytest.mark.slow)], ids=["forked", "afresh"])
def forked(request, monkeypatch):
    monkeypatch.setattr(processes, "may_fork", lambda: request.param)
    return request.param


def test_a_process_that_dies_takes_no_run_with_it(file, forked):
    plan, records = designs.from_file(file), {}
    for identity, record in sweep.execute(plan, plan.tasks[:10], 2):
        records[identity] = record
        if len(records) == 2:
            os.kill(a_worker(forked), signal.SIGKILL)
    assert len(records) == 10
    assert {record["status"] for record in records.values()} == {"done"}


class Deadly:
    """A scenario that ends the process which is to make it."""

    def __reduce__(self):
        return os._exit, (1,)


def test_a_run_that_kills_its_process_twice_has_failed(file, forked):
    plan = designs.from_file(file)

    class WithOneDeadly:
        timeout_s = None

        def scenario(self, task: Task):
            return Deadly() if task == plan.tasks[3] else plan.scenario(task)

    records = dict(sweep.execute(WithOneDeadly(), plan.tasks[:6], 2))
    failed = [identity for identity, record in records.items() if record["status"] == "failed"]
    assert failed == [plan.tasks[3].identity] and len(records) == 6
    assert records[failed[0]]["error"] == sweep.DIED
