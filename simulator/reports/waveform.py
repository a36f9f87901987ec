"""Minutes at 10 ms: what the steps of the jobs do to the site's draw, and which limits that keeps."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.components import from_catalog
from simulator.components.power import swings
from simulator.components.power.mask import Band, Mask, Ramp
from simulator.reports import wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    VERMILLION,
    canvas,
    heading,
    label,
    legend,
    note,
)

Floats = NDArray[np.float64]
MW = 1e-6
STEPS_SHOWN = 3.0
LEAST_ZOOM_S = 2.0
OVERS_S = np.geomspace(0.02, 30.0, 40)
"""Times over which ramps are taken."""
LOWEST_HZ, HIGHEST_HZ = 0.05, 50.0


def page(run: Run) -> Page:
    """Return the page of a run whose scenario asks for windows: the first one is drawn."""
    return page_of(run.first.tables)


def page_of(tables: dict[str, pd.DataFrame]) -> Page:
    """Return the page of the tables `waveform`, `waveform_jobs` and `waveform_limits`."""
    samples, limits, jobs = (
        tables[name][tables[name]["window"] == 0].reset_index(drop=True)
        for name in ("waveform", "waveform_limits", "waveform_jobs")
    )
    dt_s = float(samples["at_s"][1] - samples["at_s"][0])
    plain, grid = samples["poi_w"].to_numpy(float), samples["grid_w"].to_numpy(float)
    smoothed = not np.array_equal(plain, grid)
    step_s = float(jobs["step_time_s"].max()) if len(jobs) else LEAST_ZOOM_S
    masks = [from_catalog.mask(name) for name in dict.fromkeys(limits["mask"].astype(str))]
    return Page(
        "waveform",
        "Power inside a minute",
        _title(plain, grid, dt_s, limits, smoothed),
        text=_text(jobs, plain),
        figures=(
            _trace(samples, step_s, smoothed), _spectrum(plain, grid, dt_s, masks, smoothed),
            _ramps(plain, grid, dt_s, masks, smoothed),
        ),
        tables=(
            TableSpec("Limits: of each mask the one most used", _verdicts(_binding(limits))),
            *((TableSpec("Jobs in this window", _jobs(jobs)),) if len(jobs) else ()),
        ),
    )  # fmt: skip


def _title(plain: Floats, grid: Floats, dt_s: float, limits: pd.DataFrame, smoothed: bool) -> str:
    swing = swings.peak_to_peak_w(plain, dt_s, 5.0) * MW
    told = limits.groupby("mask", sort=False)["passes"].apply(lambda p: (p == False).any())  # noqa: E712
    kept = f"{int(told.sum())} of {len(told)} sets of limits are broken"
    if not smoothed:
        return f"Steps swing the draw by {swing:.3g} MW within 5 s; {kept}"
    left = swings.peak_to_peak_w(grid, dt_s, 5.0) * MW
    return f"Smoothing leaves {left:.3g} of {swing:.3g} MW of swing within 5 s; {kept}"


def _text(jobs: pd.DataFrame, plain: Floats) -> tuple[str, ...]:
    if not len(jobs):
        return ("No synchronous job has racks in this window: its minutes are all there is to see.",)
    worst = 100.0 * float(jobs["deviation_frac"].abs().max())
    added_j = float(jobs["added_j"].sum() + jobs["storage_loss_j"].sum())
    seconds = plain.size * 0.01
    told = (
        f"The window begins at {jobs['time'].iloc[0]} and lasts {seconds:g} s, {plain.mean() * MW:,.4g} MW "
        "on average. Jobs are drawn from the phases of their steps, everything else from its minutes; "
        f"phases and plan differ by {worst:.2g} % of a minute at most, which is taken off."
    )
    if added_j:
        share = 100.0 * added_j / (float(jobs["mean_w"].sum()) * seconds)
        told += f" Smoothing inside racks takes {share:.3g} % more energy than the jobs do."
    return (told,)


def _trace(samples: pd.DataFrame, step_s: float, smoothed: bool) -> FigureSpec:
    fig, axes = canvas(height_in=2.9, rows=2)
    at = samples["at_s"].to_numpy(float)
    end_s = float(at[-1])
    zoom_s = min(max(STEPS_SHOWN * step_s, LEAST_ZOOM_S), end_s)
    from_s = min(max(_steepest_s(samples) - 0.3 * zoom_s, 0.0), end_s - zoom_s)
    for ax, low_s, high_s, words in (
        (axes[0], 0.0, end_s, "The window"),
        (axes[1], from_s, from_s + zoom_s, "Where it changes most"),
    ):  # fmt: skip
        shown = (at >= low_s) & (at <= high_s)
        ax.plot(at[shown], samples["poi_w"][shown] * MW, color=BLUE, linewidth=0.9, label="as drawn")
        if smoothed:
            ax.plot(
                at[shown], samples["grid_w"][shown] * MW, color=VERMILLION, linestyle="--",
                linewidth=1.1, label="as the grid sees it",
            )
        ax.set_xlim(low_s, high_s)
        label(ax, y="MW")
        heading(ax, words)
    axes[1].set_xlabel("time in the window, s")
    if smoothed:
        legend(fig, axes[0], "upper right", 2)
    least, most = samples["poi_w"].min() * MW, samples["poi_w"].max() * MW
    return FigureSpec(
        fig, "waveform-trace", f"Import every 10 ms, between {least:.4g} and {most:.4g} MW.", samples,
        "Import at the point of interconnection.", of_first=True,
    )  # fmt: skip


def _steepest_s(samples: pd.DataFrame) -> float:
    """Return when the draw changes most within a quarter of a second."""
    draw, lag = samples["poi_w"].to_numpy(float), 25
    return float(samples["at_s"].iloc[int(np.abs(draw[lag:] - draw[:-lag]).argmax())])


def _binding(limits: pd.DataFrame) -> pd.DataFrame:
    """Return of each mask the limit of which most is used, one that can be told if there is any."""
    used = (limits["found"].astype(float) / limits["allowed"]).fillna(-1.0)
    rows = used.groupby(limits["mask"], sort=False).idxmax()
    return limits.loc[rows].reset_index(drop=True)


def _spectrum(
    plain: Floats, grid: Floats, dt_s: float, masks: list[Mask], smoothed: bool
) -> FigureSpec:
    fig, ax = canvas(width_in=3.42, height_in=2.3)
    found = swings.spectrum(plain, dt_s)
    shown = (found.frequency_hz >= LOWEST_HZ) & (found.frequency_hz <= HIGHEST_HZ)
    data = pd.DataFrame({"frequency_hz": found.frequency_hz[shown], "amplitude_w": found.amplitude_w[shown]})
    ax.loglog(data["frequency_hz"], data["amplitude_w"] * MW, color=BLUE, linewidth=0.8, label="as drawn")
    if smoothed:
        data["grid_amplitude_w"] = swings.spectrum(grid, dt_s).amplitude_w[shown]
        ax.loglog(
            data["frequency_hz"], data["grid_amplitude_w"] * MW, color=VERMILLION, linewidth=0.8,
            linestyle="--", label="as the grid sees it",
        )
    bands = [(mask, limit) for mask in masks for limit in mask.limits if isinstance(limit, Band)]
    named: set[str] = set()
    for mask, limit in bands:
        most = limit.allowed(grid)
        ax.plot([limit.low, min(limit.high, HIGHEST_HZ)], [most, most], color=INK, linewidth=1.4)
        if mask.name not in named:
            note(ax, limit.low, most * 1.8, mask.name.upper())
        named.add(mask.name)
    top = float(data["amplitude_w"].max()) * MW
    highest = max([top, *(limit.allowed(grid) for _, limit in bands)])
    ax.set_ylim(top * 1e-4, highest * 5.0)
    label(ax, "frequency, Hz", "amplitude of a line, MW")
    heading(ax, "Spectrum, and limits in bands")
    frequency, line_w = found.largest(LOWEST_HZ, HIGHEST_HZ)
    return FigureSpec(
        fig, "waveform-spectrum",
        f"Amplitude by frequency; the largest line is {line_w * MW:.3g} MW at {frequency:.3g} Hz.", data,
        "Half the swing of a sine at each frequency (Hann window). Bars: limits of bands, of all that "
        "a band holds.", of_first=True,
    )  # fmt: skip


def _ramps(
    plain: Floats, grid: Floats, dt_s: float, masks: list[Mask], smoothed: bool
) -> FigureSpec:
    fig, ax = canvas(width_in=3.42, height_in=2.3)
    overs_s = OVERS_S[0.5 * plain.size * dt_s > OVERS_S]
    data = pd.DataFrame({"over_s": overs_s})
    for name, trace, color, line in (
        ("ramp_w_s", plain, BLUE, "-"), ("grid_ramp_w_s", grid, VERMILLION, "--"),
    ):  # fmt: skip
        if name == "grid_ramp_w_s" and not smoothed:
            continue
        data[name] = [swings.ramp_w_s(trace, dt_s, float(over)) for over in overs_s]
        ax.loglog(overs_s, data[name] * MW, color=color, linestyle=line)
    for mask in masks:
        for limit in mask.limits:
            if isinstance(limit, Ramp) and limit.over <= overs_s[-1]:
                ax.plot(limit.over, limit.most * MW, "o", color=ORANGE, markersize=5)
                note(ax, limit.over, limit.most * MW, mask.name.upper(), right_pt=6)
    label(ax, "time the ramp is taken over, s", "largest ramp, MW/s")
    ax.axvline(0.25, color=GREY, linewidth=0.7, linestyle=":")
    heading(ax, "Ramps, and limits on them")
    quarter = swings.ramp_w_s(plain, dt_s, 0.25) * MW
    return FigureSpec(
        fig, "waveform-ramps", f"Largest ramp by the time it is taken over: {quarter:.3g} MW/s over 250 ms.",
        data, "Largest rise or fall between two samples so far apart, per second. Dots: limits.", of_first=True,
    )  # fmt: skip


def _verdicts(limits: pd.DataFrame) -> pd.DataFrame:
    verdict = {True: "kept", False: "broken"}
    return pd.DataFrame({
        "Mask": limits["mask"].astype(str),
        "Limit": limits["limit"].astype(str),
        "Allowed": [f"{v:.4g} {u}" for v, u in zip(limits["allowed"], limits["unit"], strict=True)],
        "As drawn": [_value(v) for v in limits["plain"]],
        "As seen": [_value(v) for v in limits["found"]],
        "": [
            verdict.get(p, r) if p is not None else r
            for p, r in zip(limits["passes"], limits["reason"], strict=True)
        ],
        "Battery that keeps the mask": [
            _battery(*row) for row in zip(
                limits["battery_w"], limits["battery_j"], limits["battery_response_s"], strict=True
            )
        ],
    })  # fmt: skip


def _battery(power_w: float | None, energy_j: float | None, response_s: float | None) -> str:
    if power_w is None or energy_j is None or response_s is None or np.isnan(power_w):
        return wording.MISSING
    if power_w == 0.0:
        return "none needed"
    return f"{power_w * MW:,.3g} MW, {energy_j / 3.6e6:,.0f} kWh, {1e3 * response_s:.0f} ms"


def _value(value: float | None) -> str:
    return wording.MISSING if value is None or np.isnan(value) else f"{value:.4g}"


def _jobs(jobs: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({
        "Job": jobs["job"].astype(str),
        "Chips": [f"{v:,.0f}" for v in jobs["accelerators"]],
        "Step": [wording.seconds(float(v)) for v in jobs["step_time_s"]],
        "Racks, MW": [f"{v * MW:,.4g}" for v in jobs["mean_w"]],
        "Least": [f"{v * MW:,.4g}" for v in jobs["least_w"]],
        "Most": [f"{v * MW:,.4g}" for v in jobs["most_w"]],
        "Burnt, kWh": [f"{v / 3.6e6:,.3g}" for v in jobs["added_j"]],
        "Withheld, kWh": [f"{v / 3.6e6:,.3g}" for v in jobs["withheld_j"]],
    })  # fmt: skip
