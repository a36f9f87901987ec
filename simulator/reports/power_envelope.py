"""Page: how much power the campus takes, for how long, and from what nameplate."""

from functools import partial

import numpy as np
import pandas as pd

from simulator.metrics import power
from simulator.metrics.series import period
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SKY,
    VERMILLION,
    canvas,
    dark,
    heading,
    label,
    note,
    thousands,
)

CURVE_POINTS = 400
PERIODS = {"MS": "Month", "7D": "Week from", "D": "Day"}
MOST_ROWS = 13
"""Days that the table of import holds; of longer runs it tells weeks, or months."""
DROP_LAST_DAYS = 2.0
"""A last month shorter than this is a remainder, not a month to plan on."""


def page(run: Run) -> Page:
    """Return the page on the power envelope."""
    peak, firm = run.value("power.poi_peak"), run.value("power.poi_firm")
    factor = run.value("power.load_factor")
    curve, fall = load_duration(run), waterfall(run)
    steps = fall.data.set_index("step")["power_w"]
    drawn = float(steps["IT at peak"] / steps["Rack nameplate"])
    return Page(
        "power-envelope",
        "Power envelope",
        f"Import peaks at {wording.megawatts(peak)}, "
        f"{wording.percent((peak or 0) / firm if firm else None, 0)} of the firm "
        f"{wording.megawatts(firm)}, with a load factor of {number_or_dash(factor)}",
        (
            (
                f"Racks carry {wording.power(steps['Rack nameplate'])} of nameplate and draw "
                f"{wording.percent(drawn, 0)} of it in the peak minute. Cooling, house load and "
                "electrical losses come on top. The table is what an interconnection request needs."
            ),
        ),
        (curve, fall),
        (
            TableSpec(
                f"Import by {PERIODS[_table_period(run)].split()[0].lower()} (local standard time),"
                f" {wording.power_scale(float(run.info['firm_w'])).unit}",
                months(run),
            ),
        ),
    )


def number_or_dash(value: float | None) -> str:
    """Return a ratio with two places."""
    return wording.MISSING if value is None else f"{value:.2f}"


def load_duration(run: Run) -> FigureSpec:
    """Draw import against the share of time it is reached, band P10 to P90 over replicates."""
    data = _curves(run)
    firm_w = float(run.info["firm_w"])
    scale = wording.power_scale(firm_w)
    fig, ax = canvas(height_in=2.2)
    x = 100 * data["exceeded_frac"]
    if len(run.results) > 1:
        ax.fill_between(
            x,
            data["p10_w"] / scale.factor,
            data["p90_w"] / scale.factor,
            color=SKY,
            alpha=0.5,
            linewidth=0,
        )
    ax.plot(x, data["p50_w"] / scale.factor, color=BLUE)
    ax.axhline(firm_w / scale.factor, color=VERMILLION, linestyle="--")
    note(
        ax,
        99,
        firm_w / scale.factor,
        f"firm import {wording.power(firm_w)}",
        dark(VERMILLION),
        ha="right",
        va="bottom",
    )
    low = float(data["p10_w"].min() / scale.factor)
    low = 0.9 * low if low > 0.4 * firm_w / scale.factor else 0.0
    high = max(firm_w, float(data["p90_w"].max())) / scale.factor
    ax.set_xlim(0, 100)
    ax.set_ylim(low, high + 0.14 * (high - low))
    heading(ax, f"Import, 15-minute mean ({scale.unit})")
    label(ax, "Share of time reached or exceeded (%)")
    thousands(ax.yaxis)
    at = {q: float(np.interp(q, data["exceeded_frac"], data["p50_w"])) for q in (0.01, 0.5, 0.95)}
    return FigureSpec(
        fig,
        "load-duration",
        f"Load-duration curve of import. It exceeds {wording.power(at[0.01])} for 1 % of the time, "
        f"{wording.power(at[0.5])} for half of it and {wording.power(at[0.95])} for 95 %, against "
        f"a firm import of {wording.power(firm_w)}.",
        data,
        "Load-duration curve of import at the point of interconnection"
        + (" (median and P10–P90 of replicates)." if len(run.results) > 1 else ".")
        + (" The vertical axis does not start at zero." if ax.get_ylim()[0] > 0 else ""),
    )


def _curves(run: Run) -> pd.DataFrame:
    frac = np.linspace(0.0, 1.0, CURVE_POINTS)
    curves = []
    for results in run.results:
        curve = power.load_duration(results)
        curves.append(np.interp(frac, curve["exceeded_frac"], curve["power_w"]))
    p10, p50, p90 = np.quantile(curves, [0.1, 0.5, 0.9], axis=0)
    return pd.DataFrame({"exceeded_frac": frac, "p10_w": p10, "p50_w": p50, "p90_w": p90})


