"""Page: how near this version comes to what others have measured, and what it rests on."""

import math
import re
from collections.abc import Iterable
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import EVIDENCE, Run
from simulator.reports.style import (
    FULL,
    GREY,
    LINES,
    PALETTE,
    canvas,
    label,
    legend,
    powers_of_ten,
)

MARKERS = "os^Dv<>P"
"""Second code beside colour: one marker per topic."""
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "h": 3600.0}
SEARCHED = " (plan searched)"
BAND = 0.10
"""Half width of the band drawn around equality."""
FARTHEST_PCT = 60.0
"""Where the axis of errors ends."""
FARTHEST = 12
"""Rows that are listed on the page."""
MODELS = ("performance.", "studies.")
"""How the names of constants begin that belong to no software stack."""


def page(run: Run) -> Page:
    """Return the page on measured against simulated."""
    rows, constants = _rows(run), run.first.tables["constants"]
    farthest = _farthest(rows)
    numbers = _numbers(farthest["source"])
    return Page(
        "validation",
        "Measured against simulated",
        _finding(rows),
        (
            (
                "Each row is a figure that somebody else measured and published, simulated by the "
                "version that made this report from nothing but its configuration. Constants are one "
                "set per software stack and chip, none per row; rows whose parallel plan is not "
                "published are simulated with the best plan found and counted apart. gigawatt validate "
                "does the same for your own table."
            ),
        ),
        (comparison(run),),
        (
            TableSpec("By topic and by what it ran on", _summary(rows)),
            TableSpec("Farthest from what was measured", _listed(farthest, numbers), (3.0, 1.3, 1.0, 1.0, 0.7, 0.6)),
            TableSpec("Sources of these", _sources(numbers), (0, 1)),
            TableSpec("What the models rest on", _rests(constants)),
        ),
        closing=(
            f"All {len(rows)} rows with their sources stand in tables/validation.parquet and "
            f"figures/validation.csv of the run folder, all {len(constants)} constants with value, range, "
            "evidence and origin in tables/constants.parquet.",
        ),
    )


def comparison(run: Run) -> FigureSpec:
    """Draw simulated over measured times, and the share of rows within an error, by topic."""
    rows = _rows(run)
    fig, (left, right) = canvas(FULL, 3.3, columns=2, width_ratios=(1.0, 1.25))
    codes = _codes(rows)
    _scatter(left, rows[rows["seconds"].notna() & rows["simulated"].notna()], codes)
    _within(right, rows, codes)
    legend(fig, right, "upper center", 3)
    return FigureSpec(
        fig,
        "validation",
        f"Left, simulated over measured times on logarithmic axes along the line of equality; "
        f"right, the share of rows within an error by topic. {_finding(rows)}.",
        rows.drop(columns=["seconds", "place"]),
        f"Left: simulated over measured times, with a band of {100 * BAND:.0f} % around equality. "
        "Right: share of rows whose error is no larger; rows that could not be simulated are never "
        "reached.",
    )


def _scatter(ax: Axes, times: pd.DataFrame, codes: dict[str, tuple[str, str, str]]) -> None:
    """Draw one point per row on equal logarithmic axes."""
    for topic, part in times.groupby("topic", sort=False):
        color, marker, _ = codes[topic]
        x, y = (part[name] * part["seconds"] for name in ("measured", "simulated"))
        ax.scatter(x, y, 17, color, marker=marker, alpha=0.85, linewidths=0.4, edgecolors="white")
    values = times[["measured", "simulated"]].mul(times["seconds"], axis=0).to_numpy()
    values = values if values.size else np.array([1.0])
    ends = np.array([values.min() / 1.6, values.max() * 1.6])
    ax.plot(ends, ends, color=GREY, linewidth=0.8, zorder=0)
    ax.fill_between(ends, ends * (1 - BAND), ends * (1 + BAND), color=GREY, alpha=0.3, zorder=0)
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    powers_of_ten(ax.xaxis)
    powers_of_ten(ax.yaxis)
    label(ax, "Measured, s", "Simulated, s", grid="both")


