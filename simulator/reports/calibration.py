"""Figure of a calibration: measured against model, and what is left over from block to block."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.reports import style
from simulator.reports.page import FigureSpec, Page

MOST_POINTS = 2000
"""Intervals that a line can show; more are averaged in runs."""
SCALES = {"W": ((1e6, "MW"), (1e3, "kW"), (1.0, "W")), "degC": ((1.0, "degC"),), "1": ((1.0, ""),)}
"""Divisors and units in which a quantity is drawn, largest first."""


def page(table: pd.DataFrame, scores: pd.DataFrame, unit: str, name: str) -> Page:
    """Return the page of a calibration (`studies.calibrate`)."""
    return Page("calibration", "Calibration", title(scores, name), figures=(figure(table, scores, unit),))


def title(scores: pd.DataFrame, name: str) -> str:
    """Return the finding: bias and scatter on what the model had not seen."""
    blind = scores[(scores["part"] == "blind") & (scores["block"] == "all")].iloc[0]
    side = "low" if blind["nmbe_pct"] > 0.0 else "high"
    verdict = "within" if blind["within"] else "outside"
    return (
        f"On telemetry it has not seen, the model of {name} is {abs(blind['nmbe_pct']):.2f} % {side} with a scatter "
        f"of {blind['cv_rmse_pct']:.2f} %: {verdict} the limits of ASHRAE Guideline 14"
    )


def figure(table: pd.DataFrame, scores: pd.DataFrame, unit: str) -> FigureSpec:
    """Draw both series over time, and below the residual with the bias of each block."""
    divisor, shown = _scale(table["measured"], unit)
    data = _thinned(table)
    data["residual_pct"] = 100.0 * (data["measured"] - data["model"]) / data["scale"].abs()
    data[["measured", "model"]] /= divisor
    fig, (above, below) = style.canvas(height_in=4.4, rows=2, height_ratios=[3, 2])
    places = _places(above, below, data)
    _lines(above, data, places)
    _left_over(below, data, scores, places)
    quantity = f"interval mean, {shown}" if shown else "interval mean"
    style.label(above, y=quantity)
    style.label(below, x=_axis_name(data), y="measured less model, %")
    style.legend(fig, above, "upper center", 3)
    return FigureSpec(
        fig, "calibration", "Measured and modelled series, and the residual with the bias of each block.",
        data.drop(columns="scale"), "Fitted on the shaded part only; bars: bias of a block (NMBE).",
    )  # fmt: skip


def _scale(values: pd.Series, unit: str) -> tuple[float, str]:
    """Return the divisor and unit in which values have few digits."""
    most = float(values.abs().max())
    known = SCALES.get(unit, ((1.0, unit),))
    return next(((d, name) for d, name in known if most >= d), known[-1])


def _thinned(table: pd.DataFrame) -> pd.DataFrame:
    """Return runs of equally many intervals averaged, where there are too many to draw."""
    each = -(-len(table) // MOST_POINTS)
    if each == 1:
        return table.copy()
    run = np.arange(len(table)) // each
    keys = ["time", "part", "block"]
    first, means = table.groupby(run)[keys].first(), table.groupby(run)[["measured", "model", "scale"]].mean()
    return pd.concat([first, means], axis=1)


def _places(above: Axes, below: Axes, data: pd.DataFrame) -> np.ndarray:
    """Return where intervals stand on the x axis: hours from the first, holes between files closed."""
    hours = (data["time"] - data["time"].iloc[0]).dt.total_seconds().to_numpy() / 3600.0
    steps = np.diff(hours, prepend=0.0)
    usual = float(np.median(steps[1:])) if len(steps) > 1 else 1.0
    places = np.cumsum(np.where(steps > 50.0 * usual, 5.0 * usual, steps))
    for ax in (above, below):
        ax.set_xlim(places[0], places[-1])
    return np.asarray(places)


def _axis_name(data: pd.DataFrame) -> str:
    began = data["time"].iloc[0]
    return f"hours of telemetry from {began:%Y-%m-%d %H:%M} UTC, long holes closed"


def _lines(ax: Axes, data: pd.DataFrame, places: np.ndarray) -> None:
    ends = np.flatnonzero(np.diff(places) > 3.0 * float(np.median(np.diff(places)))) + 1
    for column, color, line in (("measured", style.INK, "-"), ("model", style.VERMILLION, "--")):
        for k, some in enumerate(np.split(np.arange(len(data)), ends)):
            ax.plot(places[some], data[column].to_numpy()[some], line, color=color, linewidth=1.1,
                    label=column if k == 0 else None)  # fmt: skip
    fitted = data["part"].to_numpy() == "fit"
    for k, (first, last) in enumerate(_stretches(fitted)):
        ax.axvspan(places[first], places[last], color=style.SKY, alpha=0.18, linewidth=0,
                   label="fitted" if k == 0 else None)  # fmt: skip


def _left_over(ax: Axes, data: pd.DataFrame, scores: pd.DataFrame, places: np.ndarray) -> None:
    """Draw the residual, and over each block the bias that was scored."""
    ax.plot(places, data["residual_pct"], ".", color=style.GREY, markersize=2.5)
    ax.axhline(0.0, color=style.INK, linewidth=0.8)
    single = scores.groupby("part")["block"].transform("size") == 1
    rows = scores[(scores["block"] != "all") | single]
    for row in rows.itertuples():
        own = (data["part"] == row.part) & ((data["block"] == row.block) | (row.block == "all"))
        where = np.flatnonzero(own.to_numpy())
        if len(where):
            ax.plot(places[where[[0, -1]]], [row.nmbe_pct] * 2, color=style.BLUE, linewidth=2.2)
    most = float(np.nanpercentile(data["residual_pct"].abs(), 99.5)) or 1.0
    ax.set_ylim(-1.15 * most, 1.15 * most)


def _stretches(wanted: np.ndarray) -> list[tuple[int, int]]:
    """Return first and last place of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], wanted.astype(int), [0]])))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]
