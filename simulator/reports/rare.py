"""Figure of rare combinations: how likely each is in a year, and how well that is known."""

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter

from simulator.reports import style, wording
from simulator.reports.page import FigureSpec, Page, TableSpec

ROW_IN, FRAME_IN = 0.24, 1.0
FLOOR = 1e-7
"""Probability below which nothing is drawn."""


def page(table: pd.DataFrame, name: str) -> Page:
    """Return the page of `studies.rare` for a scenario."""
    told = table.dropna(subset=["probability"])
    columns = {"combination": "Out at once", "where": "Where", "year": "In a year", "hours": "Hours a year",
               "short": "Accelerator-hours short"}  # fmt: skip
    rows = [
        (row.combination, _where(row.example, row.groups), chance(row.probability),
         wording.number(row.hours), wording.large(row.accelerator_hours))
        for row in told.itertuples()
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=list(columns.values()))
    return Page("rare", "Reliability", title(told, name), figures=(likelihood(told),),
                tables=(TableSpec("Rare combinations", frame),))  # fmt: skip


def title(told: pd.DataFrame, name: str) -> str:
    """Return the finding: the combination that costs most."""
    if told.empty:
        return f"No combination of {name} could be resolved"
    worst = told.loc[told["accelerator_hours"].astype(float).idxmax()]
    return (
        f"{str(worst['combination'])[0].upper()}{str(worst['combination'])[1:]} at once costs most of what is "
        f"rare: {wording.large(float(worst['accelerator_hours']))} accelerator-hours a year, "
        f"{chance(float(worst['probability']))} a year"
    )


def likelihood(told: pd.DataFrame) -> FigureSpec:
    """Draw probabilities with their intervals on a logarithmic scale."""
    fig, ax = style.canvas(height_in=FRAME_IN + ROW_IN * max(len(told), 3))
    p = told["probability"].to_numpy(float)
    low = np.maximum(told["low"].to_numpy(float), FLOOR)
    reach = np.vstack([p - low, told["high"].to_numpy(float) - p]).clip(0.0)
    rows = np.arange(len(told))
    ax.errorbar(p, rows, xerr=reach, fmt="o", color=style.BLUE, markersize=4.5,
                label="importance sampling, 95 %")  # fmt: skip
    seen = told["crude_hits"].to_numpy() > 0
    ax.plot(told["crude"].to_numpy(float)[seen], rows[seen], "x", color=style.VERMILLION, markersize=6,
            label="crude Monte Carlo, as many years")  # fmt: skip
    ax.set_xscale("log")
    ax.set_yticks(rows, [f"{r.combination}: {_where(r.example, r.groups)}" for r in told.itertuples()])
    ax.set_ylim(len(told) - 0.4, -0.6)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{100 * v:.6g}"))
    style.label(ax, x="probability in a year, %", grid="x")
    style.legend(fig, ax, "upper center", 2)
    return FigureSpec(
        fig, "rare", "Probability in a year of each combination, with its interval.", told,
        "Where crude Monte Carlo saw a combination at all, it stands beside.",
    )  # fmt: skip


def chance(probability: float) -> str:
    """Return a probability as percent, or as one in so many where it is small."""
    if probability >= 0.001:
        return wording.percent(probability)
    return f"1 in {wording.large(1.0 / probability)}" if probability > 0.0 else "never"


def _where(example: str, groups: int) -> str:
    return example if groups == 1 else f"{example} or {groups - 1} alike"
