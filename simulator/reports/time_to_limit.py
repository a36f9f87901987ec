"""Page of lost cooling: how hot chips become after each failure, and the seconds that leaves."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simulator.components.cooling.course import DARK
from simulator.components.cooling.course_air import INTAKE
from simulator.components.cooling.hot_chip import limit_of
from simulator.reports import style, wording
from simulator.reports.page import FigureSpec, Page, TableSpec

FIRST_S = 1.0
"""Where the logarithmic time begins."""
MOST = 7
"""Failures that are drawn in one panel: those that leave the least time."""


TICKS_S = [1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0]
ROOM_K = 2.0
"""Above the temperature at which chips switch themselves off."""
WIDTHS = (2.4, 1.1, 1.1, 1.2, 1.2, 1.1, 1.2, 1.2, 1.2, 0.9)
"""Of the table's columns."""
@dataclass(frozen=True)
class Drawn:
    """What a figure shows."""

    name: str
    column: str
    limits: str
    label: str
    limit_names: tuple[str, str]
    told: str
    note: str


CHIPS = Drawn(
    "time-to-limit", "chip_c", "limits_c", "hottest chip, °C", ("throttles", "switches itself off"),
    "Hottest chip of hall {} after failures of its cooling.", "Hall {}: lines end where chips switch themselves off.",
)  # fmt: skip
AIR = Drawn(
    "time-to-limit-air", "air_c", "intakes_c", "intake of racks, °C",
    ("racks without accelerators slow", "all racks off"),
    "Air of hall {} after failures of what cools it.", "Hall {}: lines end where racks switch themselves off.",
)  # fmt: skip
ACTS = {"brake_holds_s": "brake holds", "caps_hold_s": "caps hold"}


@dataclass(frozen=True)
class Tables:
    """What `studies.time_to_limit` found."""

    told: dict[str, Any]
    table: pd.DataFrame
    traces: pd.DataFrame
    limits_c: dict[str, tuple[float, float]]
    """Throttle and shutdown temperature of the chips, by hall."""
    intakes_c: dict[str, tuple[float, float]]
    """Intakes at which racks without accelerators slow, and all are off."""


def page(found: Tables) -> Page:
    """Return the page of the study."""
    return Page(
        "time-to-limit", "Cooling", title(found), (*_text(found.told), *_notes(found.table)),
        figures=tuple(figure for hall in found.limits_c for figure in _figures(found, hall)),
        tables=tuple(TableSpec(f"Hall {hall}", table(found, hall), WIDTHS) for hall in found.limits_c),
    )  # fmt: skip


def cover(told: dict[str, Any]) -> dict[str, Any]:
    """Return title, author, description, date and footer of the document."""
    moment = f"{pd.Timestamp(told['at']):%d %B %Y %H:%M}, {told['chosen']}"
    return {
        "title": f"{told['name']}: seconds to a limit", "author": f"gigawatt {told['version']}",
        "description": f"From {moment}; each failure followed for {told['minutes']} minutes", "dated": told["at"],
        "footer": [f"gigawatt {told['version']} · {moment}", f"{told['name']} · one failure at a time"],
    }  # fmt: skip


def _text(told: dict[str, Any]) -> tuple[str, ...]:
    """Return what the table takes for granted, with the window in which a blank holds."""
    brake = f", the emergency brake after {wording.seconds(told['brake_holds_s'])}" if told["brake_holds_s"] else ""
    return (
        f"At {told['dry_bulb_c']:.1f} °C outdoors and {wording.power(told['it_w'])} in racks. Each failure is "
        f"followed for {told['minutes']} minutes: a dash is not within that time. Caps hold after "
        f"{wording.seconds(told['caps_hold_s'])}{brake}. By: what binds, the chip's junction, its memory, or the "
        "intake of what air cools: racks without accelerators slow in hot air, at the trip all are off. May go: work "
        "of the racks concerned. +10 K: until coolant or air is so much warmer. Well after: until all run at full "
        "clock again by themselves; 0 s: they never slow.",
    )


def _notes(table: pd.DataFrame) -> tuple[str, ...]:
    """Return what else is known of failures, in one paragraph; where halls differ, of each."""
    notes = dict.fromkeys((str(r.failure), str(r.note)) for r in table.itertuples() if r.note)
    told = "; ".join(f"{failure}: {note}" for failure, note in notes)
    return (f"{told[0].upper()}{told[1:]}.",) if told else ()


def title(found: Tables) -> str:
    """Return the finding: what leaves the least time, and how many failures end in a trip."""
    trips = found.table[np.isfinite(found.table["trip_s"])]
    if not len(trips):
        return (f"{found.told['name']} rides through every failure of its cooling without a trip "
                f"within {found.told['minutes']} minutes")  # fmt: skip
    worst = trips.loc[trips["trip_s"].idxmin()]
    lost = int((trips["avoided_by"] == "nothing").sum())
    which = {0: "none", len(trips): "all of them"}.get(lost, str(lost))
    return (
        f"{found.told['name']}: {worst['failure']} trips racks after {wording.seconds(worst['trip_s'])}; "
        f"of {len(found.table)} failures {len(trips)} end in a trip, {which} whatever control sheds"
    )


