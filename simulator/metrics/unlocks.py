"""What would turn reserved and stranded power into load, at what price."""

from __future__ import annotations

import pandas as pd

from simulator import catalog
from simulator.metrics.kpi import WATTS_PER_MW
from simulator.metrics.stranded import blocks_by_cause, partition
from simulator.results import Results

MEASURES = {
    "schedule": "Batch work for racks that could have worked harder",
    "policy": "More racks per block than nameplates allow, held by capping",
    "redundancy": "Work in the reserve that is shed when a unit is lost",
    "granularity": "Larger unit transformers, so that one more rack fits each block",
    "breaker": "Switchgear rated for 100 % of its current",
    "cooling": "More dry coolers, coolant units and pipes",
    "network": "More switches and optics",
    "unbuilt": "More halls",
}
PARTS = {
    "schedule": (), "policy": ("control",), "redundancy": ("battery_on_bus", "control"),
    "granularity": ("unit_transformer",), "breaker": ("switchgear",),
    "cooling": ("dry_cooler", "coolant_unit", "piping"), "network": ("network",),
    "unbuilt": ("facility",),
}  # fmt: skip
"""What is bought, of `catalog/facility/power-unlocks.yaml`."""
COLUMNS = ["measure", "cause", "power_w", "low_usd_mw", "usd_mw", "high_usd_mw", "evidence"]


def unlocks(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return measures at the interconnection, cheapest megawatt first: what each would release at
    most, and equipment in USD per MW released. Racks and chips are not in it."""
    whole = partition(results)
    if whole.empty:
        return pd.DataFrame(columns=COLUMNS)
    poi = whole[whole["level"] == "poi"].set_index("cause")["power_w"]
    blocks = blocks_by_cause(results)
    chips_mw = float(results.tables["racks"]["accelerators"].sum()) / (
        float(blocks["nameplate_w"].sum()) / WATTS_PER_MW
    )
    rows = []
    for cause, measure in MEASURES.items():
        power_w = float(blocks["breaker"].sum() if cause == "breaker" else poi[cause])
        if power_w <= 0.0:
            continue
        costs = [_usd_mw(cause, end, blocks, chips_mw) for end in (0, 1, 2)]
        rows.append((measure, cause, power_w, *costs, _evidence(cause)))
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values(["usd_mw", "cause"], ignore_index=True)


def _usd_mw(cause: str, end: int, blocks: pd.DataFrame, chips_mw: float) -> float:
    """Return the cost per MW at the low end (0), as given (1) or at the high end (2)."""
    return sum(_price(part, end) for part in PARTS[cause]) * _bought(cause, blocks, chips_mw)


def _bought(cause: str, blocks: pd.DataFrame, chips_mw: float) -> float:
    """Return the MW (for the network: accelerators) to buy for one MW released."""
    if cause == "breaker":
        return float(blocks["built_w"].sum() / blocks["breaker"].sum())
    if cause == "granularity":
        missing_w = (blocks["rack_w"] - blocks["granularity"]).clip(lower=0.0)
        return float(missing_w.sum() / blocks["rack_w"].sum())
    return chips_mw if cause == "network" else 1.0


def _price(part: str, end: int) -> float:
    figure = catalog.load("facility", "power-unlocks")[part]
    low, high = figure["range"]
    return float((low, figure["value"], high)[end])


def _evidence(cause: str) -> str:
    found = [catalog.load("facility", "power-unlocks")[part]["evidence"] for part in PARTS[cause]]
    return "assumed" if "assumed" in found or not found else str(found[0])
