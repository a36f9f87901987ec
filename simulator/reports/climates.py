"""Page: one campus under several skies: what it carries, what cooling takes, heat at the chips, water."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec, fitted
from simulator.reports.style import (
    FULL,
    INK,
    LINES,
    PALETTE,
    canvas,
    heading,
    label,
    legend,
    thousands,
)

PANELS = {
    "usable_mw_p05": "Racks, MW in\n95 % of hours", "pue": "PUE\n", "wue_l_kwh": "Water\n(L/kWh)",
    "water_peak_day_m3": "Water, peak\nday (m³)", "full_work_throttles_h": "Hours full work\nwould throttle",
}  # fmt: skip
RUN_PANELS = {
    "engine_usable_mw_p05": "Racks, MW in\n95 % of hours", "engine_pue": "PUE\n", "engine_wue_l_kwh": "Water\n(L/kWh)",
    "engine_water_peak_day_m3": "Water, peak\nday (m³)", "engine_throttled_h": "Throttled\n(h of chips)",
}  # fmt: skip
"""The same by the engine's runs."""
MARKS = "osD^vP*X"
MOST_ROWS, CURVES, MOST_CURVES = 20, 101, 8
DATED = "1970-01-01T00:00:00Z"


def cover(name: str) -> dict[str, Any]:
    """Return what identifies the report."""
    return {
        "title": f"{name}: climates", "author": "gigawatt", "description": "One campus under several skies",
        "footer": ["climates compared: steady hours, closed form; runs where they are shown", name], "dated": DATED,
    }  # fmt: skip


def pages(table: pd.DataFrame, hours: pd.DataFrame) -> list[Page]:
    """Return the pages of a comparison of climates: closed forms, and the engine's runs where it made any."""
    ran = "engine_pue" in table and bool(table["engine_pue"].notna().any())
    return [page(table, hours), *([run_page(table)] if ran else [])]


def page(table: pd.DataFrame, hours: pd.DataFrame) -> Page:
    """Return the page of a comparison of climates (`studies.climates.compare`)."""
    table = _named(table)
    return Page(
        "climates",
        "Climates",
        title(table),
        (
            "Every hour is settled with all accelerators as busy as it allows: no more than the firm import "
            "feeds, no mean chip warmer than where its clocks begin to fall. Failures, workloads and thermal mass "
            "are not in it. Water is what heat rejection takes on site; the peak day counts what is withdrawn.",
        ),
        (dots(table), durations(table, hours)),
        (_fitting("Climates; hours in which full work would throttle a mean chip, and the worst", _table(table)),),
    )


def run_page(table: pd.DataFrame) -> Page:
    """Return the page of the engine's run of each case (`studies.climate_runs`)."""
    own = _named(table[table["engine_pue"].notna()])
    return Page(
        "climates-run",
        "Climates, run",
        run_title(own),
        (
            "The engine's own run of each case, replicate 0: its workloads, failures, controls and thermal mass. "
            "Racks draw what these ask for; the megawatts are what the firm import would carry in that hour's air. "
            "Throttled hours are accelerators' worth of speed taken away by heat, in all halls.",
        ),
        (run_dots(own),),
        (_fitting("Climates by the engine, in brackets by closed form", _run_table(own)),),
    )


def run_title(table: pd.DataFrame) -> str:
    """Return the finding: what heat takes of the work, and how far closed forms are from the runs."""
    hot = table.loc[table["engine_throttled_h"].idxmax()]
    heat = (
        f"heat takes {wording.large(hot['engine_throttled_h'])} accelerator-hours in {_name(hot, table)}"
        if hot["engine_throttled_h"] > 0 else "heat throttles no chip in any climate"
    )  # fmt: skip
    off = (table["usable_mw_p05"] / table["engine_usable_mw_p05"] - 1.0).abs().max()
    return wording.sentence(f"{heat}; closed forms tell usable megawatts within {100 * off:.1f} % of the runs")