def table(found: Tables, hall: str) -> pd.DataFrame:
    """Return the rows of a hall as text."""
    rows = [
        (r.failure, _time(r.throttle_s), _time(r.trip_s), limit_of(r.throttled_by, r.tripped_by),
         _time(r.rise_10k_s), wording.power(r.sheddable_w), _time(r.trip_with_caps_s), _time(r.trip_with_brake_s),
         r.avoided_by.partition(" in ")[0], _time(r.recovered_s))
        for r in found.table[found.table["hall"] == hall].itertuples()
    ]  # fmt: skip
    head = ["Failure", "Throttle", "Trip", "By", "+10 K", "May go", "Trip with caps",
            "Trip with brake", f"In {found.told['minutes']} min avoided by", "Well after"]  # fmt: skip
    return pd.DataFrame(rows, columns=head)


def _figures(found: Tables, hall: str) -> list[FigureSpec]:
    """Return the chips of a hall after what slows them, if anything does, and its air where racks meet their limit
    in it; chips that slow in air may be in both."""
    rows = found.table[(found.table["hall"] == hall) & (found.table["avoided_by"] != DARK)]
    by_air = (rows["throttled_by"] == INTAKE) | (rows["tripped_by"] == INTAKE)
    chips = courses(found, hall, rows[rows["throttled_by"] != INTAKE], CHIPS)
    return [chips, courses(found, hall, rows[by_air], AIR)] if by_air.any() else [chips]


def courses(found: Tables, hall: str, rows: pd.DataFrame, drawn: Drawn) -> FigureSpec:
    """Draw the hottest chip of a hall, or its air, after the failures that leave the least time."""
    fig, ax = style.canvas(height_in=2.9)
    shown = rows[np.isfinite(rows["throttle_s"])].sort_values("throttle_s").head(MOST)
    if len(shown) < MOST:
        calm = rows[~np.isfinite(rows["throttle_s"])].sort_values("chip_max_c", ascending=False)
        shown = pd.concat([shown, calm.head(min(2, MOST - len(shown)))])
    traces = found.traces[found.traces["hall"] == hall]
    lasts_s = [_line(ax, i, names, traces, drawn.column) for i, names in enumerate(_alike(shown))]
    _limits(ax, found, getattr(found, drawn.limits)[hall], drawn)
    ax.set_xscale("log")
    ax.set_xticks(TICKS_S, labels=[_tick(s) for s in TICKS_S])
    ax.set_xticks([], minor=True)
    ax.set_xlim(FIRST_S, max(lasts_s, default=3600.0))
    style.label(ax, x="time since the failure, logarithmic", y=drawn.label)
    style.legend(fig, ax, "upper center", 3)
    kept = traces[traces["failure"].isin(list(shown["failure"]))]
    return FigureSpec(
        fig, f"{drawn.name}-{hall}", drawn.told.format(hall), kept.reset_index(drop=True), drawn.note.format(hall),
    )  # fmt: skip


def _line(ax: Axes, i: int, names: list[str], traces: pd.DataFrame, column: str) -> float:
    """Draw the course of failures that leave the same seconds; return when it ends."""
    mine = traces[(traces["failure"] == names[0]) & (traces["time_s"] > 0.0)]
    color, line = style.PALETTE[i % len(style.PALETTE)], style.LINES[i % len(style.LINES)]
    told = names[0] if len(names) == 1 else f"{names[0]}, {len(names) - 1} alike"
    ax.plot(mine["time_s"], mine[column], color=color, linestyle=line, label=told)
    return float(mine["time_s"].iloc[-1])


def _limits(ax: Axes, found: Tables, limits_c: tuple[float, float], drawn: Drawn) -> None:
    """Mark both limits, and when control acts."""
    for limit_c, name in zip(limits_c, drawn.limit_names, strict=True):
        if limit_c > limits_c[1]:
            continue  # there are no such racks
        ax.axhline(limit_c, color=style.INK, linewidth=0.8, linestyle=":")
        style.note(ax, FIRST_S, limit_c, name, style.INK, 3, ha="left", va="bottom")
    for name in ACTS:
        if found.told.get(name):
            ax.axvline(found.told[name], color=style.GREY, linewidth=0.8)
            style.note(ax, found.told[name], limits_c[1] + 0.6 * ROOM_K, ACTS[name], style.INK, 3, ha="left")
    ax.set_ylim(top=limits_c[1] + ROOM_K)


def _alike(shown: pd.DataFrame) -> list[list[str]]:
    """Return the failures in groups that leave the same seconds, each a line of its own."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for row in shown.itertuples():
        key = tuple(round(v, 2) if math.isfinite(v) else v for v in (row.throttle_s, row.trip_s, row.chip_max_c))
        groups.setdefault(key, []).append(str(row.failure))
    return list(groups.values())


def _tick(value_s: float) -> str:
    return f"{value_s:g} s" if value_s < 60.0 else f"{value_s / 60.0:g} min"


def _time(value_s: float) -> str:
    return wording.seconds(value_s) if math.isfinite(value_s) else wording.MISSING
