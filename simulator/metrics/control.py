"""Luck taken out of means by a control: something cheap that moves with them and whose mean is known.

`regressed` is the one estimator of the house (S. Asmussen, P. Glynn, Stochastic Simulation, V.2):
`controlled` gives it the failures of a run, `studies.clockwork` those of a job, `studies.multifidelity`
what the screen level says.

The failures of a replicate less the cumulative hazard its fleet was exposed to have mean zero, whatever
the hazard did (a martingale). An indicator that moves with them has its mean corrected by regression,
and the mean is then known as if from `gain` times as many replicates.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.metrics import intervals
from simulator.results import Results

ON_RACKS = ("accelerator", "server", "rack", "optic")
"""Populations whose failures are the control. Units of plant that are out when hit are not counted,
so that theirs have no mean of zero."""
FEWEST = 10
"""Replicates from which a slope is fitted."""
LEAST_GAIN = 1.2
"""Below it the control is not worth telling."""


@dataclass(frozen=True)
class Corrected:
    """A mean with the control's luck taken out."""

    mean: float
    deviation: float
    """Of the mean."""
    gain: float
    """Variance of the plain mean over that of the corrected one; infinite where nothing is left."""
    slope: float


def regressed(values: NDArray[np.float64], excess: NDArray[np.float64]) -> Corrected:
    """Return the mean of `values` less what `excess`, of mean zero, did to it, by one slope.

    The slope is fitted on the same values, which costs a degree of freedom and a bias of order 1/n.
    """
    covariance = np.cov(values, excess)
    slope = float(covariance[0, 1] / covariance[1, 1]) if covariance[1, 1] > 0.0 else 0.0
    left = values - slope * excess
    variance = float(left.var(ddof=2))
    gain = float(values.var(ddof=1)) / variance if variance > 0.0 else math.inf
    return Corrected(float(left.mean()), math.sqrt(variance / len(left)), gain, slope)


def without_bias(
    values: NDArray[np.float64], control: NDArray[np.float64], known: NDArray[np.float64]
) -> Corrected:
    """Return the mean of `values` corrected by a control whose mean is that of many `known` values.

    Every value is corrected by the slope of all others, so that slope and control are independent and
    the estimate has exactly the mean of `values`, whatever the control is. `known` are further draws of
    it, independent of `control`: their own spread counts, slope^2 var / N.
    """
    expected = float(known.mean())
    slopes = _slopes_of_others(values, control)
    left = values - slopes * (control - expected)
    slope = float(slopes.mean())
    variance = float(left.var(ddof=2)) / len(left) + slope**2 * float(known.var(ddof=1)) / len(known)
    plain = float(values.var(ddof=1)) / len(values)
    gain = plain / variance if variance > 0.0 else math.inf
    return Corrected(float(left.mean()), math.sqrt(variance), gain, slope)


def _slopes_of_others(
    values: NDArray[np.float64], control: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return for each pair the slope fitted on all other pairs; zero where these do not move."""
    n = len(values)
    y, c = values - values.mean(), control - control.mean()
    # Sums over the others of products about their own means: the whole less n / (n - 1) of the one.
    both = (y @ c) - y * c * n / (n - 1.0)
    alone = (c @ c) - c * c * n / (n - 1.0)
    moves = alone > 1e-12 * max(float(c @ c), 1e-300)
    return np.divide(both, alone, out=np.zeros(n), where=moves)


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
    found = regressed(values, control)
    if not LEAST_GAIN <= found.gain < math.inf:
        return None
    half = intervals.t_quantile(len(values) - 1) * found.deviation
    low, high = found.mean - half, found.mean + half
    return {"value": found.mean, "low": low, "high": high, "gain": found.gain}
