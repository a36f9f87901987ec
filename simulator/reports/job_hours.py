"""Page: what a synchronous job's accelerator-hours went to, what stopped it, how it came back."""

import numpy as np
import pandas as pd

from simulator.metrics import fleet, training
from simulator.reports import step_phases, wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import BLUE, GREY, ORANGE, canvas, heading, label, note

STEPS = 7
"""Causes drawn one by one; the others share a step."""
CAUSES = 12
"""Causes of stops in the table."""
TRACE = 5e-5
"""Shares of a job's hours below this round to nothing."""
FROM = {
    "from_running": "went on without loading", "from_local": "from the same servers",
    "from_peer": "from the memory of other servers", "from_remote": "from storage",
    "from_save": "from its last save", "from_start": "from the beginning",
}


def page(run: Run) -> Page:
    """Return the page on the goodput of the largest job."""
    jobs = run.first.tables["jobs"]
    job = jobs.loc[jobs["accelerators"].astype(float).idxmax()]
    name = str(job["job"])
    shares = _shares(run, name)
    lost = shares.drop("useful").sort_values(ascending=False)
    most = (
        f"; {fleet.cause_of(str(lost.index[0]))} took most of the rest, {wording.percent(lost.iloc[0])}"
        if len(lost) and lost.iloc[0] > TRACE
        else ""
    )
    return Page(
        "goodput",
        "Goodput",
        f"{wording.quoted(name)} kept {wording.percent(shares['useful'])} of its accelerator-hours as "
        f"work{most}",
        (_told(run, name),),
        (waterfall(name, shares),),
        (
            TableSpec("Jobs and how they came back", _recoveries(run)),
            TableSpec("What stopped it", _stops(run, name)),
            *step_phases.beside(run),
        ),
    )


def waterfall(name: str, shares: pd.Series) -> FigureSpec:
    """Draw the steps from all hours that a job held down to those it kept as work."""
    data = _steps(shares)
    fig, ax = canvas(height_in=2.6)
    color = data["kind"].map({"held": GREY, "lost": ORANGE, "kept": BLUE})
    hatched = data["kind"] == "lost"
    ax.bar(
        range(len(data)), 100 * data["share"], bottom=100 * data["below"], width=0.62, color=color,
        hatch=["///" if h else "" for h in hatched], edgecolor=color.where(~hatched, "white"),
        linewidth=0.8,
    )  # fmt: skip
    for i, row in enumerate(data.itertuples()):
        sign = "−" if row.kind == "lost" else ""
        shown = f"{sign}{wording.percent(row.share, 2 if row.share < 0.01 else 1)}"
        note(ax, i, 100 * (row.below + row.share), shown, ha="center", va="bottom")
    ax.set_xticks(range(len(data)), [s.replace(" ", "\n") for s in data["step"]])
    lowest = float(data.loc[data["kind"] == "lost", "below"].min()) if hatched.any() else 0.0
    # Losses of a few per cent would be lines on an axis from nothing.
    floor = 100 * max(0.0, 1.0 - 1.6 * (1.0 - lowest)) if lowest > 0.5 else 0.0
    ax.set_ylim(floor, 100 + 0.12 * (100 - floor))
    heading(ax, "Share of the accelerator-hours that the job held (%)")
    label(ax)
    told = ", ".join(f"{s} {wording.percent(v, 2)}" for s, v in zip(data["step"], data["share"], strict=True))
    cut = ax.get_ylim()[0] > 0
    return FigureSpec(
        fig, "job-hours", f"Waterfall of the accelerator-hours of {name}: {told}.", data,
        f"From all accelerator-hours that {wording.quoted(name)} held to those it kept as work, mean of "
        "the replicates." + (" The vertical axis does not start at zero." if cut else ""),
    )  # fmt: skip


def _steps(shares: pd.Series) -> pd.DataFrame:
    """Return the steps of the waterfall: step, kind, share, below."""
    lost = shares.drop("useful").sort_values(ascending=False, kind="stable")
    lost = lost[lost > TRACE]
    small = float(lost.iloc[STEPS:].sum())
    steps = [(fleet.cause_of(str(c)), float(v)) for c, v in lost.iloc[:STEPS].items()]
    steps += [("other causes", small)] if small > 0.0 else []
    level, rows = 1.0, [("held", "held", 1.0, 0.0)]
    for step, share in steps:
        level -= share
        rows.append((step, "lost", share, level))
    rows.append(("kept as work", "kept", float(shares["useful"]), 0.0))
    return pd.DataFrame(rows, columns=["step", "kind", "share", "below"])


