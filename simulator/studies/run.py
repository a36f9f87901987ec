"""One scenario, one or several replicates, and the folder that keeps them."""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulator.components.sizing import cramped
from simulator.metrics import kpis
from simulator.results import Results, load_tables, save_tables
from simulator.scenario import Scenario, resolved
from simulator.scenario.replicates import ReplicateRule, most_of
from simulator.simulation import simulate, weather_of
from simulator.studies import (
    ettr_scale,
    processes,
    provenance,
    remarks,
    sequential,
    warm,
)
from simulator.studies.folders import FolderError, replacing
from simulator.studies.validate import foundations

Progress = Callable[[float], None]
"""Told the simulated seconds done, all replicates together."""
Report = Callable[..., Any]
"""Draws the results into a folder; `summary` is what was found of them."""
MANIFEST = "manifest.json"
BALANCE_TOLERANCE = 1e-9


def run(
    scenario: Scenario,
    replicates: int | None = None,
    n_jobs: int = 1,
    progress: Progress | None = None,
    keep: Path | None = None,
) -> list[Results]:
    """Simulate the replicates of a scenario; any number of workers gives the same results.

    Parameters
    ----------
    replicates : int, optional
        How many; the scenario's own number or rule by default.
    n_jobs : int
        Processes that share the replicates.
    progress : callable, optional
        Told the simulated seconds done.
    keep : Path, optional
        Folder in which finished replicates wait, so that an interrupted run goes on from there.
    """
    rule = scenario.spec.replicates if replicates is None else replicates
    if not isinstance(rule, int):
        sequential.refuse(rule, scenario.spec)
    most = most_of(rule)
    done = dict(_kept(scenario, most, keep))

    def until(count: int) -> None:
        _make(scenario, count, n_jobs, progress or (lambda done_s: None), keep if most > 1 else None, done)

    if isinstance(rule, int):
        until(rule)
        return scaled([founded(done[i]) for i in range(rule)])
    count, reached = _enough(rule, until, done)
    stopping = {"stopping": sequential.told(reached, rule.confidence)}
    whole = [replace(done[i], info=done[i].info | stopping) for i in range(count)]
    return scaled([founded(one) for one in whole])


def _make(
    scenario: Scenario, count: int, n_jobs: int, tell: Progress, keep: Path | None,
    done: dict[int, Results],
) -> None:
    """Have the first `count` replicates in `done`."""
    duration_s = scenario.spec.period.duration
    tell(len(done) * duration_s)
    missing = [i for i in range(count) if i not in done]
    for index, results in _simulated(scenario, missing, n_jobs, len(done), tell):
        done[index] = results
        if keep is not None:
            _keep(scenario, results, index, keep)
        tell(len(done) * duration_s)


def _enough(
    rule: ReplicateRule, until: Callable[[int], None], done: Mapping[int, Results]
) -> tuple[int, list[sequential.Width]]:
    """Make batch after batch until the rule is met; return how many count, and what they reached."""
    count = rule.min
    values: dict[str, list[Any]] = {kpi: [] for kpi in rule.until}
    while True:
        until(count)
        fresh, units = kpis.by_replicate([done[i] for i in range(len(next(iter(values.values()))), count)])
        for kpi, known in values.items():
            known += fresh.get(kpi, [None] * (count - len(known)))
        reached = sequential.widths(rule, values, units)
        wanted = sequential.following(rule, count, reached)
        if wanted == count:
            return count, reached
        count = wanted


def scaled(results: list[Results]) -> list[Results]:
    """Return results with what their jobs would reach at other scales, alike in all replicates."""
    table = ettr_scale.of_results(results)
    return [replace(one, tables=one.tables | {"scale": table}) for one in results]


def founded(results: Results) -> Results:
    """Return results with the tables that tell how far they can be trusted."""
    more = {"validation": foundations.validation(), "constants": foundations.constants()}
    return replace(results, tables=results.tables | more)


