"""Page of voltage sags: what leaves, how it returns, which sags take what, a restart from dark."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from simulator import catalog
from simulator.components import from_catalog
from simulator.components.power.ride_through import NOTICE_S, Withstand
from simulator.reports import style, wording
from simulator.reports.page import FigureSpec, Page, TableSpec

CLOSE_UP_S = 5.0
"""After the last sag, at least, in the panel that shows the sags; and no less than a third of their time."""
STEP_SHARE = 0.01
"""Of the power before, from which a jump on the way back is told as a step."""
CURVES = (style.INK, style.PURPLE, style.VERMILLION, style.GREEN)
MW, MIN = 1e6, 60.0


@dataclass(frozen=True)
class Tables:
    """What `studies.ride_through` and `studies.cold_restart` found for a scenario."""

    loads: pd.DataFrame
    course: pd.DataFrame
    rules: pd.DataFrame
    lost: pd.DataFrame
    """Load lost by voltage and duration."""
    restart_loads: pd.DataFrame
    restart_course: pd.DataFrame
    supplies: Withstand
    sags: tuple[tuple[float, float], ...]
    """Begin and end of each, s."""


def page(name: str, found: Tables) -> Page:
    """Return the page of a scenario."""
    return Page(
        "ride-through", "Grid", title(name, found),
        figures=(over_time(found), lost_map(found), restart(found)),
        tables=(TableSpec("Rules of grids", rules(found)), TableSpec("Loads", classes(found))),
    )  # fmt: skip


def title(name: str, found: Tables) -> str:
    """Return the finding: what is lost, and which rules that breaks."""
    lost_w, all_w = float(found.loads["lost_w"].sum()), float(found.loads["power_w"].sum())
    broken = list(found.rules.loc[found.rules["verdict"] == "broken", "rule"])
    told = f"which breaks {', '.join(broken)}" if broken else "which breaks no rule"
    share = wording.percent(lost_w / all_w if all_w else 0.0, 0)
    return f"{name} loses {wording.power(lost_w)}, {share} of its draw, in these sags, {told}"


def rules(found: Tables) -> pd.DataFrame:
    """Return the verdicts as text."""
    rows = [(r.rule, r.verdict, r.reason) for r in found.rules.itertuples()]
    return pd.DataFrame(rows, columns=["Rule", "Verdict", "Power back, and wanted"])


def classes(found: Tables) -> pd.DataFrame:
    """Return the loads by class and what they did, as text."""
    by = found.loads.groupby(["class", "kind", "outcome"], sort=False).agg(
        power_w=("power_w", "sum"), lost_w=("lost_w", "sum"), back_s=("back_s", "max"),
        stopped=("accelerators_stopped", "sum"),
    ).reset_index()  # fmt: skip
    rows = [
        (r["class"], r["kind"], r["outcome"], wording.power(r["power_w"]), wording.power(r["lost_w"]),
         wording.seconds(r["back_s"]), wording.large(r["stopped"]))
        for r in by.to_dict("records")
    ]  # fmt: skip
    head = ["Class", "Loads", "In the sags", "Power", f"Not drawn {NOTICE_S:g} s after", "90 % back",
            "Accelerators stopped"]  # fmt: skip
    return pd.DataFrame(rows, columns=head)


def over_time(found: Tables) -> FigureSpec:
    """Draw the power of each class through the sags in seconds, and its way back in minutes."""
    course, last_s = found.course, found.sags[-1][1]
    groups = [name for name in course if name not in ("time_s", "total")]
    fig, axes = style.canvas(height_in=3.1, columns=2, sharey=True)
    times_s = course["time_s"].to_numpy()
    close_s = max(CLOSE_UP_S, last_s / 3.0)
    spans = ((axes[0], 1.0, (-0.3 * close_s, last_s + close_s)), (axes[1], MIN, (0.0, max(times_s[-1], MIN))))
    for ax, scale, span in spans:
        base = np.zeros(times_s.size)
        for group, color in zip(groups, style.PALETTE, strict=False):
            top = base + course[group].to_numpy() / MW
            ax.fill_between(times_s / scale, base, top, color=color, linewidth=0.0,
                            label=wording.plain(group))  # fmt: skip
            base = top
        ax.plot(times_s / scale, base, color=style.INK, linewidth=0.8)
        ax.set_xlim(span[0] / scale, span[1] / scale)
        ax.set_ylim(0.0, course["total"].max() / MW * 1.04)
    for begin_s, end_s in found.sags:
        axes[0].axvspan(begin_s, end_s, color=style.VERMILLION, alpha=0.3, linewidth=0.8)
    style.heading(axes[0], _through(found))
    style.heading(axes[1], _back(found))
    style.label(axes[0], x="time, s", y="power from the grid, MW")
    style.label(axes[1], x="time, min")
    style.legend(fig, axes[0], "upper center", len(groups))
    return FigureSpec(
        fig, "ride-through", "Power drawn from the grid by class of load during the sags and after.",
        course, "Shaded: the sags. Constant-power loads; the voltage is alike at all of them.",
    )  # fmt: skip


def _through(found: Tables) -> str:
    """Return what the sags do to the draw: the finding of the first panel."""
    before_w, lowest_w = float(found.course["total"].iloc[0]), float(found.course["total"].min())
    later_w = float(round(before_w - found.loads["lost_w"].sum()))
    if lowest_w >= before_w * (1.0 - STEP_SHARE):
        return "The draw stays as it was"
    return (f"Of {wording.power(before_w)} the lowest is {wording.power(lowest_w)},\n"
            f"{wording.power(later_w)} {NOTICE_S:g} s after")  # fmt: skip


def _back(found: Tables) -> str:
    """Return when all is back and in what steps: the finding of the second panel."""
    whole_s = float(found.loads["whole_s"].max())
    total_w, times_s = found.course["total"].to_numpy(), found.course["time_s"].to_numpy()
    jumps_w = np.diff(total_w) * (np.diff(times_s) == 0.0) * (times_s[1:] > found.sags[-1][1])
    k = int(np.argmax(jumps_w))
    back = f"All is back after {wording.seconds(whole_s)}" if whole_s > 0.0 else "Nothing has to come back"
    if jumps_w[k] <= STEP_SHARE * total_w[0]:
        return f"{back},\nwithout a step" if whole_s > 0.0 else back
    return f"{back},\nthe largest step is {wording.power(jumps_w[k])} at {times_s[k] / MIN:.3g} min"


def lost_map(found: Tables) -> FigureSpec:
    """Draw the share of load lost by voltage and duration, with the curves of supplies and grids."""
    fig, ax = style.canvas(height_in=3.5)
    lost, all_w = found.lost, float(found.loads["power_w"].sum())
    grid = lost.pivot(index="voltage", columns="duration_s", values="lost_w")
    x, y = grid.columns.to_numpy(float), 100.0 * grid.index.to_numpy(float)
    shown = ax.pcolormesh(x, y, 100.0 * grid.to_numpy() / all_w, cmap="cividis_r", vmin=0.0, vmax=100.0,
                          shading="nearest")  # fmt: skip
    bar = fig.colorbar(shown, ax=ax, pad=0.02)
    bar.set_label(f"load not drawn {NOTICE_S:g} s after, %", fontsize=style.POINT)
    known = [from_catalog.grid_rule(name) for name in catalog.names("grid_rules")]
    drawn = [("power supplies (ITIC)", found.supplies), *((r.name, r.stay) for r in known if r.stay)]
    for (name, curve), color, line in zip(drawn, CURVES, ("-", "--", "-.", ":"), strict=False):
        _curve(ax, curve, name, color, line, x)
    ax.set_xscale("log")
    ax.set_xlim(x[0], x[-1])
    ax.set_ylim(0.0, y[-1])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    style.label(ax, x="duration of one sag, s", y="voltage left, % of nominal", grid="both")
    ax.grid(False)
    style.legend(fig, ax, "upper center", 4)
    return FigureSpec(
        fig, "ride-through-map", "Share of load lost by voltage left and duration of a single sag, with "
        "the curves that power supplies bear and grids ask for.", lost,
        "Loads are to stay in sags above and to the left of a grid's curve.",
    )  # fmt: skip


def _curve(ax: Axes, curve: Withstand, name: str, color: str, line: str, x: np.ndarray) -> None:
    """Draw a curve as steps: lowest voltage borne at each duration."""
    times = [x[0], *curve.time, x[-1]]
    levels = [0.0, *(100.0 * v for v in curve.below)]
    ax.step(times, [*levels, levels[-1]], where="post", color="white", linewidth=3.2)
    ax.step(times, [*levels, levels[-1]], where="post", color=color, linestyle=line, linewidth=1.6,
            label=name)  # fmt: skip


def restart(found: Tables) -> FigureSpec:
    """Draw the power of a restart from dark under its ramp limit."""
    fig, ax = style.canvas(height_in=2.4)
    course = found.restart_course
    minutes, power = course["time_s"].to_numpy() / MIN, course["power_w"].to_numpy() / MW
    ax.fill_between(minutes, power, color=style.SKY, alpha=0.5, linewidth=0.0)
    ax.plot(minutes, power, color=style.BLUE)
    ax.set_xlim(0.0, max(minutes[-1], 1e-3))
    ax.set_ylim(0.0, power[-1] * 1.08)
    racks = found.restart_loads[found.restart_loads["work"] != ""]
    back = (racks.groupby("class")["back_s"].max() / MIN).sort_values()
    levels = [float(np.interp(at, minutes, power)) for at in back]
    ax.plot(back, levels, "o", color=style.VERMILLION, markersize=4)
    places = style.spread(levels, 0.11 * power[-1], 0.0, power[-1])
    for (group, at), level in zip(back.items(), places, strict=True):
        style.note(ax, at, level, str(group), style.dark(style.VERMILLION), -6, ha="right")
    style.heading(ax, f"From dark all is back after {wording.seconds(MIN * minutes[-1])}, {back.index[-1]} last"
                  if back.size else f"From dark all is back after {wording.seconds(MIN * minutes[-1])}")  # fmt: skip
    style.label(ax, x="time since supply is back, min", y="power from the grid, MW")
    return FigureSpec(
        fig, "restart", "Power over time of a restart from dark under a ramp limit.", course,
        "Dots: all of a class works again.",
    )  # fmt: skip
