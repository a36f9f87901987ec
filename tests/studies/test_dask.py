"""Sweeps on a real Dask scheduler with two workers on loopback."""

import os
import signal
from pathlib import Path

import pytest

from simulator.studies import designs, sweep
from simulator.studies.sweep_folder import SweepFolder

distributed = pytest.importorskip("distributed", reason="needs gigawatt[dask]")
POD = Path(__file__).parent.parent.parent / "scenarios" / "pod.yaml"
SWEEP = f"""\
scenario: {POD}
axes:
  topology.cooling.supply: [36 degC, 40 degC]
  period.duration: [1 h]
replicates: 2
"""


@pytest.fixture
def cluster():
    """Return a scheduler of two worker processes, reached by its address alone."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as made:
        yield made


def carried_out(plan, folder, *where):
    kept = SweepFolder(folder, plan)
    kept.open(resume=True)
    for identity, record in sweep.execute(plan, plan.tasks, *where):
        kept.keep(identity, record)
    return kept.assemble()


def test_a_cluster_gives_the_same_bytes_as_this_process(cluster, tmp_path):
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    plan = designs.from_file(tmp_path / "sweep.yaml")
    table = carried_out(plan, tmp_path / "there", 2, "dask", cluster.scheduler_address)
    assert (table["status"] == "done").all()
    carried_out(plan, tmp_path / "here", 1)
    there, here = ((tmp_path / where / "runs.parquet").read_bytes() for where in ("there", "here"))
    assert there == here


def test_a_scheduler_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sweep, "CONNECT_S", 0.5)
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    plan = designs.from_file(tmp_path / "sweep.yaml")
    with pytest.raises(sweep.StudyError, match=r"no Dask scheduler at tcp://127\.0\.0\.1:9"):
        list(sweep.execute(plan, plan.tasks, 2, "dask", "tcp://127.0.0.1:9"))


@pytest.mark.slow
def test_a_worker_that_dies_costs_no_run_and_no_byte(cluster, tmp_path):
    """One of two workers is killed after the first result; its runs are made by others."""
    (tmp_path / "sweep.yaml").write_text(SWEEP.replace("replicates: 2", "replicates: 6"))
    plan = designs.from_file(tmp_path / "sweep.yaml")
    kept, victim = SweepFolder(tmp_path / "there", plan), cluster.workers[0].pid
    kept.open(resume=True)
    for identity, record in sweep.execute(plan, plan.tasks, 2, "dask", cluster.scheduler_address):
        if not kept.finished():
            os.kill(victim, signal.SIGKILL)
        kept.keep(identity, record)
    assert victim not in {worker.pid for worker in cluster.workers.values()}
    assert set(kept.assemble()["status"]) == {"done"}
    carried_out(plan, tmp_path / "here", 1)
    there, here = ((tmp_path / where / "runs.parquet").read_bytes() for where in ("there", "here"))
    assert there == here


@pytest.mark.slow
def test_a_run_that_kills_its_workers_fails_alone(tmp_path, monkeypatch):
    """Dask is told to give up at the first death, and with it what waited at the same worker."""
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    plan = designs.from_file(tmp_path / "sweep.yaml")
    deadly = plan.tasks[1].identity

    def made(identity, *_):  # without its module, so that workers need not find this file
        if identity == deadly:
            __import__("os").kill(__import__("os").getpid(), 9)
        return identity, {"status": "done"}

    monkeypatch.setattr(sweep, "_elsewhere", made)
    dask = pytest.importorskip("dask")
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as one_worker,
    ):
        found = dict(sweep.execute(plan, plan.tasks, 1, "dask", one_worker.scheduler_address))
    status = {task.identity: found[task.identity]["status"] for task in plan.tasks}
    assert status == dict.fromkeys(status, "done") | {deadly: "failed"}
    assert found[deadly]["error"] == sweep.DIED
