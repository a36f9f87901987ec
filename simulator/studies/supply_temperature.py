"""How warm the water to the cold plates should be: energy, water, and how near the chips come to their
throttle, from the runs of a sweep over `topology.cooling.supply`."""

import pandas as pd

from simulator.components.accelerator import Accelerator
from simulator.units import parse

SUPPLY, PLANT = "topology.cooling.supply", "topology.cooling.warm.kind"
TABLE = {
    "plant": "Kind of the warm plant; blank where it is no axis", "supply_c": "Water to the cold plates",
    "poi_mwh": "Imported energy", "cooling_mwh": "Plants, pumps and fans",
    "it_mwh": "Into the racks, leakage of the chips included", "pue": "Import over IT energy",
    "leakage_pct": "IT energy above that of the coldest water behind the same plant",
    "water_m3": "Evaporation and drift", "wue_l_kwh": "The same per IT energy",
    "junction_max_c": "Hottest junction of the run", "margin_k": "From there to where clocks begin to fall",
    "throttled_h": "Accelerator-hours with clocks below their own",
}  # fmt: skip
"""Columns of the table."""
KPIS = {
    "energy.poi": "poi_mwh", "energy.cooling": "cooling_mwh", "energy.it": "it_mwh",
    "power.pue_mean": "pue", "cooling.water_consumed": "water_m3", "cooling.wue": "wue_l_kwh",
    "thermal.junction_max": "junction_max_c", "thermal.throttled_accelerator_hours": "throttled_h",
}  # fmt: skip


def table(runs: pd.DataFrame, chip: Accelerator) -> pd.DataFrame:
    """Return one row per plant and supply temperature, columns `TABLE`, means over replicates.

    Parameters
    ----------
    runs : the rows of a sweep's `runs.parquet`
    chip : the accelerator whose throttle the margin is taken to
    """
    done = runs[runs["status"] == "done"]
    plant = done[PLANT] if PLANT in done else pd.Series("", done.index)
    told = done[list(KPIS)].rename(columns=KPIS).astype(float)
    told["plant"] = plant.astype(str)
    told["supply_c"] = [parse(str(text), "degC") for text in done[SUPPLY]]
    told = told.groupby(["plant", "supply_c"], sort=True).mean().reset_index()
    coldest = told.groupby("plant")["it_mwh"].transform("first")
    told["leakage_pct"] = 100.0 * (told["it_mwh"] / coldest - 1.0)
    told["margin_k"] = chip.throttle_start - told["junction_max_c"]
    return told[list(TABLE)]
