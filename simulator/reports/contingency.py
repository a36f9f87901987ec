"""Pages of a contingency study: what costs most, what is shed minute by minute, how bad it gets."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from simulator.reports import style, wording
from simulator.reports.page import FigureSpec, Lead, Page, TableSpec

BARS, LINES, ROWS = 12, 5, 8
"""Cases of the ranking, of the curves, and of the table."""
LEVELS = ("site", "hall", "block", "rack", "fabric")
COLORS = {"none": style.GRID, "capped": style.SKY, "shed": style.YELLOW, "job lost": style.ORANGE,
          "hall lost": style.VERMILLION, "site lost": style.INK}  # fmt: skip
WIDTHS = (2.5, 2.5, 1.15, 1.15, 2.5, 1.1, 1.15, 1.6)
"""Of the table's columns."""
WIDTHS_LIMITS = (2.2, 1.3, 2.4, 1.5, 1.2, 0.7, 3.0, 1.2)
BEYOND = (
    "Limits of the table are the continuous ratings of the power chain and of the racks' blocks, what the "
    "supply in service allows, the temperature at which chips throttle, and the heat that the plant units in "
    "service carry. Each failure is counted at the limit that is broken first, of those that the intact site "
    "keeps. Minutes are those at whose end the element is beyond its limit; trip counts failures after "
    "which something switches off."
)
FIRST = {"chips": "chips (temperature)", "plant": "cooling plant", "interconnection": "interconnection"}
"""What is beyond its limit, in words where its name is not enough."""
MEASURES = {"hours_per_year": "a year", "hours_per_failure": "each time; nothing here fails by chance"}
"""What cases compare by, in words."""
LOST = {"hours_per_year": "Rate of failure times useful work lost", "hours_per_failure": "Useful work lost each time"}
MEGA = 1e6
NAME_MOST = 38
"""Characters of a name on an axis."""
NAMED = 2
"""Names of one line in a legend."""
ALIKE = 6
"""Decimals of a MW by which curves are told apart."""
APART = 0.05
"""Of the largest curve, below which a smaller one would lie on the axis: the scale is logarithmic then."""
LEAST_MW = 1e-3
"""From which load counts as shed (`studies.contingency_rows`)."""


def pages(
    found: pd.DataFrame, shed_w: Sequence[np.ndarray | None], told: dict[str, Any]
) -> list[Page]:
    """Return the pages of `studies.contingency`.

    Parameters
    ----------
    shed_w : (minutes, classes) W by row of the table
    told : `summary.json`
    """
    tried = found[found["order"] > 0]
    return [_costs(tried, told), _depths(found, shed_w, told)]


def cover(told: dict[str, Any]) -> dict[str, Any]:
    """Return title, author, description, date and footer of the document."""
    moment = f"{pd.Timestamp(told['at']):%d %B %Y %H:%M}, {told['chosen']}"
    return {
        "title": f"{told['name']}: contingencies", "author": f"gigawatt {told['version']}",
        "description": f"From {moment}; {told['minutes']} minutes each", "dated": told["at"],
        "footer": [
            f"config {told['config_hash'][:16]} · seed {told['seed']} · gigawatt {told['version']} · {moment}",
            f"{told['name']} · rates of failure by class, from the catalog",
        ],
    }  # fmt: skip


def title(tried: pd.DataFrame, told: dict[str, Any]) -> str:
    """Return the finding: the dearest failure, and what the largest sheds."""
    ones, by = _failures(tried), measure(tried)
    if ones.empty or not ones[by].max() > 0.0:
        return f"No single failure at {told['name']} costs useful work"
    worst, deepest = ones.loc[ones[by].idxmax()], ones.loc[ones["shed_mw"].idxmax()]
    shed = int((ones["count"] * (ones["shed_mw"] >= LEAST_MW)).sum())
    most = f", at most {wording.megawatts(float(deepest['shed_mw']))}" if shed else ""
    return (
        f"{shed:,} of {int(ones['count'].sum()):,} single failures shed load{most}; the dearest is "
        f"{named(worst)}: {wording.large(float(worst[by]))} accelerator-hours {MEASURES[by]}"
    )


def measure(tried: pd.DataFrame) -> str:
    """Return the column by which cases compare: what they cost a year, or each time where nothing fails
    by chance."""
    return "hours_per_year" if (tried["rate_per_year"] > 0.0).any() else "hours_per_failure"


def _failures(tried: pd.DataFrame) -> pd.DataFrame:
    """Return single failures, without planned work."""
    return tried[(tried["order"] == 1) & ~tried["planned"].astype(bool)]


