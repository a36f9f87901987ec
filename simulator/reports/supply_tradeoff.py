"""Page: how warm the coolant should be: energy and water against how near chips come to throttling."""

import numpy as np
import pandas as pd

from simulator.reports import sweep_axis, wording
from simulator.reports.axis_values import Axis
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.style import (
    FULL,
    PALETTE,
    VERMILLION,
    canvas,
    dark,
    heading,
    label,
    legend,
    note,
)

SUPPLY, PLANTS = "topology.cooling.supply", "topology.cooling"
ENERGY, WATER, MARGIN = "energy.poi", "cooling.wue", "thermal.throttle_margin_min"
COOLING, RACKS, SLOWED = "energy.cooling", "energy.it", "thermal.throttled_accelerator_hours"
NEEDED = (ENERGY, WATER, MARGIN, COOLING, RACKS, SLOWED)
MOST_ROWS = 12
SAME_WORK = 0.02
"""Racks that draw within this of each other at one supply temperature do the same work: their import can be compared
(assumed; leakage moves them by less)."""
LINES_TOLD = 3
ROOM = 1.08
"""Of the highest point, below the top of a panel that starts at zero."""
PANELS = {"saving_pct": "Imported energy, % of coldest", WATER: "Water (L/kWh of racks)", MARGIN: "Margin (K)"}


def drawable(runs: pd.DataFrame) -> bool:
    """Return whether the runs have what the page is about."""
    return all(kpi in runs and runs[kpi].notna().all() for kpi in NEEDED)


def page(runs: pd.DataFrame, axis: Axis, other: Axis | None) -> Page:
    """Return the page of a sweep over the coolant's supply temperature."""
    table = means(runs, axis, other)
    return Page(
        "supply-tradeoff",
        "Supply temperature",
        title(table, axis, other),
        (
            "Warmer coolant spares compressors and fans; chips leak more current and come nearer to the "
            "temperature at which they throttle. Imported energy holds both: what cooling saves and what leakage "
            "costs. Water is what heat rejection consumes on site.",
        ),
        (panels(runs, axis, other), tradeoff(table, axis, other)),
        (TableSpec("Means of replicates" + _averaged(runs, axis, other), _table(table, axis, other)),),
    )


def means(runs: pd.DataFrame, axis: Axis, other: Axis | None) -> pd.DataFrame:
    """Return means by line and supply temperature, with imported energy relative to the coldest of each
    line; lines are the values of the other axis."""
    line = runs[other.key].map(other.told) if other is not None else pd.Series("", index=runs.index)
    table = runs.assign(line=line).groupby(["line", axis.key], sort=False)[list(NEEDED)].mean().reset_index()
    table["supply_c"] = table[axis.key].map(axis.place)
    table = table.sort_values(["line", "supply_c"], kind="stable", ignore_index=True)
    coldest = table.groupby("line", sort=False)[ENERGY].transform("first")
    return table.assign(saving_pct=100.0 * (table[ENERGY] / coldest - 1.0))


def title(table: pd.DataFrame, axis: Axis, other: Axis | None) -> str:
    """Return the finding: the temperature that imports least among those at which no chip throttles."""
    cool = table[(table[MARGIN] > 0.0) & (table[SLOWED] <= 0.0)]
    if cool.empty:
        least = table.loc[table[SLOWED].idxmin()]
        return (
            f"Chips throttle at every supply temperature, least at {axis.told(least[axis.key])} with "
            f"{wording.number(least[SLOWED])} accelerator-hours lost"
        )
    if not comparable(table):
        return _of_each_line(table, cool, axis, other)
    best = cool.loc[cool[ENERGY].idxmin()]
    line = f" {_line(best['line'], other)}" if other is not None else ""
    reach = _reach(table[table["line"] == best["line"]], axis, float(best["supply_c"]))
    change = f"{wording.number(abs(best['saving_pct']), 2)} % below the coldest" if best["saving_pct"] < 0 else ""
    change = change or "which is the coldest"
    return (
        f"Import is least at {axis.told(best[axis.key])}{line}, {change}, with {wording.number(best[MARGIN])} K "
        f"of margin and {wording.number(best[WATER], 2)} L/kWh of water; no chip throttles {reach}"
    )


def comparable(table: pd.DataFrame) -> bool:
    """Return whether the racks of all lines do the same work, so that their import can be compared."""
    of = table.groupby("supply_c")[RACKS]
    return bool((of.max() <= of.min() * (1.0 + SAME_WORK)).all())


def _of_each_line(table: pd.DataFrame, cool: pd.DataFrame, axis: Axis, other: Axis | None) -> str:
    """Return the finding of lines whose racks do not do the same work: the best temperature of each."""
    best = cool.loc[cool.groupby("line", sort=False)[ENERGY].idxmin()]
    low, high = best.loc[best["supply_c"].idxmin()], best.loc[best["supply_c"].idxmax()]
    if low["supply_c"] == high["supply_c"]:
        at = f"at {axis.told(low[axis.key])} with each {other.words if other else ''}"
    elif len(best) <= LINES_TOLD:
        at = " and ".join(f"at {axis.told(row[axis.key])} {_line(row['line'], other)}" for _, row in best.iterrows())
    else:
        at = f"between {axis.told(low[axis.key])} and {axis.told(high[axis.key])}, by {other.words if other else ''}"
    hot = table["line"].nunique() - len(best)
    return f"Import is least {at}, with {wording.number(best[MARGIN].min())} K of margin or more" + (
        f"; with {hot} others chips throttle at every temperature" if hot else ""
    )


def _line(told: str, other: Axis | None) -> str:
    """Return which line is meant, in words that stand behind a finding."""
    if other is not None and other.numeric:
        return f"with {other.words} at {told}"
    return f"behind {told}" if other is not None and other.key.startswith(PLANTS) else f"with {told}"


