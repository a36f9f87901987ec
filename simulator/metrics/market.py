"""Price and carbon of imported energy, hour by hour where a series tells, else one figure."""

from __future__ import annotations

import pandas as pd

from simulator.results import Results

PRICE, CARBON = "price_usd_j", "carbon_kg_j"
CONSTANT = {PRICE: "energy_price_usd_j", CARBON: "carbon_kg_j"}
"""The one figure of `info` that holds where there is no series."""


def by_step(results: Results, quantity: str) -> pd.Series:
    """Return a quantity for every row of the site's series: that of the UTC hour it lies in."""
    time = results.timeseries["site"]["time"]
    if not _hourly(results):
        return pd.Series(float(results.info[CONSTANT[quantity]]), index=time.index)
    values = results.tables["market"].set_index("time")[quantity].astype(float)
    return pd.Series(values.reindex(time.dt.tz_convert("UTC").dt.floor("h")).to_numpy(), index=time.index)


def mean(results: Results, quantity: str) -> float:
    """Return the mean of a quantity over the imported energy; of constant figures the figure."""
    if not _hourly(results):
        return float(results.info[CONSTANT[quantity]])
    whole = pd.Series(0, index=results.timeseries["site"].index)
    return float(_weighted(results, quantity, whole).iloc[0])


def means(results: Results, quantity: str, group: pd.Series) -> pd.Series | float:
    """Return the same for every group of the site's rows; of constant figures the figure."""
    if not _hourly(results):
        return float(results.info[CONSTANT[quantity]])
    return _weighted(results, quantity, group)


def _weighted(results: Results, quantity: str, group: pd.Series) -> pd.Series:
    """Return the mean of each group over the imported energy; over time where nothing is imported."""
    poi_w, values = results.timeseries["site"]["poi_w"], by_step(results, quantity)
    weighted = (poi_w * values).groupby(group).sum() / poi_w.groupby(group).sum()
    return weighted.fillna(values.groupby(group).mean())


def _hourly(results: Results) -> bool:
    table = results.tables.get("market")
    return table is not None and not table.empty
