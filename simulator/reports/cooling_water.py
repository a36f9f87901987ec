"""Page: what cooling takes as the weather changes, and the water it evaporates."""

import numpy as np
import pandas as pd

from simulator.metrics import thermal
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    FULL,
    HALF,
    LINES,
    ORANGE,
    PALETTE,
    SKY,
    canvas,
    dark,
    end_labels,
    heading,
    label,
    note,
    thousands,
)

BIN_C = 1.0
TIMES = {"MS": "month", "7D": "week", "D": "day", "h": "hour"}


def page(run: Run) -> Page:
    """Return the page on cooling and water."""
    hot = run.hourly.nlargest(max(len(run.hourly) // 100, 1), "dry_bulb_c")
    share = run.hourly["cooling_w"].sum() / run.hourly["it_w"].sum()
    hot_share = hot["cooling_w"].sum() / hot["it_w"].sum()
    water_m3, wue = run.value("cooling.water_consumed"), run.value("cooling.wue")
    throttled = run.value("thermal.throttled_accelerator_hours")
    trips = _heat_trips(run)
    return Page(
        "cooling-water",
        "Cooling and water",
        f"Cooling takes {wording.percent(share)} of rack power on average and "
        f"{wording.percent(hot_share)} in the hottest 1 % of hours; the run evaporates "
        f"{wording.large(water_m3)} m³, {wording.number(wue, 2)} litres per kWh of rack energy",
        (
            (
                f"Weather: {run.info['weather']}, "
                f"{run.hourly['dry_bulb_c'].min():.1f} to {run.hourly['dry_bulb_c'].max():.1f} °C dry "
                f"bulb, up to {run.hourly['wet_bulb_c'].max():.1f} °C wet bulb. The hottest chip "
                f"reached {wording.number(run.value('thermal.junction_max'))} °C, and heat slowed "
                + (
                    f"accelerators by {wording.large(throttled)} accelerator-hours."
                    if throttled
                    else "none."
                )
                + (
                    f" {trips} blocks switched off at their chips' shutdown temperature, mostly "
                    "after losing their coolant flow."
                    if trips
                    else ""
                )
            ),
        ),
        (against_weather(run), supply(run), water(run)),
        (TableSpec("Coolant loops", _loops(run)),),
    )



def _heat_trips(run: Run) -> int:
    """Return how often a block's chips switched themselves off."""
    events = run.results[0].events
    return int(((events["kind"] == "trip") & (events["cause"] != "overload")).sum())


def against_weather(run: Run) -> FigureSpec:
    """Draw cooling power as a share of rack power against outdoor dry bulb."""
    hourly = run.hourly
    data = _by_temperature(100 * hourly["cooling_w"] / hourly["it_w"], hourly["dry_bulb_c"])
    fig, ax = canvas(HALF, 2.8)
    ax.fill_between(
        data["temperature_c"],
        data["min"],
        data["max"],
        color=SKY,
        alpha=0.45,
        linewidth=0,
        step=None,
    )
    ax.plot(data["temperature_c"], data["mean"], color=BLUE)
    ax.set_ylim(0, None)
    heading(ax, "Cooling power, % of rack power")
    label(ax, "Outdoor dry bulb (°C)")
    low, high = data.iloc[0], data.iloc[-1]
    return FigureSpec(
        fig,
        "cooling-against-weather",
        f"Cooling power rises from {low['mean']:.1f} % of rack power at "
        f"{low['temperature_c']:.0f} °C to {high['mean']:.1f} % at {high['temperature_c']:.0f} °C "
        "dry bulb.",
        data.rename(columns={c: f"{c}_percent" for c in ("min", "mean", "max")}),
        "Mean and range of hourly means, in steps of 1 °C.",
    )


def supply(run: Run) -> FigureSpec:
    """Draw the supply temperature of each kind of loop against outdoor temperature."""
    loops = thermal.cooling(run.first, by="element", every="h")
    outdoor_c = loops["time"].map(run.hourly.set_index("time")["dry_bulb_c"])
    kind = loops["element"].map(_kinds(run))
    fig, ax = canvas(HALF, 2.8)
    parts = []
    for i, (name, own) in enumerate(loops["supply_c"].groupby(kind, sort=False)):
        data = _by_temperature(own, outdoor_c[own.index])
        color, x = PALETTE[i % len(PALETTE)], data["temperature_c"]
        ax.fill_between(x, data["min"], data["max"], color=color, alpha=0.2, linewidth=0)
        ax.plot(x, data["mean"], color=color, linestyle=LINES[i % len(LINES)])
        left = data["max"].iloc[: len(data) // 2 + 1].max()
        note(ax, x.iloc[0], left, f"{name} loops", dark(color), va="bottom", fontweight="bold")
        parts.append(data.assign(loops=name))
    ax.margins(y=0.18)
    heading(ax, "Supply temperature (°C)")
    label(ax, "Outdoor dry bulb (°C)")
    data = pd.concat(parts, ignore_index=True)
    warmest = data.loc[data["max"].idxmax()]
    return FigureSpec(
        fig,
        "supply-against-weather",
        f"Supply temperature of {loops['element'].nunique()} coolant loops against outdoor dry "
        f"bulb. The warmest hour is {warmest['max']:.1f} °C in the {warmest['loops']} loops at "
        f"{warmest['temperature_c']:.0f} °C outdoors.",
        data.rename(columns={c: f"supply_{c}_c" for c in ("min", "mean", "max")}),
        "Mean and range of hourly means, in steps of 1 °C.",
    )


def _kinds(run: Run) -> dict[str, str]:
    """Return the kind of each loop, as the plant table names it."""
    plant = run.first.tables["plant"]
    loops = plant[plant["level"].astype(str) == "loop"]
    return dict(
        zip(loops["element"].astype(str), loops["kind"].astype(str).map(wording.plain), strict=True)
    )


def _by_temperature(values: pd.Series, outdoor_c: pd.Series) -> pd.DataFrame:
    steps = (np.floor(outdoor_c / BIN_C) + 0.5) * BIN_C
    return (
        values.groupby(steps).agg(["min", "mean", "max"]).rename_axis("temperature_c").reset_index()
    )


def water(run: Run) -> FigureSpec:
    """Draw water consumed and blown down by month."""
    every = run.bars
    data = thermal.water(run.first, every=every)
    fig, ax = canvas(FULL, 2.5)
    x = range(len(data))
    ax.bar(x, data["consumed_m3"], color=BLUE, width=0.7, edgecolor="white")
    ax.bar(
        x,
        data["blowdown_m3"],
        bottom=data["consumed_m3"],
        color=ORANGE,
        width=0.7,
        hatch="///",
        edgecolor="white",
    )
    names = [
        f"{t:%b}" if every == "MS" else f"{t:%H}" if every == "h" else f"{t:%d %b}"
        for t in data["time"]
    ]
    stride = max(1, len(names) // 14 + (len(names) % 14 > 0)) if len(names) > 14 else 1
    ax.set_xticks(list(x)[::stride], names[::stride])
    ends = [
        (float(data["consumed_m3"].iloc[-1]) / 2, "consumed", BLUE),
        (
            float(data["consumed_m3"].iloc[-1] + data["blowdown_m3"].iloc[-1] / 2),
            "blown down",
            ORANGE,
        ),
    ]
    end_labels(ax, ends, 0.12)
    heading(ax, f"Water per {TIMES[every]} (m³)")
    label(ax)
    thousands(ax.yaxis)
    worst = data.loc[data["consumed_m3"].idxmax()]
    return FigureSpec(
        fig,
        "water",
        f"Stacked bars of water by {TIMES[every]}: consumption peaks at "
        f"{worst['consumed_m3']:,.0f} m³ in the {TIMES[every]} from {wording.day(worst['time'])}; "
        f"blowdown adds {100 * data['blowdown_m3'].sum() / data['consumed_m3'].sum():.0f} %.",
        data,
        f"Water by {TIMES[every]}. Consumed is evaporated and drifted; withdrawn is both.",
    )


def _loops(run: Run) -> pd.DataFrame:
    """Return one row per kind of loop."""
    table = thermal.cooling(run.first, by="element")
    table["kind"] = table["element"].map(_kinds(run))
    rows = [
        {
            "Loops": wording.sentence(str(kind)),
            "Count": f"{len(own):,}",
            "Mean heat": wording.power(own["heat_w"].sum()),
            "Mean plant power": wording.power(own["power_w"].sum()),
            "Mean supply": f"{own['supply_c'].mean():.1f} °C",
            "Warmest": f"{own['supply_max_c'].max():.1f} °C",
            "In": str(own.loc[own["supply_max_c"].idxmax(), "element"]),
        }
        for kind, own in table.groupby("kind", sort=False)
    ]
    return pd.DataFrame(rows)
