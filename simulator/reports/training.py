"""Page: how training advanced, what stopped it, when it ends."""

import pandas as pd

from simulator.metrics import training
from simulator.metrics.fleet import hours
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    GREY,
    ORANGE,
    PALETTE,
    canvas,
    dark,
    heading,
    label,
    note,
    time_axis,
)

JOBS_DRAWN = 3
POINTS = 600
DAY_S = 86_400.0


def page(run: Run) -> Page:
    """Return the page on training."""
    jobs = training.outcome(run.first)
    job = jobs.loc[jobs["accelerators"].idxmax()]
    name = f"training.{job['job']}"
    ettr = run.value(f"{name}.ettr")
    stops = run.value(f"{name}.interruptions") or 0
    return Page(
        "training",
        "Training",
        f"Training job {job['job']} {_ending(run, job)} after {stops:,.0f} interruptions, with an ETTR of "
        f"{wording.percent(ettr)} and {wording.percent(run.value(f'{name}.mfu'))} MFU",
        (_story(job), *_spread(run, str(job["job"]))),
        (progress(run), goodput(run)),
        (TableSpec("Jobs", _table(jobs)),),
    )


def _ending(run: Run, job: pd.Series) -> str:
    finish = run.value(f"training.{job['job']}.finish_time")
    if finish is not None:
        return f"finishes on {wording.day(finish)}"
    done = float(job["tokens"]) / float(job["target_tokens"]) if job["target_tokens"] else 0.0
    return f"has {wording.percent(done, 0)} of its tokens when the run ends,"


def _story(job: pd.Series) -> str:
    pace = float(job["step_time_s"]) / float(job["planned_step_time_s"]) - 1
    return (
        f"The job runs {job['model']} on {job['accelerators']:,.0f} {job['accelerator']}. A step "
        f"takes {wording.seconds(float(job['step_time_s']))} on average, "
        f"{wording.percent(pace)} longer than at full speed, because it waits for the slowest "
        "member. It saves a checkpoint every "
        f"{wording.seconds(float(job['checkpoint_interval_s']))} of useful time, each a pause of "
        f"{wording.seconds(float(job['checkpoint_stall_s']))}, and was interrupted every "
        f"{wording.number(float(job['mttf_h']))} h of running."
    )


def _spread(run: Run, job: str) -> tuple[str, ...]:
    ends = run.spread(f"training.{job}.finish_time")
    if ends is None:
        return ()
    return (
        (
            f"Finish over {len(run.results)} replicates: {wording.day(ends[0])} (P10) to "
            f"{wording.day(ends[1])} (P90)."
        ),
    )


