"""Page: demand on served models, how much was met, and how fast."""

from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from simulator.metrics import inference
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    LINES,
    PALETTE,
    VERMILLION,
    canvas,
    dark,
    heading,
    label,
    legend,
    note,
    thousands,
    time_axis,
)

DAY_H = 24
POOLS_DRAWN = 6
POOLS_LISTED = 7
LABELLED_RATIO = 200.0
"""Span of a logarithmic axis beyond which only powers of ten have room for their labels."""
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def page(run: Run) -> Page:
    """Return the page on serving."""
    pools = [str(p) for p in run.first.tables["pools"]["pool"]]
    share = attained(run, pools)
    worst = min(share, key=lambda p: share[p])
    p99 = run.value(f"inference.{worst}.ttft_p99")
    requests, unserved = asked(run)
    return Page(
        "serving",
        "Serving",
        f"Of {wording.large(requests)} requests "
        f"{wording.percent(1 - unserved / max(requests, 1.0), 2)} are served; “{worst}” keeps its "
        f"limits for {wording.percent(share[worst], 2)} of arrivals"
        f"{', the least of all,' if len(share) > 1 else ''} with a P99 first token of "
        f"{wording.seconds(p99)}",
        (
            (
                "A request meets its objective if the first token and the time per further token both "
                "stay within their limits; requests shed, rejected or unfinished are misses. Latency "
                "counts from arrival, queueing included. A request of a router counts once, though it "
                "passes moderation, or a larger model after a small one."
            ),
        ),
        (week(run), over_time(run), latency(run)),
        (TableSpec("Served models", _table(run)),),
    )


def attained(run: Run, pools: list[str]) -> dict[str, float]:
    """Return the share of arrivals within all limits of pools that had any (0 for all, if none had)."""
    told = {p: run.value(f"inference.{p}.slo_attainment") for p in pools}
    return {p: v for p, v in told.items() if v is not None} or dict.fromkeys(pools, 0.0)


def asked(run: Run) -> tuple[float, float]:
    """Return requests that users sent, and those that were not served: of pools with demand of their
    own, and of the classes of a router."""
    tables = run.first.tables
    routed = set(tables["streams"]["pool"].astype(str))
    own = [p for p in tables["pools"]["pool"].astype(str) if p not in routed]
    classes = tables["classes"]["class"].astype(str)
    names = [f"inference.{p}.{{}}" for p in own] + [f"routing.{c}.{{}}" for c in classes]
    requests = sum(run.value(name.format("requests")) or 0.0 for name in names)
    unserved = sum(run.value(f"inference.{p}.unserved") or 0.0 for p in own)
    for cls in classes:
        parts = ("shed", "rejected", "waiting")
        unserved += sum(run.value(f"routing.{cls}.{part}") or 0.0 for part in parts)
    return requests, unserved


def _drawn(run: Run) -> list[str]:
    table = run.table("pools", ["pool"])
    return [str(p) for p in table.nlargest(POOLS_DRAWN, "requests")["pool"]]


def _look(i: int) -> dict[str, Any]:
    return {"color": PALETTE[i % len(PALETTE)], "linestyle": LINES[i % len(LINES)]}


def week(run: Run) -> FigureSpec:
    """Draw the mean week: demand of its mean, and load of capacity."""
    hourly = run.averaged(partial(inference.demand, every="h"), ["element", "time"])
    hour = hourly["time"].dt.day_of_week * DAY_H + hourly["time"].dt.hour
    profile = hourly.groupby([hourly["element"], hour.rename("hour_of_week")])
    data = profile[["arrivals_per_s", "load_frac"]].mean().reset_index()
    mean = data.groupby("element")["arrivals_per_s"].transform("mean")
    data["demand_percent"] = 100 * data["arrivals_per_s"] / mean.where(mean > 0)
    data["load_percent"] = 100 * data["load_frac"]
    fig, axes = canvas(height_in=1.7, columns=2)
    for i, name in enumerate(_drawn(run)):
        own = data[data["element"] == name]
        for ax, column in zip(axes, ("demand_percent", "load_percent"), strict=True):
            ax.plot(own["hour_of_week"], own[column], **_look(i))
    for ax, title in zip(axes, ("Demand, % of its mean", "Load, % of capacity"), strict=True):
        _week_axis(ax, data["hour_of_week"])
        ax.set_ylim(0, max(ax.get_ylim()[1], 100.0))
        heading(ax, title)
        label(ax, grid="both")
    busiest = data.loc[data["load_percent"].idxmax()]
    return FigureSpec(
        fig,
        "serving-week",
        "Lines of demand and load over the mean week. The highest mean load is "
        f"{busiest['load_percent']:.0f} % of capacity, of {busiest['element']}; demand peaks at "
        f"{data['demand_percent'].max():.0f} % of its mean.",
        data,
        f"Arrivals, and requests served of what the pool can serve, in the mean week{run.as_means}.",
    )


