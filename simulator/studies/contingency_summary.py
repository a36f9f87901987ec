"""What a contingency study adds up to: indicators, severities, and which limits break."""

from __future__ import annotations

from typing import Any

import pandas as pd

from simulator.studies.contingency_columns import COLUMNS, SEVERITIES
from simulator.studies.contingency_rows import BLOCK, HALL, LEAST_W, MEGA, SITE


def summary(found: pd.DataFrame, told: dict[str, Any]) -> dict[str, Any]:
    """Return what `summary.json` holds: the moment, and indicators with unit and definition."""
    rows = found[found["order"] > 0]
    planned = rows["planned"].astype(bool)
    ones, works = rows[(rows["order"] == 1) & ~planned], rows[planned]
    several = rows[rows["order"] > 1]
    worst = ones.iloc[0] if len(ones) else None
    felt = {name: int((ones["count"] * (ones["severity"] == name)).sum()) for name in SEVERITIES}
    kpis = {
        "worst_single": (worst["case"] if worst is not None else None, "name",
                         "Single failure with the most expected accelerator-hours a year."),
        "worst_single_hours": (float(worst["hours_per_year"]) if worst is not None else None,
                               "accelerator-h/year", "Expected useful work lost to it."),
        "expected_hours": (float(ones["hours_per_year_all"].sum()), "accelerator-h/year",
                           "Expected useful work lost to all single failures that were tried; with something under "
                           "maintenance, in the share of the year in which that is out."),
        "planned_hours": (float(works["hours_per_year_all"].sum()), "accelerator-h/year",
                          "Expected useful work lost to planned work, likewise."),
        "largest_shed": (float(rows["shed_mw"].max()) if len(rows) else 0.0, "MW",
                         "Largest load that any case sheds."),
        "elements": (int(ones["count"].sum()), "1", "Elements whose single failure was tried."),
        "cases_with_shed": (int((rows["count"] * (rows["shed_mw"] * MEGA >= LEAST_W)).sum()), "1",
                            "Cases that shed load."),
        "over_limit": (int((rows["count"] * (rows["minutes_over"] > 0)).sum()), "1",
                        "Cases in which an element is beyond its limit at the end of a minute or longer."),
        "tolerance_exceeded": (int((rows["count"] * (rows["exceeded"] != "")).sum()), "1",
                               "Cases in which an element outlasts its tolerance, and trips."),
        "errors": (int((rows["error"] != "").sum()), "1", "Cases without a result."),
    }  # fmt: skip
    return told | {
        "severity": felt, "dark": darkened(ones), "dark_together": darkened(several), "together": len(several),
        "broken": broken(ones), "columns": COLUMNS,
        "kpis": {n: {"value": v, "unit": u, "definition": d} for n, (v, u, d) in kpis.items()},
    }


def darkened(ones: pd.DataFrame) -> dict[str, int]:
    """Return how many failures leave the site, a hall or halls, a block or blocks of racks without a
    working accelerator; each counts for the largest only."""
    return {what: int(ones.loc[ones["dark"].str.contains(what), "count"].sum()) for what in (SITE, HALL, BLOCK)}


def broken(ones: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the single failures that break a limit, by what is broken first, the most frequent first."""
    found = []
    for what, rows in ones[ones["first_of"] != ""].groupby("first_of", sort=False):
        worst = rows.loc[rows["hours_per_year"].idxmax()]
        found.append({
            "limit": str(what), "elements": int(rows["count"].sum()),
            "out": list(dict.fromkeys(rows["out"])), "first_minute": int(rows["first_minute"].min()),
            "most_minutes": int(rows["minutes_over"].max()),
            "tripped": int((rows["count"] * (rows["tripped"] != "")).sum()),
            "exceeded": int((rows["count"] * (rows["exceeded"] != "")).sum()),
            "dearest": str(worst["case"]), "dearest_limit": str(worst["first_limit"]),
            "hours_per_year": float(rows["hours_per_year_all"].sum()),
        })  # fmt: skip
    return sorted(found, key=lambda row: (-row["elements"], row["limit"]))