def _shares(run: Run, job: str) -> pd.Series:
    """Return the share of each category in the hours that a job held, mean of the replicates."""
    parts = []
    for results in run.results:
        table = fleet.hours(results, by="load")
        own = table[table["load"] == job].groupby("category")["accelerator_hours"].sum()
        parts.append(own / max(own.sum(), np.finfo(float).tiny))
    shares = pd.concat(parts, axis=1).fillna(0.0).mean(axis=1)
    return shares.reindex(shares.index.union(["useful"]), fill_value=0.0)


def _told(run: Run, name: str) -> str:
    """Return what stopped the job and what a stop of any kind cost, in words."""
    rows = pd.concat([r.tables["jobs"] for r in run.results])
    rows = rows[rows["job"].astype(str) == name]
    stops = training.stops(rows)
    if not stops.any():
        return "Nothing stopped the job. Every hour it held is under exactly one cause."
    lost_s, stalled_s = (_mean(rows[c], stops) for c in ("lost_work_mean_s", "stalled_mean_s"))
    return (
        f"It was stopped {stops.mean():,.0f} times, {_kinds(rows)}; a stop cost "
        f"{wording.seconds(lost_s)} of work done in vain and "
        f"{wording.seconds(stalled_s)} until it ran again, beside the saves. Every hour it held is under "
        "exactly one cause; the shares add up to all of them."
    )


def _kinds(rows: pd.DataFrame) -> str:
    """Return how many of the stops were what, and how far apart the failures."""
    failures = rows["interruptions"].astype(float)
    told = [f"{failures.mean():,.0f} by failures"]
    if failures.any():
        told[0] += f" (one every {wording.number(_mean(rows['mttf_h'], failures))} h of running)"
    for column, words in (("planned_stops", "planned"), ("false_alarms", "by false alarms")):
        if column in rows and rows[column].any():
            told.append(f"{rows[column].astype(float).mean():,.0f} {words}")
    return ", ".join(told)


def _mean(values: pd.Series, stops: pd.Series) -> float:
    """Return the mean over replicates, each as often as its job was stopped."""
    return float((values.astype(float).fillna(0.0) * stops).sum() / stops.sum())


def _stops(run: Run, name: str) -> pd.DataFrame:
    """Return the causes of a job's stops, most frequent first, mean of the replicates."""
    counts = []
    for results in run.results:
        events = results.events
        own = events[(events["kind"].astype(str) == "interruption") & (events["element"].astype(str) == name)]
        counts.append(own["cause"].astype(str).value_counts())
    mean = pd.concat(counts, axis=1).fillna(0.0).sum(axis=1) / len(run.results)
    mean = mean.sort_values(ascending=False, kind="stable")
    shown = mean.head(CAUSES)
    if len(mean) > CAUSES:
        shown = pd.concat([shown, pd.Series({"other causes": mean.iloc[CAUSES:].sum()})])
    return pd.DataFrame(
        {
            "Cause": [wording.sentence(wording.plain(str(c))) for c in shown.index],
            "Stops": [wording.mean_count(v) for v in shown],
            "Per day": [wording.number(v / run.days) for v in shown],
            "Share": [wording.percent(v / mean.sum()) for v in shown],
        }
    )


def _recoveries(run: Run) -> pd.DataFrame:
    """Return one line per job: ETTR, stops, how many of them failures, and where it loaded from."""
    rows = pd.concat([r.tables["jobs"] for r in run.results])
    lines = []
    for name, own in rows.groupby(rows["job"].astype(str), sort=False):
        back = {words: float(own[c].astype(float).sum()) for c, words in FROM.items()}
        total = sum(back.values())
        lines.append({
            "Job": name,
            "ETTR": wording.percent(float(own["ettr"].astype(float).mean())),
            "Stops": f"{training.stops(own).mean():,.0f}",
            "Of them failures": f"{float(own['interruptions'].astype(float).mean()):,.0f}",
            "Came back": "; ".join(
                f"{wording.percent(v / total, 0)} {words}" for words, v in back.items() if v > 0.0
            ) or wording.MISSING,
        })
    return pd.DataFrame(lines)
