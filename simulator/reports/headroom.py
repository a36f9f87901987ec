"""Page: how close each level of the power chain and of cooling comes to its rating."""

from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.metrics import headroom
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    ORANGE,
    SKY,
    VERMILLION,
    canvas,
    end_labels,
    heading,
    label,
    note,
    thousands,
    time_axis,
)
from simulator.results import Results

SHOWN = 10
INSIDE = ("feeder", "substation", "busway", "ups", "hall", "block", "loop")
LEVELS = {
    "poi": "Interconnection",
    "line_bank": "Lines",
    "transformer_bank": "Main transformers",
    "feeder": "Feeders",
    "substation": "Unit substations",
    "busway": "Busways",
    "ups": "UPS",
    "hall": "Halls",
    "block": "Blocks",
    "loop": "Coolant loops",
    "line": "Each line",
    "transformer": "Each main transformer",
    "mv_branch": "MV cables and ties",
}


def page(run: Run) -> Page:
    """Return the page on headroom."""
    tight = run.most_loaded("level")
    inner = tight[tight["level"].isin(INSIDE)].nlargest(1, "firm_loading_frac").iloc[0]
    room_mw = run.value("power.headroom_min")
    stranded_mw = run.value("power.stranded")
    return Page(
        "headroom",
        "Headroom",
        f"The firm import leaves {wording.megawatts(room_mw)} in the peak minute; inside the "
        f"campus {inner['element']} comes closest, at "
        f"{wording.percent(inner['firm_loading_frac'], 0)} of its firm rating",
        (
            (
                "Firm means with one unit out of service; an element without a spare unit is held "
                f"against its rating. What limits the firm import: {run.info['firm_limit']}. "
                f"{_stranded(stranded_mw)}"
            ),
        ),
        (by_element(run), over_time(run)),
        (TableSpec("Tightest element of each level", _table(tight)),),
    )


def _room_w(results: Results, column: str, every: str) -> pd.Series:
    return headroom.headroom(results, every=every).set_index("time")[column]


def _stranded(stranded_mw: float | None) -> str:
    if not stranded_mw:
        return "No power is stranded: free places can still take all that is left."
    return f"{wording.megawatts(stranded_mw)} is stranded: connected, but no rack can be placed to use it."


def by_element(run: Run) -> FigureSpec:
    """Draw the peak loading of the two tightest levels inside the campus, of their ratings."""
    table = run.most_loaded("element")
    panels = _tightest(table)
    data = table[table["level"].isin(panels)].copy()
    shown = {lv: _largest(data[data["level"] == lv]) for lv in panels}
    rows = max((len(t) for t in shown.values()), default=1)
    fig, axes = canvas(height_in=0.75 + 0.18 * rows, columns=max(len(panels), 1), squeeze=False)
    for ax, level in zip(axes[0], panels, strict=False):
        _bars(ax, shown[level], LEVELS[level])
    worst = data.loc[data["firm_loading_frac"].idxmax()]
    cut = any(len(data[data["level"] == lv]) > SHOWN for lv in panels)
    return FigureSpec(
        fig,
        "headroom-by-element",
        f"Bars of peak loading against firm rating for {len(data)} elements: "
        f"{' and '.join(LEVELS[level] for level in panels)}. The highest is "
        f"{worst['element']} at {wording.percent(worst['firm_loading_frac'], 0)}; the median is "
        f"{wording.percent(float(data['firm_loading_frac'].median()), 0)}.",
        data[
            [
                "element",
                "level",
                "peak_w",
                "rating_w",
                "firm_w",
                "headroom_w",
                "loading_frac",
                "firm_loading_frac",
            ]
        ],
        "Largest minute of each element, as a share of its firm rating (its rating where it has no "
        "spare unit)"
        + (f", largest of {len(run.results)} replicates." if len(run.results) > 1 else ".")
        + (f" The {SHOWN} most loaded of each kind are drawn." if cut else ""),
    )


def _tightest(table: pd.DataFrame) -> list[str]:
    """Return the two levels, in the order of the chain, of which an element comes closest."""
    inside = table[table["level"].isin(INSIDE)]
    two = inside.groupby("level")["firm_loading_frac"].max().nlargest(2).index
    return [level for level in INSIDE if level in two]


def _largest(table: pd.DataFrame) -> pd.DataFrame:
    return table.nlargest(SHOWN, "firm_loading_frac").iloc[::-1]


