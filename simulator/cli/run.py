"""`gigawatt run`: simulate, write the run folder, print the KPI table."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulator import scenario as documents
from simulator.cli.exits import FAILED_ASSERT, INTERRUPTED
from simulator.cli.text import MISSING, number, table
from simulator.errors import display_name
from simulator.metrics import kpis
from simulator.results import Results
from simulator.scenario import Scenario
from simulator.scenario.replicates import most_of
from simulator.simulation import weather_of
from simulator.site import compile_site
from simulator.studies import limits, sequential, warm
from simulator.studies import run as study
from simulator.studies.progress import Stages, say

DAYS_PER_S = 1.0 / 86_400.0


@dataclass(frozen=True)
class Given:
    """Which scenario the command line asks for."""

    path: Path
    sets: tuple[str, ...] = ()
    chosen: str | None = None
    seed: int | None = None
    until: tuple[str, ...] = ()
    """Half-widths that decide how many replicates are made."""
    replicates: int | None = None

    def load(self) -> Scenario:
        """Return the scenario, or raise every problem."""
        seed = () if self.seed is None else (f"seed={self.seed}",)
        rule = (("replicates", sequential.asked(self.until, self.replicates)),) if self.until else ()
        return documents.load(self.path, [*self.sets, *seed, *rule], self.chosen)

    @property
    def folder(self) -> Path:
        """Where the run goes unless told otherwise."""
        name = self.path.stem if self.chosen is None else f"{self.path.stem}-{self.chosen}"
        return Path("reports") / re.sub(r"[^\w.-]+", "-", name)


def run(
    given: Given,
    output: Path | None,
    jobs: int | None,
    report: bool,
    asserts: tuple[str, ...],
) -> None:
    """Carry out the command."""
    started = datetime.now(UTC)
    wanted = [limits.read(text) for text in asserts]
    folder = output or given.folder
    study.check_folder(folder)
    with Stages("simulated days", DAYS_PER_S) as stages:
        results, scenario = _simulate(given, wanted, jobs, folder, stages)
        stages.stage("report" if report else "write")
        study.write(results, scenario, folder, started, _report if report else None)
        study.discard(study.unfinished(folder))
        summary = json.loads((folder / "summary.json").read_text("utf-8"))
    _tell(summary, scenario, folder, report)
    failed = limits.failures(wanted, summary)
    for line in failed:
        say(f"assertion failed: {line}")
    if failed:
        raise SystemExit(FAILED_ASSERT)


def _report(results: list[Results], folder: Path, summary: dict[str, Any]) -> None:
    from simulator.reports import document  # drawing needs libraries that tables do not

    document.write(results, folder, summary=summary)


def _simulate(
    given: Given, asserted: list[limits.Limit], jobs: int | None, folder: Path, stages: Stages
) -> tuple[list[Results], Scenario]:
    """Return the results; an interruption says how to go on and leaves."""
    stages.stage("read")
    scenario = given.load()
    limits.refuse(asserted, scenario.spec)
    weather_of(scenario)
    compile_site(scenario.spec.topology)
    wanted = None if given.until else given.replicates
    count = most_of(scenario.spec.replicates) if wanted is None else wanted
    if warm.cold():
        stages.stage("compile kernels, once on this machine: a minute or two")
        warm.make_ready(scenario)
    stages.stage("simulate", count * scenario.spec.period.duration)
    keep = study.unfinished(folder)
    try:
        return study.run(scenario, wanted, jobs or _workers(count), stages, keep), scenario
    except KeyboardInterrupt:
        kept = sum(1 for _ in keep.iterdir()) if keep.is_dir() else 0
        again = f"; {kept} of {count} replicates are kept: the same command goes on from there"
        say(f"interrupted{again if kept else ''}")
        raise SystemExit(INTERRUPTED) from None


def _workers(count: int) -> int:
    """Return how many processes share so many replicates."""
    if count == 1:
        return 1
    from joblib import cpu_count  # a tenth of a second that one replicate need not pay

    return cpu_count()


def _tell(summary: dict[str, Any], scenario: Scenario, folder: Path, report: bool) -> None:
    for line in [*study.warnings_of(scenario), *study.open_balances(summary)]:
        say(f"warning: {line}")
    print("\n".join(kpi_lines(summary)))
    what = folder / "report.pdf" if report else folder
    print(f"\n{'report' if report else 'tables'}: {display_name(str(what))}")


def kpi_lines(summary: dict[str, Any]) -> list[str]:
    """Return the table of indicators; with several replicates, the half-width of the mean's 95 %
    interval and the spread beside it, and what so many replicates cannot tell."""
    if "replicates" not in summary:
        rows = [[name, number(e["value"]), e["unit"]] for name, e in summary["kpis"].items()]
        return table(["kpi", "value", "unit"], rows, right=(1,))
    rows = [
        [name, number(e["value"]), _half_width(e), *(number(e[p]) for p in kpis.PERCENTILES), e["unit"]]
        for name, e in summary["kpis"].items()
    ]
    header = ["kpi", "value", "+-", *kpis.PERCENTILES, "unit"]
    return [*table(header, rows, right=range(1, len(header) - 1)), "", *resolution_lines(summary)]


def resolution_lines(summary: dict[str, Any]) -> list[str]:
    """Return what the replicates of a summary can tell, and what they cannot."""
    n, level = summary["replicates"]["n"], 100.0 * summary["replicates"]["confidence"]
    return [
        f"{n} replicates; +- is the half-width of the {level:g} % interval of the mean",
        *(f"stopped at {one['confidence'] * 100:g} %: {one['text']}"
          for one in summary["replicates"].get("stopping", ())),
        *(f"not resolvable with {n} replicates: {told}" for told in kpis.unresolved(n)),
        *_controlled(summary["kpis"]),
    ]


def _controlled(entries: dict[str, Any]) -> list[str]:
    """Return what taking out the luck in the number of failures does to the means of jobs."""
    better = {name: e["controlled"] for name, e in entries.items() if "controlled" in e}
    jobs = {name: told for name, told in better.items() if name.endswith(".ettr")}
    lines = [
        f"{name} is {number(told['value'], 5)} +- {number(0.5 * (told['high'] - told['low']), 2)} with the "
        f"number of failures as control, as if of {told['gain']:.1f} times the replicates"
        for name, told in jobs.items()
    ]
    more = len(better) - len(jobs)
    return [*lines, f"the same for {more} more: `controlled` in summary.json"] if more > 0 else lines


def _half_width(entry: dict[str, Any]) -> str:
    """Return half the interval of a mean; dates have none, nor what no replicate has."""
    ends = (entry["ci95"] or {}).get("value") or [None, None]
    if not all(isinstance(end, int | float) for end in ends):
        return MISSING
    return number(0.5 * (ends[1] - ends[0]), 3)
