"""A log of server power against our run of the same job: the same readings, the same figures of both.

The logs are those of MLPerf Training v4.0 (power of every server every 2 s, `boundary`, `node`,
`time_ms`, `power_w`); they are not part of this package.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulator.components.power import swings
from simulator.studies import StudyError
from simulator.studies.validate import power_run
from simulator.studies.validate.power_run import METER_S, STEP_S, STEPS_BETWEEN

Floats = NDArray[np.float64]
COLUMNS = ("boundary", "n_nodes", "node", "time_ms", "power_w")
LEAST_W = 1000.0
"""What is lower is a glitch of the meter: a server with eight idle chips draws more."""
PERCENTILES = (1, 5, 50, 95, 99)


@dataclass(frozen=True)
class Readings:
    """Power of servers at a common rhythm; (nodes, readings)."""

    name: str
    node_w: Floats

    @property
    def cluster_w(self) -> Floats:
        """All servers together."""
        total: Floats = self.node_w.sum(axis=0)
        return total


def of_log(path: Path, boundary: str = "ac") -> Readings:
    """Return the readings of a log, brought to common bins of 2 s; gaps take the reading before."""
    log = pd.read_parquet(path)
    missing = [name for name in COLUMNS if name not in log]
    if missing:
        raise StudyError(f"{path} is no log of server power: it has no {', '.join(missing)}")
    log = log[(log["boundary"] == boundary) & (log["power_w"] >= LEAST_W)]
    if log.empty:
        raise StudyError(f"{path} holds no readings at boundary '{boundary}'")
    at = ((log["time_ms"] - log["time_ms"].min()) // round(1e3 * METER_S)).astype(int)
    table = log.assign(at=at).pivot_table(index="at", columns="node", values="power_w", aggfunc="mean")
    whole = table.reindex(range(int(at.max()) + 1)).ffill().bfill()
    return Readings(path.stem, whole.to_numpy(float).T)


def of_run() -> Readings:
    """Return the readings of our own run."""
    return Readings("simulated", power_run.run().input_w)


def figures(readings: Readings) -> dict[str, float]:
    """Return what is compared, in W, J and Hz.

    Evaluations are found alike in both: in every period of steps and evaluation, the stretch as long
    as one that draws least.
    """
    cluster_w, node_w = readings.cluster_w, readings.node_w
    found = swings.spectrum(cluster_w, METER_S)
    line_hz, line_w = found.largest(0.95 / STEP_S, 1.05 / STEP_S)
    low_w = _evaluations_w(cluster_w)
    return {
        "server_mean_w": float(node_w.mean()),
        **{f"server_p{p}_w": float(np.percentile(node_w, p)) for p in PERCENTILES},
        "server_max_w": float(node_w.max()),
        "cluster_mean_w": float(cluster_w.mean()),
        "cluster_sd_w": float(cluster_w.std()),
        "cluster_min_w": float(cluster_w.min()),
        "evaluation_mean_w": float(low_w.mean()),
        "line_hz": line_hz,
        "line_w": line_w,
        "energy_j": float(cluster_w.sum() * METER_S),
    }


def compared(paths: list[Path]) -> pd.DataFrame:
    """Return one row per figure: simulated, each log, and the error against their mean in percent."""
    table = pd.DataFrame({r.name: figures(r) for r in (of_run(), *map(of_log, paths))})
    measured = table.drop(columns="simulated").mean(axis=1)
    table["error_pct"] = 100.0 * (table["simulated"] / measured - 1.0)
    return table.rename_axis("figure").reset_index()


def _evaluations_w(cluster_w: Floats) -> Floats:
    """Return the mean of each evaluation."""
    width = max(round(power_run.EVALUATION_S / METER_S), 1)
    period = round((STEPS_BETWEEN * STEP_S + power_run.EVALUATION_S) / METER_S)
    means = swings.running_mean(cluster_w, width)
    count = means.size // period
    lowest: Floats = means[: count * period].reshape(count, period).min(axis=1)
    return lowest
