"""Page: what one axis of a sweep does to the indicators that it moves."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.reports import indicators, wording
from simulator.reports.axis_values import Axis
from simulator.reports.page import FigureSpec, Page, TableSpec, fitted
from simulator.reports.style import FULL, LINES, PALETTE, canvas, heading, label, legend, thousands

MOST_LINES, MOST_MARKED = 6, 14
"""Values of a second axis that get a line each; values of an axis up to which each is marked."""
COLUMNS, ROW_IN = 2, 1.75
MOST_LISTED = 14
LONGEST = 145
"""Characters of a title that say two things."""
MARKS = "osD^vP"
OFFSET = 0.09
"""Between lines at the same name of an axis."""


def page(
    runs: pd.DataFrame, axis: Axis, other: Axis | None, units: Mapping[str, str], known: Sequence[str]
) -> Page:
    """Return the page of one axis; a second one is told apart by lines, the rest is averaged."""
    shown = indicators.chosen(runs, known, [axis.key])[: indicators.SHOWN]
    moved = [kpi for kpi in shown if _moves(runs, axis, kpi)]
    table = _table(runs, axis, shown, units)
    return Page(
        f"axis-{axis.key}".replace(".", "-"), "Axis of the sweep", _title(runs, axis, moved, units),
        (_key(axis, other),),
        (panels(runs, axis, other, shown, units),) if shown else (),
        (TableSpec("Means over all other axes and replicates", table, fitted(table)),) if shown else (),
    )  # fmt: skip


def _title(runs: pd.DataFrame, axis: Axis, moved: Sequence[str], units: Mapping[str, str]) -> str:
    """Return the finding: what the first notable indicators do, as many as a title holds."""
    notable = [kpi for kpi in moved if indicators.reach(runs, axis.key, kpi) > indicators.NOTABLE_MOVE]
    told = [finding(runs, axis, kpi, units[kpi]) for kpi in (notable or moved)[:2]]
    if not told:
        return f"{wording.sentence(axis.words)}: no indicator shown moves over {len(axis.order)} values"
    both = "; ".join(told)
    return f"{wording.sentence(axis.words)}: {both if len(both) + len(axis.words) < LONGEST else told[0]}"


def finding(runs: pd.DataFrame, axis: Axis, kpi: str, unit: str) -> str:
    """Return in words how an indicator goes along the axis: up, down, or with a best value inside."""
    means = runs.groupby(axis.key, sort=False)[kpi].mean().reindex(list(axis.order))
    steps, name, units = np.diff(means.to_numpy(float)), indicators.words(kpi), indicators.unit_words(kpi, unit)

    digits = _digits(means.to_numpy(float))

    def told(value: float) -> str:
        return f"{wording.number(value, digits)}{f' {units}' if units else ''}"

    first, last = axis.told(axis.order[0]), axis.told(axis.order[-1])
    if axis.numeric and ((steps >= 0).all() or (steps <= 0).all()):
        verb = "rises" if means.iloc[-1] > means.iloc[0] else "falls"
        return f"{name} {verb} from {told(means.iloc[0])} at {first} to {told(means.iloc[-1])} at {last}"
    return (
        f"{name} is least with {axis.told(means.idxmin())}, {told(means.min())}, and most with "
        f"{axis.told(means.idxmax())}, {told(means.max())}"
    )


def _digits(values: np.ndarray) -> int:
    """Return the fewest digits, from three, that tell the extremes apart."""
    ends = (float(values.min()), float(values.max()))
    return next((n for n in (3, 4, 5) if wording.number(ends[0], n) != wording.number(ends[1], n)), 5)


def _moves(runs: pd.DataFrame, axis: Axis, kpi: str) -> bool:
    return indicators.reach(runs, axis.key, kpi) > indicators.LEAST_MOVE


def _key(axis: Axis, other: Axis | None) -> str:
    lines = f" Lines tell {other.words} apart." if other is not None else ""
    return f"The axis is {wording.breakable(axis.key)}, with {len(axis.order)} values.{lines}"


def panels(
    runs: pd.DataFrame, axis: Axis, other: Axis | None, shown: Sequence[str], units: Mapping[str, str]
) -> FigureSpec:
    """Draw a panel per indicator: means, and P10 to P90 over replicates, against the axis."""
    rows = -(-len(shown) // COLUMNS)
    fig, axes = canvas(FULL, 0.6 + ROW_IN * rows, rows=rows, columns=COLUMNS, squeeze=False)
    parts = []
    for ax, kpi in zip(axes.flat, shown, strict=False):
        parts.append(draw(ax, runs, axis, other, kpi))
        unit = indicators.unit_words(kpi, units[kpi])
        heading(ax, indicators.words(kpi) + (f" ({unit})" if unit else ""))
    for ax in axes.flat[len(shown) :]:
        ax.set_visible(False)
    for ax in axes.flat[max(len(shown) - COLUMNS, 0) : len(shown)]:
        ax.set_xlabel(axis.label)
    if other is not None:
        legend(fig, axes[0][0], "lower center", 3)
    alt = "; ".join(finding(runs, axis, kpi, units[kpi]) for kpi in shown)
    bands = "Bands: P10 to P90 of replicates. " if runs["replicate"].nunique() > 1 else ""
    return FigureSpec(
        fig, f"axis-{axis.key}".replace(".", "-"), f"Panels against {axis.words}: {alt}.",
        pd.concat(parts, ignore_index=True), f"Means of the runs. {bands}Vertical axes do not start at zero.",
    )  # fmt: skip


def draw(ax: Axes, runs: pd.DataFrame, axis: Axis, other: Axis | None, kpi: str) -> pd.DataFrame:
    """Draw one indicator against the axis into one panel; return what was drawn."""
    groups = [("", runs)] if other is None else [(v, runs[runs[other.key] == v]) for v in other.order]
    parts = []
    for i, (value, own) in enumerate(groups):
        data = spread(own, axis, kpi)
        color, name = PALETTE[i % len(PALETTE)], None if other is None else other.told(value)
        if not axis.numeric:  # names stand beside each other, and nothing lies between them
            data["place"] += OFFSET * (i - (len(groups) - 1) / 2)
        few = len(data) <= MOST_MARKED
        ax.plot(data["place"], data["mean"], linestyle=LINES[i % len(LINES)] if axis.numeric and few else "none",
                marker=MARKS[i % len(MARKS)], markersize=4 if few else 2, color=color, label=name)  # fmt: skip
        if few and (data["high"] > data["low"]).any():
            if axis.numeric:
                ax.fill_between(data["place"], data["low"], data["high"], color=color, alpha=0.18, linewidth=0)
            else:
                ax.vlines(data["place"], data["low"], data["high"], color=color, linewidth=1.2)
        parts.append(data.assign(kpi=kpi, line=name or "").drop(columns="place"))
    label(ax)
    thousands(ax.yaxis)
    ax.margins(x=0.06, y=0.12)
    if not axis.numeric:
        ax.set_xticks(range(len(axis.order)), [_wrapped(axis.told(v)) for v in axis.order])
        ax.set_xlim(-0.5, len(axis.order) - 0.5)
    return pd.concat(parts, ignore_index=True)


def _wrapped(text: str) -> str:
    return text.replace("_", "\n").replace(" ", "\n", 1)


def spread(runs: pd.DataFrame, axis: Axis, kpi: str) -> pd.DataFrame:
    """Return mean, P10 and P90 over replicates of an indicator by value of the axis; what differs in other
    axes is averaged first."""
    each = runs.groupby([axis.key, "replicate"], sort=False)[kpi].mean()
    by = each.groupby(level=0, sort=False)
    table = pd.DataFrame({"mean": by.mean(), "low": by.quantile(0.1), "high": by.quantile(0.9)})
    table = table.reindex([v for v in axis.order if v in table.index]).rename_axis("value").reset_index()
    table.insert(1, "place", [axis.place(v) for v in table["value"]])
    return table


def _table(runs: pd.DataFrame, axis: Axis, shown: Sequence[str], units: Mapping[str, str]) -> pd.DataFrame:
    order = list(axis.order)
    if len(order) > MOST_LISTED:
        order = [order[i] for i in np.linspace(0, len(order) - 1, MOST_LISTED).round().astype(int)]
    means = runs.groupby(axis.key)[list(shown)].mean().loc[order]
    table = pd.DataFrame({axis.label: [axis.told(v) for v in order]})
    for kpi in shown[:5]:
        table[indicators.head(kpi, units[kpi])] = [wording.number(float(v), 4) for v in means[kpi]]
    return table
