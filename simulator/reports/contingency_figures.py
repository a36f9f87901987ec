"""Pictures of a contingency study: what costs most, how bad it gets, what is shed minute by minute."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from simulator.reports import style
from simulator.reports.contingency_words import MEASURES, failures, label, measure, named
from simulator.reports.page import FigureSpec

BARS, LINES = 12, 5
"""Cases of the ranking, and of the curves."""
LEVELS = ("site", "hall", "block", "rack", "fabric")
COLORS = {"none": style.GRID, "capped": style.SKY, "shed": style.YELLOW, "job lost": style.ORANGE,
          "hall lost": style.VERMILLION, "site lost": style.INK}  # fmt: skip
LOST = {"hours_per_year": "Rate of failure times useful work lost", "hours_per_failure": "Useful work lost each time"}
MEGA = 1e6
NAMED = 2
"""Names of one line in a legend."""
ALIKE = 6
"""Decimals of a MW by which curves are told apart."""
APART = 0.05
"""Of the largest curve, below which a smaller one would lie on the axis: the scale is logarithmic then."""
OUTSIDE = 0.95
"""Of a value, by which whole decades lie beyond it."""


def dearest(tried: pd.DataFrame) -> pd.DataFrame:
    """Return the dearest case of each class of failure, or of each pair of classes, with what all cases
    of the class cost a year together."""
    every = tried.assign(all_hours=tried["hours_per_year_all"])
    key = ["class", "order", "planned"]
    sums = every.groupby(key, sort=False)[["all_hours", "count"]].sum()
    first = every.drop_duplicates(subset=key).set_index(key)
    told = first.assign(all_hours=sums["all_hours"], elements=sums["count"]).reset_index()
    order = told.assign(failure=~told["planned"].astype(bool))
    told = order.sort_values(["failure", "hours_per_year"], ascending=False, kind="stable", ignore_index=True)
    return told.drop(columns="failure")


def ranking(tried: pd.DataFrame) -> FigureSpec:
    """Draw what the dearest case of each class costs a year, and all of the class together."""
    by = measure(tried)
    data = dearest(tried)
    data = data[data[by] > 0.0].head(BARS)
    shown = data.iloc[::-1]
    fig, ax = style.canvas(height_in=0.95 + 0.17 * max(len(shown), 2))
    rows = np.arange(len(shown))
    drawn = [(by, "o", style.BLUE, "the dearest element")]
    if by == "hours_per_year":
        drawn.append(("all_hours", "s", style.VERMILLION, "all elements of the class"))
        ax.hlines(rows, shown[by], shown["all_hours"], color=style.GRID, linewidth=3)
    for column, marker, color, name in drawn:
        ax.plot(shown[column], rows, marker, color=color, label=name, markersize=5)
    ax.set_xscale("log")
    if len(shown):
        ends = shown[[column for column, *_ in drawn]].to_numpy(float)
        first, last = math.log10(ends.min() * OUTSIDE), math.log10(ends.max() / OUTSIDE)
        ax.set_xlim(10.0 ** math.floor(first), 10.0 ** math.ceil(last))
    ax.set_yticks(rows, [label(row) for row in shown.to_dict("records")])
    ax.set_ylim(-0.6, max(len(shown), 1) - 0.4)
    lost = "expected accelerator-hours of useful work lost a year"
    style.label(ax, x=lost if len(drawn) > 1 else "accelerator-hours of useful work lost each time", grid="x")
    ax.xaxis.set_major_locator(LogLocator(numticks=6))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: _power_of_ten(v)))
    if len(shown):
        style.legend(fig, ax, "upper center", 2)
    columns = ["class", "out", "planned", "case", "order", "elements", "kind", "severity", "rate_per_year",
               "hours_per_failure", "hours_per_year", "all_hours"]  # fmt: skip
    alt = "; ".join(f"{label(row)} {row[by]:.3g}" for row in data.to_dict("records"))
    return FigureSpec(
        fig, "contingency-ranking", f"Accelerator-hours {MEASURES[by]}, by class of failure: {alt}.",
        data[columns], f"{LOST[by]}; the number of elements behind the class.",
    )  # fmt: skip


def _power_of_ten(value: float) -> str:
    return f"{value:,.10g}" if value < MEGA else f"{value / MEGA:,.0f} million"


def by_severity(tried: pd.DataFrame) -> FigureSpec:
    """Draw elements by severity, one bar per level."""
    ones = failures(tried)
    counts = ones.pivot_table(
        index="level", columns="severity", values="count", aggfunc="sum", fill_value=0, observed=True
    )
    levels = [level for level in LEVELS if level in counts.index]
    data = counts.reindex(index=levels, columns=list(COLORS), fill_value=0)
    share = data.div(data.sum(axis=1), axis=0)
    fig, ax = style.canvas(height_in=0.9 + 0.32 * max(len(levels), 2))
    left = np.zeros(len(levels))
    for severity, color in COLORS.items():
        if not data[severity].any():
            continue
        width = share[severity].to_numpy(float)
        ax.barh(range(len(levels)), width, left=left, color=color, label=severity, height=0.66,
                edgecolor="white")  # fmt: skip
        for y, (w, n) in enumerate(zip(width, data[severity], strict=True)):
            if w > 0.06:
                ink = "white" if severity in ("site lost", "hall lost") else style.INK
                ax.text(left[y] + w / 2, y, f"{n:,}", ha="center", va="center", color=ink,
                        fontsize=style.POINT)  # fmt: skip
        left += width
    ax.set_yticks(range(len(levels)), [f"{level} ({int(data.loc[level].sum()):,})" for level in levels])
    ax.invert_yaxis()
    ax.set_xlim(0.0, 1.0)
    ax.set_xticks([0.0, 0.25, 0.5, 0.75, 1.0], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    style.label(ax, x="share of the elements of a level", grid="x")
    style.legend(fig, ax, "upper center", 6)
    return FigureSpec(
        fig, "contingency-severity", "Bars of elements by severity of their failure, by level.",
        data.reset_index(), "Single failures by level and severity; numbers are elements.",
    )  # fmt: skip


def over_minutes(found: pd.DataFrame, shed_w: Sequence[np.ndarray | None]) -> FigureSpec:
    """Draw MW shed over the minutes of the cases that shed most."""
    deepest = found[found["shed_mw"] > 0.0].sort_values("shed_mw", ascending=False, kind="stable")
    deepest = deepest.drop_duplicates(subset=["class", "order"]).head(LINES)
    fig, ax = style.canvas(height_in=2.5)
    data = pd.DataFrame()
    alike: dict[bytes, tuple[np.ndarray, list[str]]] = {}
    for row in deepest.to_dict("records"):
        curve_w = shed_w[int(row["rank"])]
        if curve_w is None:
            continue
        shed_mw = curve_w.sum(axis=1) / MEGA
        data["minute"] = np.arange(1, len(shed_mw) + 1)
        data[str(row["case"])] = shed_mw
        alike.setdefault(shed_mw.round(ALIKE).tobytes(), (shed_mw, []))[1].append(named(row))
    ends: list[tuple[float, str]] = []
    for n, (shed_mw, names) in enumerate(alike.values()):
        ax.step(np.arange(len(shed_mw) + 1), np.append(0.0, shed_mw), where="pre", color=style.PALETTE[n],
                label=_listed(names), linestyle=style.LINES[n % len(style.LINES)])  # fmt: skip
        ends.append((float(shed_mw[-1]), ", ".join(names)))
    most_mw = [float(shed_mw.max()) for shed_mw, _ in alike.values()]
    if most_mw and min(most_mw) < APART * max(most_mw):
        _logarithmic(ax, min(most_mw), max(most_mw))
    ax.set_ylim(bottom=0.0)
    ax.set_xlim(0.0, max(len(shed_w[0]) if shed_w[0] is not None else 1, 1))
    style.label(ax, x="minutes after the failure", y="MW shed")
    if ends:
        style.legend(fig, ax, "lower center", 1)
    told = "; ".join(f"{name} {mw:.3g} MW at the end" for mw, name in ends) or "none sheds load"
    return FigureSpec(
        fig, "contingency-shed", f"Lines of MW shed over minutes: {told}.", data,
        "Load out of service or off after the deepest failure of the classes that shed most.",
    )  # fmt: skip


def _logarithmic(ax: Axes, least: float, most: float) -> None:
    """Set a logarithmic scale from the power of ten below `least` to that above `most`, and a linear one below."""
    first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
    ax.set_yscale("symlog", linthresh=10.0**first, linscale=0.5)
    ax.set_ylim(top=10.0**last)
    ax.set_yticks([0.0, *(10.0**n for n in range(first, last + 1))])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))


def _listed(names: Sequence[str]) -> str:
    """Return names for a legend: the first of many, and how many more."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