def waterfall(run: Run) -> FigureSpec:
    """Draw the steps from rack nameplate to firm import, at the minute of the largest import."""
    data = _steps(run)
    scale = wording.power_scale(float(data["power_w"].abs().max()))
    fig, ax = canvas(height_in=2.3)
    colors = {"total": BLUE, "down": GREY, "up": ORANGE, "room": GREEN, "over": VERMILLION}
    bottoms, heights = data["from_w"] / scale.factor, data["power_w"] / scale.factor
    hatched = data["kind"].isin(["down", "room", "over"])
    color = data["kind"].map(colors)
    ax.bar(
        range(len(data)),
        heights,
        bottom=bottoms,
        width=0.62,
        color=color,
        hatch=["///" if h else "" for h in hatched],
        edgecolor=color.where(~hatched, "white"),
        linewidth=0.8,
    )
    tops = np.maximum(bottoms, bottoms + heights)
    for i, (top, value, kind) in enumerate(zip(tops, heights, data["kind"], strict=True)):
        sign = "" if kind == "total" else "−" if value < 0 else "+"
        note(ax, i, top, f"{sign}{wording.number(abs(value))}", ha="center", va="bottom")
    ax.set_xticks(range(len(data)), [s.replace(" ", "\n", 1) for s in data["step"]])
    ax.set_ylim(0, 1.13 * float(tops.max()))
    heading(ax, f"Power ({scale.unit})")
    label(ax)
    thousands(ax.yaxis)
    steps = ", ".join(
        f"{s} {wording.power(v)}" for s, v in zip(data["step"], data["power_w"], strict=True)
    )
    return FigureSpec(
        fig,
        "waterfall",
        f"Waterfall from rack nameplate to firm import: {steps}.",
        data,
        "From rack nameplate to import in the peak minute, and the room left "
        "under the firm import.",
        of_first=True,
    )


def _steps(run: Run) -> pd.DataFrame:
    """Return the steps in W, all in the minute of the largest import."""
    site, racks = run.first.timeseries["site"], run.first.tables["racks"]
    at = site.loc[site["poi_w"].idxmax()]
    nameplate_w = float((racks["racks"] * racks["nameplate_w"]).sum())
    firm_w = float(run.info["firm_w"])
    rows: list[tuple[str, str, float, float]] = [("Rack nameplate", "total", 0.0, nameplate_w)]
    rows.append(("Not drawn", "down", nameplate_w, float(at["it_w"]) - nameplate_w))
    rows.append(("IT at peak", "total", 0.0, float(at["it_w"])))
    level = float(at["it_w"])
    adders = {"Cooling": at["cooling_w"], "House": at["house_w"], "Losses": at["losses_w"]}
    net_w = float(at["battery_w"] - at["onsite_w"])
    if abs(net_w) > 1e-3 * firm_w:
        adders["Storage, generators"] = net_w
    for step, value in adders.items():
        rows.append((step, "up" if value >= 0 else "down", level, float(value)))
        level += float(value)
    rows.append(("Peak import", "total", 0.0, float(at["poi_w"])))
    room_w = firm_w - float(at["poi_w"])
    rows.append(
        (
            "Headroom" if room_w >= 0 else "Above firm",
            "room" if room_w >= 0 else "over",
            float(at["poi_w"]),
            room_w,
        )
    )
    rows.append(("Firm import", "total", 0.0, firm_w))
    return pd.DataFrame(rows, columns=["step", "kind", "from_w", "power_w"])


def months(run: Run) -> pd.DataFrame:
    """Return the table of import by month, or by week or day in a shorter run."""
    every = _table_period(run)
    table = run.averaged(partial(power.monthly, every=every), ["time"])
    site = run.first.timeseries["site"]
    minutes = site.groupby(period(run.first, site["time"], every)).size()
    table = table[minutes.to_numpy() * 60 >= (DROP_LAST_DAYS * 86_400 if every == "MS" else 0)]
    firm_w = float(run.info["firm_w"])
    scale = wording.power_scale(firm_w)
    date = "%B %Y" if every == "MS" else "%a %d %b %Y"
    columns = {
        "Mean": "mean_w",
        "Lowest 15 min": "min_w",
        "Peak 15 min": "peak_w",
        "Peak 1 min": "peak_1min_w",
    }
    cells = {PERIODS[every]: [f"{t:{date}}" for t in table["time"]]}
    for title, column in columns.items():
        cells[title] = [wording.number(w / scale.factor, 4) for w in table[column]]
    cells["Peak ÷ firm"] = [wording.percent(w / firm_w, 0) for w in table["peak_w"]]
    return pd.DataFrame(cells)


def _table_period(run: Run) -> str:
    if run.bars == "h":
        return "D"
    return "7D" if run.bars == "D" and run.days > MOST_ROWS else run.bars
