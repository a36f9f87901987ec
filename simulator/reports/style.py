"""How figures look: one palette that colour-blind readers can tell apart, light grids, 9 pt."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

BLUE, ORANGE, GREEN, VERMILLION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, YELLOW, GREY = "#56B4E9", "#CC79A7", "#F0E442", "#7A7F87"
INK, GRID, FAINT = "#1F2933", "#E3E7EB", "#F3F5F7"
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW, GREY)
HATCHES = ("", "///", "...", "\\\\\\", "xx", "--", "++", "oo")
LINES = ("-", "--", "-.", ":")
"""Second code beside colour, so that figures survive grey printing."""
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
FULL, HALF = 7.0, 3.42
"""Widths in inches that fill the page, and half of it."""
POINT = 9.0

STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": POINT,
    "axes.titlesize": POINT,
    "axes.titley": 1.0,  # always there: to look for what may be in its way takes an eighth of a report
    "axes.labelsize": POINT,
    "xtick.labelsize": POINT,
    "ytick.labelsize": POINT,
    "legend.fontsize": POINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": GREY,
    "axes.linewidth": 0.7,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "figure.facecolor": "white",
    "svg.fonttype": "none",
    "svg.hashsalt": "gigawatt",
    "hatch.linewidth": 0.5,
    "lines.linewidth": 1.4,
}


def canvas(
    width_in: float = FULL, height_in: float = 2.6, rows: int = 1, columns: int = 1, **grid: Any
) -> tuple[Figure, Any]:
    """Return an empty figure and its axes, in the style of the report."""
    with rc_context(STYLE):
        fig = Figure(figsize=(width_in, height_in), layout="constrained")
        axes = fig.subplots(rows, columns, **grid)
    return fig, axes


def label(ax: Axes, x: str = "", y: str = "", grid: str = "y") -> None:
    """Name the axes with their units and keep the grid on one of them only."""
    ax.set_xlabel(x, fontsize=POINT)
    ax.set_ylabel(y, fontsize=POINT)
    ax.grid(False)
    ax.grid(True, axis=grid)  # type: ignore[arg-type]


def heading(ax: Axes, text: str) -> None:
    """Write a panel's heading at its upper left."""
    ax.set_title(text, loc="left", fontsize=POINT, fontweight="bold", color=INK)


def time_axis(ax: Axes, times: Iterable[Any], most: int = 9) -> None:
    """Write times along the x axis, each part of the date once."""
    index = pd.DatetimeIndex(list(times))
    locator = AutoDateLocator(minticks=3 if most > 4 else 2, maxticks=most, tz=index.tz)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=index.tz))
    ax.xaxis.get_offset_text().set_fontsize(POINT)
    if len(index) > 1:
        ax.set_xlim(index[0], index[-1])  # type: ignore[arg-type]


def period_names(times: Iterable[Any], every: str, most: int = 12) -> tuple[list[int], list[str]]:
    """Return places and names of bars over months, weeks, days or hours, at most so many."""
    form = {"MS": "%b", "h": "%H"}.get(every, "%d %b")
    names = [f"{time:{form}}" for time in times]
    stride = max(1, -(-len(names) // most))
    return list(range(len(names)))[::stride], names[::stride]


def thousands(axis: Any) -> None:
    """Separate thousands on an axis."""
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))


def powers_of_ten(axis: Any) -> None:
    """Write the decades of a logarithmic axis as plain text: to load what typesets formulas takes longer
    than to draw the figure."""
    axis.set_major_formatter(lambda v, _: "10" + str(round(np.log10(v))).translate(RAISED))
    axis.set_minor_formatter(NullFormatter())


def note(
    ax: Axes, x: Any, y: Any, text: str, color: str = INK, right_pt: float = 0.0, **more: Any
) -> None:
    """Write a label beside what it names, moved right by so many points."""
    style: dict[str, Any] = {"fontsize": POINT, "color": color, "va": "center"} | more
    place = style.pop("transform", "data")
    ax.annotate(
        text, (x, y), xycoords=place, xytext=(right_pt, 0), textcoords="offset points", **style
    )


def legend(fig: Figure, ax: Axes, place: str, columns: int) -> None:
    """Name the lines or bars of an axes outside it."""
    handles, names = ax.get_legend_handles_labels()
    fig.legend(
        handles,
        names,
        loc=f"outside {place}",
        ncols=columns,
        frameon=False,
        fontsize=POINT,
        handlelength=1.8,
        columnspacing=1.4,
    )


def end_labels(ax: Axes, ends: list[tuple[float, str, str]], gap_frac: float = 0.075) -> None:
    """Label lines at the right margin, pushed apart so that no two labels overlap.

    `ends` holds (last y value, text, colour) of each line.
    """
    low, high = ax.get_ylim()
    places = spread([y for y, _, _ in ends], (high - low) * gap_frac, low, high)
    for (_, text, color), y in zip(ends, places, strict=True):
        ax.annotate(
            text,
            (1.0, y),
            xycoords=("axes fraction", "data"),
            xytext=(5, 0),
            textcoords="offset points",
            fontsize=POINT,
            color=dark(color),
            va="center",
            annotation_clip=False,
        )


def spread(values: list[float], gap: float, low: float, high: float) -> list[float]:
    """Move values apart to at least `gap`, within the limits, keeping their order."""
    order = np.argsort(values, kind="stable")
    placed = np.clip(np.array(values, float)[order], low, high)
    for i, j in pairwise(range(len(placed))):
        placed[j] = max(placed[j], placed[i] + gap)
    overshoot = max(0.0, placed[-1] - high) if len(placed) else 0.0
    if overshoot:
        placed[-1] -= overshoot
        for i in range(len(placed) - 2, -1, -1):
            placed[i] = min(placed[i], placed[i + 1] - gap)
    out = np.empty_like(placed)
    out[order] = placed
    return [float(v) for v in out]


def dark(color: str) -> str:
    """Return a shade of the colour that reads as text on white (contrast 4.5 to 1)."""
    return {
        ORANGE: "#8F6000",
        SKY: "#1F6F9F",
        YELLOW: "#6E6800",
        PURPLE: "#A03C75",
        GREEN: "#00765A",
        VERMILLION: "#B34E00",
        GREY: "#5A6068",
    }.get(color, color)


def bands(values: pd.Series, every: str) -> pd.DataFrame:
    """Return lowest, mean and largest value of each period of a series indexed by time."""
    groups = values.groupby(values.index.floor(every))  # type: ignore[attr-defined]
    return pd.DataFrame({"min": groups.min(), "mean": groups.mean(), "max": groups.max()})
