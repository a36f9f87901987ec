"""Room left under each rating after the loss of one element, and power nobody can use."""

from typing import Any

import numpy as np
import pandas as pd

from simulator.metrics.kpi import WATTS_PER_MW, Kpi
from simulator.metrics.series import period
from simulator.results import Results

SUPPLY = ("poi", "line_bank", "transformer_bank")
"""Levels that the firm import itself is made of."""


def headroom(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return the room under firm ratings.

    By default over time at the point of interconnection: smallest room of each period, in W, under
    the firm import and under what was in service. With `by="element"` (or `by="level"`) for
    every element of the plant: peak, rating, firm rating (one unit out) and loading of both.
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
    """Return firm import that the power chain as built cannot turn into load, by cause, in W.

    Firm import less the largest minute, less what free places could still draw: whole racks that
    fit, at nameplate, under the blocks' ratings, times the mean ratio of import to rack power.
    What is left is put down first to places smaller than a rack, then to nameplates above real
    draw (blocks full on paper).
    """
    room_w = max(float(headroom(results)["firm_headroom_w"].iloc[0]), 0.0)
    site = results.timeseries["site"]
    it_w = float(site["it_w"].mean())
    gross = float((site["poi_w"] + site["onsite_w"]).mean()) / it_w if it_w else 1.0
    whole_w, rest_w = _free_places(results)
    left_w = max(room_w - whole_w * gross, 0.0)
    unit_w = min(left_w, rest_w * gross)
    return pd.DataFrame(
        {
            "cause": ["unit_size", "nameplate_reserve"],
            "power_w": [unit_w, left_w - unit_w],
        }
    )


def headroom_kpi(results: Results) -> Kpi:
    """Return the smallest room under the firm import."""
    room_w = float(headroom(results)["firm_headroom_w"].iloc[0])
    tight = headroom(results, by="level")
    tight = tight[~tight["level"].isin(SUPPLY)].nlargest(1, "firm_loading_frac")
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
        "Firm import less the largest 1-minute mean import, less what whole racks in the free "
        "places under the blocks' ratings would draw at nameplate (times the mean ratio of import "
        "to rack power): power that is connected but that no rack can be placed to use.",
    )


def _plant(results: Results) -> pd.DataFrame:
    plant = results.tables["plant"].copy()
    for column in ("element", "level", "kind", "parent"):
        plant[column] = plant[column].astype(object)
    limit_w = plant["firm_w"].where(plant["firm_w"] > 0, plant["rating_w"])
    plant["headroom_w"] = limit_w - plant["peak_w"]
    plant["firm_loading_frac"] = plant["peak_w"] / limit_w
    plant["loading_frac"] = plant["peak_w"] / plant["rating_w"]
    return plant[limit_w > 0].reset_index(drop=True)


def _free_places(results: Results) -> tuple[float, float]:
    """Return the power in W of whole racks that still fit under the blocks, and of the rest."""
    plant, racks = results.tables["plant"], results.tables["racks"]
    takes_racks = (plant["level"].astype(str) == "block") & (plant["kind"].astype(str) != "support")
    blocks = plant[takes_racks & (plant["count"] > 0)]
    rack_w = racks[racks["accelerators"] > 0].groupby("hall", observed=True)["nameplate_w"].max()
    size_w = np.array([_rack_of(row, rack_w) for row in blocks.itertuples()])
    free_w = np.maximum(blocks["rating_w"] - blocks["nameplate_w"], 0.0).to_numpy(float)
    count = blocks["count"].to_numpy(float)
    whole_w = np.floor(free_w / count / size_w * (1 + 1e-12)) * size_w * count
    return float(whole_w.sum()), float((free_w - whole_w).sum())


def _rack_of(block: Any, rack_w: pd.Series) -> float:
    for hall in sorted(rack_w.index.astype(str), key=len, reverse=True):
        if hall in (block.parent, block.element) or str(block.element).startswith(hall):
            return float(rack_w[hall])
    return float(rack_w.max())
