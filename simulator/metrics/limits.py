"""How often elements carried more than they may, and what it cost to prevent it."""

from __future__ import annotations

import pandas as pd

from simulator.metrics.kpi import JOULES_PER_MWH, Kpi
from simulator.results import Results

MINUTE_S = 60.0
BY_LEVEL = {"connection": "poi", "feeders": "feeder", "blocks": "block"}
"""Levels that are oversubscribed, by the word for it, and their name in the tables."""


def limits(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return per level (or with `by="element"`) oversubscription, the probability of an overload,
    minutes capped, and accelerator-hours lost to it.

    A level's probability is the share of time in which any of its elements was over. Hours lost to
    caps are put down to elements in proportion to the energy held back or switched off for each.
    """
    table = results.tables["limits"].copy()
    for column in ("element", "level"):
        table[column] = table[column].astype(str)
    energy_j = table["held_j"] + table["shed_j"]
    table["lost_h"] = _lost_h(results) * (energy_j / energy_j.sum() if energy_j.sum() else 0.0)
    table["oversubscription"] = table["below_w"] / table["firm_w"] - 1.0
    table["overload_share"] = table["overload_s"] / results.info["duration_s"]
    if by == "element":
        return table
    grouped = table.groupby("level", sort=False).agg({
        "element": "size", "oversubscription": "max", "capped_s": "sum", "held_j": "sum",
        "shed_j": "sum", "lost_h": "sum", "trips": "sum", "exceeded": "sum",
    }).rename(columns={"element": "elements"}).reset_index()
    grouped["overload_share"] = grouped["level"].map(_overload_shares(results))
    return grouped


def kpis(results: Results) -> list[Kpi]:
    """Return the indicators; none for a run folder that does not tell."""
    if "limits" not in results.tables:
        return []
    table, shares = results.tables["limits"], _overload_shares(results)
    worst = max(shares, key=shares.__getitem__)
    capped = results.timeseries["site"]["capped_accelerators"] > 0.0
    return [
        Kpi("power.overload_minutes", float(table["overload_s"].sum()) / MINUTE_S, "1",
            "Minutes, added over all elements from the interconnection to the blocks, in which the "
            "mean load was above the continuous limit of the units in service."),
        Kpi("power.overload_probability", shares[worst], "1",
            "Share of time in which any element of a level was above its limit, of the level with "
            f"the largest share ({worst.replace('_', ' ')})."),
        Kpi("power.capped_minutes", float(capped.sum()), "1",
            "Minutes in which power caps of the site, of an element or of a block slowed any "
            "accelerator."),
        Kpi("power.held_energy", float(table["held_j"].sum()) / JOULES_PER_MWH, "MWh",
            "Energy that caps held back, at the element for whose sake."),
        Kpi("power.shed_energy", float(table["shed_j"].sum()) / JOULES_PER_MWH, "MWh",
            "Energy that loads would have drawn while they were switched off for want of power, at "
            "what their racks drew in the minute before."),
        Kpi("power.trips", float(table["trips"].sum()), "1",
            "Breakers opened because an element was above its rating for longer than its tolerance."),
        *_by_level(results),
    ]


def _by_level(results: Results) -> list[Kpi]:
    """Return how far each level is oversubscribed, how often it was overloaded, and what that took."""
    table, found = limits(results).set_index("level"), []
    for word, level in BY_LEVEL.items():
        if level not in table.index:
            continue
        row = table.loc[level]
        found += [
            Kpi(f"power.{word}.oversubscription", float(row["oversubscription"]), "1",
                f"Nameplate of the racks below over what the {word} carry with one unit out, less one; "
                "of the element with the most."),
            Kpi(f"power.{word}.overload_probability", float(row["overload_share"]), "1",
                f"Share of time in which any of the {word} was above its limit."),
            Kpi(f"power.{word}.capped_minutes", float(row["capped_s"]) / MINUTE_S, "1",
                f"Minutes, added over all {word}, in which loads were held back for its sake."),
            Kpi(f"power.{word}.lost_hours", float(row["lost_h"]), "h",
                "Accelerator-hours lost to caps and to loads switched off, put down to the "
                f"{word} in proportion to the energy held back."),
        ]  # fmt: skip
    return found


def _overload_shares(results: Results) -> dict[str, float]:
    """Return by level the share of time in which any of its elements was over."""
    told = results.tables["limit_levels"]
    over_s = dict(zip(told["level"].astype(str), told["overload_s"].astype(float), strict=True))
    levels = dict.fromkeys(results.tables["limits"]["level"].astype(str))
    return {level: over_s.get(level, 0.0) / results.info["duration_s"] for level in levels}


def _lost_h(results: Results) -> float:
    hours = results.tables["hours"]
    return float(hours.loc[hours["category"] == "lost_power_cap", "accelerator_hours"].sum())
