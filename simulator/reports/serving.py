"""Page: demand on served models, how much was met, and how fast."""

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
    end_labels,
    heading,
    label,
    note,
    thousands,
    time_axis,
)

DAY_H = 24
POOLS_DRAWN = 5
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def page(run: Run) -> Page:
    """Return the page on serving."""
    share = {p: run.value(f"inference.{p}.slo_attainment") or 0.0 for p in _pools(run)}
    worst = min(share, key=lambda p: share[p])
    p99 = run.value(f"inference.{worst}.ttft_p99")
    requests = sum(run.value(f"inference.{p}.requests") or 0.0 for p in share)
    unserved = sum(run.value(f"inference.{p}.unserved") or 0.0 for p in share)
    return Page(
        "serving",
        "Serving",
        f"Of {wording.large(requests)} requests "
        f"{wording.percent(1 - unserved / max(requests, 1.0), 2)} are served; {worst} keeps its "
        f"limits for {wording.percent(share[worst], 2)} of arrivals"
        f"{', the least of all,' if len(share) > 1 else ''} with a P99 first token of "
        f"{wording.seconds(p99)}",
        (
            (
                "A request meets its objective if the first token and the time per further token both "
                "stay within their limits; requests shed or unfinished are misses. Latency counts "
                "from arrival, queueing included."
            ),
        ),
        (week(run), unmet(run), latency(run)),
        (TableSpec("Served models", _table(run)),),
    )


def _pools(run: Run) -> list[str]:
    return [str(p) for p in run.first.tables["pools"]["pool"]]


def _largest(run: Run) -> list[str]:
    table = run.first.tables["pools"]
    return [str(p) for p in table.nlargest(POOLS_DRAWN, "requests")["pool"]]


def week(run: Run) -> FigureSpec:
    """Draw the mean week of load on each pool, of its capacity."""
    hourly = inference.demand(run.first, every="h")
    hour = hourly["time"].dt.day_of_week * 24 + hourly["time"].dt.hour
    load = (100 * hourly["load_frac"]).groupby([hourly["element"], hour]).mean()
    wide = load.unstack(0).sort_index()
    names = [n for n in _largest(run) if n in wide]
    fig, ax = canvas(height_in=2.1)
    for i, name in enumerate(names):
        ax.plot(wide.index, wide[name], color=PALETTE[i], linestyle=LINES[i % len(LINES)])
    ax.set_xlim(wide.index.min(), max(wide.index.max(), wide.index.min() + 1))
    ax.set_ylim(0, max(100.0, float(wide[names].max().max()) * 1.05))
    _week_axis(ax, wide.index)
    end_labels(ax, [(float(wide[n].iloc[-1]), n, PALETTE[i]) for i, n in enumerate(names)], 0.1)
    heading(ax, "Load in the mean week, % of capacity")
    label(ax, grid="both")
    means = ", ".join(f"{n} {wide[n].mean():.0f} %" for n in names)
    return FigureSpec(
        fig,
        "serving-week",
        f"Lines of load over the mean week. Mean load: {means}.",
        wide.rename_axis("hour_of_week").reset_index(),
        "Requests served as a share of what the pool can serve, by hour of the week.",
    )


