"""The folder of an inverse search: every finished run, kept one by one, and what was tried."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from simulator.scenario import Scenario
from simulator.studies import StudyError, processes, provenance
from simulator.studies.inverse import Answer
from simulator.studies.sweep import DONE, Record, one
from simulator.studies.sweep import workers as processors
from simulator.studies.written import write_table, write_whole


@dataclass(frozen=True)
class SizeFolder:
    """Where a search keeps its runs; a run that is there is not made again."""

    path: Path

    def open(self) -> None:
        """Prepare the folder; refuse one that holds something else."""
        kept = self.path / "runs"
        if self.path.is_file() or (self.path.is_dir() and any(self.path.iterdir()) and not kept.is_dir()):
            raise StudyError(f"{self.path} is not empty and not a search; choose another with -o")
        kept.mkdir(parents=True, exist_ok=True)

    def run(
        self, scenario: Scenario, replicates: Iterable[int], n_jobs: int | None
    ) -> list[dict[str, Any]]:
        """Return the summary of each replicate, made here, in worker processes or before."""
        wanted = {k: provenance.identity(scenario, k) for k in replicates}
        left = {k: key for k, key in wanted.items() if not self._file(key).is_file()}
        for key, record in _made(scenario, left, n_jobs):
            if record["status"] != DONE:
                raise StudyError(f"a run failed: {record['error']}")
            write_whole(self._file(key), json.dumps(record) + "\n")
        return [_summary(json.loads(self._file(key).read_text("utf-8"))) for key in wanted.values()]

    def write(self, answer: Answer, prices: pd.DataFrame) -> None:
        """Write what was tried and what the requirements cost."""
        rows = [
            {
                "value": c.value, "feasible": c.feasible, "refused": c.refused,
                "replicates": c.replicates, "broken": "; ".join(c.broken),
                **{name: sum(v for v, _ in pairs) / len(pairs) for name, pairs in c.found.items()},
            }
            for c in sorted(answer.tried, key=lambda c: c.place)
        ]
        write_table(pd.DataFrame(rows), self.path / "tried.parquet")
        write_table(prices, self.path / "requirements.parquet")

    def write_joint(self, tried: pd.DataFrame, prices: pd.DataFrame, units: pd.DataFrame) -> None:
        """Write what a joint search tried, what the requirements cost, and the next unit of each input."""
        for table, name in ((tried, "tried"), (prices, "requirements"), (units, "next_units")):
            write_table(table, self.path / f"{name}.parquet")

    def _file(self, identity: str) -> Path:
        return self.path / "runs" / f"{identity[:32]}.json"


def _made(
    scenario: Scenario, left: dict[int, str], n_jobs: int | None
) -> Iterable[tuple[str, Record]]:
    workers = min(processors(n_jobs), len(left))
    calls = [(key, scenario, k) for k, key in left.items()]
    if workers <= 1:
        return (one(*call) for call in calls)
    return processes.each(one, calls, workers)


def _summary(record: Record) -> dict[str, Any]:
    kpis = {name: {"value": value, "unit": unit} for name, (value, unit) in record["kpis"].items()}
    return {"kpis": kpis, "checks": record["checks"]}
