"""The run a report is about: its replicates, and aggregates that several pages share."""

from collections.abc import Callable, Sequence
from functools import cached_property

import pandas as pd

from simulator.metrics import kpis as indicators
from simulator.metrics.headroom import headroom
from simulator.metrics.power import demand_w
from simulator.metrics.series import aggregate
from simulator.results import Results

EVIDENCE = ("measured", "vendor", "derived", "assumed")


class Run:
    """Replicates of one scenario. Figures are of all of them, as means or with bands; the few that follow
    single events are of the first and say so (`FigureSpec.of_first`)."""

    def __init__(self, results: list[Results], summary: dict | None = None) -> None:  # type: ignore[type-arg]
        self.results = results
        if summary is not None:
            self.summary = summary

    @property
    def first(self) -> Results:
        """The replicate of what is alike in all, and of figures that follow single events."""
        return self.results[0]

    @property
    def info(self) -> dict:  # type: ignore[type-arg]
        """Scalars of the first replicate."""
        return self.first.info

    @cached_property
    def summary(self) -> dict:  # type: ignore[type-arg]
        """The `summary.json` document."""
        return indicators.summary(self.results)

    @cached_property
    def hourly(self) -> pd.DataFrame:
        """Site quantities, hour means (largest values stay largest)."""
        return aggregate(self.first, "site", every="h")

    @cached_property
    def demand(self) -> pd.Series:
        """Import in W, means of clock-aligned quarter hours, of the first replicate."""
        return demand_w(self.first)

    @cached_property
    def jobs(self) -> pd.DataFrame:
        """One row per job: means of the replicates, words and dates of the first."""
        table = self.first.tables["jobs"].reset_index(drop=True)
        if len(self.results) == 1 or table.empty:
            return table
        every = pd.concat([r.tables["jobs"] for r in self.results])
        names = every["job"].astype(str)
        numbers = [c for c in every if c not in ("job", "finish") and pd.api.types.is_numeric_dtype(every[c])]
        means = every[numbers].groupby(names, sort=False).mean()
        return table.assign(**{c: table["job"].astype(str).map(means[c]) for c in numbers})

    @property
    def start(self) -> pd.Timestamp:
        """First instant of the run on the campus's clock."""
        return pd.Timestamp(self.hourly["time"].iloc[0])

    @property
    def days(self) -> float:
        """Length of the run."""
        return float(self.info["duration_s"]) / 86_400.0

    @property
    def period(self) -> str:
        """Period that makes a curve over the run readable."""
        return "30min" if self.days <= 3 else "h" if self.days <= 21 else "D"

    @property
    def trend(self) -> str:
        """Period of a line that should show the trend, not the days."""
        return "7D" if self.days > 70 else self.period

    @property
    def bars(self) -> str:
        """Period for bars over the run: months, or weeks, days or hours in shorter runs."""
        return (
            "MS" if self.days > 70 else "7D" if self.days > 21 else "D" if self.days > 1.5 else "h"
        )

    @property
    def identity(self) -> str:
        """What a reader quotes to find this run again."""
        return f"{str(self.info['config_hash'])[:8]}-{self.info['seed']}"

    def across(self, curve: Callable[[Results], pd.Series]) -> pd.DataFrame:
        """Return P10, mean and P90 over the replicates of a series of each, at equal index: low, mean,
        high. What a replicate lacks somewhere is not counted there."""
        every = pd.concat([curve(results) for results in self.results], axis=1)
        low, high = (every.quantile(q, axis=1) for q in (0.1, 0.9))
        return pd.DataFrame({"low": low, "mean": every.mean(axis=1), "high": high})

    def averaged(
        self, table: Callable[[Results], pd.DataFrame], keys: Sequence[str], absent_is_zero: bool = False
    ) -> pd.DataFrame:
        """Return the mean over the replicates of a table of each, row by row: rows with the same keys
        belong together. Words are those of the first that has the row; a row that a replicate lacks is
        left out of its mean, or counts as zero."""
        if len(self.results) == 1:
            return table(self.first)
        every = pd.concat([table(results) for results in self.results], ignore_index=True)
        columns = [column for column in every if column not in keys]
        numbers = [column for column in columns if pd.api.types.is_numeric_dtype(every[column])]
        how = {column: "mean" if column in numbers else "first" for column in columns}
        groups = every.groupby(list(keys), sort=False, observed=True, dropna=False)
        rows = groups.agg(how)
        if absent_is_zero:
            rows[numbers] = groups[numbers].sum() / len(self.results)
        return rows.reset_index()[list(every)]

    def table(self, name: str, keys: Sequence[str]) -> pd.DataFrame:
        """Return a small table, mean over the replicates."""
        return self.averaged(lambda results: results.tables[name], keys)

    def totals(self, terms: Callable[[Results], pd.Series]) -> pd.Series:
        """Return a series of single numbers, mean over the replicates."""
        return pd.concat([terms(results) for results in self.results], axis=1).mean(axis=1)

    def most_loaded(self, by: str) -> pd.DataFrame:
        """Return elements, or with `by="level"` the tightest of each level, as they stood in the replicate
        that loaded them most."""
        if len(self.results) == 1:
            return headroom(self.first, by=by)
        every = pd.concat([headroom(results, by=by) for results in self.results], ignore_index=True)
        most = every.groupby(by, sort=False)["firm_loading_frac"].idxmax()
        return every.loc[most].reset_index(drop=True)

    @property
    def as_means(self) -> str:
        """What a caption says of means over replicates; nothing for one."""
        count = len(self.results)
        return f", means of {count} replicates" if count > 1 else ""

    @property
    def of_replicates(self) -> str:
        """What a caption says of a band over replicates; nothing for one."""
        count = len(self.results)
        return f"; band: P10 to P90 of {count} replicates, line: their mean" if count > 1 else ""

    def value(self, name: str) -> float | None:
        """Return an indicator (the mean of the replicates), None where absent."""
        return self.summary["kpis"].get(name, {}).get("value")  # type: ignore[no-any-return]

    def spread(self, name: str) -> tuple[object, object] | None:
        """Return P10 and P90 of an indicator where there are replicates that differ."""
        entry = self.summary["kpis"].get(name, {})
        low, high = entry.get("p10"), entry.get("p90")
        return None if low == high else (low, high)

    def named(self, prefix: str) -> dict[str, float]:
        """Return the indicators under a prefix, by the rest of their names."""
        return {
            name.removeprefix(prefix): entry["value"]
            for name, entry in self.summary["kpis"].items()
            if name.startswith(prefix)
        }

    @cached_property
    def evidence(self) -> dict[str, float]:
        """Share of the figures in the register by class of evidence."""
        classes = self.first.tables["assumptions"]["evidence"].astype(str).value_counts()
        total = max(int(classes.sum()), 1)
        return {name: float(classes.get(name, 0)) / total for name in EVIDENCE}
