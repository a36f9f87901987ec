"""Page: who answered which class of requests, at what cost, and what distillation changes."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from simulator.metrics import distillation, routing
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    HATCHES,
    INK,
    PALETTE,
    canvas,
    heading,
    label,
    legend,
    thousands,
    time_axis,
)

CLASSES_DRAWN = 4
CLASSES_LISTED = 10
OF_ROLES = (3, 1)
"""First colour and hatch of roles: pools have those before."""
ROLES = {
    "first": "first choice", "spill": "spilled", "escalation": "passed on",
    "student": "taken over", "moderation": "moderation",
}  # fmt: skip
MOVED = {
    "escalation": "are passed on", "spill": "are spilled", "student": "go to a distilled model",
}  # fmt: skip


def page(run: Run) -> Page:
    """Return the page on routing."""
    classes = run.table("classes", ["class"])
    arrived, served = float(classes["arrived"].sum()), float(classes["served"].sum())
    return Page(
        "routing",
        "Routing",
        f"Of {wording.large(arrived)} requests in {len(classes)} "
        f"class{'es' if len(classes) > 1 else ''}, "
        f"{wording.percent(served / max(arrived, 1.0), 2)} are answered; {_finding(run)}",
        (
            (
                "A request may reach several pools: the next model of a cascade, a pool with room, a "
                "classifier before and after the answer. All of them take capacity, and their times add "
                "up. Quality is the user's table over the pools that answered; nothing of it is "
                "simulated."
            ),
        ),
        (by_hour(run), answers(run), costs(run)),
        tuple(t for t in (_classes(run), _distillations(run)) if len(t.frame)),
    )


def _finding(run: Run) -> str:
    """Return who answers most, and how most of the others got elsewhere."""
    table = run.averaged(routing.answers, ["class", "pool", "role", "stage"])
    by_pool = table.groupby("pool", sort=False)["answers"].sum()
    share = by_pool / max(by_pool.sum(), 1.0)
    told = f"“{share.idxmax()}” gives {wording.percent(float(share.max()))} of the answers"
    streams = run.table("streams", ["stream"])
    begun = max(float(run.table("classes", ["class"])["arrived"].sum()), 1.0)
    moved = {
        verb: float(streams.loc[streams["role"] == role, "arrived"].sum())
        for role, verb in MOVED.items()
    }
    verb = max(moved, key=lambda v: moved[v])
    return f"{told}, {wording.percent(moved[verb] / begun)} {verb}" if moved[verb] else told


def _drawn(run: Run) -> list[str]:
    return [str(c) for c in run.table("classes", ["class"]).nlargest(CLASSES_DRAWN, "arrived")["class"]]


def _pools(run: Run) -> list[str]:
    """Return the pools that requests reached, in the order of the streams."""
    streams = run.table("streams", ["stream"])
    return list(dict.fromkeys(streams.loc[streams["arrived"] > 0, "pool"].astype(str)))


def by_hour(run: Run) -> FigureSpec:
    """Draw the requests of each class that every pool answered, over the run."""
    names, pools = _drawn(run), _pools(run)
    every = run.period if run.days > 3 else "h"
    data = run.averaged(
        partial(routing.flows, every=every), ["time", "class", "stage", "pool", "role"]
    )
    data = data[data["class"].isin(names) & (data["role"] != "moderation")]
    hours = pd.Timedelta(1, every) if every in ("h", "D") else pd.Timedelta(every)
    data = data.assign(kept_per_s=(data["served"] - data["passed_on"]) / hours.total_seconds())
    fig, axes = canvas(height_in=1.9, columns=max(len(names), 2), squeeze=False)
    for ax, name in zip(axes[0], names, strict=False):
        own = data[data["class"] == name]
        wide = own.pivot_table(index="time", columns="pool", values="kept_per_s", aggfunc="sum")
        wide = wide.reindex(columns=[p for p in pools if p in wide]).fillna(0.0)
        stack = ax.stackplot(
            wide.index, wide.to_numpy().T, labels=list(wide),
            colors=[PALETTE[pools.index(p) % len(PALETTE)] for p in wide], edgecolor=INK,
            linewidth=0.2,
        )  # fmt: skip
        for band, pool in zip(stack, wide, strict=True):
            band.set_hatch(HATCHES[pools.index(pool) % len(HATCHES)])
        time_axis(ax, wide.index, most=4)
        heading(ax, f"{name}, answers/s")
        label(ax)
        thousands(ax.yaxis)
    for ax in axes[0][len(names):]:
        ax.set_visible(False)
    _pool_legend(fig, axes[0][: len(names)])
    return FigureSpec(
        fig,
        "routing-by-hour",
        "Stacked areas of answers per second by the pool that gave them, one panel per class: "
        f"{_told_answers(run, names)}.",
        data,
        "Answers by the pool that gave them, for the largest classes; what a pool passed on is not "
        f"its answer{run.as_means}.",
    )


def _pool_legend(fig: Any, axes: Any) -> None:
    """Name the pools of all panels once."""
    found: dict[str, Any] = {}
    for ax in axes:
        found |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    fig.legend(
        found.values(), found.keys(), loc="outside lower left", ncols=5, frameon=False,
        handlelength=1.8, columnspacing=1.4,
    )  # fmt: skip


def _told_answers(run: Run, names: list[str]) -> str:
    table = run.averaged(routing.answers, ["class", "pool", "role", "stage"])
    told = []
    for name in names:
        own = table[(table["class"] == name) & (table["share"] > 0)]
        shares = ", ".join(
            f"{pool} {wording.percent(share)}"
            for pool, share in own.groupby("pool")["share"].sum().items()
        )
        told.append(f"{name}: {shares}")
    return "; ".join(told)


def answers(run: Run) -> FigureSpec:
    """Draw how requests reached the pools: share of each class's requests by role."""
    streams = run.table("streams", ["stream"])
    names = _drawn(run)
    data = streams[streams["class"].isin(names)].groupby(["class", "role"])["arrived"].sum()
    data = data.reset_index()
    begun = run.table("classes", ["class"]).set_index("class")["arrived"]
    data["percent"] = 100 * data["arrived"] / data["class"].map(begun).astype(float)
    roles = [r for r in ROLES if (data.loc[data["role"] == r, "arrived"] > 0).any()]
    parts = [(ROLES[role], i, data[data["role"] == role].set_index("class")["percent"])
             for i, role in enumerate(roles)]  # fmt: skip
    fig, _ = _stacks("Requests to pools, % of class", names, parts, 2, OF_ROLES)
    return FigureSpec(
        fig,
        "routing-roles",
        "Bars of how requests reached pools, as a share of each class: "
        + "; ".join(
            f"{r['class']} {ROLES[str(r['role'])]} {r['percent']:.0f} %"
            for _, r in data[data["arrived"] > 0].iterrows()
        )
        + ".",
        data,
        f"More than 100 %: a request passes several pools{run.as_means}.",
    )


