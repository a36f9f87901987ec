"""Many runs of many designs: carried out anywhere, kept one by one, assembled in design order."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.errors import nearest
from simulator.metrics import kpis
from simulator.scenario import Scenario
from simulator.simulation import outcome
from simulator.studies import StudyError, cluster, enough, processes, warm
from simulator.studies.designs import Plan, Task

Record = dict[str, Any]
"""What is kept of a run: status, error, kpis {name: [value, unit]}, checks, wall_s."""
Progress = Callable[[int], None]
"""Told the number of finished runs."""
Call = tuple[str, Scenario, int, float | None, Path | None]
"""What `one` takes."""
DIED = "its process died twice: killed, or out of memory"
PENDING, RUNNING, DONE = "pending", "running", "done"
FAILED, TIMEOUT = "failed", "timeout"
BACKENDS = ("loky", "dask")
CONNECT_S = 20.0
"""How long to wait for a Dask scheduler."""


def execute(
    plan: Plan,
    tasks: Sequence[Task],
    n_jobs: int,
    backend: str = "loky",
    scheduler: str | None = None,
    running: Path | None = None,
) -> Iterator[tuple[str, Record]]:
    """Yield (identity, record) of each task as it finishes, here or in worker processes.

    A run that fails yields a record with its error, and the others go on. Whoever makes a run says
    so by an empty file named after it in the folder `running`. When a process dies, those that were
    being made are made again, each with a process of its own; one that kills it too has failed. With
    Dask the cluster says how many run at once, and what its workers died of is made again alone.
    """
    unique = {task.identity: task for task in tasks}
    calls: list[Call] = [
        (key, plan.scenario(t), t.replicate, plan.timeout_s, running) for key, t in unique.items()
    ]
    workers = min(n_jobs, len(calls))
    if workers <= 1 and backend == "loky":
        yield from (one(*call) for call in calls)
        return
    if backend == "dask":
        with _dask(scheduler) as client:
            for call, found in cluster.each(client, _elsewhere, calls):
                yield found or _died(call)
        return
    warm.make_ready(calls[0][1])
    while calls:
        done: set[str] = set()
        try:
            for identity, record in processes.each(_elsewhere, calls, workers):
                done.add(identity)
                yield identity, record
        except BrokenExecutor:
            calls = [call for call in calls if call[0] not in done]
            suspects = _suspects(calls, running, workers)
            yield from (_alone(call) for call in suspects)
            done |= {call[0] for call in suspects}
        calls = [call for call in calls if call[0] not in done]


def _suspects(calls: Sequence[Call], running: Path | None, workers: int) -> list[Call]:
    """Return the runs that were being made when a process died: those whose marker lies there, or as
    many as there were processes."""
    marked = [c for c in calls if running is not None and marker_of(running, c[0]).exists()]
    return marked or list(calls[:workers])


def _alone(call: Call) -> tuple[str, Record]:
    """Return the record of one run in a process of its own."""
    try:
        found: tuple[str, Record] = next(processes.each(_elsewhere, [call], 1))
        return found
    except BrokenExecutor:
        return _died(call)


def _died(call: Call) -> tuple[str, Record]:
    """Return the record of a run that killed whoever made it, alone too."""
    return call[0], {"status": FAILED, "error": DIED, "kpis": {}, "checks": {}, "wall_s": 0.0}


def _elsewhere(*call: Any) -> tuple[str, Record]:
    """Return the record of one run in a process that may have compiled nothing yet."""
    warm.make_ready(call[1])
    return one(*call)


def one(
    identity: str, scenario: Scenario, replicate: int, timeout_s: float | None = None,
    running: Path | None = None,
) -> tuple[str, Record]:
    """Return the record of one run; one that lasts longer than `timeout_s` is given up."""
    began_s = time.perf_counter()
    if running is not None and running.is_dir():  # not every machine of a cluster sees the folder
        marker_of(running, identity).touch()
    record: Record = {"status": DONE, "error": "", "kpis": {}, "checks": {}}
    try:
        with pd.option_context("mode.string_storage", "python"):  # quicker for tables of a few rows
            document = kpis.summary([outcome(scenario, replicate, _watch(began_s, timeout_s))])
        record["kpis"] = {k: [e["value"], e["unit"]] for k, e in document["kpis"].items()}
        record["checks"] = document["checks"]
    except TimeoutError as error:
        record |= {"status": TIMEOUT, "error": str(error)}
    except Exception as error:  # whatever it is, it belongs to this run alone
        record |= {"status": FAILED, "error": f"{type(error).__name__}: {error}"}
    return identity, record | {"wall_s": round(time.perf_counter() - began_s, 4)}


def marker_of(folder: Path, identity: str) -> Path:
    """Return the file that says that a run is being made."""
    return folder / f"{identity[:32]}.running"


def _watch(began_s: float, timeout_s: float | None) -> Callable[[float], None] | None:
    """Return what the simulation tells its progress to, which gives up when time is over."""
    if timeout_s is None:
        return None

    def tell(done_s: float) -> None:
        if time.perf_counter() - began_s > timeout_s:
            raise TimeoutError(f"over {timeout_s:g} s after {done_s / 86_400.0:.4g} simulated days")

    return tell


def frame(plan: Plan, records: dict[str, Record]) -> pd.DataFrame:
    """Return one row per run in design order: axes, replicate, status, every KPI and balance.

    Where a rule decides on the replicates, only those that it asked for are rows.
    """
    tasks = enough.needed(plan, records)
    found = [records.get(task.identity, {"status": PENDING}) for task in tasks]
    pairs = list(zip(tasks, found, strict=True))
    columns: dict[str, Any] = {"design": [task.design for task, _ in pairs]}
    for axis in plan.axes:
        columns[axis] = _axis([plan.designs[task.design].values[axis] for task, _ in pairs])
    columns["replicate"] = [task.replicate for task, _ in pairs]
    for key in plan.drawn(0):
        columns[key] = _axis([plan.drawn(task.replicate)[key] for task, _ in pairs])
    columns["status"] = [record["status"] for record in found]
    columns["error"] = [record.get("error", "") for record in found]
    columns["seed"] = [task.seed for task, _ in pairs]
    columns["hash"] = [task.identity for task in tasks]
    for name, unit in units(found).items():
        values = [record.get("kpis", {}).get(name, [None])[0] for record in found]
        columns[name] = pd.Series(values, dtype=object if unit == "ISO date" else float)
    for name in dict.fromkeys(name for record in found for name in record.get("checks", ())):
        values = [record.get("checks", {}).get(name) for record in found]
        columns[f"checks.{name}"] = pd.Series(values, dtype=float)
    return pd.DataFrame(columns)


def units(records: Iterable[Record]) -> dict[str, str]:
    """Return the unit of every indicator that any record has, in order of appearance."""
    return {
        name: unit for record in records for name, (_, unit) in record.get("kpis", {}).items()
    }


def shard(tasks: Sequence[Task], text: str | None, whole: bool = False) -> list[Task]:
    """Return the i-th of n parts of the runs for `i/n`, all of them for None.

    With `whole`, designs stay whole: whoever decides when one has enough replicates must see all.
    """
    if text is None:
        return list(tasks)
    first, _, count = text.partition("/")
    if not (first.isdecimal() and count.isdecimal() and 1 <= int(first) <= int(count)):
        raise StudyError(f"--shard {text}: write i/n with i from 1 to n, e.g. 2/8")
    places = [task.design if whole else k for k, task in enumerate(tasks)]
    return [t for k, t in zip(places, tasks, strict=True) if k % int(count) == int(first) - 1]


def check_backend(backend: str) -> None:
    """Refuse a backend that is unknown or not installed."""
    if backend not in BACKENDS:
        raise StudyError(f"no backend '{backend}'{nearest(backend, BACKENDS)}; loky or dask")
    if backend == "dask" and find_spec("distributed") is None:
        raise StudyError("--backend dask needs Dask: pip install 'gigawatt[dask]'")


def workers(n_jobs: int | None) -> int:
    """Return the number of processes: as told, or one per core."""
    if n_jobs is not None:
        return n_jobs
    from joblib import cpu_count

    return int(cpu_count())


@contextmanager
def _dask(scheduler: str | None) -> Iterator[Any]:
    """Give a client of a cluster."""
    from distributed import Client

    try:
        client = Client(scheduler, timeout=CONNECT_S)
    except OSError:
        raise StudyError(f"no Dask scheduler at {scheduler} within {CONNECT_S:g} s") from None
    with client:
        yield client


def _axis(values: list[Any]) -> Any:
    """Return the values of an axis as numbers where all are, else as text."""
    if all(isinstance(value, int | float) for value in values):
        return values
    return [value if isinstance(value, str) else str(value) for value in values]
