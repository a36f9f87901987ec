"""Pages of a contingency study: what costs most, what is shed minute by minute, how bad it gets."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from simulator.reports import wording
from simulator.reports.contingency_figures import (
    COLORS,
    by_severity,
    dearest,
    over_minutes,
    ranking,
)
from simulator.reports.contingency_words import (
    MEASURES,
    classes,
    failures,
    label,
    measure,
    named,
    short,
)
from simulator.reports.page import Lead, Page, TableSpec

ROWS = 8
"""Cases of the table."""
WIDTHS = (2.5, 2.5, 1.15, 1.15, 2.5, 1.1, 1.15, 1.6)
"""Of the table's columns."""
WIDTHS_LIMITS = (2.2, 1.3, 2.4, 1.5, 1.2, 0.7, 3.0, 1.2)
BEYOND = (
    "Limits: continuous ratings of the power chain and of blocks, what the supply allows, temperatures of chips and of "
    "halls' air that slow racks down, heat that plants carry. A failure is counted at the limit that it breaks first, "
    "of those that the intact site keeps; minutes are those at whose end that is so; trip: something switches off."
)
DARK = {"site": "the whole site", "hall": "halls", "block": "blocks of racks"}
"""What is left without a working accelerator, in words."""
FIRST = {"chips": "chips (temperature)", "plant": "cooling plant", "interconnection": "interconnection"}
"""What is beyond its limit, in words where its name is not enough."""
MEGA = 1e6
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
    ones, by = failures(tried), measure(tried)
    if ones.empty or not ones[by].max() > 0.0:
        return f"No single failure at {told['name']} costs useful work"
    worst, deepest = ones.loc[ones[by].idxmax()], ones.loc[ones["shed_mw"].idxmax()]
    shed = int((ones["count"] * (ones["shed_mw"] >= LEAST_MW)).sum())
    most = f", at most {wording.megawatts(float(deepest['shed_mw']))}" if shed else ""
    return (
        f"{shed:,} of {int(ones['count'].sum()):,} single failures shed load{most}; the dearest is "
        f"{named(worst)}: {_hours(float(worst[by]))} accelerator-hours {MEASURES[by]}"
    )


def _costs(tried: pd.DataFrame, told: dict[str, Any]) -> Page:
    kpis = {name: entry["value"] for name, entry in told["kpis"].items()}
    text: tuple[Lead, ...] = (
        Lead("How it was found.", _method(told)),
        Lead("What it adds up to.",
             f"All single failures together are expected to cost {_hours(kpis['expected_hours'])} "
             f"accelerator-hours of useful work a year{_as_if(told)}. In {kpis['over_limit']:,} cases an element is "
             "beyond its limit for a minute or longer."),
    )  # fmt: skip
    kinds = dearest(tried)
    felt = (kinds["hours_per_year"] > 0.0) | (kinds["severity"] != "none")
    top = kinds[felt].head(ROWS)
    unfelt = [label(row) for row in kinds[~felt & (kinds["order"] == 1)].to_dict("records")]
    if kpis["planned_hours"]:
        text += (Lead("Planned work.",
                      f"Maintenance of the scenario's operations costs "
                      f"{_hours(kpis['planned_hours'])} accelerator-hours a year more; it is announced, "
                      "and stands behind the failures in the table."),)  # fmt: skip
    if unfelt:
        text += (Lead("No loss.", f"{wording.sentence(', '.join(unfelt))}."),)
    return Page(
        "contingency", "Contingencies", title(tried, told), text, (ranking(tried),),
        (TableSpec("The dearest case of each class that is felt", _table(top), WIDTHS),),
    )


def _method(told: dict[str, Any]) -> str:
    lead = wording.number(told["simulated_before_h"])
    out = f" {', '.join(told['maintenance'])} is out for maintenance throughout." if told["maintenance"] else ""
    return (
        f"The campus, without drawn failures, is simulated for {lead} h up to {_moment(told)} "
        f"({told['chosen']}). From that state each case goes on for {told['minutes']} minutes with its "
        f"element out: the same engine, one process per case.{out}"
    )


