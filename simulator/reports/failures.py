"""Page: what failed, how often, and how much was out of service."""

import pandas as pd

from simulator.metrics import failures, fleet
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    VERMILLION,
    canvas,
    heading,
    label,
    note,
    thousands,
    time_axis,
)
from simulator.results import Results

CAUSES_DRAWN = 10
NAMES = {"MS": "month", "7D": "week", "D": "day", "h": "hour"}


def page(run: Run) -> Page:
    """Return the page on failures and repairs."""
    count = run.value("failures.count") or 0.0
    causes = _causes(run)
    top = causes.iloc[0] if len(causes) else None
    most = (
        f"{wording.plain(top['cause'])} is the commonest cause "
        f"({wording.percent(top['count'] / causes['count'].sum(), 0)})"
        if top is not None
        else ""
    )
    available = run.value("site.accelerators_available_mean") or 0.0
    installed = run.value("site.accelerators_installed") or 1.0
    return Page(
        "failures",
        "Failures and repairs",
        f"{count:,.0f} failures, {wording.number(count / run.days)} a day; {most}, and on average "
        f"{wording.percent(1 - available / installed, 2)} of accelerators are out of service"
        if count
        else f"No failures in {wording.number(run.days)} days: every accelerator stays in service",
        (
            (
                "Counts include failures that a restart cured. A failure takes out what its class says "
                "(a server, a rack, a block, a switch, a plant unit, a line or transformer) until it "
                "is repaired; detection and parts are in the time to repair. False alarms are not counted."
            ),
        ),
        (by_cause(run), over_time(run)) if len(causes) else (over_time(run),),
        (TableSpec("Failures by cause", _table(causes, run)),),
    )


def _causes(run: Run) -> pd.DataFrame:
    """Return failures by cause, most frequent first: means of the replicates."""
    found = pd.concat([failures.failures(results, by="cause") for results in run.results])
    means = found.groupby("cause", sort=False)[["count", "repair_h"]].sum() / len(run.results)
    return means.sort_values("count", ascending=False, kind="stable").reset_index()


def by_cause(run: Run) -> FigureSpec:
    """Draw failures by cause."""
    data = _causes(run)
    shown = data.head(CAUSES_DRAWN).iloc[::-1]
    fig, ax = canvas(height_in=0.7 + 0.18 * max(len(shown), 2))
    ax.barh(range(len(shown)), shown["count"], color=BLUE, height=0.68)
    ax.set_yticks(range(len(shown)), [wording.plain(c) for c in shown["cause"]])
    for y, row in enumerate(shown.itertuples(index=False)):
        note(ax, row[1], y, wording.number(row[1]) if row[1] % 1 else f"{row[1]:,.0f}", right_pt=4)
    ax.set_xlim(0, max(float(shown["count"].max()) * 1.1 if len(shown) else 1.0, 1.0))
    heading(ax, "Failures by cause")
    label(ax, "Failures in the run", grid="x")
    thousands(ax.xaxis)
    parts = ", ".join(
        f"{wording.plain(r.cause)} {r[1]:,.4g}"
        for r in data[["cause", "count"]]
        .head(CAUSES_DRAWN)
        .rename(columns={"count": "n"})
        .itertuples(index=False)
    )
    return FigureSpec(
        fig,
        "failures-by-cause",
        f"Bars of failures by cause: {parts}.",
        data,
        "Failures by cause over the run.",
    )


def over_time(run: Run) -> FigureSpec:
    """Draw failures per period above accelerators out of service."""
    every = "h" if run.days <= 3 else "D"
    down = run.across(lambda results: _down(results, every))
    counts = run.across(lambda results: _counts(results, every, down.index))
    data = pd.DataFrame({"failures": counts["mean"], "accelerators_down": down["mean"]})
    data = data.reset_index(names="time")
    fig, (top, bottom) = canvas(height_in=2.4, rows=2, sharex=True)
    top.step(data["time"], data["failures"], where="post", color=BLUE, linewidth=1)
    bottom.plot(data["time"], data["accelerators_down"], color=VERMILLION)
    for ax, spread, color, step in ((top, counts, BLUE, "post"), (bottom, down, VERMILLION, None)):
        if len(run.results) > 1:
            ax.fill_between(data["time"], spread["low"], spread["high"], step=step, color=color, alpha=0.2,
                            linewidth=0)  # fmt: skip
    for ax, title in (
        (top, f"Failures per {NAMES[every]}"),
        (bottom, f"Accelerators out of service, mean of the {NAMES[every]}"),
    ):
        ax.set_ylim(0, max(ax.get_ylim()[1], 1.0))
        heading(ax, title)
        label(ax)
        thousands(ax.yaxis)
    time_axis(bottom, data["time"])
    worst = data.loc[data["accelerators_down"].idxmax()]
    return FigureSpec(
        fig,
        "failures-over-time",
        f"Lines over time: {data['failures'].mean():.3g} failures per {NAMES[every]} on average; "
        f"accelerators out of service reach {worst['accelerators_down']:,.0f} on "
        f"{wording.day(worst['time'])}.",
        data.assign(failures_low=counts["low"].to_numpy(), failures_high=counts["high"].to_numpy(),
                    down_low=down["low"].to_numpy(), down_high=down["high"].to_numpy())
        if len(run.results) > 1 else data,
        f"Failures and accelerators out of service over the run{run.of_replicates}.",
    )  # fmt: skip


def _down(results: Results, every: str) -> pd.Series:
    """Return accelerators out of service by period."""
    service = fleet.service(results, every=every).set_index("time")["accelerators_up"]
    return (fleet.installed(results) - service).clip(lower=0.0).dropna()


def _counts(results: Results, every: str, periods: pd.Index) -> pd.Series:
    """Return failures of each period, 0 where there was none."""
    counts = failures.failures(results, every=every).set_index("time")["count"]
    return counts.reindex(periods).fillna(0.0)


def _table(causes: pd.DataFrame, run: Run) -> pd.DataFrame:
    shown = causes.head(CAUSES_DRAWN)
    return pd.DataFrame(
        {
            "Cause": [wording.sentence(wording.plain(c)) for c in shown["cause"]],
            "Failures": [wording.number(v) if v % 1 else f"{v:,.0f}" for v in shown["count"]],
            "Per day": [wording.number(v / run.days) for v in shown["count"]],
            "Mean time out": [
                wording.seconds(3600 * h / n) if h else wording.MISSING
                for h, n in zip(shown["repair_h"], shown["count"], strict=True)
            ],
            "Repair time, total": [
                f"{wording.large(v)}{wording.SPACE}h" for v in shown["repair_h"]
            ],
        }
    )
