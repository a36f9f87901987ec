"""Page: the water that heat rejection takes from the site's supply, by day, by weather, by loop."""

import numpy as np
import pandas as pd

from simulator.metrics import derating, modes, thermal
from simulator.metrics.kpi import KILOGRAMS_PER_M3
from simulator.metrics.thermal import JOULES_PER_KWH
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    FULL,
    HALF,
    INK,
    ORANGE,
    SKY,
    VERMILLION,
    canvas,
    dark,
    end_labels,
    heading,
    label,
    note,
    period_names,
    thousands,
)
from simulator.results import Results

BIN_C = 1.0
HOUR_S = 3600.0
BOUNDARY = (
    "The boundary is the site: consumed is what evaporates and drifts from heat rejection and what humidifies "
    "outdoor air let into halls, withdrawn adds what is blown down to keep salts in bounds. Water used where "
    "the electricity is generated and by people is outside it. Water per rack energy counts what is consumed."
)
TIMES = {"MS": "month", "7D": "week", "D": "day", "h": "hour"}
LEAST_DAYS = 5.0
"""Runs below this are told by the hour, not by the day."""


def taken(run: Run) -> bool:
    """Return whether any plant takes water; a site of dry plants is told on the page on cooling."""
    return bool(run.value("cooling.water_withdrawn"))


def page(run: Run) -> Page:
    """Return the page on water."""
    every = _every(run)
    days = withdrawn(run, every)
    worst = days["withdrawn_m3"].idxmax()
    most_m3 = run.value(f"cooling.water_peak_{TIMES[every]}")
    return Page(
        "water",
        "Water",
        f"Heat rejection withdraws {wording.large(run.value('cooling.water_withdrawn'))} m³ and consumes "
        f"{wording.number(run.value('cooling.wue'))} litres per kWh of rack energy; the {TIMES[every]} that takes "
        f"most is {_when(worst, every)} with {wording.number(most_m3)} m³",
        (BOUNDARY, *_drought(run)),
        (by_time(run), duration(run, days), against_wet_bulb(run)),
        (TableSpec("Where water goes", _loops(run)),),
    )


def _every(run: Run) -> str:
    return "D" if run.days >= LEAST_DAYS else "h"


def _when(time: pd.Timestamp, every: str) -> str:
    return wording.day(time) if every == "D" else f"{time:%H:%M} on {wording.day(time)}"


def withdrawn(run: Run, every: str) -> pd.DataFrame:
    """Return water in m3 by period: consumed, blown down, withdrawn, and P10 and P90 over replicates of
    the last."""
    parts = {
        name: run.across(lambda results, c=column: _volume(results, every)[c])  # type: ignore[misc]
        for name, column in (("consumed_m3", "consumed_m3"), ("blowdown_m3", "blowdown_m3"),
                             ("withdrawn_m3", "withdrawn_m3"))
    }  # fmt: skip
    table = pd.DataFrame({name: part["mean"] for name, part in parts.items()})
    return table.assign(p10_m3=parts["withdrawn_m3"]["low"], p90_m3=parts["withdrawn_m3"]["high"])


def _volume(results: Results, every: str) -> pd.DataFrame:
    table = thermal.water(results, every=every).set_index("time")
    return table.assign(withdrawn_m3=table["consumed_m3"] + table["blowdown_m3"])


def _drought(run: Run) -> tuple[str, ...]:
    """Return what droughts there were, if any."""
    spells = pd.concat([results.events for results in run.results])
    spells = spells[spells["kind"].astype(str) == "drought"]
    if spells.empty:
        return ()
    count = len(spells) / len(run.results)
    hours = float(spells["duration_s"].fillna(0.0).sum()) / 3600.0 / len(run.results)
    per = " per replicate" if len(run.results) > 1 else ""
    return (
        f"Water was short {wording.number(count)} times{per}, {wording.number(hours)} hours in all: plants then "
        "ran dry, or their loops warmed up.",
    )


def by_time(run: Run) -> FigureSpec:
    """Draw water consumed and blown down by month, or by a shorter period of a shorter run."""
    every = run.bars
    data = withdrawn(run, every)
    fig, ax = canvas(FULL, 2.2)
    x = np.arange(len(data))
    ax.bar(x, data["consumed_m3"], color=BLUE, width=0.7, edgecolor="white")
    ax.bar(x, data["blowdown_m3"], bottom=data["consumed_m3"], color=ORANGE, width=0.7, hatch="///",
           edgecolor="white")  # fmt: skip
    if len(run.results) > 1:
        ax.vlines(x, data["p10_m3"], data["p90_m3"], color=INK, linewidth=1.2)
    ax.set_xticks(*period_names(data.index, every))
    last = data.iloc[-1]
    ends = [(float(last["consumed_m3"]) / 2, "consumed", BLUE)]
    if data["blowdown_m3"].sum() > 0:
        ends.append((float(last["consumed_m3"] + last["blowdown_m3"] / 2), "blown down", ORANGE))
    end_labels(ax, ends, 0.12)
    heading(ax, f"Water withdrawn per {TIMES[every]} (m³)")
    label(ax)
    thousands(ax.yaxis)
    worst = data["withdrawn_m3"].idxmax()
    bars = "; lines: P10 to P90 of replicates" if len(run.results) > 1 else ""
    return FigureSpec(
        fig,
        "water",
        f"Stacked bars of water by {TIMES[every]}: withdrawal is largest, "
        f"{wording.number(data.at[worst, 'withdrawn_m3'])} m³, in the {TIMES[every]} from {_when(worst, every)}; "
        f"blowdown is {wording.percent(data['blowdown_m3'].sum() / data['withdrawn_m3'].sum(), 0)} of it all.",
        data.reset_index(),
        f"Water by {TIMES[every]}{bars}. A first or last {TIMES[every]} may be cut short by the run.",
    )


