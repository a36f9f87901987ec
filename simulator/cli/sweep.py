"""`gigawatt sweep`: designs and replicates into one folder, resumable."""

import errno
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import pandas as pd

from simulator.cli.exits import FAILED_RUNS, INTERRUPTED
from simulator.cli.text import number, table
from simulator.errors import display_name, nearest
from simulator.simulation import simulate
from simulator.studies import StudyError, designs, enough, sensitivity, sequential, stamp
from simulator.studies import run as one
from simulator.studies import sweep as study
from simulator.studies.designs import Plan, Task
from simulator.studies.progress import Stages, say
from simulator.studies.sweep_folder import SweepFolder
from simulator.studies.sweep_names import RUNS

SHOWN_RUNS = 40
SHOWN_ERRORS = 5
SHOWN_INPUTS = 8
WORDS = {study.FAILED: "failed", study.TIMEOUT: "was given up"}
UNFIT = tuple(WORDS)
FULL = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a disk without room."""
SHOWN_KPIS = ("power.poi_peak", "power.pue_mean", "fleet.utilization")

@dataclass(frozen=True)
class Where:
    """Who carries out the runs, and which of them."""

    backend: str = "loky"
    scheduler: str | None = None
    shard: str | None = None
    resume: bool = False


def replay(
    path: Path, identity: str, output: Path | None, until: Sequence[str] = (), sets: Sequence[str] = ()
) -> None:
    """Make one run of a sweep again, as a run folder with its report."""
    plan = designs.from_file(path, until, sets=sets)
    found = [task for task in plan.tasks if task.identity.startswith(identity)]
    if len({task.identity for task in found}) != 1:
        known = [task.identity[:8] for task in plan.tasks]
        which = "several runs begin" if found else "no run begins"
        raise StudyError(f"{which} with '{identity}'{nearest(identity, known)}: take it from 'hash'")
    task, scenario = found[0], plan.scenario(found[0])
    folder = output or Path("reports") / f"{path.stem}-{task.identity[:8]}"
    one.check_folder(folder)
    with Stages("runs") as stages:
        stages.stage(f"design {task.design}, replicate {task.replicate}")
        results = [one.founded(simulate(scenario, task.replicate))]
        from simulator.reports import document

        one.write(results, scenario, folder, report=document.write)
    print(f"report: {display_name(str(folder / 'report.pdf'))}")


def sweep(
    path: Path, output: Path | None, jobs: int | None, where: Where, until: Sequence[str] = (),
    sets: Sequence[str] = (),
) -> None:
    """Carry out the command."""
    asked = (*until, *sets)
    study.check_backend(where.backend)
    target = folder_of(path, output)
    with Stages("runs") as stages:
        known = stamp.held(target, stamp.PLAN, path, asked) or {"tasks": ()}
        stages.stage("check every design" if not known["tasks"] else "designs checked before")
        plan = designs.from_file(path, until, [Task(*task) for task in known["tasks"]], sets)
        mine = study.shard(plan.tasks, where.shard, whole=plan.rule is not None)
        folder = SweepFolder(target, plan)
        try:
            if plan.rule is not None and mine:
                sequential.refuse(plan.rule, plan.scenario(mine[0]).spec)
            folder.open(where.resume or where.shard is not None)
            if not known["tasks"]:
                told = {"tasks": [astuple(task) for task in plan.tasks]}
                stamp.write(target, stamp.PLAN, path, asked, plan.files, told)
            interrupted = _carry_out(plan, mine, folder, study.workers(jobs), where, stages)
            runs = folder.assemble()
        except OSError as error:
            if error.errno not in FULL:
                raise
            say(f"gigawatt: {folder.path}: {error.strerror}; finished runs are kept: make room, then go on "
                "with --resume")  # fmt: skip
            raise SystemExit(INTERRUPTED) from None
    for line in _error_lines(runs):
        say(line)
    lines = [*_told(runs, plan, folder), *_sensitivity(runs, plan, folder), *_corrected(runs, plan, folder)]
    print("\n".join(lines))
    if interrupted:
        say("interrupted; finished runs are kept: go on with --resume")
        raise SystemExit(INTERRUPTED)
    if runs["status"].isin(UNFIT).any():
        raise SystemExit(FAILED_RUNS)
    if (runs["status"] == study.DONE).all():
        folder.close(path, asked, "\n".join(lines))


def folder_of(path: Path, output: Path | None) -> Path:
    """Return where a sweep's folder is."""
    return output or Path("reports") / path.stem


def _carry_out(
    plan: Plan, mine: Sequence[Task], folder: SweepFolder, jobs: int, where: Where, stages: Stages
) -> bool:
    """Run what is not finished, batch by batch where a rule decides; return whether it was
    interrupted."""
    own = set(mine)
    records = {k: r for k, r in folder.records().items() if r["status"] == study.DONE}
    folder.restart(task for task in mine if task.identity not in records)
    while True:
        wanted = [task for task in enough.needed(plan, records) if task in own]
        left = [task for task in wanted if task.identity not in records]
        if not left:
            return False
        stages.stage("runs", len(wanted))
        done = len(wanted) - len(left)
        stages(done)
        try:
            for identity, record in study.execute(
                plan, left, jobs, where.backend, where.scheduler, folder.runs
            ):
                folder.keep(identity, record)
                records[identity] = record
                done += 1
                stages(done)
        except KeyboardInterrupt:
            return True