def _as_if(told: dict[str, Any]) -> str:
    """Return for how much of a year the state under maintenance lasts."""
    if not told["maintenance"]:
        return ""
    share = f"{wording.number(100.0 * told['state_share'])}{wording.SPACE}%"
    return f", in the {share} of the year in which that is out by {told['state_share_of']}"


def _moment(told: dict[str, Any]) -> str:
    at = pd.Timestamp(told["at"])
    return f"{wording.day(at)}, {at:%H:%M}"


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
        "(capped), load shed, requests kept waiting or work not begun on what is out (shed), a job stopped, a hall "
        "dark, all halls dark. Load shed is the draw before the failure of what is out of service or off; what "
        "idles is not counted.",
    )
    figures = (by_severity(tried), over_minutes(found, shed_w))
    text += _dark(told)
    if not told["broken"]:
        what = "that stays in service " if any(told["dark"].values()) else ""
        text += (f"No single failure takes an element {what}beyond a limit that the intact site keeps.",)
        return Page("contingency-depth", "Contingencies", finding, text, figures)
    tables = (_limits(told),)
    return Page("contingency-depth", "Contingencies", finding, text, figures, tables, closing=(BEYOND,))


def _dark(told: dict[str, Any]) -> tuple[str, ...]:
    """Return how many single failures, and how many of several at once, leave what without a working
    accelerator."""
    words = []
    for who, dark in (("single failures", told["dark"]), ("failures of several at once", told["dark_together"])):
        counts = [f"{count:,} darken {DARK[what]}" for what, count in dark.items() if count]
        words += [f"Of {who}, {', '.join(counts)}."] if counts else []
    return (" ".join([*words, "Each counts for the largest that it darkens."]),) if words else ()


def _limits(told: dict[str, Any]) -> TableSpec:
    """Tell which single failures take something beyond a limit, by what that is first."""
    rows = told["broken"]
    table = pd.DataFrame({
        "First beyond its limit": [wording.sentence(FIRST.get(r["limit"], r["limit"])) for r in rows],
        "Elements": [f"{r['elements']:,}" for r in rows],
        "Out": [wording.plain(", ".join(r["out"])) for r in rows],
        "From": [f"minute {r['first_minute']}" for r in rows],
        "Longest": [f"{r['most_minutes']}{wording.SPACE}min" for r in rows],
        "Trip": [f"{r['tripped']:,}" for r in rows],
        "Dearest": [f"{short(r['dearest'])} ({short(r['dearest_limit'])})" for r in rows],
        "Hours, a year": [wording.number(r["hours_per_year"]) for r in rows],
    })  # fmt: skip
    return TableSpec("Elements whose loss breaks a limit, by the first limit", table, WIDTHS_LIMITS)


def _table(top: pd.DataFrame) -> pd.DataFrame:
    rows = top.to_dict("records")
    return pd.DataFrame({
        "Class": [wording.sentence(classes(row)) for row in rows],
        "Worst element": [_worst(row) for row in rows],
        "Severity": list(top["severity"]),
        "Shed": [wording.megawatts(float(v)) if v > 0 else "0" for v in top["shed_mw"].fillna(0.0)],
        "Tightest": [_tight(row) for row in rows],
        "Back in": [_back(row) for row in rows],
        "Hours, once": [wording.number(float(v)) for v in top["hours_per_failure"]],
        "All, a year": [_hours(float(v)) for v in top["all_hours"]],
    })  # fmt: skip


def _hours(value: float) -> str:
    return wording.number(value) if value < MEGA else wording.large(value)


def _worst(row: dict[str, Any]) -> str:
    """Return the name of an element, of several alike the first and how many they are."""
    many = f", 1 of {row['count']:,}" if row["stands_for"] else ""
    return short(str(row["case"])) + many


def _back(row: dict[str, Any]) -> str:
    return wording.seconds(float(row["recovery_s"]))


def _tight(row: dict[str, Any]) -> str:
    if row["limit"] == "unchanged":
        return "none nearer"
    if not row["tightest"] or not math.isfinite(row["post_loading"]):
        return f"{row['tightest']} {row['limit']}".strip() or wording.MISSING
    return f"{row['tightest']} {100 * row['post_loading']:.0f}{wording.SPACE}%"
