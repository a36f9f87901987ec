"""Figure of a comparison: by how much plan B differs from plan A, indicator by indicator."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from simulator.reports import style
from simulator.reports.page import FigureSpec, Lead, Page

PIXELS_PER_INCH = 150
MOST_ROWS = 26
"""Indicators that a figure can hold and still be read."""
NO_RATIO = ("degC", "d")
"""Units whose zero is a convention."""
LINEAR_PCT = 1.0
"""Differences smaller than this are drawn on a linear scale, larger ones by powers of ten."""
ROW_IN, FRAME_IN = 0.21, 1.0
LOOKS = {1: (style.BLUE, "o", "B better"), -1: (style.VERMILLION, "s", "B worse"),
         0: (style.GREY, "D", "neither side is better")}  # fmt: skip


def page(table: pd.DataFrame, names: tuple[str, str], notes: tuple[str, ...] = ()) -> Page:
    """Return the page of a comparison (`studies.compare`), runs called by their names."""
    return Page(
        "comparison", "Comparison", title(table, names),
        tuple(Lead("Note.", f"{text[0].upper()}{text[1:]}.") for text in notes),
        (forest(table, names),),
    )  # fmt: skip


def title(table: pd.DataFrame, names: tuple[str, str]) -> str:
    """Return the finding: how many indicators got better, worse, or cannot be told from luck."""
    sides = table.apply(_side, axis=1) if len(table) else pd.Series(dtype=int)
    open_ones = int((table["verdict"] == "not resolved").sum())
    n = int(table["n"].max()) if len(table) else 0
    return (
        f"{names[1]} is better than {names[0]} in {int((sides > 0).sum())} indicators, worse in "
        f"{int((sides < 0).sum())}; {open_ones} differences are not resolved with {n} replicates"
    )


def forest(table: pd.DataFrame, names: tuple[str, str]) -> FigureSpec:
    """Draw the relative difference and its 95 % interval of what differs most surely."""
    data = shown(table)
    fig, ax = style.canvas(height_in=FRAME_IN + ROW_IN * max(len(data), 3))
    for side, (color, marker, name) in LOOKS.items():
        _draw(ax, data[data["side"] == side], color, marker, name)
    ax.axvline(0.0, color=style.INK, linewidth=0.8)
    ax.set_yticks(range(len(data)), data["kpi"])
    ax.set_ylim(len(data) - 0.4, -0.6)
    _percent_axis(ax, data)
    style.label(ax, x=f"{names[1]} minus {names[0]}, % of {names[0]} (95 % interval)", grid="x")
    style.legend(fig, ax, "upper center", 3)
    return FigureSpec(
        fig, "forest",
        f"Differences of {len(data)} indicators between {names[0]} and {names[1]} with intervals.",
        data,
        "Filled: the interval is clear of zero. Open: not resolved with so many replicates.",
    )  # fmt: skip


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the figure shows: percent of A with its interval, the surest differences first
    chosen and then kept in the table's order. Temperatures have no percent."""
    known = table[(table["a"].astype(float).abs() > 0.0) & ~table["unit"].isin(NO_RATIO)]
    known = known[known["difference"].notna() & (known["difference"] != 0.0)]
    half = 0.5 * (known["high"] - known["low"])
    surest = (known["difference"].abs() / half).fillna(0.0).sort_values(ascending=False, kind="stable")
    data = known.loc[sorted(surest.index[:MOST_ROWS])]
    percent = {
        f"{column}_pct": 100.0 * data[column] / data["a"].abs()
        for column in ("difference", "low", "high")
    }
    kept = data[["kpi", "unit", "a", "b", "n", "verdict"]]
    return kept.assign(**percent, side=data.apply(_side, axis=1).astype(int)).reset_index(drop=True)


def write(page_of: Page, folder: Path) -> list[Path]:
    """Write the page's figures as PNG with the CSV behind; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for spec in page_of.figures:
        with rc_context(style.STYLE):
            spec.fig.savefig(
                folder / f"{spec.name}.png", dpi=PIXELS_PER_INCH, metadata={"Software": None}
            )
        spec.data.to_csv(folder / f"{spec.name}.csv", index=False)
        written += [folder / f"{spec.name}.png", folder / f"{spec.name}.csv"]
    return written


def _side(row: pd.Series) -> int:
    """Return 1 where B is surely better, -1 where it is surely worse, 0 where nobody can say."""
    if row["verdict"] not in ("B higher", "B lower"):
        return 0
    return int(row["better_side"]) * (1 if row["verdict"] == "B higher" else -1)


def _draw(ax: Axes, rows: pd.DataFrame, color: str, marker: str, name: str) -> None:
    middle = rows["difference_pct"].to_numpy(float)
    reach = np.vstack([middle - rows["low_pct"], rows["high_pct"] - middle])
    ax.errorbar(middle, rows.index, xerr=np.nan_to_num(reach), fmt="none", ecolor=color, elinewidth=1.2)
    for clear, fill in ((True, color), (False, "white")):
        some = rows[(rows["verdict"] != "not resolved") == clear]
        ax.plot(some["difference_pct"], some.index, marker, color=color, markerfacecolor=fill,
                markersize=4.5, label=name if clear else None)  # fmt: skip


def _percent_axis(ax: Axes, data: pd.DataFrame) -> None:
    """Spread the axis by powers of ten where differences are of several sizes."""
    ends = data[["low_pct", "high_pct", "difference_pct"]].abs().to_numpy(float)
    most = float(np.nanmax(ends)) if np.isfinite(ends).any() else LINEAR_PCT
    if most > 10.0 * LINEAR_PCT:
        ax.set_xscale("symlog", linthresh=LINEAR_PCT)
    ax.margins(x=0.06)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:+,.4g}" if v else "0"))
