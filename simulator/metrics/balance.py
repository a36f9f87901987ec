"""Do the tables close? Energy, heat and accelerator-hours, each from its separate terms."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.metrics.fleet import DOWN, installed
from simulator.metrics.kpi import SECONDS_PER_HOUR, ratio
from simulator.metrics.once import once
from simulator.metrics.operations import downtime
from simulator.results import Results

SUPPLY = ("poi", "onsite")
USE = ("it", "cooling", "house", "losses")


@once
def energy(results: Results) -> pd.Series:
    """Return the terms of the site energy balance in J: supply, uses, losses, change of storage.

    Losses are the sum of the `loss.<stage>` rows, each from its own stage's model; the recorded
    total is left out.
    """
    table = results.tables["energy"]
    sums = table["energy_j"].groupby(table["element"].astype(str)).sum()
    terms = {name: float(sums.get(name, 0.0)) for name in (*SUPPLY, *USE)}
    terms["losses"] = float(losses(results)["energy_j"].sum())
    return pd.Series(terms | {"storage": float(table["stored_j"].fillna(0.0).sum())})


def losses(results: Results) -> pd.DataFrame:
    """Return the electrical losses by stage in J, in the order of the power chain."""
    table = results.tables["energy"]
    rows = table[table["element"].astype(str).str.startswith("loss.")]
    stage = rows["element"].astype(str).str.removeprefix("loss.")
    return pd.DataFrame({"stage": stage, "energy_j": rows["energy_j"]}).reset_index(drop=True)


def checks(results: Results) -> dict[str, float]:
    """Return what is missing from each balance, relative to what came in."""
    terms = energy(results)
    supplied_j = float(terms[list(SUPPLY)].sum())
    unexplained_j = supplied_j - float(terms[list(USE)].sum()) - terms["storage"]
    heat = results.tables["heat"][["received_j", "rejected_j", "stored_j"]].astype(float)
    received_j = float(heat["received_j"].abs().sum())
    unrejected_j = (heat["received_j"] - heat["rejected_j"] - heat["stored_j"]).abs().sum()
    installed_h = installed(results) * results.info["duration_s"] / SECONDS_PER_HOUR
    counted_h = float(results.tables["hours"]["accelerator_hours"].sum())
    return {
        "energy_balance_rel": abs(ratio(unexplained_j, supplied_j) or 0.0),
        "heat_balance_rel": ratio(unrejected_j, received_j) or 0.0,
        "accelerator_hours_rel": abs(ratio(counted_h - installed_h, installed_h) or 0.0),
    } | _heat_made(results) | _downtime(results, installed_h) | _requests(results)


def _heat_made(results: Results) -> dict[str, float]:
    """Return what of the heat that racks, fans, pumps, lights and the power chain made no loop and no tank received,
    relative to all of it; nothing for a folder of an older version. What a tank gives its loop counts once."""
    if "heat_sources" not in results.tables:
        return {}
    heat, made_j = results.tables["heat"], float(results.tables["heat_sources"]["made_j"].sum())
    tanks = heat["loop"].astype(str).str.endswith("/tanks")
    received_j = float(heat["received_j"].sum()) - float(heat.loc[tanks, "rejected_j"].sum())
    return {"heat_made_rel": abs(ratio(made_j - received_j, made_j) or 0.0)}


def _requests(results: Results) -> dict[str, float]:
    """Return what is missing from the balance of requests, relative to those that arrived.

    Summed over pools (own and received against served, shed, rejected, lost, moved on and waiting),
    over the streams of a router (arrived against what became of them there), and over classes, whose
    requests pass from stage to stage. Nothing for a run without pools or a folder of an older version.
    """
    pools = results.tables.get("pools")
    if pools is None or len(pools) == 0 or "rejected" not in pools:
        return {}
    ends = ["shed", "rejected", "lost"]
    missing = abs(pools["received"].sum() - pools["spilled"].sum())
    missing += _missing(pools, ["requests", "received"], ["served", "spilled", "queued_end", *ends])
    for name in ("streams", "classes"):
        missing += _missing(results.tables[name], ["arrived"], ["served", "waiting", *ends])
    return {"request_balance_rel": ratio(float(missing), float(pools["requests"].sum())) or 0.0}


def _missing(table: pd.DataFrame, came: list[str], became: list[str]) -> float:
    """Return the sum over rows of what came and became nothing, or something twice."""
    each = np.zeros(len(table))
    for sign, names in ((1.0, came), (-1.0, became)):
        known = [table[name].to_numpy(float) for name in names if name in table]
        each += sign * np.nansum(known, axis=0) if known else 0.0
    return float(np.abs(each).sum())


def _downtime(results: Results, installed_h: float) -> dict[str, float]:
    """Return what of the hours out of service has no cause, relative to all installed; nothing for a
    folder of an older version."""
    if "downtime" not in results.tables:
        return {}
    table = results.tables["hours"]
    down_h = table.loc[table["category"].astype(str) == DOWN, "accelerator_hours"].sum()
    told_h = downtime(results)["accelerator_hours"].sum()
    return {"downtime_rel": abs(ratio(float(told_h - down_h), installed_h) or 0.0)}
