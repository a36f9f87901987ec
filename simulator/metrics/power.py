"""Power at the point of interconnection and below it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from simulator.metrics import balance, headroom
from simulator.metrics.kpi import JOULES_PER_MWH, WATTS_PER_MW, Kpi, ratio
from simulator.metrics.series import aggregate, period
from simulator.results import Results

DEMAND_WINDOW = "15min"
"""Utilities bill and plan on clock-aligned quarter hours."""


def power(results: Results, by: str | None = None, every: str | None = None) -> pd.DataFrame:
    """Return power in W by use for the site, or per hall with `by="element"`, period means."""
    table = aggregate(results, "site" if by is None else "hall", by, every)
    return table[[c for c in table if c in ("time", "element") or c.endswith("_w")]]


def demand_w(results: Results, window: str = DEMAND_WINDOW) -> pd.Series:
    """Return the mean import in W of each window, clock-aligned, indexed by its start."""
    site = results.timeseries["site"]
    return site.groupby(period(results, site["time"], window))["poi_w"].mean()


def monthly(results: Results, by: str | None = None, every: str | None = "MS") -> pd.DataFrame:
    """Return import per month: mean, lowest and largest quarter hour, largest minute, in W."""
    site = results.timeseries["site"]
    minutes = site.groupby(period(results, site["time"], every or "MS"))["poi_w"]
    demand = demand_w(results)
    quarters = demand.groupby(period(results, demand.index.to_series(), every or "MS"))
    return (
        pd.DataFrame(
            {
                "mean_w": minutes.mean(),
                "min_w": quarters.min(),
                "peak_w": quarters.max(),
                "peak_1min_w": minutes.max(),
            }
        )
        .rename_axis("time")
        .reset_index()
    )


def load_duration(
    results: Results, by: str | None = None, every: str | None = DEMAND_WINDOW
) -> pd.DataFrame:
    """Return import against the share of time it is reached or exceeded; `by="element"`: halls."""
    if by is not None:
        table = aggregate(results, "hall", by, every or "h")
        parts = [_exceedance(g["power_w"]).assign(element=n) for n, g in table.groupby(by)]
        return pd.concat(parts, ignore_index=True)
    return _exceedance(demand_w(results, every or DEMAND_WINDOW))


def kpis(results: Results) -> list[Kpi]:
    """Return the indicators of power and energy."""
    return [*_power(results), *_energy(results), *_fuel(results), *_hot_spot(results)]


def _exceedance(values: pd.Series) -> pd.DataFrame:
    ordered = np.sort(values.to_numpy(float))[::-1]
    return pd.DataFrame(
        {
            "exceeded_frac": np.arange(1, len(ordered) + 1) / len(ordered),
            "power_w": ordered,
        }
    )


def _power(results: Results) -> list[Kpi]:
    site = results.timeseries["site"]
    peak_w = float(demand_w(results).max())
    mean_w, it_w = float(site["poi_w"].mean()), float(site["it_w"].mean())
    terms = balance.energy(results)
    firm_w, limited_by = results.info["firm_w"], results.info["firm_limit"]
    return [
        _mw(
            "power.poi_peak",
            peak_w,
            "Largest 15-minute mean of the power imported at the point of interconnection, on "
            "clock-aligned quarter hours.",
        ),
        _mw(
            "power.poi_peak_1min",
            float(site["poi_w"].max()),
            "Largest 1-minute mean of the power imported at the point of interconnection.",
        ),
        _mw(
            "power.poi_mean",
            mean_w,
            "Power imported at the point of interconnection, averaged over the run.",
        ),
        _mw(
            "power.poi_firm",
            firm_w,
            "Import that survives the loss of any one line or main transformer and stays within "
            f"the import contract; set by {limited_by}.",
        ),
        _mw(
            "power.it_mean",
            it_w,
            "Power into racks (accelerator, CPU, storage and network racks, before their power "
            "shelves), averaged over the run.",
        ),
        headroom.headroom_kpi(results),
        headroom.stranded_kpi(results),
        Kpi(
            "power.pue_mean",
            ratio(terms["poi"] + terms["onsite"], terms["it"]),
            "1",
            "Energy imported plus energy generated on site, divided by the energy into racks, over "
            "the whole run; the boundary is the high-voltage side of the main transformers.",
        ),
        Kpi(
            "power.load_factor",
            ratio(mean_w, peak_w),
            "1",
            "Mean import divided by the largest 15-minute mean import of the run.",
        ),
    ]


def _energy(results: Results) -> list[Kpi]:
    terms = balance.energy(results)
    meanings = {
        "energy.poi": ("poi", "Energy imported at the point of interconnection over the run."),
        "energy.onsite": ("onsite", "Energy delivered by generators on site over the run."),
        "energy.it": ("it", "Energy into racks over the run, before their power shelves."),
        "energy.cooling": (
            "cooling",
            "Energy into pumps, fans, chillers and towers outside the racks.",
        ),
        "energy.house": ("house", "Energy into lights, controls and offices over the run."),
        "energy.electrical_losses": (
            "losses",
            (
                "Energy lost between the point of interconnection and the racks: lines, "
                "transformers, UPS, busways and storage conversion."
            ),
        ),
    }
    return [
        Kpi(name, terms[term] / JOULES_PER_MWH, "MWh", text)
        for name, (term, text) in meanings.items()
    ]


def _fuel(results: Results) -> list[Kpi]:
    """Return the fuel of generators; nothing without any, or for a folder of an older version."""
    table = results.tables.get("generators")
    if table is None or table.empty:
        return []
    text = "Fuel that the generators on site burnt over the run, at no load and for what they gave."
    return [Kpi("energy.generator_fuel", float(table["fuel_l"].sum()), "L", text)]


def _hot_spot(results: Results) -> list[Kpi]:
    """Return how hot the main transformers became; nothing for a folder of an older version."""
    table = results.tables.get("transformers")
    if table is None or table.empty:
        return []
    worst = table.loc[table["hot_spot_max_c"].astype(float).idxmax()]
    text = (
        "Hottest spot of the main transformers' windings, by the loading of the units in service and "
        f"the outdoor air; {100.0 * worst['life_used_frac']:.3f} % of the normal insulation life used."
    )
    return [Kpi("power.transformer_hot_spot_max", float(worst["hot_spot_max_c"]), "degC", text)]


def _mw(name: str, value_w: float, definition: str) -> Kpi:
    return Kpi(name, value_w / WATTS_PER_MW, "MW", definition)