def progress(run: Run) -> FigureSpec:
    """Draw work done against what full speed from the start would have done."""
    hourly = training.progress(run.first, every="h")
    jobs = training.outcome(run.first).nlargest(JOBS_DRAWN, "accelerators")
    fig, ax = canvas(height_in=3.0)
    rows = []
    for i, name in enumerate(str(j) for j in jobs["job"]):
        own = hourly[hourly["element"] == name]
        own = own.iloc[:: max(1, len(own) // POINTS)]
        own = own.assign(time=own["time"] + pd.Timedelta(hours=1))
        ax.plot(own["time"], own["work_s"] / DAY_S, color=PALETTE[i])
        at = own.iloc[int(0.55 * len(own))]
        note(
            ax,
            at["time"],
            at["work_s"] / DAY_S,
            f"{name}",
            dark(PALETTE[i]),
            right_pt=5,
            va="top",
            fontweight="bold",
        )
        rows.append(own[["time", "element", "work_s"]])
    start, end = run.start, run.start + pd.Timedelta(days=run.days)
    ideal = run.days
    ax.plot([start, end], [0, ideal], color=GREY, linestyle="--", linewidth=1)
    note(
        ax,
        start + (end - start) * 0.55,
        ideal * 0.55,
        "full speed without a stop ",
        dark(GREY),
        ha="right",
        va="bottom",
    )
    time_axis(ax, [start, end])
    ax.set_ylim(0, None)
    heading(ax, "Work done (days of computing at full speed)")
    label(ax)
    data = pd.concat(rows, ignore_index=True)
    done_s = data.groupby("element")["work_s"].max()
    done = ", ".join(f"{n} {wording.number(v / DAY_S)} days" for n, v in done_s.items())
    return FigureSpec(
        fig,
        "training-progress",
        f"Lines of training work done: {done}, of {ideal:.3g} days elapsed.",
        data,
        "Retained work since the start, and what an uninterrupted run would do.",
    )


def goodput(run: Run) -> FigureSpec:
    """Draw the productive share and speed over time, beside where training hours were lost."""
    job = training.outcome(run.first).nlargest(1, "accelerators")["job"].iloc[0]
    table = training.progress(run.first, every=run.period)
    own = table[(table["element"] == job) & (table["speed_frac"] > 0)]
    fig, (left, right) = canvas(height_in=2.7, columns=2, width_ratios=[1.5, 1])
    left.plot(own["time"], 100 * own["productive_frac"], color=BLUE)
    left.plot(own["time"], 100 * own["speed_frac"], color=ORANGE, linestyle="--")
    time_axis(left, own["time"])
    low = max(0.0, 100 * min(own["productive_frac"].min(), own["speed_frac"].min()) - 12)
    left.set_ylim(low, 100 + 0.2 * (100 - low))
    left.set_yticks([t for t in left.get_yticks() if low <= t <= 100])
    note(
        left,
        0.02,
        0.93,
        "speed of slowest member",
        dark(ORANGE),
        transform="axes fraction",
        fontweight="bold",
    )
    note(
        left,
        0.02,
        0.06,
        "share of time computing",
        dark(BLUE),
        transform="axes fraction",
        fontweight="bold",
    )
    heading(left, f"{job}, %" + (" (axis not from zero)" if low > 0 else ""))
    label(left)
    lost = _lost(run, str(job))
    right.barh(range(len(lost)), lost["percent"][::-1], color=ORANGE, height=0.62)
    right.set_yticks(range(len(lost)), lost["cause"][::-1])
    for y, value in enumerate(lost["percent"][::-1]):
        note(right, value, y, f"{value:.2f}", right_pt=4)
    right.set_xlim(0, max(lost["percent"].max() * 1.35 if len(lost) else 1.0, 0.01))
    heading(right, "Lost, % of hours held")
    label(right, grid="x")
    shares = ", ".join(f"{r.cause} {r.percent:.2f} %" for r in lost.itertuples())
    return FigureSpec(
        fig,
        "training-goodput",
        f"Line of the productive share of {job}, mean "
        f"{wording.percent(float(own['productive_frac'].mean()))}; bars of hours lost: {shares}.",
        own[["time", "element", "accelerators", "productive_frac", "speed_frac"]],
        "Productive share and pace of the largest job, and what its accelerators lost.",
    )


def _lost(run: Run, job: str) -> pd.DataFrame:
    table = hours(run.first, by="load")
    own = table[table["load"] == job].groupby("category")["accelerator_hours"].sum()
    lost = own[own.index.str.startswith("lost_")].sort_values(ascending=False).head(7)
    return pd.DataFrame(
        {
            "cause": [wording.plain(c.removeprefix("lost_")) for c in lost.index],
            "percent": 100 * lost.to_numpy() / own.sum(),
        }
    )


def _table(jobs: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Job": jobs["job"].astype(str),
            "Chip": jobs["accelerator"].astype(str),
            "Chips": [f"{v:,.0f}" for v in jobs["accelerators"]],
            "Step": [wording.seconds(float(v)) for v in jobs["step_time_s"]],
            "MFU": [wording.percent(v) for v in jobs["mfu"]],
            "ETTR": [wording.percent(v) for v in jobs["ettr"]],
            "Tokens": [wording.large(v) for v in jobs["tokens"]],
            "MTTF (h)": [wording.number(v) for v in jobs["mttf_h"]],
            "Finish": [wording.day(v) for v in jobs["finish"]],
        }
    )
