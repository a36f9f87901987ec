"""Room left under each rating after the loss of one element, and power nobody can use."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from simulator.metrics.kpi import WATTS_PER_MW, Kpi
from simulator.metrics.series import period
from simulator.metrics.stranded import at_poi, gross
from simulator.results import Results

STRANDED = ("policy", "granularity", "cooling", "network", "schedule", "unbuilt")
"""Causes that make up stranded power; reserves and what can be used now are none."""
SUPPLY = ("poi", "line_bank", "transformer_bank")
"""Levels that the firm import itself is made of."""
BELOW_FEEDERS = ("substation", "busway", "ups")
"""Levels of the power tree that the table `limits` has and the table `plant` has not."""


def headroom(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return the room under firm ratings.

    By default over time at the point of interconnection: smallest room of each period, in W, under
    the firm import and under what was in service. With `by="element"` (or `by="level"`) for
    every element of the plant and of the power tree: peak, rating, firm rating (one unit out) and
    loading of both.
    """
    if by is not None:
        return (
            _plant(results)
            if by == "element"
            else _plant(results)
            .loc[lambda t: t.groupby("level", sort=False)["firm_loading_frac"].idxmax()]
            .reset_index(drop=True)
        )
    site = results.timeseries["site"]
    room = pd.DataFrame(
        {
            "time": site["time"],
            "firm_headroom_w": results.info["firm_w"] - site["poi_w"],
            "in_service_headroom_w": site["limit_w"] - site["poi_w"],
        }
    )
    if every is None:
        return room[["firm_headroom_w", "in_service_headroom_w"]].min().to_frame().T
    return (
        room.drop(columns="time").groupby(period(results, room["time"], every)).min().reset_index()
    )


def stranded(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return firm import that the campus as built cannot turn into load, by cause, in W: the firm
    import less the largest minute, less what whole racks would draw that could be placed now.

    Causes are those of `metrics.stranded`; a run folder without its tables knows them together.
    """
    parts = at_poi(results)
    if not parts:
        room_w = max(_room_w(results), 0.0)
        parts = {"unbuilt": max(room_w - _free_places_w(results) * gross(results), 0.0)}
    lost = {cause: power_w for cause, power_w in parts.items() if cause in STRANDED}
    return pd.DataFrame({"cause": [*lost], "power_w": [*lost.values()]})


def headroom_kpi(results: Results) -> Kpi:
    """Return the smallest room under the firm import."""
    room_w = _room_w(results)
    plant = _plant(results)
    tight = plant[~plant["level"].isin(SUPPLY)].nlargest(1, "firm_loading_frac")
    inside = "".join(
        f" Inside the campus the tightest element is {row.element} ({row.level.replace('_', ' ')}),"
        f" at {row.firm_loading_frac:.1%} of its firm rating in its largest minute."
        for row in tight.itertuples()
    )
    return Kpi(
        "power.headroom_min",
        room_w / WATTS_PER_MW,
        "MW",
        "Firm import (what survives the loss of any one line or main transformer) less the largest "
        f"1-minute mean import; the binding element is {results.info['firm_limit']}." + inside,
    )


def stranded_kpi(results: Results) -> Kpi:
    """Return the power nobody can use."""
    return Kpi(
        "power.stranded",
        float(stranded(results)["power_w"].sum()) / WATTS_PER_MW,
        "MW",
        "Firm import less the largest 1-minute mean import, less what whole racks that could be "
        "placed now would draw at nameplate (under the blocks' limits, cooled with one unit out and "
        "joined by the fabric; times the mean ratio of import to rack power): power that is "
        "connected but that no rack can be placed to use. By cause: policy (margins, nameplates "
        "above real draw, caps), places smaller than a rack, cooling, network, racks that could have "
        "worked harder, and no places built.",
    )


def _room_w(results: Results) -> float:
    """Return the smallest room under the firm import."""
    return float(results.info["firm_w"] - results.timeseries["site"]["poi_w"].max())


def _plant(results: Results) -> pd.DataFrame:
    plant = results.tables["plant"].copy()
    for column in ("element", "level", "kind", "parent"):
        plant[column] = plant[column].astype(object)
    plant = pd.concat([plant, _below_feeders(results)], ignore_index=True)
    limit_w = plant["firm_w"].where(plant["firm_w"] > 0, plant["rating_w"])
    plant["headroom_w"] = limit_w - plant["peak_w"]
    plant["firm_loading_frac"] = plant["peak_w"] / limit_w
    plant["loading_frac"] = plant["peak_w"] / plant["rating_w"]
    return plant[limit_w > 0].reset_index(drop=True)


def _below_feeders(results: Results) -> pd.DataFrame:
    """Return unit substations, busways and UPS as rows of the plant, held against what they carry
    continuously; none for a run folder without the table `limits`."""
    columns = ["element", "level", "count", "rating_w", "firm_w", "peak_w"]
    if "limits" not in results.tables:
        return pd.DataFrame(columns=columns)
    table = results.tables["limits"]
    below = table.loc[table["level"].astype(str).isin(BELOW_FEEDERS), columns].copy()
    for column in ("element", "level"):
        below[column] = below[column].astype(object)
    return below.assign(kind=below["level"], nameplate_w=0.0, parent="")


def _free_places_w(results: Results) -> float:
    """Return the power in W of whole racks that still fit under the blocks."""
    plant, racks = results.tables["plant"], results.tables["racks"]
    takes_racks = (plant["level"].astype(str) == "block") & (plant["kind"].astype(str) != "support")
    blocks = plant[takes_racks & (plant["count"] > 0)]
    rack_w = racks[racks["accelerators"] > 0].groupby("hall", observed=True)["nameplate_w"].max()
    size_w = np.array([_rack_of(row, rack_w) for row in blocks.itertuples()])
    free_w = np.maximum(blocks["rating_w"] - blocks["nameplate_w"], 0.0).to_numpy(float)
    count = blocks["count"].to_numpy(float)
    whole_w = np.floor(free_w / count / size_w * (1 + 1e-12)) * size_w * count
    return float(whole_w.sum())


def _rack_of(block: Any, rack_w: pd.Series) -> float:
    for hall in sorted(rack_w.index.astype(str), key=len, reverse=True):
        if hall in (block.parent, block.element) or str(block.element).startswith(hall):
            return float(rack_w[hall])
    return float(rack_w.max())