def _bars(ax: Axes, table: pd.DataFrame, title: str) -> None:
    loading = 100 * table["firm_loading_frac"].to_numpy()
    colors = [VERMILLION if v > 100 else ORANGE if v > 90 else BLUE for v in loading]
    ax.barh(range(len(table)), loading, color=colors, height=0.74)
    ax.axvline(100, color=VERMILLION, linestyle="--", linewidth=1)
    ax.set_yticks(range(len(table)), [str(e) for e in table["element"]])
    for i, value in enumerate(loading):
        note(
            ax,
            value,
            i,
            f"{value:.0f}",
            "white" if 0 < value <= 90 else "black",
            right_pt=-4,
            ha="right",
        )
    ax.set_xlim(0, max(108.0, float(loading.max(initial=0.0)) * 1.05))
    ax.set_ylim(-0.6, max(len(table) - 0.4, 0.6))
    heading(ax, title)
    label(ax, "Largest minute, % of firm rating", "", grid="x")


def over_time(run: Run) -> FigureSpec:
    """Draw the smallest room of each period under firm import and under what was in service."""
    rooms = ("firm_headroom_w", "in_service_headroom_w")
    spread = {c: run.across(partial(_room_w, column=c, every=run.period)) for c in rooms}
    data = pd.DataFrame({c: band["mean"] for c, band in spread.items()}).rename_axis("time").reset_index()
    scale = wording.power_scale(float(run.info["firm_w"]))
    fig, ax = canvas(height_in=2.1)
    ax.plot(data["time"], data["in_service_headroom_w"] / scale.factor, color=SKY, linestyle="-")
    ax.plot(data["time"], data["firm_headroom_w"] / scale.factor, color=BLUE)
    for column, color in zip(rooms, (BLUE, SKY), strict=True):
        if len(run.results) > 1:
            low_w, high_w = (spread[column][end].to_numpy() for end in ("low", "high"))
            data[f"{column.removesuffix('_w')}_p10_w"], data[f"{column.removesuffix('_w')}_p90_w"] = low_w, high_w
            ax.fill_between(data["time"], low_w / scale.factor, high_w / scale.factor, color=color, alpha=0.2,
                            linewidth=0)  # fmt: skip
    ax.axhline(0, color=VERMILLION, linewidth=1, linestyle="--")
    time_axis(ax, data["time"])
    low = min(0.0, float(spread["firm_headroom_w"].min().min() / scale.factor))
    ax.set_ylim(low * 1.2, None)
    heading(ax, f"Smallest headroom at the point of interconnection ({scale.unit})")
    label(ax)
    thousands(ax.yaxis)
    ends = [
        (float(data[column].iloc[-1]) / scale.factor, text, color)
        for column, text, color in (
            ("in_service_headroom_w", "under what\nis in service", SKY),
            ("firm_headroom_w", "under the\nfirm import", BLUE),
        )
    ]
    end_labels(ax, ends, 0.32)
    worst = data.loc[data["firm_headroom_w"].idxmin()]
    return FigureSpec(
        fig,
        "headroom-over-time",
        "Lines of the smallest headroom of each period. Under the firm import it is least on "
        f"{wording.day(worst['time'])}, {wording.power(float(worst['firm_headroom_w']))}; under "
        "the lines and transformers in service it is never less than "
        f"{wording.power(float(np.min(data['in_service_headroom_w'])))}.",
        data,
        "Smallest headroom at the point of interconnection, by "
        f"{ {'D': 'day', 'h': 'hour'}.get(run.period, 'half hour') }{run.of_replicates}.",
    )


def _table(tight: pd.DataFrame) -> pd.DataFrame:
    order = {level: i for i, level in enumerate(LEVELS)}
    tight = tight.sort_values("level", key=lambda s: s.map(order).fillna(99))
    return pd.DataFrame(
        {
            "Level": [LEVELS.get(v, wording.sentence(wording.plain(v))) for v in tight["level"]],
            "Element": tight["element"].astype(str),
            "Units": [f"{v:,.0f}" for v in tight["count"]],
            "Peak": [wording.power(v) for v in tight["peak_w"]],
            "Rating": [wording.power(v) for v in tight["rating_w"]],
            "Firm": [wording.power(v) if v > 0 else wording.MISSING for v in tight["firm_w"]],
            "Headroom": [wording.power(v) for v in tight["headroom_w"]],
            "Loading": [wording.percent(v, 0) for v in tight["firm_loading_frac"]],
        }
    )
