"""Report of a sweep: its designs at a glance, and what each axis does to the indicators it moves."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from simulator.reports import axis_values, indicators, supply_tradeoff, sweep_axis, wording
from simulator.reports.axis_values import Axis
from simulator.reports.page import Card, FigureSpec, Page, TableSpec, fitted
from simulator.reports.style import BLUE, FULL, canvas, heading, label

ROWS_LISTED, COLUMNS_LISTED = 26, 5
MOST_AXES, PANELS = 8, 4
PANEL_LETTERS = 20
"""What a line over one of so many panels holds."""
DATED = "1970-01-01T00:00:00Z"
"""A sweep has designs of several periods; its report is dated as nothing, to have the same bytes."""


@dataclass(frozen=True)
class Sweep:
    """The tables of a sweep's folder. `name` and `axes` are those of `sweep.json`, `runs` is
    `runs.parquet`, `units` the unit of each indicator."""

    name: str
    axes: tuple[str, ...]
    runs: pd.DataFrame
    units: Mapping[str, str]
    identity: str
    version: str

    @cached_property
    def done(self) -> pd.DataFrame:
        """Rows of runs that finished, shares in percent."""
        rows = self.runs[self.runs["status"] == "done"].reset_index(drop=True)
        return indicators.in_percent(rows, self.units)[0]

    @cached_property
    def shown_units(self) -> dict[str, str]:
        """Units of `done`."""
        return indicators.in_percent(self.runs, self.units)[1]

    @cached_property
    def numbers(self) -> list[str]:
        """Indicators that are numbers in every finished run."""
        known = [n for n, unit in self.units.items() if n in self.done and unit != "ISO date"]
        return [n for n in known if self.done[n].notna().all()]

    @cached_property
    def varying(self) -> tuple[Axis, ...]:
        """Axes that take more than one value, with what their values are."""
        every = [axis_values.read(key, self.done[key]) for key in self.axes if key in self.done]
        return tuple(axis for axis in every if len(axis.order) > 1)

    @cached_property
    def moved(self) -> list[str]:
        """Indicators that the axes move, most asked first."""
        return indicators.chosen(self.done, self.numbers, [axis.key for axis in self.varying])

    @cached_property
    def strongest(self) -> tuple[Axis, ...]:
        """The axes that reach furthest in what they move, in their own order."""
        reach = {
            axis.key: max((indicators.reach(self.done, axis.key, kpi) for kpi in self.moved[:PANELS]), default=0.0)
            for axis in self.varying
        }  # fmt: skip
        first = sorted(reach, key=reach.__getitem__, reverse=True)[:MOST_AXES]
        return tuple(axis for axis in self.varying if axis.key in first)

    @property
    def replicates(self) -> int:
        """Most replicates that a design has."""
        return int(self.runs["replicate"].max()) + 1 if len(self.runs) else 0


def pages(sweep: Sweep) -> list[Page]:
    """Return an overview, the trade-off of supply temperature where that is an axis, and a page per axis;
    overview alone where nothing has finished."""
    axes = sweep.strongest
    chosen = [overview(sweep)]
    for axis in axes:
        if axis.key == supply_tradeoff.SUPPLY and supply_tradeoff.drawable(sweep.done):
            chosen.append(supply_tradeoff.page(sweep.done, axis, _other(axis, axes)))
        else:
            chosen.append(sweep_axis.page(sweep.done, axis, _other(axis, axes), sweep.shown_units, sweep.numbers))
    return chosen


def cover(sweep: Sweep) -> dict[str, Any]:
    """Return what identifies the report."""
    told = _counts(sweep)
    return {
        "title": f"{sweep.name}: sweep", "author": f"gigawatt {sweep.version[:12]}",
        "description": f"Designs over {', '.join(sweep.axes)}",
        "footer": [f"sweep {sweep.identity[:16]} · {told} · code {sweep.version[:12]}", sweep.name],
        "dated": DATED,
    }  # fmt: skip


def overview(sweep: Sweep) -> Page:
    """Return the page of the designs at a glance."""
    designs = sweep.runs["design"].nunique()
    moved = sweep.moved[:COLUMNS_LISTED]
    axes = " and ".join(f"{axis.words} ({len(axis.order)} values)" for axis in sweep.varying[:3])
    more = "" if len(sweep.varying) <= 3 else f" and {len(sweep.varying) - 3} more"
    over = f" over {axes}{more}" if axes else ""
    return Page(
        "sweep",
        "Sweep",
        f"{designs} designs{over}: {_range(sweep, moved)}",
        (_basis(sweep), *_failed(sweep)),
        (reach(sweep, moved),) if moved and sweep.varying else (),
        (_designs(sweep, moved),),
        tuple(
            Card(indicators.head(kpi, sweep.shown_units[kpi]), _extent(sweep.done[kpi])) for kpi in moved[:4]
        ),
    )


def reach(sweep: Sweep, moved: list[str]) -> FigureSpec:
    """Draw how far each axis moves each indicator, the others averaged."""
    shown, drawn = moved[:PANELS], sweep.strongest
    heads = [textwrap.fill(indicators.head(kpi, sweep.shown_units[kpi]), PANEL_LETTERS) for kpi in shown]
    lines = max(text.count("\n") for text in heads)
    high_in = 0.7 + 0.26 * len(drawn) + 0.16 * lines
    fig, axes = canvas(FULL, high_in, columns=len(shown), sharey=True, squeeze=False)
    rows = []
    for ax, kpi, text in zip(axes[0], shown, heads, strict=True):
        for i, axis in enumerate(drawn):
            means = sweep.done.groupby(axis.key)[kpi].mean()
            low, high = float(means.min()), float(means.max())
            rows.append((axis.key, kpi, low, high))
            ax.barh(i, high - low, left=low, height=0.5, color=BLUE)
        ax.margins(x=0.1)
        ax.locator_params(axis="x", nbins=3)
        heading(ax, text)
        label(ax, grid="x")
    axes[0][0].set_yticks(range(len(drawn)), [axis.words for axis in drawn])
    axes[0][0].set_ylim(len(drawn) - 0.5, -0.5)
    data = pd.DataFrame(rows, columns=["axis", "kpi", "low", "high"])
    first = data[data["kpi"] == shown[0]].assign(span=lambda t: t["high"] - t["low"])
    most = first.loc[first["span"].idxmax()]
    return FigureSpec(
        fig, "sweep-reach",
        f"Bars of how far {len(drawn)} axes move {len(shown)} indicators: {most['axis']} moves "
        f"{indicators.words(shown[0])} most, from {wording.number(most['low'])} to {wording.number(most['high'])}.",
        data, "From the lowest to the highest mean over the values of each axis, all else averaged."
        + (f" The {len(drawn)} axes of {len(sweep.varying)} that reach furthest."
           if len(drawn) < len(sweep.varying) else ""),
    )  # fmt: skip


def _counts(sweep: Sweep) -> str:
    counts = sweep.runs["status"].value_counts()
    return f"{len(sweep.runs)} runs: " + ", ".join(f"{counts[s]} {s}" for s in counts.index)


def _range(sweep: Sweep, moved: list[str]) -> str:
    """Return how far the first indicator moves."""
    if not len(sweep.done):
        return "no run has finished yet"
    if not moved:
        return f"no indicator moves in {len(sweep.done)} runs"
    means = sweep.done.groupby("design")[moved[0]].mean()
    unit = indicators.unit_words(moved[0], sweep.shown_units[moved[0]])
    return (
        f"{indicators.words(moved[0])} goes from {wording.number(float(means.min()))} to "
        f"{wording.number(float(means.max()))}{f' {unit}' if unit else ''}"
    )


def _basis(sweep: Sweep) -> str:
    often = sweep.replicates
    spread = (
        f"{often} replicates each meet the same draws in every design; lines and points are means, bands P10 "
        "to P90 of replicates, and where there is one axis more, a line for each of its values."
        if often > 1 else
        "One replicate each, with the same draws in every design: differences between designs share their luck, "
        "but no interval can be told."
    )  # fmt: skip
    return f"{_counts(sweep)}. {spread}"


def _failed(sweep: Sweep) -> tuple[str, ...]:
    bad = sweep.runs[~sweep.runs["status"].isin(["done", "pending", "running"])]
    if bad.empty:
        return ()
    first = bad.iloc[0]
    return (f"{len(bad)} runs have no result; the first, design {first['design']}: {first['error']}",)


def _heading(sweep: Sweep) -> str:
    count = sweep.runs["design"].nunique()
    return "Designs" if count <= ROWS_LISTED else f"{ROWS_LISTED} of {count} designs, evenly chosen"


def _designs(sweep: Sweep, moved: list[str]) -> TableSpec:
    table = _table(sweep, moved)
    return TableSpec(_heading(sweep), table, fitted(table))


def _table(sweep: Sweep, moved: list[str]) -> pd.DataFrame:
    """Return one row per design: its values, and means of what moves most."""
    if not len(sweep.done):
        return pd.DataFrame()
    means = sweep.done.groupby("design")[moved].mean() if moved else pd.DataFrame(index=sweep.done["design"].unique())
    first = sweep.done.groupby("design").first()
    if len(means) > ROWS_LISTED:
        means = means.iloc[np.linspace(0, len(means) - 1, ROWS_LISTED).round().astype(int)]
    table = pd.DataFrame({"Design": [str(d) for d in means.index]})
    for axis in sweep.varying[:4]:
        table[wording.sentence(axis.words)] = [axis.told(v) for v in first.loc[means.index, axis.key]]
    for kpi in moved:
        table[indicators.head(kpi, sweep.shown_units[kpi])] = [wording.number(float(v), 4) for v in means[kpi]]
    return table


def _extent(values: pd.Series) -> str:
    low, high = float(values.min()), float(values.max())
    return wording.number(low) if low == high else f"{wording.number(low)} to {wording.number(high)}"


def _other(axis: Axis, axes: tuple[Axis, ...]) -> Axis | None:
    """Return the axis that a page tells apart by lines: of the others, the one with fewest values."""
    rest = [one for one in axes if one is not axis and len(one.order) <= sweep_axis.MOST_LINES]
    return min(rest, key=lambda one: len(one.order)) if rest else None