def _week_axis(ax: Axes, hours: pd.Series) -> None:
    """Name the days of the week, or the hours of a run no longer than a day."""
    first, last = int(hours.min()), int(hours.max())
    if last - first >= DAY_H:
        ticks = [d * DAY_H for d in range(7) if first <= d * DAY_H <= last]
        ax.set_xticks(ticks, [DAYS[t // DAY_H] for t in ticks], ha="left")
    else:
        ticks = [h for h in range(first, last + 1) if h % 6 == 0]
        ax.set_xticks(ticks, [f"{t % DAY_H:02d}:00" for t in ticks])
    ax.set_xlim(first, max(last, first + 1))


def over_time(run: Run) -> FigureSpec:
    """Draw accelerators in the pools, the share of arrivals shed, and the queue over the run."""
    data = run.averaged(partial(inference.demand, every=run.trend), ["element", "time"])
    arrivals = data["arrivals_per_s"].where(data["arrivals_per_s"] > 0)
    data["shed_percent"] = 100 * data["shed_per_s"] / arrivals
    panels = {
        "accelerators": "Accelerators",
        "shed_percent": "Shed, % of arrivals",
        "queue": "Requests waiting",
    }
    fig, axes = canvas(height_in=1.85, columns=3)
    for ax, (column, title) in zip(axes, panels.items(), strict=True):
        for i, name in enumerate(_drawn(run)):
            own = data[data["element"] == name]
            ax.plot(own["time"], own[column], label=name, **_look(i))
        time_axis(ax, data["time"], most=4)
        ax.set_ylim(0, max(ax.get_ylim()[1], 1.0))
        heading(ax, title)
        label(ax)
        thousands(ax.yaxis)
    legend(fig, axes[0], "lower left", 4)
    worst = data.loc[data["shed_percent"].fillna(0).idxmax()]
    shed = 0.0 if pd.isna(worst["shed_percent"]) else worst["shed_percent"]
    return FigureSpec(
        fig,
        "serving-over-time",
        "Lines of accelerators serving, requests shed and requests waiting. The worst period shed "
        f"{shed:.2f} % of the arrivals of {worst['element']}.",
        data,
        f"Accelerators held by each pool, requests shed and requests waiting over the run{run.as_means}.",
    )


def latency(run: Run) -> FigureSpec:
    """Draw the cumulative distribution of both latencies, with the limits."""
    table = run.averaged(inference.latency, ["pool", "quantity", "upper_s"])
    pools = run.first.tables["pools"]
    fig, axes = canvas(height_in=1.75, columns=2, sharey=True)
    titles = {"ttft": "Time to first token (s)", "tpot": "Time per further token (s)"}
    for ax, (quantity, title) in zip(axes, titles.items(), strict=True):
        for i, name in enumerate(_drawn(run)):
            own = table[(table["pool"] == name) & (table["quantity"] == quantity)]
            ax.plot(own["upper_s"], 100 * own["at_or_below_frac"], **_look(i))
        limits = sorted({float(v) for v in pools[f"{quantity}_limit_s"].dropna()})
        _latency_axis(ax, table[table["quantity"] == quantity], limits)
        heading(ax, title)
        label(ax, "Logarithmic scale", "Requests within (%)" if ax is axes[0] else "", grid="both")
    p99 = ", ".join(
        f"{n} {wording.seconds(run.value(f'inference.{n}.ttft_p99'))}" for n in _drawn(run)
    )
    return FigureSpec(
        fig,
        "serving-latency",
        f"Cumulative distributions of latency. P99 time to first token: {p99}.",
        table[["pool", "quantity", "upper_s", "requests", "at_or_below_frac"]],
        f"Share of served requests within a latency{run.as_means}; dashed lines are limits. Colours as above.",
    )


def _latency_axis(ax: Axes, table: pd.DataFrame, limits: list[float]) -> None:
    """Show where the distributions rise, and the limits."""
    ax.set_xscale("log")
    for limit in limits:
        ax.axvline(limit, color=VERMILLION, linewidth=1, linestyle="--")
    inside = table[(table["at_or_below_frac"] > 0.002) & (table["at_or_below_frac"] < 0.9995)]
    if len(inside):
        slowest = max(float(inside["upper_s"].max()), *limits, 0.0)
        ax.set_xlim(float(inside["upper_s"].min()) / 1.5, slowest * 2.2)
    if limits:
        text = "limit" if len(limits) == 1 else "limits"
        note(ax, limits[-1], 8, text, dark(VERMILLION), right_pt=4)
    ax.set_ylim(0, 101)
    low, high = ax.get_xlim()
    wide = high > LABELLED_RATIO * low
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if wide else (1.0, 2.0, 5.0), numticks=8))
    ax.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())


def _table(run: Run) -> pd.DataFrame:
    pools = run.table("pools", ["pool"]).nlargest(POOLS_LISTED, "requests")

    def of(key: str) -> list[float | None]:
        return [run.value(f"inference.{p}.{key}") for p in pools["pool"].astype(str)]

    return pd.DataFrame(
        {
            "Model": pools["pool"].astype(str),
            "Requests": [wording.large(v) for v in of("requests")],
            "TTFT P50": [wording.seconds(v) for v in of("ttft_p50")],
            "TTFT P99": [wording.seconds(v) for v in of("ttft_p99")],
            "TPOT P99": [wording.seconds(v) for v in of("tpot_p99")],
            "Within SLO": [wording.percent(v, 2) for v in of("slo_attainment")],
            "Unserved": [wording.large(v) for v in of("unserved")],
        }
    )