def _told(runs: pd.DataFrame, plan: Plan, folder: SweepFolder) -> list[str]:
    """Return the runs, unless they are many, how many there are, and where their table is."""
    lines = []
    if len(runs) <= SHOWN_RUNS:
        units = study.units(folder.records().values())
        lines += run_lines(runs, [*plan.axes, *plan.drawn(0)], units)
    counts = runs["status"].value_counts()
    told = ", ".join(f"{counts[s]} {s}" for s in counts.index)
    if plan.rule is not None:
        lines += ["", *_stopping_lines(plan, folder)]
    lines += [f"\n{len(runs)} runs: {told}", f"table: {display_name(str(folder.path / RUNS))}"]
    return [*lines, f"figures: gigawatt report {display_name(str(folder.path))}"]


def _stopping_lines(plan: Plan, folder: SweepFolder) -> list[str]:
    """Return how many replicates the designs took, and which did not reach what was asked."""
    reached = enough.table(plan, folder.records())
    counts = reached.groupby("design")["replicates"].first()
    missed = reached[~reached["met"]]
    lines = [f"replicates of a design: {counts.min()} to {counts.max()}, {plan.replicates} at most"]
    lines += [
        f"design {r.design}: {r.kpi} ± {number(r.half_width, 3)} {r.unit} after {r.replicates}; asked ± {r.asked}"
        for r in missed.head(SHOWN_ERRORS).itertuples()
    ]
    more = len(missed) - SHOWN_ERRORS
    return [*lines, f"and {more} more that missed; see replicates.parquet"] if more > 0 else lines


def _sensitivity(runs: pd.DataFrame, plan: Plan, folder: SweepFolder) -> list[str]:
    """Return and keep what a design for sensitivity was made for, once every run is there."""
    if plan.kind not in sensitivity.COLUMNS or not (runs["status"] == study.DONE).all():
        return []
    found = sensitivity.indices(plan, runs)
    folder.write(found, "sensitivity.parquet")
    by = sensitivity.RANKED_BY[plan.kind]
    shown = found[found["kpi"].isin(SHOWN_KPIS)].groupby("kpi", sort=False).head(SHOWN_INPUTS)
    header = [c for c in found.columns if c in ("kpi", "key", by, "evidence", "weight")]
    rows = [[number(v) for v in row] for row in shown[header].itertuples(index=False)]
    kept = display_name(str(folder.path / "sensitivity.parquet"))
    return ["", *table(header, rows, right=[header.index(by)]), f"\nsensitivity: {kept}"]


def _corrected(runs: pd.DataFrame, plan: Plan, folder: SweepFolder) -> list[str]:
    """Return and keep means corrected by the screen level, once every run is there."""
    if not plan.screen or (runs["status"].isin(enough.UNFINISHED)).any():
        return []
    from simulator.studies import multifidelity  # its models need libraries that few sweeps do

    say(f"screen level: {plan.screen} further replicates of each design")
    found = multifidelity.of_sweep(plan, runs, plan.screen)
    folder.write(found, "multifidelity.parquet")
    shown = found[found["kpi"].isin(SHOWN_KPIS)].groupby("kpi", sort=False).head(SHOWN_INPUTS)
    header = ["design", "kpi", "n", "mean", "+-", "corrected", "+-", "gain"]
    rows = [
        [str(r.design), r.kpi, str(r.n), number(r.mean), number(0.5 * (r.high - r.low), 3), number(r.corrected),
         number(0.5 * (r.corrected_high - r.corrected_low), 3), number(r.gain, 3)]
        for r in shown.itertuples()
    ]  # fmt: skip
    lines = ["", *table(header, rows, right=range(2, len(header)))] if rows else []
    return [*lines, f"\ncorrected means: {display_name(str(folder.path / 'multifidelity.parquet'))}"]


def run_lines(runs: pd.DataFrame, axes: Sequence[str], units: Mapping[str, str]) -> list[str]:
    """Return one line per run: its axes, what was drawn for it, what most sweeps are about and what is asked
    of these axes; then the key to the columns."""
    shown = _shown(runs, axes, units)
    header = [*axes, "replicate", "status", *shown]
    rows = [
        [*(str(row[a]) for a in axes), str(row["replicate"]), row["status"],
         *(number(None if pd.isna(row[k]) else row[k]) for k in shown)]
        for row in runs.to_dict("records")
    ]  # fmt: skip
    return [*table(header, rows, right=range(len(axes) + 2, len(header))), "", *_key_lines(shown, units)]


def _shown(runs: pd.DataFrame, axes: Sequence[str], units: Mapping[str, str]) -> list[str]:
    from simulator.reports import indicators

    done = runs[runs["status"] == study.DONE]
    known = [k for k, unit in units.items() if k in done and unit != "ISO date" and done[k].notna().all()]
    asked = [k for k in indicators.chosen(done, known, axes) if k not in SHOWN_KPIS] if len(done) else []
    return [k for k in (*SHOWN_KPIS, *asked[: indicators.SHOWN]) if k in runs]


def _key_lines(shown: Sequence[str], units: Mapping[str, str]) -> list[str]:
    """Return what the columns mean: their unit, and the indicator in words."""
    from simulator.reports import indicators

    lines = table(["column", "unit", "meaning"], [[k, units[k], indicators.words(k)] for k in shown])
    return [*lines, "replicate: which of the runs of a design; the same number meets the same draws in every one"]


def _error_lines(runs: pd.DataFrame) -> list[str]:
    failed = runs[runs["status"].isin(UNFIT)]
    lines = [
        f"run {row['hash'][:8]} (design {row['design']}, replicate {row['replicate']}) "
        f"{WORDS[row['status']]}: {row['error']}"
        for row in failed.head(SHOWN_ERRORS).to_dict("records")
    ]
    more = len(failed) - len(lines)
    return [*lines, f"and {more} more; see the column 'error'"] if more > 0 else lines