def _reach(own: pd.DataFrame, axis: Axis, from_c: float) -> str:
    """Return how warm the supply of one line may be before its first chip throttles, from a
    temperature at which none does."""
    warmer = own[own["supply_c"] >= from_c]
    hot = (warmer[MARGIN] <= 0.0) | (warmer[SLOWED] > 0.0)
    calm = warmer[warmer["supply_c"] < warmer["supply_c"][hot].min()] if hot.any() else warmer
    warmest = axis.told(calm.loc[calm["supply_c"].idxmax(), axis.key])
    return f"up to {warmest}" if hot.any() else f"even at {warmest}"


def panels(runs: pd.DataFrame, axis: Axis, other: Axis | None) -> FigureSpec:
    """Draw energy, water and margin against supply temperature."""
    coldest = means(runs, axis, other).groupby("line", sort=False)[ENERGY].first()
    line = runs[other.key].map(other.told) if other is not None else pd.Series("", index=runs.index)
    drawn = runs.assign(saving_pct=100.0 * (runs[ENERGY] / line.map(coldest) - 1.0))
    fig, axes = canvas(FULL, 2.15, columns=3)
    parts = []
    for ax, (kpi, words) in zip(axes, PANELS.items(), strict=True):
        parts.append(sweep_axis.draw(ax, drawn, axis, other, kpi))
        heading(ax, words)
        ax.set_xlabel(axis.label)
    axes[1].set_ylim(0.0, max(ROOM * float(parts[1][["mean", "high"]].max().max()), 0.1))
    axes[2].axhline(0.0, color=VERMILLION, linestyle="--", linewidth=1)
    if other is not None:
        legend(fig, axes[0], "lower center", 3)
    data = pd.concat(parts, ignore_index=True)
    bands = " Bands: P10 to P90 of replicates." if runs["replicate"].nunique() > 1 else ""
    told = "; ".join(sweep_axis.finding(drawn, axis, kpi, "1") for kpi in (ENERGY, WATER, MARGIN))
    return FigureSpec(
        fig, "supply-panels", f"Three panels against supply temperature: {told}.", data,
        f"Energy at the interconnection relative to the coldest supply, water, and margin below throttling.{bands}",
    )  # fmt: skip


def tradeoff(table: pd.DataFrame, axis: Axis, other: Axis | None) -> FigureSpec:
    """Draw margin against imported energy, a point per design with its temperature."""
    fig, ax = canvas(FULL, 2.15)
    alike = comparable(table)
    lowest = table[ENERGY].min() if alike else table.groupby("line")[ENERGY].transform("min")
    data = table.assign(above_pct=100.0 * (table[ENERGY] / lowest - 1.0))
    lines = [other.told(value) for value in other.order] if other is not None else [""]  # as in the panels
    for i, line in enumerate(lines):
        own = data[data["line"] == line]
        color = PALETTE[i % len(PALETTE)]
        ax.plot(own["above_pct"], own[MARGIN], color=color, linewidth=0.9)
        ax.scatter(own["above_pct"], own[MARGIN], s=18 + 60 * own[WATER], color=color, alpha=0.75,
                   marker=sweep_axis.MARKS[i % len(sweep_axis.MARKS)], label=line or None)  # fmt: skip
        ends = own.loc[sorted({own.index[0], own.index[-1], own["above_pct"].idxmin()})]
        for x, y, value in zip(ends["above_pct"], ends[MARGIN], ends[axis.key], strict=True):
            note(ax, x, y, axis.told(value), dark(color), right_pt=7, va=("bottom", "top")[i % 2])
    ax.axhline(0.0, color=VERMILLION, linestyle="--", linewidth=1)
    ax.margins(x=0.1, y=0.15)
    heading(ax, "Margin below throttling (K)")
    label(ax, f"Imported energy above the least{'' if alike else ' of its line'} (%)", grid="both")
    if other is not None:
        legend(fig, ax, "lower center", 3)
    best = data.loc[data["above_pct"].idxmin()]
    line = f" {_line(best['line'], other)}" if not alike else ""
    return FigureSpec(
        fig, "supply-tradeoff",
        f"Points of {len(data)} designs: the least import{line}, at {axis.told(best[axis.key])}, leaves "
        f"{best[MARGIN]:.1f} K of margin; the largest margin is {data[MARGIN].max():.1f} K.",
        data, "To the upper left is better: less energy, more margin. Larger marks take more water. Named: coldest, "
        "warmest and that of least import.",
    )  # fmt: skip


def _averaged(runs: pd.DataFrame, axis: Axis, other: Axis | None) -> str:
    lines = 1 if other is None else len(other.order)
    return " and of the other axes" if runs["design"].nunique() > len(axis.order) * lines else ""


def _table(table: pd.DataFrame, axis: Axis, other: Axis | None) -> pd.DataFrame:
    shown = table
    if len(table) > MOST_ROWS:
        shown = table.iloc[np.linspace(0, len(table) - 1, MOST_ROWS).round().astype(int)]
    cells = {"Supply": [axis.told(v) for v in shown[axis.key]]}
    if other is not None:
        cells = {wording.sentence(other.words.split()[-1]): list(shown["line"])} | cells
    return pd.DataFrame(
        cells
        | {
            "Import, MWh": [wording.number(v, 4) for v in shown[ENERGY]],
            "Cooling": [wording.number(v) for v in shown[COOLING]],
            "Racks": [wording.number(v, 4) for v in shown[RACKS]],
            "L/kWh": [wording.number(v, 2) for v in shown[WATER]],
            "Margin, K": [wording.number(v) for v in shown[MARGIN]],
            "Lost, h": [wording.number(v) for v in shown[SLOWED]],
        }
    )
