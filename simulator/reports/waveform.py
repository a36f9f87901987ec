"""Minutes at 10 ms: what the steps of the jobs do to the site's draw, and which limits that keeps."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.components.power import swings
from simulator.reports import waveform_limits, wording
from simulator.reports.page import FigureSpec, Page, TableSpec
from simulator.reports.run import Run
from simulator.reports.style import BLUE, VERMILLION, canvas, heading, label, legend

Floats = NDArray[np.float64]
MW = 1e-6
STEPS_SHOWN = 3.0
LEAST_ZOOM_S = 2.0
LAG_S = 0.25
"""Time within which the trace's second panel looks for the largest change."""


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
    traces = {"as drawn": plain} | ({"as the grid sees it": grid} if smoothed else {})
    against = waveform_limits.of_table(limits)
    return Page(
        "waveform",
        "Power inside a minute",
        _title(plain, grid, dt_s, limits, smoothed),
        text=_text(jobs, plain),
        figures=(
            _trace(samples, step_s, smoothed), waveform_limits.spectrum(traces, dt_s, against),
            waveform_limits.ramps(traces, dt_s, against),
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
    steepest_s, change_w = _steepest(samples)
    from_s = min(max(steepest_s - 0.3 * zoom_s, 0.0), end_s - zoom_s)
    least, most = samples["poi_w"].min() * MW, samples["poi_w"].max() * MW
    for ax, low_s, high_s, words in (
        (axes[0], 0.0, end_s, f"Import between {least:.4g} and {most:.4g} MW"),
        (axes[1], from_s, from_s + zoom_s, f"At its steepest {change_w * MW:.3g} MW within {1e3 * LAG_S:.0f} ms"),
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
    return FigureSpec(
        fig, "waveform-trace", f"Import every 10 ms, between {least:.4g} and {most:.4g} MW.", samples,
        "Import at the point of interconnection.", of_first=True,
    )  # fmt: skip


def _steepest(samples: pd.DataFrame) -> tuple[float, float]:
    """Return when the draw changes most within a quarter of a second, and by how many W."""
    draw, lag = samples["poi_w"].to_numpy(float), round(LAG_S / float(samples["at_s"][1] - samples["at_s"][0]))
    change_w = np.abs(draw[lag:] - draw[:-lag])
    first = int(change_w.argmax())
    return float(samples["at_s"].iloc[first]), float(change_w[first])


def _binding(limits: pd.DataFrame) -> pd.DataFrame:
    """Return of each mask the limit of which most is used, one that can be told if there is any."""
    used = (limits["found"].astype(float) / limits["allowed"]).fillna(-1.0)
    rows = used.groupby(limits["mask"], sort=False).idxmax()
    return limits.loc[rows].reset_index(drop=True)


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
