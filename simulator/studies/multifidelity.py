"""Few runs of the plan engine, many of the screen level: means without bias, intervals that tell the gain.

The screen level (`studies.screen`) is evaluated for the replicates that the engine made and for many
more. What it says of the luck of the former against its own mean corrects theirs; how wrong it is in
level does not matter (R. Ng, K. Willcox, Int. J. Numer. Meth. Eng. 100, 2014, with the one estimator of
`metrics.control`).
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from simulator.metrics import control, intervals
from simulator.scenario import Scenario
from simulator.studies.designs import Plan
from simulator.studies.screen import screen

Screened = Callable[[Scenario, int], Mapping[str, float]]
COLUMNS = {
    "design": "Number of the design",
    "kpi": "Indicator",
    "n": "Replicates of the plan engine",
    "screened": "Further replicates of the screen level",
    "mean": "Mean of the plan engine alone",
    "low": "Lower end of its 95 % interval",
    "high": "Upper end",
    "corrected": "Mean corrected by the screen level, of the same expectation",
    "corrected_low": "Lower end of its 95 % interval",
    "corrected_high": "Upper end",
    "gain": "Variance of the mean alone over that of the corrected one",
    "correlation": "Of both levels over the replicates",
}
"""Columns of the table, in order."""
FEWEST = 4
"""Replicates from which slopes can be fitted without one of them."""


def of_sweep(
    plan: Plan, runs: pd.DataFrame, count: int, screened: Screened = screen
) -> pd.DataFrame:
    """Return one row per design and indicator that both levels have: `COLUMNS`.

    Parameters
    ----------
    runs : the sweep's table, finished runs only count
    count : further replicates of the screen level, drawn as the replicates after those of the sweep
    """
    rows = []
    for number, design in enumerate(plan.designs):
        own = runs[(runs["design"] == number) & (runs["status"] == "done")]
        if len(own) < FEWEST:
            continue
        paired = [dict(screened(design.scenario(k), k)) for k in own["replicate"]]
        more = range(plan.replicates, plan.replicates + count)
        beyond = [dict(screened(plan.further(number, k), k)) for k in more]
        rows += _rows(number, own, pd.DataFrame(paired), pd.DataFrame(beyond))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _rows(
    design: int, own: pd.DataFrame, paired: pd.DataFrame, beyond: pd.DataFrame
) -> list[dict[str, object]]:
    found = []
    for kpi in paired:
        if kpi not in own or own[kpi].isna().any():
            continue
        found.append({"design": design, "kpi": kpi, **estimate(
            own[kpi].to_numpy(float), paired[kpi].to_numpy(float), beyond[kpi].to_numpy(float)
        )})  # fmt: skip
    return found


def estimate(values: np.ndarray, paired: np.ndarray, beyond: np.ndarray) -> dict[str, float]:
    """Return both means with intervals, and the gain.

    Parameters
    ----------
    values : of the plan engine, (replicates,)
    paired : of the screen level for the same replicates
    beyond : of the screen level for further ones, independent of those
    """
    n = len(values)
    low, high = intervals.of_mean(values) or (math.nan, math.nan)
    best = control.without_bias(values, paired, beyond)
    half = intervals.t_quantile(n - 1) * best.deviation
    moves = values.std() > 0.0 and paired.std() > 0.0
    return {
        "n": n, "screened": len(beyond), "mean": float(values.mean()), "low": low, "high": high,
        "corrected": best.mean, "corrected_low": best.mean - half, "corrected_high": best.mean + half,
        "gain": best.gain if math.isfinite(best.gain) else math.nan,
        "correlation": float(np.corrcoef(values, paired)[0, 1]) if moves else 0.0,
    }  # fmt: skip
