"""Where every installed watt is, level by level: used, kept in reserve, or stranded by one cause."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from simulator.results import Results

CAUSES = {
    "used": "Drawn in the largest minute",
    "redundancy": "Kept free for the loss of one unit",
    "breaker": "Above what breakers carry continuously",
    "contract": "Above the import contract",
    "headroom": "Whole racks that could be placed now",
    "policy": "Margins, nameplates above what racks draw at full work, and caps",
    "granularity": "Free places smaller than a rack",
    "cooling": "Free places that the plants cannot cool with one unit out",
    "network": "Free places that the fabric cannot join",
    "schedule": "Racks that could have worked harder",
    "unbuilt": "No places for racks below it",
}
"""What an installed watt can be, in the order in which it is put down: each to the first that claims
it, so that the parts add up to the whole."""
SUPPLY = ("line_bank", "transformer_bank")
BY_FEEDER = ("policy", "granularity", "cooling", "network", "schedule", "headroom")


def partition(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return (level, cause, power_w), or with `by="element"` also the element; each element's causes
    add up to what is installed. Empty for a run folder without the table `places`."""
    rows = list(_elements(results)) if "places" in results.tables else []
    table = pd.DataFrame(rows, columns=["level", "element", "cause", "power_w"])
    if by == "element":
        return table
    return table.groupby(["level", "cause"], sort=False, as_index=False)["power_w"].sum()


def at_poi(results: Results) -> dict[str, float]:
    """Return the causes of the interconnection alone, in W; empty for a run folder without the table
    `places`."""
    if "places" not in results.tables:
        return {}
    rows = _at_poi(results, blocks_by_cause(results), gross(results))
    return {cause: power_w for _, _, cause, power_w in rows}


def gross(results: Results) -> float:
    """Return watts at the interconnection per watt into racks, mean of the run."""
    site = results.timeseries["site"]
    it_w = float(site["it_w"].mean())
    return float((site["poi_w"] + site["onsite_w"]).mean()) / it_w if it_w else 1.0


def _elements(results: Results) -> Iterator[tuple[str, str, str, float]]:
    blocks = blocks_by_cause(results)
    factor = gross(results)
    limits = results.tables["limits"]
    level = limits["level"].astype(str)
    yield from _at_poi(results, blocks, factor)
    for row in limits[level.isin([*SUPPLY, "feeder"])].itertuples():
        mine = blocks if row.level in SUPPLY else blocks[blocks["feeder"] == row.element]
        claims = {cause: factor * float(mine[cause].sum()) for cause in BY_FEEDER}
        claims |= {
            "used": row.peak_w, "breaker": row.rating_w - row.limit_w,
            "redundancy": row.limit_w - row.firm_w,
        }
        yield from _parts(str(row.level), str(row.element), row.rating_w, claims, "unbuilt")
    for row in blocks.itertuples():
        claims = {cause: float(getattr(row, cause)) for cause in CAUSES if cause in blocks}
        yield from _parts("block", str(row.block), row.built_w, claims, "schedule")


def _at_poi(
    results: Results, blocks: pd.DataFrame, factor: float
) -> Iterator[tuple[str, str, str, float]]:
    """Yield what becomes of what is energised: lines and main transformers, all in service, at the power
    factor of the interconnection."""
    limits = results.tables["limits"]
    banks = limits[limits["level"].astype(str).isin(SUPPLY)]  # all that folders of older versions have
    installed_w = float(results.info.get("connection_w", banks["limit_w"].min()))
    equipment_w = float(results.info.get("connection_firm_w", banks["firm_w"].min()))
    firm_w = float(results.info["firm_w"])
    claims = {cause: factor * float(blocks[cause].sum()) for cause in BY_FEEDER}
    claims["policy"] += firm_w - float(limits["limit_w"].iloc[0])
    used_w = float(results.timeseries["site"]["poi_w"].max())
    claims |= {
        "used": used_w, "redundancy": installed_w - equipment_w, "contract": equipment_w - firm_w,
    }
    return _parts("poi", "poi", installed_w, claims, "unbuilt")


def _parts(
    level: str, element: str, installed_w: float, claims: dict[str, float], rest: str
) -> Iterator[tuple[str, str, str, float]]:
    """Yield the share of each cause: as much as it claims of what the causes before it left."""
    left_w = installed_w
    taken = dict.fromkeys(CAUSES, 0.0)
    for cause in CAUSES:
        if cause == rest:
            continue
        taken[cause] = min(max(claims.get(cause, 0.0), 0.0), max(left_w, 0.0))
        left_w -= taken[cause]
    taken[rest] = left_w if left_w > 0.0 else 0.0
    yield from ((level, element, cause, power_w) for cause, power_w in taken.items())


def blocks_by_cause(results: Results) -> pd.DataFrame:
    """Return one row per block of accelerator racks: what of its built power goes where, in W at the
    racks."""
    table = results.tables["places"]
    p = table.assign(**{column: table[column].astype(str) for column in ("block", "hall", "feeder")})
    reach_w = np.minimum(p["nameplate_w"], p["limit_w"])
    busy_w = np.minimum(np.maximum(p["working_w"], p["peak_w"]), reach_w)
    idle_w = np.maximum(busy_w - p["peak_w"], 0.0)
    capped_w = np.minimum(_capped_w(results, p), idle_w)
    free_w = p["limit_w"] - reach_w
    whole_w = np.floor(free_w / p["rack_w"] * (1.0 + 1e-12)) * p["rack_w"]
    cooled_w = np.minimum(whole_w, p["cooled_w"])
    joined_w = np.minimum(cooled_w, p["joined_w"])
    return p.assign(
        used=np.minimum(p["peak_w"], p["built_w"]), breaker=p["built_w"] - p["rated_w"],
        redundancy=np.maximum(p["rated_w"] - p["limit_w"], 0.0),
        policy=reach_w - np.maximum(busy_w, np.minimum(p["peak_w"], reach_w)) + capped_w,
        schedule=idle_w - capped_w, granularity=free_w - whole_w, cooling=whole_w - cooled_w,
        network=cooled_w - joined_w, headroom=joined_w,
    )


def _capped_w(results: Results, places: pd.DataFrame) -> pd.Series:
    """Return what caps held back in the minute of the largest import: the speed that accelerators
    lost then, at the power that one draws at full work, spread over what blocks drew below that."""
    site = results.timeseries["site"]
    accelerators = float(results.tables["racks"]["accelerators"].sum())
    lost = float(site["capped_accelerators"].iloc[int(site["poi_w"].to_numpy().argmax())])
    below_w = np.maximum(places["working_w"] - places["peak_w"], 0.0)
    if not lost or not below_w.sum():
        return pd.Series(0.0, index=places.index)
    held_w = lost * float(places["working_w"].sum()) / accelerators
    return below_w * min(held_w / float(below_w.sum()), 1.0)
