"""Page: where the accelerator-hours went, by chip, by load and by cause."""

from functools import partial

import numpy as np
import pandas as pd

from simulator.metrics import fleet
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    GREEN,
    GREY,
    HATCHES,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
    canvas,
    heading,
    label,
    legend,
    note,
)

COLORS = {"useful": BLUE, "idle": "#C9CED4", "down": GREY}
LOST_COLORS = (ORANGE, VERMILLION, PURPLE, SKY, YELLOW, GREEN)
SHOWN_CAUSES = 6
LISTED = 10
TRACE = 1e-6
"""Shares of the hours below this are rounding, or too few to draw."""


def page(run: Run) -> Page:
    """Return the page on accelerator-hours."""
    hours = _categories(run)
    total = float(hours.sum())
    useful, idle = float(hours.get("useful", 0.0)), float(hours.get("idle", 0.0))
    gone = hours.drop(["useful", "idle"], errors="ignore").sort_values(ascending=False)
    return Page(
        "accelerator-hours",
        "Accelerator-hours",
        f"{wording.percent(useful / total)} of {wording.large(total)} installed accelerator-hours "
        f"did useful work; idle took {wording.percent(idle / total)}, {_rest(gone, total)}",
        (
            (
                "Every installed accelerator is counted in every hour of the run, under exactly one "
                "cause. Useful means work that was kept: training progress that no restart undid, "
                "requests served, batch work done."
            ),
        ),
        (by_chip(run), losses(run)) if gone.max() > TRACE * total else (by_chip(run),),
        (TableSpec("Accelerator-hours by load", _by_load(run)),),
    )


def _categories(run: Run) -> pd.Series:
    """Return accelerator-hours by category, mean of the replicates."""
    return pd.Series(run.named("fleet.hours."), dtype=float)


def _rest(gone: pd.Series, total: float) -> str:
    if not len(gone) or gone.iloc[0] < TRACE * total:
        return "and nothing else took hours away"
    share = wording.percent(float(gone.iloc[0]) / total)
    return f"and {_cause(str(gone.index[0]))} cost most of the rest, {share}"


def _cause(category: str) -> str:
    words = {"down": "accelerators out of service"}
    return words.get(category) or fleet.cause_of(category)


def by_chip(run: Run) -> FigureSpec:
    """Draw the share of each chip's hours by category."""
    table = run.averaged(partial(fleet.hours, by="accelerator"), ["accelerator", "category"])
    shares = table.pivot_table(
        index="accelerator",
        columns="category",
        values="accelerator_hours",
        aggfunc="sum",
        fill_value=0.0,
    )
    totals = shares.sum(axis=1).sort_values()
    shares = shares.loc[totals.index].div(totals, axis=0)
    order = ["useful", *sorted(c for c in shares if c.startswith("lost_")), "down", "idle"]
    order = [c for c in order if c in shares and shares[c].max() > TRACE]
    fig, ax = canvas(height_in=0.95 + 0.42 * len(shares))
    left = np.zeros(len(shares))
    lost = iter(range(100))
    for category in order:
        color = COLORS.get(category)
        i = next(lost) if color is None else -1
        values = 100 * shares[category].to_numpy()
        ax.barh(
            range(len(shares)),
            values,
            left=left,
            height=0.62,
            edgecolor="white",
            color=color or LOST_COLORS[i % len(LOST_COLORS)],
            hatch="" if color else HATCHES[1 + i % (len(HATCHES) - 1)],
            label=_cause(category),
        )
        for y, (x, v) in enumerate(zip(left, values, strict=True)):
            if v > 6:
                plain = category in ("useful", "idle", "down")
                box = None if plain else {"facecolor": "white", "linewidth": 0, "pad": 1.5}
                note(
                    ax,
                    x + v / 2,
                    y,
                    f"{v:.0f} %",
                    "black" if category == "idle" or not plain else "white",
                    ha="center",
                    bbox=box,
                )
        left += values
    ax.set_yticks(range(len(shares)), [f"{c}\n{wording.large(t)} h" for c, t in totals.items()])
    ax.set_xlim(0, 100)
    label(ax, "Share of installed accelerator-hours (%)", grid="x")
    legend(fig, ax, "upper left", min(len(order), 4))
    useful = ", ".join(f"{c} {100 * shares.at[c, 'useful']:.0f} %" for c in shares.index[::-1])
    return FigureSpec(
        fig,
        "hours-by-chip",
        f"Stacked bars of accelerator-hours by chip. Useful: {useful}.",
        shares.mul(totals, axis=0).reset_index(),
        f"Installed accelerator-hours by chip and by what they went to{run.as_means}.",
    )


