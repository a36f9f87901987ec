"""Figures of goodput: the best interval between saves, and effective training time against scale."""

import pandas as pd

from simulator.reports import style, wording
from simulator.reports.page import FigureSpec, Lead, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import BLUE, GREY, SKY, VERMILLION

TOLD = (
    "Every accelerator stops the job by failures as often as in this run, no planned stops are "
    "added, a restart lasts as long, and the job saves "
    "as often as is best by Daly. The first-order formula lets no failure strike while the job saves or "
    "restarts, and no two in one interval; the complete model and the simulation do."
)


def interval_page(curve: pd.DataFrame, best: tuple[float, float, float], daly_s: float) -> Page:
    """Return the page of an interval study: the curve, (best, low, high) in s, Daly's interval."""
    apart = best[0] / daly_s - 1.0
    return Page(
        "checkpoint-interval", "Training",
        f"Saving every {wording.seconds(best[0])} keeps most work, {wording.percent(abs(apart))} "
        f"{'above' if apart > 0.0 else 'below'} Daly's {wording.seconds(daly_s)}",
        figures=(interval(curve, best, daly_s),),
    )  # fmt: skip


def interval(curve: pd.DataFrame, best: tuple[float, float, float], daly_s: float) -> FigureSpec:
    """Draw effective training time against the interval, with the top and where Daly puts it."""
    fig, ax = style.canvas(height_in=2.8)
    minutes = curve["interval_s"] / 60.0
    ax.fill_between(minutes, 100 * curve["p10"], 100 * curve["p90"], color=SKY, alpha=0.35,
                    linewidth=0, label="P10 to P90 of replicates")  # fmt: skip
    ax.plot(minutes, 100 * curve["ettr"], "o", color=BLUE, markersize=4, label="simulated mean")
    for column, color, line, name in (
        ("complete", BLUE, "-", "complete model"), ("first_order", VERMILLION, "--", "first order"),
    ):  # fmt: skip
        if column in curve:
            ax.plot(minutes, 100 * curve[column], line, color=color, label=name)
    ax.axvspan(best[1] / 60.0, best[2] / 60.0, color=GREY, alpha=0.35, linewidth=0)
    ax.axvline(daly_s / 60.0, color=style.INK, linestyle=":", label="Daly's interval")
    ax.set_xscale("log")
    ax.set_xticks(minutes[::3], [f"{m:.3g}" for m in minutes[::3]])
    ax.minorticks_off()
    style.label(ax, x="useful time between saves, minutes", y="effective training time, %", grid="both")
    style.legend(fig, ax, "upper center", 3)
    return FigureSpec(
        fig, "checkpoint-interval",
        f"Effective training time over {len(curve)} intervals between saves; its top is marked.",
        curve, "Grey: the 95 % interval of the top, fitted to the simulated means near it.",
    )  # fmt: skip


def page(run: Run) -> Page:
    """Return the page of the run's jobs against scale; the largest is drawn."""
    table = run.first.tables["scale"]
    largest = table["job"][table["own_accelerators"].astype(float).idxmax()]
    return scale_page(table[table["job"] == largest].reset_index(drop=True), _jobs(table))


def scale_page(table: pd.DataFrame, jobs: pd.DataFrame | None = None) -> Page:
    """Return the page of effective training time against scale (`studies.ettr_scale`)."""
    worst = table.iloc[(table["first_order"] - table["ettr"]).astype(float).abs().argmax()]
    title = (
        f"At {worst['accelerators']:,.0f} accelerators {wording.percent(worst['ettr'])} of the time is "
        f"effective; the formula in common use says {wording.percent(worst['first_order'])}"
    )
    tables = () if jobs is None else (TableSpec("The jobs of this run", jobs),)
    return Page("goodput-scale", "Goodput at scale", title, (Lead("What is shown.", TOLD),), (scale(table),), tables)


def _jobs(table: pd.DataFrame) -> pd.DataFrame:
    """Return a row of ready text per job."""
    rows = [
        (job, f"{own['own_accelerators']:,.0f}", wording.percent(own["own_ettr"]),
         f"{own['own_lost_min']:.1f} min")
        for job, own in table.groupby("job", sort=False).first().iterrows()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["Job", "Accelerators", "Effective time", "Lost for each stop"])


def scale(table: pd.DataFrame) -> FigureSpec:
    """Draw effective training time against the number of accelerators."""
    fig, ax = style.canvas(height_in=2.8)
    n = table["accelerators"]
    ax.fill_between(n, 100 * table["p10"], 100 * table["p90"], color=SKY, alpha=0.35, linewidth=0,
                    label="P10 to P90 of 30 days")  # fmt: skip
    ax.plot(n, 100 * table["first_order"], "--", color=VERMILLION, label="first order")
    ax.plot(n, 100 * table["complete"], "-", color=BLUE, label="complete model")
    ax.plot(n, 100 * table["ettr"], "o", color=BLUE, markersize=4, label="simulated mean")
    if "own_ettr" in table:
        own = table.iloc[0]
        ax.plot(own["own_accelerators"], 100.0 * own["own_ettr"], "*", color=style.INK, markersize=9,
                label="this run's job")  # fmt: skip
    ax.set_xscale("log", base=2)
    ax.set_xticks(n, [f"{v:,}" for v in n], rotation=30, ha="right")
    ax.minorticks_off()
    ax.set_ylim(0.0, 100.0)
    style.label(ax, x="accelerators in one job", y="effective training time, %", grid="both")
    style.legend(fig, ax, "upper center", 3)
    return FigureSpec(
        fig, "ettr-scale",
        f"Effective training time at {len(table)} scales: it falls faster than the first-order formula "
        "says.",
        table, "Same rate per accelerator and same practice at every scale; interval by Daly.",
    )  # fmt: skip
