"""Page: the fleet behind the served models, over its day, and how far its surface can be trusted."""

from functools import partial

import pandas as pd
from matplotlib.ticker import PercentFormatter

from simulator.metrics import inference
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    PALETTE,
    VERMILLION,
    canvas,
    heading,
    label,
    legend,
    thousands,
)

POOLS_DRAWN = 6
COLUMNS = 3
LACK_FRAC = 0.001
"""Share of requests shed or moved on from which a pool is told to lack capacity."""
MARKS = ("o", "s", "^", "D", "v", "P", "X")
LATENCIES = ("ttft_p50", "ttft_p99", "tpot_p50", "tpot_p99")
NAMES = {
    "ttft_p50": "TTFT P50", "ttft_p99": "TTFT P99", "tpot_p50": "TPOT P50", "tpot_p99": "TPOT P99",
    "throughput": "throughput", "power": "power", "shed_frac": "shed",
}  # fmt: skip
DATA_COLUMNS = (
    "arrivals_per_s", "received_per_s", "served_per_s", "shed_per_s", "spilled_per_s",
    "capacity_per_s", "loading", "accelerators", "queue",
)  # fmt: skip


def page(run: Run) -> Page:
    """Return the page on the serving fleet."""
    verified = inference.verification(run.first)
    drawn = (day(run), *((verification(run, verified),) if len(verified) else ()))
    return Page(
        "serving-fleet",
        "Serving fleet",
        _finding(run, verified),
        (
            (
                "Capacity is what replicas whose weights are loaded can serve, of requests as long as "
                "they are rated for. Latency and power come from a surface measured on the "
                "request-level kernel; windows of this run were served again on it, request by "
                "request, with lengths and moments of their own."
                if len(verified)
                else "Capacity is what replicas whose weights are loaded can serve, of requests as long "
                "as they are rated for. No window of this run was served again request by request."
            ),
        ),
        drawn,
        (TableSpec("Where requests went", _outcomes(run)),),
    )


def _finding(run: Run, verified: pd.DataFrame) -> str:
    """Return whether chips lacked, and how near the surface came."""
    pools = run.table("pools", ["pool"])
    refused = pools["shed"] + pools["spilled"] + rejected(pools)
    refused /= pools["requests"] + pools["received"]
    worst = refused.fillna(0.0).idxmax()
    name, share = str(pools.at[worst, "pool"]), float(refused.fillna(0.0)[worst])
    if share < LACK_FRAC:
        told = f"{len(pools)} of {len(pools)} pools have the capacity that their demand asks for"
    else:
        told = f"“{name}” cannot take {wording.percent(share, 1)} of its requests"
    if not len(verified):
        return told
    off = verified.assign(off=verified["deviation_frac"].abs())
    middle = float(off.loc[off["quantity"].isin(LATENCIES), "off"].median())
    power = float(off.loc[off["quantity"] == "power", "off"].max())
    return (
        f"{told}; the surface is {wording.percent(middle, 1)} off request-level latencies in the "
        f"median, {wording.percent(power, 1)} off power at most"
    )


def rejected(pools: pd.DataFrame) -> pd.Series:
    """Return requests too long for their pool; none in a folder of an older version."""
    return pools.get("rejected", 0.0 * pools["shed"])