def _named(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(climate=table["climate"].astype(str), design=table["design"].astype(str))


def title(table: pd.DataFrame) -> str:
    """Return the finding: which climate carries most and least, and what water that takes."""
    best, worst = (table.loc[table["usable_mw_p05"].agg(which)] for which in ("idxmax", "idxmin"))
    wet = table.loc[table["water_peak_day_m3"].idxmax()]
    water = (
        f"the thirstiest day takes {wording.large(wet['water_peak_day_m3'])} m³ in {_name(wet, table)}"
        if wet["water_peak_day_m3"] > 0 else "no water is taken"
    )  # fmt: skip
    if best["usable_mw_p05"] - worst["usable_mw_p05"] < 1e-6 * best["usable_mw_p05"]:
        carries = f"{len(table)} cases carry {wording.megawatts(float(best['usable_mw_p05']))} of racks alike"
    else:
        carries = (
            f"{wording.megawatts(float(best['usable_mw_p05']))} of racks run in 95 % of hours in {_name(best, table)}, "
            f"{wording.megawatts(float(worst['usable_mw_p05']))} in {_name(worst, table)}"
        )
    return wording.sentence(f"{carries}; {water}")


def _name(row: pd.Series, table: pd.DataFrame) -> str:
    several = table["design"].nunique() > 1 and row["design"]
    return f"{row['climate']} ({wording.plain(row['design'])})" if several else str(row["climate"])


def _climates(table: pd.DataFrame) -> list[str]:
    """Return the climates, the one that carries least last."""
    return list(table.groupby("climate")["usable_mw_p05"].mean().sort_values(ascending=False).index)


def dots(table: pd.DataFrame) -> FigureSpec:
    """Draw a dot per design and climate in a panel per figure."""
    fig = _dots(table, PANELS)
    best, worst = table.loc[table["pue"].idxmin()], table.loc[table["pue"].idxmax()]
    return FigureSpec(
        fig, "climates-dots",
        f"Dots of {len(table)} cases: PUE is {best['pue']:.3f} in {_name(best, table)} and {worst['pue']:.3f} in "
        f"{_name(worst, table)}.",
        table, "Rack power that 95 % of hours allow, PUE, water, and hours in which full work, whether or not the "
        "connection carries it, would throttle a mean chip.",
    )  # fmt: skip


def run_dots(table: pd.DataFrame) -> FigureSpec:
    """Draw the same of the engine's runs."""
    fig = _dots(table, RUN_PANELS)
    best, worst = (table.loc[table["engine_pue"].agg(which)] for which in ("idxmin", "idxmax"))
    return FigureSpec(
        fig, "climates-run-dots",
        f"Dots of {len(table)} runs: PUE is {best['engine_pue']:.3f} in {_name(best, table)} and "
        f"{worst['engine_pue']:.3f} in {_name(worst, table)}.",
        table, "Rack power that the firm import carries in 95 % of hours, PUE, water and speed lost to heat, as run.",
    )  # fmt: skip


def _dots(table: pd.DataFrame, panels: dict[str, str]) -> Figure:
    order, designs = _climates(table), list(dict.fromkeys(table["design"]))
    fig, axes = canvas(FULL, 1.15 + 0.24 * len(order), columns=len(panels), sharey=True)
    for ax, (column, words) in zip(axes, panels.items(), strict=True):
        for i, design in enumerate(designs):
            own = table[table["design"] == design]
            places = [order.index(c) + 0.16 * (i - (len(designs) - 1) / 2) for c in own["climate"]]
            ax.plot(own[column], places, MARKS[i % len(MARKS)], color=PALETTE[i % len(PALETTE)], markersize=5,
                    label=wording.plain(design) or None, clip_on=False)  # fmt: skip
        _panel(ax, words, table[column])
    axes[0].set_yticks(range(len(order)), order)
    axes[0].set_ylim(len(order) - 0.5, -0.5)
    if len(designs) > 1:
        legend(fig, axes[0], "lower center", 4)
    return fig


def _panel(ax: Axes, words: str, values: pd.Series) -> None:
    heading(ax, words)
    label(ax, grid="both")
    low, high = float(values.min()), float(values.max())
    if low >= 0.0 and low < 0.5 * high:
        ax.set_xlim(0.0, 1.1 * high)
    elif high == low:
        ax.set_xlim(min(0.0, low), high * 1.1 or 1.0)
    ax.locator_params(axis="x", nbins=3 if high < 1e4 else 2)  # long numbers
    thousands(ax.xaxis)


def durations(table: pd.DataFrame, hours: pd.DataFrame) -> FigureSpec:
    """Draw rack power against the share of hours that allow it, a curve per climate of the first design."""
    design = table["design"].iloc[0]
    own = hours[hours["design"].astype(str) == design]
    frac = np.linspace(0.0, 1.0, CURVES)
    fig, ax = canvas(FULL, 2.2)
    curves = {}
    for i, climate in enumerate(_climates(table)[:MOST_CURVES]):
        usable_mw = own.loc[own["climate"].astype(str) == climate, "usable_w"].to_numpy(float) / 1e6
        if not len(usable_mw):
            continue
        curves[climate] = np.quantile(usable_mw, 1.0 - frac)
        ax.plot(100.0 * frac, curves[climate], LINES[i % len(LINES)], color=PALETTE[i % len(PALETTE)], label=climate)
    installed_mw = float(table.loc[table["design"] == design, "installed_mw"].mean())
    ax.axhline(installed_mw, color=INK, linewidth=0.8, linestyle=":", label="installed")
    ax.set_xlim(0, 100)
    ax.margins(y=0.12)
    heading(ax, "Rack power that the hour allows (MW)" + (f", {wording.plain(design)}" if design else ""))
    label(ax, "Share of hours reached or exceeded (%)")
    thousands(ax.yaxis)
    legend(fig, ax, "right upper", 1)
    data = pd.DataFrame(curves).assign(exceeded_frac=frac)
    least = {climate: float(curve[-1]) for climate, curve in curves.items()}
    lowest = min(least, key=least.__getitem__)
    return FigureSpec(
        fig, "climates-duration",
        f"Duration curves of {len(curves)} climates: the hour that allows least is in {lowest}, "
        f"{wording.megawatts(least[lowest])}; {wording.megawatts(installed_mw)} is installed at full work.",
        data, "Rack power that the hours of the year allow. The vertical axis does not start at zero.",
    )  # fmt: skip


def _fitting(heading: str, cells: pd.DataFrame) -> TableSpec:
    return TableSpec(heading, cells, fitted(cells))


def _table(table: pd.DataFrame) -> pd.DataFrame:
    shown = table.sort_values("usable_mw_p05", ascending=False, kind="stable").head(MOST_ROWS)
    cells = {
        "95 % of hours": [wording.megawatts(v) for v in shown["usable_mw_p05"]],
        "Least": [wording.megawatts(v) for v in shown["usable_mw_min"]],
        "PUE": [f"{v:.3f}" for v in shown["pue"]],
        "L/kWh": [wording.number(v, 2) for v in shown["wue_l_kwh"]],
        "Peak day, m³": [wording.large(v) for v in shown["water_peak_day_m3"]],
        "Throttled, h": [f"{v:,.0f}" for v in shown["full_work_throttles_h"]],
    }
    if "worst_chip_throttles_h" in shown:  # not in older folders
        cells["Worst chip, h"] = [f"{v:,.0f}" for v in shown["worst_chip_throttles_h"]]
    cells["Margin, K"] = [wording.number(v) for v in shown["margin_min_k"]]
    return pd.DataFrame(_cases(table, shown) | cells)


def _run_table(table: pd.DataFrame) -> pd.DataFrame:
    shown = table.sort_values("engine_usable_mw_p05", ascending=False, kind="stable").head(MOST_ROWS)
    pairs = {
        "95 % of hours, MW": ("engine_usable_mw_p05", "usable_mw_p05", wording.large),
        "PUE": ("engine_pue", "pue", "{:.3f}".format),
        "L/kWh": ("engine_wue_l_kwh", "wue_l_kwh", lambda v: wording.number(v, 2)),
        "Peak day, m³": ("engine_water_peak_day_m3", "water_peak_day_m3", wording.large),
    }
    cells = {
        words: [f"{told(a)} ({told(b)})" for a, b in zip(shown[ran], shown[closed], strict=True)]
        for words, (ran, closed, told) in pairs.items()
    }
    cells["Racks drew"] = [wording.megawatts(v) for v in shown["engine_it_mw"]]
    cells["Throttled, h"] = [wording.large(v) for v in shown["engine_throttled_h"]]
    cells["Margin, K"] = [wording.number(v) for v in shown["engine_margin_min_k"]]
    return pd.DataFrame(_cases(table, shown) | cells)


def _cases(table: pd.DataFrame, shown: pd.DataFrame) -> dict[str, list[str]]:
    """Return the columns that name the rows."""
    named = {"Climate": list(shown["climate"])}
    if table["design"].nunique() > 1:
        named["Design"] = [wording.plain(d) or wording.MISSING for d in shown["design"]]
    return named
