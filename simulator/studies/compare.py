"""Two runs of the same length of luck: paired differences with confidence intervals.

Replicate k of both runs meets the same draws wherever the plans share entities (common random
numbers), so differences are taken replicate by replicate.
"""

import math

import numpy as np
import pandas as pd
from scipy import stats

from simulator.metrics import kpis
from simulator.results import Results

CONFIDENCE = 0.95


def compare(a: list[Results], b: list[Results]) -> pd.DataFrame:
    """Return one row per indicator that both runs have as a number.

    Columns: kpi, unit, a and b (means), difference (b - a), low and high (Student-t interval of
    the mean difference at 95 %; NaN with a single replicate), b_larger (share of replicates in
    which b is larger, a half for ties), n.

    Raises
    ------
    ValueError
        If the runs do not have the same replicates.
    """
    replicates = [r.info["replicate"] for r in a]
    if replicates != [r.info["replicate"] for r in b]:
        raise ValueError("the runs have different replicates: nothing to pair")
    left, right = _numbers(a), _numbers(b)
    rows = []
    for name in left.index.intersection(right.index, sort=False):
        x, y = left.loc[name].to_numpy(float), right.loc[name].to_numpy(float)
        difference = y - x
        low, high = _interval(difference)
        rows.append({
            "kpi": name, "a": x.mean(), "b": y.mean(), "difference": difference.mean(),
            "low": low, "high": high,
            "b_larger": float(np.mean((difference > 0.0) + 0.5 * (difference == 0.0))),
            "n": len(difference),
        })
    table = pd.DataFrame(rows)
    units = kpis.kpis(a[0]).set_index("kpi")["unit"]
    table.insert(1, "unit", table["kpi"].map(units))
    return table


def _numbers(results: list[Results]) -> pd.DataFrame:
    """Return indicators by replicate, those that are a finite number in every one."""
    columns = [
        pd.to_numeric(kpis.kpis(r).set_index("kpi")["value"], errors="coerce") for r in results
    ]
    return pd.concat(columns, axis=1, join="inner").dropna()


def _interval(difference: np.ndarray) -> tuple[float, float]:
    n = len(difference)
    if n < 2:
        return math.nan, math.nan
    half = stats.t.ppf(0.5 + CONFIDENCE / 2.0, n - 1) * difference.std(ddof=1) / math.sqrt(n)
    return float(difference.mean() - half), float(difference.mean() + half)