def check_folder(folder: Path) -> None:
    """Refuse a place that holds something other than a run: a run replaces only a run."""
    if folder.is_file():
        raise FolderError(f"{folder} is a file; choose another folder with -o")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise FolderError(
            f"{folder} is not empty and not a run folder (no {MANIFEST}); "
            "choose another with -o, or empty it"
        )
    above = next(parent for parent in folder.absolute().parents if parent.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise FolderError(f"{above} cannot be written to; choose another folder with -o")


def load(folder: Path) -> list[Results]:
    """Return the replicates of a run folder."""
    for name in (MANIFEST, "timeseries.parquet", "events.parquet", "tables/info.json"):
        if not (folder / name).is_file():
            raise FolderError(f"{folder} is not a run folder: it has no {name}")
    return load_tables(folder)


def write(
    results: list[Results],
    scenario: Scenario,
    folder: Path,
    started: datetime | None = None,
    report: Report | None = None,
) -> Path:
    """Write the run folder, whole or not at all, and return it.

    Everything but the manifest has the same bytes for the same inputs. `report` draws the figures
    and the PDF into the folder; without it there are none.
    """
    check_folder(folder)
    began = started or datetime.now(UTC)
    with replacing(folder) as fresh:
        save_tables(results, fresh)
        document = resolved(scenario)
        (fresh / "scenario.resolved.yaml").write_text(document, "utf-8")
        summary = kpis.summary(results)
        (fresh / "summary.json").write_text(kpis.dumps(summary), "utf-8")
        if report is not None:
            report(results, fresh, summary=summary)
        text = json.dumps(manifest(results, scenario, document, began, summary), indent=1) + "\n"
        (fresh / MANIFEST).write_text(text, "utf-8")
    return folder


def manifest(
    results: list[Results], scenario: Scenario, document: str, started: datetime,
    summary: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return what identifies a run and what varies between two runs of the same inputs; `document` is
    the resolved scenario as it is written."""
    ended = datetime.now(UTC)
    info = results[0].info
    return {
        "name": info["name"],
        "version": provenance.code_version(),
        "fidelity": info["fidelity"],
        "seed": info["seed"],
        "replicates": len(results),
        "config_sha256": info["config_hash"],
        "resolved_sha256": hashlib.sha256(document.encode()).hexdigest(),
        "inputs": provenance.inputs(scenario),
        "started": started.isoformat(timespec="seconds"),
        "ended": ended.isoformat(timespec="seconds"),
        "wall_s": round((ended - started).total_seconds(), 3),
        "peak_rss_bytes": provenance.peak_memory_bytes(),
        "events": sum(len(r.events) for r in results),
        "warnings": [*warnings_of(scenario), *open_balances(summary)],
        "packages": provenance.packages(),
        **provenance.machine(),
    }


def warnings_of(scenario: Scenario) -> list[str]:
    """Return what a reader of the result must know about its inputs."""
    return [
        *(f"weather: {told}" for told in weather_of(scenario).warnings),
        *(f"network: {told}" for told in cramped(scenario.spec.topology)),
        *remarks.of_years(scenario),
        *remarks.of_work(scenario),
        *remarks.of_connection(scenario),
        *remarks.of_generators(scenario),
        *remarks.of_coolant(scenario),
        *remarks.of_full_work(scenario),
        *remarks.of_intakes(scenario),
        *remarks.of_requests(scenario),
    ]


def open_balances(summary: dict[str, Any]) -> list[str]:
    """Return the balances that do not close."""
    return [
        f"{name} is {value:.3g}, above {BALANCE_TOLERANCE:g}"
        for name, value in summary["checks"].items()
        if value is None or value > BALANCE_TOLERANCE
    ]


def unfinished(folder: Path) -> Path:
    """Return where the finished replicates of an interrupted run wait."""
    return folder.absolute().with_name(f".{folder.absolute().name}.unfinished")


def discard(keep: Path) -> None:
    """Remove the waiting replicates of a run that is now whole."""
    shutil.rmtree(keep, ignore_errors=True)


def _simulated(
    scenario: Scenario, missing: list[int], n_jobs: int, before: int, tell: Progress
) -> Iterator[tuple[int, Results]]:
    """Yield (replicate, results) as they finish, here or in worker processes."""
    workers = min(n_jobs, len(missing))
    if workers <= 1:
        for number, index in enumerate(missing, start=before):
            yield index, simulate(scenario, index, _after(scenario, number, tell))
        return
    warm.make_ready(scenario)
    yield from processes.each(_one, [(scenario, index) for index in missing], workers)


def _one(scenario: Scenario, index: int) -> tuple[int, Results]:
    warm.make_ready(scenario)
    return index, simulate(scenario, index)


def _after(scenario: Scenario, before: int, tell: Progress) -> Progress:
    base_s = before * scenario.spec.period.duration
    return lambda done_s: tell(base_s + done_s)


def _kept(
    scenario: Scenario, count: int, keep: Path | None
) -> Iterator[tuple[int, Results]]:
    """Yield the replicates an interrupted run of the same inputs has left."""
    for index in range(count) if keep is not None and keep.is_dir() else ():
        folder = keep / provenance.identity(scenario, index)[:32]  # type: ignore[operator]
        if folder.is_dir():
            yield index, load_tables(folder)[0]


def _keep(scenario: Scenario, results: Results, index: int, keep: Path) -> None:
    with replacing(keep / provenance.identity(scenario, index)[:32]) as fresh:
        save_tables([results], fresh)
