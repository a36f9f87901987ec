"""What the energy costs and emits, and what a unit of work takes of it."""

from __future__ import annotations

import pandas as pd

from simulator.metrics import balance, market
from simulator.metrics.fleet import USEFUL
from simulator.metrics.kpi import Kpi, ratio
from simulator.metrics.power import monthly
from simulator.metrics.series import period, step_s
from simulator.results import Results

TOKENS = 1e6
KILOGRAMS_PER_TONNE = 1000.0


def cost(results: Results, by: str | None = None, every: str | None = "MS") -> pd.DataFrame:
    """Return energy and demand charges in USD per month; `by="load"` splits the run's total.

    Loads are charged in proportion to the energy into their racks; racks of no load (support,
    idle) are charged to `other`.
    """
    if by == "load":
        return load_cost(results)
    site = results.timeseries["site"]
    month = period(results, site["time"], "MS")
    seconds = site.groupby(month).size() * step_s("site")
    price = market.means(results, market.PRICE, month)
    peaks_w = monthly(results).set_index("time")["peak_w"]
    table = pd.DataFrame(
        {
            "energy_usd": site["poi_w"].groupby(month).sum() * step_s("site") * price,
            "demand_usd": peaks_w * seconds * demand_price(results),
        }
    )
    return table.rename_axis("time").reset_index()


def demand_price(results: Results) -> float:
    """Return the demand charge in USD per watt of monthly peak and second, 0 if none."""
    return float(results.info.get("demand_charge_usd_w_s") or 0.0)


def energy_cost(results: Results) -> float:
    """Return the cost of the run's imported energy in USD, demand charges included."""
    energy_usd = balance.energy(results)["poi"] * market.mean(results, market.PRICE)
    demand_usd = float(cost(results)["demand_usd"].sum()) if demand_price(results) else 0.0
    return float(energy_usd + demand_usd)


def serving_loads(results: Results) -> set[str]:
    """Return the names of the loads that serve models."""
    hours = results.tables["hours"]
    named = set(hours.loc[hours["kind"].astype(str) == "inference", "load"].astype(str))
    return named | set(results.tables["pools"]["pool"].astype(str))


def kpis(results: Results) -> list[Kpi]:
    """Return the indicators of carbon and cost."""
    total_usd = energy_cost(results)
    hours = results.tables["hours"]
    useful_h = float(hours.loc[hours["category"].astype(str) == USEFUL, "accelerator_hours"].sum())
    carbon_kg = balance.energy(results)["poi"] * market.mean(results, market.CARBON)
    carbon = _told(results, "emissions", "carbon intensity", "the grid's carbon intensity")
    price = _told(results, "prices", "price", "its price")
    demand = (
        " and the demand charge on each calendar month's largest 15-minute mean"
        if demand_price(results)
        else "; the tariff has no demand charge"
    )
    rows = [
        Kpi(
            "carbon.location",
            carbon_kg / KILOGRAMS_PER_TONNE,
            "tCO2e",
            "Location-based emissions of the imported energy (energy at the point of "
            f"interconnection times {carbon}); generators on site and embodied "
            "carbon are not in it.",
        ),
        Kpi(
            "cost.energy",
            total_usd,
            "USD",
            f"Energy imported times {price}{demand}; capital and other costs are not in it.",
        ),
        Kpi(
            "cost.energy_per_useful_accelerator_hour",
            ratio(total_usd, useful_h),
            "USD",
            "Energy cost of the whole site divided by useful accelerator-hours of every chip.",
        ),
    ]
    return rows + _per_token(results, total_usd)


def _told(results: Results, key: str, what: str, constant: str) -> str:
    """Return whose figure it is: of each hour, or one for all."""
    return f"each hour's {what}" if key in results.info.get("series", ()) else constant


def _per_token(results: Results, total_usd: float) -> list[Kpi]:
    tokens = float(results.tables["pools"]["output_tokens"].sum())
    if tokens <= 0:
        return []
    loads = load_cost(results)
    serving_usd = float(loads.loc[loads["load"].isin(serving_loads(results)), "energy_usd"].sum())
    return [
        Kpi(
            "cost.energy_per_million_output_tokens",
            ratio(serving_usd * TOKENS, tokens),
            "USD",
            "Energy cost of serving divided by output tokens of all served models, in millions: the "
            "energy into the racks of the serving loads, times the site's PUE, at the run's mean cost "
            "of energy (demand charge included where there is one).",
        )
    ]


def load_cost(results: Results) -> pd.DataFrame:
    """Return the energy cost of every load in USD, by the energy into its racks; `other` is the rest."""
    total_usd, it_j = energy_cost(results), balance.energy(results)["it"]
    table = results.tables["load_energy"]
    shares = table.groupby(table["load"].astype(str), sort=False)["it_j"].sum()
    shares = shares / it_j if it_j else shares * 0.0
    charged = (shares * total_usd).rename("energy_usd").reset_index()
    other = pd.DataFrame(
        {"load": ["other"], "energy_usd": [total_usd - charged["energy_usd"].sum()]}
    )
    return pd.concat([charged, other], ignore_index=True)
