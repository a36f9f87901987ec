"""What a trace at 10 ms does beside what grids allow: bands of frequencies, and ramps."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from simulator.components import from_catalog
from simulator.components.power import swings
from simulator.components.power.mask import AnyLimit, Band, Ramp
from simulator.reports.page import FigureSpec
from simulator.reports.style import (
    BLUE,
    FULL,
    GREEN,
    HALF,
    INK,
    ORANGE,
    VERMILLION,
    canvas,
    heading,
    label,
    legend,
    note,
    powers_of_ten,
)

Floats = NDArray[np.float64]
MW = 1e-6
MINUTE_S = 60.0
OVERS_S = np.geomspace(0.02, 60.0, 46)
"""Times over which ramps are taken."""
MARKED_S = 0.25
"""Where the ramp of the alternative text and the dotted line is taken."""
ROOM_TO_S = 5.0
"""Up to where the axis leaves room for a label on the right."""
LOWEST_HZ, HIGHEST_HZ = 0.05, 50.0
LOOKS = ((BLUE, "-"), (VERMILLION, "--"))


@dataclass(frozen=True)
class Against:
    """One limit and the verdict of the run's table on it, in the limit's unit."""

    mask: str
    limit: AnyLimit
    allowed: float
    found: float | None
    """None where the window is too short to tell."""

    @property
    def verdict(self) -> str:
        """Return `kept` or `broken`."""
        return "broken" if self.found is None or self.found > self.allowed else "kept"

    @property
    def color(self) -> str:
        """Return the colour of its verdict."""
        return ORANGE if self.verdict == "broken" else GREEN

    @property
    def told(self) -> str:
        """Return what was found of what is allowed."""
        return f"{self.found:,.4g} of {self.allowed:,.4g} {self.limit.unit}"


BANDS_TOLD = (
    " Right: half the largest swing of all that a band holds (bar) and what its grid allows (stroke); many small "
    "lines make a large swing."
)
DOTS_TOLD = " Strokes lead from what was found (ring) to the limit (dot)."


def of_table(limits: pd.DataFrame) -> list[Against]:
    """Return the rows of `waveform_limits` of one window, each with the limit of its mask that it judges."""
    made = []
    for mask, told, allowed, found in limits[["mask", "limit", "allowed", "found"]].itertuples(
        index=False
    ):
        same = [limit for limit in from_catalog.mask(str(mask)).limits if limit.told() == told]
        made += [
            Against(str(mask), limit, float(allowed), None if pd.isna(found) else float(found))
            for limit in same[:1]
        ]
    return made


def spectrum(traces: dict[str, Floats], dt_s: float, against: Sequence[Against]) -> FigureSpec:
    """Draw the lines of traces in W, and beside them what bands of frequencies hold and may hold."""
    bands = [one for one in against if isinstance(one.limit, Band) and one.found is not None]
    fig, axes = canvas(
        FULL if bands else HALF, 1.9 + 0.15 * max(len(bands), 3), columns=2 if bands else 1
    )
    ax = axes[0] if bands else axes
    data, largest = pd.DataFrame(), (0.0, 0.0)
    for (name, trace), (color, line) in zip(traces.items(), LOOKS, strict=False):
        lines = swings.spectrum(trace, dt_s)
        shown = (lines.frequency_hz >= LOWEST_HZ) & (lines.frequency_hz <= HIGHEST_HZ)
        data["frequency_hz"] = lines.frequency_hz[shown]
        column = "grid_amplitude_w" if len(data.columns) > 1 else "amplitude_w"
        data[column] = lines.amplitude_w[shown]
        ax.loglog(
            data["frequency_hz"],
            data[column] * MW,
            color=color,
            linewidth=0.8,
            linestyle=line,
            label=name,
        )
        largest = max(largest, lines.largest(LOWEST_HZ, HIGHEST_HZ)[::-1])
    line_w, frequency = largest
    ax.set_ylim(line_w * MW * 1e-4, line_w * MW * 3.0)
    label(ax, "frequency, Hz", "amplitude of a line, MW")
    _plain(ax)
    heading(ax, f"Largest line {line_w * MW:.3g} MW at {frequency:.3g} Hz")
    if bands:
        _bars(axes[1], bands)
    if len(traces) > 1:
        legend(fig, ax, "upper right", 2)
    return FigureSpec(
        fig, "waveform-spectrum",
        f"Amplitude by frequency; the largest line is {line_w * MW:.3g} MW at {frequency:.3g} Hz."
        + "".join(f" {_band(one)}: {one.told}, {one.verdict}." for one in bands), data,
        "Half the swing of a sine at each frequency (Hann window)."
        + (BANDS_TOLD if bands else ""),
        of_first=True,
    )  # fmt: skip


def _bars(ax: Axes, bands: Sequence[Against]) -> None:
    places = np.arange(len(bands))[::-1]
    found = [float(one.found or 0.0) for one in bands]
    least = min([*(v for v in found if v > 0.0), *(one.allowed for one in bands)])
    ax.barh(
        places, found, 0.42, color=[one.color for one in bands], edgecolor="white",
        hatch=["///" if one.verdict == "broken" else "" for one in bands],
    )  # fmt: skip
    for place, one in zip(places, bands, strict=True):
        ax.plot([one.allowed] * 2, [place - 0.36, place + 0.36], color=INK, linewidth=2.2)
    ax.set_xscale("log")
    ax.set_xlim(0.3 * least, 2.0 * max(found + [one.allowed for one in bands]))
    ax.set_ylim(-0.6, len(bands) - 0.4)
    ax.set_yticks(places, [f"{_band(one)}\n{one.told}: {one.verdict}" for one in bands])
    label(ax, "half the swing, MW", grid="x")
    ax.xaxis.set_major_formatter(lambda v, _: f"{v:g}")
    broken = sum(one.verdict == "broken" for one in bands)
    heading(ax, f"{broken} of {len(bands)} bands broken")


def _band(one: Against) -> str:
    assert isinstance(one.limit, Band)
    return f"{one.mask.upper()} {one.limit.low:g}–{one.limit.high:g} Hz"


def ramps(traces: dict[str, Floats], dt_s: float, against: Sequence[Against]) -> FigureSpec:
    """Draw the largest ramps of traces in W by the time they are taken over, beside their limits."""
    limits = [one for one in against if isinstance(one.limit, Ramp)]
    shown = [one for one in limits if one.found is not None and not one.limit.average]  # type: ignore[union-attr]
    length_s = next(iter(traces.values())).size * dt_s
    longest_s = max([0.5 * length_s * (1.0 + 1e-9), *(_over_s(one) for one in shown)])
    overs_s = OVERS_S[longest_s >= OVERS_S]
    data = pd.DataFrame({"over_s": overs_s})
    fig, ax = canvas(FULL if shown else HALF, 2.35)
    for (name, trace), (color, line) in zip(traces.items(), LOOKS, strict=False):
        column = "grid_ramp_w_s" if len(data.columns) > 1 else "ramp_w_s"
        data[column] = [swings.ramp_w_s(trace, dt_s, float(over)) for over in overs_s]
        ax.loglog(overs_s, data[column] * MW, color=color, linestyle=line, label=name)
    _dots(ax, shown)
    ax.set_ylim(bottom=0.5 * ax.get_ylim()[0])
    ax.axvline(MARKED_S, color=INK, linewidth=0.7, linestyle=":")
    note(
        ax,
        MARKED_S,
        0.06,
        f"{1e3 * MARKED_S:.0f} ms",
        right_pt=4,
        transform=ax.get_xaxis_transform(),
    )
    label(ax, "time the ramp is taken over, s", "largest ramp, MW/s")
    _plain(ax)
    if len(traces) > 1:
        legend(fig, ax, "upper right", 2)
    quarter = swings.ramp_w_s(next(iter(traces.values())), dt_s, MARKED_S) * MW
    told = f"{quarter:.3g} MW/s over {1e3 * MARKED_S:.0f} ms"
    if shown:
        worst = max(shown, key=lambda one: float(one.found or 0.0) / one.allowed)
        heading(ax, f"{worst.mask.upper()} {worst.limit.told()}: {worst.told}, {worst.verdict}")
    else:
        heading(ax, f"Up to {told}")
    return FigureSpec(
        fig, "waveform-ramps", f"Largest ramp by the time it is taken over: {told}."
        + "".join(f" {one.mask.upper()} {one.limit.told()}: {one.told}, {one.verdict}." for one in shown), data,
        "Largest rise or fall between two samples so far apart, per second."
        f"{DOTS_TOLD if shown else ''}{_left_out(limits, shown)}", of_first=True,
    )  # fmt: skip


def _dots(ax: Axes, shown: Sequence[Against]) -> None:
    """Draw limits with what was found over the same time; those over one time share a label, neighbours
    stand on either side."""
    for i, (over_s, some) in enumerate(groupby(sorted(shown, key=_over_s), key=_over_s)):
        ones = sorted(some, key=lambda one: -one.allowed)
        for one in ones:
            here = [float(one.found or 0.0) / MINUTE_S, one.allowed / MINUTE_S]
            ax.plot([over_s] * 2, here, color=one.color, linewidth=1.0)
            ax.plot(over_s, here[0], "o", markersize=5, markerfacecolor="white", color=one.color)
            ax.plot(over_s, here[1], "o", markersize=5, color=one.color)
        middle = float(np.exp(np.mean([np.log(one.allowed / MINUTE_S) for one in ones])))
        text = "\n".join(
            f"{', '.join(one.mask.upper() for one in same)} {allowed:g} MW/min: {verdict}"
            for (allowed, verdict), same in (
                (key, list(group))
                for key, group in groupby(ones, lambda one: (one.allowed, one.verdict))
            )
        )
        left = i % 2 == 0 or over_s > ROOM_TO_S
        place = {"ha": "right"} if left else {"ha": "left", "va": "top"}
        note(ax, over_s, middle, text, right_pt=-6 if left else 6, **place)


def _over_s(one: Against) -> float:
    return one.limit.over if isinstance(one.limit, Ramp) else 0.0


def _left_out(limits: Sequence[Against], shown: Sequence[Against]) -> str:
    out = [f"{one.mask.upper()} ({one.limit.told()})" for one in limits if one not in shown]
    return f" Not drawn, as means or as the window is too short: {', '.join(out)}." if out else ""


def _plain(ax: Axes) -> None:
    powers_of_ten(ax.xaxis)
    powers_of_ten(ax.yaxis)