def duration(run: Run, days: pd.DataFrame) -> FigureSpec:
    """Draw in what share of days how much water is withdrawn."""
    every = _every(run)
    frac = np.linspace(0.0, 1.0, 101)
    curves = [np.quantile(_volume(r, every)["withdrawn_m3"], 1.0 - frac) for r in run.results]
    p10, middle, p90 = np.quantile(curves, [0.1, 0.5, 0.9], axis=0)
    fig, ax = canvas(HALF, 2.3)
    ax.fill_between(100 * frac, p10, p90, color=SKY, alpha=0.45, linewidth=0)
    ax.plot(100 * frac, middle, color=BLUE)
    worst = days["withdrawn_m3"].idxmax()
    note(ax, 3, float(middle[0]), f"{worst:%d %b %H:%M}" if every == "h" else f"{worst:%d %b %Y}",
         dark(VERMILLION), va="bottom")  # fmt: skip
    ax.set_xlim(0, 100)
    ax.set_ylim(0, 1.18 * float(p90.max()))
    heading(ax, f"Water withdrawn (m³ per {TIMES[every]})")
    label(ax, f"Share of {TIMES[every]}s reached or exceeded (%)")
    thousands(ax.yaxis)
    return FigureSpec(
        fig,
        "water-duration",
        f"Duration curve of water withdrawn per {TIMES[every]}: at most {wording.number(float(p90[0]))} m³, over "
        f"{wording.number(float(middle[50]))} m³ in half of the {TIMES[every]}s and never below "
        f"{wording.number(float(p10[-1]))} m³.",
        pd.DataFrame({"exceeded_frac": frac, "p10_m3": p10, "p50_m3": middle, "p90_m3": p90}),
        f"Water withdrawn per {TIMES[every]} of the campus’s clock"
        + (" (median and P10–P90 of replicates)." if len(run.results) > 1 else "."),
    )


def against_wet_bulb(run: Run) -> FigureSpec:
    """Draw water consumed per rack energy against wet bulb."""
    hours = pd.concat([_per_energy(results) for results in run.results])
    steps = (np.floor(hours["wet_bulb_c"] / BIN_C) + 0.5) * BIN_C
    data = hours["wue_l_kwh"].groupby(steps).agg(["min", "mean", "max"])
    data = data.rename_axis("wet_bulb_c").reset_index()
    fig, ax = canvas(HALF, 2.3)
    ax.fill_between(data["wet_bulb_c"], data["min"], data["max"], color=SKY, alpha=0.45, linewidth=0)
    ax.plot(data["wet_bulb_c"], data["mean"], color=BLUE, marker="o" if len(data) < 4 else "", markersize=4)
    ax.set_ylim(0, None)
    heading(ax, "Water consumed (L/kWh of rack energy)")
    label(ax, "Outdoor wet bulb (°C)")
    low, high = data.iloc[0], data.iloc[-1]
    return FigureSpec(
        fig,
        "water-against-wet-bulb",
        f"Water consumed per rack energy is {low['mean']:.2f} L/kWh at {low['wet_bulb_c']:.0f} °C wet bulb and "
        f"{high['mean']:.2f} L/kWh at {high['wet_bulb_c']:.0f} °C.",
        data.rename(columns={c: f"{c}_l_kwh" for c in ("min", "mean", "max")}),
        "Mean and range of hours, per degree.",
    )


def _per_energy(results: Results) -> pd.DataFrame:
    """Return litres consumed per kWh into racks of the hours that count."""
    hours = derating.derating(results)
    site = results.timeseries["site"]
    first = np.arange(0, len(site), 60)
    flow = np.add.reduceat(site["evaporation_kg_s"].to_numpy(float), first) / np.diff([*first, len(site)])
    hours["wue_l_kwh"] = JOULES_PER_KWH * flow / hours["it_w"].where(hours["working"])
    return hours.dropna(subset="wue_l_kwh")[["wet_bulb_c", "wue_l_kwh"]]


def _loops(run: Run) -> pd.DataFrame:
    """Return one row per kind of loop with heat, means of the replicates."""
    tables = [modes.loops_with_heat(results) for results in run.results]
    volumes = [_consumed(results, table) for results, table in zip(run.results, tables, strict=True)]
    hours = pd.concat([t.assign(consumed_m3=v) for t, v in zip(tables, volumes, strict=True)])
    total_m3 = hours["consumed_m3"].sum()
    rows = []
    for kind, own in hours.groupby("kind", sort=False):
        consumed_m3, heat_kwh = own["consumed_m3"].sum(), own["heat_w"].sum() * HOUR_S / JOULES_PER_KWH
        rows.append(
            {
                "Loops": wording.sentence(str(kind)),
                "Consumed": f"{wording.large(consumed_m3 / len(run.results))} m³",
                "Share": wording.percent(consumed_m3 / total_m3 if total_m3 else 0.0, 0),
                "Per heat": f"{wording.number(1000.0 * consumed_m3 / heat_kwh)} L/kWh",
                "Takes most": str(own.groupby("element")["consumed_m3"].sum().idxmax())
                if consumed_m3 else "none, its plants are dry",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _consumed(results: Results, loops: pd.DataFrame) -> pd.Series:
    """Return water consumed in m3 by loop and hour; the last hour of a run may be short."""
    hours = pd.Series(HOUR_S, index=loops.index)
    short_s = results.info["duration_s"] % HOUR_S
    if short_s:
        hours[loops["time"] == loops["time"].max()] = short_s
    return loops["evaporation_kg_s"] * hours / KILOGRAMS_PER_M3