def named(row: Any) -> str:
    """Return a case as a reader meets it: the element, or all of those alike, and of a single one the
    classes that strike it."""
    words = f"one of {row['stands_for']}" if row["stands_for"] else _short(str(row["case"]))
    return f"{words} ({_classes(row)})" if row["order"] == 1 else words


def _costs(tried: pd.DataFrame, told: dict[str, Any]) -> Page:
    kpis = {name: entry["value"] for name, entry in told["kpis"].items()}
    text: tuple[Lead, ...] = (
        Lead("How it was found.", _method(told)),
        Lead("What it adds up to.",
             f"All single failures together are expected to cost {wording.large(kpis['expected_hours'])} "
             f"accelerator-hours of useful work a year{_as_if(told)}. In {kpis['over_limit']:,} cases an element is "
             "beyond its limit for a minute or longer."),
    )  # fmt: skip
    classes = dearest(tried)
    felt = (classes["hours_per_year"] > 0.0) | (classes["severity"] != "none")
    top = classes[felt].head(ROWS)
    unfelt = [_label(row) for row in classes[~felt & (classes["order"] == 1)].to_dict("records")]
    if kpis["planned_hours"]:
        text += (Lead("Planned work.",
                      f"Maintenance of the scenario's operations costs "
                      f"{wording.large(kpis['planned_hours'])} accelerator-hours a year more; it is announced, "
                      "and stands behind the failures in the table."),)  # fmt: skip
    if unfelt:
        text += (Lead("No loss.", f"{wording.sentence(', '.join(unfelt))}."),)
    return Page(
        "contingency", "Contingencies", title(tried, told), text, (ranking(tried),),
        (TableSpec("The dearest case of each class that is felt", _table(top), WIDTHS),),
    )


def dearest(tried: pd.DataFrame) -> pd.DataFrame:
    """Return the dearest case of each class of failure, or of each pair of classes, with what all cases
    of the class cost a year together."""
    every = tried.assign(all_hours=tried["hours_per_year"] * tried["count"])
    key = ["class", "order", "planned"]
    sums = every.groupby(key, sort=False)[["all_hours", "count"]].sum()
    first = every.drop_duplicates(subset=key).set_index(key)
    told = first.assign(all_hours=sums["all_hours"], elements=sums["count"]).reset_index()
    order = told.assign(failure=~told["planned"].astype(bool))
    told = order.sort_values(["failure", "hours_per_year"], ascending=False, kind="stable", ignore_index=True)
    return told.drop(columns="failure")


def _method(told: dict[str, Any]) -> str:
    lead = wording.number(told["simulated_before_h"])
    out = f" {', '.join(told['maintenance'])} is out for maintenance throughout." if told["maintenance"] else ""
    return (
        f"The campus, without drawn failures, is simulated for {lead} h up to {_moment(told)} "
        f"({told['chosen']}). From that state each case goes on for {told['minutes']} minutes with its "
        f"element out: the same engine, one process per case.{out}"
    )


def _as_if(told: dict[str, Any]) -> str:
    """Return what a year means where something is under maintenance."""
    return ", were it in this state all year" if told["maintenance"] else ""


def _moment(told: dict[str, Any]) -> str:
    at = pd.Timestamp(told["at"])
    return f"{wording.day(at)}, {at:%H:%M}"


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
    ax.set_yticks(rows, [_label(row) for row in shown.to_dict("records")])
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
    alt = "; ".join(f"{_label(row)} {row[by]:.3g}" for row in data.to_dict("records"))
    return FigureSpec(
        fig, "contingency-ranking", f"Accelerator-hours {MEASURES[by]}, by class of failure: {alt}.",
        data[columns], f"{LOST[by]}; the number of elements behind the class.",
    )  # fmt: skip


def _power_of_ten(value: float) -> str:
    return f"{value:,.10g}" if value < MEGA else f"{value / MEGA:,.0f} million"


def _label(row: dict[str, Any]) -> str:
    """Return a class of failures in words, and how many elements it can strike."""
    return f"{_classes(row)} ({int(row['elements']):,})"


def _classes(row: dict[str, Any]) -> str:
    first, *others = str(row["class"]).split(", ")
    if row["order"] == 1:
        planned = " (planned)" if row["planned"] else ""
        if others:
            return f"{row['out']}, any of {len(others) + 1} causes"
        return f"{wording.plain(first)}{planned}"
    several = [wording.plain(name) for name in (first, *others)]
    return f"{row['order']} × {several[0]}" if len(set(several)) == 1 else " + ".join(several)


