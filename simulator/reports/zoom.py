"""Every accelerator of one hall: a heat map of racks and hours, and how hot the chips run."""

import numpy as np
import pandas as pd
from matplotlib.dates import date2num

from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.style import (
    BLUE,
    INK,
    POINT,
    VERMILLION,
    canvas,
    heading,
    label,
    legend,
    note,
    time_axis,
)

SHOWN = 12
LEAST_TOLD = 5e-5
"""Difference of power that rounds to nothing as it is printed."""
MAP = "cividis"
"""Colours in even steps of lightness, that colour-blind readers and grey printing keep."""


def page_of(hall: str, tables: dict[str, pd.DataFrame]) -> Page:
    """Return the page of the tables `zoom_hall`, `zoom_racks`, `zoom_hottest`, `zoom_distribution`."""
    whole = tables["zoom_hall"].iloc[0]
    return Page(
        "zoom",
        "Every accelerator of a hall",
        _title(hall, whole),
        text=_text(whole),
        figures=(_map(hall, tables["zoom_racks"]), _spread(whole, tables["zoom_distribution"])),
        tables=(TableSpec("Hottest", _hottest(tables["zoom_hottest"])),),
    )


def _title(hall: str, whole: pd.Series) -> str:
    some, every = int(whole["slowed_accelerators"]), int(whole["accelerators"])
    reach = f"{whole['junction_max_c']:.1f} °C"
    if not some:
        return f"No accelerator of {hall} is slowed by heat; the hottest of {every:,} reaches {reach}"
    lost = wording.number(float(whole["throttled_accelerator_hours"]))
    return f"Heat slows {some:,} of {every:,} accelerators of {hall} and takes {lost} hours of work"


def _text(whole: pd.Series) -> tuple[str, ...]:
    plan = wording.number(float(whole["plan_throttled_accelerator_hours"]))
    return (
        f"Every accelerator has its own thermal resistance and its place in the coolant's path. The "
        f"coolant reached {whole['coolant_max_c']:.1f} °C, the hottest memory "
        f"{whole['hbm_max_c']:.1f} °C. A plan that slows each rack with its hottest chip takes {plan} "
        f"hours. {against_plan(float(whole['power_frac']), bool(whole['plan_throttled_accelerator_hours'] > 0.0))}",
    )


def against_plan(over_frac: float, slows: bool) -> str:
    """Return by how much the racks' power differs from the plan's, and why: less, because the plan's
    chips all leak like the hottest; more, where it `slows` all chips of a rack with the hottest."""
    if abs(over_frac) < LEAST_TOLD:
        return "Racks draw the power of the plan."
    told = f"The racks' power differs by {100.0 * over_frac:+.2f} % from the plan's"
    if over_frac < 0.0:
        return f"{told}: there all chips leak like the hottest."
    return f"{told}: there all chips of a rack slow down with the hottest." if slows else f"{told}."


def _map(hall: str, racks: pd.DataFrame) -> FigureSpec:
    grid = racks.pivot(index="rack", columns="site_time", values="junction_max_c")
    grid = grid.loc[list(dict.fromkeys(racks["rack"]))]  # in the order of the hall
    fig, ax = canvas(height_in=3.4)
    step = pd.Timedelta(hours=1)
    ends = [date2num(t.tz_localize(None)) for t in (grid.columns[0], grid.columns[-1] + step)]
    image = ax.imshow(
        grid.to_numpy(float), aspect="auto", origin="lower", cmap=MAP, interpolation="nearest",
        extent=(ends[0], ends[1], 0.5, len(grid) + 0.5),
    )  # fmt: skip
    bar = fig.colorbar(image, ax=ax, pad=0.015)
    bar.set_label("hottest junction of the hour, °C", fontsize=POINT)
    time_axis(ax, [t.tz_localize(None) for t in (grid.columns[0], grid.columns[-1] + step)])
    offset = f"{racks['site_time'].iloc[0]:%z}"  # +hhmm
    label(ax, f"time at the site (UTC{offset[:3]}:{offset[3:]})", f"rack of {hall}")
    ax.grid(False)
    hottest = racks.loc[racks["junction_max_c"].idxmax()]
    heading(ax, f"Hottest is {hottest['rack']}: {hottest['junction_max_c']:.1f} °C, {hottest['site_time']:%d %b %H:%M}")
    return FigureSpec(
        fig, "zoom-racks",
        f"Heat map of racks and hours; the hottest is {hottest['rack']} at "
        f"{hottest['junction_max_c']:.1f} °C, {hottest['site_time']:%Y-%m-%d %H:%M} at the site, "
        f"{hottest['time']:%H:%M} UTC.",
        racks, "Hottest junction of each rack in each hour.",
    )  # fmt: skip


def _spread(whole: pd.Series, table: pd.DataFrame) -> FigureSpec:
    fig, ax = canvas(height_in=2.3)
    middle = 0.5 * (table["from_c"] + table["to_c"]).to_numpy(float)
    for name, told, color, line in (
        ("time_frac", "all minutes", BLUE, "-"), ("peak_frac", "hottest minute of each", VERMILLION, "--"),
    ):  # fmt: skip
        share = 100.0 * table[name].to_numpy(float)
        ax.step(middle, share, where="mid", color=color, linestyle=line, label=told)
    limit_c = float(whole["throttle_c"])
    if middle.size and middle[-1] >= limit_c - 10.0:
        ax.axvline(limit_c, color=INK, linewidth=0.9, linestyle=":")
        note(ax, limit_c, 0.93, "throttles", right_pt=4, transform=ax.get_xaxis_transform())
    ax.set_ylim(bottom=0.0)
    label(ax, "junction, °C", "share per 0.5 K, %")
    legend(fig, ax, "upper right", 2)
    peak = float(middle[np.argmax(table["peak_frac"].to_numpy(float))]) if middle.size else float("nan")
    heading(ax, f"Hottest minutes gather near {peak:.0f} °C" if middle.size else "No accelerator was seen")
    return FigureSpec(
        fig, "zoom-distribution", f"Distribution of junctions; hottest minutes gather near {peak:.0f} °C.",
        table, "Shares of accelerator-time (sampled every 10 minutes) and of accelerators.",
    )  # fmt: skip


def _hottest(rows: pd.DataFrame) -> pd.DataFrame:
    some = rows.head(SHOWN)
    chip = {"Chip": [f"{v}" for v in some["accelerator"]]} if "accelerator" in some else {}
    return pd.DataFrame({
        "Server": some["server"].astype(str), **chip,
        "Junction, °C": [f"{v:.1f}" for v in some["junction_max_c"]],
        "Memory, °C": [f"{v:.1f}" for v in some["hbm_max_c"]],
        "When, at the site": [f"{t:%Y-%m-%d %H:%M}" for t in some["site_time"]],
        "UTC": [f"{t:%m-%d %H:%M}" for t in some["time"]],
        "Slowed, h": [wording.number(float(v)) for v in some["slowed_h"]],
        "Lost, h": [wording.number(float(v)) for v in some["lost_h"]],
    })  # fmt: skip
