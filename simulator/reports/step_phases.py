"""What a step is made of, and what runs beside the jobs: for the page on training."""

import pandas as pd

from simulator.metrics import training
from simulator.reports import wording
from simulator.reports.page import FigureSpec, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    GREEN,
    GREY,
    HATCHES,
    INK,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    canvas,
    heading,
    label,
    legend,
    note,
)

JOBS_DRAWN = 4
DRAWN_FROM = 0.002
NAMED_FROM = 0.18
"""Shares of the step from which a phase is drawn, and has its numbers written into or above it."""
HIGH = 0.5
"""Power from which there is room for them inside."""
ROW = 1.3
COLORS = {
    "compute": BLUE, "bubble": SKY, "communication": GREY, "generation": ORANGE,
    "scoring": PURPLE, "weight_sync": VERMILLION,
}  # fmt: skip


def phases(run: Run) -> FigureSpec:
    """Draw the step of each of the largest jobs: share of time along, chip power upwards."""
    jobs = training.outcome(run.first).nlargest(JOBS_DRAWN, "accelerators")
    data = training.phases(run.first)
    data = data[data["job"].isin(jobs["job"])].reset_index(drop=True)
    drawn = data[data["share"] >= DRAWN_FROM]
    fig, ax = canvas(height_in=0.75 + 0.5 * len(jobs))
    names = list(dict.fromkeys(drawn["phase"].astype(str)))
    for row, (_, job) in enumerate(jobs.iterrows()):
        base = -ROW * row
        _step(ax, drawn[drawn["job"] == job["job"]], base, names)
        note(ax, 101.0, base + 0.5, wording.seconds(float(job["planned_step_time_s"])))
    for i, name in enumerate(names):
        color = COLORS.get(name, GREEN)
        hatch = HATCHES[i % len(HATCHES)]
        ax.bar(0, 0, color=color, hatch=hatch, edgecolor="white", label=name.replace("_", " "))
    ax.set_xlim(0, 112)
    ax.set_xticks(range(0, 101, 20))
    ax.set_yticks([0.5 - ROW * row for row in range(len(jobs))], list(jobs["job"].astype(str)))
    ax.set_ylim(-ROW * (len(jobs) - 1) - 0.1, 1.1)
    heading(ax, "Step of each job: share of time (%); height is chip power, idle to TDP")
    label(ax, grid="x")
    legend(fig, ax, "lower center", min(len(names), 6))
    return FigureSpec(
        fig,
        "training-phases",
        f"Bars of the phases of a step: {_told(drawn)}.",
        data,
        "What the planned step of each job is made of; the height of a phase is the chip's power "
        "between idle and its limit, mean of the job.",
    )


def _step(ax, own: pd.DataFrame, base: float, names: list[str]) -> None:  # type: ignore[no-untyped-def]
    """Draw one step: a bar per phase, as wide as its share and as high as its power."""
    left = 0.0
    for phase in own.itertuples():
        width, power = 100 * float(phase.share), float(phase.dynamic_power_frac)
        name = str(phase.phase)
        ax.bar(
            left, power, width, bottom=base, align="edge", color=COLORS.get(name, GREEN),
            hatch=HATCHES[names.index(name) % len(HATCHES)], edgecolor="white", linewidth=0.6,
        )
        if phase.share >= NAMED_FROM:
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.9}
            text = f"{width:.0f} %, power {100 * power:.0f} %"
            middle = base + (power / 2 if power >= HIGH else power + 0.22)
            note(ax, left + width / 2, middle, text, INK, ha="center", bbox=box)
        left += width
    ax.plot([0, 100], [base, base], color=GREY, linewidth=0.7)


def _told(data: pd.DataFrame) -> str:
    return "; ".join(
        f"{job} " + ", ".join(
            f"{str(p.phase).replace('_', ' ')} {100 * p.share:.1f} % at {100 * p.dynamic_power_frac:.0f} % "
            "of dynamic power" for p in own.itertuples()
        )
        for job, own in data.groupby("job", sort=False)
    )


def beside(run: Run) -> tuple[TableSpec, ...]:
    """Return the tables of tests and data preparation, none for what a scenario lacks."""
    tests, prepared = training.tests(run.first), training.preparations(run.first)
    tables = []
    if len(tests):
        tables.append(TableSpec("Tests of the models", _tests(tests)))
    if len(prepared):
        tables.append(TableSpec("Data preparation", _preparations(prepared)))
    return tuple(tables)


def _tests(tests: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Test": tests["test"].astype(str),
            "Kind": [str(k).replace("_", " ") for k in tests["kind"]],
            "Job": tests["job"].astype(str),
            "Where": ["in pauses" if p else "beside" for p in tests["in_pauses"]],
            "Chips": [f"{v:,.0f}" for v in tests["accelerators"]],
            "Done": [f"{v:,.0f}" for v in tests["completed"]],
            "Each": [wording.seconds(float(v)) for v in tests["planned_test_time_s"]],
            "Chip-hours": [wording.number(v) for v in tests["accelerator_hours"]],
        }
    )


def _preparations(prepared: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Job": prepared["job"].astype(str),
            "Racks": [f"{v:,.0f}" for v in prepared["racks"]],
            "Tokens/s": [wording.large(v) for v in prepared["tokens_per_s"]],
            "Held up by": prepared["bound_by"].astype(str),
            "Tokens": [wording.large(v) for v in prepared["tokens"]],
            "Finish": [wording.day(v) for v in prepared["finish"]],
        }
    )
