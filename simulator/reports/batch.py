"""Figures of a replayed trace: queue, batch and memory over time; latencies as shares of requests."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from simulator.reports import style

PIXELS_PER_INCH = 150
CURVE = np.concatenate((np.linspace(0.0, 0.99, 199), [0.995, 0.999, 1.0]))
"""Shares of requests at which the latency curves are drawn."""
SHOWN = 0.995
"""Share of requests that the axes reach to; the data behind the figure go on."""


def write(over_time: pd.DataFrame, latencies: dict[str, np.ndarray], folder: Path) -> list[Path]:
    """Draw the figures as PNG with the CSV behind; return the files.

    `latencies` are seconds by name (ttft, tpot, e2e), NaN where a request has none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    curves = shares(latencies)
    written = []
    for name, fig, data in (
        ("over-time", _over_time(over_time), over_time),
        ("latency", _latency(curves), curves),
    ):
        with rc_context(style.STYLE):
            fig.savefig(folder / f"{name}.png", dpi=PIXELS_PER_INCH, metadata={"Software": None})
        data.to_csv(folder / f"{name}.csv", index=False)
        written += [folder / f"{name}.png", folder / f"{name}.csv"]
    return written


def shares(latencies: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return the latency below which each share of requests stays."""
    columns = {"share": CURVE}
    for name, values in latencies.items():
        known = values[~np.isnan(values)]
        columns[f"{name}_s"] = (
            np.quantile(known, CURVE) if len(known) else np.full(len(CURVE), np.nan)
        )
    return pd.DataFrame(columns)


def _over_time(rows: pd.DataFrame) -> Figure:
    fig, axes = style.canvas(height_in=4.2, rows=3, sharex=True)
    minutes = rows["time_s"] / 60.0
    panels = (("queued", "waiting requests", ""), ("batch", "sequences per replica", ""),
              ("kv_frac", "cache in use, %", "%"))  # fmt: skip
    for ax, (name, title, unit) in zip(axes, panels, strict=True):
        drawn = [c for c in rows.columns if c == name or c.endswith(f"_{name}")]
        for color, column in zip(style.PALETTE, drawn, strict=False):
            scale = 100.0 if unit else 1.0
            pool = column.removesuffix(name).strip("_") or None
            ax.plot(minutes, scale * rows[column], color=color, label=pool)
        style.heading(ax, title)
        style.label(ax)
        ax.set_ylim(bottom=0.0)
        if len(drawn) > 1:
            ax.legend(frameon=False, loc="upper right", fontsize=style.POINT)
    style.label(axes[-1], x="minutes from the start")
    return fig


def _latency(curves: pd.DataFrame) -> Figure:
    titles = {
        "ttft": "time to first token",
        "tpot": "time per output token",
        "e2e": "whole request",
    }
    fig, axes = style.canvas(columns=len(titles), sharey=True)
    for ax, (name, title) in zip(axes, titles.items(), strict=True):
        values = curves[f"{name}_s"]
        ax.plot(values, 100.0 * curves["share"], color=style.BLUE)
        most = values[curves["share"] <= SHOWN].max()
        ax.set_xlim(0.0, most if most > 0.0 else 1.0)
        style.heading(ax, title)
        style.label(ax, x="seconds", grid="both")
    style.label(axes[0], x="seconds", y="% of requests below", grid="both")
    return fig
