"""The folder of a sweep: one small file per finished run, and the tables assembled from them."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from simulator.studies import StudyError, enough, provenance, stamp
from simulator.studies.designs import Plan, Task
from simulator.studies.sweep import DONE, RUNNING, Record, frame, marker_of, units
from simulator.studies.sweep_names import DESIGN, RUNS, UNITS
from simulator.studies.written import write_table, write_whole


@dataclass(frozen=True)
class SweepFolder:
    """Where a sweep keeps what it has; several processes may work in it at once."""

    path: Path
    plan: Plan

    def open(self, resume: bool) -> None:
        """Prepare the folder; refuse one that holds something else, or another sweep."""
        held = self.path / DESIGN
        if held.is_file():
            self._check_same(json.loads(held.read_text("utf-8")))
            if not resume:
                told = f"{self.path} holds this sweep already; go on with --resume, or choose"
                raise StudyError(f"{told} another folder with -o")
        elif self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise StudyError(f"{self.path} is not empty and not a sweep; choose another with -o")
        self.runs.mkdir(parents=True, exist_ok=True)
        write_whole(held, json.dumps(self._description(), indent=1) + "\n")

    def records(self) -> dict[str, Record]:
        """Return what is kept, by identity; only runs of this plan count."""
        found: dict[str, Record] = {}
        for task in self.plan.tasks:
            file = self._file(task.identity)
            record = _whole(file) if file.is_file() else None
            if record is not None:
                found[task.identity] = record
            elif marker_of(self.runs, task.identity).exists():
                found[task.identity] = {"status": RUNNING}
        return found

    @property
    def runs(self) -> Path:
        """Where the runs lie, one file each."""
        return self.path / "runs"

    def restart(self, tasks: Iterable[Task]) -> None:
        """Forget that runs were being made: whoever made them is gone."""
        for task in tasks:
            marker_of(self.runs, task.identity).unlink(missing_ok=True)

    def finished(self) -> set[str]:
        """Return the identities of the runs that need not be run again."""
        return {key for key, record in self.records().items() if record["status"] == DONE}

    def keep(self, identity: str, record: Record) -> None:
        """Write one run, whole or not at all."""
        write_whole(self._file(identity), json.dumps(record) + "\n")
        marker_of(self.runs, identity).unlink(missing_ok=True)

    def assemble(self) -> pd.DataFrame:
        """Write and return `runs.parquet`: the same bytes for the same finished runs."""
        records = self.records()
        table = frame(self.plan, records)
        self.write(table, RUNS)
        if self.plan.rule is not None:
            self.write(enough.table(self.plan, records), "replicates.parquet")
        told = units(records[t.identity] for t in self.plan.tasks if t.identity in records)
        listed = "".join(f"{name},{unit}\n" for name, unit in told.items())
        write_whole(self.path / UNITS, "kpi,unit\n" + listed)
        times = [(key, r["wall_s"]) for key, r in records.items() if r["status"] != RUNNING]
        self.write(pd.DataFrame(times, columns=["hash", "wall_s"]), "timing.parquet")
        return table

    def close(self, sweep: Path, asked: Sequence[str], told: str) -> None:
        """Remember that every run is done, and what there was to tell of them."""
        runs = sorted({self._file(task.identity).name for task in enough.needed(self.plan, self.records())})
        tables = sorted(p.name for p in self.path.iterdir() if p.suffix in (".parquet", ".csv"))
        stamp.close(self.path, sweep, asked, {"runs": runs, "tables": tables, "told": told})

    def write(self, table: pd.DataFrame, name: str) -> None:
        """Write a table, whole or not at all."""
        write_table(table, self.path / name)

    def _file(self, identity: str) -> Path:
        return self.runs / f"{identity[:32]}.json"

    def _description(self) -> dict[str, object]:
        plan = self.plan
        return {
            "name": plan.name,
            "identity": plan.identity,
            "version": provenance.code_version(),
            "axes": {axis: list(dict.fromkeys(str(d.values[axis]) for d in plan.designs))
                     for axis in plan.axes},
            "designs": len(plan.designs),
            "replicates": plan.replicates if plan.rule is None else "by rule",
        }  # fmt: skip

    def _check_same(self, held: dict[str, object]) -> None:
        mine = self._description()
        if held.get("identity") == mine["identity"]:
            return
        other = [
            f"{key} {held.get(key)} there, {mine[key]} here"
            for key in ("version", "axes", "designs", "replicates")
            if held.get(key) != mine[key]
        ]
        told = "; ".join(other) or "the scenario's inputs have changed"
        raise StudyError(f"{self.path} holds another sweep ({told}); choose another with -o")


def _whole(file: Path) -> Record | None:
    """Return a record, None for one that a failing disk has cut: that run is made again."""
    try:
        record = json.loads(file.read_text("utf-8"))
    except ValueError:
        return None
    return record if isinstance(record, dict) and "status" in record else None