def losses(run: Run) -> FigureSpec:
    """Draw the steps from hours in service and in demand to useful hours, by cause of loss."""
    hours = _categories(run)
    busy = hours.drop("idle", errors="ignore")
    gone = busy.drop("useful", errors="ignore").sort_values(ascending=False)
    gone = gone[gone > TRACE * hours.sum()]
    small = gone.iloc[SHOWN_CAUSES:]
    gone = gone.iloc[:SHOWN_CAUSES]
    if len(small):
        gone = pd.concat([gone, pd.Series({"other causes": small.sum()})])
    data = pd.DataFrame(
        {"cause": [_cause(c) for c in gone.index], "accelerator_hours": gone.to_numpy()}
    )
    total = float(hours.sum())
    fig, ax = canvas(height_in=0.75 + 0.26 * max(len(data), 1))
    values = 100 * data["accelerator_hours"].to_numpy()[::-1] / total
    ax.barh(range(len(data)), values, height=0.66, color=ORANGE, edgecolor="white")
    ax.set_yticks(range(len(data)), data["cause"][::-1])
    for y, (share, h) in enumerate(zip(values, data["accelerator_hours"][::-1], strict=True)):
        note(ax, share, y, f"{share:.2f} % ({wording.large(h)} h)", right_pt=4)
    ax.set_xlim(0, max(float(values.max(initial=0.0)) * 1.45, 0.01))
    heading(ax, "Neither useful nor idle, by cause")
    label(ax, "Share of installed accelerator-hours (%)", grid="x")
    parts = ", ".join(
        f"{c} {wording.percent(h / total, 2)}"
        for c, h in zip(data["cause"], data["accelerator_hours"], strict=True)
    )
    return FigureSpec(
        fig,
        "hours-lost",
        f"Bars of accelerator-hours lost by cause: {parts}.",
        data,
        f"Accelerator-hours out of service or lost by cause, all chips{run.as_means}.",
    )


def _by_load(run: Run) -> pd.DataFrame:
    table = run.averaged(partial(fleet.hours, by="load"), ["load", "category"])
    wide = table.pivot_table(
        index="load", columns="category", values="accelerator_hours", aggfunc="sum", fill_value=0.0
    )
    wide = wide.loc[wide.sum(axis=1).nlargest(LISTED).index]
    wide = wide[wide.sum(axis=1) > 0]
    held = wide.sum(axis=1)
    useful = wide.get("useful", pd.Series(0.0, wide.index))
    lost = wide[[c for c in wide if c.startswith("lost_")]]
    main = lost.idxmax(axis=1).where(lost.max(axis=1) > 0) if len(lost.columns) else None
    return pd.DataFrame(
        {
            "Load": [wording.plain(n) for n in wide.index],
            "Held (h)": [wording.large(v) for v in held],
            "Useful (h)": [wording.large(v) for v in useful],
            "Useful share": [
                wording.percent(u / h) if h else wording.MISSING
                for u, h in zip(useful, held, strict=True)
            ],
            "Lost (h)": [wording.large(v) for v in lost.sum(axis=1)],
            "Mostly to": [
                wording.MISSING if main is None or pd.isna(c) else _cause(str(c))
                for c in (main if main is not None else [None] * len(wide))
            ],
        }
    )
