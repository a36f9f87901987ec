"""Page: how training advanced, what stopped it, when it ends."""

from functools import partial

import pandas as pd

from simulator.metrics import training
from simulator.metrics.fleet import cause_of, hours
from simulator.reports import step_phases, wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    GREEN,
    GREY,
    LINES,
    ORANGE,
    PALETTE,
    canvas,
    dark,
    end_labels,
    heading,
    label,
    note,
    time_axis,
)
from simulator.results import Results

JOBS_DRAWN = 3
POINTS = 600
DAY_S = 86_400.0
KINDS = {
    "training": "pre-training", "fine_tuning": "fine-tuning", "rl_post_training": "post-training",
}  # fmt: skip
SLOWER = {
    "lost_throttle": "heat",
    "lost_power_cap": "a cap on power",
    "lost_network": "what failed in its network",
    "lost_degraded": "what it goes on without",
}
"""Categories of hours that a longer step loses, and what causes them."""
SOURCES = {
    "from_local": "its own servers", "from_peer": "the memory of other servers",
    "from_remote": "storage", "from_running": "what was left running",
}
"""What a job with tiers goes on from."""


def page(run: Run) -> Page:
    """Return the page on training."""
    jobs = run.jobs
    job = jobs.loc[jobs["accelerators"].idxmax()]
    name = f"training.{job['job']}"
    ettr = run.value(f"{name}.ettr")
    stops = run.value(f"{name}.interruptions") or 0
    return Page(
        "training",
        "Training",
        f"Training job “{job['job']}” {_ending(run, job)} after {stops:,.0f} interruption"
        f"{'' if stops == 1 else 's'}, with an ETTR of {wording.percent(ettr)} and "
        f"{wording.percent(run.value(f'{name}.mfu'))} MFU",
        (_story(run, job), *_spread(run, str(job["job"]))),
        (progress(run), step_phases.phases(run), goodput(run)),
        (TableSpec("Jobs", _table(jobs)),),
    )


def _ending(run: Run, job: pd.Series) -> str:
    finish = run.value(f"training.{job['job']}.finish_time")
    if finish is not None:
        return f"finishes on {wording.day(finish)}"
    done = float(job["tokens"]) / float(job["target_tokens"]) if job["target_tokens"] else 0.0
    return f"has {wording.percent(done, 0)} of its tokens when the run ends,"


def _story(run: Run, job: pd.Series) -> str:
    pace = float(job["step_time_s"]) / float(job["planned_step_time_s"]) - 1
    slower = (
        f"{wording.percent(pace)} longer than at full speed, most of it for "
        f"{_why_slower(run, str(job['job']))}"
        if pace > 0.0005
        else "as at full speed"
    )
    stops = 3600.0 * float(job["mttf_h"])
    return (
        f"The job runs {job['model']} on {job['accelerators']:,.0f} {job['accelerator']}. A step "
        f"takes {wording.seconds(float(job['step_time_s']))} on average, {slower}. It saves a "
        f"checkpoint every {wording.seconds(float(job['checkpoint_interval_s']))} of useful time, "
        f"each a pause of {wording.seconds(float(job['checkpoint_stall_s']))}"
        + (f", and a failure stops it every {wording.seconds(stops)} of running." if stops > 0 else ".")
        + _went_on_from(job)
    )


def _went_on_from(job: pd.Series) -> str:
    """Return what was loaded after stops, where there is more than one place to load from."""
    times = {told: round(float(job.get(column, 0))) for column, told in SOURCES.items()}
    told = [f"{what} {count:,} times" for what, count in times.items() if count]
    return f" After stops it went on from {', '.join(told)}." if told else ""