def _stacks(
    title: str, names: list[str], parts: list[tuple[str, int, pd.Series]], columns: int, first: tuple[int, int] = (0, 0)
) -> tuple[Figure, np.ndarray]:
    """Draw a bar per class of parts, each with its name, its place in the codes from `first` (colour, hatch) on and
    its values by class; return the figure and the length of each bar."""
    fig, ax = canvas(width_in=3.42, height_in=1.9)
    left = np.zeros(len(names))
    for name, i, values in parts:
        width = values.reindex(names).fillna(0.0).to_numpy()
        ax.barh(
            names, width, left=left, height=0.6, color=PALETTE[(first[0] + i) % len(PALETTE)], label=name,
            hatch=HATCHES[(first[1] + i) % len(HATCHES)], edgecolor=INK, linewidth=0.3,
        )  # fmt: skip
        left += width
    ax.invert_yaxis()
    heading(ax, title)
    label(ax, grid="x")
    legend(fig, ax, "lower left", columns)
    return fig, left


def costs(run: Run) -> FigureSpec:
    """Draw accelerator-seconds per request served, by class and pool."""
    names, pools = _drawn(run), _pools(run)
    served = run.table("classes", ["class"]).set_index("class")["served"].astype(float)
    data = run.averaged(routing.costs, ["class", "pool"])
    data = data[data["class"].isin(names)].copy()
    data["accelerator_s"] = 3600 * data["accelerator_hours"] / data["class"].map(served)
    parts = [(pool, i, data[data["pool"] == pool].set_index("class")["accelerator_s"])
             for i, pool in enumerate(pools) if pool in set(data["pool"])]  # fmt: skip
    fig, total_s = _stacks("Chip-seconds per request", names, parts, 3)
    told = ", ".join(f"{n} {wording.number(v)} s" for n, v in zip(names, total_s, strict=True))
    return FigureSpec(
        fig,
        "routing-costs",
        f"Bars of accelerator-seconds per request by class and pool: {told}.",
        data,
        f"Time that pools held accelerators, headroom included, split by the work they did{run.as_means}.",
    )


def _classes(run: Run) -> TableSpec:
    table = run.table("classes", ["class"]).nlargest(CLASSES_LISTED, "arrived")

    def of(key: str) -> list[float | None]:
        return [run.value(f"routing.{c}.{key}") for c in table["class"].astype(str)]

    frame = pd.DataFrame({
        "Class": table["class"].astype(str),
        "Router": [wording.plain(kind) for kind in table["policy"]],
        "Requests": [wording.large(v) for v in of("requests")],
        "Shed": [wording.large(v) for v in of("shed")],
        "Mean time": [wording.seconds(v) for v in of("latency_mean")],
        "Quality": [wording.percent(v) for v in of("quality")],
        "Energy (MWh)": [wording.number(v) for v in of("energy")],
        "$ / million": [wording.number(v) for v in of("energy_cost_per_million_requests")],
    })
    return TableSpec("Classes of requests", frame)


def _distillations(run: Run) -> TableSpec:
    table = run.averaged(distillation.payback, ["job"])
    frame = pd.DataFrame({
        "Distillation": table["job"].astype(str),
        "Teacher": table["teacher"].astype(str),
        "Student": table["student"].astype(str),
        "Cost (h)": [wording.number(float(v)) for v in table["cost_h"]],
        "Ready": [wording.day(v) for v in table["ready"]],
        "Break-even": [
            wording.MISSING if pd.isna(v) else f"{wording.large(v)} tokens"
            for v in table["requests"] * table["tokens"].astype(float)
        ],
        "After": [
            wording.MISSING if pd.isna(v) else wording.seconds(86_400.0 * v) for v in table["days"]
        ],
        "Saved (h)": [
            wording.number(v) if v else "0"
            for v in table["taken_over"] * table["saved_s"].fillna(0.0) / 3600.0
        ],
    })
    return TableSpec("Distillation", frame)