def _depths(
    found: pd.DataFrame, shed_w: Sequence[np.ndarray | None], told: dict[str, Any]
) -> Page:
    tried = found[found["order"] > 0]
    felt = {name: int(n) for name, n in told["severity"].items()}
    worst = next((name for name in reversed(COLORS) if felt[name]), "none")
    total = sum(felt.values())
    finding = (
        f"{felt['none']:,} of {total:,} single failures are not felt at all; the worst severity, "
        f"{worst}, comes of {felt[worst]:,}"
        if worst != "none" else f"None of {total:,} single failures is felt"
    )
    text: tuple[str, ...] = (
        "Severity is the worst that happens in the window: work slowed by caps, heat or the network "
        "(capped), load shed or requests kept waiting, a job stopped, a hall dark, all halls dark. Load "
        "shed is the draw before the failure of what is out of service or off; what idles is not counted.",
    )
    figures = (by_severity(tried), over_minutes(found, shed_w))
    if not told["broken"]:
        text += ("No single failure takes an element beyond a limit that the intact site keeps.",)
        return Page("contingency-depth", "Contingencies", finding, text, figures)
    tables = (_limits(told),)
    return Page("contingency-depth", "Contingencies", finding, text, figures, tables, closing=(BEYOND,))


def _limits(told: dict[str, Any]) -> TableSpec:
    """Tell which single failures take something beyond a limit, by what that is first."""
    rows = told["broken"]
    table = pd.DataFrame({
        "First beyond its limit": [wording.sentence(FIRST.get(r["limit"], r["limit"])) for r in rows],
        "Elements": [f"{r['elements']:,}" for r in rows],
        "Out": [", ".join(r["out"]) for r in rows],
        "From": [f"minute {r['first_minute']}" for r in rows],
        "Longest": [f"{r['most_minutes']}{wording.SPACE}min" for r in rows],
        "Trip": [f"{r['tripped']:,}" for r in rows],
        "Dearest": [f"{_short(r['dearest'])} ({_short(r['dearest_limit'])})" for r in rows],
        "Hours, a year": [wording.number(r["hours_per_year"]) for r in rows],
    })  # fmt: skip
    return TableSpec("Elements whose loss breaks a limit, by the first limit", table, WIDTHS_LIMITS)


def by_severity(tried: pd.DataFrame) -> FigureSpec:
    """Draw elements by severity, one bar per level."""
    ones = _failures(tried)
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
    fig, ax = style.canvas(height_in=2.8)
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
    """Set a logarithmic scale down to the power of ten below `least`, and a linear one from there to zero."""
    first, last = math.floor(math.log10(least)), math.floor(math.log10(most))
    ax.set_yscale("symlog", linthresh=10.0**first, linscale=0.5)
    ax.set_yticks([0.0, *(10.0**n for n in range(first, last + 1))])
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))


def _listed(names: Sequence[str]) -> str:
    """Return names for a legend: the first of many, and how many more."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def _table(top: pd.DataFrame) -> pd.DataFrame:
    rows = top.to_dict("records")
    return pd.DataFrame({
        "Class": [wording.sentence(_classes(row)) for row in rows],
        "Worst element": [_worst(row) for row in rows],
        "Severity": list(top["severity"]),
        "Shed": [wording.megawatts(float(v)) if v > 0 else "0" for v in top["shed_mw"].fillna(0.0)],
        "Tightest": [_tight(row) for row in rows],
        "Back in": [_back(row) for row in rows],
        "Hours, once": [wording.number(float(v)) for v in top["hours_per_failure"]],
        "All, a year": [
            wording.number(float(v)) if v < MEGA else wording.large(float(v)) for v in top["all_hours"]
        ],
    })  # fmt: skip


def _worst(row: dict[str, Any]) -> str:
    """Return the name of an element, of several alike the first and how many they are."""
    many = f", 1 of {row['count']:,}" if row["stands_for"] else ""
    return _short(str(row["case"])) + many


def _back(row: dict[str, Any]) -> str:
    return wording.seconds(float(row["recovery_s"]))


def _short(name: str) -> str:
    return name if len(name) <= NAME_MOST else f"{name[: NAME_MOST - 1]}…"


def _tight(row: dict[str, Any]) -> str:
    if row["limit"] == "unchanged":
        return "none nearer"
    if not row["tightest"] or not math.isfinite(row["post_loading"]):
        return f"{row['tightest']} {row['limit']}".strip() or wording.MISSING
    return f"{row['tightest']} {100 * row['post_loading']:.0f}{wording.SPACE}%"
