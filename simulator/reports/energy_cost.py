"""Page: what the energy costs, and what a unit of work takes of it."""

from functools import partial

import pandas as pd

from simulator.metrics import cost
from simulator.metrics.kpi import ratio
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    FULL,
    GREEN,
    ORANGE,
    canvas,
    heading,
    label,
    legend,
    note,
    thousands,
)

LOADS_DRAWN = 8
LISTED = 9
TRACE = 1e-6


def page(run: Run) -> Page:
    """Return the page on the cost of energy."""
    total, energy = run.value("cost.energy"), run.value("energy.poi")
    per_hour = run.value("cost.energy_per_useful_accelerator_hour")
    per_tokens = run.value("cost.energy_per_million_output_tokens")
    tokens = f" and {wording.dollars(per_tokens)} per million output tokens" if per_tokens else ""
    per_mwh = ratio(total or 0.0, energy or 0.0)
    return Page(
        "energy-cost",
        "Cost of energy",
        f"Energy costs {wording.dollars(total)}, which is {wording.dollars(per_hour)} per useful "
        f"accelerator-hour{tokens}",
        (
            (
                f"{wording.large(energy)} MWh imported at {wording.dollars(per_mwh)} per MWh on "
                f"average, {_tariff(run)}. They emit {wording.large(run.value('carbon.location'))} tonnes "
                "of CO₂ equivalent by the location-based method. Capital, staff, land and network are "
                "not in any of these figures."
            ),
        ),
        (monthly(run), by_load(run)),
        (TableSpec("Unit costs of energy", _table(run)),),
    )


def _tariff(run: Run) -> str:
    if not cost.demand_price(run.first):
        return "without a demand charge"
    table = run.averaged(cost.cost, ["time"])
    share = table["demand_usd"].sum() / table[["energy_usd", "demand_usd"]].to_numpy().sum()
    return f"{wording.percent(share, 0)} of it a demand charge on each month's peak"


def monthly(run: Run) -> FigureSpec:
    """Draw the cost of each month, energy and demand."""
    data = run.averaged(cost.cost, ["time"])
    fig, ax = canvas(FULL, 2.3)
    x = range(len(data))
    scale, unit = (1e6, "million USD") if data["energy_usd"].max() > 2e6 else (1e3, "thousand USD")
    ax.bar(x, data["energy_usd"] / scale, color=BLUE, width=0.66, label="energy", edgecolor="white")
    if data["demand_usd"].any():
        ax.bar(
            x,
            data["demand_usd"] / scale,
            bottom=data["energy_usd"] / scale,
            color=ORANGE,
            width=0.66,
            hatch="///",
            label="demand charge",
            edgecolor="white",
        )
    totals = (data["energy_usd"] + data["demand_usd"]) / scale
    for i, value in zip(x, totals, strict=True):
        note(ax, i, value, wording.number(value), ha="center", va="bottom")
    ax.set_xticks(
        list(x),
        [
            f"{t:%b\n%Y}" if i == 0 or t.month == 1 else f"{t:%b}"
            for i, t in enumerate(data["time"])
        ],
    )
    ax.set_xlim(-0.6, max(len(data) - 0.4, 3.6))
    ax.margins(y=0.15)
    heading(ax, f"Cost of imported energy ({unit} per month)")
    label(ax)
    thousands(ax.yaxis)
    if data["demand_usd"].any():
        legend(fig, ax, "lower left", 2)
    worst = data.loc[totals.idxmax()]
    return FigureSpec(
        fig,
        "cost-monthly",
        f"Stacked bars of energy cost by month; the largest is {worst['time']:%B %Y} with "
        f"{wording.dollars(float(worst['energy_usd'] + worst['demand_usd']))}.",
        data,
        "Cost of imported energy by calendar month (a first or last month may be partial)"
        f"{run.as_means}.",
    )


def by_load(run: Run) -> FigureSpec:
    """Draw the energy cost each load is charged."""
    data = run.averaged(partial(cost.cost, by="load"), ["load"]).sort_values("energy_usd", ascending=False)
    total = float(data["energy_usd"].sum())
    data = data[data["energy_usd"] > TRACE * total]
    shown = data.head(LOADS_DRAWN).iloc[::-1]
    fig, ax = canvas(FULL, 0.7 + 0.23 * len(shown))
    ax.barh(range(len(shown)), 100 * shown["energy_usd"] / total, color=GREEN, height=0.66)
    ax.set_yticks(range(len(shown)), [wording.plain(n) for n in shown["load"]])
    for y, value in enumerate(shown["energy_usd"]):
        note(ax, 100 * value / total, y, wording.dollars(float(value)), right_pt=4)
    ax.set_xlim(0, 115 * float(shown["energy_usd"].max()) / total)
    heading(ax, "Energy cost by load, % of the total")
    label(ax, grid="x")
    parts = ", ".join(
        f"{r.load} {wording.dollars(r.energy_usd)}" for r in data.head(LOADS_DRAWN).itertuples()
    )
    return FigureSpec(
        fig,
        "cost-by-load",
        f"Bars of energy cost by load: {parts}.",
        data,
        f"Charged in proportion to the energy into each load's racks{run.as_means}.",
    )


def _table(run: Run) -> pd.DataFrame:
    by_load_usd = run.averaged(partial(cost.cost, by="load"), ["load"]).set_index("load")["energy_usd"].nlargest(LISTED)
    hours = run.table("hours", ["load", "kind", "accelerator", "category"])
    useful = hours[hours["category"].astype(str) == "useful"]
    useful_h = useful.groupby(useful["load"].astype(str))["accelerator_hours"].sum()
    tokens = run.table("pools", ["pool"]).set_index("pool")["output_tokens"]
    rows = [
        (
            wording.plain(load),
            wording.dollars(float(usd)),
            wording.large(float(useful_h.get(load, 0.0))),
            wording.dollars(ratio(float(usd), float(useful_h.get(load, 0.0)))),
            wording.dollars(ratio(1e6 * float(usd), float(tokens.get(load, 0.0)))),
        )
        for load, usd in by_load_usd.items()
        if useful_h.get(load, 0.0) > 0
    ]
    columns = ["Load", "Energy cost", "Useful hours", "Per useful hour", "Per million tokens out"]
    table = pd.DataFrame(rows, columns=columns)
    return table if any(tokens.get(load) for load in by_load_usd) else table[columns[:-1]]
