"""A logged run beside ours: the draw of the cluster, its spectrum, and how the servers' readings spread."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.components.power import swings
from simulator.reports.page import FigureSpec
from simulator.reports.style import BLUE, FULL, GREY, VERMILLION, canvas, heading, label, legend

Floats = NDArray[np.float64]
KW = 1e-3
SHOWN_S = 420.0
COLORS = {"simulated": VERMILLION}
MEASURED = (BLUE, GREY)


def figure(servers: dict[str, Floats], meter_s: float) -> FigureSpec:
    """Draw runs beside each other.

    Parameters
    ----------
    servers : readings (nodes, readings) in W by run; ours is called `simulated`
    """
    fig, axes = canvas(width_in=FULL, height_in=4.6, rows=2, columns=2)
    trace, spread, lines, sums = axes[0][0], axes[1][1], axes[1][0], axes[0][1]
    rows = []
    measured = iter(MEASURED)
    for name, node_w in servers.items():
        color = COLORS.get(name) or next(measured)
        style = "--" if name == "simulated" else "-"
        cluster = node_w.sum(axis=0)
        at = np.arange(cluster.size) * meter_s
        shown = at <= SHOWN_S
        trace.plot(at[shown], cluster[shown] * KW, color=color, linestyle=style, linewidth=1.0, label=name)
        levels = np.linspace(0.0, 100.0, 201)
        sums.plot(levels, np.percentile(cluster, levels) * KW, color=color, linestyle=style)
        spread.plot(levels, np.percentile(node_w, levels) * KW, color=color, linestyle=style)
        found = swings.spectrum(cluster, meter_s)
        inside = found.frequency_hz > 1e-3
        lines.loglog(
            found.frequency_hz[inside], found.amplitude_w[inside] * KW, color=color, linestyle=style,
            linewidth=0.8,
        )
        rows += [(name, t, w) for t, w in zip(at, cluster, strict=True)]
    for ax, words, x, y in (
        (trace, "Cluster, first minutes", "time, s", "kW"),
        (sums, "Cluster, sorted readings", "share of readings, %", "kW"),
        (lines, "Cluster, spectrum", "frequency, Hz", "amplitude, kW"),
        (spread, "Servers, sorted readings", "share of readings, %", "kW"),
    ):  # fmt: skip
        label(ax, x, y)
        heading(ax, words)
    lines.set_ylim(1e-2, 1e2)
    legend(fig, trace, "upper center", 3)
    return FigureSpec(
        fig, "measured-power", "Logged and simulated power of 64 servers of 8 H100 that train GPT-3 175B.",
        pd.DataFrame(rows, columns=["run", "at_s", "cluster_w"]),
        "Means over 2 s; the simulated job has the step and the evaluations of the logs.",
    )  # fmt: skip