def day(run: Run) -> FigureSpec:
    """Draw demand, capacity and what was served over the mean day, pool by pool."""
    hourly = run.averaged(partial(inference.demand, every="h"), ["element", "time"])
    hour = hourly["time"].dt.hour.rename("hour_of_day")
    data = hourly.groupby([hourly["element"], hour])[list(DATA_COLUMNS)].mean().reset_index()
    table = run.table("pools", ["pool"])
    names = [str(p) for p in table.nlargest(POOLS_DRAWN, "requests")["pool"]]
    columns = min(COLUMNS, len(names))
    rows = -(-len(names) // columns)
    fig, axes = canvas(height_in=0.5 + 1.1 * rows, rows=rows, columns=columns, squeeze=False)
    for ax, name in zip(axes.flat, names, strict=False):
        own = data[data["element"] == name]
        asked = own["arrivals_per_s"] + own["received_per_s"]
        ax.step(own["hour_of_day"], own["capacity_per_s"], where="mid", color=GREY, label="capacity")
        ax.plot(own["hour_of_day"], asked, color=BLUE, label="arrive")
        ax.plot(own["hour_of_day"], own["served_per_s"], color=GREEN, linestyle="--", label="served")
        ax.fill_between(
            own["hour_of_day"], own["served_per_s"], asked, where=asked > own["served_per_s"],
            color=VERMILLION, alpha=0.35, linewidth=0, label="not served here",
        )  # fmt: skip
        ax.set_xlim(own["hour_of_day"].min(), max(own["hour_of_day"].max(), 1))
        ax.set_xticks(range(0, 24, 6), [f"{h:02d}:00" for h in range(0, 24, 6)])
        ax.set_ylim(0, ax.get_ylim()[1])
        heading(ax, name)
        label(ax, "", "Requests/s" if ax in axes[:, 0] else "")
        thousands(ax.yaxis)
    for ax in axes.flat[len(names) :]:
        ax.set_visible(False)
    legend(fig, axes[0, 0], "lower left", 4)
    short = data[data["capacity_per_s"] < data["arrivals_per_s"] + data["received_per_s"]]
    return FigureSpec(
        fig,
        "serving-fleet-day",
        "Lines of arrivals, capacity and requests served over the mean day. "
        + (
            f"Capacity is below arrivals in {len(short)} hours of the day, of "
            f"{', '.join(sorted(set(short['element'].astype(str))))}."
            if len(short)
            else "Capacity is above arrivals at all 24 hours of the mean day."
        ),
        data,
        f"Requests that arrive (other pools’ included), capacity and requests served, mean day{run.as_means}. "
        "Red: shed, moved on or made to wait.",
    )


def verification(run: Run, table: pd.DataFrame) -> FigureSpec:
    """Draw how far the surface is from the kernel, every window of every pool."""
    data = table[["pool", "time", "load_frac", "requests", "quantity", "deviation_frac"]].copy()
    data["pool"] = data["pool"].astype(str)
    names = list(dict.fromkeys(data["pool"]))
    fig, ax = canvas(height_in=1.1 + 0.28 * len(names))
    for i, (quantity, told) in enumerate(NAMES.items()):
        own = data[data["quantity"] == quantity]
        if not len(own):
            continue
        lift = (i - 3) * 0.1
        ax.plot(
            own["deviation_frac"], [names.index(p) + lift for p in own["pool"]], MARKS[i],
            color=PALETTE[i], markersize=4.5, label=told, clip_on=False,
        )  # fmt: skip
    ax.axvline(0.0, color=INK, linewidth=0.8)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    widest = max(float(data["deviation_frac"].abs().max()) * 1.1, 0.05)
    ax.set_xlim(-widest, widest)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    label(ax, "Surface over request-level kernel, less one", "", grid="x")
    legend(fig, ax, "lower left", 7)
    worst = data.loc[data["deviation_frac"].abs().idxmax()]
    return FigureSpec(
        fig,
        "serving-verified",
        f"Dots of the surface's deviation from the kernel. The largest is "
        f"{100 * worst['deviation_frac']:+.0f} %, {NAMES[worst['quantity']]} of {worst['pool']}.",
        data,
        f"Deviation of the surface in {data.groupby('pool')['time'].nunique().max()} windows of the "
        "run per pool; each dot is one window.",
        of_first=True,
    )


def _outcomes(run: Run) -> pd.DataFrame:
    """Return where the requests of each pool went: what arrived and came is what is told after."""
    pools = run.table("pools", ["pool"]).nlargest(POOLS_DRAWN + 1, "requests")

    def of(key: str) -> list[str]:
        return [wording.large(float(v)) if v else "–" for v in pools[key]]

    long = rejected(pools)
    told = {"Too long": [wording.large(float(v)) if v else "–" for v in long]} if long.any() else {}
    return pd.DataFrame(
        {
            "Pool": pools["pool"].astype(str),
            "Arrived": of("requests"),
            "Came": of("received"),
            "Served": of("served"),
            "Moved on": of("spilled"),
            "Shed": of("shed"),
            **told,
            "Lost": of("lost"),
            "Waiting": of("queued_end"),
            "Asked again": of("retried"),
        }
    )
