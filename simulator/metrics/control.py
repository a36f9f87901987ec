"""Luck taken out of means: how many failures came beyond what the hazard promised is a control.

The failures of a replicate less the cumulative hazard its fleet was exposed to have mean zero, whatever
the hazard did (a martingale). An indicator that moves with them has its mean corrected by regression
(S. Asmussen, P. Glynn, Stochastic Simulation, V.2), and the mean is then known as if from `gain`
times as many replicates.
"""

import math

import numpy as np

from simulator.metrics import intervals
from simulator.results import Results

ON_RACKS = ("accelerator", "server", "rack", "optic")
"""Populations whose failures are the control. Units of plant that are out when hit are not counted,
so that theirs have no mean of zero."""
FEWEST = 10
"""Replicates from which a slope is fitted."""
LEAST_GAIN = 1.2
"""Below it the control is not worth telling."""


def excess(results: list[Results]) -> np.ndarray | None:
    """Return failures on racks beyond the expected ones, (replicates,); None where a run does not
    tell."""
    if len(results) < FEWEST or any("rates" not in r.tables for r in results):
        return None
    tables = [r.tables["rates"] for r in results]
    on_racks = [t[t["per"].isin(ON_RACKS)] for t in tables]
    return np.array([float((t["simulated"] - t["expected"]).sum()) for t in on_racks])


def controlled(values: np.ndarray, control: np.ndarray | None) -> dict[str, float] | None:
    """Return the corrected mean (`value`), its 95 % interval (`low`, `high`) and the `gain`; None
    where the control does not pay."""
    if control is None or len(values) != len(control) or not values.std() or not control.std():
        return None
    slope = float(np.cov(values, control)[0, 1] / control.var(ddof=1))
    left = values - slope * control
    variance = float(left.var(ddof=1)) * (len(left) - 1) / (len(left) - 2)
    gain = float(values.var(ddof=1)) / variance if variance > 0.0 else math.inf
    if not LEAST_GAIN <= gain < math.inf:
        return None
    half = intervals.t_quantile(len(left) - 1) * math.sqrt(variance / len(left))
    mean = float(left.mean())
    return {"value": mean, "low": mean - half, "high": mean + half, "gain": gain}