def _within(ax: Axes, rows: pd.DataFrame, codes: dict[str, tuple[str, str, str]]) -> None:
    """Draw the share of each topic's rows that have at most an error."""
    for topic, part in rows.groupby("topic", sort=False):
        color, marker, line = codes[topic]
        errors = np.sort(part["error_pct"].dropna().abs())
        share = 100.0 * np.arange(len(errors) + 1) / len(part)
        x = np.concatenate(([0.0], errors, [max(FARTHEST_PCT, *errors, 0.0)]))
        y = np.append(share, share[-1])
        ax.plot(x, y, line, drawstyle="steps-post", color=color, marker=marker, markersize=3.5,
                markevery=max(len(x) // 12, 1), label=f"{_topic(topic)} ({len(part)})")  # fmt: skip
    ax.axvspan(0.0, 100 * BAND, color=GREY, alpha=0.25, zorder=0)
    ax.set(xlim=(0.0, FARTHEST_PCT), ylim=(0.0, 103.0))
    label(ax, "Error at most, %", "Share of rows, %", grid="both")


def _codes(rows: pd.DataFrame) -> dict[str, tuple[str, str, str]]:
    """Return colour, marker and line by topic, alike in both panels."""
    names = dict.fromkeys(rows["topic"])
    return dict(zip(names, cycle(zip(PALETTE, MARKERS, cycle(LINES), strict=False)), strict=False))


def _rows(run: Run) -> pd.DataFrame:
    """Return the validation table, largest topic first, each row with its place and time unit.

    A topic is as counted: rows whose plan was searched are one of their own.
    """
    table = run.first.tables["validation"].copy()
    marks = [SEARCHED * bool(s) for s in table["searched"]]
    table["topic"] = [f"{t}{m}" for t, m in zip(table["topic"], marks, strict=True)]
    table["place"] = [g or _topic(t) for g, t in zip(table["group"], table["topic"], strict=True)]
    table["seconds"] = [SECONDS.get(u, math.nan) for u in table["unit"]]
    sizes = table["topic"].map(table["topic"].value_counts())
    return table.assign(size=-sizes).sort_values("size", kind="stable").drop(columns="size")


def _finding(rows: pd.DataFrame) -> str:
    """Return what the largest topic's errors are, in a sentence with numbers."""
    largest = rows["topic"].iloc[0]
    part = rows[rows["topic"] == largest]
    errors = part["error_pct"].dropna().abs()
    if errors.empty:
        return f"None of {len(part)} published {_topic(largest)} figures could be simulated"
    missed = len(part) - len(errors)
    more = f"; {missed} could not be simulated" if missed else ""
    return (
        f"{len(part)} published {_topic(largest)} figures, a compact set, are met with a median error of "
        f"{wording.number(float(errors.median()), 2)} %, nine in ten within "
        f"{wording.number(float(np.percentile(errors, 90)), 2)} %{more}"
    )


def _summary(rows: pd.DataFrame) -> pd.DataFrame:
    lines = []
    for topic, whole in rows.groupby("topic", sort=False):
        lines.append(_stats(_topic(topic), "all", whole))
        parts = list(whole.groupby("place", sort=False))
        lines += [_stats("", str(place), part) for place, part in _together(parts) if len(parts) > 1]
    return pd.DataFrame(
        lines, columns=["Topic", "On", "Rows", "Not simulated", "Median error", "P90 error"]
    )


def _together(parts: list[tuple[object, pd.DataFrame]]) -> list[tuple[str, pd.DataFrame]]:
    """Return the parts, several of a single row as one: an error of one row has neither median nor tail."""
    single = [part for _, part in parts if len(part) == 1]
    if len(single) < 2:
        return [(str(place), part) for place, part in parts]
    several = [(str(place), part) for place, part in parts if len(part) > 1]
    return [*several, (f"{len(single)} others, one row each", pd.concat(single))]


def _stats(topic: str, place: str, part: pd.DataFrame) -> tuple[str, str, int, int, str, str]:
    errors = part["error_pct"].dropna().abs()
    tail = float(np.percentile(errors, 90)) if len(errors) else None
    middle = float(errors.median()) if len(errors) else None
    failed = int(part["simulated"].isna().sum())
    return topic, place, len(part), failed, _percent(middle), _percent(tail)


def _listed(rows: pd.DataFrame, numbers: dict[str, int]) -> pd.DataFrame:
    """Return every row, ready to print."""
    values = {
        name.capitalize(): [_value(v, u) for v, u in zip(rows[name], rows["unit"], strict=True)]
        for name in ("measured", "simulated")
    }
    return pd.DataFrame(
        {
            "Row": [wording.breakable(str(name)) for name in rows["id"]],
            "Quantity": [wording.plain(str(name)) for name in rows["quantity"]],
            **values,
            "Error": [_percent(v, "+") for v in rows["error_pct"]],
            "Source": [f"[{numbers[source]}]" for source in rows["source"]],
        }
    )


def _farthest(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that could not be simulated and those with the largest errors."""
    order = rows["error_pct"].abs().fillna(np.inf).sort_values(ascending=False, kind="stable")
    return rows.loc[order.index[:FARTHEST]]


def _rests(constants: pd.DataFrame) -> pd.DataFrame:
    """Return how many constants of what evidence each software stack, and the models, rest on."""
    owner = [_owner(str(name)) for name in constants["name"]]
    counts = pd.crosstab(pd.Series(owner), constants["evidence"].astype(str).to_numpy())
    shown = [name for name in EVIDENCE if name in counts]
    table = counts[shown].assign(Constants=counts.sum(axis=1))
    table = table.loc[list(dict.fromkeys(owner)), ["Constants", *shown]]
    table.columns = [wording.sentence(name) for name in table]
    return table.reset_index(names="Of")


def _owner(name: str) -> str:
    """Return whose constant it is: a version's dots, as in 25.11, belong to the stack."""
    if name.startswith(MODELS):
        return "the models, for every stack"
    found = re.match(r"(.+?)\.([a-zA-Z].*)", name)
    return found.group(1) if found else name


def _sources(numbers: dict[str, int]) -> pd.DataFrame:
    return pd.DataFrame(
        [(f"[{number}]", wording.breakable(source)) for source, number in numbers.items()],
        columns=["No.", "Source"],
    )


def _numbers(sources: Iterable[str]) -> dict[str, int]:
    """Return each source once, numbered in order."""
    return {str(source): i for i, source in enumerate(dict.fromkeys(sources), 1)}


def _topic(name: object) -> str:
    return str(name).replace("_", " ")


def _value(value: float, unit: str) -> str:
    shown = wording.number(float(value), 4)
    return shown if unit == "1" or shown == wording.MISSING else f"{shown}{wording.SPACE}{unit}"


def _percent(value: float | None, sign: str = "") -> str:
    if value is None or math.isnan(value):
        return wording.MISSING
    return re.sub("-", "−", f"{value:{sign}.1f}{wording.SPACE}%")