def _week_axis(ax: Axes, hours: pd.Index) -> None:
    """Name the days of the week, or the hours of a run no longer than a day."""
    if len(hours) > DAY_H:
        ticks = [d * DAY_H for d in range(7) if d * DAY_H in hours]
        ax.set_xticks(ticks, [DAYS[t // DAY_H] for t in ticks], ha="left")
    else:
        ticks = [int(h) for h in hours if h % 3 == 0]
        ax.set_xticks(ticks, [f"{t % DAY_H:02d}:00" for t in ticks])


def unmet(run: Run) -> FigureSpec:
    """Draw the share of arrivals shed over the run, and the queue."""
    data = inference.demand(run.first, every=run.trend)
    data["shed_percent"] = (
        100 * data["shed_per_s"] / data["arrivals_per_s"].where(data["arrivals_per_s"] > 0)
    )
    fig, (left, right) = canvas(height_in=1.9, columns=2)
    for i, name in enumerate(_largest(run)):
        own = data[data["element"] == name]
        for ax, column in ((left, "shed_percent"), (right, "queue")):
            ax.plot(
                own["time"],
                own[column],
                color=PALETTE[i],
                linestyle=LINES[i % len(LINES)],
                label=name,
            )
    for ax, title in ((left, "Shed, % of arrivals"), (right, "Requests waiting")):
        time_axis(ax, data["time"])
        ax.set_ylim(0, max(ax.get_ylim()[1], 1.0))
        heading(ax, title)
        label(ax)
        thousands(ax.yaxis)
    fig.legend(
        *left.get_legend_handles_labels(),
        loc="outside lower left",
        ncols=4,
        frameon=False,
        fontsize=9,
    )
    worst = data.loc[data["shed_percent"].fillna(0).idxmax()]
    return FigureSpec(
        fig,
        "serving-unmet",
        f"Lines of requests shed and waiting. The worst period shed "
        f"{worst['shed_percent'] or 0:.2f} % of the arrivals of {worst['element']}.",
        data[
            [
                "time",
                "element",
                "arrivals_per_s",
                "served_per_s",
                "shed_per_s",
                "queue",
                "shed_percent",
            ]
        ],
        "Requests shed and requests waiting over the run.",
    )


def latency(run: Run) -> FigureSpec:
    """Draw the cumulative distribution of both latencies, with the limits."""
    table = inference.latency(run.first)
    pools = run.first.tables["pools"].set_index(run.first.tables["pools"]["pool"].astype(str))
    fig, axes = canvas(height_in=2.1, columns=2, sharey=True)
    titles = {"ttft": "Time to first token (s)", "tpot": "Time per further token (s)"}
    for ax, (quantity, title) in zip(axes, titles.items(), strict=True):
        for i, name in enumerate(_largest(run)):
            own = table[(table["pool"] == name) & (table["quantity"] == quantity)]
            ax.plot(
                own["upper_s"],
                100 * own["at_or_below_frac"],
                color=PALETTE[i],
                linestyle=LINES[i % len(LINES)],
            )
        ax.set_xscale("log")
        limits = sorted({float(v) for v in pools[f"{quantity}_limit_s"].dropna()})
        for limit in limits:
            ax.axvline(limit, color=VERMILLION, linewidth=1, linestyle="--")
        own = table[table["quantity"] == quantity]
        inside = own[(own["at_or_below_frac"] > 0.002) & (own["at_or_below_frac"] < 0.9995)]
        if len(inside):
            ax.set_xlim(
                inside["upper_s"].min() / 1.5, max(inside["upper_s"].max(), *limits, 0.0) * 1.8
            )
        if limits:
            note(
                ax,
                limits[-1],
                6,
                "limit" if len(limits) == 1 else "limits",
                dark(VERMILLION),
                right_pt=4,
            )
        ax.set_ylim(0, 101)
        heading(ax, title)
        label(ax, "Logarithmic scale", "Requests within (%)" if ax is axes[0] else "", grid="both")
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
        ax.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
        ax.xaxis.set_minor_formatter(NullFormatter())
    p99 = ", ".join(
        f"{n} {wording.seconds(run.value(f'inference.{n}.ttft_p99'))}" for n in _largest(run)
    )
    return FigureSpec(
        fig,
        "serving-latency",
        f"Cumulative distributions of latency. P99 time to first token: {p99}.",
        table[["pool", "quantity", "upper_s", "requests", "at_or_below_frac"]],
        "Share of served requests within a latency; dashed lines are limits. Colours as above.",
    )


def _table(run: Run) -> pd.DataFrame:
    pools = run.first.tables["pools"]

    def of(key: str) -> list[float | None]:
        return [run.value(f"inference.{p}.{key}") for p in pools["pool"].astype(str)]

    return pd.DataFrame(
        {
            "Model": pools["pool"].astype(str),
            "Chip": pools["accelerator"].astype(str),
            "Requests": [wording.large(v) for v in of("requests")],
            "TTFT P50": [wording.seconds(v) for v in of("ttft_p50")],
            "P99": [wording.seconds(v) for v in of("ttft_p99")],
            "TPOT P50": [wording.seconds(v) for v in of("tpot_p50")],
            "P99 ": [wording.seconds(v) for v in of("tpot_p99")],
            "Within SLO": [wording.percent(v, 2) for v in of("slo_attainment")],
            "Unserved": [wording.large(v) for v in of("unserved")],
        }
    )
