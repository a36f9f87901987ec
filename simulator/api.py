"""The notebook's face: scenarios, runs and sweeps as objects over the pure records below."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from html import escape
from pathlib import Path
from typing import Any, Self

import pandas as pd
from matplotlib.figure import Figure

from simulator import scenario as documents
from simulator.errors import nearest
from simulator.reports import document
from simulator.reports import run as reporting
from simulator.reports import sweep as sweep_pages
from simulator.results import Results
from simulator.scenario.replicates import ReplicateRule, most_of
from simulator.studies import compare as paired
from simulator.studies import designs, enough, sweep
from simulator.studies import run as runs
from simulator.studies.distributions import Distribution
from simulator.studies.progress import Stages
from simulator.studies.size import as_dict, size
from simulator.studies.stamp import code_version
from simulator.studies.unknown import Unknown

DAYS_PER_S = 1.0 / 86_400.0


class Scenario:
    """A scenario of a file, with values laid on; valid from the start."""

    def __init__(
        self, path: str | Path, scenario: str | None = None, values: Mapping[str, Any] | None = None
    ) -> None:
        self.path, self.chosen, self.values = Path(path), scenario, dict(values or {})
        self.record = documents.load(self.path, list(self.values.items()), scenario)

    @classmethod
    def from_yaml(cls, path: str | Path, scenario: str | None = None) -> Self:
        """Return the scenario of a file; `scenario` is a name under its `scenarios:`."""
        return cls(path, scenario)

    def with_(self, values: Mapping[str, Any]) -> "Scenario":
        """Return a scenario with values by dotted key laid on; this one stays as it is."""
        return Scenario(self.path, self.chosen, {**self.values, **values})

    def run(
        self, replicates: int | None = None, n_jobs: int = 1, progress: bool = False
    ) -> "Run":
        """Simulate and return the run."""
        if not progress:
            return Run(runs.run(self.record, replicates, n_jobs), self)
        count = replicates or most_of(self.record.spec.replicates)
        with Stages("simulated days", DAYS_PER_S) as stages:
            stages.stage("simulate", count * self.record.spec.period.duration)
            return Run(runs.run(self.record, replicates, n_jobs, stages), self)

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return self.record.spec.name

    def resolved(self) -> str:
        """Return the whole document as YAML."""
        return documents.resolved(self.record)

    def size(self) -> dict[str, Any]:
        """Return what the scenario holds, and estimates of time and memory."""
        return as_dict(size(self.record))

    def __repr__(self) -> str:
        laid = "".join(f", {key}={value}" for key, value in self.values.items())
        return f"Scenario({self.name!r}{laid})"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(key)}</th><td>{escape(str(value))}</td></tr>"
            for key, value in {**self.size(), **self.values}.items()
        )
        return f"<b>{escape(self.name)}</b><table>{rows}</table>"


class Run:
    """One run: its replicates as tables, its indicators, its figures."""

    def __init__(
        self, results: list[Results], scenario: Scenario | None = None, folder: Path | None = None
    ) -> None:
        self.results, self.scenario, self.folder = results, scenario, folder
        self._reported = reporting.Run(results)
        self.plot = Plots(self._reported)

    @property
    def kpis(self) -> pd.DataFrame:
        """Indicators by name; with several replicates, p10, p50 and p90 beside the mean."""
        return pd.DataFrame.from_dict(self._reported.summary["kpis"], orient="index")

    @property
    def checks(self) -> pd.Series:
        """Relative error of each balance, the worst of all replicates."""
        return pd.Series(self._reported.summary["checks"], dtype=float)

    @property
    def events(self) -> pd.DataFrame:
        """What happened, in order of time; with several replicates, replicate by replicate."""
        if len(self.results) == 1:
            return self.results[0].events
        frames = [r.events.assign(replicate=i) for i, r in enumerate(self.results)]
        return pd.concat(frames, ignore_index=True)

    def timeseries(self, level: str, quantity: str, replicate: int = 0) -> pd.DataFrame:
        """Return one quantity over time (UTC), a column per element of the level."""
        tables = self.results[replicate].timeseries
        if level not in tables:
            raise KeyError(f"no level '{level}'{nearest(level, tables)}; one of {[*tables]}")
        table = tables[level]
        known = [c for c in table if c not in ("time", "element")]
        if quantity not in known:
            raise KeyError(f"no quantity '{quantity}'{nearest(quantity, known)}; one of {known}")
        order = table["element"].drop_duplicates().astype(str)
        found = table.pivot(index="time", columns="element", values=quantity)
        found.columns = found.columns.astype(str)
        return found[list(order)]

    def report(self, path: str | Path, variant: document.Variant = "full") -> Path:
        """Write the report as PDF and return its path."""
        with tempfile.TemporaryDirectory() as scratch:
            return document.write(self.results, Path(scratch), variant, Path(path))

    def save(self, folder: str | Path, report: bool = True) -> Path:
        """Write the run folder and return it; `gw.load` reads it back."""
        target = Path(folder)
        if self.scenario is not None:
            draw = document.write if report else None
            return runs.write(self.results, self.scenario.record, target, report=draw)
        runs.check_folder(target)
        with runs.replacing(target) as fresh:
            shutil.copytree(str(self.folder), fresh, dirs_exist_ok=True)
        return target

    def to_excel(self, path: str | Path) -> Path:
        """Write a workbook of indicators, balances and assumptions, and return its path.

        Needs a writer of xlsx: pip install 'gigawatt[xlsx]'.
        """
        sheets = {
            "KPIs": self.kpis.rename_axis("kpi").reset_index(),
            "Balances": self.checks.rename_axis("balance").rename("relative error").reset_index(),
            "Assumptions": self.results[0].tables["assumptions"],
        }
        with pd.ExcelWriter(path, engine="openpyxl") as book:
            for name, table in sheets.items():
                table.to_excel(book, sheet_name=name, index=False, freeze_panes=(1, 1))
        return Path(path)

    def __repr__(self) -> str:
        return f"Run({self._reported.info['name']!r}, {len(self.results)} replicates)"

    def _repr_html_(self) -> str:
        shown = self.kpis.drop(columns="definition")
        return f"<b>{escape(self._reported.info['name'])}</b>{shown.to_html()}"


class Plots:
    """The figures of the report by name: `run.plot.load_duration()`."""

    def __init__(self, run: reporting.Run) -> None:
        self._run = run
        self._drawn: dict[str, Figure] = {}
        self._left = [make for make in document.PAGES["full"] if document.has(run, make)]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        figure = self._figure(name)
        if figure is None:
            raise AttributeError(f"no figure '{name}'{nearest(name, self._drawn)}")
        return lambda: figure

    def __dir__(self) -> list[str]:
        self._figure("")
        return sorted(self._drawn)

    def _figure(self, name: str) -> Figure | None:
        """Draw page after page until the figure appears."""
        while name not in self._drawn and self._left:
            page = self._left.pop(0)(self._run)
            self._drawn |= {spec.name.replace("-", "_"): spec.fig for spec in page.figures}
        return self._drawn.get(name)


class Sweep:
    """Designs over a scenario: every combination of the values of some keys, or samples of their
    distributions.

    An axis is a list of values, or for `lhs` and `sobol` a distribution as in a sweep file:
    `{"uniform": ["30 degC", "45 degC"]}`. `replicates` is a number, or a rule as in a file:
    `{"min": 10, "max": 200, "until": {"power.poi_peak": "0.5 MW"}}`. `uncertain` are distributions
    drawn once per replicate, `correlation` triples of two keys and a number.
    """

    def __init__(
        self,
        study: Scenario,
        axes: Mapping[str, Sequence[Any] | Mapping[str, Any]],
        replicates: int | Mapping[str, Any] = 1,
        design: designs.Kind = "grid",
        *,
        samples: int | None = None,
        uncertain: Mapping[str, Mapping[str, Any]] | None = None,
        correlation: Sequence[tuple[str, str, float]] = (),
        seed: int = 1,
    ) -> None:
        laid = list(study.values.items())

        def load(values: designs.Sets) -> documents.Scenario:
            return documents.load(study.path, laid + values, study.chosen)

        often = replicates if isinstance(replicates, int) else ReplicateRule.model_validate(replicates)
        spread = {key: Distribution.model_validate(d) for key, d in (uncertain or {}).items()}
        self.plan = designs.make(
            study.name, load, {key: _axis(axis) for key, axis in axes.items()}, design, often,
            laid=len(laid), unknown=Unknown(spread, correlation, samples, seed),
        )

    def run(self, n_jobs: int = 1, progress: bool = False) -> "SweepRuns":
        """Carry out every run; failed ones are kept with their error."""
        records: dict[str, sweep.Record] = {}
        with Stages("runs") if progress else nullcontext() as stages:
            while left := [t for t in enough.needed(self.plan, records) if t.identity not in records]:
                if stages:
                    stages.stage("runs", len(records) + len(left))
                for identity, record in sweep.execute(self.plan, left, n_jobs):
                    records[identity] = record
                    if stages:
                        stages(len(records))
        return SweepRuns(self.plan, records)

    def __repr__(self) -> str:
        return f"Sweep({self.plan.name!r}, {len(self.plan.tasks)} runs over {self.plan.axes})"


class SweepRuns:
    """What a sweep found."""

    def __init__(self, plan: designs.Plan, records: dict[str, sweep.Record]) -> None:
        self.plan, self.records = plan, records

    def to_frame(self) -> pd.DataFrame:
        """Return one row per run: axes, replicate, status, every indicator."""
        return sweep.frame(self.plan, self.records)

    def to_xarray(self) -> Any:
        """Return the indicators as an `xarray.Dataset` over the axes of a grid and the replicates.

        Other designs have one dimension `design`, with the axes' values along it. Units are
        attributes. Needs xarray: pip install 'gigawatt[xarray]'.
        """
        import xarray

        table, units = self.to_frame(), self.units()
        names = [name for name in units if pd.api.types.is_numeric_dtype(table[name])]
        axes = list(self.plan.axes)
        index = axes if self.plan.kind == "grid" else ["design"]
        found = xarray.Dataset.from_dataframe(table.set_index([*index, "replicate"])[names])
        if index == ["design"]:
            first = table.groupby("design")[axes].first()
            found = found.assign_coords({axis: ("design", first[axis].to_numpy()) for axis in axes})
        for name in names:
            found[name].attrs["units"] = units[name]
        return found

    def report(self, path: str | Path) -> Path:
        """Write the designs at a glance and a page per axis as PDF, and return its path."""
        told = sweep_pages.Sweep(
            self.plan.name, self.plan.axes, self.to_frame(), self.units(), self.plan.identity,
            code_version(),
        )  # fmt: skip
        with tempfile.TemporaryDirectory() as scratch:
            chosen, cover = sweep_pages.pages(told), sweep_pages.cover(told)
            return document.bind(chosen, cover, Path(scratch), Path(path))

    def units(self) -> dict[str, str]:
        """Return the unit of every indicator."""
        return sweep.units(self.records.values())

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html())


def _axis(axis: Sequence[Any] | Mapping[str, Any]) -> Sequence[Any] | Distribution:
    return Distribution.model_validate(axis) if isinstance(axis, Mapping) else axis


def load(folder: str | Path) -> Run:
    """Return the run of a folder that `gigawatt run` or `Run.save` has written."""
    return Run(runs.load(Path(folder)), folder=Path(folder))


def compare(a: Run, b: Run) -> pd.DataFrame:
    """Return the paired differences of two runs, b minus a, with 95 % intervals, and how likely b
    beats a."""
    return paired.compare(a.results, b.results)
