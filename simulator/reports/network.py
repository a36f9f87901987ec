"""Page: what the network draws, and what its failures did to the jobs above it."""

import re

import pandas as pd

from simulator.metrics import network
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    GREEN,
    GREY,
    HATCHES,
    ORANGE,
    canvas,
    dark,
    heading,
    label,
    legend,
    note,
    time_axis,
)

NOTABLE_FRAC = 0.001
"""Steps longer by less than this read the same in the title."""
_HARMLESS = f"what failed among them lengthened a step by less than {NOTABLE_FRAC:.1%}"

MARKED = 12
"""Changes of the network named in the figure; more would hide the lines."""


def page(run: Run) -> Page:
    """Return the page on the network."""
    job = _slowed(run)
    figures = (draw(run),) if job is None else (pace(run, job), draw(run))
    return Page(
        "network",
        "Network",
        _title(run, job),
        (
            "Switches and modules are counted from the fabrics; their draw is part of IT power. A job "
            "estimates its step anew whenever its share of a tier changes: when a switch or link "
            "fails or returns, or when it meets another job on a trunk.",
        ),
        figures,
        (TableSpec("Fabrics", _table(run)),),
    )


def _title(run: Run, job: str | None) -> str:
    power = wording.megawatts(run.value("network.power"))
    held = f"{run.value('network.switches') or 0:,.0f} switches draw {power} with their optics"
    if job is None:
        return f"{held}, and no failure among them slowed a training job in {run.days:.3g} days"
    return f"{held}; {slowdown(run) or _HARMLESS}"


def slowdown(run: Run) -> str | None:
    """Return how much longer the most slowed job's step became, None if by nothing to speak of."""
    job = _slowed(run)
    if job is None:
        return None
    own = _steps(run, job)
    worst, best = float(own["step_time_s"].max()), float(own["planned_step_time_s"].iloc[0])
    if worst / best - 1.0 < NOTABLE_FRAC:
        return None
    return (
        f"with parts of the network out, a step of “{job}” takes up to {worst:.4g} s "
        f"instead of {best:.4g} s"
    )


def _slowed(run: Run) -> str | None:
    """Return the job whose network slowed it most, None if no job was slowed."""
    table = network.steps(run.first)
    slower = table["step_time_s"] / table["planned_step_time_s"]
    if not len(table) or float(slower.max()) <= 1.0 + 1e-6:
        return None
    return str(table.loc[slower.astype(float).idxmax(), "job"])


def _steps(run: Run, job: str) -> pd.DataFrame:
    table = network.steps(run.first)
    return table[table["job"] == job].reset_index(drop=True)


def pace(run: Run, job: str) -> FigureSpec:
    """Draw step time, MFU and power of a job over the run, with what happened to its network."""
    own = _steps(run, job)
    end = run.start + pd.Timedelta(days=run.days)
    times = [*own["time"].dt.tz_convert(run.start.tz), end]
    fig, axes = canvas(height_in=3.6, rows=3, sharex=True)
    panels = (
        ("step_time_s", 1.0, "Step at full clock, s", BLUE),
        ("mfu", 100.0, "MFU at full clock, %", GREEN),
        ("dynamic_power_frac", 100.0, "Chip power while computing, % of idle to TDP", ORANGE),
    )
    for ax, (column, scale, title, color) in zip(axes, panels, strict=True):
        values = scale * own[column].astype(float)
        ax.step(times, [*values, values.iloc[-1]], where="post", color=color)
        low, high = float(values.min()), float(values.max())
        margin = max(0.25 * (high - low), 0.01 * high)
        ax.set_ylim(low - margin, high + (3.0 if ax is axes[0] else 1.0) * margin)
        heading(ax, title)
        label(ax)
    _mark(run, axes, job)
    time_axis(axes[-1], [run.start, end])
    worst = own.loc[own["step_time_s"].astype(float).idxmax()]
    return FigureSpec(
        fig,
        "network-pace",
        f"Steps of {job} over time: {own['planned_step_time_s'].iloc[0]:.4g} s planned, at most "
        f"{worst['step_time_s']:.4g} s with {100 * worst['network_frac']:.1f} % of its network; MFU "
        f"falls to {100 * float(own['mfu'].min()):.1f} %.",
        own,
        "Step time, MFU and power of the job as its network changed; dashed lines mark failures if few.",
        of_first=True,
    )


def _mark(run: Run, axes, job: str) -> None:  # type: ignore[no-untyped-def]
    """Mark and name losses in the network that the job felt, where they are few enough to be read."""
    events = run.first.events
    felt = events[
        (events["kind"].astype(str) == "fabric")
        & events["detail"].astype(str).str.contains(rf"[:;] {re.escape(job)} (?:gets|is) ")
        & (events["duration_s"].fillna(0.0) > 0.0)
    ]
    if len(felt) > MARKED:
        return
    for event in felt.itertuples():
        at = pd.Timestamp(event.time).tz_convert(run.start.tz)
        for ax in axes:
            ax.axvline(at, color=GREY, linestyle="--", linewidth=0.8)
        top = axes[0].get_ylim()[1]
        note(axes[0], at, top, str(event.element), dark(GREY), right_pt=3, va="top")


def draw(run: Run) -> FigureSpec:
    """Draw what the switches and modules of each fabric take."""
    data = network.fabrics(run.first)
    parts = (
        ("switches_w", "switches", BLUE),
        ("optics_w", "optics in switches", ORANGE),
        ("endpoint_optics_w", "optics at endpoints (in their racks' budget)", GREY),
    )
    fig, ax = canvas(height_in=0.9 + 0.22 * max(len(data), 2))
    total = data[[column for column, _, _ in parts]].sum(axis=1)
    scale = wording.power_scale(float(total.max()))
    left = pd.Series(0.0, index=data.index)
    for k, (column, name, color) in enumerate(parts):
        values = data[column] / scale.factor
        ax.barh(range(len(data)), values, left=left, color=color, hatch=HATCHES[k], height=0.62,
                edgecolor="white", linewidth=0, label=name)  # fmt: skip
        left += values
    for y, value in enumerate(left):
        note(ax, value, y, wording.number(value), right_pt=4)
    ax.set_yticks(range(len(data)), data["fabric"].astype(str))
    ax.invert_yaxis()
    ax.set_xlim(0, float(left.max()) * 1.15 or 1.0)
    heading(ax, f"Draw of the network by fabric, {scale.unit}")
    label(ax, grid="x")
    legend(fig, ax, "lower center", 3)
    told = ", ".join(
        f"{row.fabric} {wording.power(value)}"
        for row, value in zip(data.itertuples(), total, strict=True)
    )
    return FigureSpec(
        fig,
        "network-draw",
        f"Bars of the network's draw by fabric: {told}.",
        data,
        "Switches and optical modules by fabric, before the supplies of their racks.",
    )


def _table(run: Run) -> pd.DataFrame:
    data = network.fabrics(run.first)
    tiers = run.first.tables["network"]
    tiers = tiers[~tiers["tier"].str.startswith("optics")]
    listed = {
        name: ", ".join(f"{n:,} {tier}" for tier, n in zip(own["tier"], own["count"], strict=True))
        for name, own in tiers.groupby("fabric", sort=False)
    }
    return pd.DataFrame(
        {
            "Fabric": data["fabric"].astype(str),
            "Switches": [listed.get(name, wording.MISSING) for name in data["fabric"]],
            "Optical modules": [f"{v:,.0f}" for v in data["optics"]],
            "Switches draw": [wording.power(v) for v in data["switches_w"]],
            "Optics in them": [wording.power(v) for v in data["optics_w"]],
        }
    )