def _why_slower(run: Run, job: str) -> str:
    """Return what cost the job most of the hours that a slower step takes."""
    table = run.averaged(partial(hours, by="load"), ["load", "category"])
    own = table[(table["load"] == job) & table["category"].isin(SLOWER)]
    lost = own.set_index("category")["accelerator_hours"]
    return SLOWER[str(lost.idxmax())] if len(lost) and lost.max() > 0.0 else "its slowest member"


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
    jobs = training.outcome(run.first).nlargest(JOBS_DRAWN, "accelerators")
    fig, ax = canvas(height_in=2.0)
    rows = []
    for i, name in enumerate(str(j) for j in jobs["job"]):
        spread = run.across(partial(_work_s, job=name))
        spread = spread.iloc[:: max(1, len(spread) // POINTS)]
        own = spread.rename(columns={"mean": "work_s"}).reset_index(names="time").assign(element=name)
        own = own.assign(time=own["time"] + pd.Timedelta(hours=1))
        ax.plot(own["time"], own["work_s"] / DAY_S, color=PALETTE[i])
        if len(run.results) > 1:
            ax.fill_between(own["time"], own["low"] / DAY_S, own["high"] / DAY_S, color=PALETTE[i], alpha=0.25,
                            linewidth=0)  # fmt: skip
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
        several = ["low", "high"] if len(run.results) > 1 else []
        rows.append(own[["time", "element", "work_s", *several]])
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
        f"Retained work since the start, and what an uninterrupted run would do{run.of_replicates}.",
    )


def _work_s(results: Results, job: str) -> pd.Series:
    """Return the work of a job retained by the end of each hour."""
    hourly = training.progress(results, every="h")
    return hourly[hourly["element"] == job].set_index("time")["work_s"]


def goodput(run: Run) -> FigureSpec:
    """Draw what the largest job held, computed and kept up, beside what its hours were lost to."""
    job = training.outcome(run.first).nlargest(1, "accelerators").iloc[0]
    data = _shares(run, str(job["job"]), float(job["accelerators"]))
    fig, (left, right) = canvas(height_in=1.9, columns=2, width_ratios=[1.7, 1])
    columns = {
        "held_percent": ("held", GREEN),
        "computing_percent": ("computing", BLUE),
        "speed_percent": ("speed", ORANGE),
    }
    for i, (column, (_, color)) in enumerate(columns.items()):
        left.plot(data["time"], data[column], color=color, linestyle=LINES[i])
    time_axis(left, data["time"], most=6)
    left.set_ylim(0, 105)
    ends = [(float(data[c].dropna().iloc[-1]), t, color) for c, (t, color) in columns.items()]
    end_labels(left, ends, 0.1)
    heading(left, f"{job['job']}: accelerators and speed, %")
    label(left)
    lost = _lost(run, str(job["job"]))
    right.barh(range(len(lost)), lost["percent"][::-1], color=ORANGE, height=0.62)
    right.set_yticks(range(len(lost)), lost["cause"][::-1])
    for y, value in enumerate(lost["percent"][::-1]):
        note(right, value, y, f"{value:.2f}", right_pt=4)
    right.set_xlim(0, max(lost["percent"].max() * 1.4 if len(lost) else 1.0, 0.01))
    heading(right, "Lost, % of its hours")
    label(right, grid="x")
    shares = ", ".join(f"{r.cause} {r.percent:.2f} %" for r in lost.itertuples())
    return FigureSpec(
        fig,
        "training-goodput",
        f"Lines of accelerators of {job['job']}: on average {data['held_percent'].mean():.0f} % of "
        f"those requested are held and {data['computing_percent'].mean():.0f} % compute; bars of "
        f"its hours lost: {shares}.",
        data,
        "Accelerators held and computing, of those requested; speed of the slowest member while "
        f"computing, of full speed{run.as_means}.",
    )


def _shares(run: Run, job: str, requested: float) -> pd.DataFrame:
    """Return held and computing accelerators of those requested, and speed, until the job ends."""
    hourly = run.averaged(partial(training.progress, every="h"), ["element", "time"])
    own = hourly[hourly["element"] == job].reset_index(drop=True)
    own = own.loc[: own.index[own["accelerators"] > 0].max()]
    computing = own["accelerators"] * own["productive_frac"]
    sums = (
        pd.DataFrame(
            {
                "held": own["accelerators"],
                "computing": computing,
                "speed": computing * own["speed_frac"],
            }
        )
        .groupby(own["time"].dt.floor(run.trend))
        .mean()
    )
    return pd.DataFrame(
        {
            "held_percent": 100 * sums["held"] / requested,
            "computing_percent": 100 * sums["computing"] / requested,
            "speed_percent": 100 * sums["speed"] / sums["computing"].where(sums["computing"] > 0),
        }
    ).reset_index()


def _lost(run: Run, job: str) -> pd.DataFrame:
    table = run.averaged(partial(hours, by="load"), ["load", "category"])
    own = table[table["load"] == job].groupby("category")["accelerator_hours"].sum()
    lost = own[own.index.str.startswith("lost_")].sort_values(ascending=False).head(7)
    lost = lost[lost > 1e-5 * own.sum()]
    return pd.DataFrame(
        {
            "cause": [cause_of(str(c)) for c in lost.index],
            "percent": 100 * lost.to_numpy() / own.sum(),
        }
    )


def _table(jobs: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Job": jobs["job"].astype(str),
            "Kind": [KINDS.get(str(kind), str(kind)) for kind in jobs["kind"]],
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
